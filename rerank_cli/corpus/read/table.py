"""Take a CSV file apart: what separates its cells, where its header stands, and its rows, in order or not."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice, pairwise

_COMMA, _TAB = ",", "\t"
_SEPARATORS = (_COMMA, ";", _TAB, "|")

# As Excel writes it in front of a file.
_NAMED_SEPARATOR = re.compile(r"""\s*"?sep=(\\t|[^"])"?\s*""", re.IGNORECASE)

# So many rows at the beginning, in so many lines, tell what separates the cells, and which row is the header.
_FIRST_ROWS = 20
_FIRST_LINES = 100

# Columns of running text, in which a separator may stand unquoted, and others by which a header is known.
_TEXTS = frozenset(("text", "content", "body", "answer", "description", "passage", "sentence", "comment"))
_KNOWN = _TEXTS | frozenset(("_id", "id", "title", "name", "question", "query"))

# What a cell is by its looks. A column of such cells has a name that looks otherwise, if it has one.
_KINDS = {
    "date": re.compile(r"\d{4}-\d\d?-\d\d?(?:[T ][\d:.Z+-]*)?|\d{1,2}([./])\d{1,2}\1\d{2,4}"),
    "number": re.compile(r"[-+]?[$€£]?\d[\d.,']{0,30}[%€]?"),
    "address": re.compile(r"[^\s@]+@[^\s@]+|(?:https?://|www\.)\S+"),
}
_YEAR = re.compile(r"[12]\d{3}")
_LEAST_ROWS_BELOW = 2

# A row that breaks off is tried with other quotation marks over so many lines.
_MOST_LINES_TRIED = 100

Row = tuple[int, int, list[str]]
"""Its first line, its last line, its cells."""


@dataclass(frozen=True, slots=True)
class Table:
    """The names of the columns, the rows below, what stands above, and by line what is wrong with some of them.

    It is `damaged` where quotation marks do not add up.
    """

    names: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()
    above: tuple[Row, ...] = ()
    faults: tuple[tuple[int, str], ...] = ()
    damaged: bool = False


def read_table(text: str) -> Table:
    """The table that *text* is. What separates its cells is found out."""
    lines = _lines(text)
    first = next((number for number, line in enumerate(lines) if line.strip()), 0)
    named = _NAMED_SEPARATOR.fullmatch(lines[first]) if lines else None
    if named:
        lines[first] = "\n"
    separator = named[1].replace("\\t", _TAB) if named else _separator(lines)
    return _under_header(*_rows(lines, separator), separator)


def read_tabs(text: str) -> Table:
    """The table with tabs that *text* is. Such files are seldom quoted: their texts have no tabs to hide."""
    lines = _lines(text)
    rows, faults = _rows(lines, _TAB)
    return _under_header(_unquoted(lines, 0, _TAB), [], _TAB) if faults else _under_header(rows, [], _TAB)


def _lines(text: str) -> list[str]:
    # The limit is there for untrusted streams; this text is in memory already, and no cell is longer.
    csv.field_size_limit(max(csv.field_size_limit(), len(text)))
    return list(io.StringIO(text, newline="\n"))


def _under_header(rows: list[Row], faults: list[tuple[int, str]], separator: str) -> Table:
    damaged = bool(faults)
    if not rows:
        return Table(faults=tuple(faults), damaged=damaged)
    at = _header_at(rows)
    if _is_data(rows[at][2], [cells for _, _, cells in rows[at + 1 : at + _FIRST_ROWS]]):
        return Table((), tuple(rows[at:]), tuple(rows[:at]), tuple(faults), damaged)
    names = tuple(name.strip() for name in rows[at][2])
    below = []
    for first, last, cells in rows[at + 1 :]:
        kept = cells
        if any(cell.strip() for cell in cells[len(names) :]):
            if names[-1].casefold() in _TEXTS or len(names) == 1:
                kept = [*cells[: len(names) - 1], separator.join(cells[len(names) - 1 :])]
            else:
                faults.append((first, f"{len(cells)} cells under a header of {len(names)}; all are kept"))
        below.append((first, last, kept))
    faults += [(first, "stands above the header") for first, _, _ in rows[:at]]
    return Table(names, tuple(below), tuple(rows[:at]), tuple(sorted(faults)), damaged)


def _separator(lines: Sequence[str]) -> str:
    """What gives the same number of cells in most of the first rows, or else stands most often in the first of all."""
    first = [line for line in lines[:_FIRST_LINES] if line.strip()]
    evenness = {each: _evenness(first, each) for each in _SEPARATORS}
    if any(share for share, _ in evenness.values()):
        return max(_SEPARATORS, key=lambda each: evenness[each])
    return max(_SEPARATORS, key=first[0].count) if first else _COMMA


def _evenness(lines: Sequence[str], separator: str) -> tuple[float, int]:
    """The share of rows with the usual number of cells, and that number; nothing if it is one."""
    counts: list[int] = []
    with suppress(csv.Error):  # up to quotation marks that do not add up
        for cells in islice(csv.reader(lines, delimiter=separator, strict=True), _FIRST_ROWS):
            counts.append(_width(cells))
    usual, times = _usual(counts)
    return (times / len(counts), usual) if usual > 1 else (0, 0)


def _width(cells: Sequence[str]) -> int:
    """How many cells there are up to the last that is not blank."""
    return max((number for number, cell in enumerate(cells, start=1) if cell.strip()), default=0)


def _usual(counts: Sequence[int]) -> tuple[int, int]:
    """The most frequent of *counts*, the greater of two, and how often it is there."""
    return max(Counter(counts).items(), key=lambda item: (item[1], item[0]), default=(0, 0))


def _header_at(rows: Sequence[Row]) -> int:
    """Which row has the names. Above it may be some with not half as many cells, such as a title and a date."""
    first = [cells for _, _, cells in rows[:_FIRST_ROWS]]
    usual, _ = _usual([_width(cells) for cells in first])
    if sum(_is_prose(cells) for cells in first) * 2 >= len(first):
        return 0
    for number, cells in enumerate(first):
        if _width(cells) * 2 > usual or any(cell.strip().casefold() in _KNOWN for cell in cells):
            return number
    return 0


def _is_data(first: Sequence[str], below: Sequence[Sequence[str]]) -> bool:
    """Whether the *first* row is one like those *below*, and names no columns; where nothing tells, it does.

    Its cells look like those of their columns, though these look like a date, a number or an address, or one of
    them stands in its column again. Years and rising numbers are names too.
    """
    if len(below) < _LEAST_ROWS_BELOW or any(cell.strip().casefold() in _KNOWN for cell in first):
        return False
    telling: list[str] = []
    for column, cell in enumerate(map(str.strip, first)):
        others = {row[column].strip() for row in below if column < len(row) and list(row) != list(first)} - {""}
        kinds = {_kind(other) for other in others}
        if cell and len(kinds) == 1 and kinds != {""} and kinds != {_kind(cell)}:
            return False
        if cell and (_kind(cell) or cell in others) and kinds <= {_kind(cell)}:
            telling.append(cell)
    numbers = [cell for cell in telling if _kind(cell) == "number"]
    are_names = all(map(_YEAR.fullmatch, numbers)) or (len(numbers) > 1 and _rise(numbers))
    return len(telling) > len(numbers) or bool(numbers and not are_names)


def _kind(cell: str) -> str:
    return next((kind for kind, looks in _KINDS.items() if looks.fullmatch(cell)), "")


def _rise(numbers: Sequence[str]) -> bool:
    return all(low < high for low, high in pairwise(map(_value, numbers)))


def _value(number: str) -> float:
    """What *number* says, if its last comma or point begins the fraction."""
    whole, point, fraction = re.sub(r"[^\d.-]", "", number.replace(",", ".")).rpartition(".")
    return float(f"{whole.replace('.', '')}{point}{fraction}")


def _is_prose(cells: Sequence[str]) -> bool:
    """Whether what separates *cells* are the commas of a sentence."""
    return len(cells) > 1 and all(cell.startswith(" ") for cell in cells[1:])


def _rows(lines: Sequence[str], separator: str) -> tuple[list[Row], list[tuple[int, str]]]:
    """Each row that has any cells. One with quotation marks that do not add up costs no other, and is a fault."""
    rows: list[Row] = []
    faults: list[tuple[int, str]] = []
    start, tried = 0, 0
    while start < len(lines):
        start, read_lines = _well_formed(lines, start, separator, rows)
        tried += read_lines
        if start == len(lines):
            break
        if tried > 4 * len(lines):  # all that is left is wrong, or made to take long
            faults.append((start + 1, "from here on quotation marks do not add up"))
            rows += _unquoted(lines, start, separator)
            break
        mended = _with_backslashes(lines, start, separator)
        if mended is None:
            faults.append((start + 1, "its quotation marks do not add up; taken as text"))
            mended = next(iter(_unquoted(lines[start : start + 1], 0, separator)))
            mended = (start + 1, start + 1, mended[2])
        rows.append(mended)
        start = mended[1]
    return rows, faults


def _well_formed(lines: Sequence[str], start: int, separator: str, rows: list[Row]) -> tuple[int, int]:
    """Add the rows from line *start* on, up to the first that is not well formed; give where that begins, and how many
    lines were read in it."""
    reader = csv.reader((lines[at] for at in range(start, len(lines))), delimiter=separator, strict=True)
    at = start
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows.append((at + 1, start + reader.line_num, cells))
            at = start + reader.line_num
    except csv.Error:
        return at, start + reader.line_num - at
    return len(lines), 0


def _with_backslashes(lines: Sequence[str], start: int, separator: str) -> Row | None:
    r"""The row at *start* if in its quotation marks others are written as `\"`."""
    if '\\"' not in lines[start]:
        return None
    some = lines[start : start + _MOST_LINES_TRIED]
    reader = csv.reader(some, delimiter=separator, escapechar="\\", strict=True)
    try:
        cells = next(reader)
    except (csv.Error, StopIteration):
        return None
    return start + 1, start + reader.line_num, cells


def _unquoted(lines: Sequence[str], start: int, separator: str) -> list[Row]:
    """A row from each line, the quotation marks as they stand."""
    reader = csv.reader(
        (lines[at] for at in range(start, len(lines))), delimiter=separator, quoting=csv.QUOTE_NONE, strict=True
    )
    return [(at, at, cells) for at, cells in enumerate(reader, start=start + 1) if any(cell.strip() for cell in cells)]
