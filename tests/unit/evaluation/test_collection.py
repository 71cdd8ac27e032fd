"""Queries and judgements are read from every form that people have them in; bad lines are named."""

from __future__ import annotations

from pathlib import Path

import pytest

from rerank_cli.errors import InputError, UsageError
from rerank_cli.evaluation.collection import (
    Collection,
    JudgedQuery,
    find_files,
    qrels_in,
    queries_in,
    read_collection,
    read_qrels,
    read_queries,
)

TOPICS = """<top>
<num> Number: 301
<title> International Organized
 Crime
<desc> Description:
Identify organizations.
</top>

<top> <num> 302 </num> <title> polio </title> </top>
"""


def written(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"_id": "a", "text": "one", "kind": "x"}\n{"_id": 2, "text": "two"}\n', {"a": "one", "2": "two"}),
        ('\ufeff{"query_id": "a", "query": "one\u2028line"}\r\n\r\n', {"a": "one\u2028line"}),
        ("a\tone word\r\n2\ttwo\n", {"a": "one word", "2": "two"}),
        (TOPICS, {"301": "International Organized Crime", "302": "polio"}),
    ],
)
def test_queries_are_read_in_every_form(tmp_path: Path, text: str, expected: dict[str, str]) -> None:
    assert read_queries(written(tmp_path / "queries", text)) == expected


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("a\tone\nno tab\n", ":2: not id<TAB>text"),
        ("a\tone\n\n\ta\n", ":3: not id<TAB>text"),
        ('{"_id": "a", "text": "x"}\n{"_id": "b"\n', ":2: not valid JSON"),
        ('{"_id": "a", "text": "x"}\n{"_id": "b", "text": " "}\n', ":2: not a query with _id and text"),
        ('{"_id": true, "text": "x"}\n', ":1: not a query with _id and text"),
        ("a\tone\na\ttwo\n", ":2: the query 'a' stands twice"),
        ("\n", ": holds no query"),
        ("<top>\n<num> 1 <title> x\n<top>\n", ":3: the <top> of line 1 is still open"),
        ("<top> <num> 1 <title> x </top>\nstray\n", ":2: stands outside a <top>"),
        ("<top>\n<num> 1\n</top>\n", ":1: a topic without <num> or <title>"),
        ("<top>\n<num> 1 <title> x\n", ":1: this <top> is not closed"),
    ],
)
def test_a_malformed_query_is_named_by_file_and_line(tmp_path: Path, text: str, wrong: str) -> None:
    path = written(tmp_path / "queries", text)
    with pytest.raises(InputError) as caught:
        read_queries(path)
    assert str(caught.value).startswith(f"{path}{wrong}")


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


def test_only_judged_queries_with_a_text_are_asked_and_the_others_are_told(tmp_path: Path) -> None:
    queries = written(tmp_path / "queries.tsv", "b\ttwo\na\tone\nc\tthree\n")
    qrels = written(tmp_path / "qrels.tsv", "a\tx\t1\nb\ty\t0\nz\tx\t1\n")
    collection = read_collection(queries, qrels)
    assert collection.queries == (JudgedQuery("b", "two"), JudgedQuery("a", "one"))
    assert list(collection.qrels) == ["b", "a"]
    assert (collection.unjudged, collection.textless) == (("c",), ("z",))


def test_judgements_of_other_queries_are_an_input_error(tmp_path: Path) -> None:
    queries, qrels = written(tmp_path / "q", "1\tone\n"), written(tmp_path / "r", "2\tx\t1\n")
    with pytest.raises(InputError, match="judges none of the queries"):
        read_collection(queries, qrels)


def test_a_beir_folder_is_found_with_its_test_judgements_before_others(tmp_path: Path) -> None:
    assert find_files(tmp_path) == (None, None)
    written(tmp_path / "queries.jsonl", "x")
    written(tmp_path / "qrels.tsv", "x")
    assert (queries_in(tmp_path), qrels_in(tmp_path)) == (tmp_path / "queries.jsonl", tmp_path / "qrels.tsv")
    written(tmp_path / "qrels" / "test.tsv", "x")
    assert qrels_in(tmp_path) == tmp_path / "qrels" / "test.tsv"


def test_a_folder_without_a_collection_is_a_usage_error(tmp_path: Path) -> None:
    for find, flag in ((queries_in, "--queries"), (qrels_in, "--qrels")):
        with pytest.raises(UsageError) as caught:
            find(tmp_path)
        assert flag in caught.value.remedy


def test_the_fingerprint_changes_with_texts_and_grades_alone() -> None:
    base = Collection((JudgedQuery("a", "one"),), {"a": {"x": 1, "y": 0}})
    same = Collection((JudgedQuery("a", "one"),), {"a": {"y": 0, "x": 1}}, unjudged=("b",))
    assert base.fingerprint == same.fingerprint
    for other in (
        Collection((JudgedQuery("a", "two"),), base.qrels),
        Collection(base.queries, {"a": {"x": 2, "y": 0}}),
    ):
        assert other.fingerprint != base.fingerprint


def test_a_first_line_with_a_wrong_grade_is_no_header(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=":1: the grade 'hihg'"):
        read_qrels(written(tmp_path / "qrels", "q\ta\thihg\nq\tb\t1\n"))


def test_query_ids_with_blanks_may_be_encoded_in_the_judgements(tmp_path: Path) -> None:
    queries = written(tmp_path / "queries.tsv", "my query\tone\nb%20c\ttwo\n")
    qrels = written(tmp_path / "qrels.txt", "my%20query 0 x 1\nb%20c 0 y 1\n")
    collection = read_collection(queries, qrels)
    assert collection.qrels == {"my query": {"x": 1}, "b%20c": {"y": 1}}
    assert (collection.unjudged, collection.textless) == ((), ())
