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


def test_query_ids_with_blanks_may_be_encoded_in_the_judgements(tmp_path: Path) -> None:
    queries = written(tmp_path / "queries.tsv", "my query\tone\nb%20c\ttwo\n")
    qrels = written(tmp_path / "qrels.txt", "my%20query 0 x 1\nb%20c 0 y 1\n")
    collection = read_collection(queries, qrels)
    assert collection.qrels == {"my query": {"x": 1}, "b%20c": {"y": 1}}
    assert (collection.unjudged, collection.textless) == ((), ())
