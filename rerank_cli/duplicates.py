"""Passages that say the same as a better one, by the runs of words that they share."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

SHINGLE_WORDS = 3
"""Shorter runs are shared by texts on one matter; a changed word spoils as many shingles as it has words."""

NEARLY_ALL = 0.85
"""The share of common shingles from which two passages count as one.

Of pairs of candidates in reference documentation, those above it are one section under the names of two commands. Not
far below stand the right and the wrong example of one rule, and two options that differ in a word: both are needed.
"""

_WORD = re.compile(r"\w+")

Shingle = tuple[str, ...]


def similar_to(texts: Sequence[str]) -> list[int]:
    """For each of *texts*, best first, the place of the first that it nearly repeats; its own place if of none.

    Two texts are compared by the Jaccard coefficient of their sets of shingles (Broder, 1997), if they share one of the
    few that two such texts must share (prefix filtering; Chaudhuri, Ganti and Kaushik, 2006).
    """
    runs = [shingles(text) for text in texts]
    originals: list[int] = []
    holders: defaultdict[Shingle, list[int]] = defaultdict(list)
    for place, own in enumerate(runs):
        few = _telling(own)
        near = sorted({holder for shingle in few for holder in holders.get(shingle, ())})
        original = next((at for at in near if _jaccard(runs[at], own) >= NEARLY_ALL), place)
        originals.append(original)
        if original == place:
            for shingle in few:
                holders[shingle].append(place)
    return originals


def _telling(own: set[Shingle]) -> list[Shingle]:
    """The first of *own* in an order that all texts share: one more than can be missing from a text as near."""
    return sorted(own, key=hash)[: len(own) - int(NEARLY_ALL * len(own)) + 1]


def shingles(text: str) -> set[Shingle]:
    """The runs of words in *text*, in small letters; of a text with fewer words, all of them as one."""
    words = _WORD.findall(text.casefold())
    return set(zip(*(words[at:] for at in range(SHINGLE_WORDS)), strict=False)) or {tuple(words)}


def _jaccard(one: set[Shingle], other: set[Shingle]) -> float:
    return len(one & other) / len(one | other)
