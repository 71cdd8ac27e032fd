"""A reranker that remembers: a pair of query and passage is scored once, on this machine and for good."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence

import numpy as np

from rerank_cli import __version__
from rerank_cli.models.compiled import COMPILER_VERSION
from rerank_cli.ports import KeptScore, PairScores, Reranker, ScoreCache
from rerank_cli.reranking import checked_logits


class RememberingReranker:
    """Asks the reranker only for pairs that *cache* lacks; without one, for each query's pairs once.

    `scored` and `recalled` count pairs. A pair's share of the time of its batch goes by its length and is
    kept with the score, so that the price of a search is known from the cache as well.
    """

    def __init__(self, reranker: Reranker, *, cache: ScoreCache | None, device: str) -> None:
        self._reranker = reranker
        self._cache = cache
        self._origin = f"{reranker.fingerprint}\0{device}\0{__version__}\0{COMPILER_VERSION}"
        self._query = ""
        self._known: dict[bytes, KeptScore] = {}
        self.scored = 0
        self.recalled = 0

    @property
    def fingerprint(self) -> str:
        return self._reranker.fingerprint

    @property
    def calibrated(self) -> bool:
        return self._reranker.calibrated

    def activate(self, logit: float) -> float:
        return self._reranker.activate(logit)

    def score_pairs(self, query: str, passages: Sequence[str]) -> PairScores:
        """As the reranker itself; `truncated` and `pieces` tell of the passages that were scored now."""
        keys = [self._key(query, passage) for passage in passages]
        self._recall(query, keys)
        new = {key: passage for key, passage in zip(keys, passages, strict=True) if key not in self._known}
        scores = self._score(query, new)
        return scores._replace(logits=np.array([self._known[key].logit for key in keys], dtype=np.float32))

    def elapsed_s(self, query: str, passages: Sequence[str]) -> list[float]:
        """The seconds that each of *passages* took when it was scored; `score_pairs` had them last."""
        return [self._known[self._key(query, passage)].elapsed_s for passage in passages]

    def _recall(self, query: str, keys: Sequence[bytes]) -> None:
        if query != self._query:
            self._query, self._known = query, {}
        wanted = [key for key in dict.fromkeys(keys) if key not in self._known]
        if self._cache is not None and wanted:
            found = self._cache.read(wanted)
            self._known.update(found)
            self.recalled += len(found)

    def _score(self, query: str, new: dict[bytes, str]) -> PairScores:
        if not new:
            return PairScores(np.zeros(0, dtype=np.float32), truncated=0)
        begun = time.perf_counter()
        scores = self._reranker.score_pairs(query, list(new.values()))
        elapsed_s = time.perf_counter() - begun
        logits = checked_logits(scores, expected=len(new), reranker=self._reranker)
        lengths = [len(query) + len(passage) for passage in new.values()]
        second_a_letter = elapsed_s / max(1, sum(lengths))
        fresh = {
            key: KeptScore(logit, second_a_letter * length)
            for key, logit, length in zip(new, logits, lengths, strict=True)
        }
        self._known.update(fresh)
        self.scored += len(fresh)
        if self._cache is not None:
            self._cache.keep(fresh.items())
        return scores

    def _key(self, query: str, passage: str) -> bytes:
        passage_hash = hashlib.sha256(passage.encode()).digest()
        return hashlib.sha256(f"{self._origin}\0{query}\0".encode() + passage_hash).digest()[:16]
