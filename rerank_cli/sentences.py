"""Where the sentences of a text begin and end."""

from __future__ import annotations

import re

# Only white space falls away. What follows begins with no small letter: then it was an abbreviation.
SENTENCE_END = re.compile(
    r"\n\s*\n"
    r"|(?:(?<=[.!?…؟।])|(?<=[.!?…؟।][\"'”’)\]]))\s+(?=[\"'“‘(\[]?(?![a-zß-öø-ÿ])[^\W_])"  # noqa: RUF001
    r"|(?<=[。！？])\s*"  # noqa: RUF001
)

ITEM = re.compile(r"\n(?=[^\S\n]*(?:[-*+•|]|\d{1,3}[.)]|:[^:\n]{1,40}:)\s)")
"""An item of a list, a field or a row of a table begins, as good as a sentence."""

ABBREVIATION = re.compile(
    r"(?:^|[\s(])(?:\d{1,3}|[A-Z]|[A-Z][a-z]|no|pp?|Mrs|Prof|Fig|Figs|Sec|Vol|approx|etc|vs|cf|(?:[A-Za-z]\.)+[A-Za-z])\.$"
)
"""What ends with a full stop and mostly ends no sentence: numbers of items, initials, titles."""

LONGEST_ABBREVIATION = 12


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """Where each sentence of *text* begins and ends; an item of a list and a row of a table are one too."""
    items = {found.span() for found in ITEM.finditer(text)}
    ended = {found.span() for found in SENTENCE_END.finditer(text) if not _is_abbreviation(text, *found.span())}
    gaps = sorted(items | ended)
    starts = [0, *(end for _, end in gaps)]
    ends = [*(start for start, _ in gaps), len(text)]
    return [(start, end) for start, end in zip(starts, ends, strict=True) if text[start:end].strip()]


def _is_abbreviation(text: str, start: int, end: int) -> bool:
    """Whether what stands before the gap from *start* to *end* goes on after it."""
    before = text[max(0, start - LONGEST_ABBREVIATION) : start]
    return "\n" not in text[start:end] and ABBREVIATION.search(before) is not None
