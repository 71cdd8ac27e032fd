"""Put together what stands in one cell or one box between rules, whatever the order of the file."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from rerank_cli.corpus.read.pdf.cells import boxed
from rerank_cli.corpus.read.pdf.grids import Frame, Grid
from rerank_cli.corpus.read.pdf.lines import Line

# Where so many lines, and half as many as there are rows, go on outside of a grid, it does not part what belongs
# together. Where more stand right beside it, in sizes of the letters, it is part of a drawing.
_MOST_CROSSING = 2
_NEAR = 1.5
_MOST_BESIDE = 2

# A frame with more lines, and with gaps in less than half of them, holds a text. With so many lines on the heights of
# such a share of the rows at its side it holds a cell of each.
_MOST_LOOSE = 4
_MOST_LINES = 10
_FEWEST_ROWS = 3
_LEAST_ALIKE = 0.75

# In sizes of the letters: so far apart may lines on one height stand, and so high is the middle of a letter.
_LEVEL = 0.5
_MIDDLE = 0.3
_SAME_HEIGHT = 0.15  # what is set in one row; the lines of a cell may happen to stand near the rows at its side

_Place = tuple[int, Frame]  # the number of a grid, and a frame of it


@dataclass(frozen=True, slots=True)
class _Piece:
    """What of a line stands in one cell of a grid, of which it has the number; None outside of all.

    `of` counts the lines of the file.
    """

    line: Line
    of: int
    grid: int | None
    cell: tuple[int, int] = (0, 0)


def in_frames(lines: list[Line], grids: Sequence[Grid]) -> list[Line]:
    """*lines* with what each grid holds at one place, cell by cell. *grids* begin with the innermost."""
    pieces = _pieces(lines, grids)
    crossing = Counter(_crossed(pieces))
    outside = [piece.line for piece in pieces if piece.grid is None]
    held: dict[int, dict[tuple[int, int], list[Line]]] = defaultdict(lambda: defaultdict(list))
    whole: dict[int, list[Line]] = defaultdict(list)
    for (grid, _), group in groupby(pieces, lambda piece: (piece.grid, piece.of)):
        if grid is not None:
            together = list(group)
            for piece in together:
                held[grid][piece.cell].append(piece.line)
            cells = tuple(cell for piece in together for cell in piece.line.cells)
            whole[grid].append(together[0].line._replace(cells=cells))
    found = {
        number: boxes
        for number, cells in held.items()
        if crossing[number] < max(_MOST_CROSSING, len({row for row, _ in cells}) // 2)
        and not _is_drawing(grids[number], outside)
        and (boxes := boxed(cells, grids[number], number, whole[number]))
    }
    return list(_placed(pieces, found)) if found else lines


def cross_rules(lines: Sequence[Line], grids: Sequence[Grid]) -> bool:
    """Whether a cell of *lines* goes from one frame into another: then it is several."""
    return any(
        grid.parts(cell.left + line.size, cell.right - line.size, line.y - _MIDDLE * line.size)
        for line in lines
        if line.upright
        for cell in line.cells
        if cell.right - cell.left > 2 * line.size
        for grid in grids
    )


def _pieces(lines: Sequence[Line], grids: Sequence[Grid]) -> list[_Piece]:
    found = [[_place((cell.left + cell.right) / 2, line, grids) for cell in line.cells] for line in lines]
    loose = _loose(found)
    rows = _rows_beside(lines, found)
    pieces: list[_Piece] = []
    for of, (line, places) in enumerate(zip(lines, found, strict=True)):
        if not any(places):
            pieces.append(_Piece(line, of, None))
            continue
        spots: list[tuple[int | None, tuple[int, int]]] = []
        for place, cell in zip(places, line.cells, strict=True):
            if place is None:
                spots.append((None, (0, 0)))
                continue
            number, frame = place
            row, column = frame.row, frame.column
            if place in loose:
                row, column = grids[number].corner(frame, cell.left, cell.right, line.y - _MIDDLE * line.size)
            spots.append((number, (rows.get((place, line.y), row), column)))
        for (number_or_none, at), pairs in groupby(zip(spots, line.cells, strict=True), key=lambda pair: pair[0]):
            part = tuple(cell for _, cell in pairs)
            whole = len(part) == len(line.cells)
            pieces.append(_Piece(line if whole else line._replace(cells=part), of, number_or_none, at))
    return pieces


def _place(x: float, line: Line, grids: Sequence[Grid]) -> _Place | None:
    if not line.upright:
        return None
    y = line.y - _MIDDLE * line.size
    for number, grid in enumerate(grids):
        if frame := grid.at(x, y):
            return number, frame
    return None


def _loose(found: Sequence[Sequence[_Place | None]]) -> set[_Place]:
    """Frames that have several cells on one height, but no text: they are parted as those around them are."""
    lines = Counter(at for places in found for at in set(places) if at)
    rows = Counter(at for places in found for at in set(places) if at and places.count(at) > 1)
    return {at for at, several in rows.items() if lines[at] <= min(max(2 * several, _MOST_LOOSE), _MOST_LINES)}


def _rows_beside(lines: Sequence[Line], found: Sequence[Sequence[_Place | None]]) -> dict[tuple[_Place, float], int]:
    """For each line of a frame that holds a cell of each of the rows at its side: the row that it stands in."""
    heights: dict[_Place, list[float]] = defaultdict(list)
    for line, places in zip(lines, found, strict=True):
        for at in set(places):
            if at:
                heights[at].append(line.y)
    slack = _SAME_HEIGHT * min((line.size for line in lines), default=0.0)
    beside: dict[tuple[_Place, float], int] = {}
    for tall, own in heights.items():
        number, frame = tall
        if len(own) < _FEWEST_ROWS or frame.end - frame.row < _FEWEST_ROWS:
            continue
        rows = {
            (y, other.row)
            for (grid, other), ys in heights.items()
            if grid == number and frame.row <= other.row and other.end <= frame.end and other is not frame
            for y in ys
        }
        matched = {row for y, row in rows if any(abs(y - at) < slack for at in own)}
        if len(matched) >= max(_FEWEST_ROWS, _LEAST_ALIKE * len({row for _, row in rows})):
            beside |= {(tall, at): max((row for y, row in rows if y < at + slack), default=frame.row) for at in own}
    return beside


def _crossed(pieces: Sequence[_Piece]) -> Iterator[int]:
    """The grid for each time that a line goes on beside it, from outside or to there."""
    for before, after in pairwise(pieces):
        inside = {before.grid, after.grid} - {None}
        if len(inside) == 1 and before.grid != after.grid and _are_level(before.line, after.line):
            yield from (number for number in inside if number is not None)


def _are_level(line: Line, other: Line) -> bool:
    return abs(line.y - other.y) < _LEVEL * line.size


def _is_drawing(grid: Grid, outside: Sequence[Line]) -> bool:
    """Whether text goes on beside a grid, as the labels of a plot or of a part with pins do."""
    beside = sum(
        grid.adjoins(line.left, line.right, line.y - _MIDDLE * line.size, _NEAR * line.size) for line in outside
    )
    return beside > max(_MOST_BESIDE, len(grid.tops) // 2)


def _placed(pieces: Sequence[_Piece], found: Mapping[int, Sequence[Line]]) -> Iterator[Line]:
    """Each piece, but those of a grid where the first of them stands."""
    done: set[int] = set()
    for piece in pieces:
        if piece.grid is None or piece.grid not in found:
            yield piece.line
        elif piece.grid not in done:
            done.add(piece.grid)
            yield from found[piece.grid]
