"""Judged documents are known by the ids that the index has for them."""

from __future__ import annotations

from pathlib import Path

from rerank_cli.evaluation.inputs.collection import Collection, JudgedQuery
from rerank_cli.evaluation.inputs.indexed_ids import with_indexed_ids
from rerank_cli.store import open_reader
from tests.conftest import Plant, Update


def test_encoded_ids_are_the_indexs_own_again(plant: Plant, update: Update, index_folder: Path) -> None:
    plant({"a b.md": "One.\n", "c%20d.md": "Two.\n", "e\nf.md": "Three.\n"})
    update()
    qrels = {"q": {"a%20b.md": 1, "c%20d.md": 1, "e%0Af.md": 2, "gone": 1}}
    with open_reader(index_folder) as reader:
        mapped = with_indexed_ids(Collection((JudgedQuery("q", "x"),), qrels), reader)
    assert mapped.qrels == {"q": {"a b.md": 1, "c%20d.md": 1, "e\nf.md": 2, "gone": 1}}


def test_records_are_known_by_their_own_ids_where_no_two_share_one(
    plant: Plant, update: Update, index_folder: Path, docs: Path
) -> None:
    record = '{{"_id": "{0}", "text": "Text of {0} in {1}."}}\n'.format
    plant(
        {
            "corpus.jsonl": record("7", "corpus") + record("8", "corpus") + record("a#b", "corpus"),
            "more.jsonl": record("8", "more"),
            "queries.jsonl": record("7", "queries"),
            "c#9": "A file of its own.\n",
        }
    )
    update()
    qrels = {"q": {"7": 2, "8": 1, "a#b": 1, "9": 1, "more.jsonl#8": 1}}
    with open_reader(index_folder) as reader:
        mapped = with_indexed_ids(Collection((JudgedQuery("q", "x"),), qrels), reader, files=[docs / "queries.jsonl"])
    assert mapped.qrels == {"q": {"corpus.jsonl#7": 2, "8": 1, "corpus.jsonl#a#b": 1, "9": 1, "more.jsonl#8": 1}}
    assert mapped.spellings == {"corpus.jsonl#7": "7", "corpus.jsonl#a#b": "a#b"}
