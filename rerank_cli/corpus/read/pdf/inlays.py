"""Close gaps that a drawn formula fills, or an answer before a stop: both sides are of one sentence, not two cells."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence

from rerank_cli.corpus.read.pdf.lines import Cell, Line
from rerank_cli.corpus.read.pdf.rules import Sign

# In sizes of the letters: such room at most is beside a sign. Its dots and bars are not looked at.
_ROOM = 1.2

# So much larger than the letters is what is drawn at most: a fraction is two lines high.
_LARGEST = 2.5

# In sizes of the letters: so far above the line and below it may stand the middle of a sign in it.
_ABOVE = 1.2
_BELOW = 0.5

# No cell begins with one of these.
_STOPS = "，、。；）"  # noqa: RUF001


def with_inlays(lines: Sequence[Line], signs: Sequence[Sign]) -> list[Line]:
    """*lines* without the gaps that are filled by *signs*, or by what is to be written there, before a stop."""
    lines = [_without_gaps_before_stops(line) if len(line.cells) > 1 and line.box is None else line for line in lines]
    if not signs:
        return lines
    by_height = sorted(((sign.top + sign.bottom) / 2, sign) for sign in signs)
    return [_closed(line, by_height) if len(line.cells) > 1 and line.box is None else line for line in lines]


def _without_gaps_before_stops(line: Line) -> Line:
    if not any(cell.text[0] in _STOPS for cell in line.cells[1:]):
        return line
    before, *after = line.cells
    cells = [before]
    for cell in after:
        if cell.text[0] in _STOPS:
            cells[-1] = Cell(f"{cells[-1].text} {cell.text}", cells[-1].left, cell.right)
        else:
            cells.append(cell)
    return line._replace(cells=tuple(cells))


def _closed(line: Line, by_height: Sequence[tuple[float, Sign]]) -> Line:
    first = bisect_left(by_height, (line.y - _ABOVE * line.size,))
    end = bisect_left(by_height, (line.y + _BELOW * line.size,))
    beside = [sign for _, sign in by_height[first:end]]
    cells = list(_joined(line, beside)) if beside else line.cells
    return line if len(cells) == len(line.cells) else line._replace(cells=tuple(cells))


def _joined(line: Line, signs: Sequence[Sign]) -> Iterator[Cell]:
    """The cells of *line*, those as one that *signs* stand between."""
    before, *after = line.cells
    for cell in after:
        if _is_filled(before.right, cell.left, line.size, signs):
            before = Cell(f"{before.text} {cell.text}", before.left, cell.right)
        else:
            yield before
            before = cell
    yield before


def _is_filled(left: float, right: float, size: float, signs: Sequence[Sign]) -> bool:
    """Whether *signs* stand from *left* to *right* as letters of this *size* do."""
    reach = left
    for sign in sorted(signs):
        if sign.right <= left or sign.left >= right:
            continue
        if sign.left - reach > _ROOM * size or sign.bottom - sign.top > _LARGEST * size:
            return False
        reach = max(reach, sign.right)
    return left < reach and -_ROOM < (right - reach) / size < _ROOM
