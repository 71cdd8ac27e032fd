"""The only door to pdfium: from the bytes of a PDF to the lines of its pages, its bookmarks and its own title."""

from __future__ import annotations

import ctypes
import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pypdfium2
import pypdfium2.raw as pdfium

from rerank_cli.corpus.read.errors import Unreadable
from rerank_cli.corpus.read.pdf.characters import BROKEN_WORD, cleaned
from rerank_cli.corpus.read.pdf.lines import CELL_GAP, Cell, Line, side_by_side

# pdfium's sign for a hyphen that parts a word at the end of a line, and how it ends other lines.
_PARTED = "\ufffe"
_LINE = re.compile("([^\r\n\ufffe\x02]*)(\r\n|\r|\n|[\ufffe\x02]|$)")

_BOLD_NAME = re.compile(r"bold|black|heavy|demi|medi(?!um)|cmbx|-b\b", re.IGNORECASE)
_FIXED_NAME = re.compile(r"mono|courier|typewriter|consol|cmtt|menlo|fixed", re.IGNORECASE)
_BOLD_WEIGHT = 600
_NAME_BYTES = 128

# Of more bookmarks than any book has, and of deeper ones, the rest is left out.
_MOST_BOOKMARKS = 20_000
_DEEPEST_BOOKMARK = 6
_MOST_TITLE_CHARS = 300


@dataclass(frozen=True, slots=True)
class Bookmark:
    """An entry of the outline; `level` counts from 1, `page` too. `y` is where on the page it leads, if it says."""

    title: str
    level: int
    page: int
    y: float | None


@dataclass(frozen=True, slots=True)
class Page:
    """A page as it is shown. `damaged` where pdfium cannot make anything of it."""

    number: int
    height: float
    width: float
    lines: tuple[Line, ...]
    comments: tuple[str, ...] = ()
    damaged: bool = False


@contextmanager
def opened(content: bytes) -> Iterator[Pdf]:
    """The PDF in *content*. Raises Unreadable where it is none, needs a password or cannot be repaired."""
    if b"%PDF-" not in content[:1024]:
        raise Unreadable("not a PDF" if content.strip() else "empty")
    try:
        document = pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as error:
        raise Unreadable(_reason(error)) from error
    try:
        yield Pdf(document)
    finally:
        document.close()


def _reason(error: pypdfium2.PdfiumError) -> str:
    match getattr(error, "err_code", None):
        case pdfium.FPDF_ERR_PASSWORD:
            return "encrypted: needs a password"
        case pdfium.FPDF_ERR_SECURITY:
            return "encrypted in a way that is not known"
    return "damaged: no pages are found in it"


class Pdf:
    """An open PDF."""

    def __init__(self, document: pypdfium2.PdfDocument) -> None:
        self._document = document
        self._form = self._form_of(document)

    @property
    def title(self) -> str:
        """What the file says that it is called, which is often nonsense."""
        return cleaned(self._document.get_metadata_value("Title"))[:_MOST_TITLE_CHARS]

    @staticmethod
    def _form_of(document: pypdfium2.PdfDocument) -> pypdfium2.PdfFormEnv | None:
        if document.get_formtype() == pdfium.FORMTYPE_NONE:
            return None
        return document.init_forms()

    def bookmarks(self) -> list[Bookmark]:
        """The outline from top to bottom, but for what leads nowhere."""
        found: list[Bookmark] = []
        for entry in self._document.get_toc(max_depth=_DEEPEST_BOOKMARK):
            if len(found) == _MOST_BOOKMARKS:
                break
            title = cleaned(entry.get_title())[:_MOST_TITLE_CHARS]
            target = entry.get_dest()
            page = target.get_index() if target else None
            if title and page is not None:
                found.append(Bookmark(title, entry.level + 1, page + 1, None))
        return found

    def pages(self) -> Iterator[Page]:
        """Every page in order."""
        for index in range(len(self._document)):
            try:
                page = self._document[index]
            except pypdfium2.PdfiumError:
                yield Page(index + 1, 0, 0, (), damaged=True)
                continue
            try:
                yield self._read(page, index + 1)
            finally:
                page.close()

    def _read(self, page: pypdfium2.PdfPage, number: int) -> Page:
        sheet = _Sheet.of(page)
        textpage = page.get_textpage()
        try:
            lines = _Letters(textpage, sheet, number).lines()
        finally:
            textpage.close()
        return Page(number, sheet.height, sheet.width, tuple(side_by_side(lines)))


@dataclass(frozen=True, slots=True)
class _Sheet:
    """How a page is shown: what part of its plane, turned by how many quarters."""

    left: float
    top: float
    width: float
    height: float
    turned: int

    @classmethod
    def of(cls, page: pypdfium2.PdfPage) -> _Sheet:
        left, bottom, right, top = page.get_bbox()
        width, height = right - left, top - bottom
        return cls(left, top, width, height, page.get_rotation() // 90)

    def shown(self, x: float, y: float) -> tuple[float, float]:
        """Where a point of the plane stands, counted from the upper left corner of the page as it is shown."""
        x, y = x - self.left, self.top - y
        match self.turned:
            case 1:
                return self.height - y, x
            case 2:
                return self.width - x, self.height - y
            case 3:
                return y, self.width - x
        return x, y


class _Letters:
    """What pdfium knows of the letters of a page. Each question costs a microsecond: few letters are asked about."""

    def __init__(self, textpage: pypdfium2.PdfTextPage, sheet: _Sheet, number: int) -> None:
        self._raw = textpage.raw
        self._sheet = sheet
        self._number = number
        self._count = textpage.count_chars()
        self._x, self._y = ctypes.c_double(), ctypes.c_double()
        self._point = ctypes.byref(self._x), ctypes.byref(self._y)
        self._edges = tuple(ctypes.c_double() for _ in range(4))
        self._edge_pointers = tuple(map(ctypes.byref, self._edges))
        self._matrix = pdfium.FS_MATRIX()
        self._name = ctypes.create_string_buffer(_NAME_BYTES)
        self._flags = ctypes.c_int()

    def lines(self) -> list[Line]:
        """The lines in the order of the file, which is mostly that of reading."""
        text = self._text()
        lines = []
        for found in _LINE.finditer(text):
            first, end = found.span(1)
            while first < end and text[first].isspace():
                first += 1
            while end > first and text[end - 1].isspace():
                end -= 1
            if first < end:
                line = self._line(text, first, end, parted=found[2] in ("\ufffe", "\x02"))
                if line:
                    lines.append(line)
        return lines

    def _text(self) -> str:
        """One character for each letter that pdfium counts."""
        if self._count <= 0:
            return ""
        buffer = (ctypes.c_ushort * (2 * self._count + 2))()
        written = pdfium.FPDFText_GetText(self._raw, 0, self._count, buffer)
        text = bytes(buffer)[: 2 * max(0, written - 1)].decode("utf-16-le", "replace")
        if len(text) == self._count:
            return text
        codes = (pdfium.FPDFText_GetUnicode(self._raw, index) for index in range(self._count))
        return "".join(chr(code) if 0 < code < 0x110000 else "\ufffd" for code in codes)

    def _line(self, text: str, first: int, end: int, *, parted: bool) -> Line | None:
        last = end - 1
        middle = (first + last) // 2
        while text[middle].isspace():
            middle += 1
        size, upright = self._size(middle)
        fonts = [self._font(index) for index in (first, middle, last)]
        y = self._origin(middle)[1]
        cells = [
            Cell(shown, self._left(begins), self._right(ends - 1))
            for begins, ends in self._cells(text, first, end, size if upright else math.inf)
            if (shown := cleaned(text[begins:ends]))
        ]
        if not cells:
            return None
        if parted:
            cells[-1] = Cell(cells[-1].text + BROKEN_WORD, cells[-1].left, cells[-1].right)
        bold, fixed = (all(each) for each in zip(*fonts, strict=True))
        return Line(tuple(cells), self._number, y, size, bold, fixed, upright)

    def _cells(self, text: str, first: int, end: int, size: float) -> Iterator[tuple[int, int]]:
        """Where each cell begins and ends. pdfium writes one blank whatever the gap, so gaps are measured."""
        begins = first
        space = text.find(" ", first, end)
        while space >= 0:
            after = space + 1
            while text[after] == " ":
                after += 1
            if self._left(after) - self._origin(space)[0] > CELL_GAP * size:
                yield begins, space
                begins = after
            space = text.find(" ", after, end)
        yield begins, end

    def _size(self, index: int) -> tuple[float, bool]:
        """The size of a letter as it is shown, and whether it stands upright on the page."""
        matrix = self._matrix
        size = pdfium.FPDFText_GetFontSize(self._raw, index)
        if not pdfium.FPDFText_GetMatrix(self._raw, index, ctypes.byref(matrix)):
            return size or 1.0, True
        along, across = matrix.a, matrix.b
        if self._sheet.turned % 2:
            along, across = across, along
        scale = math.hypot(matrix.c, matrix.d)
        return max(1.0, size * scale), abs(along) >= abs(across)

    def _font(self, index: int) -> tuple[bool, bool]:
        """Whether a letter is bold, and whether its font is a typewriter's."""
        length = pdfium.FPDFText_GetFontInfo(self._raw, index, self._name, _NAME_BYTES, ctypes.byref(self._flags))
        name = self._name.value.decode("utf-8", "replace") if 0 < length <= _NAME_BYTES else ""
        bold = bool(_BOLD_NAME.search(name)) or pdfium.FPDFText_GetFontWeight(self._raw, index) >= _BOLD_WEIGHT
        return bold, bool(self._flags.value & 1) or bool(_FIXED_NAME.search(name))

    def _origin(self, index: int) -> tuple[float, float]:
        pdfium.FPDFText_GetCharOrigin(self._raw, index, *self._point)
        return self._sheet.shown(self._x.value, self._y.value)

    def _left(self, index: int) -> float:
        return self._origin(index)[0]

    def _right(self, index: int) -> float:
        pdfium.FPDFText_GetCharBox(self._raw, index, *self._edge_pointers)
        left, right, bottom, top = (edge.value for edge in self._edges)
        return max(self._sheet.shown(left, bottom)[0], self._sheet.shown(right, top)[0])
