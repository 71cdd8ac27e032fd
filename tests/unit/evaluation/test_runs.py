"""TREC run files: read as trec_eval orders them, written so that everybody reads the same order."""

from __future__ import annotations

import gzip
from pathlib import Path

import ir_measures
import pytest

from rerank_cli.errors import InputError
from rerank_cli.evaluation.runs import (
    Ranked,
    read_run,
    run_lines,
    trec_id,
    trec_order,
    with_known_ids,
    write_run,
)


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_scores_decide_and_ranks_do_not(tmp_path: Path) -> None:
    run = read_run(written(tmp_path / "a.run", "1 Q0 low 1 0.5 x\n1 Q0 high 2 7 x\n\n2\tQ0\tonly\t1\t-1e3\tx\r\n"))
    assert run == {"1": Ranked(("high", "low")), "2": Ranked(("only",))}


def test_equal_scores_put_the_larger_id_first() -> None:
    assert trec_order({"a": 1.0, "c": 1.0, "b": 1.0, "é": 1.0}) == ("é", "c", "b", "a")


def test_scores_are_compared_in_32_bits() -> None:
    assert trec_order({"a": 1.0 + 1e-12, "b": 1.0}) == ("b", "a")
    assert trec_order({"a": 1e300, "b": 1e200, "c": 3.0}) == ("b", "a", "c")


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("1 Q0 a 1 0.5", ":2: 5 columns"),
        ("1 Q0 a 1 high x", ":2: the score 'high'"),
        ("1 Q0 a 1 nan x", ":2: the score is no number"),
        ("1 Q0 first 2 0.1 x", ":2: 'first' stands twice for the query '1'"),
    ],
)
def test_a_malformed_line_is_named_by_file_and_number(tmp_path: Path, line: str, wrong: str) -> None:
    path = written(tmp_path / "bad.run", f"1 Q0 first 1 0.5 x\n{line}\n")
    with pytest.raises(InputError) as caught:
        read_run(path)
    assert str(caught.value).startswith(f"{path}{wrong}")


def test_a_run_that_is_empty_missing_or_no_text_is_an_input_error(tmp_path: Path) -> None:
    (tmp_path / "bytes.run").write_bytes(b"1 Q0 \xff 1 1 x\n")
    (tmp_path / "packed.run.gz").write_bytes(gzip.compress(b"1 Q0 a 1 1 x\n"))
    for path, wrong in (
        (written(tmp_path / "empty.run", "\n"), "holds no run"),
        (tmp_path / "none.run", "cannot be read"),
        (tmp_path / "bytes.run", "not UTF-8 at byte 5"),
        (tmp_path / "packed.run.gz", "is compressed"),
    ):
        with pytest.raises(InputError, match=wrong):
            read_run(path)


def test_a_written_run_is_read_back_in_its_order_by_us_and_by_ir_measures(tmp_path: Path) -> None:
    run = {"q1": Ranked(("b", "a", "c")), "q2": Ranked(("c",))}
    write_run(tmp_path / "ours.run", run)
    assert read_run(tmp_path / "ours.run") == run
    rows = list(ir_measures.read_trec_run(str(tmp_path / "ours.run")))
    assert [row.doc_id for row in sorted(rows[:3], key=lambda row: -row.score)] == ["b", "a", "c"]


def test_ids_with_blanks_are_encoded_and_known_again(tmp_path: Path) -> None:
    run = {"my query": Ranked(("my notes.txt", "100%.md", "a\u2028b"))}
    write_run(tmp_path / "ours.run", run)
    raw = read_run(tmp_path / "ours.run")
    assert raw["my%20query"].documents[:2] == ("my%20notes.txt", "100%.md")
    assert with_known_ids(raw, queries=["my query"], documents=["my notes.txt", "100%.md", "a\u2028b"]) == run


def test_a_run_without_hits_has_no_lines() -> None:
    assert list(run_lines({"q": Ranked(())})) == []


def test_what_belongs_to_words_stays_as_it_is_and_bytes_that_are_no_text_are_encoded() -> None:
    assert trec_id("soft\u00adhyphen\u200d") == "soft\u00adhyphen\u200d"
    assert trec_id("a\udcffb") == "a%FFb"
