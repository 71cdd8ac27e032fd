"""The tables of reStructuredText as rows of cells: drawn ones, and those that directives make of CSV or lists."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

from rerank_cli.corpus.read.markup import Line, Lines, by_columns, dedented

EDGE = re.compile(r"^(?:\+[-=]+(?:\+[-=]+)*\+|=+(?: +=+)+)$")

_SPAN = re.compile(r"^-+(?: +-+)*$")
_COLUMN = re.compile(r"=+")
_BULLET = re.compile(r"^[-*+•](?= |$)")
_CHARACTER_NAMES = {"tab": "\t", "space": " "}


@dataclass(frozen=True, slots=True)
class Cells:
    """A row whose cells are lines of markup."""

    number: int
    cells: tuple[Lines, ...]


def drawn(lines: Lines) -> tuple[list[Cells], int]:
    """The rows of a grid or of a simple table, *lines* with its edges, and how many of them are its header."""
    rows = list(_grid(lines) if lines[0].text.startswith("+") else _simple(lines))
    inner = [line.number for line in lines[1:-1] if EDGE.match(line.text)]
    if lines[0].text.startswith("+"):
        inner = [line.number for line in lines[1:-1] if EDGE.match(line.text) and "=" in line.text]
    return rows, sum(row.number < inner[0] for row in rows) if inner else 0


def _grid(lines: Lines) -> Iterator[Cells]:
    borders = {at for line in lines if EDGE.match(line.text) for at, sign in enumerate(line.text) if sign == "+"}
    row: list[list[Line]] = []
    for line in lines:
        cut = [] if EDGE.match(line.text) else _grid_cells(line, borders)
        ends = any(cell.text.strip("-=+") != cell.text for cell in cut) and "+-" in line.text
        if row and (not cut or ends or len(cut) != len(row)):
            yield _cells(row)
            row = []
        row = row or [[] for _ in cut]
        for lines_of_cell, cell in zip(row, cut, strict=True):
            lines_of_cell.append(replace(cell, text="" if ends and not cell.text.strip("-=+ ") else cell.text))
    if row:
        yield _cells(row)


def _grid_cells(line: Line, borders: set[int]) -> list[Line]:
    text = by_columns(line.text)
    cuts = [at for at, sign in enumerate(text) if sign == "|" or (sign == "+" and at in borders)]
    cuts = [at for at in cuts if at in borders] if text.rstrip("\0")[-1:] in "|+" and len(text) - 1 in borders else cuts
    edges = [*cuts, *([] if cuts and cuts[-1] == len(text) - 1 else [len(text)])]
    return [Line(line.number, text[start + 1 : end].replace("\0", "").rstrip()) for start, end in pairwise(edges)]


def _simple(lines: Lines) -> Iterator[Cells]:
    columns = [found.start() for found in _COLUMN.finditer(lines[0].text)]
    row: list[list[Line]] = []
    for line in lines:
        if EDGE.match(line.text) or (_SPAN.match(line.text) and row):
            cut = []
        elif not line.text:
            continue
        else:
            cut = _simple_cells(line, columns)
        if row and (not cut or cut[0].text or len(cut) != len(row)):
            yield _cells(row)
            row = []
        row = row or [[] for _ in cut]
        for lines_of_cell, cell in zip(row, cut, strict=True):
            lines_of_cell.append(cell)
    if row:
        yield _cells(row)


def _simple_cells(line: Line, columns: list[int]) -> list[Line]:
    """Cut at the columns; a text that runs over the gap before one goes on through it."""
    text = by_columns(line.text)
    starts = [start for start in columns if not start or text[start - 1 : start] in ("", " ")]
    return [
        Line(line.number, text[start:end].replace("\0", "").rstrip())
        for start, end in zip(starts, [*starts[1:], None], strict=True)
    ]


def _cells(row: list[list[Line]]) -> Cells:
    return Cells(row[0][0].number, tuple(dedented(cell) for cell in row))


def from_csv(content: Lines, options: Mapping[str, Line]) -> tuple[list[Cells], int]:
    """The rows of a `csv-table` and how many of them are its header. Raises csv.Error."""
    head = [options["header"]] if options.get("header", Line(0, "")).text else []
    rows = [*_csv_rows(head, options), *_csv_rows(content, options)]
    return rows, len(head) + _count(options.get("header-rows"))


def _csv_rows(lines: Lines, options: Mapping[str, Line]) -> Iterator[Cells]:
    written = {name: _character(line.text) for name, line in options.items()}
    reader = csv.reader(
        [f"{line.text}\n" for line in lines],
        delimiter=written.get("delim") or ",",
        quotechar=written.get("quote") or '"',
        escapechar=written.get("escape") or None,
        skipinitialspace="keepspace" not in options,
    )
    done = 0
    for cells in reader:
        if cells:
            number = lines[done].number
            yield Cells(number, tuple([Line(number, text) for text in cell.split("\n")] for cell in cells))
        done = reader.line_num


def _character(written: str) -> str:
    return _CHARACTER_NAMES.get(written, written[:1])


def from_list(content: Lines, options: Mapping[str, Line]) -> tuple[list[Cells], int]:
    """The rows of a `list-table`, a list of lists, and how many of them are its header."""
    rows = [Cells(row[0].number, tuple(_items(row))) for row in _items(content)]
    return rows, _count(options.get("header-rows"))


def _items(lines: Lines) -> Iterator[list[Line]]:
    """The bodies of the items of a bullet list."""
    starts = [at for at, line in enumerate(lines) if _BULLET.match(line.text)]
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        first = replace(lines[start], text=(" " + lines[start].text[1:]).rstrip())
        yield dedented([first, *lines[start + 1 : end]])


def _count(option: Line | None) -> int:
    return int(option.text) if option and option.text.isdecimal() and len(option.text) < 4 else 0
