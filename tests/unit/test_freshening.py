"""An index is brought up to date beside a search, as far as there is time."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from rerank_cli import UsageError, open_library
from rerank_cli.freshening import Freshening, main
from rerank_cli.store.location import indexes_folder
from tests.conftest import Plant
from tests.fakes import FakeEncoder


@pytest.fixture
def behind(docs: Path, index_folder: Path, plant: Plant, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An index that lacks a file, and was made with a passage size of its own."""
    monkeypatch.setattr("rerank_cli.models.loading.open_encoder", lambda *_, **__: FakeEncoder())
    plant({"a.md": "Oil the chain.\n"})
    with open_library(docs, index=index_folder, encoder=FakeEncoder(), passage_tokens=64) as library:
        library.update()
    plant({"b.md": "Pump the tyre.\n"})
    return index_folder


def test_it_takes_in_what_is_new_and_changes_no_setting(behind: Path) -> None:
    assert main([str(behind)]) == 0
    with open_library(index=behind) as library:
        assert library.index.files().keys() == {"a.md", "b.md"}
        assert library.index.manifest.recipe.passage_tokens == 64


def test_a_graph_that_was_asked_for_stays(behind: Path, docs: Path) -> None:
    with open_library(docs, index=behind, encoder=FakeEncoder(), passage_tokens=64, vectors="hnsw") as library:
        library.update()
        made = library.index.manifest.search, library.index.manifest.search_reason
    (docs / "c.md").write_text("Grease the hub.\n", encoding="utf-8")
    assert main([str(behind)]) == 0
    with open_library(index=behind) as library:
        assert library.index.files().keys() == {"a.md", "b.md", "c.md"}
        assert (library.index.manifest.search, library.index.manifest.search_reason) == made
        assert made[0] == "HNSW graph"


def test_a_converter_goes_on_in_an_index_of_ones_own_and_is_run_for_nobody_elses(behind: Path, docs: Path) -> None:
    converter = (f".shout={sys.executable} -c \"print('SHOUTED')\" {{}}",)
    (docs / "d.shout").write_text("quiet\n", encoding="utf-8")
    own = indexes_folder() / "own"
    for place in (own, behind):
        with open_library(docs, index=place, encoder=FakeEncoder(), passage_tokens=64, converter=converter) as library:
            library.update()
    (docs / "e.shout").write_text("quiet too\n", encoding="utf-8")
    assert main([str(own)]) == 0
    with open_library(index=own) as library:
        assert [stored.passage.text for stored in library.index.read_file("e.shout")] == ["SHOUTED"]
    assert main([str(behind)]) == 2
    with open_library(index=behind) as library, pytest.raises(UsageError, match="by a command that the index names"):
        library.update()


def test_an_index_that_cannot_be_brought_up_to_date_does_not_keep_the_others_from_it(
    behind: Path, tmp_path: Path
) -> None:
    assert main([str(tmp_path / "none"), str(behind)]) == 3
    with open_library(index=behind) as library:
        assert library.index.files().keys() == {"a.md", "b.md"}


def test_a_search_waits_no_longer_than_it_wants_to_and_leaves_nothing_running(behind: Path) -> None:
    freshening = Freshening([behind])
    assert not freshening.wait(0.0)
    process = freshening._running
    assert process is not None and process.poll() is None
    freshening.end()
    assert process.poll() is not None
