from __future__ import annotations

import math
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rerank_cli.errors import ModelError
from rerank_cli.ports import PairScores
from rerank_cli.records import Candidate, Fusion, Passage, StoredPassage, at_lines
from rerank_cli.reranking import best_of_each_document, by_document, keep_order, order, reciprocal_rank
from tests.fakes import FakeReranker

LOGITS = st.lists(st.floats(-10, 10, width=32), max_size=30)
FUSIONS = st.sampled_from(get_args(Fusion))


def candidates(count: int) -> list[Candidate]:
    """In first-stage order, two of each document."""
    return [
        Candidate(
            StoredPassage(n, f"doc{n // 2}", f"doc{n // 2}", "", Passage(n % 2, at_lines(1, 1), (), f"text {n}")),
            rank=n + 1,
            score=1.0 / (n + 1),
        )
        for n in range(count)
    ]


def ordered(logits: list[float], fusion: Fusion, weight: float = 0.5):
    scores = PairScores(np.array(logits, dtype=np.float32), truncated=0)
    return order(candidates(len(logits)), scores, reranker=FakeReranker(), fusion=fusion, weight=weight)


@given(LOGITS, FUSIONS)
def test_reranking_permutes_and_never_adds(logits: list[float], fusion: Fusion) -> None:
    hits = ordered(logits, fusion)
    assert sorted(hit.candidate.rank for hit in hits) == list(range(1, len(logits) + 1))
    assert [hit.rank for hit in hits] == list(range(1, len(logits) + 1))


@given(LOGITS, FUSIONS)
def test_hits_stand_by_order_score_and_ties_keep_the_order_of_the_first_stage(
    logits: list[float], fusion: Fusion
) -> None:
    hits = ordered(logits, fusion)
    assert list(hits) == sorted(hits, key=lambda hit: (-hit.order_score, hit.candidate.rank))


@given(LOGITS, FUSIONS)
def test_each_hit_keeps_its_own_logit_and_the_models_score(logits: list[float], fusion: Fusion) -> None:
    for hit in ordered(logits, fusion):
        assert hit.logit == np.float32(logits[hit.candidate.rank - 1])
        assert hit.score == FakeReranker().activate(hit.logit)


class StrangeReranker(FakeReranker):
    """One that a caller brings, whose activation gives no number."""

    fingerprint = "strange"

    def activate(self, logit: float) -> float:
        return math.nan


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("fusion", get_args(Fusion))
def test_a_logit_that_is_no_number_orders_nothing(number: float, fusion: Fusion) -> None:
    with pytest.raises(ModelError, match="reranker fake-reranker gave a score that is not finite") as refused:
        ordered([1.0, number, 2.0], fusion)
    assert refused.value.exit_code == 4 and refused.value.remedy


@pytest.mark.parametrize("logits", [np.zeros(2), np.zeros(4), np.zeros((3, 1)), np.zeros((3, 2)), np.float32(1.0)])
def test_scores_that_are_not_one_for_each_passage_order_nothing(logits: np.ndarray) -> None:
    with pytest.raises(ModelError, match=r"reranker fake-reranker gave scores of the shape .* for 3 passages"):
        order(candidates(3), PairScores(logits, truncated=0), reranker=FakeReranker(), fusion="none", weight=0.5)


def test_an_activation_that_gives_no_number_is_an_error_with_the_rerankers_name() -> None:
    with pytest.raises(ModelError, match="reranker strange made a score that is not finite of the logit 2"):
        order(candidates(1), logits_of(2.0), reranker=StrangeReranker(), fusion="none", weight=0.5)


def test_without_fusion_the_logits_decide() -> None:
    hits = ordered([0.5, 3.0, -1.0, 0.5], "none")
    assert [hit.candidate.rank for hit in hits] == [2, 1, 4, 3]
    assert [hit.order_score for hit in hits] == [3.0, 0.5, 0.5, -1.0]


def test_linear_fusion_by_hand() -> None:
    found = [scored(1, 11.0), scored(2, 4.0)]
    hits = order(found, logits_of(1.0, 3.0), reranker=FakeReranker(), fusion="linear", weight=0.75)
    assert [(hit.candidate.rank, hit.order_score) for hit in hits] == [
        (1, 0.75 * 1.0 + 0.25 * 11.0),
        (2, 0.75 * 3.0 + 0.25 * 4.0),
    ]


def logits_of(*logits: float) -> PairScores:
    return PairScores(np.array(logits, dtype=np.float32), truncated=0)


def scored(rank: int, score: float, document: str = "") -> Candidate:
    name = document or f"doc{rank}"
    return Candidate(
        StoredPassage(rank, name, name, "", Passage(rank, at_lines(1, 1), (), f"text {rank}")), rank, score
    )


def test_the_weight_of_reciprocal_ranks_goes_from_the_first_stages_order_to_the_rerankers() -> None:
    logits = [0.5, 3.0, -1.0, 2.0]
    assert [hit.candidate.rank for hit in ordered(logits, "rrf", weight=0.0)] == [1, 2, 3, 4]
    assert [hit.candidate.rank for hit in ordered(logits, "rrf", weight=1.0)] == [2, 4, 1, 3]


@pytest.mark.parametrize(("weight", "expected"), [(0.0, [2, 1]), (1.0, [1, 2])])
def test_the_weight_of_scores_goes_from_the_first_stages_to_the_rerankers(weight: float, expected: list[int]) -> None:
    found = [scored(1, 10.0), scored(2, 12.0)]
    hits = order(found, logits_of(3.0, -1.0), reranker=FakeReranker(), fusion="linear", weight=weight)
    assert [hit.candidate.rank for hit in hits] == expected


def test_equal_scores_leave_a_linear_order_to_the_first_stage() -> None:
    found = [scored(rank, 1.0) for rank in (1, 2, 3)]
    hits = order(found, logits_of(2.0, 2.0, 2.0), reranker=FakeReranker(), fusion="linear", weight=0.5)
    assert [hit.candidate.rank for hit in hits] == [1, 2, 3]


def test_reciprocal_ranks_by_hand() -> None:
    assert (reciprocal_rank(1), reciprocal_rank(140)) == (1 / 61, 1 / 200)


def test_reciprocal_rank_fusion_by_hand() -> None:
    """The first and the last have 1/63 and 1/61 each and share the best place, which is that of the logit 2."""
    hits = ordered([0.0, 1.0, 2.0], "rrf")
    assert [(hit.candidate.rank, hit.order_score) for hit in hits] == [(1, 2.0), (3, 2.0), (2, 0.0)]
    assert {hit.candidate.rank: hit.reranker_rank for hit in hits} == {1: 3, 2: 2, 3: 1}


@given(LOGITS, st.floats(0, 1))
def test_fused_ranks_are_told_as_logits(logits: list[float], weight: float) -> None:
    assert {hit.order_score for hit in ordered(logits, "rrf", weight)} <= {float(np.float32(x)) for x in logits}


def test_without_the_second_stage_hits_keep_order_and_have_no_logit() -> None:
    hits = keep_order(candidates(4))
    assert [(hit.rank, hit.order_score) for hit in hits] == [(1, 1.0), (2, 1 / 2), (3, 1 / 3), (4, 1 / 4)]
    assert {(hit.logit, hit.score, hit.reranker_rank) for hit in hits} == {(None, None, None)}


def test_without_the_second_stage_the_score_decides_and_not_the_claim_to_be_a_candidate() -> None:
    found = [scored(1, 3.0, "a"), scored(2, 1.0, "b"), scored(3, 2.0, "a")]
    assert [(hit.candidate.rank, hit.rank) for hit in keep_order(found)] == [(1, 1), (3, 2), (2, 3)]


@pytest.mark.parametrize(("per_document", "ranks"), [(1, [1, 2, 3]), (2, [1, 2, 3, 4, 5, 6])])
def test_a_document_shows_its_best_hits_alone(per_document: int, ranks: list[int]) -> None:
    hits = best_of_each_document(ordered([3.0, 0.0, 2.0, 0.0, 1.0, 0.0], "none"), per_document=per_document)
    assert [hit.rank for hit in hits] == ranks
    assert [hit.candidate.stored.document_id for hit in hits[:3]] == ["doc0", "doc1", "doc2"]


def test_a_document_stands_by_its_evidence_by_hand() -> None:
    scores = {"a": [9.0, 8.0, 7.0, 6.0, 5.0], "b": [9.4], "c": [3.0, -20.0]}
    documents = by_document(keep_order([scored(0, value, name) for name, values in scores.items() for value in values]))
    assert [hit.candidate.stored.document_id for hit in documents] == ["a", "b", "c"]
    evidence = math.log(sum(math.exp(value) for value in (9, 8, 7, 6)))
    assert [(hit.support, hit.order_score) for hit in documents] == [
        (pytest.approx(evidence - 9), pytest.approx(evidence)),
        (0.0, 9.4),
        (pytest.approx(0.0, abs=1e-4), pytest.approx(3.0, abs=1e-4)),
    ]


def test_documents_of_one_passage_each_keep_the_order_of_their_passages() -> None:
    hits = keep_order([scored(rank, 1.0 / rank) for rank in range(1, 9)])
    assert by_document(hits) == hits


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.floats(-10, 10)), max_size=30))
def test_every_document_stands_once_in_the_order_of_its_evidence(rows: list[tuple[str, float]]) -> None:
    hits = keep_order([scored(rank, score, name) for rank, (name, score) in enumerate(rows, start=1)])
    documents = by_document(hits)
    assert sorted(hit.candidate.stored.document_id for hit in documents) == sorted({name for name, _ in rows})
    evidence = [hit.order_score for hit in documents]
    assert evidence == sorted(evidence, reverse=True)
    for hit in documents:
        own = [each for each in hits if each.candidate.stored.document_id == hit.candidate.stored.document_id]
        assert hit.candidate == own[0].candidate
        assert hit.support >= 0


def test_passages_stay_in_their_own_order_where_several_of_a_document_are_asked_for() -> None:
    hits = keep_order([scored(1, 3.0, "a"), scored(2, 2.9, "b"), scored(3, 2.8, "b"), scored(4, 0.0, "c")])
    assert [hit.rank for hit in best_of_each_document(hits, per_document=2)] == [1, 2, 3, 4]
    assert [hit.rank for hit in best_of_each_document(hits, per_document=1)] == [2, 1, 4]


def test_a_hidden_hit_leaves_a_gap_in_the_ranks() -> None:
    hits = best_of_each_document(ordered([3.0, 2.0, 1.0], "none"), per_document=1)
    assert [hit.rank for hit in hits] == [1, 3]
