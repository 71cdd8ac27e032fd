"""The window that a model reads at once. A query is never cut: one that does not fit is refused.

In a reranker's, query and passage share it, and only the passage is cut.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate, groupby

import numpy as np

from rerank_cli.errors import UsageError
from rerank_cli.records import Vectors

MIN_PASSAGE_TOKENS = 16
"""A passage cut shorter than this beside a long query would say nothing."""


def check_room(window: int, *, query_tokens: int, special_tokens: int) -> None:
    """Raise UsageError if the query leaves no room for a passage."""
    if window - special_tokens - query_tokens < MIN_PASSAGE_TOKENS:
        raise UsageError(
            f"the query leaves no room for a passage in the reranker's window of {window} tokens",
            remedy="ask a shorter question",
        )


def query_pieces(text: str, *, room: int, count_tokens: Callable[[Sequence[str]], list[int]]) -> list[str]:
    """*text*, or consecutive pieces of it in even sizes of at most *room* tokens if it has more.

    An encoder reads a long query piece by piece, and the mean of the vectors stands for the whole: nothing is cut.
    """
    if count_tokens([text])[0] <= room:
        return [text]
    words = text.split()
    ends = list(accumulate(count_tokens(words)))
    share = ends[-1] / math.ceil(ends[-1] / room)
    grouped = groupby(zip(words, ends, strict=True), key=lambda pair: int((pair[1] - 1) // share))
    return [" ".join(word for word, _ in group) for _, group in grouped]


def unit_means(vectors: Vectors, counts: Iterable[int]) -> Vectors:
    """The unit vectors along the means of so many of *vectors* each, shape (counts, dimensions)."""
    ends = list(accumulate(counts))
    means = np.stack([vectors[start:end].mean(axis=0) for start, end in zip([0, *ends], ends, strict=False)])
    return np.asarray(means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-12), dtype=np.float32)
