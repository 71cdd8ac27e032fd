"""Count the items of lists, as documents of Word take it, which keep no number with the item."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from rerank_cli.corpus.read.package import number, value

BULLET = "- "

_ROMAN = (
    *((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl")),
    *((10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i")),
)
_MAX_ROMAN = 4000
_PLACE = re.compile(r"%([1-9])")


@dataclass(frozen=True, slots=True)
class _Level:
    """How the items of a level are marked: `text` is a pattern such as "%1.%2." for numbers of `format`."""

    format: str
    text: str
    start: int


class Numbering:
    """The lists that the part "numbering" defines, and how far each has come."""

    def __init__(self, tree: Element) -> None:
        kinds = {value(each, "abstractNumId"): _levels(each) for each in tree if each.tag == "abstractNum"}
        self._kind_of: dict[str, str] = {}
        self._levels: dict[str, dict[int, _Level]] = {}
        for each in tree:
            if each.tag == "num":
                id, kind = value(each, "numId"), value(each.find("abstractNumId"), "val")
                self._kind_of[id] = kind
                self._levels[id] = {**kinds.get(kind, {}), **_overridden(each)}
        self._restarts = {(value(each, "numId"), at): start for each in tree for at, start in _restarts(each)}
        self._counts: dict[str, dict[int, int]] = {}

    def mark(self, id: str, level: int) -> str:
        """What stands before the next item at *level* of the list *id*; nothing where that is no list."""
        levels = self._levels.get(id, {})
        own = levels.get(level)
        if own is None or own.format == "none":
            return ""
        if own.format == "bullet":
            return BULLET
        counts = self._counts.setdefault(self._kind_of[id], {})
        restart = self._restarts.pop((id, level), None)  # a list begins anew once, where it is first used
        counts[level] = counts.get(level, own.start - 1) + 1 if restart is None else restart
        for deeper in [each for each in counts if each > level]:
            del counts[deeper]

        def counted(place: re.Match[str]) -> str:
            at = int(place[1]) - 1
            kind = levels.get(at, own)
            return written(counts.get(at, kind.start), kind.format)

        text = _PLACE.sub(counted, own.text).strip()
        return f"{text} " if text else ""


def _levels(kind: Element) -> dict[int, _Level]:
    return {number(value(each, "ilvl"), 0): _level(each) for each in kind if each.tag == "lvl"}


def _overridden(list: Element) -> dict[int, _Level]:
    levels = (each.find("lvl") for each in list if each.tag == "lvlOverride")
    return {number(value(each, "ilvl"), 0): _level(each) for each in levels if each is not None}


def _restarts(list: Element) -> Iterator[tuple[int, int]]:
    """The levels at which *list* begins with a number of its own, and that number."""
    for each in list:
        start = each.find("startOverride")
        if start is not None:
            yield number(value(each, "ilvl"), 0), number(value(start, "val"), 1)


def _level(element: Element) -> _Level:
    format = value(element.find("numFmt"), "val", "decimal")
    start = number(value(element.find("start"), "val"), 1)
    return _Level(format, value(element.find("lvlText"), "val")[:100], start)


def written(count: int, format: str) -> str:
    """*count* in numbers or letters, as Word calls their *format*."""
    match format:
        case "lowerLetter" | "upperLetter" if count > 0:
            letter = chr(ord("a") + (count - 1) % 26) * ((count - 1) // 26 % 10 + 1)
            return letter.upper() if format == "upperLetter" else letter
        case "lowerRoman" | "upperRoman" if 0 < count < _MAX_ROMAN:
            return _roman(count).upper() if format == "upperRoman" else _roman(count)
        case "decimalZero":
            return f"{count:02}"
    return str(count)


def _roman(count: int) -> str:
    signs = []
    for worth, sign in _ROMAN:
        signs.append(sign * (count // worth))
        count %= worth
    return "".join(signs)
