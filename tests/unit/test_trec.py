"""Runs are read as trec_eval orders them; judgements in every form that people have them in; bad lines are named."""

from __future__ import annotations

import gzip
import itertools
from pathlib import Path

import ir_measures
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rerank_cli.errors import InputError
from rerank_cli.trec import (
    QRELS_HEADER,
    float32,
    qrels_line,
    read_qrels,
    read_scores,
    run_lines,
    trec_id,
    trec_order,
    tsv_id,
)


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


# Runs


def test_a_run_is_read_with_blanks_or_tabs_between_its_columns(tmp_path: Path) -> None:
    path = written(tmp_path / "a.run", "1 Q0 low 1 0.5 x\n1  Q0 high 2 7 x\n\n2\tQ0\tonly\t1\t-1e3\tx\r\n")
    assert read_scores(path) == {"1": {"low": 0.5, "high": 7.0}, "2": {"only": -1000.0}}


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
        read_scores(path)
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
            read_scores(path)


def test_equal_scores_become_the_next_smaller_32_bit_numbers_so_that_none_tie() -> None:
    scores = [float(line.split(" ")[4]) for line in run_lines("q", [(name, 0.1) for name in "abc"])]
    assert scores[0] == float32(0.1)
    assert np.float32(scores[0]) > np.float32(scores[1]) > np.float32(scores[2])


@given(
    scores=st.lists(st.floats(-1e30, 1e30), min_size=1, max_size=20).map(lambda scores: sorted(scores, reverse=True))
)
def test_a_run_is_ordered_by_trec_eval_as_it_was_handed_over(scores: list[float]) -> None:
    names = [f"d{number}" for number in range(len(scores))]
    lines = list(run_lines("a q", zip(names, scores, strict=True)))
    assert [line.split(" ")[:4] for line in lines] == [
        ["a%20q", "Q0", name, str(rank)] for rank, name in enumerate(names, start=1)
    ]
    rows = list(ir_measures.read_trec_run("".join(lines)))
    assert all(above.score > below.score for above, below in itertools.pairwise(rows))
    assert list(trec_order({row.doc_id: row.score for row in rows})) == names


def test_a_run_without_hits_has_no_lines() -> None:
    assert list(run_lines("q", [])) == []


# Judgements


@pytest.mark.parametrize(
    "text",
    [
        "query-id\tcorpus-id\tscore\nq\ta b\t2\nq\tc\t0\n",
        "q\ta b\t2\r\nq\tc\t0\r\n",
        "q\t0\ta b\t2\nq\tQ0\tc\t0\n",
        "query id\tdocument\tgrade\nq\ta b\t2\nq\tc\t0\n",
        "topic\titer\tdocno\trel\nq\t0\ta b\t2\nq\t0\tc\t0\n",
        '{"query_id": "q", "doc_id": "a b", "relevance": 2}\n{"query-id": "q", "corpus-id": "c", "score": 0}\n',
    ],
)
def test_judgements_are_read_in_every_form(tmp_path: Path, text: str) -> None:
    assert read_qrels(written(tmp_path / "qrels", text)) == {"q": {"a b": 2, "c": 0}}


def test_trec_qrels_are_read_with_blanks_between_columns(tmp_path: Path) -> None:
    path = written(tmp_path / "qrels.txt", "19335 0  1017759 3\n19335 0 7 -1\n19335 Q0 8 1.0\n19335 0 7 -1\n")
    assert read_qrels(path) == {"19335": {"1017759": 3, "7": -1, "8": 1}}


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("q a 1\nq b\n", ":2: 2 columns where a judgement has 3 or 4"),
        ("q\ta\t1\nq\tb\thigh\n", ":2: the grade 'high' is no whole number"),
        ("q\ta\t0.5\n", ":1: the grade '0.5' is no whole number"),
        ("q\ta\t1\nq\t\t1\n", ":2: not a judgement with a query and a document"),
        ("q\ta\t1\nq\ta\t2\n", ":2: 'a' has the grades 1 and 2 for 'q'"),
        ('{"query_id": "q", "doc_id": "a"}\n', ":1: the grade ''"),
        ('{"query_id": "q", "doc_id": "a", "relevance": 1\n', ":1: not valid JSON"),
        ('{"query_id": "q", "relevance": 1}\n', ":1: not a judgement"),
        ("query-id\tcorpus-id\tscore\n", ": holds no judgement"),
        ("q\ta\t1\nq\tb\t1001\n", ":2: the grade '1001' is no whole number from -1000 to 1000"),
        ('{"query_id": "q", "doc_id": "a", "relevance": true}\n', ":1: the grade 'True'"),
    ],
)
def test_a_malformed_judgement_is_named_by_file_and_line(tmp_path: Path, text: str, wrong: str) -> None:
    path = written(tmp_path / "qrels", text)
    with pytest.raises(InputError) as caught:
        read_qrels(path)
    assert str(caught.value).startswith(f"{path}{wrong}")


def test_a_first_line_with_a_wrong_grade_is_no_header(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=":1: the grade 'hihg'"):
        read_qrels(written(tmp_path / "qrels", "q\ta\thihg\nq\tb\t1\n"))


def test_a_judgement_is_read_back_as_it_was_written_but_for_what_would_break_its_line(tmp_path: Path) -> None:
    lines = qrels_line("my query", "a b.md", 2) + qrels_line("tab\there", "c\nd", 0)
    assert read_qrels(written(tmp_path / "qrels.tsv", QRELS_HEADER + lines)) == {
        "my query": {"a b.md": 2},
        "tab%09here": {"c%0Ad": 0},
    }


# Ids


def test_what_belongs_to_words_stays_as_it_is_and_bytes_that_are_no_text_are_encoded() -> None:
    assert trec_id("soft\u00adhyphen\u200d") == "soft\u00adhyphen\u200d"
    assert trec_id("a\udcffb") == "a%FFb"


def test_a_column_between_tabs_may_hold_blanks_but_no_tab() -> None:
    assert (tsv_id("a b"), tsv_id("a\tb c")) == ("a b", "a%09b%20c")
