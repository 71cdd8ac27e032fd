"""Documents of no index, each scored by the passage of it that answers best."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rerank_cli.ports import Reranker
from rerank_cli.records import Passage
from rerank_cli.reranking import checked_logits

BATCH = 256
"""Passages that are scored at a time: so memory is bounded, and how far it is can be told."""


@dataclass(frozen=True, slots=True)
class BestPassage:
    """A passage and the reranker's logit for it."""

    passage: Passage
    logit: float


def best_passages(
    query: str, documents: Iterable[Sequence[Passage]], *, reranker: Reranker
) -> Iterator[BestPassage | None]:
    """The best passage of each of *documents*, which are given as their passages; None for one that has none.

    Of equals it is the first. A text that several passages have is scored once.

    Raises:
        ModelError: the scores order nothing; see `checked_logits`.
    """
    known: dict[bytes, float] = {}
    waiting: list[Sequence[Passage]] = []
    count = 0
    for passages in documents:
        waiting.append(passages)
        count += len(passages)
        if count >= BATCH:
            yield from _best_of_each(query, waiting, known, reranker)
            waiting, count = [], 0
    yield from _best_of_each(query, waiting, known, reranker)


def _best_of_each(
    query: str, documents: Sequence[Sequence[Passage]], known: dict[bytes, float], reranker: Reranker
) -> Iterator[BestPassage | None]:
    """What is scored here is *known* from then on."""
    hashed = [[(passage.text_hash, passage) for passage in passages] for passages in documents]
    unknown = {key: passage.model_text for pairs in hashed for key, passage in pairs if key not in known}
    keys = list(unknown)
    for start in range(0, len(keys), BATCH):
        batch = keys[start : start + BATCH]
        scores = reranker.score_pairs(query, [unknown[key] for key in batch])
        known.update(zip(batch, checked_logits(scores, expected=len(batch), reranker=reranker), strict=True))
    for pairs in hashed:
        key, passage = max(pairs, key=lambda pair: known[pair[0]], default=(b"", None))
        yield BestPassage(passage, known[key]) if passage else None
