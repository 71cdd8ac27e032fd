"""Judge what the cells of a grid hold: the rows of a table, the lines of several rows, or texts side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby, pairwise
from operator import itemgetter

from rerank_cli.corpus.read.pdf.characters import is_unspaced
from rerank_cli.corpus.read.pdf.grids import Grid
from rerank_cli.corpus.read.pdf.lines import Box, Line, levels_of
from rerank_cli.corpus.read.pdf.tables import is_number

# Of fewer lines a box is a mark in the text; and the cells of a row with no more each are the head of other rows.
_FEWEST_LINES = 3
_FEWEST_IN_CELL = 2

# Where more of the lines have gaps, the rules do not part all cells; where less of the cells hold text, they draw.
_MOST_ROWS = 0.25
_LEAST_FILLED = 0.25

# A cell with more lines holds a text; what goes on from line to line may have as many for each cell beside it.
_MOST_LINES = 10

# Cells that hold the lines of several rows have such a share of the rows. Of a text, such a share of the lines goes on
# with a sentence.
_LEAST_ALIKE = 0.75
_LEAST_COUNTED = 0.5
_GOING_ON = 0.3

# In sizes of the letters: so far apart may stand what is on one height, and so far below each other lines of a cell.
_LEVEL = 0.5
_LINE_GAP = 2.5

# Where cells hold several, there are so many rows, and so many and such a share of them have several lines: else the
# lines are the rows.
_FEWEST_ROWS = 3
_FEWEST_WRAPPED = 2
_LEAST_WRAPPED = 0.25

# The boxes of a grid have numbers of their own.
_MOST_BOXES = 100_000

Cells = Mapping[tuple[int, int], Sequence[Line]]
"""The lines of a grid, by the row and the column of their cell."""


def boxed(cells: Cells, grid: Grid, number: int, whole: Sequence[Line]) -> list[Line]:
    """The lines of *grid* in order, each with its box; none where the rules do not tell the order.

    *whole* are the lines as the file has them, across the rules.
    """
    rows = [list(places) for _, places in groupby(sorted(cells), lambda place: place[0])]
    lines = [line for places in rows for place in places for line in cells[place]]
    beside = [places for places in rows if len(places) > 1]
    gaps = sum(len(line.cells) > 1 for line in lines)
    is_mixed = grid.walled and gaps > _MOST_ROWS * len(lines) and not (grid.closed and _are_rows(cells, rows))
    if not beside or is_mixed:
        is_box = grid.closed and len(lines) >= _FEWEST_LINES
        ordered = whole if beside else lines
        return [line._replace(box=Box(number * _MOST_BOXES)) for line in ordered] if is_box else []
    if len(cells) < _LEAST_FILLED * len({frame for row in grid.frames for frame in row}):
        return []
    if len(rows) < 2 and sum(len(cells[place]) >= _FEWEST_IN_CELL for place in rows[0]) < 2:
        return []
    return list(_in_boxes(cells, rows, number))


def _are_rows(cells: Cells, rows: Sequence[Sequence[tuple[int, int]]]) -> bool:
    """Whether rules part rows of several lines though not all of their cells.

    Then hardly any row has such cells on several heights, and the lines of a cell stand close, as the labels of a plot
    do not.
    """
    if len(rows) < _FEWEST_ROWS:
        return False
    wrapped = several = 0
    for places in rows:
        if not all(_are_close(levels_of(cells[place], _LEVEL)) for place in places):
            return False
        levels = levels_of((line for place in places for line in cells[place]), _LEVEL)
        wrapped += len(places) > 1 and len(levels) > 1
        several += sum(sum(len(line.cells) for line in level) > max(2, len(places)) for level in levels)
    return wrapped >= max(_FEWEST_WRAPPED, _LEAST_WRAPPED * len(rows)) and several <= len(rows)


def _are_close(levels: Sequence[Sequence[Line]]) -> bool:
    return all(after[0].y - before[0].y < _LINE_GAP * before[0].size for before, after in pairwise(levels))


def _in_boxes(cells: Cells, rows: Sequence[Sequence[tuple[int, int]]], number: int) -> Iterator[Line]:
    """The lines cell by cell. Cells of a single row, and such as hold a text, are boxes and none of a table."""
    box = number * _MOST_BOXES
    for places in rows:
        levels = _rows_of([cells[place] for place in places])
        if len(rows) < 2 or (len(levels) == 1 and any(_holds_text(cells[place], len(places)) for place in places)):
            for place in places:
                box += 1
                yield from (line._replace(box=Box(box)) for line in cells[place])
            box += 1
            continue
        level_of = {id(line): at for at, level in enumerate(levels) for line in level}
        placed = [(level_of[id(line)], place, line) for place in places for line in cells[place]]
        placed.sort(key=itemgetter(0))
        yield from (line._replace(box=Box(box, (row, at, column))) for at, (row, column), line in placed)


def _holds_text(lines: Sequence[Line], beside: int) -> bool:
    """Whether a cell, one of so many in its row, holds more than a cell of a table does."""
    if len(lines) <= _MOST_LINES:
        return False
    return len(lines) > _MOST_LINES * (beside - 1) or not _is_wrapped(levels_of(lines, _LEVEL))


def _rows_of(cells: Sequence[Sequence[Line]]) -> list[list[Line]]:
    """The lines of cells side by side: those on each height if they hold rows, else all."""
    lines = [line for cell in cells for line in cell]
    return levels_of(lines, _LEVEL) if _hold_rows(cells) else [lines]


def _hold_rows(cells: Sequence[Sequence[Line]]) -> bool:
    """Whether cells side by side hold the lines of several rows: on the same heights, and no text that goes on."""
    full = [levels for lines in cells if len(levels := levels_of(lines, _LEVEL)) > 1]
    if len(full) < 2:
        return False
    rows = len(levels_of((line for levels in full for level in levels for line in level), _LEVEL))
    held = sum(map(len, full)) / (rows * len(full))
    if rows > max(map(len, full)) or held < _LEAST_COUNTED:
        return False
    if rows > 2 and any(len(levels) == rows and _are_numbers(levels) for levels in full):  # amounts, and their sum
        return True
    figures = [levels for levels in full if _are_numbers(levels)]
    if len(figures) > 1 and len(figures[0]) > 2 and all(_are_level(figures[0], levels) for levels in figures):
        return True  # labels of groups have none
    if held < _LEAST_ALIKE:
        return False
    if figures:
        return True
    if rows > 2 and held == 1:
        return not any(map(_goes_on, full))
    return rows == 2 and len(cells) > 2 and not any(map(_is_wrapped, full))


def _are_level(levels: Sequence[Sequence[Line]], others: Sequence[Sequence[Line]]) -> bool:
    """Whether cells side by side have their lines on the same heights."""
    return len(levels) == len(others) and all(
        abs(level[0].y - other[0].y) < _LEVEL * level[0].size for level, other in zip(levels, others, strict=True)
    )


def _are_numbers(levels: Sequence[Sequence[Line]]) -> bool:
    return all(is_number(line.text) for level in levels for line in level)


def _goes_on(levels: Sequence[Sequence[Line]]) -> bool:
    """Whether lines of a cell begin in the middle of a sentence."""
    if is_unspaced(levels[0][0].text[-1]):
        return _is_wrapped(levels)
    going_on = sum(level[0].text[0].islower() for level in levels[1:])
    return levels[0][0].text[0].isupper() and going_on > _GOING_ON * len(levels)


def _is_wrapped(levels: Sequence[Sequence[Line]]) -> bool:
    """Whether most lines of a cell end where the first word of the next one had no room."""
    right = max(line.right for level in levels for line in level)
    full = sum(before[-1].right + after[0].first_word_width > right for before, after in pairwise(levels))
    return 2 * full >= len(levels)
