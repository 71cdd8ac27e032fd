"""An index in Milvus is known on machines that did not make it, and that have none of its documents."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from rerank_cli import open_library
from rerank_cli.cli.indexes_table import prune_indexes
from rerank_cli.errors import IndexMissing, UsageError
from rerank_cli.indexing import IndexSettings, update_index
from rerank_cli.records import Rules
from rerank_cli.store import open_writer
from rerank_cli.store.housekeeping import add_index
from rerank_cli.store.layout import indexes_folder
from tests.conftest import Plant
from tests.fakes import FakeEncoder, FakeReranker
from tests.stores.kinds import needs_milvus

pytestmark = needs_milvus


@pytest.fixture
def address(plant: Plant, docs: Path, tmp_path: Path, database: Path, collection: str) -> str:
    """Of an index that this machine has forgotten, as another one never knew it."""
    plant({"gas.md": "# Gas\n\nOpen the windows.\n", "hens.md": "# Hens\n\nFeed them at seven.\n"})
    where = f"milvus+file:{database}/{collection}"
    with open_writer(tmp_path / "made", wait_s=0, store=where) as writer:
        update_index(docs, writer=writer, encoder=FakeEncoder(), settings=IndexSettings("fake", 40, Rules()))
    shutil.rmtree(tmp_path / "made")
    return where


def test_a_machine_without_the_documents_searches_them(address: str, docs: Path) -> None:
    shutil.rmtree(docs)
    add_index("theirs", address)
    with open_library(index="theirs", encoder=FakeEncoder(), reranker=FakeReranker()) as library:
        hits = library.search("windows").hits
        assert hits[0].path == "gas.md"
        assert library.stale_files(hits) == {}
        assert library.status().unknown


def test_pruning_keeps_what_another_machine_may_have_the_documents_of(address: str, docs: Path) -> None:
    shutil.rmtree(docs)
    add_index("theirs", address)
    assert prune_indexes(dry_run=False, quiet=True) == 0
    assert (indexes_folder() / "theirs").is_dir()


def test_where_the_documents_are_it_is_told_what_has_changed(address: str, docs: Path) -> None:
    (docs / "gas.md").write_text("# Gas\n\nShut the windows, and go out.\n")
    add_index("theirs", address)
    with open_library(index="theirs", encoder=FakeEncoder(), reranker=FakeReranker()) as library:
        assert library.stale_files(library.search("windows").hits)["gas.md"] == "changed"


def test_a_name_is_given_once_and_only_to_an_index(address: str) -> None:
    add_index("theirs", address)
    with pytest.raises(UsageError, match="there is an index called theirs already"):
        add_index("theirs", address)
    with pytest.raises(UsageError, match="is no name of an index"):
        add_index("a/b", address)
    with pytest.raises(UsageError, match="is no address of a store"):
        add_index("other", "http://localhost/x")
    with pytest.raises(IndexMissing):
        add_index("other", f"{address}_none")
    assert [folder.name for folder in indexes_folder().iterdir()] == ["theirs"]
