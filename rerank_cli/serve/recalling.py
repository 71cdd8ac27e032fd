"""A reranker that remembers its last scores: a pair that many ask about is read once."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from rerank_cli.ports import PairScores, Reranker
from rerank_cli.reranking import checked_logits

PLACES = 1 << 17
"""Scores that are remembered at most, in 24 bytes each: those of the last thousand queries or so."""

_ROW = np.dtype([("key", np.uint64, 2), ("logit", np.float32)], align=True)

Keys = NDArray[np.uint64]
"""A hash a pair, shape (n, 2)."""


class LastScores:
    """A logit a pair, in a table of a fixed size. Any thread may use it.

    The hash of a pair says where in the table it stands, and a newer pair takes the place of an older one.
    """

    def __init__(self, places: int = PLACES) -> None:
        self._rows = np.zeros(places, dtype=_ROW)
        self._lock = Lock()

    def read(self, keys: Keys) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
        """Which of *keys* are there, and their logits; shapes (n,). What stands for the others means nothing."""
        with self._lock:
            rows = self._rows[self._places(keys)]
        return (rows["key"] == keys).all(axis=1), rows["logit"].copy()

    def keep(self, keys: Keys, logits: NDArray[np.float32]) -> None:
        """Remember *logits*, shape (n,), under *keys*."""
        rows = np.zeros(len(keys), dtype=_ROW)
        rows["key"], rows["logit"] = keys, logits
        with self._lock:
            self._rows[self._places(keys)] = rows

    def _places(self, keys: Keys) -> NDArray[np.uint64]:
        places: NDArray[np.uint64] = keys[:, 0] % np.uint64(len(self._rows))
        return places


class RecallingReranker:
    """Asks the reranker only for pairs that it has not scored lately.

    A pair that was cut, or whose query was asked in pieces, is read each time, so that the answer can tell of it.
    """

    def __init__(self, reranker: Reranker, scores: LastScores) -> None:
        self._reranker = reranker
        self._scores = scores
        self.fingerprint = reranker.fingerprint
        self.calibrated = reranker.calibrated
        self.activate = reranker.activate

    def score_pairs(self, query: str, passages: Sequence[str]) -> PairScores:
        keys = _keys(query, passages)
        is_known, logits = self._scores.read(keys)
        new = np.flatnonzero(~is_known)
        recalled = len(passages) - len(new)
        if not len(new):
            return PairScores(logits, truncated=0, recalled=recalled)
        scores = self._reranker.score_pairs(query, [passages[place] for place in new.tolist()])
        logits[new] = checked_logits(scores, expected=len(new), reranker=self._reranker)
        if not scores.truncated and scores.pieces == 1:
            self._scores.keep(keys[new], scores.logits)
        return PairScores(logits, truncated=scores.truncated, pieces=scores.pieces, recalled=recalled)


def _keys(query: str, passages: Sequence[str]) -> Keys:
    asked = hashlib.blake2b(f"{query}\0".encode(), digest_size=16)
    digests = []
    for passage in passages:
        pair = asked.copy()
        pair.update(passage.encode("utf-8", "surrogatepass"))
        digests.append(pair.digest())
    return np.frombuffer(b"".join(digests), dtype=np.uint64).reshape(-1, 2)
