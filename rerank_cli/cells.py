"""Text in the cells of a terminal: how many it takes, broken between words, and shortened."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

JOINER, WIDENER = "\u200d", "\ufe0f"
"""Makes one picture of two, and a picture of a sign: some terminals show this, some do not."""

CLOSING = frozenset(".,:;!?)]}、。，．！？：；）」』】〉》・ー")  # noqa: RUF001
"""Signs that no line begins with."""


def cells(text: str) -> int:
    """The cells that *text* takes: no terminal takes more."""
    return len(text) if text.isascii() else sum(map(_cells_of, text))


def _cells_of(letter: str) -> int:
    if letter.isascii() or letter == WIDENER:
        return 1
    if unicodedata.category(letter) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1


def head(text: str, room: int) -> str:
    """As much of the beginning of *text* as fits into *room* cells."""
    taken = 0
    for place, letter in enumerate(text):
        taken += _cells_of(letter)
        if taken > room:
            return text[:place]
    return text


def tail(text: str, room: int) -> str:
    """As much of the end of *text* as fits into *room* cells."""
    kept = head(text[::-1], room)[::-1]
    return kept.lstrip(f"{JOINER}{WIDENER}")


def middle_left_out(path: str, room: int) -> str:
    """*path* in at most *room* cells: what is too much of its middle gives way to …; its last names stay."""
    if cells(path) <= room:
        return path
    end = tail(path, room - 1)
    _, slash, names = end.partition("/")
    kept = f"/{names}" if slash and names else tail(path, room - 1 - room // 3)
    return f"{head(path, room - 1 - cells(kept))}…{kept}"


def lines_of(text: str, room: int) -> list[tuple[int, int]]:
    """Where each line of *text* begins and ends if it is broken, between words, to at most *room* cells.

    A word that is longer stands on a line of its own. Wide letters have no blanks between them and are words each.
    """
    if cells(fitting := text.rstrip()) <= room:
        return [(0, len(fitting))] if fitting else []
    lines: list[tuple[int, int]] = []
    start = end = taken = 0
    for first, last in _words(text):
        gap, width = cells(text[end:first]), cells(text[first:last])
        if end and taken + gap + width > room:
            lines.append((start, end))
            start, taken, gap = first, 0, 0
        taken += gap + width
        end = last
    return [*lines, (start, end)] if end else lines


def wrapped(text: str, room: int, *, indent: str = "", shortens: bool = True) -> list[str]:
    """*text* in lines of at most *room* cells, those after the first behind *indent*.

    Too long words are shortened, or stand on lines of their own. The blanks that it begins with stay.
    """
    begins = text[: len(text) - len(text.lstrip())]
    shorter = begins + shortened_words(text.lstrip(), room - max(len(indent), len(begins))) if shortens else text
    spans = lines_of(shorter, room)
    rest = shorter[spans[0][1] :].lstrip() if spans else ""
    others = (rest[start:end] for start, end in lines_of(rest, room - len(indent)))
    return [shorter[:end] for _, end in spans[:1]] + [f"{indent}{line}" for line in others] or [""]


def shortened_words(text: str, room: int) -> str:
    """*text* without the middles of words, such as paths, that take more than *room* cells.

    What is left of a word that began with a wide letter may go on where the one before it ends: it is shortened again.
    """
    shorter = text.rstrip()
    if shorter.isascii() and max(map(len, shorter.split()), default=0) <= room:
        return shorter
    while (taken := cells(shorter)) > room:
        shorter = _with_shorter_words(shorter, room)
        if cells(shorter) >= taken:
            break
    return shorter


def _with_shorter_words(text: str, room: int) -> str:
    kept = end = 0
    parts = []
    for first, last in _words(text):
        if cells(text[first:last]) > room:
            parts += [text[kept:first], middle_left_out(text[first:last], room)]
            kept = last
        end = last
    return "".join([*parts, text[kept:end]])


def _words(text: str) -> Iterator[tuple[int, int]]:
    """Where each word begins and ends. A wide letter is one by itself, with the signs that belong to it."""
    if text.isascii():  # most is, and has no wide letter
        yield from (found.span() for found in re.finditer(r"\S+", text))
        return
    start: int | None = None
    before = ""
    for place, letter in enumerate(text):
        if start is not None and (letter.isspace() or _parted(before, letter)):
            yield start, place
            start = None
        if start is None and not letter.isspace():
            start = place
        before = letter
    if start is not None:
        yield start, len(text)


def _parted(before: str, letter: str) -> bool:
    """Whether a line may end between two letters without a blank."""
    if letter in CLOSING or letter == WIDENER or before == JOINER or _cells_of(letter) == 0:
        return False
    return _cells_of(letter) == 2 or _cells_of(before) == 2
