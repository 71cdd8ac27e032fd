"""Find the tables of a page: lines whose cells stand in columns, row by row."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from statistics import median

from rerank_cli.corpus.read.pdf.addresses import are_addresses
from rerank_cli.corpus.read.pdf.characters import BROKEN_WORD, first_word, is_unspaced, joined
from rerank_cli.corpus.read.pdf.lines import Cell, Line, text_of

# How many rows with cells side by side make a table of two columns, and of more.
_ROWS_OF_TWO = 3
_ROWS_OF_MORE = 2

# In sizes of the letters: how far below each other rows may stand, lines of a cell, and those of one that goes on.
_ROW_GAP = 4.0
_OTHER_SIZE = 0.12
_LINE_GAP = 1.6
_WRAPPED_GAP = 2.2

# In sizes of the letters: how wide is a blank, and the room beside a cell at least that goes on below. If that begins
# with no small letter, there are so many blanks above it, or so many letters of a writing without blanks.
_BLANK = 0.3
_GUTTER = 1.25
_FEWEST_BLANKS = 3
_FEWEST_LETTERS = 8

# Besides figures and small letters a label may go on with these.
_CURRENCIES = "$€£¥"

# A cell that is written line by line before the next one begins has no more lines than that: a column of a page has.
_CELL_LINES = 8

# A column that a smaller share of the rows has is none.
_RARE = 0.15

# Cells with so many words are the lines of two columns of prose.
_PROSE_WORDS = 4.5
_PROSE_FULLNESS = 0.7

# Where more of the rows have a cell across columns, and more of the cells begin with a small letter, there is prose.
_ACROSS = 0.3
_GOING_ON = 0.5

_NUMBER = re.compile(r"[^\w]*\d[\d.,:/%\s-]*\D{0,3}")
_SECTION = re.compile(r"(?:\d{1,3}|[A-Z])(?:\.\d{1,3})*\.?")
_SUBSECTION = re.compile(r"(?:\d{1,3}|[A-Z])(?:\.\d{1,3}){2,}\.?")
_FORMULA = re.compile(r"\((?:\d{1,2}\.)*(\d{1,3})\)")
_NUMBERED = re.compile(r"[图圖图表]\s*\d[\d.-]*")
_WHOLE_MARK = re.compile(r"(?:[^\w\s]|[①-⑳㈠-㈩]|\(?(?:\d{1,3}|[a-zA-Z]|[ivx]{1,5})[.)]|\[\d{1,4}\])")


Span = tuple[float, float]
"""From where to where something reaches, from left to right."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells, and the lines that they were made of. `headed` where the first row names the columns."""

    rows: tuple[tuple[str, ...], ...]
    lines: tuple[Line, ...]
    headed: bool

    def shown(self) -> list[str]:
        """A line for each row."""
        return [" | ".join(row) for row in self.rows]


@dataclass(slots=True)
class _Row:
    """A row while it is gathered: each cell with its lines, of which the first one stands at `y`."""

    y: float
    size: float
    cells: list[list[Cell]] = field(default_factory=list)
    bottom: float = 0.0  # of all cells
    last_y: float = 0.0  # of the last line of the last cell
    bold: bool = True

    @property
    def right(self) -> float:
        return max(cell.right for cell in self.cells[-1])

    def take(self, line: Line) -> None:
        """Begin a cell with each of *line*."""
        self.cells += [[cell] for cell in line.cells]
        self._reach(line)

    def take_below(self, line: Line, column: int) -> None:
        """Go on with the cell that *line* stands under."""
        self.cells[column].append(line.cells[0])
        self._reach(line)

    def with_more(self, below: _Row, pairs: dict[int, int]) -> _Row:
        """This row with the lines of *below*, cell by cell: *pairs* tell which go on with which."""
        less = len(self.cells) < len(below.cells)
        cells = [list(cell) for cell in (below.cells if less else self.cells)]
        for second, first in pairs.items():
            cells[second if less else first] = [*self.cells[first], *below.cells[second]]
        return replace(self, cells=cells, bottom=below.bottom, last_y=below.last_y, bold=self.bold and below.bold)

    def _reach(self, line: Line) -> None:
        self.bottom = max(self.bottom, line.y)
        self.last_y = line.y
        self.bold = self.bold and line.bold

    def goes_on_beside(self, line: Line) -> bool:
        """Whether *line* is the next cell."""
        return line.left > self.right and self.y - 4 * self.size < line.y < self.bottom + 0.5 * self.size

    def goes_on_below(self, line: Line) -> int | None:
        """The cell that *line* goes on, if it does."""
        if len(line.cells) > 1 or (
            not 0 < line.y - self.bottom < _LINE_GAP * self.size
            and not (0 < line.y - self.last_y < _LINE_GAP * self.size)
        ):
            return None
        under = [
            index
            for index, cell in enumerate(self.cells)
            if abs(line.left - cell[0].left) < 0.5 * self.size
            or (cell[0].left < line.left and line.right < cell[0].right)
            or _are_centred(line, cell[0], self.size)
        ]
        return under[0] if len(under) == 1 and not self._runs_below_several(line) else None

    def _runs_below_several(self, line: Line) -> bool:
        """Whether *line* stands below several cells, as the name of a group of rows may."""
        return sum(cell[0].left < line.right and line.left < cell[0].right for cell in self.cells) > 1


def _are_centred(line: Line | Cell, above: Line | Cell, size: float) -> bool:
    """Whether both have their middle at one place, as the lines of a cell do that is centred."""
    return abs(line.left + line.right - above.left - above.right) < 0.5 * size


def is_number(text: str) -> bool:
    """Whether *text* is a figure with what belongs to it, such as its unit."""
    return _NUMBER.fullmatch(text) is not None


def is_mark(text: str) -> bool:
    """Whether *text* is no more than the mark of an item."""
    return _WHOLE_MARK.fullmatch(text) is not None


def table_of(lines: tuple[Line, ...]) -> Table:
    """The table whose cells rules have told: *lines* are in their order."""
    cells: dict[tuple[tuple[int, int], int], list[Line]] = {}
    for line in lines:
        if line.box and line.box.cell:
            *row, column = line.box.cell
            cells.setdefault(((row[0], row[1]), column), []).append(line)
    rows = sorted({row for row, _ in cells})
    columns = sorted({column for _, column in cells})
    texts = {place: _text_of_lines(held) for place, held in cells.items()}
    shown = [[texts.get((row, column), "") for column in columns] for row in rows]
    if 2 * len(cells) < len(rows) * len(columns):  # the boxes of a form
        shown = [list(filter(None, row)) for row in shown]
    bold = [all(line.bold for (at, _), held in cells.items() if at == row for line in held) for row in rows]
    whole = tuple(tuple(row[: max(index for index, text in enumerate(row, 1) if text)]) for row in shown)
    return Table(whole, lines, len(whole[0]) > 1 and _is_headed(bold, whole))


def with_tables(lines: Sequence[Line]) -> Iterator[list[Line] | Table]:
    """*lines* in order, those of each table as a table."""
    others: list[Line] = []
    at = 0
    while at < len(lines):
        if not _may_begin(lines, at):
            others.append(lines[at])
            at += 1
            continue
        rows, after = _rows(lines, at)
        after = _end_of_addresses(rows, lines, after)
        table = _table(rows, tuple(lines[at:after]))
        if table:
            if others:
                yield others
                others = []
            yield table
        else:
            others += _by_column(rows, lines[at:after])
        at = after
    if others:
        yield others


def _end_of_addresses(rows: Sequence[_Row], lines: Sequence[Line], after: int) -> int:
    """Where the lines of the first column end, *after* the others, if they are an address."""
    if _are_addresses(rows):
        while after < len(lines) and rows[-1].goes_on_below(lines[after]) == 0:
            rows[-1].take_below(lines[after], 0)
            after += 1
    return after


def _are_addresses(rows: Sequence[_Row]) -> bool:
    return are_addresses([[cell[0].text for cell in row.cells] for row in rows])


def _may_begin(lines: Sequence[Line], at: int) -> bool:
    first = lines[at]
    if first.fixed or not first.upright:
        return False
    if len(first.cells) > 1:
        return not _is_item(first)
    below = first
    for line in lines[at + 1 : at + 1 + _CELL_LINES]:
        if abs(line.y - first.y) < 0.5 * first.size and line.left > first.right:
            return True
        if not 0 < line.y - below.y < _LINE_GAP * first.size:
            return False
        if abs(line.left - first.left) > first.size and not _are_centred(line, first, first.size):
            return False
        below = line
    return False


def _is_item(line: Line) -> bool:
    """Whether it is an item of a list, a heading or a caption: a mark or a number and words."""
    mark = line.cells[0].text
    if len(line.cells) != 2:
        return False
    if _NUMBERED.fullmatch(mark):
        return True
    return bool(is_mark(mark) or (line.bold and _SECTION.fullmatch(mark)) or _SUBSECTION.fullmatch(mark))


def _rows(lines: Sequence[Line], at: int) -> tuple[list[_Row], int]:
    """The rows that begin at a line, and where the lines after them begin."""
    rows = [_row(lines[at])]
    certain = 1  # rows up to the last one that has cells side by side
    certain_end = at + 1
    for index in range(at + 1, len(lines)):
        line, row = lines[index], rows[-1]
        if line.fixed or not line.upright or abs(line.size - row.size) > _OTHER_SIZE * row.size:
            break
        if row.goes_on_beside(line) and len(row.cells[-1]) <= _CELL_LINES:
            row.take(line)
        elif (column := row.goes_on_below(line)) is not None and (column > 0 or len(row.cells) == 1):
            row.take_below(line, column)
            if len(row.cells) == 1:
                continue
        elif 0 < line.y - row.bottom < _ROW_GAP * row.size and line.left < row.right and not _is_item(line):
            if len(line.cells) == 1 and (len(rows) - certain >= 2 or _runs_across(line, rows[certain - 1])):
                break
            rows.append(_row(line))
        else:
            break
        if len(rows[-1].cells) > 1:
            certain, certain_end = len(rows), index + 1
    return rows[:certain], certain_end


def _runs_across(line: Line, row: _Row) -> bool:
    """Whether *line* is a line of prose below the cells of *row*."""
    met = sum(cell[0].left < line.right and line.left < cell[-1].right for cell in row.cells)
    return met > 1 and line.text.count(" ") >= 2 * _PROSE_WORDS


def _row(line: Line) -> _Row:
    row = _Row(line.y, line.size)
    row.take(line)
    return row


def _table(rows: Sequence[_Row], lines: tuple[Line, ...]) -> Table | None:
    full = [row for row in rows if len(row.cells) > 1]
    columns = columns_of(_spans(full))
    if len(columns) < 2 or len(full) < (_ROWS_OF_TWO if len(columns) == 2 else _ROWS_OF_MORE):
        return None
    if 2 * sum(len(row.cells) for row in full) < len(full) * len(columns):
        return None
    if _is_prose(rows, columns) or _has_no_strips(full, columns) or _are_addresses(full):
        return None
    rows = _wrapped(rows, columns)
    texts = tuple(_texts(row, columns) for row in rows)
    if _are_formulas(texts, len(columns)):
        return None
    return Table(texts, lines, len(rows[0].cells) > 1 and _is_headed([row.bold for row in rows], texts))


def _wrapped(rows: Sequence[_Row], columns: Sequence[Span]) -> list[_Row]:
    """*rows* with those as one that are the lines of one: what a cell says goes on in the next of them."""
    small = any(
        len(before.cells) > 1 < len(row.cells) and _begins_small(row, columns[0]) for before, row in pairwise(rows)
    )
    whole = [rows[0]]
    for row in rows[1:]:
        pairs = _going_on(whole[-1], row, columns, small=small)
        if pairs:
            whole[-1] = whole[-1].with_more(row, pairs)
        else:
            whole.append(row)
    return whole


def _begins_small(row: _Row, column: Span) -> bool:
    """Whether it has a label in the first *column* that begins with a small letter."""
    first = row.cells[0][0]
    return first.left < column[1] and first.text[0].islower()


def _going_on(row: _Row, below: _Row, columns: Sequence[Span], *, small: bool) -> dict[int, int]:
    """Which cells of *below* go on with which of *row*; none where one of the row with less of them does not.

    What stands below is not in the first column. A label there may begin above the rest of its row, but not where
    labels begin with a *small* letter.
    """
    if len(row.cells) == len(below.cells) or not 0 < below.y - row.bottom < _WRAPPED_GAP * row.size:
        return {}
    upper, lower = _by_column_of(row, columns), _by_column_of(below, columns)
    if len(row.cells) > len(below.cells):
        less = lower.keys()
        may_go_on = min(less) > 0 and less <= upper.keys()
    else:
        less = upper.keys()
        may_go_on = less == {0} and 0 in lower and not small and _may_be_label(row, below)
    is_whole = may_go_on and all(_has_no_room(row, upper[at], below, lower[at], columns[at]) for at in less)
    return {lower[at]: upper[at] for at in less} if is_whole else {}


def _may_be_label(row: _Row, below: _Row) -> bool:
    """Whether a label can go on from *row*, which is no remark, to *below*."""
    first = below.cells[0][0].text[0]
    goes_on = not first.isupper() and (first.isalnum() or first in _CURRENCIES)
    return goes_on and row.bold == below.bold and row.cells[0][0].text[0] != "("


def _by_column_of(row: _Row, columns: Sequence[Span]) -> dict[int, int]:
    """The cells of *row* by their columns. Those that reach into no column or several are by none."""
    found: dict[int, int] = {}
    for at, cell in enumerate(row.cells):
        met = met_by(columns, *_span(cell))
        found[columns.index(met[0]) if len(met) == 1 else -1 - at] = at
    return found


def _has_no_room(row: _Row, first: int, below: _Row, second: int, column: Span) -> bool:
    """Whether a cell of *row* ends in the middle of what a cell of *below* goes on with: its first word had no room."""
    last, after, size = row.cells[first][-1], below.cells[second][0], row.size
    if last.text[-1] in ":.;" or not (abs(after.left - last.left) < 0.5 * size or _are_centred(after, last, size)):
        return False
    letters = len(last.text) if is_unspaced(last.text[-1]) else 0
    if not (after.text[0].islower() or last.text.count(" ") >= _FEWEST_BLANKS or letters >= _FEWEST_LETTERS):
        return False
    if any(0 < cell[0].left - last.right < _GUTTER * size for cell in row.cells):  # a gap within what is said
        return False
    word = (after.right - after.left) * len(first_word(after.text)) / len(after.text)
    return last.text.endswith(BROKEN_WORD) or last.right + word + _BLANK * size > column[1]


def _are_formulas(texts: Sequence[Sequence[str]], columns: int) -> bool:
    """Whether the last column does no more than number some of the rows: formulas, with text between them."""
    numbers = [_FORMULA.fullmatch(row[-1]) for row in texts if len(row) == columns]
    counted = [int(found[1]) for found in numbers if found]
    return 1 < len(counted) == len(numbers) < len(texts) and counted == list(
        range(counted[0], counted[0] + len(counted))
    )


def _spans(rows: Sequence[_Row]) -> list[list[Span]]:
    return [[_span(cell) for cell in row.cells] for row in rows]


def columns_of(rows: Sequence[Sequence[Span]]) -> list[Span]:
    """From where to where each column of *rows* reaches. A cell across several columns says nothing of it."""
    spans = sorted((span for row in rows for span in row), key=lambda span: span[1] - span[0])
    columns: list[Span] = []
    for left, right in spans:
        met = met_by(columns, left, right)
        if not met:
            columns.append((left, right))
        elif len(met) == 1:
            columns.remove(met[0])
            columns.append((min(left, met[0][0]), max(right, met[0][1])))
        if len(columns) > 40:
            return []
    return _filled(sorted(columns), rows)


def _filled(columns: list[Span], rows: Sequence[Sequence[Span]]) -> list[Span]:
    """*columns* without those that hardly any row has a cell in."""
    cells = Counter(
        next((column for column in columns if column[0] < right and left < column[1]), None)
        for row in rows
        for left, right in row
    )
    return [column for column in columns if cells[column] > _RARE * len(rows)]


def _span(cell: Sequence[Cell]) -> Span:
    return min(line.left for line in cell), max(line.right for line in cell)


def _texts(row: _Row, columns: Sequence[Span]) -> tuple[str, ...]:
    texts = [""] * len(columns)
    at = 0
    for cell in row.cells:
        left, right = _span(cell)
        met = [index for index, column in enumerate(columns) if column[0] < right and left < column[1]]
        met = met or [min(range(len(columns)), key=lambda index: _apart(columns[index], (left, right)))]
        at = next((index for index in met if not texts[index]), at)
        texts[at] = f"{texts[at]} {_text(cell)}".strip()
    while not texts[-1]:
        texts.pop()
    return tuple(texts)


def _apart(column: Span, span: Span) -> float:
    """How far a cell stands from a column that it does not reach into."""
    return max(column[0] - span[1], span[0] - column[1])


def _text_of_lines(lines: Sequence[Line]) -> str:
    if any(line.is_open for line in lines):
        return text_of(lines, frozenset())
    return _text([cell for line in lines for cell in line.cells])


def _text(cell: Sequence[Cell]) -> str:
    text = ""
    for line in cell:
        text = joined(text, line.text, frozenset())
    return text.replace("\u00ad", "-")


def _is_prose(rows: Sequence[_Row], columns: Sequence[Span]) -> bool:
    """Whether the rows are lines of columns of text. In one of these a sentence goes on, or a line stands alone."""
    is_full = all(len(row.cells) > 1 for row in rows)
    rows = [row for row in rows if len(row.cells) > 1]
    lines = [line for row in rows for cell in row.cells for line in cell]
    if is_full and all(map(_begins_anew, lines)):
        return False
    is_single = all(len(cell) == 1 for row in rows for cell in row.cells)
    words = sum(line.text.count(" ") + 1 for line in lines) / len(lines)
    if not is_single or len(columns) > 3 or len(rows) < 3 or words <= _PROSE_WORDS:
        return False
    return all(_fullness(lines, column) > _PROSE_FULLNESS for column in columns)


def _begins_anew(line: Cell) -> bool:
    return line.text[0].isupper() or not line.text[0].isalpha()


def _has_no_strips(rows: Sequence[_Row], columns: Sequence[Span]) -> bool:
    """Whether rows have cells across columns, and most cells go on with a sentence: scans have gaps in their text."""
    across = sum(any(len(met_by(columns, *_span(cell))) > 1 for cell in row.cells) for row in rows)
    after = [cell[0].text[:1] for row in rows for cell in row.cells[1:]]
    return across > _ACROSS * len(rows) and sum(map(str.islower, after)) > _GOING_ON * len(after)


def met_by(columns: Sequence[Span], left: float, right: float) -> list[Span]:
    """Those of *columns* that what lies from *left* to *right* reaches into."""
    return [column for column in columns if column[0] < right and left < column[1]]


def _fullness(lines: Sequence[Cell], column: Span) -> float:
    """How much of the width of *column* its lines usually fill."""
    left, right = column
    widths = [line.right - line.left for line in lines if left <= line.left < right]
    return median(widths) / (right - left) if widths else 0.0


def _by_column(rows: Sequence[_Row], lines: Sequence[Line]) -> Sequence[Line]:
    """*lines*, but columns of prose one after the other."""
    full = [row for row in rows if len(row.cells) > 1]
    columns = columns_of(_spans(full))
    if len(columns) < 2 or not (_is_prose(rows, columns) or _are_addresses(full)):
        return lines
    ordered: list[Line] = []
    for left, right in columns:
        for line in lines:
            cells = tuple(cell for cell in line.cells if left <= (cell.left + cell.right) / 2 <= right)
            if cells:
                ordered.append(line._replace(cells=cells))
    return ordered if sum(len(line.cells) for line in ordered) == sum(len(line.cells) for line in lines) else lines


def _is_headed(bold: Sequence[bool], texts: Sequence[tuple[str, ...]]) -> bool:
    """Whether the first row names the columns: it alone is bold, or it alone holds no numbers."""
    if len(texts) < 2:
        return False
    if any(map(is_number, texts[0][1:])):
        return False
    if bold[0] and not all(bold[1:]):
        return True
    numbered = sum(any(map(is_number, row[1:])) for row in texts[1:])
    return 2 * numbered >= len(texts) - 1
