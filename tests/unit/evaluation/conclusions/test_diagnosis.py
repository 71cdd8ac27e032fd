"""Each cause of a missed document is told from the others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rerank_cli.arrays import Vectors
from rerank_cli.evaluation.conclusions.diagnosis import Diagnosis, Miss
from rerank_cli.evaluation.evaluate import Request, Workplace, evaluate
from rerank_cli.evaluation.inputs.collection import Collection, JudgedQuery
from rerank_cli.ports import EVERYTHING, Filter, PairScores, Ranking
from rerank_cli.retrieval import retrieve
from rerank_cli.search import SearchSettings
from rerank_cli.store import open_reader
from rerank_cli.store.reader import IndexReader
from tests.conftest import Plant, Update
from tests.fakes import FakeEncoder, FakeReranker

FILES = {
    "target.md": "Oil the chain every week in winter.\n",
    "near.md": "Oil the chain oil the chain.\n",
    **{f"far{number}.md": f"Nothing of this matters, number {number} of many.\n" for number in range(8)},
}

VARIANT = SearchSettings(retriever="hybrid", top_k=10, fusion="none", fusion_weight=0.5, reranks=True, per_document=1)


@pytest.fixture
def diagnosed(plant: Plant, update: Update, index_folder: Path, encoder: FakeEncoder) -> Callable[..., Diagnosis]:
    plant(FILES)
    update()

    def run(
        relevant: list[str],
        *,
        query: str = "oil the chain",
        variant: SearchSettings = VARIANT,
        reranker: FakeReranker | None = None,
        top: int = 1,
        blind: str = "",
    ) -> Diagnosis:
        collection = Collection((JudgedQuery("q", query),), {"q": dict.fromkeys(relevant, 1)})
        request = Request(variant=variant, diagnoses=True, top=top)
        with open_reader(index_folder) as reader:
            index = ForgetfulIndex(reader, blind) if blind else reader
            workplace = Workplace(index, encoder, reranker or FakeReranker(), None, "cpu")  # type: ignore[arg-type]
            diagnosis = evaluate(collection, request, workplace).diagnosis
        assert diagnosis is not None
        return diagnosis

    return run


class ForgetfulIndex:
    """An index whose graph never finds one document; only an exact scan does."""

    def __init__(self, reader: IndexReader, document: str) -> None:
        self._reader = reader
        self._document = document

    def __getattr__(self, name: str) -> object:
        return getattr(self._reader, name)

    def search_dense(self, vector: Vectors, depth: int, *, within: Filter = EVERYTHING, exact: bool = False) -> Ranking:
        found = self._reader.search_dense(vector, depth, within=within, exact=exact)
        stored = self._reader.read([passage for passage, _ in found])
        return [row for row in found if exact or stored[row[0]].document_id != self._document]


class Backwards(FakeReranker):
    """Likes best what has the least to do with the query."""

    def score_pairs(self, query: str, passages: list[str]) -> PairScores:  # type: ignore[override]
        return PairScores(-super().score_pairs(query, passages).logits, truncated=0)


class Cutting(Backwards):
    """Reads no passage to its end."""

    def score_pairs(self, query: str, passages: list[str]) -> PairScores:  # type: ignore[override]
        return PairScores(super().score_pairs(query, passages).logits, truncated=len(passages))


def only(diagnosis: Diagnosis) -> Miss:
    ((miss,),) = (query.misses for query in diagnosis.queries)
    assert dict(diagnosis.counts) == {miss.cause: 1}
    return miss


def test_what_stands_at_the_top_is_not_missed(diagnosed: Callable[..., Diagnosis]) -> None:
    diagnosis = diagnosed(["target.md", "near.md"], top=2)
    assert (diagnosis.queries, dict(diagnosis.counts), diagnosis.relevant, diagnosis.top) == ((), {}, 2, 2)


def test_a_document_that_is_not_in_the_index(diagnosed: Callable[..., Diagnosis]) -> None:
    assert only(diagnosed(["gone.md", "near.md"])) == Miss("gone.md", 1, "not in the index")


def test_a_document_below_the_depth_has_its_exact_rank(diagnosed: Callable[..., Diagnosis]) -> None:
    miss = only(diagnosed(["target.md"], variant=replace(VARIANT, top_k=1)))
    assert (miss.cause, miss.place) == ("never a candidate", "would stand at rank 2")


def test_a_document_that_no_list_holds_is_told_so(diagnosed: Callable[..., Diagnosis]) -> None:
    miss = only(diagnosed(["far0.md"], variant=replace(VARIANT, retriever="lexical")))
    assert (miss.cause, miss.place) == ("never a candidate", "it has no word of the query")


def test_a_document_below_the_depth_of_the_lists_has_its_exact_fused_rank(
    diagnosed: Callable[..., Diagnosis], monkeypatch: pytest.MonkeyPatch, index_folder: Path, encoder: FakeEncoder
) -> None:
    query = "oil the chain of number 5"
    with open_reader(index_folder) as reader:
        whole = retrieve(reader, query, encoder=encoder, retriever="hybrid", top_k=10)
    assert len(whole) == 10
    monkeypatch.setattr("rerank_cli.evaluation.conclusions.diagnosis.LIST_DEPTH", 2)
    for candidate in whole[4:]:
        miss = only(diagnosed([candidate.stored.document_id], query=query, variant=replace(VARIANT, top_k=2)))
        assert miss.cause == "never a candidate"
        lists = f"dense rank {candidate.lists['dense'].rank}, lexical rank {candidate.lists['lexical'].rank}"
        assert miss.place == f"would stand at rank {candidate.rank} with both lists read to the end ({lists})"


def test_without_a_second_stage_nothing_is_blamed_on_it(diagnosed: Callable[..., Diagnosis]) -> None:
    miss = only(diagnosed(["target.md"], variant=replace(VARIANT, reranks=False)))
    assert (miss.cause, miss.reason) == ("ranked low", "ranked low, rank 2")


def test_a_document_that_the_graph_lost_is_found_by_the_exact_scan(diagnosed: Callable[..., Diagnosis]) -> None:
    variant = replace(VARIANT, retriever="dense", top_k=3)
    miss = only(diagnosed(["target.md"], variant=variant, blind="target.md"))
    assert (miss.cause, miss.place) == ("lost by the graph", "the exact scan has it at rank 2")


def test_a_document_that_the_reranker_put_down(diagnosed: Callable[..., Diagnosis]) -> None:
    miss = only(diagnosed(["near.md"], reranker=Backwards()))
    assert (miss.cause, miss.first_rank) == ("demoted", 1)
    assert miss.final_rank is not None and miss.final_rank > 1


def test_a_document_that_neither_stage_put_at_the_top(diagnosed: Callable[..., Diagnosis]) -> None:
    miss = only(diagnosed(["target.md"]))
    assert (miss.cause, miss.first_rank, miss.final_rank) == ("not promoted", 2, 2)


def test_a_passage_that_the_reranker_read_in_part(diagnosed: Callable[..., Diagnosis]) -> None:
    assert only(diagnosed(["near.md"], reranker=Cutting())).cause == "passage cut"


def test_causes_are_counted_the_commonest_first(diagnosed: Callable[..., Diagnosis]) -> None:
    diagnosis = diagnosed(["gone.md", "lost.md", "target.md"])
    assert list(diagnosis.counts.items()) == [("not in the index", 2), ("not promoted", 1)]
    assert np.isclose(sum(diagnosis.counts.values()), 3) and diagnosis.relevant == 3
