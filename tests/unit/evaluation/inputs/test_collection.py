"""Queries and judgements are found and joined by their ids; only judged queries with a text are asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from rerank_cli.errors import InputError, UsageError
from rerank_cli.evaluation.inputs.collection import (
    Collection,
    JudgedQuery,
    find_files,
    qrels_in,
    queries_in,
    read_collection,
)


def written(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


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
