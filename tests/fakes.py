"""Models that are functions of the text: no weights, no waiting, the same vectors in every process.

A text is a bag of words, so what shares words is near, and the right document can be expected to win.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Sequence

import numpy as np

from rerank_cli.arrays import Vectors
from rerank_cli.ports import PairScores

WORD_OR_SIGN = re.compile(r"\w+|[^\w\s]")


class FakeEncoder:
    """A hashed bag of words. `encoded` holds every passage text it was asked for, in order."""

    def __init__(
        self,
        *,
        fingerprint: str = "fake-encoder",
        dimensions: int = 64,
        max_tokens: int = 512,
        delay_s: float = 0.0,
        fails_after: int | None = None,
    ) -> None:
        self.fingerprint = fingerprint
        self.dimensions = dimensions
        self.max_tokens = max_tokens
        self.encoded: list[str] = []
        self.queries: list[str] = []
        self._delay_s = delay_s
        self._fails_after = fails_after

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(WORD_OR_SIGN.findall(text)) for text in texts]

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        self.queries.extend(texts)
        return np.stack([self._vector(text) for text in texts])

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        if self._fails_after is not None and len(self.encoded) + len(texts) > self._fails_after:
            raise RuntimeError("the encoder broke down")
        time.sleep(self._delay_s)
        self.encoded.extend(texts)
        return np.stack([self._vector(text) for text in texts])

    def _vector(self, text: str) -> Vectors:
        vector = np.zeros(self.dimensions, dtype=np.float32)
        for word in words_of(text) or [""]:
            digest = hashlib.sha256(word.encode()).digest()
            vector[digest[0] % self.dimensions] += 1.0
            vector[digest[1] % self.dimensions] += 0.5
        return vector / np.linalg.norm(vector)


class FakeReranker:
    """The share of the query's words that a passage has, as a logit between -4 and 4; pointwise.

    `pairs` holds every (query, passage) it was asked for, in order.
    """

    fingerprint = "fake-reranker"
    calibrated = False

    def __init__(self) -> None:
        self.pairs: list[tuple[str, str]] = []

    def score_pairs(self, query: str, passages: Sequence[str]) -> PairScores:
        self.pairs.extend((query, passage) for passage in passages)
        wanted = set(words_of(query))
        shares = [len(wanted & set(words_of(passage))) / max(1, len(wanted)) for passage in passages]
        return PairScores(np.array([8.0 * share - 4.0 for share in shares], dtype=np.float32), truncated=0)

    def activate(self, logit: float) -> float:
        return float(1.0 / (1.0 + np.exp(-logit)))


def words_of(text: str) -> list[str]:
    return [word.casefold() for word in re.findall(r"\w+", text)]
