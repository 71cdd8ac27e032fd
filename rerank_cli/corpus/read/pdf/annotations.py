"""What somebody wrote on the pages of a PDF: what its form is filled in with, and comments."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import pypdfium2
import pypdfium2.raw as pdfium

from rerank_cli.corpus.read.pdf.characters import cleaned
from rerank_cli.corpus.read.pdf.lines import Cell, Line
from rerank_cli.corpus.read.pdf.sheet import Sheet

# Of more on a page the rest is left out.
_MOST_ANNOTATIONS = 5_000
_MOST_BYTES = 200_000

_COMMENTS = frozenset(
    (
        *(pdfium.FPDF_ANNOT_TEXT, pdfium.FPDF_ANNOT_FREETEXT, pdfium.FPDF_ANNOT_HIGHLIGHT),
        *(pdfium.FPDF_ANNOT_UNDERLINE, pdfium.FPDF_ANNOT_SQUIGGLY, pdfium.FPDF_ANNOT_STRIKEOUT),
        *(pdfium.FPDF_ANNOT_CARET, pdfium.FPDF_ANNOT_SQUARE, pdfium.FPDF_ANNOT_CIRCLE, pdfium.FPDF_ANNOT_STAMP),
    )
)
_WRITTEN = frozenset((pdfium.FPDF_FORMFIELD_TEXTFIELD, pdfium.FPDF_FORMFIELD_COMBOBOX, pdfium.FPDF_FORMFIELD_LISTBOX))
_TICKED = frozenset((pdfium.FPDF_FORMFIELD_CHECKBOX, pdfium.FPDF_FORMFIELD_RADIOBUTTON))

_TICKS = ("[ ]", "[x]")
_PRINTED_BOXES = "□☐❑❒○\uf06f\uf071\uf072\uf0a8"

_USUAL_SIZE = 10.0

# In sizes of its letters: so far below it what a label says is filled in at most.
_FARTHEST_LABEL = 3.0


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a form and what it is filled in with."""

    text: str
    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, slots=True)
class Written:
    """What is written on a page besides its own text."""

    fields: tuple[Field, ...] = ()
    comments: tuple[str, ...] = ()


def written_on(page: pypdfium2.PdfPage, form: pypdfium2.PdfFormEnv | None, sheet: Sheet) -> Written:
    """The filled fields and the comments of *page*."""
    fields: list[Field] = []
    comments: list[str] = []
    for index in range(min(pdfium.FPDFPage_GetAnnotCount(page.raw), _MOST_ANNOTATIONS)):
        with _annotation(page, index) as annotation:
            kind = pdfium.FPDFAnnot_GetSubtype(annotation) if annotation else None
            if kind in _COMMENTS:
                comments.append(
                    cleaned(_string(lambda *rest: pdfium.FPDFAnnot_GetStringValue(annotation, b"Contents", *rest)))
                )
            elif kind == pdfium.FPDF_ANNOT_WIDGET and form:
                fields += _field(annotation, form, sheet)
    return Written(tuple(fields), tuple(filter(None, comments)))


@contextmanager
def _annotation(page: pypdfium2.PdfPage, index: int) -> Iterator[pdfium.FPDF_ANNOTATION]:
    annotation = pdfium.FPDFPage_GetAnnot(page.raw, index)
    try:
        yield annotation
    finally:
        if annotation:
            pdfium.FPDFPage_CloseAnnot(annotation)


def _field(annotation: pdfium.FPDF_ANNOTATION, form: pypdfium2.PdfFormEnv, sheet: Sheet) -> Iterator[Field]:
    kind = pdfium.FPDFAnnot_GetFormFieldType(form.raw, annotation)
    if kind in _TICKED:
        text = _TICKS[bool(pdfium.FPDFAnnot_IsChecked(form.raw, annotation))]
    elif kind in _WRITTEN:
        text = cleaned(_string(lambda *rest: pdfium.FPDFAnnot_GetFormFieldValue(form.raw, annotation, *rest)))
    else:
        return
    box = pdfium.FS_RECTF()
    if text and pdfium.FPDFAnnot_GetRect(annotation, ctypes.byref(box)):
        (x0, y0), (x1, y1) = sheet.shown(box.left, box.bottom), sheet.shown(box.right, box.top)
        yield Field(text, min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))


def _string(ask: Callable[..., int]) -> str:
    """What *ask* writes into a buffer that it tells the size of."""
    size = ask(None, 0)
    if not 2 < size <= _MOST_BYTES:
        return ""
    buffer = (ctypes.c_ushort * (size // 2 + 1))()
    ask(buffer, size)
    return bytes(buffer)[: size - 2].decode("utf-16-le", "replace")


def filled_in(lines: list[Line], fields: tuple[Field, ...], number: int) -> list[Line]:
    """*lines* with each of *fields* beside what stands on its height, else below what stands above it."""
    filled = list(lines)
    values: dict[int, Line] = {}  # the lines that are no more than fields, by their identity
    for field in fields:
        after = _above(filled, field)
        box = filled[after - 1].box if after else None
        beside = [
            index
            for index, line in enumerate(filled)
            if field.top < line.y - 0.3 * line.size < field.bottom and (line.box == box or id(line) not in values)
        ]
        if beside:
            index = min(beside, key=lambda index: _distance(filled[index], field))
            whole = _with_field(filled[index], field)
            if id(filled[index]) in values:
                values[id(whole)] = whole
            filled[index] = whole
        else:
            line = Line((Cell(field.text, field.left, field.right),), number, field.bottom, _USUAL_SIZE, box=box)
            values[id(line)] = line
            filled.insert(after, line)
    return filled


def _with_field(line: Line, field: Field) -> Line:
    """*line* with *field* in its place. A printed box in the place of one that is ticked is that."""
    cells = list(line.cells)
    for index, cell in enumerate(cells):
        is_there = cell.left < field.right and field.left < cell.left + line.size
        if is_there and field.text in _TICKS and cell.text[0] in _PRINTED_BOXES:
            cells[index] = cell._replace(text=f"{field.text} {cell.text[1:].strip()}".rstrip())
            return line._replace(cells=tuple(cells))
    own = Cell(field.text, field.left, field.right)
    return line._replace(cells=tuple(sorted((*cells, own), key=lambda cell: cell.left)))


def _above(lines: Sequence[Line], field: Field) -> int:
    """Where the line that *field* is the next one of ends: the nearest one above it that reaches over it, if any."""
    above = [index for index, line in enumerate(lines) if line.y <= field.top + 0.3 * line.size]
    over = [
        index
        for index in above
        if _distance(lines[index], field) <= 0.0 and field.top - lines[index].y < _FARTHEST_LABEL * lines[index].size
    ]
    return max(over or above, key=lambda index: lines[index].y) + 1 if above else 0


def _distance(line: Line, field: Field) -> float:
    return max(field.left - line.right, line.left - field.right, 0.0)
