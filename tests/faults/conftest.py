from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rerank_cli.search import Searcher, SearchSettings
from rerank_cli.store import open_reader
from tests.fakes import FakeEncoder, FakeReranker

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def start_indexer(docs: Path, index_folder: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start `indexer.py` on this test's folders; it does not outlive the test."""
    started = []

    def start(*options: str, index_folder: Path = index_folder) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, Path(__file__).with_name("indexer.py"), docs, index_folder, *options],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY), "PYTHONDONTWRITEBYTECODE": "1"},
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def find(index_folder: Path) -> Callable[..., list[str]]:
    """The documents that both stages find, best first."""

    def find(query: str, index_folder: Path = index_folder) -> list[str]:
        settings = SearchSettings(
            retriever="hybrid", top_k=1000, fusion="linear", fusion_weight=0.4, reranks=True, per_document=1
        )
        with open_reader(index_folder) as index:
            result = Searcher(index, encoder=FakeEncoder(), reranker=FakeReranker(), settings=settings).search(query)
        return [hit.candidate.stored.document_id for hit in result.hits]

    return find
