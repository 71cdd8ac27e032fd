"""Put the lines of columns one column after the other, where a file has them line by line across all."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from statistics import median

from rerank_cli.corpus.read.pdf.lines import Cell, Line

# A page with fewer lines on a side has no columns.
_FEWEST = 8

# Such a share of the width at either edge has no second column that begins there.
_EDGE = 0.3

# Such a share of the lines at most runs across both, and so many are followed by one on the other side.
_ACROSS = 0.25
_CHANGES = 0.25

# Lines of prose have so many words, and are so much of the widest one.
_PROSE_WORDS = 3.5
_PROSE_FULLNESS = 0.7

_WORD = re.compile(r"[^\W\d_]{2,}")

# In points: how far from its column a line may begin.
_SLACK = 3.0


def in_columns(lines: list[Line], width: float) -> list[Line]:
    """*lines* of a page of *width* as they are read."""
    return _in_columns(lines, 0.0, width)


def _in_columns(lines: list[Line], left: float, right: float) -> list[Line]:
    """*lines* between two edges as they are read. Either of two columns may be columns again."""
    gutter = _gutter(lines, left, right)
    if gutter is None:
        return lines
    split = [part for line in lines for part in _split(line, gutter)]
    if not _are_mixed(split, gutter):
        return lines
    return [
        line
        for column, first, last in _by_column(split, gutter, left, right)
        for line in _in_columns(column, first, last)
    ]


def _gutter(lines: Sequence[Line], left: float, right: float) -> float | None:
    """Where the second column begins, if there may be one."""
    edge = _EDGE * (right - left)
    begins = Counter(
        round(cell.left)
        for line in lines
        for cell in line.cells
        if left + edge < cell.left < right - edge and line.upright
    )
    where, times = max(begins.items(), key=lambda each: (each[1], -each[0]), default=(0, 0))
    return where - _SLACK if times >= _FEWEST else None


def _split(line: Line, gutter: float) -> Iterator[Line]:
    """*line* in two if its cells are on both sides."""
    for cells in (_left_of(line.cells, gutter), tuple(cell for cell in line.cells if cell.left >= gutter)):
        if cells:
            yield line if len(cells) == len(line.cells) else line._replace(cells=cells)


def _left_of(cells: Sequence[Cell], gutter: float) -> tuple[Cell, ...]:
    return tuple(cell for cell in cells if cell.left < gutter)


def _side(line: Line, gutter: float) -> int:
    """-1 left of it, 1 right of it, 0 across it."""
    if line.left >= gutter:
        return 1
    return -1 if line.right < gutter + _SLACK else 0


def _are_mixed(lines: Sequence[Line], gutter: float) -> bool:
    """Whether prose stands on both sides, and the file goes from one to the other again and again."""
    sides = [_side(line, gutter) for line in lines]
    changes = sum(before * after < 0 for before, after in pairwise(sides))
    if changes < _CHANGES * len(lines) or sides.count(0) > _ACROSS * len(lines):
        return False
    return all(_is_prose([line for line, on in zip(lines, sides, strict=True) if on == side]) for side in (-1, 1))


def _is_prose(lines: Sequence[Line]) -> bool:
    if len(lines) < _FEWEST:
        return False
    cells = [max(line.cells, key=lambda cell: cell.right - cell.left) for line in lines]
    widths = [cell.right - cell.left for cell in cells]
    words = median(len(_WORD.findall(cell.text)) for cell in cells)
    return words > _PROSE_WORDS and median(widths) > _PROSE_FULLNESS * max(widths)


def _by_column(
    lines: Sequence[Line], gutter: float, left: float, right: float
) -> Iterator[tuple[list[Line], float, float]]:
    """The columns, and what is across both, each with its edges. Between lines across, the one on the left is first."""
    columns: tuple[list[Line], list[Line]] = ([], [])
    for line in lines:
        side = _side(line, gutter)
        if side == 0:
            yield columns[0], left, gutter
            yield columns[1], gutter, right
            yield [line], left, right
            columns = ([], [])
        else:
            columns[side > 0].append(line)
    yield columns[0], left, gutter
    yield columns[1], gutter, right
