"""What is different in writings that run from right to left, as Arabic and Hebrew do."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from itertools import pairwise

RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefe]+")
"""Letters of these writings."""

TURNED_LIGATURE = re.compile("[\u0622\u0623\u0625\u0627]\u0644")
"""Alef before lam. Where both are one sign it is lam before alef: pdfium turns them with the letters of the line."""

TURNED_MARK = re.compile(
    "([\u0591-\u05bd\u05bf\u05c1\u05c2\u064b-\u0655\u0670])[\u05d0-\u05ea\u0620-\u064a\u0671-\u06d3]"
)
"""The mark of a vowel before a letter. It comes after the letter that it stands on, but pdfium turns both."""


_OPENED = re.compile(r"\([^()]{1,80}\)")
_TURNED = re.compile(r"\)[^()]{1,80}\(")
_OTHER_WAY_ROUND = str.maketrans("()[]{}", ")(][}{")


def with_brackets(text: str) -> str:
    """*text* of a page with what opens a bracket before what closes it.

    pdfium turns all of them, as they look: but some files have them as they are meant.
    """
    return text.translate(_OTHER_WAY_ROUND) if len(_TURNED.findall(text)) > len(_OPENED.findall(text)) else text


def gaps_between(spans: Sequence[tuple[float, float]]) -> list[float]:
    """How wide the gap after each word is, but the last one. *spans* tell from where to where the words reach.

    Figures and words of other writings run against the line. Between words that do not stand side by side it is the
    widest one of all that are between them.
    """
    order = sorted(range(len(spans)), key=spans.__getitem__)
    place = {word: at for at, word in enumerate(order)}
    gaps: list[float] = []
    reach = -math.inf
    for before, after in pairwise(order):
        reach = max(reach, spans[before][1])
        gaps.append(spans[after][0] - reach)
    return [max(gaps[slice(*sorted((place[word], place[word + 1])))]) for word in range(len(spans) - 1)]
