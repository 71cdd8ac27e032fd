"""Known items are drawn from what tells a document apart."""

from __future__ import annotations

from pathlib import Path

import pytest

from rerank_cli.errors import InputError, UsageError
from rerank_cli.evaluation.inputs.known_items import KnownItem, draw_known_items, write_known_items
from rerank_cli.store import open_reader
from rerank_cli.store.reader import IndexReader
from rerank_cli.trec import read_qrels
from tests.conftest import Plant, Update


def test_queries_are_telling_headings_and_distinctive_sentences(library: IndexReader) -> None:
    drawn = {item.document: item for seed in range(6) for item in draw_known_items(library, count=9, seed=seed)}
    assert set(drawn) == {"radiators.md", "boiler.md"}
    texts = {item.text for seed in range(6) for item in draw_known_items(library, count=9, seed=seed)}
    assert texts == {
        "Bleed it with the square key until water comes out of the valve.",
        "Its expansion vessel goes flat after ten winters",
        "Cold at the top",
    }, "and never the whole passage of lone.md"


def test_as_many_are_drawn_as_were_asked_for_the_same_each_time(library: IndexReader) -> None:
    assert len(draw_known_items(library, count=1, seed=1)) == 1
    assert draw_known_items(library, count=2, seed=1) == draw_known_items(library, count=2, seed=1)
    assert [item.id for item in draw_known_items(library, count=9, seed=1)] == ["known-001", "known-002"]


def test_documents_that_nothing_tells_apart_give_no_queries(plant: Plant, update: Update, index_folder: Path) -> None:
    plant({"a.md": "Too short.\n"})
    update()
    with open_reader(index_folder) as reader, pytest.raises(InputError, match="no heading or sentence"):
        draw_known_items(reader, count=5, seed=1)


def test_a_set_is_written_only_where_there_is_none(tmp_path: Path) -> None:
    items = [KnownItem("known-001", "cold radiator", "known-item heading", "a\nb.md")]
    write_known_items(tmp_path / "new", items)
    assert read_qrels(tmp_path / "new" / "qrels.tsv") == {"known-001": {"a%0Ab.md": 1}}
    with pytest.raises(UsageError, match="is there already"):
        write_known_items(tmp_path / "new", items)
