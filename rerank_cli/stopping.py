"""How many candidates are read: all, as many as there is time for, or until the rest can hardly reach what is shown."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from rerank_cli.pacing import FIRST_BATCH, paced
from rerank_cli.ports import PairScores, Reranker
from rerank_cli.records import Candidate, Fusion
from rerank_cli.reranking import best_of_each_document, joined, order

LEAST = 32
"""Candidates that are read before it is asked whether they are enough. Fewer do not tell how the reranker scores."""

STEP = 16
"""Candidates that are read before it is asked again."""

DEVIATIONS = 3.0
"""So many standard deviations above what is expected of it the best of the rest may score."""


def read_candidates(
    candidates: Sequence[Candidate],
    read: Callable[[int, int], PairScores],
    *,
    reranker: Reranker,
    fusion: Fusion,
    weight: float,
    per_document: int,
    enough_for: int | None = None,
    deadline: float = math.inf,
) -> tuple[PairScores, bool]:
    """What *read* gives for the first of *candidates*, from one number to another, and whether time ran out.

    All are read, or as many as there is time for until *deadline*, a time of `time.perf_counter`. With *enough_for*,
    it ends as soon as the rest `can_hardly_enter` so many first hits.
    """
    if enough_for is not None and enough_for >= len(candidates):
        enough_for = None  # every one that is read is shown
    if enough_for is None and deadline == math.inf:
        return read(0, len(candidates)), False

    def enough(batches: Sequence[PairScores]) -> bool:
        return enough_for is not None and can_hardly_enter(
            candidates,
            joined(batches),
            reranker=reranker,
            fusion=fusion,
            weight=weight,
            per_document=per_document,
            top_n=enough_for,
        )

    batches, done = paced(
        len(candidates),
        read=read,
        deadline=deadline,
        first=LEAST if deadline == math.inf else FIRST_BATCH,
        most=None if enough_for is None else STEP,
        enough=enough,
        recalled=lambda scores: scores.recalled,
    )
    return joined(batches), done < len(candidates) and not enough(batches)


def can_hardly_enter(
    candidates: Sequence[Candidate],
    scores: PairScores,
    *,
    reranker: Reranker,
    fusion: Fusion,
    weight: float,
    per_document: int,
    top_n: int,
) -> bool:
    """Whether the *candidates* behind those that *scores* tell of are too weak for the *top_n* best hits so far.

    A line through the read ones, by least squares and never falling, says which logit is expected of a candidate by
    its first stage's score f; s is the standard deviation from it. The best of the rest may score

        weight (line(f) + 3 s) + (1 - weight) f

    An order of ranks has no such bound: there every candidate is read.
    """
    read = len(scores.logits)
    if read < LEAST or fusion == "rrf":
        return False
    if read == len(candidates):
        return True
    hits = order(candidates[:read], scores, reranker=reranker, fusion=fusion, weight=weight)
    shown = best_of_each_document(hits, per_document=per_document)
    share = weight if fusion == "linear" else 1.0
    first = np.array([candidate.score for candidate in candidates])
    best = first[read:].max()
    at, deviation = _expected(first[:read], scores.logits, at=best)
    bound = share * (at + DEVIATIONS * deviation) + (1 - share) * best
    return len(shown) >= top_n and bool(bound < shown[top_n - 1].order_score)


def _expected(first: np.ndarray, logits: np.ndarray, *, at: float) -> tuple[float, float]:
    """The logit that is expected *at* a first stage's score, and the standard deviation from the line."""
    spread = first - first.mean()
    slope = max(0.0, float(spread @ logits) / max(float(spread @ spread), 1e-12))
    line = logits.mean() + slope * spread
    return float(logits.mean() + slope * (at - first.mean())), float((logits - line).std())
