"""The signs of the fonts Symbol and Wingdings, for which files have private characters, or letters of their numbers."""

from __future__ import annotations

import re
from collections.abc import Callable

_PRIVATE = 0xF000

# Those of Symbol from 0x20 on, and from 0xA0 on. Of a large bracket in three parts the upper one is it.
_LOWER = (
    " !∀#∃%&∋()∗+,−./0123456789:;<=>?"  # noqa: RUF001
    "≅ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ[∴]⊥_"
    "‾αβχδεφγηιϕκλμνοπθρστυϖωξψζ{|}∼"  # noqa: RUF001
)
_UPPER = (
    "€ϒ′≤⁄∞ƒ♣♦♥♠↔←↑→↓°±″≥×∝∂•÷≠≡≈…|—↵"  # noqa: RUF001
    "ℵℑℜ℘⊗⊕∅∩∪⊃⊇⊄⊂⊆∈∉∠∇®©™∏√⋅¬∧∨⇔⇐⇑⇒⇓"  # noqa: RUF001
    "◊⟨®©™∑(..[..{....⟩∫∫..)..]..}.."  # where a dot is nothing
)
_NOTHING = "\u200b"
_SYMBOL = {chr(code): sign for code, sign in enumerate(_LOWER, 0x20)}
_SYMBOL |= {chr(code): sign.replace(".", _NOTHING) for code, sign in enumerate(_UPPER, 0xA0)}

# Those of Wingdings that people write: bullets, boxes, arrows and faces.
_WINGDINGS = {
    chr(code): sign
    for code, sign in (
        *((0x4A, "☺"), (0x4C, "☹"), (0x6C, "●"), (0x6E, "■"), (0x6F, "□"), (0x71, "❑"), (0x75, "◆"), (0x76, "❖")),
        *((0xA7, "▪"), (0xA8, "□"), (0xD8, "➢"), (0xDF, "←"), (0xE0, "→"), (0xE1, "↑"), (0xE2, "↓"), (0xE8, "➔")),
        *((0xEF, "⇐"), (0xF0, "⇒"), (0xF3, "⇔"), (0xFB, "✗"), (0xFC, "✓"), (0xFD, "☒"), (0xFE, "☑")),
    )
}

_SUSPECT = re.compile("[\uf020-\uf0ff]|[ßàð]")
_SUSPECT_FIRST = re.compile("\n([lnoquvèüþ§¨Ø])(?!\\S)")  # of a line
_SYMBOL_NAME = re.compile(rb"Symbol(?!\w*(?:UI|Neu))")
_OFFICE_NAME = re.compile(rb"(?:Open|Star)Symbol")  # has the bullets of Wingdings, and the other signs of Symbol
_WINGDINGS_NAME = re.compile(rb"Wingdings(?! ?[23])")


def with_signs(text: str, name_of: Callable[[int], bytes]) -> str:
    """*text* with such signs, one for each. *name_of* gives the name of the font of a letter, which costs more."""
    suspects = [found.start() for found in _SUSPECT_FIRST.finditer(f"\n{text}")]
    if not text.isascii():
        suspects += [found.start() for found in _SUSPECT.finditer(text)]
    if not suspects:
        return text
    letters = list(text)
    for index in suspects:
        name, sign = name_of(index), text[index]
        letter = chr(ord(sign) - _PRIVATE) if ord(sign) > _PRIVATE else sign
        is_bullet = letter in _WINGDINGS and text[index - 1 : index] in ("", "\n") and _OFFICE_NAME.search(name)
        if is_bullet or _WINGDINGS_NAME.search(name):
            letters[index] = _WINGDINGS.get(letter, sign)
        elif letter != sign and _SYMBOL_NAME.search(name):
            letters[index] = _SYMBOL.get(letter, sign)
    return "".join(letters)
