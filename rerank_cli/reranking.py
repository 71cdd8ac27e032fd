"""The second stage: from candidates to hits. Every candidate is read whole, together with the query."""

from __future__ import annotations

import math
import statistics
from collections import Counter, defaultdict
from collections.abc import Sequence

from rerank_cli.config import Fusion
from rerank_cli.records import Candidate, Hit, PairScores, Reranker
from rerank_cli.retrieval import reciprocal_rank

COSINE_SCALE = 20.0
"""Logits to a cosine: what sentence-transformers multiplies cosines by when it trains an encoder by softmax."""


def order(
    candidates: Sequence[Candidate], scores: PairScores, *, reranker: Reranker, fusion: Fusion, weight: float
) -> tuple[Hit, ...]:
    """Hits in the order of the logits, or of their fusion with the first stage, in which they have the share *weight*.

    Linear fusion adds to the logit the first stage's own scores: 20 x cosine, and BM25 as a standard score among the
    candidates. Equal scores keep the order of the first stage.
    """
    logits = [float(logit) for logit in scores.logits]
    by_logit = sorted(range(len(logits)), key=lambda number: (-logits[number], candidates[number].rank))
    ranks = {number: rank for rank, number in enumerate(by_logit, start=1)}
    final = logits
    if fusion == "rrf":
        final = _mixed(
            [reciprocal_rank(ranks[number]) for number in range(len(logits))],
            [reciprocal_rank(candidate.rank) for candidate in candidates],
            weight,
        )
    elif fusion == "linear":
        final = _mixed(logits, _first_stage(candidates), weight)
    best = sorted(range(len(logits)), key=lambda number: (-final[number], candidates[number].rank))
    return tuple(
        Hit(
            candidate=candidates[number],
            rank=rank,
            order_score=final[number],
            logit=logits[number],
            score=reranker.activate(logits[number]),
            reranker_rank=ranks[number],
        )
        for rank, number in enumerate(best, start=1)
    )


def _mixed(second: Sequence[float], first: Sequence[float], weight: float) -> list[float]:
    return [weight * new + (1 - weight) * old for new, old in zip(second, first, strict=True)]


def _first_stage(candidates: Sequence[Candidate]) -> list[float]:
    """Both lists' scores of each candidate in one number on the scale of logits.

    A candidate that the dense list lacks is no nearer than the farthest in it; one that the lexical list lacks
    shares no word with the query. Cosines keep their scale, which says how sure the encoder is; BM25 has none of
    its own, since it grows with the words of the query.
    """
    cosines = [candidate.dense_score for candidate in candidates if candidate.dense_score is not None]
    farthest = min(cosines, default=0.0)
    dense = [farthest if candidate.dense_score is None else candidate.dense_score for candidate in candidates]
    lexical = _standard([candidate.lexical_score or 0.0 for candidate in candidates])
    return [COSINE_SCALE * cosine + words for cosine, words in zip(dense, lexical, strict=True)]


def _standard(scores: Sequence[float]) -> list[float]:
    """Standard scores among the candidates, (x - mean) / deviation."""
    if not scores:
        return []
    mean = statistics.fmean(scores)
    deviation = math.sqrt(statistics.fmean((score - mean) ** 2 for score in scores))
    return [(score - mean) / deviation if deviation else 0.0 for score in scores]


def keep_order(candidates: Sequence[Candidate]) -> tuple[Hit, ...]:
    """Hits in the order of the first stage, for a search without the second."""
    return tuple(Hit(candidate, rank=candidate.rank, order_score=candidate.score) for candidate in candidates)


def best_of_each_document(hits: Sequence[Hit], *, per_document: int) -> tuple[Hit, ...]:
    """At most *per_document* hits of each document, the best ones; ranks stay what they were."""
    seen: Counter[str] = Counter()
    kept = []
    for hit in hits:
        seen[hit.candidate.stored.document_id] += 1
        if seen[hit.candidate.stored.document_id] <= per_document:
            kept.append(hit)
    return tuple(kept)


def places_before(candidates: Sequence[Candidate], hits: Sequence[Hit], *, per_document: int) -> tuple[int, ...]:
    """The place that each of *hits* would have without the second stage, if a document has as many there.

    *hits* are `best_of_each_document`; a document's second hit is compared with its second candidate.
    """
    places: defaultdict[str, list[int]] = defaultdict(list)
    first_stage = best_of_each_document(keep_order(candidates), per_document=per_document)
    for place, hit in enumerate(first_stage, start=1):
        places[hit.candidate.stored.document_id].append(place)
    return tuple(places[hit.candidate.stored.document_id].pop(0) for hit in hits)
