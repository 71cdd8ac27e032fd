"""The sentences of a passage that show best why it was found, and the words in them that were asked for."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from rerank_cli.cells import cells, lines_of, shortened_words
from rerank_cli.sentences import ITEM, sentence_spans
from rerank_cli.words import STOP_WORDS

WORD = re.compile(r"\w+")

ENDINGS = ("ingly", "edly", "ing", "ies", "ied", "ion", "ed", "es", "ly", "er", "s", "e", "y")
MIN_STEM = 3
"""Shorter stems would mark words that have nothing to do with each other."""

LEAST_WRAPPED = 60
"""Letters of a line that was broken because it was full."""

APART = " · "
"""Between what stood on lines of its own and is shown on one."""


@dataclass(frozen=True, slots=True)
class Snippet:
    """Sentences of a passage. `marks` are (start, end) of the matched words in `text`."""

    text: str
    marks: tuple[tuple[int, int], ...]


def snippet(text: str, words: Sequence[str], *, width: int, lines: int = 1) -> Snippet:
    """What fits into *lines* of *width* (5 or more) cells of the sentences from the one with most of *words* on.

    Sentences are whole; a longer one is cut, and … stands where. Without a match it is the opening. Items of a list,
    rows of a table and paragraphs stay apart: on lines of their own, or with a sign between them on a single line.
    Words that say nothing are not marked.
    """
    wanted = frozenset(stem(word) for word in words)
    sentences = [(begins, shortened_words(sentence, width)) for begins, sentence in _sentences(text)]
    if not sentences:
        return Snippet("", ())
    scores = [len({stem(match.group()) for match in _matches(sentence, wanted)}) for _, sentence in sentences]
    best = scores.index(max(scores))
    shown = _cut(sentences[best][1], wanted, width, lines)
    for begins, sentence in sentences[best + 1 :]:
        longer = f"{shown}{(APART if lines == 1 else chr(10)) if begins else ' '}{sentence}"
        if not _fits(longer, width, lines):
            break
        shown = longer
    return Snippet(shown, tuple(_marks(shown, wanted)))


def stem(word: str) -> str:
    """A word without a common English ending, in small letters."""
    word = word.casefold()
    if not word.endswith(ENDINGS):
        return word
    for ending in ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= MIN_STEM:
            return word[: -len(ending)]
    return word


def _matches(text: str, wanted: Collection[str]) -> Iterator[re.Match[str]]:
    """The words of *text* whose stems are among those *wanted*; every word begins with its stem."""
    stems = tuple(wanted)
    for match in WORD.finditer(text):
        if match.group().casefold().startswith(stems) and stem(match.group()) in wanted:
            yield match


def _marks(shown: str, wanted: Collection[str]) -> Iterator[tuple[int, int]]:
    for match in _matches(shown, wanted):
        if match.group().lower() not in STOP_WORDS:
            yield match.span()


def _sentences(text: str) -> Iterator[tuple[bool, str]]:
    """The sentences of *text*, and of each whether it begins what stands apart: a paragraph, an item, a row."""
    for run in _runs(text):
        for number, (start, end) in enumerate(sentence_spans(run)):
            yield number == 0, " ".join(run[start:end].split())


def _runs(text: str) -> list[str]:
    """What stands apart in *text*. A line goes on where the one before was full."""
    lines = text.splitlines()
    longest = max(map(len, lines), default=0)
    runs: list[str] = []
    before = ""
    for line in lines:
        if before and _goes_on(before, line, longest, in_item=_is_item(runs[-1])):
            runs[-1] += f" {line.strip()}"
        elif line.strip():
            runs.append(line.strip())
        before = line.rstrip()
    return runs


def _goes_on(before: str, line: str, longest: int, *, in_item: bool) -> bool:
    """Whether *line* is the rest of what stands on the line *before*, which had no room for its first word.

    What is indented is code, if it does not stand below the beginning of an item.
    """
    if not line.strip() or _is_item(line) or " | " in before or before.endswith((":", ";", "{")):
        return False
    if line[0].isspace() and not in_item:
        return False
    return longest >= LEAST_WRAPPED and len(before) + 1 + len(line.split(maxsplit=1)[0]) > longest


def _is_item(line: str) -> bool:
    return ITEM.match(f"\n{line}") is not None


def _fits(shown: str, width: int, lines: int) -> bool:
    if lines == 1:
        return cells(shown) <= width
    return sum(len(lines_of(part, width)) for part in shown.split("\n")) <= lines


def _cut(sentence: str, wanted: Collection[str], width: int, lines: int) -> str:
    """*sentence*, or as much of it as fits."""
    first = next((match.span() for match in _matches(sentence, wanted)), (0, 0))
    room = min(len(sentence), width * lines)
    while not _fits(shown := _shorten(sentence, first, room), width, lines):
        room -= max(1, room // 16)
    return shown


def _shorten(sentence: str, shown: tuple[int, int], width: int) -> str:
    """Cut a long sentence, between words where it can be, so that the word at *shown* stays in sight."""
    if len(sentence) <= width:
        return sentence
    first, last = shown
    start = 0
    if first >= width // 2:
        start = max(sentence.rfind(" ", 0, first - width // 4) + 1, first - width // 2)
    opening = "… " if start else ""
    end = start + max(1, width - len(opening) - 2)
    if end < len(sentence):
        blank = max(sentence.rfind(" ", start, end), min(last, end))
        return f"{opening}{sentence[start : blank if blank > start else end]} …"
    return f"{opening}{sentence[start:end]}"
