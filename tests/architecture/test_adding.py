"""A list of candidates, a format and a command are added without a change to anything else.

That a store is, `tests/unit/test_ports.py` shows.
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from rerank_cli import retrieval
from rerank_cli.cli import app as program
from rerank_cli.cli.commands import COMMANDS
from rerank_cli.corpus.read.formats import FORMATS, Format
from rerank_cli.records import Block, Document, Reading, at_lines
from rerank_cli.retrieval import Asked, CandidateList, retrieve
from rerank_cli.search import Searcher, SearchSettings
from rerank_cli.store import open_reader
from tests.conftest import Plant, Update
from tests.fakes import FakeEncoder, FakeReranker


def shortest_first(asked: Asked) -> CandidateList:
    """A toy of a list: every passage, the shorter the better."""
    ranking = [(stored.id, -float(len(stored.passage.text))) for stored in asked.index.scan()]
    return CandidateList("shortness", sorted(ranking, key=lambda row: -row[1]), scale=1.0, floor=-1000.0)


def test_a_third_list_is_one_more_name(
    plant: Plant, update: Update, index_folder: Path, encoder: FakeEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant({"a.md": "brake lever\n", "b.md": "brake lever and a good deal more than that\n"})
    update()
    monkeypatch.setitem(retrieval.LISTS, "shortness", shortest_first)
    monkeypatch.setitem(retrieval.LISTS_OF, "hybrid", ("dense", "lexical", "shortness"))
    settings = SearchSettings(
        retriever="hybrid", top_k=10, fusion="linear", fusion_weight=0.5, reranks=True, per_document=1
    )
    with open_reader(index_folder) as index:
        candidates = retrieve(index, "brake lever", encoder=encoder, retriever="hybrid", top_k=10)
        result = Searcher(index, encoder=encoder, reranker=FakeReranker(), settings=settings).search("brake lever")
    assert [candidate.lists["shortness"].rank for candidate in candidates] == [1, 2]
    places, opening = candidates[0].lists, candidates[0].opening_score
    others = 20 * places["dense"].score + 3 * opening + 6 * places["lexical"].score / max(1.0, places["lexical"].score)
    assert candidates[0].score == pytest.approx(others + places["shortness"].score)
    assert result.hits[0].candidate.lists.keys() == {"dense", "lexical", "shortness"}


def read_shouted(text: str, path: str) -> Reading:
    """A toy of a reader."""
    return Reading((Document(path, "", (Block(text.upper().strip(), at_lines(1, 1)),)),))


def test_a_format_is_a_reader_and_a_line(
    plant: Plant, update: Update, index_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "rerank_cli.corpus.read.shout", SimpleNamespace(read=read_shouted))
    monkeypatch.setitem(FORMATS, ".shout", Format("shout", 1, "shout"))
    plant({"a.shout": "brake lever\n"})
    update()
    with open_reader(index_folder) as index:
        assert [stored.passage.text for stored in index.scan()] == ["BRAKE LEVER"]
        assert index.files()["a.shout"].reader == "shout 1"


def test_a_command_is_a_module_and_a_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    greet = SimpleNamespace(run=lambda: print("good day"))
    monkeypatch.setitem(sys.modules, "rerank_cli.cli.greet", greet)  # type: ignore[arg-type]
    monkeypatch.setitem(COMMANDS, "greet", "Say good day.")
    assert program._run(["greet"]) is None
    assert capsys.readouterr().out == "good day\n"
    assert program._run(["--help"]) == 0
    assert "Say good day." in capsys.readouterr().out
