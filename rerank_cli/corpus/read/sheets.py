"""Make blocks of the rows of a spreadsheet, and text of its numbers as a person sees them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import zip_longest
from typing import NamedTuple

from rerank_cli.corpus.read.errors import Unreadable
from rerank_cli.corpus.read.outline import Outline

# A text that a sheet holds once can stand in any number of cells. Five million cells have some 50 million characters.
_MAX_CHARS = 100_000_000

# A row takes some memory whatever it shows.
_ROW_CHARS = 40

_CELL_GAP = " | "

# Of more empty cells than these between two others, nobody sees how many there are.
_MAX_EMPTY = 5

# So many empty rows are still a gap within a table.
_MAX_EMPTY_ROWS = 100

_CELL_GAPS = [_CELL_GAP * max(1, columns) for columns in range(_MAX_EMPTY + 2)]

_EPOCH = datetime(1899, 12, 30)
_EPOCH_1904 = datetime(1904, 1, 1)
_DAYS = 2_958_466  # to the end of the year 9999

# What of a number format is no placeholder: texts in quotes, escaped characters, colours and conditions.
_NO_PLACEHOLDER = re.compile(r'"[^"]*+"?|\\.|[_*].|\[(?!h+\]|m+\]|s+\])[^\]]*+\]', re.IGNORECASE)


class Cell(NamedTuple):
    """What a cell shows. `column` counts from 0; `words` tells text from numbers and dates."""

    column: int
    text: str
    words: bool


def with_comment(text: str, comment: str) -> str:
    """What a cell shows, and behind it what somebody remarked."""
    return f"{text} ({comment})".lstrip() if comment else text


@dataclass(frozen=True, slots=True)
class _Row:
    number: int
    column: int
    line: str
    cells: int
    words: bool  # whether nothing else stands in it


class Sheets:
    """Takes rows from top to bottom, one sheet after another, and makes a table of each run of them.

    The first row with two cells or more is the header of those below, if it is all text. Behind empty rows, another
    one of that kind above a row with numbers begins another table.
    """

    def __init__(self) -> None:
        self.outline = Outline("row")
        self._name = ""
        self._rows: list[_Row] = []
        self._beside: list[tuple[int, str]] = []
        self._left_chars = _MAX_CHARS

    def begin(self, name: str) -> None:
        """Begin a sheet: its name is the label of its rows and their heading."""
        self.end()
        self._name = name

    def row(self, number: int, cells: Iterable[Cell], *, repeated: int = 1) -> None:
        """Add a row, or as many of the same; *number* counts from 1, as the sheet does."""
        parts: list[str] = []
        first = last = count = size = 0
        all_words = True
        for column, text, words in cells:
            line = " ".join(text.split()) if words else text
            if not line:
                continue
            if parts:
                parts.append(_CELL_GAPS[min(column - last, _MAX_EMPTY + 1)])
            else:
                first = column
            parts.append(line)
            last = column
            count += 1
            size += len(line)
            self._count(len(line))  # a single row can be too much
            all_words = all_words and words
        if not parts:
            return
        line = "".join(parts)
        self._count(repeated * (len(line) + _ROW_CHARS) - size)
        number = max(number, self._rows[-1].number + 1) if self._rows else number
        self._rows += [_Row(at, first, line, count, all_words) for at in range(number, number + repeated)]

    def beside(self, number: int, lines: Iterable[str]) -> None:
        """Add what stands over the cells, from the row *number* on."""
        text = "\n".join(lines)
        self._count(len(text))
        if text:
            self._beside.append((number, text))

    def _count(self, chars: int) -> None:
        self._left_chars -= chars
        if self._left_chars < 0:
            raise Unreadable(f"shows more than {_MAX_CHARS // 1_000_000} million characters")

    def end(self) -> None:
        """End the sheet that was begun last."""
        rows, self._rows = self._rows, []
        beside, self._beside = self._beside, []
        if not (rows or beside):
            return
        self.outline.close(1)  # under the old label
        self.outline.label = self._name
        first = rows[0].number if rows else beside[0][0]
        self.outline.heading(1, self._name, first, first)
        if rows:
            self._tables(rows)
        for number, text in beside:
            self.outline.block(text, number, number)

    def _tables(self, rows: list[_Row]) -> None:
        left = min(row.column for row in rows)
        table: list[_Row] = []
        header: _Row | None = None
        titles = True  # whether nothing but lines of one cell stands above
        for row, below in zip_longest(rows, rows[1:]):
            if not table or _opens(row, below, table[-1], below_titles=titles):
                self._table(table, header, left)
                table, header = [row], row if row.words and row.cells > 1 else None
            elif row.number - table[-1].number > _MAX_EMPTY_ROWS:
                self._table(table, header, left)
                table = [row]
            else:
                table.append(row)
            titles = titles and row.cells < 2
        self._table(table, header, left)

    def _table(self, rows: list[_Row], header: _Row | None, left: int) -> None:
        if not rows:
            return
        lines: list[str] = []
        for row in rows:
            lines += [""] * (row.number - rows[0].number - len(lines))
            lines.append(_line(row, left))
        repeated = _line(header, left) if header and len(rows) > 1 else ""
        self.outline.block("\n".join(lines), rows[0].number, rows[-1].number, header=repeated)


def _opens(row: _Row, below: _Row | None, above: _Row, *, below_titles: bool) -> bool:
    """Whether *row* is the header of another table than that of the row *above*."""
    if row.cells < 2 or not row.words:
        return False
    return below_titles or (row.number > above.number + 1 and below is not None and not below.words)


def _line(row: _Row, left: int) -> str:
    return _CELL_GAP.lstrip() * min(row.column - left, _MAX_EMPTY) + row.line


def shown_number(number: float) -> str:
    """*number* as a cell without a format shows it: 12 and not 12.0, and none of the noise of binary fractions."""
    return f"{number:.0f}" if number.is_integer() and abs(number) < 1e15 else f"{number:.10g}"


def shown_percent(number: float) -> str:
    return f"{shown_number(number * 100)}%"


def shown_date(days: float, kind: str, *, since_1904: bool) -> str:
    """The date, the time or both, after so many *days*; a plain number where no calendar has it."""
    if not -1 < days < _DAYS:
        return shown_number(days)
    moment = (_EPOCH_1904 if since_1904 else _EPOCH) + timedelta(seconds=round(days * 86_400))
    if kind == "elapsed":
        seconds = round(days * 86_400)
        return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    if not since_1904 and days < 60:
        moment += timedelta(days=1)  # the first spreadsheets took 1900 for a leap year
    clock = f"{moment:%H:%M}" if not moment.second else f"{moment:%H:%M:%S}"
    if kind == "time" and days < 1:
        return clock
    if kind == "date" or (moment.hour, moment.minute, moment.second) == (0, 0, 0):
        return f"{moment:%Y-%m-%d}"
    return f"{moment:%Y-%m-%d} {clock}"


def shown_iso(written: str) -> str:
    """A date as ISO writes it, such as 2024-03-05T13:30:00, without what says nothing."""
    day, _, clock = written.partition("T")
    clock = clock.removesuffix(":00") if clock.count(":") == 2 else clock
    return f"{day} {clock}" if clock not in ("", "00:00") else day


def kind_of(format: str) -> str:
    """What a number format makes of a number: a "date", a "time", "both", "elapsed" time, a "percent", or nothing."""
    shown = _NO_PLACEHOLDER.sub("", format.partition(";")[0]).casefold()
    if shown.startswith("general"):
        return ""
    if re.search(r"\[[hms]+\]", shown):
        return "elapsed"
    dated = "y" in shown or "d" in shown or ("m" in shown and "h" not in shown and "s" not in shown)
    timed = "h" in shown or "s" in shown
    if dated or timed:
        return "both" if dated and timed else "date" if dated else "time"
    return "percent" if "%" in shown else ""


def shown_in(number: float, kind: str, *, since_1904: bool = False) -> str:
    """*number* under a format of that *kind*."""
    if kind == "percent":
        return shown_percent(number)
    return shown_date(number, kind, since_1904=since_1904) if kind else shown_number(number)


BUILT_IN_FORMATS: Mapping[int, str] = {
    **dict.fromkeys((9, 10), "percent"),
    **dict.fromkeys((14, 15, 16, 17, *range(27, 32), 34, 35, 36, *range(50, 55), 57, 58), "date"),
    **dict.fromkeys((18, 19, 20, 21, 32, 33, 45, 47, 55, 56), "time"),
    22: "both",
    46: "elapsed",
}
