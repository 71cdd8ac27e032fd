from __future__ import annotations

import math
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rerank_cli.ports import PairScores
from rerank_cli.records import Candidate, Fusion, Passage, StoredPassage, at_lines
from rerank_cli.reranking import best_of_each_document, order
from rerank_cli.stopping import LEAST, STEP, can_hardly_enter, read_candidates
from tests.fakes import FakeReranker

RERANKER = FakeReranker()
FALLING = [10 - place / 10 for place in range(100)]


def candidates(first: list[float]) -> list[Candidate]:
    """One of each document, with these scores of the first stage."""
    return [
        Candidate(
            StoredPassage(n, f"doc{n}", f"doc{n}", "", Passage(0, at_lines(1, 1), (), f"text {n}")),
            rank=n + 1,
            score=score,
        )
        for n, score in enumerate(first)
    ]


def noisy(first: list[float], *, slope: float, spread: float) -> list[float]:
    """Logits around a line through *first*, the same at every call."""
    rng = np.random.default_rng(7)
    return [slope * score + spread * float(rng.standard_normal()) for score in first]


def read_of(
    first: list[float],
    logits: list[float],
    *,
    enough_for: int | None,
    fusion: Fusion = "linear",
    weight: float = 0.65,
    deadline: float = math.inf,
) -> tuple[int, bool, list[int]]:
    """How many are read, whether time ran out, and the size of each batch."""
    batches: list[int] = []

    def read(start: int, end: int) -> PairScores:
        batches.append(end - start)
        return PairScores(np.array(logits[start:end], dtype=np.float32), truncated=0)

    scores, ran_out = read_candidates(
        candidates(first),
        read,
        reranker=RERANKER,
        fusion=fusion,
        weight=weight,
        per_document=1,
        enough_for=enough_for,
        deadline=deadline,
    )
    return len(scores.logits), ran_out, batches


def test_reading_stops_where_the_rest_falls_far_below_what_is_shown() -> None:
    logits = noisy(FALLING, slope=1.0, spread=0.3)
    depth, ran_out, batches = read_of(FALLING, logits, enough_for=5)
    assert (depth, ran_out, batches) == (LEAST, False, [LEAST])
    whole = read_of(FALLING, logits, enough_for=None)
    assert whole == (100, False, [100])


def test_the_more_hits_are_shown_the_further_it_reads() -> None:
    logits = noisy(FALLING, slope=1.0, spread=0.8)
    depths = [read_of(FALLING, logits, enough_for=top_n)[0] for top_n in (1, 10, 20, 40, 80)]
    assert depths == sorted(depths)
    assert depths[0] == LEAST
    assert depths[-1] >= 80


def test_all_is_read_where_the_first_stage_does_not_say_what_the_reranker_will() -> None:
    level = [5.0] * 100
    assert read_of(level, noisy(level, slope=0.0, spread=2.0), enough_for=10)[0] == 100


def test_a_reranker_that_contradicts_the_first_stage_is_not_believed_to_do_so_ever_more() -> None:
    rising = [-score for score in FALLING]
    depth, _, _ = read_of(FALLING, rising, enough_for=10, fusion="none")
    assert depth == 100


def test_between_two_looks_so_many_are_read() -> None:
    logits = noisy(FALLING, slope=0.5, spread=1.5)
    depth, _, batches = read_of(FALLING, logits, enough_for=10)
    assert batches[0] == LEAST
    assert set(batches[1:-1]) <= {STEP}
    assert sum(batches) == depth


def test_where_all_are_shown_all_are_read_at_once() -> None:
    logits = noisy(FALLING, slope=1.0, spread=0.3)
    assert read_of(FALLING, logits, enough_for=100) == (100, False, [100])


def test_an_order_of_ranks_needs_them_all() -> None:
    logits = noisy(FALLING, slope=1.0, spread=0.3)
    assert read_of(FALLING, logits, enough_for=1, fusion="rrf")[0] == 100


@pytest.mark.parametrize("fusion", ["linear", "none"])
@given(spread=st.floats(0.01, 3.0), slope=st.floats(0.0, 2.0), top_n=st.integers(1, 20))
def test_what_lies_within_the_bound_changes_no_shown_hit(
    fusion: Fusion, spread: float, slope: float, top_n: int
) -> None:
    """Uniform noise stays within two of its standard deviations, so three never lose a hit."""
    rng = np.random.default_rng(3)
    logits = [slope * score + spread * float(rng.uniform(-1, 1)) for score in FALLING]
    depth, _, _ = read_of(FALLING, logits, enough_for=top_n, fusion=fusion)

    def shown(count: int) -> list[str]:
        scores = PairScores(np.array(logits[:count], dtype=np.float32), truncated=0)
        hits = order(candidates(FALLING)[:count], scores, reranker=RERANKER, fusion=fusion, weight=0.65)
        return [hit.candidate.stored.document_id for hit in best_of_each_document(hits, per_document=1)][:top_n]

    assert shown(depth) == shown(100)


def test_too_few_documents_are_never_enough() -> None:
    one_document = [
        Candidate(
            StoredPassage(n, "doc", "doc", "", Passage(n, at_lines(1, 1), (), f"text {n}")), rank=n + 1, score=score
        )
        for n, score in enumerate(FALLING)
    ]
    scores = PairScores(np.array(FALLING[:50], dtype=np.float32), truncated=0)
    kept = {"reranker": RERANKER, "fusion": "linear", "weight": 0.65, "per_document": 1}
    assert not can_hardly_enter(one_document, scores, top_n=2, **kept)
    assert can_hardly_enter(one_document, scores, top_n=1, **kept)


def test_what_is_recalled_does_not_teach_how_long_a_candidate_takes() -> None:
    def read(start: int, end: int) -> PairScores:
        batches.append(end - start)
        recalled = max(0, min(end, 40) - start)
        time.sleep(0.02 * (end - start - recalled))
        return PairScores(np.zeros(end - start, dtype=np.float32), truncated=0, recalled=recalled)

    batches: list[int] = []
    begun = time.perf_counter()
    scores, ran_out = read_candidates(
        candidates(FALLING),
        read,
        reranker=RERANKER,
        fusion="linear",
        weight=0.65,
        per_document=1,
        deadline=begun + 0.5,
    )
    assert ran_out and 48 <= len(scores.logits) < 70
    assert scores.recalled == 40
    assert time.perf_counter() - begun < 0.75


def test_time_that_ran_out_is_told_from_enough() -> None:
    logits = noisy(FALLING, slope=1.0, spread=0.3)
    late = time.perf_counter() - 1.0
    depth, ran_out, _ = read_of(FALLING, logits, enough_for=5, deadline=late)
    assert depth < LEAST
    assert ran_out
    far = time.perf_counter() + 1e6
    depth, ran_out, _ = read_of(FALLING, logits, enough_for=5, deadline=far)
    assert LEAST <= depth < 100
    assert not ran_out
