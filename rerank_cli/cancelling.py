"""A reranker that stops soon after nobody waits for its scores any more."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from rerank_cli.ports import PairScores, Reranker
from rerank_cli.reranking import joined

BATCH = 16
"""Passages that are read between two looks at whether anybody still waits."""


class Cancelled(Exception):
    """Nobody waits any more."""


class CancellableReranker:
    """Reads a few passages, looks whether its scores are still wanted, and goes on."""

    def __init__(self, reranker: Reranker, *, is_wanted: Callable[[], bool]) -> None:
        self._reranker = reranker
        self._is_wanted = is_wanted
        self.fingerprint = reranker.fingerprint
        self.calibrated = reranker.calibrated
        self.activate = reranker.activate

    def score_pairs(self, query: str, passages: Sequence[str]) -> PairScores:
        return joined(self._batches(query, passages))

    def _batches(self, query: str, passages: Sequence[str]) -> Iterator[PairScores]:
        for start in range(0, len(passages), BATCH):
            if not self._is_wanted():
                raise Cancelled
            yield self._reranker.score_pairs(query, passages[start : start + BATCH])
