"""Put bullets before the lines that they are drawn for: browsers and slides of TeX draw those of lists."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence

from rerank_cli.corpus.read.pdf.lines import Cell, Line
from rerank_cli.corpus.read.pdf.rules import Sign

# What prints the pages of browsers, and what sets slides with shaded balls, as a file says of its making.
_DRAWING = re.compile(r"Skia/PDF|\bQt\b|Quartz|cairo|WebKit|Electron|\bBeamer\b")

# In sizes of the letters: how small and how large a bullet is, and how much room is behind it at most.
_LEAST = 0.15
_LARGEST = 0.75
_ROOM = 1.6

# In sizes of the letters: so high above the line stands its middle at most, and so far below.
_ABOVE = 0.75
_BELOW = 0.05

# Bullets and numbers that may be written apart from their lines: some pages are printed layer by layer. Of more of them
# on a page most are the points of a plot. In sizes of the letters: how much room is behind one at most.
_MOST_LONE = 300
_LONE = re.compile(r"[•●○■□▪◦◆◇]|\d{1,2}\.")
_LONE_ROOM = 3.0

# In sizes of the letters: what stands nearer to its left is of one row with it, and it no bullet.
_NEAR = 2.0


def draws_bullets(made_by: str) -> bool:
    """Whether what a file was *made_by* may draw bullets."""
    return _DRAWING.search(made_by) is not None


def with_bullets(lines: Sequence[Line], dots: Sequence[Sign]) -> list[Line]:
    """*lines*, each cell with a bullet in front if one of *dots* stands there."""
    if not dots:
        return list(lines)
    dots_by_height = sorted(((dot.top + dot.bottom) / 2, dot) for dot in dots)
    lines_by_height = sorted((line.y, line) for line in lines)
    return [_marked(line, dots_by_height, lines_by_height) for line in lines]


def _marked(line: Line, dots: Sequence[tuple[float, Sign]], lines: Sequence[tuple[float, Line]]) -> Line:
    first, end = (bisect_left(dots, (line.y + off * line.size,)) for off in (-_ABOVE, _BELOW))
    if first == end:
        return line
    beside = sorted(dot for _, dot in dots[first:end])
    first, end = (bisect_left(lines, (line.y + off * line.size,)) for off in (-0.5, 0.5))
    written = [cell for _, each in lines[first:end] for cell in each.cells]
    return line._replace(cells=tuple(_with_bullet(cell, line.size, beside, written) for cell in line.cells))


def _with_bullet(cell: Cell, size: float, dots: Sequence[Sign], written: Sequence[Cell]) -> Cell:
    """*cell* with the last of *dots* before it as a bullet, if it is one. *written* is what stands on its height."""
    before = [dot for dot in dots if dot.right < cell.left + 0.1 * size]
    if not before:
        return cell
    *others, dot = before
    shorter, longer = sorted((dot.right - dot.left, dot.bottom - dot.top))
    if not (_LEAST * size < shorter and longer < _LARGEST * size and cell.left - dot.right < _ROOM * size):
        return cell
    ends = [each.right for each in others] + [each.right for each in written]
    if any(dot.left - _NEAR * size < end < cell.left for end in ends):
        return cell
    return cell._replace(text=f"\N{BULLET} {cell.text}", left=dot.left)


def with_own_bullets(lines: list[Line]) -> list[Line]:
    """*lines* with bullets that stand alone in front of what is beside them, wherever that is in the file."""
    lone = [
        index
        for index, line in enumerate(lines)
        if len(line.cells) == 1
        and len(line.cells[0].text) < 4
        and _LONE.fullmatch(line.cells[0].text)
        and not (index + 1 < len(lines) and _is_beside(line, lines[index + 1]))
    ]
    if not lone or len(lone) > _MOST_LONE:
        return lines
    marked: dict[int, Line] = {}
    moved: set[int] = set()
    by_height = sorted((line.y, index) for index, line in enumerate(lines))
    for at in lone:
        bullet = lines[at]
        first, end = (bisect_left(by_height, (bullet.y + off * bullet.size,)) for off in (-0.5, 0.5))
        beside = [index for _, index in by_height[first:end] if index != at and _is_beside(bullet, lines[index])]
        nearest = min(beside, key=lambda index: lines[index].left, default=None)
        if nearest is not None and nearest not in marked:
            line = lines[nearest]
            cell = Cell(f"{bullet.text} {line.cells[0].text}", bullet.left, line.cells[0].right)
            marked[nearest] = line._replace(cells=(cell, *line.cells[1:]))
            moved.add(at)
    return [marked.get(index, line) for index, line in enumerate(lines) if index not in moved] if moved else lines


def _is_beside(bullet: Line, line: Line) -> bool:
    """Whether *line* has words and stands right after *bullet*, on its height. The points of a plot have none."""
    gap = line.left - bullet.right
    if not (abs(line.y - bullet.y) < 0.5 * bullet.size and -0.1 * bullet.size < gap < _LONE_ROOM * bullet.size):
        return False
    return any(map(str.isalpha, line.cells[0].text))
