"""What pdfium tells of the characters of a page."""

from __future__ import annotations

import ctypes
import sys
from functools import partial

import pypdfium2
import pypdfium2.raw as pdfium

from rerank_cli.corpus.read.pdf.lean import lean

_code = lean(pdfium.FPDFText_GetUnicode)


def characters_of(textpage: pypdfium2.PdfTextPage) -> str:
    """One character for each letter that pdfium counts."""
    count = textpage.count_chars()
    if count <= 0:
        return ""
    buffer = (ctypes.c_ushort * (2 * count + 2))()
    written = pdfium.FPDFText_GetText(textpage.raw, 0, count, buffer)
    text = bytes(buffer)[: 2 * max(0, written - 1)].decode("utf-16-le", "replace")
    if len(text) == count:
        return text
    if written - 1 == count:  # it counts two for a letter beyond the first plane
        return "".join(map(chr, buffer[:count]))
    codes = list(map(partial(_code, textpage.raw), range(count)))
    if max(codes) > sys.maxunicode:
        codes = [code if code <= sys.maxunicode else 0 for code in codes]
    return "".join(map(chr, codes)).replace("\0", "\ufffd")
