"""The ligatures of an old Ghostscript, whose fonts may tell the last letter of each alone: "signiicant"."""

from __future__ import annotations

import re
from collections.abc import Collection

import pypdfium2

from rerank_cli.corpus.read.pdf.characters import LIGATURE_OF
from rerank_cli.corpus.read.pdf.widths import Widths

_MADE_BY = re.compile(r"Ghostscript 9\.0")

# What any font may have. Of the others only those that the file names.
_USUAL = ("ff", "fi", "fl", "ffi", "ffl")

# They are about as wide as each other; a font may have one of them in ligatures alone.
_SLIM = "il"

# It is so many times wider than its last letter at least, and a little narrower than all of its letters.
_WIDER = 1.5
_NARROWEST, _WIDEST = 0.7, 1.05


class CutLigatures:
    """What the files of a *producer* have in the place of their ligatures."""

    def __init__(self, producer: str) -> None:
        self.is_suspect = _MADE_BY.search(producer) is not None
        self._widths = Widths()

    def told(self, textpage: pypdfium2.raw.FPDF_TEXTPAGE, text: str, named: Collection[str]) -> str:
        """*text*, one character for each letter of *textpage*, with its ligatures. *named* are those of the file."""
        ligatures = {*_USUAL, *named}
        asked = {letter for ligature in ligatures for letter in ligature}
        signs = {
            index: self._widths.sign(textpage, index, letter) for index, letter in enumerate(text) if letter in asked
        }
        usual: dict[tuple[str, str], int] = {}
        for font, letter, width in signs.values():
            for each in _SLIM if letter in _SLIM else letter:
                if font and width:
                    usual[font, each] = min(width, usual.get((font, each), width))
        letters = list(text)
        for index, (font, letter, width) in signs.items():
            if width > _WIDER * usual.get((font, letter), width) and not self._is_whole(textpage, index):
                whole = {
                    ligature: width / sum(usual[font, each] for each in ligature)
                    for ligature in ligatures
                    if ligature[-1] == letter and all((font, each) in usual for each in ligature)
                }
                fitting = [ligature for ligature, share in whole.items() if _NARROWEST < share < _WIDEST]
                if fitting:
                    letters[index] = LIGATURE_OF[max(fitting, key=lambda ligature: (whole[ligature], ligature))]
        return "".join(letters)

    def _is_whole(self, textpage: pypdfium2.raw.FPDF_TEXTPAGE, index: int) -> bool:
        """Whether a letter is of a ligature whose letters are all told: pdfium has each at the place of all."""
        left = self._widths.left(textpage, index)
        return any(self._widths.left(textpage, other) == left for other in (index - 1, index + 1))
