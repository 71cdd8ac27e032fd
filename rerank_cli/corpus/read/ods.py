"""Read spreadsheets of LibreOffice and others (ODS and templates): each sheet is a section, and rows are places.

All sheets are read, hidden ones too; what formulas gave when the file was saved stands for them. A comment stands
behind what its cell shows. Text boxes, the titles of charts and what pictures say of themselves follow the rows of
their sheet.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from rerank_cli.corpus.read.opendocument import (
    chart_of,
    comment_of,
    embedded,
    fields_of,
    open_document,
    pieces,
    said_in,
    text_of,
    title_of,
)
from rerank_cli.corpus.read.package import number, value
from rerank_cli.corpus.read.sheets import Cell, Sheets, shown_iso, shown_number, shown_percent, with_comment
from rerank_cli.records import Document, Reading

_GROUPS = ("table", "table-row-group", "table-rows", "table-header-rows")

_MAX_ROWS = 1 << 20
_MAX_COLUMNS = 1 << 14


def read(content: bytes, path: str) -> Reading:
    """A single document of all sheets; its title is that of its properties."""
    package = open_document(content)
    sheets = Sheets()
    at = 1
    for piece in pieces(package, "spreadsheet", *_GROUPS):
        if piece.tag == "table":
            at = 1
            sheets.begin(value(piece, "name"))
        elif piece.tag == "shapes":
            sheets.beside(1, text_of(piece).splitlines())
            for frame in piece.iter("frame"):
                sheets.beside(1, [said_in(frame)])
            for each in piece.iter("object"):
                if chart := chart_of(embedded(package, each)):
                    sheets.beside(1, chart.titles)
        elif piece.tag == "table-row":
            for each in piece.iter("object"):
                if chart := chart_of(embedded(package, each)):
                    sheets.beside(at, chart.titles)
            repeated = number(value(piece, "number-rows-repeated"), 1, most=_MAX_ROWS)
            sheets.row(at, _cells(piece), repeated=repeated)
            at += repeated
    sheets.end()
    return Reading(
        (Document(path, title_of(package), sheets.outline.blocks(), fields_of(package)),), tuple(package.notes)
    )


def _cells(row: Element) -> Iterator[Cell]:
    """What the cells of *row* show. Those that others cover have nothing to show."""
    column = 0
    for cell in row:
        repeated = number(value(cell, "number-columns-repeated"), 1, most=_MAX_COLUMNS)
        if cell.tag == "table-cell" and len(cell):
            text, words = _shown(cell)
            text = with_comment(text, " ".join(comment_of(each) for each in cell if each.tag == "annotation"))
            for at in range(column, column + repeated if text else column):
                yield Cell(at, text, words)
        column += repeated


def _shown(cell: Element) -> tuple[str, bool]:
    """What *cell* shows, and whether that is words."""
    kinds = [kind for name, kind in cell.attrib.items() if name.endswith("}value-type")]
    kind = "error" if "error" in kinds else next(iter(kinds), "string")
    match kind:
        case "float":
            return _number(value(cell, "value"), percent=False), False
        case "percentage":
            return _number(value(cell, "value"), percent=True), False
        case "date":
            return shown_iso(value(cell, "date-value")), False
        case "error":
            return "", False
    return text_of(cell), kind == "string"


def _number(written: str, *, percent: bool) -> str:
    try:
        found = float(written)
    except ValueError:
        return written
    return shown_percent(found) if percent else shown_number(found)
