"""Known items are drawn from what tells a document apart; pools are complete and blind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from rerank_cli.errors import InputError, UsageError
from rerank_cli.evaluation.assess import Workplace, with_indexed_ids
from rerank_cli.evaluation.cache import RememberingReranker
from rerank_cli.evaluation.collection import Collection, JudgedQuery
from rerank_cli.evaluation.judging import JudgementFile, pool, to_judge
from rerank_cli.evaluation.known_items import (
    KnownItem,
    check_outside,
    draw_known_items,
    write_known_items,
)
from rerank_cli.evaluation.trial import Pass
from rerank_cli.store import open_reader
from rerank_cli.store.reader import IndexReader
from rerank_cli.trec import read_qrels
from tests.conftest import Plant, Update
from tests.fakes import FakeEncoder
from tests.unit.evaluation.conftest import BASE

FILES = {
    "radiators.md": "# Heating\n\n## Cold at the top\n\nA radiator gathers air. Bleed it with the square key until "
    "water\ncomes out of the valve. Then close it. The house is warm again and everybody is glad of the heat.\n",
    "boiler.md": "# Heating\n\nThe boiler is in the cellar. It needs care.\n\n- Its expansion vessel goes flat after "
    "ten winters\n- It needs care\n\nThe house is warm again and everybody is glad of the heat.\n",
    "lone.md": "One sentence alone that is the whole passage of this file.\n",
}


@pytest.fixture
def library(plant: Plant, update: Update, index_folder: Path) -> Iterator[IndexReader]:
    plant(FILES)
    update(passage_tokens=120)
    with open_reader(index_folder) as reader:
        yield reader


def test_queries_are_telling_headings_and_distinctive_sentences(library: IndexReader) -> None:
    drawn = {item.document: item for seed in range(6) for item in draw_known_items(library, count=9, seed=seed)}
    assert set(drawn) == {"radiators.md", "boiler.md"}
    texts = {item.text for seed in range(6) for item in draw_known_items(library, count=9, seed=seed)}
    assert texts == {
        "Bleed it with the square key until water comes out of the valve.",
        "Its expansion vessel goes flat after ten winters",
        "Cold at the top",
    }, "and never the whole passage of lone.md"


def test_as_many_are_drawn_as_were_asked_for_the_same_each_time(library: IndexReader) -> None:
    assert len(draw_known_items(library, count=1, seed=1)) == 1
    assert draw_known_items(library, count=2, seed=1) == draw_known_items(library, count=2, seed=1)
    assert [item.id for item in draw_known_items(library, count=9, seed=1)] == ["known-001", "known-002"]


def test_documents_that_nothing_tells_apart_give_no_queries(plant: Plant, update: Update, index_folder: Path) -> None:
    plant({"a.md": "Too short.\n"})
    update()
    with open_reader(index_folder) as reader, pytest.raises(InputError, match="no heading or sentence"):
        draw_known_items(reader, count=5, seed=1)


def test_a_set_is_written_only_where_there_is_none(tmp_path: Path) -> None:
    items = [KnownItem("known-001", "cold radiator", "known-item heading", "a\nb.md")]
    write_known_items(tmp_path / "new", items)
    assert read_qrels(tmp_path / "new" / "qrels.tsv") == {"known-001": {"a%0Ab.md": 1}}
    with pytest.raises(UsageError, match="is there already"):
        write_known_items(tmp_path / "new", items)


def test_a_set_among_the_documents_is_refused_unless_it_is_hidden(
    library: IndexReader, docs: Path, tmp_path: Path
) -> None:
    check_outside(tmp_path / "outside", library)
    check_outside(docs / ".evaluation", library)
    with pytest.raises(UsageError, match="lies in the indexed folder"):
        check_outside(docs / "evaluation", library)


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


# Judging


@pytest.fixture
def passed(workplace: Workplace) -> Pass:
    assert workplace.reranker is not None
    reranker = RememberingReranker(workplace.reranker, cache=None, device="cpu")
    return Pass(workplace.index, encoder=FakeEncoder(), reranker=reranker, scored=["hybrid"], top_k=20)


def test_the_pool_holds_the_best_of_both_stages_once_in_no_telling_order(collection: Collection, passed: Pass) -> None:
    query = collection.queries[2]
    answer = passed.ask([query]).answers[0]
    staged = passed.stages(answer, replace(BASE, fusion="none"))
    firsts = passed.ranked(staged.first, per_document=1, budget_tokens=0).documents[:5]
    finals = passed.ranked(staged.final, per_document=1, budget_tokens=0).documents[:5]
    pooled = [each.stored.document_id for each in pool(query, staged, depth=5, seed=1)]
    assert set(pooled) == {*firsts, *finals} and len(pooled) == len(set(pooled))
    orders = {tuple(each.stored.document_id for each in pool(query, staged, depth=5, seed=seed)) for seed in range(9)}
    assert len(orders) > 5


def test_what_is_judged_already_is_not_shown_again(collection: Collection, passed: Pass, workplace: Workplace) -> None:
    queries = collection.queries[:2]
    show: Callable[..., list[tuple[str, str]]] = lambda grades: [  # noqa: E731
        (each.query.id, each.stored.document_id)
        for each in to_judge(queries, passed, BASE, index=workplace.index, grades=grades, depth=4, seed=1)
    ]
    everything = show({})
    query, document = everything[1]
    assert show({query: {document: 0}}) == [each for each in everything if each != (query, document)]


def test_judgements_are_kept_as_they_are_given(tmp_path: Path) -> None:
    judgements = JudgementFile(tmp_path / "qrels.tsv")
    judgements.keep("q1", "a b.md", 2)
    judgements.keep("q1", "c\td.md", 0)
    judgements.keep("q\t2", "e.md", 1)
    assert read_qrels(tmp_path / "qrels.tsv") == {"q1": {"a b.md": 2, "c%09d.md": 0}, "q%092": {"e.md": 1}}
    assert JudgementFile(tmp_path / "qrels.tsv").grades == judgements.grades


def test_a_file_with_a_header_alone_has_no_judgements_yet(tmp_path: Path) -> None:
    JudgementFile(tmp_path / "qrels.tsv")
    assert JudgementFile(tmp_path / "qrels.tsv").grades == {}


def test_a_folder_that_is_not_there_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be written"):
        JudgementFile(tmp_path / "none" / "qrels.tsv")
