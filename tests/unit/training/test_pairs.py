from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from rerank_cli.errors import InputError
from rerank_cli.training.pairs import Pair, read_pairs


def write_pairs(path: Path, rows: Sequence[Mapping[str, object]]) -> Path:
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
    return path


def test_a_title_stands_in_front_of_its_passage(tmp_path: Path) -> None:
    row = {"query": "q", "positive": "p", "title": "T", "negatives": ["p", "T. p", "n"]}
    assert list(read_pairs(write_pairs(tmp_path / "a.jsonl.gz", [row]))) == [Pair("q", "T. p", ("n",))]


def test_a_plain_file_is_read_like_a_compressed_one(tmp_path: Path) -> None:
    row = {"query": "q", "positive": "p", "negatives": ["n", "m", "n", "p"]}
    (tmp_path / "a.jsonl").write_text(f"\ufeff{json.dumps(row)}\n\n", encoding="utf-8")
    assert list(read_pairs(tmp_path / "a.jsonl")) == list(read_pairs(write_pairs(tmp_path / "a.jsonl.gz", [row])))
    assert [pair.negatives for pair in read_pairs(tmp_path / "a.jsonl")] == [("n", "m")]


def test_a_teacher_s_scores_go_with_the_passages_that_they_are_of(tmp_path: Path) -> None:
    row = {"query": "q", "positive": "p", "negatives": ["n", "p", "m", "n"], "scores": [3, 1.5, 9, -2, 8]}
    (pair,) = read_pairs(write_pairs(tmp_path / "a.jsonl.gz", [row]))
    assert pair == Pair("q", "p", ("n", "m"), (3.0, 1.5, -2.0))


@pytest.mark.parametrize(
    "scores", ["3", [1], [1, 2, 3], [1, "2"], [1, None], [True, 1], [1, float("nan")], [1, float("inf")], [1, 10**400]]
)
def test_scores_that_are_not_one_number_a_passage_are_named(tmp_path: Path, scores: object) -> None:
    row = {"query": "q", "positive": "p", "negatives": ["n"], "scores": scores}
    with pytest.raises(InputError, match=r"gz:1: not a training pair \(its scores are not one number"):
        list(read_pairs(write_pairs(tmp_path / "a.jsonl.gz", [row])))


def test_scores_of_a_positive_alone_order_nothing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a training pair"):
        list(read_pairs(write_pairs(tmp_path / "a.jsonl.gz", [{"query": "q", "positive": "p", "scores": [1]}])))


@pytest.mark.parametrize(
    "line",
    [
        '{"query": "q"}',
        '{"query": "q", "positive": 3}',
        '{"query": " ", "positive": "p"}',
        '{"query": "q", "positive": "p", "negatives": "n"}',
        '{"query": "q", "positive": "p", "negatives": ["n", null]}',
    ],
)
def test_a_line_that_is_no_pair_is_named_by_file_and_number(tmp_path: Path, line: str) -> None:
    (tmp_path / "a.jsonl").write_text('{"query": "q", "positive": "p"}\n\n' + line + "\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"a\.jsonl:3: not a training pair") as caught:
        list(read_pairs(tmp_path / "a.jsonl"))
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("{", "not valid JSON"),
        ("[1]", "not a JSON object"),
        ('"a"', "not a JSON object"),
        ("[" * 100_000, "nested too"),
    ],
)
def test_a_line_that_is_no_json_object_is_told_with_how_to_write_a_pair(tmp_path: Path, line: str, wrong: str) -> None:
    (tmp_path / "a.jsonl").write_text(f"\n{line}\n", encoding="utf-8")
    with pytest.raises(InputError, match=rf"a\.jsonl:2: .*{wrong}") as caught:
        list(read_pairs(tmp_path / "a.jsonl"))
    assert caught.value.remedy.startswith('write {"query"')


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.jsonl: cannot be read \(No such file"):
        list(read_pairs(tmp_path / "none.jsonl"))
    (tmp_path / "a.jsonl.gz").write_bytes(b"no archive")
    with pytest.raises(InputError, match=r"a\.jsonl\.gz: cannot be read"):
        list(read_pairs(tmp_path / "a.jsonl.gz"))
    whole = write_pairs(tmp_path / "b.jsonl.gz", [{"query": "q", "positive": "p"}]).read_bytes()
    (tmp_path / "b.jsonl.gz").write_bytes(whole[:-9])
    with pytest.raises(InputError, match=r"b\.jsonl\.gz: cannot be read"):
        list(read_pairs(tmp_path / "b.jsonl.gz"))
    (tmp_path / "c.jsonl").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match=r"c\.jsonl: not UTF-8"):
        list(read_pairs(tmp_path / "c.jsonl"))
