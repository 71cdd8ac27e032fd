"""The sentence of a passage that shows best why it was found, and the words in it that were asked for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

WORD = re.compile(r"\w+")
SENTENCE_END = re.compile(r"(?<=[.!?:;])\s+|\n+")

ENDINGS = ("ingly", "edly", "ing", "ies", "ied", "ion", "ed", "es", "ly", "er", "s", "e", "y")
MIN_STEM = 3
"""Shorter stems would mark words that have nothing to do with each other."""


@dataclass(frozen=True, slots=True)
class Snippet:
    """A piece of a passage on one line. `marks` are (start, end) of the matched words in `text`."""

    text: str
    marks: tuple[tuple[int, int], ...]


def snippet(text: str, words: Sequence[str], *, width: int) -> Snippet:
    """At most *width* (5 or more) characters around the sentence with most of *words*; the opening if none has any."""
    wanted = {stem(word) for word in words}
    sentences = [" ".join(sentence.split()) for sentence in SENTENCE_END.split(text) if sentence.strip()]
    if not sentences:
        return Snippet("", ())
    scores = [len(wanted & {stem(word) for word in WORD.findall(sentence)}) for sentence in sentences]
    best = scores.index(max(scores))
    shown = _shorten(sentences[best], wanted, width)
    for sentence in sentences[best + 1 :]:
        if len(shown) + 1 + len(sentence) > width:
            break
        shown = f"{shown} {sentence}"
    marks = tuple(match.span() for match in WORD.finditer(shown) if stem(match.group()) in wanted)
    return Snippet(shown, marks)


def stem(word: str) -> str:
    """A word without a common English ending, in small letters."""
    word = word.casefold()
    for ending in ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= MIN_STEM:
            return word[: -len(ending)]
    return word


def _shorten(sentence: str, wanted: set[str], width: int) -> str:
    """Cut a long sentence, between words where it can be, so that its first matched word stays in sight."""
    if len(sentence) <= width:
        return sentence
    first, last = next((match.span() for match in WORD.finditer(sentence) if stem(match.group()) in wanted), (0, 0))
    start = 0
    if first >= width // 2:
        start = max(sentence.rfind(" ", 0, first - width // 4) + 1, first - width // 2)
    opening = "… " if start else ""
    end = start + max(1, width - len(opening) - 2)
    if end < len(sentence):
        blank = max(sentence.rfind(" ", start, end), min(last, end))
        return f"{opening}{sentence[start : blank if blank > start else end]} …"
    return f"{opening}{sentence[start:end]}"
