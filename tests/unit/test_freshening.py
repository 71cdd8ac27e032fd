"""An index is brought up to date beside a search, as far as there is time."""

from __future__ import annotations

from pathlib import Path

import pytest

from rerank_cli import open_library
from rerank_cli.freshening import Freshening, main
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
