"""How wide the letters of a page are in their fonts, whatever their size."""

from __future__ import annotations

import ctypes
import math

import pypdfium2
import pypdfium2.raw as pdfium

_NAME_BYTES = 128

Sign = tuple[str, str, int]
"""A letter's font, its character, and its width in hundredths of its size; no width where it is set sideways."""


class Widths:
    """Asks for signs, of as many pages as one likes."""

    def __init__(self) -> None:
        self._name = ctypes.create_string_buffer(_NAME_BYTES)
        self._flags = ctypes.c_int()
        self._box = pdfium.FS_RECTF()
        self._matrix = pdfium.FS_MATRIX()

    def left(self, textpage: pypdfium2.raw.FPDF_TEXTPAGE, index: int) -> float:
        """Where a letter begins."""
        pdfium.FPDFText_GetLooseCharBox(textpage, index, ctypes.byref(self._box))
        left: float = self._box.left
        return left

    def sign(self, textpage: pypdfium2.raw.FPDF_TEXTPAGE, index: int, letter: str) -> Sign:
        length = pdfium.FPDFText_GetFontInfo(textpage, index, self._name, _NAME_BYTES, ctypes.byref(self._flags))
        font = self._name.value.decode("utf-8", "replace") if 0 < length <= _NAME_BYTES else ""
        pdfium.FPDFText_GetLooseCharBox(textpage, index, ctypes.byref(self._box))
        pdfium.FPDFText_GetMatrix(textpage, index, ctypes.byref(self._matrix))
        if abs(self._matrix.b) > abs(self._matrix.a):
            return font, letter, 0
        size = abs(pdfium.FPDFText_GetFontSize(textpage, index)) * math.hypot(self._matrix.a, self._matrix.b) or 1.0
        return font, letter, round(100 * (self._box.right - self._box.left) / size)
