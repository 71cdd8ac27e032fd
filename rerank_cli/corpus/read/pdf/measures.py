"""Ask pdfium where the letters of a page stand, how large they are, and of which font."""

from __future__ import annotations

import ctypes
import math
import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise

import pypdfium2.raw as pdfium

from rerank_cli.corpus.read.pdf.from_right import gaps_between
from rerank_cli.corpus.read.pdf.lean import lean
from rerank_cli.corpus.read.pdf.sheet import Sheet

FIRST_WIDE = "\u2e80"
"""From here on, mostly, a letter is as wide as its size, however little of that its ink takes."""

Gap = tuple[int, int, float]
"""A blank, what comes after it, and how wide it is, in points."""

_WORD = re.compile(r"[^ ]+")

# What a file says of a font's weight is mostly guessed: its name tells. TeX has `cmbx` and `LinLibertineB`.
_BOLD_NAME = re.compile(
    r"bold|black|heavy|demi|medi(?!um)|bx(?:sl|ti)?\d|(?:cm|sf|ec)b\d|-(?:bd|bol\b)|(?:libertine|biolinum)[to]?z?b|-b\b",
    re.IGNORECASE,
)
_FIXED_NAME = re.compile(
    r"mono|nimbusmon|courier|typewriter|consol|menlo|monaco|fixed|code|(?:cmi?|sl|sf|ec|lm|xb?)tt\d*\b|cmtex|(?:sf|ec)(?:st|it|tc)\d",
    re.IGNORECASE,
)
_NAME_BYTES = 128
_NAME_SIZE = ctypes.c_ulong(_NAME_BYTES)

# A font of pictures does not know the size of its letters. Capitals have about so much of it.
_CAPITAL_HEIGHT = 0.7
_PROBED = 12

# In sizes of the letters: no other letter reaches so far below its line, and the middle of signs is so far above it.
_HANGING = 0.6
_AXIS = 0.25

# Asked of some hundred letters of a page.
_ask_origin = lean(pdfium.FPDFText_GetCharOrigin)
_ask_loose_box = lean(pdfium.FPDFText_GetLooseCharBox)
_ask_box = lean(pdfium.FPDFText_GetCharBox)
_ask_matrix = lean(pdfium.FPDFText_GetMatrix)
_ask_font = lean(pdfium.FPDFText_GetFontInfo)
_size_of = lean(pdfium.FPDFText_GetFontSize)
is_generated = lean(pdfium.FPDFText_IsGenerated)
"""1 for a letter that pdfium has put there, 0 for one of the file."""

object_of = lean(pdfium.FPDFText_GetTextObject)


class Measures:
    """What pdfium knows of the letters of a page, counted from its upper corner where reading begins, in points.

    Each question costs a microsecond: few letters are asked about.
    """

    def __init__(self, raw: pdfium.FPDF_TEXTPAGE, sheet: Sheet) -> None:
        self.raw = raw
        self._sheet = sheet
        self._shift = sheet.left
        self._edge_from_right = sheet.left + sheet.width if sheet.from_right else None
        self._is_straight = sheet.turned == 0 and not sheet.from_right
        self._x, self._y = ctypes.c_double(), ctypes.c_double()
        self._point = ctypes.byref(self._x), ctypes.byref(self._y)
        self._edges = tuple(ctypes.c_double() for _ in range(4))
        self._edge_pointers = tuple(map(ctypes.byref, self._edges))
        self._box = pdfium.FS_RECTF()
        self._box_pointer = ctypes.byref(self._box)
        self._matrix = pdfium.FS_MATRIX()
        self._name = ctypes.create_string_buffer(_NAME_BYTES)
        self._flags = ctypes.c_int()

    def left(self, index: int) -> float:
        if self._is_straight:
            _ask_origin(self.raw, index, *self._point)
            return self._x.value - self._shift
        if self._edge_from_right is None:
            return self.origin(index)[0]
        _ask_loose_box(self.raw, index, self._box_pointer)
        right: float = self._box.right
        return self._edge_from_right - right

    def right(self, index: int) -> float:
        if not (self._is_straight or self._edge_from_right is not None):
            return max(x for x, _ in self.corners(index))
        _ask_loose_box(self.raw, index, self._box_pointer)
        reach: float = self._box.right if self._is_straight else self._box.left
        return reach - self._shift if self._edge_from_right is None else self._edge_from_right - reach

    def between(self, before: int, after: int) -> float:
        """How wide the gap between two letters is, below nothing where they overlap."""
        return self.left(after) - self.right(before)

    def edge(self, letter: str, index: int) -> float:
        """Where a letter ends. The blank after it does not tell: pdfium puts its own where the next one is."""
        return self.right(index) if letter < FIRST_WIDE else self.left(index) + self.size(index)[0]

    def upper(self, index: int) -> float:
        return min(y for _, y in self.corners(index))

    def origin(self, index: int) -> tuple[float, float]:
        _ask_origin(self.raw, index, *self._point)
        return self._sheet.shown(self._x.value, self._y.value)

    def corners(self, index: int) -> tuple[tuple[float, float], tuple[float, float]]:
        _ask_box(self.raw, index, *self._edge_pointers)
        left, right, bottom, top = (edge.value for edge in self._edges)
        return self._sheet.shown(left, bottom), self._sheet.shown(right, top)

    def span(self, first: int, end: int) -> tuple[float, float]:
        """From where to where a word reaches, whichever way it runs."""
        return min(self.left(first), self.left(end - 1)), max(self.right(first), self.right(end - 1))

    def direction(self, first: int, last: int) -> tuple[float, float]:
        """How far a letter stands to the right of another one, and how far below it."""
        (x, y), (other_x, other_y) = self.origin(first), self.origin(last)
        return abs(other_x - x), abs(other_y - y)

    def gaps(self, text: str, first: int, end: int) -> list[Gap]:
        """The gaps between the words of a line."""
        if self._edge_from_right is not None:
            return list(self._gaps_from_right(text, first, end))
        gaps = []
        space = text.find(" ", first, end)
        while space >= 0:
            after = space + 1
            while text[after] == " ":
                after += 1
            if self._is_straight and text[space - 1] < FIRST_WIDE:  # as below, but in half the time: nearly all are so
                _ask_origin(self.raw, after, *self._point)
                _ask_loose_box(self.raw, space - 1, self._box_pointer)
                gaps.append((space, after, self._x.value - self._box.right))
            else:
                gaps.append((space, after, self.left(after) - self.edge(text[space - 1], space - 1)))
            space = text.find(" ", after, end)
        return gaps

    def _gaps_from_right(self, text: str, first: int, end: int) -> Iterator[Gap]:
        words = [found.span() for found in _WORD.finditer(text, first, end)]
        gaps = gaps_between([self.span(*word) for word in words])
        for ((_, space), (after, _)), width in zip(pairwise(words), gaps, strict=True):
            yield space, after, width

    def size(self, index: int) -> tuple[float, int]:
        """The size of a letter, and how many quarters the page is to be turned for it to stand upright."""
        matrix = self._matrix
        size = _size_of(self.raw, index)
        if not _ask_matrix(self.raw, index, ctypes.byref(matrix)):
            return size or 1.0, self._sheet.turned
        along, across = (matrix.a, matrix.b) if size >= 0 else (-matrix.a, -matrix.b)
        turn = (0 if along >= 0 else 2) if abs(along) >= abs(across) else (1 if across > 0 else 3)
        return abs(size) * math.hypot(matrix.c, matrix.d), turn

    @property
    def is_mirrored(self) -> bool:
        """Whether the letter whose size was asked last stands on its head though it runs to the right."""
        return bool(self._matrix.a * self._matrix.d < 0)

    def usual(self, first: int, middle: int, last: int) -> tuple[float, int, int]:
        """The size and turn that most of three letters have, one of which may be raised or small; and which has it."""
        begins, usual = (*self.size(first), first), (*self.size(middle), middle)
        if begins[:2] == usual[:2]:
            return usual
        return sorted((begins, usual, (*self.size(last), last)))[1]

    def height_of_sign(self, index: int, size: float) -> float:
        """The line that a single letter stands on. Large signs of formulas hang below theirs: their middle tells."""
        (_, bottom), (_, top) = self.corners(index)
        y = self.origin(index)[1]
        low, high = max(bottom, top), min(bottom, top)
        return (low + high) / 2 + _AXIS * size if low - y > _HANGING * size else y

    def size_of_ink(self, first: int, end: int) -> float:
        """The size of letters by how they look: fonts that are made of pictures do not know theirs."""
        baseline = self.origin(first)[1]
        step = max(1, (end - first) // _PROBED)
        rise = max(baseline - self.upper(index) for index in range(first, end, step))
        return max(1.0, rise / _CAPITAL_HEIGHT)

    def font(self, index: int) -> tuple[bool, bool] | None:
        """Whether a letter is bold, and whether its font is a typewriter's; None where the font has no name."""
        name = self.font_name(index)
        if not name:
            return None
        bold, fixed = _by_name(name)
        return bold, fixed or bool(self._flags.value & 1)

    def font_name(self, index: int) -> bytes:
        length = _ask_font(self.raw, index, self._name, _NAME_SIZE, ctypes.byref(self._flags))
        return self._name.value if 0 < length <= _NAME_BYTES else b""


@lru_cache(maxsize=1_000)
def _by_name(font: bytes) -> tuple[bool, bool]:
    name = font.decode("utf-8", "replace")
    return bool(_BOLD_NAME.search(name)), bool(_FIXED_NAME.search(name))
