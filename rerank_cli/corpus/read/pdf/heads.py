"""Put together the lines of what names each column of a table without rules, which stand above its first figures."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from rerank_cli.corpus.read.pdf.characters import joined
from rerank_cli.corpus.read.pdf.lines import Cell, Line, levels_of
from rerank_cli.corpus.read.pdf.parts import begins_caption
from rerank_cli.corpus.read.pdf.tables import is_number

# A row of a table has so many cells, so many figures, and such a share of them; and so many of its columns have a name.
_FEWEST_CELLS = 3
_FEWEST_FIGURES = 2
_MOSTLY = 0.6
_FEWEST_NAMES = 3

# What names a column has no more blanks, and no more lines.
_MOST_BLANKS = 6
_MOST_LINES = 8

# Lines with more cells in all are no heads: each cell is held against all names.
_MOST_CELLS = 300

# No part of a name: parts of a whole number, or a share.
_FIGURE = re.compile(r"\W*(?:\d[\d,]*)?\.\d|\W*\d+,(?!\d{3}(?!\d))\d|\W*\d+ ?[%(]")

_PROSE = re.compile(r",\Z|; |\. [A-Z]\w")
_WORD = re.compile(r"[^\W\d_]{2}|\d{4}")
_UNIT = re.compile(r"\(.{1,8}\)|%|[^\W\d_]|\W?\d{1,3},?\d{3}\W?")
_GOING_ON = re.compile(r"[^\W\d_A-Z]{3}|\(")

# In sizes of the letters: so far below each other the lines of a name stand, and so far below them the first row.
_LINE_GAP = 1.35
_ROW_GAP = 4.0
_LEVEL = 0.3
_ALIGNED = 0.3
_OTHER_SIZE = 0.15


@dataclass(slots=True)
class _Name:
    """What names a column: its cells from the lowest one to the highest, which stands at `top`."""

    cells: list[Cell]
    top: float

    def meets(self, cell: Cell) -> bool:
        return any(_overlap(own, cell) for own in self.cells)

    def is_aligned(self, cell: Cell, size: float) -> bool:
        """Whether *cell* is set as the one below it is."""
        below = self.cells[-1]
        slack = _ALIGNED * size
        return (
            abs(cell.left - below.left) < slack
            or abs(cell.right - below.right) < slack
            or abs(cell.left + cell.right - below.left - below.right) < 2 * slack
        )

    def whole(self) -> Cell:
        text = ""
        for cell in reversed(self.cells):
            text = joined(text, cell.text, frozenset())
        return Cell(text, min(cell.left for cell in self.cells), max(cell.right for cell in self.cells))


class _Names:
    """The names of the columns, and what stands above several of them, with its height: of *levels* from below."""

    def __init__(self, levels: Sequence[Sequence[Line]]) -> None:
        self.own: list[_Name] = []
        self.above: list[tuple[float, Cell]] = []
        self.end = 0
        """How many levels it took to the last one that goes on with a name."""
        for number, level in enumerate(levels, 1):
            if self._take(level):
                self.end = number

    def _take(self, level: Sequence[Line]) -> bool:
        """Go on with the next level above; whether it has the next line of a name."""
        new: list[_Name] = []
        cells = [(line, cell, [name for name in self.own if name.meets(cell)]) for line in level for cell in line.cells]
        if len(cells) == 1 and self.own and self._is_in_middle(cells[0][1], level[0].size):
            self.above.append((level[0].y, cells[0][1]))
            return False
        going_on = sum(len(met) == 1 and met[0].is_aligned(cell, line.size) for line, cell, met in cells)
        for line, cell, met in cells:
            is_close = len(met) == 1 and met[0].top - line.y < _LINE_GAP * line.size and not self._is_above(cell)
            if is_close and (met[0].is_aligned(cell, line.size) or 2 * going_on >= len(cells)):
                met[0].cells.append(cell)
                met[0].top = line.y
            elif met or self._is_above(cell):
                self.above.append((line.y, _across(cell, [name.whole() for name in met])))
            else:
                new.append(_Name([cell], line.y))
        goes_on = going_on > 0
        self.own += new
        return goes_on

    def _is_above(self, cell: Cell) -> bool:
        return any(_overlap(other, cell) for _, other in self.above)

    def _is_in_middle(self, cell: Cell, size: float) -> bool:
        """Whether *cell* stands in the middle above all columns, or above all but the first one."""
        wholes = sorted((name.whole() for name in self.own), key=lambda whole: whole.left)
        right = max(whole.right for whole in wholes)
        return any(abs(first.left + right - cell.left - cell.right) < 3 * size for first in wholes[:2])


def with_heads(lines: Sequence[Line]) -> Sequence[Line]:
    """*lines* in order, with the names of columns that have several lines as a row: each name a cell."""
    whole: list[Line] = []
    for at, line in enumerate(lines):
        if _has_figures(line) and not (at and _has_figures(lines[at - 1])):
            first = len(whole)
            while first and _may_name(whole[first - 1], line):
                first -= 1
            whole[first:] = _in_rows(whole[first:], line)
        whole.append(line)
    return whole


def _has_figures(line: Line) -> bool:
    if len(line.cells) < _FEWEST_CELLS or not line.upright or line.fixed:
        return False
    figures = sum(is_number(cell.text) or not any(map(str.isalnum, cell.text)) for cell in line.cells[1:])
    return figures >= max(_FEWEST_FIGURES, _MOSTLY * (len(line.cells) - 1))


def _may_name(line: Line, row: Line) -> bool:
    """Whether *line* stands above a *row* of figures, in letters of its size and with few words in each cell."""
    if not line.upright or line.fixed or abs(line.size - row.size) > _OTHER_SIZE * row.size or _has_figures(line):
        return False
    if begins_caption(line.text) or all(is_number(cell.text) for cell in line.cells):
        return False
    if any(cell.text.count(" ") > _MOST_BLANKS or _FIGURE.match(cell.text) for cell in line.cells):
        return False
    if any(_PROSE.search(cell.text) for cell in line.cells):
        return False
    if any(_WORD.search(cell.text) is None and not _UNIT.fullmatch(cell.text) for cell in line.cells):
        return False
    if 2 * sum(cell.text[0].isdigit() for cell in line.cells) >= max(2, len(line.cells)):
        return False
    return 0 < row.y - line.y < (_MOST_LINES * _LINE_GAP + _ROW_GAP) * row.size


def _in_rows(lines: list[Line], row: Line) -> list[Line]:
    """*lines* above a *row* as the rows of its names; as they are if none has several lines."""
    if sum(len(line.cells) for line in lines) > _MOST_CELLS:
        return lines
    levels = levels_of(lines, _LEVEL)[::-1]
    groups = _groups(levels, row)
    levels = levels[groups:]
    if len(levels) < 2 or row.y - levels[0][0].y > (_ROW_GAP + groups) * row.size:
        return lines
    gaps = (below[0].y - above[0].y for below, above in pairwise(levels))
    end = next((at for at, gap in enumerate(gaps, 1) if gap > 2 * _LINE_GAP * row.size), len(levels))
    levels = levels[: _Names(levels[:end]).end]
    if not levels:
        return lines
    names = _Names(levels)
    used = [line for level in levels for line in level]
    named = sum(any(name.meets(cell) for name in names.own) for cell in row.cells)
    if min(len(names.own), named) < _FEWEST_NAMES or _are_rows(names.own):
        return lines
    others = [line for line in lines if all(line is not each for each in used)]
    before = [line for line in others if line.y < used[-1].y]
    after = [line for line in others if line.y >= used[-1].y]
    return [*before, *_rows_of(names, levels[0][0], used), *after]


def _are_rows(names: Sequence[_Name]) -> bool:
    """Whether each has as many lines as the others, none of which goes on with one: then they are rows of words."""
    if len({len(name.cells) for name in names}) > 1:
        return False
    return not any(_GOING_ON.match(cell.text) for name in names for cell in name.cells[:-1])


def _groups(levels: Sequence[Sequence[Line]], row: Line) -> int:
    """How many of the lowest *levels* do no more than name a group of rows, in the first column."""
    count = 0
    for level, above in pairwise(levels):
        cells = [cell for line in level for cell in line.cells]
        is_close = level[0].y - above[0].y < _LINE_GAP * row.size
        if len(cells) > 1 or is_close or cells[0].right > row.cells[1].left:
            break
        count += 1
    return count


def _rows_of(names: _Names, lowest: Line, used: Sequence[Line]) -> Iterator[Line]:
    bold = all(line.bold for line in used)
    for y, group in groupby(sorted(names.above, key=lambda each: (each[0], each[1].left)), lambda each: each[0]):
        yield lowest._replace(y=y, cells=tuple(cell for _, cell in group), bold=bold)
    cells = sorted((name.whole() for name in names.own), key=lambda cell: cell.left)
    yield lowest._replace(cells=tuple(cells), bold=bold)


def _overlap(cell: Cell, other: Cell) -> bool:
    return cell.left < other.right and other.left < cell.right


def _across(cell: Cell, names: Sequence[Cell]) -> Cell:
    """*cell* as wide as all *names* that it stands above."""
    return cell._replace(
        left=min((name.left for name in names), default=cell.left) if len(names) > 1 else cell.left,
        right=max((name.right for name in names), default=cell.right) if len(names) > 1 else cell.right,
    )
