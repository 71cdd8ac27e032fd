"""Passages that say the same as a better one, by the runs of words that they share."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
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

    Two texts are compared by the Jaccard coefficient of their sets of shingles (Broder, 1997).
    """
    originals: list[int] = []
    sizes: dict[int, int] = {}
    holders: defaultdict[Shingle, list[int]] = defaultdict(list)
    for place, text in enumerate(texts):
        own = shingles(text)
        common = Counter(holder for shingle in own for holder in holders.get(shingle, ()))
        repeated = (at for at in sorted(common) if _jaccard(common[at], len(own), sizes[at]) >= NEARLY_ALL)
        original = next(repeated, place)
        originals.append(original)
        if original == place:
            sizes[place] = len(own)
            for shingle in own:
                holders[shingle].append(place)
    return originals


def shingles(text: str) -> set[Shingle]:
    """The runs of words in *text*, in small letters; of a text with fewer words, all of them as one."""
    words = _WORD.findall(text.casefold())
    return set(zip(*(words[at:] for at in range(SHINGLE_WORDS)), strict=False)) or {tuple(words)}


def _jaccard(common: int, one: int, other: int) -> float:
    return common / (one + other - common)
