"""The second stage: from candidates to hits. Every candidate is read whole, together with the query."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

from rerank_cli.errors import ModelError
from rerank_cli.ports import PairScores, Reranker
from rerank_cli.records import Candidate, Fusion, Hit

RRF_K = 60
"""The constant of reciprocal rank fusion as published."""

COUNTED = 4
"""Passages of a document that make its evidence. More of them would reward length."""


def order(
    candidates: Sequence[Candidate], scores: PairScores, *, reranker: Reranker, fusion: Fusion, weight: float
) -> tuple[Hit, ...]:
    """Hits in the order of the logits, or of their fusion with the first stage, in which they have the share *weight*.

    Linear fusion adds to the logit the first stage's score, which has the scale of logits. The fusion of ranks gives
    the logit that stands at the same place. Equal scores keep the order of the first stage.

    Raises:
        ModelError: the scores order nothing; see `checked_logits`.
    """
    logits = checked_logits(scores, expected=len(candidates), reranker=reranker)
    by_logit = sorted(range(len(logits)), key=lambda number: (-logits[number], candidates[number].rank))
    ranks = {number: rank for rank, number in enumerate(by_logit, start=1)}
    final = logits
    if fusion == "rrf":
        fused = _mixed(
            [reciprocal_rank(ranks[number]) for number in range(len(logits))],
            [reciprocal_rank(candidate.rank) for candidate in candidates],
            weight,
        )
        final = _as_logits(fused, logits)
    elif fusion == "linear":
        final = _mixed(logits, [candidate.score for candidate in candidates], weight)
    best = sorted(range(len(logits)), key=lambda number: (-final[number], candidates[number].rank))
    return tuple(
        Hit(
            candidate=candidates[number],
            rank=rank,
            order_score=final[number],
            logit=logits[number],
            score=activated(logits[number], reranker),
            reranker_rank=ranks[number],
        )
        for rank, number in enumerate(best, start=1)
    )


def joined(batches: Iterable[PairScores]) -> PairScores:
    """The scores of one query's passages, which were read in *batches*."""
    read = list(batches)
    return PairScores(
        np.concatenate([np.zeros(0, dtype=np.float32), *(batch.logits for batch in read)]),
        truncated=sum(batch.truncated for batch in read),
        pieces=max((batch.pieces for batch in read), default=1),
        recalled=sum(batch.recalled for batch in read),
    )


def checked_logits(scores: PairScores, *, expected: int, reranker: Reranker) -> list[float]:
    """The logits that *reranker* gave, one for each of so many *expected* passages: what is no number orders by chance.

    Raises:
        ModelError: it gave fewer or more of them, or one that is not finite.
    """
    if np.shape(scores.logits) != (expected,):
        raise _unfit(reranker, f"gave scores of the shape {np.shape(scores.logits)} for {expected} passages")
    logits = [float(logit) for logit in scores.logits]
    if not all(map(math.isfinite, logits)):
        raise _unfit(reranker, "gave a score that is not finite")
    return logits


def activated(logit: float, reranker: Reranker) -> float:
    """The score that *reranker* makes of *logit*.

    Raises:
        ModelError: it is not finite.
    """
    score = reranker.activate(logit)
    if not math.isfinite(score):
        raise _unfit(reranker, f"made a score that is not finite of the logit {logit:g}")
    return score


def _unfit(reranker: Reranker, fault: str) -> ModelError:
    return ModelError(f"the reranker {reranker.fingerprint} {fault}", remedy="choose another reranker")


def reciprocal_rank(rank: int) -> float:
    """A list's share in reciprocal rank fusion (Cormack, Clarke and Büttcher, 2009): 1 / (60 + rank)."""
    return 1.0 / (RRF_K + rank)


def _mixed(second: Sequence[float], first: Sequence[float], weight: float) -> list[float]:
    return [weight * new + (1 - weight) * old for new, old in zip(second, first, strict=True)]


def _as_logits(fused: Sequence[float], logits: Sequence[float]) -> list[float]:
    """For each fused score the logit at its place, since ranks have no scale by which passages could add up."""
    descending = sorted(logits, reverse=True)
    places = {score: place for place, score in reversed(list(enumerate(sorted(fused, reverse=True))))}
    return [descending[places[score]] for score in fused]


def keep_order(candidates: Sequence[Candidate]) -> tuple[Hit, ...]:
    """Hits in the order of the first stage's scores, for a search without the second."""
    best_first = sorted(candidates, key=lambda candidate: (-candidate.score, candidate.rank))
    return tuple(Hit(each, rank=rank, order_score=each.score) for rank, each in enumerate(best_first, start=1))


def below(hits: Sequence[Hit], unread: Sequence[Candidate]) -> tuple[Hit, ...]:
    """*hits*, and under them the candidates that the reranker did not read, in the order of the first stage."""
    least = min((hit.order_score for hit in hits), default=0.0)
    rest = keep_order(unread)
    return (
        *hits,
        *(
            hit._replace(rank=len(hits) + hit.rank, order_score=least + hit.order_score - rest[0].order_score)
            for hit in rest
        ),
    )


def evidence(scores: Sequence[float]) -> float:
    """What a document's passages say together, by their *scores* as logits, best first: s1 ≥ s2 ≥ …

        ln(exp(s1) + exp(s2) + exp(s3) + exp(s4))

    the log of the summed odds. So a document which speaks of the matter throughout stands above one with a single lucky
    passage, while passages far below the best add next to nothing: a text that was split in two gains little by it.
    """
    best, *others = scores[:COUNTED]
    return best + math.log1p(math.fsum(math.exp(score - best) for score in others))


def by_document(hits: Sequence[Hit]) -> tuple[Hit, ...]:
    """The best hit of each document, the documents in the order of their `evidence`. *hits* are in final order.

    The evidence becomes the hit's `order_score`, and what others added to its own its `support`; `rank` stays.
    """
    members: defaultdict[str, list[Hit]] = defaultdict(list)
    for hit in hits:
        members[hit.candidate.stored.document_id].append(hit)
    documents = []
    for own in members.values():
        total = evidence([hit.order_score for hit in own])
        documents.append(own[0]._replace(order_score=total, support=total - own[0].order_score))
    return tuple(sorted(documents, key=lambda hit: (-hit.order_score, hit.rank)))


def best_of_each_document(hits: Sequence[Hit], *, per_document: int) -> tuple[Hit, ...]:
    """What is shown: documents by their evidence, or passages in their own order where several of each are asked for.

    Of the latter at most *per_document* of each document; ranks stay what they were.
    """
    if per_document == 1:
        return by_document(hits)
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
