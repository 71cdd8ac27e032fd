from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rerank_cli.cli.app import main
from rerank_cli.search import Searcher, SearchSettings
from rerank_cli.store import open_reader
from tests.fakes import FakeEncoder, FakeReranker

REPOSITORY = Path(__file__).parents[2]

LONG = os.environ.get("RERANK_FAULTS") == "long"
"""Whether the tests that repeat themselves do so for long; the short form is what every run of the suite has."""


def child_environment() -> dict[str, str]:
    """For a process of a test: it finds this source and these tests, and leaves nothing in them."""
    return {**os.environ, "PYTHONPATH": str(REPOSITORY), "PYTHONDONTWRITEBYTECODE": "1"}


_survived: Counter[str] = Counter()
_started = time.monotonic()


@pytest.fixture
def run_main(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Run a command in this process; its exit code and both streams."""

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["rerank-cli", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            main()
        streams = capsys.readouterr()
        assert isinstance(left.value.code, int)
        return left.value.code, streams.out, streams.err

    return run


@pytest.fixture
def survived() -> Callable[[str, int], None]:
    """Count faults that were survived, such as `survived("kills", 3)`: the end of the run tells their sums."""

    def count(kind: str, number: int) -> None:
        _survived[kind] += number

    return count


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not _survived:
        return
    usages = [resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    terminalreporter.section("faults survived")
    for kind, number in sorted(_survived.items()):
        terminalreporter.line(f"{number:8} {kind}")
    peak_bytes = max(usages) * (1 if sys.platform == "darwin" else 1024)
    terminalreporter.line(f"in {time.monotonic() - _started:.0f} s, peak memory {peak_bytes / 1e6:.0f} MB")


@pytest.fixture
def start_indexer(docs: Path, index_folder: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start `indexer.py` on this test's folders; it does not outlive the test."""
    started = []

    def start(*options: str, index_folder: Path = index_folder) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, Path(__file__).with_name("indexer.py"), docs, index_folder, *options],
            stdout=subprocess.PIPE,
            text=True,
            env=child_environment(),
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
