from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rerank_cli.config import Fusion
from rerank_cli.records import Candidate, PairScores, Passage, StoredPassage
from rerank_cli.reranking import best_of_each_document, keep_order, order
from tests.fakes import FakeReranker

LOGITS = st.lists(st.floats(-10, 10, width=32), max_size=30)
FUSIONS = st.sampled_from(get_args(Fusion))


def candidates(count: int) -> list[Candidate]:
    """In first-stage order, two of each document."""
    return [
        Candidate(
            StoredPassage(n, f"doc{n // 2}", f"doc{n // 2}", "", Passage(n % 2, 1, 1, (), f"text {n}")),
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


def test_without_fusion_the_logits_decide() -> None:
    hits = ordered([0.5, 3.0, -1.0, 0.5], "none")
    assert [hit.candidate.rank for hit in hits] == [2, 1, 4, 3]
    assert [hit.order_score for hit in hits] == [3.0, 0.5, 0.5, -1.0]


def scored_candidate(rank: int, *, cosine: float | None, bm25: float | None) -> Candidate:
    stored = StoredPassage(rank, f"doc{rank}", f"doc{rank}", "", Passage(0, 1, 1, (), f"text {rank}"))
    return Candidate(stored, rank=rank, score=1 / rank, dense_score=cosine, lexical_score=bm25)


def order_scores(found: list[Candidate], logits: list[float], *, weight: float = 0.5) -> dict[int, float]:
    scores = PairScores(np.array(logits, dtype=np.float32), truncated=0)
    hits = order(found, scores, reranker=FakeReranker(), fusion="linear", weight=weight)
    return {hit.candidate.rank: hit.order_score for hit in hits}


def test_linear_fusion_by_hand() -> None:
    found = [scored_candidate(1, cosine=0.5, bm25=6.0), scored_candidate(2, cosine=0.25, bm25=2.0)]
    # Of two BM25 scores the standard scores are 1 and -1.
    assert order_scores(found, [1.0, 3.0], weight=0.75) == {
        1: 0.75 * 1.0 + 0.25 * (20 * 0.5 + 1),
        2: 0.75 * 3.0 + 0.25 * (20 * 0.25 - 1),
    }


def test_a_candidate_that_the_dense_list_lacks_is_as_far_as_the_farthest_in_it() -> None:
    found = [scored_candidate(n, cosine=cosine, bm25=2.0) for n, cosine in enumerate((0.5, None, 0.25), start=1)]
    assert order_scores(found, [0.0, 0.0, 0.0]) == {1: 5.0, 2: 2.5, 3: 2.5}


def test_a_candidate_that_the_lexical_list_lacks_shares_no_word() -> None:
    found = [scored_candidate(1, cosine=0.5, bm25=4.0), scored_candidate(2, cosine=0.5, bm25=None)]
    assert order_scores(found, [0.0, 0.0]) == {1: 5.5, 2: 4.5}


@pytest.mark.parametrize(("lists", "order_of_two"), [({"cosine": 0.5}, [1, 2]), ({"bm25": 3.0}, [1, 2])])
def test_linear_fusion_of_one_list_alone(lists: dict[str, float], order_of_two: list[int]) -> None:
    """With one retriever the other list is empty, and adds the same to every candidate."""
    best = {"cosine": None, "bm25": None, **lists}
    worse = {name: value / 2 if value else None for name, value in best.items()}
    scores = order_scores([scored_candidate(1, **best), scored_candidate(2, **worse)], [1.0, 1.0])
    assert sorted(scores, key=lambda rank: -scores[rank]) == order_of_two


def test_the_weight_of_reciprocal_ranks_goes_from_the_first_stages_order_to_the_rerankers() -> None:
    logits = [0.5, 3.0, -1.0, 2.0]
    assert [hit.candidate.rank for hit in ordered(logits, "rrf", weight=0.0)] == [1, 2, 3, 4]
    assert [hit.candidate.rank for hit in ordered(logits, "rrf", weight=1.0)] == [2, 4, 1, 3]


def test_the_weight_of_scores_goes_from_the_first_stages_to_the_rerankers() -> None:
    found = [scored_candidate(1, cosine=0.5, bm25=None), scored_candidate(2, cosine=0.6, bm25=None)]
    assert order_scores(found, [3.0, -1.0], weight=0.0) == {1: 10.0, 2: 12.0}
    assert order_scores(found, [3.0, -1.0], weight=1.0) == {1: 3.0, 2: -1.0}


def test_equal_scores_leave_a_linear_order_to_the_first_stage() -> None:
    assert [hit.candidate.rank for hit in ordered([2.0, 2.0, 2.0], "linear")] == [1, 2, 3]


def test_reciprocal_rank_fusion_by_hand() -> None:
    hits = ordered([0.0, 1.0, 2.0], "rrf")
    assert {hit.candidate.rank: hit.order_score for hit in hits} == {
        1: 0.5 * (1 / 63) + 0.5 * (1 / 61),
        2: 0.5 * (1 / 62) + 0.5 * (1 / 62),
        3: 0.5 * (1 / 61) + 0.5 * (1 / 63),
    }
    assert [hit.candidate.rank for hit in hits] == [1, 3, 2]
    assert {hit.candidate.rank: hit.reranker_rank for hit in hits} == {1: 3, 2: 2, 3: 1}


def test_without_the_second_stage_hits_keep_order_and_have_no_logit() -> None:
    hits = keep_order(candidates(4))
    assert [(hit.rank, hit.order_score) for hit in hits] == [(1, 1.0), (2, 1 / 2), (3, 1 / 3), (4, 1 / 4)]
    assert {(hit.logit, hit.score, hit.reranker_rank) for hit in hits} == {(None, None, None)}


@pytest.mark.parametrize(("per_document", "ranks"), [(1, [1, 2, 3]), (2, [1, 2, 3, 4, 5, 6])])
def test_a_document_shows_its_best_hits_alone(per_document: int, ranks: list[int]) -> None:
    hits = best_of_each_document(ordered([3.0, 0.0, 2.0, 0.0, 1.0, 0.0], "none"), per_document=per_document)
    assert [hit.rank for hit in hits] == ranks
    assert [hit.candidate.stored.document_id for hit in hits[:3]] == ["doc0", "doc1", "doc2"]


def test_a_hidden_hit_leaves_a_gap_in_the_ranks() -> None:
    hits = best_of_each_document(ordered([3.0, 2.0, 1.0], "none"), per_document=1)
    assert [hit.rank for hit in hits] == [1, 3]
