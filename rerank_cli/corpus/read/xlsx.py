"""Read spreadsheets of Excel (XLSX, XLSM): each sheet is a section, and rows are places, counted as the sheet counts.

All sheets are read, hidden ones too; what formulas gave when the file was saved stands for them. A comment stands
behind what its cell shows. Text boxes, diagrams, the titles of charts and what pictures say of themselves follow the
rows of their sheet.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from xml.etree.ElementTree import Element

from rerank_cli.corpus.read.charts import charts_in, diagrams_in, lines_of
from rerank_cli.corpus.read.errors import Unreadable
from rerank_cli.corpus.read.ooxml import fields_of, main_part, related, relations, title_of
from rerank_cli.corpus.read.package import Package, number, value
from rerank_cli.corpus.read.pictures import said_within
from rerank_cli.corpus.read.sheets import BUILT_IN_FORMATS, Cell, Sheets, kind_of, shown_in, shown_iso, with_comment
from rerank_cli.records import Document, Reading

_OPENED = frozenset(("worksheet", "sheetData", "sst"))

_SHEETS = ("worksheet", "chartsheet")

_BOOLEANS = {"0": "FALSE", "1": "TRUE"}

# A number of fewer digits is shown as it is written.
_PLAIN_DIGITS = 16

# What Excel writes above a comment of several persons, for programs that know none of these.
_THREADED = re.compile(r"\A\s*\[Threaded comment\].*?\bComment:\s*", re.DOTALL)

_LETTERS = {letter: place for place, letter in enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZ", start=1)}


def read(content: bytes, path: str) -> Reading:
    """A single document of all sheets; its title is that of its properties."""
    package = Package(content)
    workbook = main_part(package, "xl/workbook.xml")
    parts = relations(package, workbook)
    tree = package.tree(workbook)
    if tree.tag != "workbook":
        raise Unreadable("holds no spreadsheet, which its name promises")
    since_1904 = any(value(each, "date1904") in ("1", "true") for each in tree if each.tag == "workbookPr")
    cells = _Cells(_texts(package, workbook), _kinds(package, workbook), since_1904=since_1904)
    sheets = Sheets()
    seen: set[str] = set()  # a list that names one part again and again would never end
    for sheet in (each for group in tree if group.tag == "sheets" for each in group):
        part = parts.get(value(sheet, "id"))
        if part and part.kind in _SHEETS and part.target in package and part.target not in seen:
            seen.add(part.target)
            sheets.begin(value(sheet, "name"))
            if part.kind == "worksheet":
                _read_sheet(package, part.target, cells, sheets)
            _read_drawing(package, related(package, part.target, "drawing"), sheets)
    sheets.end()
    return Reading(
        (Document(path, title_of(package), sheets.outline.blocks(), fields_of(package)),), tuple(package.notes)
    )


def _read_sheet(package: Package, part: str, cells: _Cells, sheets: Sheets) -> None:
    comments = _comments(package, part)
    at = 0
    for piece in package.pieces(part, _OPENED):
        if piece.tag == "row":
            at = max(1, number(piece.get("r"), at + 1))
            shown = cells.of(piece)
            sheets.row(at, _commented(shown, comments[at]) if at in comments else shown)


def _read_drawing(package: Package, part: str, sheets: Sheets) -> None:
    """What stands over the cells; the figures of a chart are those of cells."""
    parts = relations(package, part) if part else {}
    for anchored in package.tree_beside(part):
        row = number(anchored.findtext("from/row"), 0) + 1
        for shape in anchored.iter("sp"):
            sheets.beside(row, lines_of(shape))
        for point in diagrams_in(package, anchored, parts):
            sheets.beside(row, lines_of(point))
        for chart in charts_in(package, anchored, parts):
            sheets.beside(row, chart.titles)
        sheets.beside(row, [said_within(anchored)])


def _comments(package: Package, sheet: str) -> dict[int, dict[int, str]]:
    """What is said of cells of *sheet*, by their rows and columns."""
    found: dict[int, dict[int, str]] = {}
    columns = _Columns()
    for each in package.tree_if_any(related(package, sheet, "comments")).iter("comment"):
        cell = each.get("ref", "")
        letters = cell.rstrip("0123456789")
        said = _THREADED.sub("", " ".join(_rich_text(text) for text in each if text.tag == "text"))
        found.setdefault(number(cell[len(letters) :], 0), {})[columns[letters]] = " ".join(said.split())
    return found


def _commented(cells: Iterable[Cell], comments: dict[int, str]) -> list[Cell]:
    """*cells* of a row with the *comments* on them, some on cells that are empty."""
    by_column = {cell.column: cell for cell in cells}
    for column, said in comments.items():
        cell = by_column.get(column, Cell(column, "", True))
        by_column[column] = cell._replace(text=with_comment(cell.text, said))
    return [by_column[column] for column in sorted(by_column)]


class _Cells:
    """What the cells of a row show. `texts` are those that sheets share, `kinds` what each style makes of numbers."""

    def __init__(self, texts: list[str], kinds: list[str], *, since_1904: bool) -> None:
        self._texts = texts
        self._kinds = {str(style): kind for style, kind in enumerate(kinds)}
        self._columns = _Columns()
        self._since_1904 = since_1904

    def of(self, row: Element) -> Iterator[Cell]:
        column = -1
        for cell in row:
            column = self._columns[cell.get("r", "").rstrip("0123456789")] if "r" in cell.attrib else column + 1
            kind = cell.get("t", "n")
            written = cell.findtext("v")
            if kind == "inlineStr":
                yield Cell(column, "".join(_rich_text(part) for part in cell if part.tag == "is"), True)
            elif not written:
                continue
            elif kind == "n":
                yield Cell(column, self._number(written, cell.get("s", "")), False)
            elif kind == "s":
                yield Cell(column, self._shared(written), True)
            elif kind == "b":
                yield Cell(column, _BOOLEANS.get(written.strip(), ""), False)
            elif kind == "d":
                yield Cell(column, shown_iso(written), False)
            elif kind == "str":
                yield Cell(column, written, True)

    def _shared(self, written: str) -> str:
        at = number(written, len(self._texts))
        if at >= len(self._texts):
            raise Unreadable("a cell stands for a text that is missing")
        return self._texts[at]

    def _number(self, written: str, style: str) -> str:
        kind = self._kinds.get(style, "")
        if not kind and len(written) < _PLAIN_DIGITS and written.isdigit():
            return written
        try:
            found = float(written)
        except ValueError:
            return written
        return shown_in(found, kind, since_1904=self._since_1904) if math.isfinite(found) else ""


class _Columns(dict[str, int]):
    """The columns, counted from 0, by their letters."""

    def __missing__(self, letters: str) -> int:
        column = 0
        for letter in letters[:4].upper():
            column = column * 26 + _LETTERS.get(letter, 1)
        self[letters] = column - 1
        return column - 1


def _texts(package: Package, workbook: str) -> list[str]:
    part = related(package, workbook, "sharedStrings")
    if not part or part not in package:
        return []
    return [_rich_text(piece) for piece in package.pieces(part, _OPENED) if piece.tag == "si"]


def _rich_text(text: Element) -> str:
    """The text of all runs; how it is pronounced, which stands beside them, is left out."""
    return "".join(part.text or "" for run in text if run.tag in ("t", "r") for part in run.iter("t"))


def _kinds(package: Package, workbook: str) -> list[str]:
    """What each style of a cell makes of a number."""
    tree = package.tree_if_any(related(package, workbook, "styles"))
    own = {
        number(value(each, "numFmtId"), 0): kind_of(value(each, "formatCode"))
        for group in tree
        if group.tag == "numFmts"
        for each in group
    }
    formats = (number(value(each, "numFmtId"), 0) for group in tree if group.tag == "cellXfs" for each in group)
    return [own.get(each, BUILT_IN_FORMATS.get(each, "")) for each in formats]
