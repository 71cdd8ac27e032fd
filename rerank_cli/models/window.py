"""The window that a model reads at once. A query that takes too much of it is asked in pieces: nothing of it is cut.

In a reranker's, query and passage share it, and only the passage is cut.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from rerank_cli.arrays import Vectors
from rerank_cli.ports import PairScores
from rerank_cli.words import readable

QUERY_TOKENS = 96
"""Of a reranker's window, at most, for a query or a piece of it.

Rerankers learn from short questions, and order worse by long ones than by the best piece of them. In a window of 512
it leaves 413 tokens to the passage, so that one of the usual size is read whole with its headings. 2,000 words of
English are some 35 pieces, so that 100 passages cost 3,500 pairs.
"""

FRAGMENT = re.compile(r"\S{1,16}")
"""What is cut last: a word, or so many letters of a longer one. In Chinese each letter may be a token, or several."""

SENTENCE_END = re.compile(r"[.?!;:。？！][\"')\]]*$")  # noqa: RUF001 - Chinese has signs of its own

FILLED = 0.85
"""Of the room for a piece, so that it may end with a sentence beyond."""

CountTokens = Callable[[Sequence[str]], list[int]]

Asked = tuple[NDArray[np.float32], Sequence[bool]]
"""A logit for each passage, shape (n,), and whether the passage was cut."""


def ask_in_pieces(query: str, *, window: int, count_tokens: CountTokens, ask: Callable[[str], Asked]) -> PairScores:
    """Score passages with the whole query, or with each piece of it that `query_room` lets through."""
    pieces = query_pieces(query, room=query_room(window), count_tokens=count_tokens)
    logits, cut = zip(*map(ask, pieces), strict=True)
    return PairScores(combined(np.stack(logits)), truncated=int(np.any(cut, axis=0).sum()), pieces=len(pieces))


def query_room(window: int) -> int:
    """Tokens of a reranker's *window* that a query may take; the rest is the passage's."""
    return min(QUERY_TOKENS, window // 2)


def combined(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """One logit a passage, shape (n,), from those of each piece, shape (pieces, n): that of the piece it answers best.

    Most pieces of a long question say what was tried and where; a mean would count their silence against the answer.
    """
    return np.asarray(logits.max(axis=0), dtype=np.float32)


def query_pieces(text: str, *, room: int, count_tokens: CountTokens) -> list[str]:
    """*text*, or consecutive pieces of it in even sizes of at most *room* tokens if it has more.

    They are cut behind a sentence if one ends near the best place, else behind a word, else within one. Words that are
    too long for the model's tokenizer are broken by blanks as those of passages are: nothing of them is unread either.
    """
    return _fitting(readable(text), room, count_tokens)


def _fitting(text: str, room: int, count_tokens: CountTokens) -> list[str]:
    tokens = count_tokens([text])[0]
    if tokens <= room or len(text) < 2:
        return [text]
    fragments = list(FRAGMENT.finditer(text))
    cut = len(text) // 2 if len(fragments) == 1 else _best_cut(text, fragments, tokens / room, count_tokens)
    halves = text[:cut].strip(), text[cut:].strip()
    return [piece for half in halves for piece in _fitting(half, room, count_tokens)]


def _best_cut(text: str, fragments: Sequence[re.Match[str]], excess: float, count_tokens: CountTokens) -> int:
    """Where to halve *text*, which has *excess* times the tokens that there is room for, so that the pieces are few."""
    ends = np.cumsum(count_tokens([fragment[0] for fragment in fragments]))
    wanted = math.ceil(excess / FILLED)
    share = ends[-1] / wanted
    distances = abs(ends - wanted // 2 * share) + share * np.array([_reluctance(text, each) for each in fragments])
    return fragments[int(np.argmin(distances[:-1]))].end()


def _reluctance(text: str, fragment: re.Match[str]) -> float:
    """How much farther from its best place, in shares of a piece, a cut is put rather than behind *fragment*."""
    if SENTENCE_END.search(fragment[0]):
        return 0.0
    return 0.5 if text[fragment.end() : fragment.end() + 1].strip() else 0.25


def unit_means(vectors: Vectors, counts: Iterable[int]) -> Vectors:
    """The unit vectors along the means of so many of *vectors* each, shape (counts, dimensions)."""
    ends = list(accumulate(counts))
    means = np.stack([vectors[start:end].mean(axis=0) for start, end in zip([0, *ends], ends, strict=False)])
    return np.asarray(means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-12), dtype=np.float32)
