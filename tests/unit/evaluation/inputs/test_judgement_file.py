"""Judgements are kept as they are given."""

from __future__ import annotations

from pathlib import Path

import pytest

from rerank_cli.errors import InputError
from rerank_cli.evaluation.inputs.judgement_file import JudgementFile
from rerank_cli.trec import read_qrels


def test_judgements_are_kept_as_they_are_given(tmp_path: Path) -> None:
    judgements = JudgementFile(tmp_path / "qrels.tsv")
    judgements.keep("q1", "a b.md", 2)
    judgements.keep("q1", "c\td.md", 0)
    judgements.keep("q\t2", "e.md", 1)
    assert read_qrels(tmp_path / "qrels.tsv") == {"q1": {"a b.md": 2, "c%09d.md": 0}, "q%092": {"e.md": 1}}
    assert JudgementFile(tmp_path / "qrels.tsv").grades == judgements.grades


def test_a_file_with_a_header_alone_has_no_judgements_yet(tmp_path: Path) -> None:
    JudgementFile(tmp_path / "qrels.tsv")
    assert JudgementFile(tmp_path / "qrels.tsv").grades == {}


def test_a_folder_that_is_not_there_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be written"):
        JudgementFile(tmp_path / "none" / "qrels.tsv")


def test_judgements_are_taken_back_the_last_first(tmp_path: Path) -> None:
    (tmp_path / "qrels.tsv").write_text("q0\tz.md\t1\n")
    judgements = JudgementFile(tmp_path / "qrels.tsv")
    judgements.keep("q1", "a.md", 2)
    judgements.keep("q1", "b.md", 0)
    judgements.take_back()
    assert judgements.grades["q1"] == {"a.md": 2}
    judgements.take_back()
    assert (tmp_path / "qrels.tsv").read_text() == "q0\tz.md\t1\n"
    judgements.keep("q1", "a.md", 1)
    assert read_qrels(tmp_path / "qrels.tsv") == {"q0": {"z.md": 1}, "q1": {"a.md": 1}}


def test_what_another_wrote_meanwhile_is_not_taken_back(tmp_path: Path) -> None:
    judgements = JudgementFile(tmp_path / "qrels.tsv")
    judgements.keep("q1", "a.md", 2)
    with (tmp_path / "qrels.tsv").open("a") as file:
        file.write("q1\tb.md\t1\n")
    with pytest.raises(InputError, match="something else wrote"):
        judgements.take_back()
    assert read_qrels(tmp_path / "qrels.tsv") == {"q1": {"a.md": 2, "b.md": 1}}
