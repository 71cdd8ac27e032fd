"""`rerank`: what comes through a pipe goes out as it came, the best first. `similar`: what is like a passage."""

from __future__ import annotations

import io
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Cli, assert_one_line, write_files
from tests.fakes import FakeEncoder, FakeReranker


@pytest.fixture(autouse=True)
def asked(monkeypatch: pytest.MonkeyPatch) -> FakeReranker:
    """The reranker, which knows what it was asked."""
    reranker = FakeReranker()
    monkeypatch.setattr("rerank_cli.models.loading.open_encoder", lambda *_, **__: FakeEncoder())
    monkeypatch.setattr("rerank_cli.models.loading.open_reranker", lambda *_, **__: reranker)
    return reranker


LINES = "feed the hens\nshut the gas valve\n\na gas bill\nvalve\n"


def test_lines_come_out_best_first_and_equal_ones_as_they_came(cli: Cli) -> None:
    outcome = cli("rerank", "gas", "valve", stdin=LINES)
    assert outcome.code == 0
    assert outcome.out == "shut the gas valve\na gas bill\nvalve\nfeed the hens\n"


def test_fewer_and_better_ones_are_printed_where_that_is_asked_for(cli: Cli) -> None:
    assert cli("rerank", "gas valve", "-n", "1", stdin=LINES).lines == ["shut the gas valve"]
    assert cli("rerank", "gas valve", "--min-score", "0.9", stdin=LINES).lines == ["shut the gas valve"]
    nothing = cli("rerank", "gas valve", "--min-score", "0.99", stdin=LINES)
    assert (nothing.code, nothing.out) == (1, "")


def test_no_records_are_no_result(cli: Cli) -> None:
    outcome = cli("rerank", "gas", stdin="\n\n")
    assert (outcome.code, outcome.out) == (1, "")


def test_scores_stand_in_front(cli: Cli) -> None:
    assert cli("rerank", "gas valve", "--scores", "-n", "2", stdin=LINES).lines == [
        "0.9820\tshut the gas valve",
        "0.5000\ta gas bill",
    ]


@pytest.mark.parametrize(
    "lines",
    [
        ["src/a b.py:12:shut the gas valve", "src/valve.py:3:feed the hens", "gas/valve.md:44:nothing"],
        ["a.md:12:7:shut the gas valve", "valve.md:3:1:feed the hens"],
        ["a.md-11-feed the hens", "a.md:12:shut the gas valve", "--", "b.md-9-x:9:feed"],
        ["\x1b[35msrc/a.py\x1b[0m:\x1b[32m12\x1b[0m:shut the \x1b[31mgas\x1b[0m valve", "b.py:1:x"],
    ],
)
def test_of_a_match_of_grep_only_what_it_found_is_read(cli: Cli, asked: FakeReranker, lines: list[str]) -> None:
    outcome = cli("rerank", "gas valve", stdin="\n".join(lines) + "\n")
    best = next(line for line in lines if "shut the" in line)
    assert outcome.lines[0] == best
    assert sorted(outcome.lines) == sorted(line for line in lines if line != "--")
    read = [passage for _, passage in asked.pairs]
    assert "shut the gas valve" in read
    assert not any(".md" in text or ".py" in text or "\x1b" in text for text in read)


@pytest.mark.parametrize("line", ["see: a note", "12:30 lunch with gas", "http://a.b:80/gas", "- gas"])
def test_lines_that_are_no_matches_are_read_whole(cli: Cli, asked: FakeReranker, line: str) -> None:
    cli("rerank", "gas", stdin=f"{line}\na valve\n")
    assert {passage for _, passage in asked.pairs} == {line, "a valve"}


def test_json_keeps_all_its_fields_and_gets_two_more(cli: Cli) -> None:
    lines = ['{"b": [1, {"x": null}],"text": "hens", "a": "ü"}', '{"text":"gas valve","score":"mine"}']
    given = "\n".join(lines)
    assert cli("rerank", "gas valve", stdin=given).lines == [lines[1], lines[0]]
    scored = [json.loads(line) for line in cli("rerank", "gas valve", "--scores", stdin=given).lines]
    assert [list(record) for record in scored] == [["text", "score", "logit"], ["b", "text", "a", "score", "logit"]]
    assert scored[1] == {
        "b": [1, {"x": None}],
        "text": "hens",
        "a": "ü",
        "score": pytest.approx(0.018, abs=1e-3),
        "logit": -4,
    }


@pytest.mark.parametrize(
    ("line", "told"), [("no json", "not valid JSON"), ('{"title": 1}', "has no text"), ("[]", "object")]
)
def test_what_is_no_record_of_its_kind_is_told_with_its_number(cli: Cli, line: str, told: str) -> None:
    outcome = cli("rerank", "gas", "--input", "jsonl", stdin=f'{{"text": "gas"}}\n{line}\n')
    assert outcome.code == 2
    assert_one_line(outcome, "stdin:2: ", told)


def test_records_end_with_nul_where_that_is_asked_for(cli: Cli) -> None:
    assert cli("rerank", "-0", "gas valve", stdin="hens\nand\0gas\nvalve\0").out == "gas\nvalve\0hens\nand\0"


def test_bytes_come_out_as_they_came(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [b"gas valve \xff\xfe\r", b"\xe9t\xe9 gas", b"x" * 1_000_000]
    out = io.BytesIO()
    monkeypatch.setattr("rerank_cli.cli.reranking.sys.stdout", io.TextIOWrapper(out))
    assert cli("rerank", "gas valve", stdin=b"\n".join(lines)).code == 0
    assert out.getvalue() == b"\n".join(lines) + b"\n"


def test_equal_texts_are_read_once_and_little_of_a_long_one(cli: Cli, asked: FakeReranker) -> None:
    outcome = cli("rerank", "gas", stdin="a gas\n" * 5000 + "gas " * 100_000 + "\n")
    assert len(outcome.lines) == 5001
    assert [len(passage) for _, passage in asked.pairs] == [5, 20_000]


def test_a_terminal_pipes_nothing_in() -> None:
    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "rerank_cli", "rerank", "gas"]
    done = subprocess.run(command, stdin=follower, capture_output=True, timeout=60, check=False)
    os.close(leader)
    os.close(follower)
    assert done.returncode == 2
    assert b"nothing is piped in" in done.stderr


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return write_files(
        tmp_path,
        {
            "hens.md": "# Hens\n\nFeed the hens.\n",
            "long.md": "\n\n".join(f"# Part {n}\n\n{'Words of it. ' * 30}" for n in range(9))
            + "\n\n# Gas\n\nThe gas valve.\n",
            "table.csv": "id,text\n1,Feed the hens.\n2,The gas bill.\n",
        },
    )


def test_files_are_ordered_by_their_best_passages(files: Path, cli: Cli) -> None:
    outcome = cli("rerank", "--files", "gas valve", stdin="hens.md\ntable.csv\n./long.md\n")
    assert outcome.lines == ["./long.md", "table.csv", "hens.md"]
    scored = cli("rerank", "--files", "--scores", "gas valve", stdin="hens.md\nlong.md\n").lines
    assert scored == ["0.9820\tlong.md\tline 39", "0.0180\thens.md\tline 3"]


def test_files_that_cannot_be_read_are_told_and_left_out(files: Path, cli: Cli) -> None:
    (files / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0")
    (files / "empty.md").write_text("", encoding="utf-8")
    outcome = cli("rerank", "--files", "gas", stdin="picture.png\ngone.md\nhens.md\nempty.md\n.\n")
    assert outcome.lines == ["hens.md"]
    told = outcome.err.splitlines()
    assert [line.split(": ")[1] for line in told] == ["picture.png", "gone.md", "empty.md", "."]
    assert all(line.endswith("; it is left out") for line in told)


def test_names_of_files_and_a_kind_of_records_exclude_each_other(files: Path, cli: Cli) -> None:
    assert cli("rerank", "--files", "--input", "grep", "gas", stdin="hens.md\n").code == 2


# similar


@pytest.fixture
def notes(files: Path, cli: Cli) -> Path:
    (files / "valve.md").write_text("The gas valve is under the sink.\n", encoding="utf-8")
    assert cli("index", files, "--index", "notes").code == 0
    return files


def test_what_is_like_a_passage_is_found_and_its_own_document_is_not(notes: Path, cli: Cli) -> None:
    found = cli("similar", "long.md:39", "-f", "jsonl", "--index", "notes").out
    paths = [hit["path"] for hit in json.loads(found)["hits"]]
    assert paths[0] == "valve.md"
    assert "long.md" not in paths


def test_what_is_like_a_whole_file_is_found_from_anywhere(
    notes: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert cli("similar", notes / "valve.md", "-f", "paths", "-n", "1").lines == [str(notes / "long.md")]


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ("gone.md", "gone.md: is no file of the index"),
        ("../other.md", "../other.md: is no file of the index"),
        ("hens.md:99", "hens.md: has no text at 99"),
    ],
)
def test_a_place_that_is_not_there_is_told(notes: Path, cli: Cli, place: str, told: str) -> None:
    outcome = cli("similar", place)
    assert outcome.code == 2
    assert_one_line(outcome, told)
