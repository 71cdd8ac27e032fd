"""Training pairs: a query, a passage that answers it, and passages that do not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rerank_cli.characters import whole_characters
from rerank_cli.errors import InputError
from rerank_cli.files import json_lines
from rerank_cli.records import with_headings

PAIR_SHAPE = (
    'write {"query": …, "positive": …}, with "negatives" (a list) and "title" where there are any, '
    'and a teacher\'s "scores" (of the positive and each negative)'
)

MOST = 1e6
"""What no score of a teacher exceeds: infinity, not-a-number and numbers too long for a float are none."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A query, the passage that answers it as the models will see it, and passages judged not to answer it.

    `scores` is empty or what a teacher gives the positive and each of the negatives: logits of a softmax over them.
    """

    query: str
    positive: str
    negatives: tuple[str, ...] = ()
    scores: tuple[float, ...] = ()


def read_pairs(path: Path) -> Iterator[Pair]:
    """The pairs of a JSONL file, plain or packed by gzip, in their order.

    Raises:
        InputError: it cannot be read, or a line is no pair.
    """
    for where, record in json_lines(path, remedy=PAIR_SHAPE, unpack=True):
        yield _pair(record, where=where)


def _pair(record: Mapping[str, Any], *, where: str) -> Pair:
    negatives = record.get("negatives") or []
    texts = [record.get("query"), record.get("positive"), *(negatives if isinstance(negatives, list) else [None])]
    if not all(isinstance(text, str) and text.strip() for text in texts):
        raise InputError(f"{where}: not a training pair (an empty or missing text)", remedy=PAIR_SHAPE)
    title = record.get("title")
    query, positive, *others = map(whole_characters, texts)
    answer = with_headings((whole_characters(title),) if isinstance(title, str) and title.strip() else (), positive)
    scores = _scores(record.get("scores"), len(texts) - 1, where=where)
    kept = {other: place for place, other in reversed(list(enumerate(others, start=1)))}
    places = sorted(place for other, place in kept.items() if other not in (positive, answer))
    negatives = tuple(others[place - 1] for place in places)
    return Pair(query, answer, negatives, tuple(scores[place] for place in (0, *places)) if scores else ())


def _scores(given: Any, passages: int, *, where: str) -> list[float]:
    """The teacher's scores of that many passages, or none."""
    if given is None:
        return []
    numbers = isinstance(given, list) and all(type(score) in (int, float) and abs(score) < MOST for score in given)
    if not numbers or len(given) != passages or passages == 1:
        raise InputError(
            f"{where}: not a training pair (its scores are not one number for the positive and for each negative)",
            remedy=PAIR_SHAPE,
        )
    return [float(score) for score in given]
