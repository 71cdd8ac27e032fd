"""The letters of formulas in Cambria Math, for which Word and Acrobat give the numbers of their glyphs."""

from __future__ import annotations

import re
from collections.abc import Callable

_CAPITALS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_LETTERS = _CAPITALS + _CAPITALS.lower()
_GREEK = "αβγδεζηθικλμνξοπρσςτυφχψω"
_DIGITS = "0123456789+−="  # noqa: RUF001

# The first glyph of some that follow each other: slanted ones, small ones, slanted small ones, smaller ones, signs.
_RUNS = {
    0x723: _LETTERS,
    0x7D9: _GREEK,
    0xB34: _DIGITS,
    0xB45: _LETTERS,
    0xBBA: _LETTERS,
    0xC08: _GREEK,
    0xC2C: _DIGITS,
    0xCB2: _LETTERS,
    0xD45: "+−±×",  # noqa: RUF001
    0xD4C: "=≠≈<>≤≥",
    0x123A: "(){}[]()[]{}",
}
_SINGLE = {0xBB6: "∞", 0xDA5: "√", 0xDB1: "∫", 0xDCD: "∑", 0xDD1: "∏"}
_OF_GLYPH = {chr(first + at): sign for first, signs in _RUNS.items() for at, sign in enumerate(signs)}
_OF_GLYPH |= {chr(glyph): sign for glyph, sign in _SINGLE.items()}
_GLYPH = re.compile(f"[{''.join(_OF_GLYPH)}]")

# A page whose first such letters are of other fonts is in a language that is written with them.
_ASKED = 8


def with_letters_of_cambria(text: str, name_of: Callable[[int], bytes]) -> str:
    """*text* with those letters, one for each. *name_of* gives the name of the font of a letter, which costs more."""
    found = [] if text.isascii() else [each.start() for each in _GLYPH.finditer(text)]
    if not any(_is_cambria(name_of(index)) for index in found[:_ASKED]):
        return text
    letters = list(text)
    for index in found:
        if _is_cambria(name_of(index)):
            letters[index] = _OF_GLYPH[text[index]]
    return "".join(letters)


def _is_cambria(font: bytes) -> bool:
    return b"Cambria" in font
