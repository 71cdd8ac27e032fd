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


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[1]",
        '"text"',
        '{"query": "q"}',
        '{"query": "q", "positive": 3}',
        '{"query": " ", "positive": "p"}',
        '{"query": "q", "positive": "p", "negatives": "n"}',
        '{"query": "q", "positive": "p", "negatives": ["n", null]}',
        "[" * 100_000,
    ],
)
def test_a_line_that_is_no_pair_is_named_by_file_and_number(tmp_path: Path, line: str) -> None:
    (tmp_path / "a.jsonl").write_text('{"query": "q", "positive": "p"}\n\n' + line + "\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"a\.jsonl:3: not a training pair") as caught:
        list(read_pairs(tmp_path / "a.jsonl"))
    assert caught.value.remedy


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
