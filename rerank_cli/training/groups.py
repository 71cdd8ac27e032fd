"""What a training reads: a query with the passages to order."""

from __future__ import annotations

from dataclasses import dataclass

POSITIVE = 0
"""A group's passages begin with the one that was judged to answer its query."""


@dataclass(frozen=True, slots=True)
class Group:
    """A query and the passages to order: the positive first, then its negatives.

    `target` is the wanted distribution over the passages and adds up to 1. All groups of a training have as
    many passages.
    """

    query: str
    passages: tuple[str, ...]
    target: tuple[float, ...]
