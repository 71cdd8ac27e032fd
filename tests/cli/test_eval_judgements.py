"""`eval init` and `eval judge`: a start without judgements, and judgements of one's own."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from rerank_cli.trec import trec_id
from tests.cli.conftest import LIBRARY, Cli, assert_one_line, write_files


@pytest.fixture
def asked(tmp_path: Path) -> Path:
    queries = '{"_id": "r1", "text": "cold radiator"}\n{"_id": "r2", "text": "boiler pressure"}\n'
    return write_files(tmp_path / "asked", {"queries.jsonl": queries})


def qrels_of(folder: Path) -> list[list[str]]:
    return [line.split("\t") for line in (folder / "qrels.tsv").read_text(encoding="utf-8").splitlines()[1:]]


def test_known_items_are_drawn_marked_and_can_be_evaluated(indexed: Path, cli: Cli, tmp_path: Path) -> None:
    outcome = cli("eval", "init", "--out", tmp_path / "set")
    assert outcome.code == 0 and "known-item queries use the documents' own words" in outcome.err
    rows = [json.loads(line) for line in (tmp_path / "set" / "queries.jsonl").read_text().splitlines()]
    assert rows and {row["kind"] for row in rows} <= {"known-item heading", "known-item sentence"}
    for row, (query, document, grade) in zip(rows, qrels_of(tmp_path / "set"), strict=True):
        assert (row["_id"], grade) == (query, "1")
        text = next(text for name, text in LIBRARY.items() if document in (name, trec_id(name)))
        assert " ".join(row["text"].split()) in " ".join(text.split())
    outcome = cli("eval", "--collection", tmp_path / "set")
    assert outcome.code == 0 and "not in the index" not in outcome.err


def test_known_items_are_never_written_over_or_into_the_documents(indexed: Path, cli: Cli, tmp_path: Path) -> None:
    inside = cli("eval", "init", "--out", "evaluation")
    assert inside.code == 2
    assert_one_line(inside, "evaluation: lies in the indexed folder")
    assert not (indexed / "evaluation").exists()
    write_files(tmp_path / "set", {"qrels.tsv": "mine\n"})
    there = cli("eval", "init", "--out", tmp_path / "set")
    assert there.code == 2
    assert_one_line(there, "qrels.tsv: is there already")
    assert (tmp_path / "set" / "qrels.tsv").read_text() == "mine\n"


def test_keys_become_grades_and_skipped_ones_are_asked_again(indexed: Path, cli: Cli, asked: Path) -> None:
    outcome = cli("eval", "judge", "--collection", asked, stdin="y n 3 s ? q")
    assert outcome.code == 0
    assert re.fullmatch(rf"{asked}/qrels.tsv: 3 judgements, 2 relevant, in \d+ s\n", outcome.out)
    judged = qrels_of(asked)
    assert [(query, grade) for query, _, grade in judged] == [("r1", "1"), ("r1", "0"), ("r1", "3")]
    cli("eval", "judge", "--collection", asked, stdin="y" * 100)
    everything = qrels_of(asked)
    assert everything[:3] == judged
    assert len({(query, document) for query, document, _ in everything}) == len(everything) == 12


def test_an_answer_is_taken_back_and_asked_again(indexed: Path, cli: Cli, asked: Path) -> None:
    outcome = cli("eval", "judge", "--collection", asked, stdin="u y s u u 2 q")
    assert "nothing was answered yet" in outcome.err
    assert re.fullmatch(rf"{asked}/qrels.tsv: 1 judgement, 1 relevant, in \d+ s\n", outcome.out)
    assert [grade for _, _, grade in qrels_of(asked)] == ["2"]
    places = re.findall(r"document (\d+) of 6 · query 1 of 2", outcome.err)
    assert places == ["1", "1", "2", "3", "2", "1", "2"]


def test_more_of_the_document_is_shown_on_request(indexed: Path, cli: Cli, asked: Path) -> None:
    once = cli("eval", "judge", "--collection", asked, stdin="s" * 99).err
    documents = once.split("document ")[1:]
    bread = next(number for number, shown in enumerate(documents) if "kitchen/bread.md" in shown)
    shown = cli("eval", "judge", "--collection", asked, stdin="s" * bread + "mmq").err
    assert "Feed the sourdough starter with rye flour every morning." in shown
    assert "Knead the dough" in shown and "that is the whole document" in shown


def test_going_on_is_told(indexed: Path, cli: Cli, asked: Path) -> None:
    assert "goes on behind" not in cli("eval", "judge", "--collection", asked, stdin="ynq").err
    again = cli("eval", "judge", "--collection", asked, stdin="q").err
    assert "qrels.tsv: goes on behind 2 judgements; these documents are not asked again\n" in again
    assert "document 3 of 6 · query 1 of 2" in again


def test_what_is_shown_is_blind_and_cannot_steer_the_terminal(indexed: Path, cli: Cli, asked: Path) -> None:
    shown = cli("eval", "judge", "--collection", asked, stdin="s" * 100).err
    assert "r1: cold radiator" in shown and "A radiator that is cold at the top holds air." in shown
    assert r"[b]odd\n\x1b[31m\u202e.md" in shown and "\x1b" not in shown and "\u202e" not in shown
    assert not re.search(r"rank|score|dense|lexical|stage", shown)
    again = cli("eval", "judge", "--collection", asked, stdin="s" * 100).err
    other = cli("eval", "judge", "--collection", asked, "--seed", "5", stdin="s" * 100).err
    assert again == shown != other


def test_each_answer_is_on_the_disk_before_the_next_question(indexed: Path, asked: Path) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "rerank_cli", "eval", "judge", "--collection", str(asked)]
    with subprocess.Popen(command, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stderr

        def until_asked() -> None:
            seen = b""
            while not seen.endswith(b"q quit]\n"):
                letter = running.stderr.read(1)  # type: ignore[union-attr]
                assert letter, seen
                seen += letter

        for number, key in enumerate((b"y", b"2"), start=1):
            until_asked()
            assert len(qrels_of(asked)) == number - 1
            os.write(ours, key)  # a single key: nobody presses Enter
        until_asked()
        os.write(ours, b"\x1b[5~\x1b[3~\x1bOPn")  # Page Up, Delete and F1 hold digits and letters
        until_asked()
        assert [grade for _, _, grade in qrels_of(asked)] == ["1", "2", "0"]
        os.write(ours, b"\x04")  # Ctrl-D
        assert running.wait(30) == 0
    os.close(ours)
    os.close(theirs)


def test_judgements_of_another_form_are_not_written_into(indexed: Path, cli: Cli, asked: Path) -> None:
    (asked / "qrels.tsv").write_text("r1 0 my 1\n")
    outcome = cli("eval", "judge", "--collection", asked, stdin="y")
    assert outcome.code == 2
    assert_one_line(outcome, "qrels.tsv: not query<TAB>document<TAB>grade", "--qrels")
    assert (asked / "qrels.tsv").read_text() == "r1 0 my 1\n"


def test_new_judgements_follow_on_a_last_line_without_an_end(indexed: Path, cli: Cli, asked: Path) -> None:
    (asked / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\nr1\tmy notes.txt\t0")
    cli("eval", "judge", "--collection", asked, stdin="yq")
    assert [len(row) for row in qrels_of(asked)] == [3, 3]
    assert qrels_of(asked)[0] == ["r1", "my notes.txt", "0"]
