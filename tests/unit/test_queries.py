"""Queries are read from every form that people have them in; bad lines are named."""

from __future__ import annotations

from pathlib import Path

import pytest

from rerank_cli.errors import InputError
from rerank_cli.queries import Query, read_queries

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
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"_id": "a", "text": "one", "kind": "x"}\n{"_id": 2, "text": "two"}\n', {"a": "one", "2": "two"}),
        ('\ufeff{"query_id": "a", "query": "one\u2028line"}\r\n\r\n', {"a": "one\u2028line"}),
        ('{"id": "a", "query": "one"}\n{"query-id": "b", "text": "two"}\n', {"a": "one", "b": "two"}),
        ('{"id": 17, "query_id": "a", "text": "one", "query": "in short"}\n', {"a": "one"}),
        ("a\tone word\r\n2\t two \n", {"a": "one word", "2": "two"}),
        ('a b\tone\ttwo\n{"_id": "c", "text": "three"}\n', {"a b": "one\ttwo", "c": "three"}),
        (TOPICS, {"301": "International Organized Crime", "302": "polio"}),
        (f"\ufeff\n{TOPICS.upper()}", {"301": "INTERNATIONAL ORGANIZED CRIME", "302": "POLIO"}),
        ('{"_id": "\\ud800a", "text": "one \\udfff"}\n', {"\ufffda": "one \ufffd"}),
    ],
)
def test_queries_are_read_in_every_form(tmp_path: Path, text: str, expected: dict[str, str]) -> None:
    queries = read_queries(written(tmp_path / "queries", text))
    assert {query.id: query.text for query in queries} == expected


def test_a_query_knows_the_line_that_it_came_from(tmp_path: Path) -> None:
    path = written(tmp_path / "q.tsv", "\n1\tone\n\n2\ttwo\n")
    assert read_queries(path) == (Query("1", "one", f"{path}:2: "), Query("2", "two", f"{path}:4: "))
    path = written(tmp_path / "topics", TOPICS)
    assert [query.origin for query in read_queries(path)] == [f"{path}:1: ", f"{path}:9: "]


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("a\tone\nno tab\n", ":2: not id<TAB>text"),
        ("a\tone\n\n\ta\n", ":3: not id<TAB>text"),
        ('{"_id": "a", "text": "x"}\n{"_id": "b"\n', ":2: not valid JSON"),
        ('{"_id": "a", "text": ' + "[" * 200_000 + "\n", ":1: not valid JSON (nested too deeply)"),
        ('{"_id": "a", "text": "x"}\n{"_id": "b", "text": " "}\n', ":2: not a query with _id and text"),
        ('{"_id": true, "text": "x"}\n', ":1: not a query with _id and text"),
        ('{"_id": null, "id": "a", "text": "x"}\n', ":1: not a query with _id and text"),
        ('{"_id": "a", "text": ["x"]}\n', ":1: not a query with _id and text"),
        ("a\tone\na\ttwo\n", ":2: the query 'a' stands twice"),
        ('1\tone\n{"_id": 1, "text": "two"}\n', ":2: the query '1' stands twice"),
        ("<top> <num> 1 <title> x </top>\n<top> <num> 1 <title> y </top>\n", ":2: the query '1' stands twice"),
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
    assert caught.value.remedy and "\n" not in f"{caught.value}{caught.value.remedy}"
