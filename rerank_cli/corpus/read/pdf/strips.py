"""Find the tables whose rows are parted by level rules or by bands of colour, and whose columns by blank room alone."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from statistics import median

from rerank_cli.corpus.read.pdf.characters import BROKEN_WORD, first_word
from rerank_cli.corpus.read.pdf.grids import Frame, Grid, places_of
from rerank_cli.corpus.read.pdf.lines import Cell, Line
from rerank_cli.corpus.read.pdf.rules import SAME, Rule, Rules, whole
from rerank_cli.corpus.read.pdf.tables import Span, columns_of, is_mark, is_number, met_by

# So many rows with cells side by side make a table.
_FEWEST_ROWS = 3

# What has more lines in a cell is no row; nor what has more in the only one, which is a paragraph between two tables.
_MOST_LINES = 25
_MOST_ALONE = 2

# A row above the first rule is the head, which names such a share of the columns; one below the last has so many cells.
_HEAD_LINES = 3
_NAMED = 0.75
_LEAST_FILLED = 0.5

# Such a share of the cells of a table are aligned in their columns.
_LEAST_ALIGNED = 0.6

# Where so many of the cells of a strip have lines on the same heights, each height is a row.
_LEAST_ALIKE = 0.5

# What is so much larger than the rest is a heading.
_LARGER = 1.15

# In sizes of the letters: how far below each other the lines of a cell stand at most, how far a mark stands before its
# text, how much room is between cells, how high is the middle of a letter, how far off may be what is on one height,
# how wide is a blank, and a line of prose at least.
_LINE_GAP = 1.8
_MARK_GAP = 2.0
_CELL_GAP = 0.4
_MIDDLE = 0.3
_LEVEL = 0.5
_BLANK = 0.3
_PROSE_WIDTH = 6.0

# In points: without text a strip that is higher is room for something else.
_MOST_EMPTY = 40.0


@dataclass(frozen=True, slots=True)
class _Piece:
    """A cell of a line."""

    cell: Cell
    line: Line

    @property
    def y(self) -> float:
        return self.line.y - _MIDDLE * self.line.size


@dataclass(frozen=True)
class _Cluster:
    """What stands below each other in a strip: mostly the lines of a cell, from top to bottom."""

    pieces: tuple[_Piece, ...]

    @property
    def size(self) -> float:
        return self.pieces[0].line.size

    @cached_property
    def span(self) -> Span:
        return min(piece.cell.left for piece in self.pieces), max(piece.cell.right for piece in self.pieces)

    @cached_property
    def levels(self) -> list[list[_Piece]]:
        """Those on one height together, from left to right."""
        levels: list[list[_Piece]] = []
        for piece in self.pieces:
            if not levels or piece.y - levels[-1][0].y > _LEVEL * self.size:
                levels.append([])
            levels[-1].append(piece)
        return [sorted(level, key=lambda piece: piece.cell.left) for level in levels]

    @property
    def heights(self) -> list[float]:
        return [level[0].y for level in self.levels]

    def goes_on(self, column: Span) -> bool:
        """Whether it is a list of items, or most lines end where the first word of the next one had no room."""
        if self.holds_figures:
            return False
        if is_mark(self.levels[0][0].cell.text):
            return True
        ends = [_is_full(before, after[0].cell, column) for before, after in pairwise(self.levels)]
        return 2 * sum(ends) >= len(ends)

    @property
    def holds_figures(self) -> bool:
        """Whether it has a figure on each line, none of which goes on with the one above it."""
        return all(is_number(piece.cell.text) for piece in self.pieces)

    @property
    def is_prose(self) -> bool:
        """Whether its lines are so long that their ends tell whether they go on. All figures have one width."""
        widths = [level[-1].cell.right - level[0].cell.left for level in self.levels]
        return max(widths) > _PROSE_WIDTH * self.size and any(" " in piece.cell.text for piece in self.pieces)


_Row = list[_Cluster]


def _is_full(line: Sequence[_Piece], first: Cell, column: Span) -> bool:
    """Whether *line* had no room in its column for the first word below it."""
    begin, end = line[0].cell.left, line[-1].cell.right
    word = (first.right - first.left) * len(first_word(first.text)) / len(first.text) + _BLANK * line[0].line.size
    left, right = column
    return line[-1].cell.text.endswith(BROKEN_WORD) or end + word > right or end - begin + word > right - left


def strips_of(rules: Rules, grids: Sequence[Grid], lines: Sequence[Line]) -> list[Grid]:
    """The tables of a page that is ruled so, outside of its *grids*."""
    if len(rules.level) + len(rules.shades) < _FEWEST_ROWS:
        return []
    tables = [grid for grid in grids if len(grid.lefts) > 2 or len(grid.tops) > 2]
    level = [rule for rule in whole((*rules.level, *rules.shades)) if not any(_is_of(rule, grid) for grid in tables)]
    stacks = list(_stacks(level))
    if not stacks:
        return []
    pieces = sorted(
        (_Piece(cell, line) for line in lines if line.upright for cell in line.cells), key=lambda piece: piece.y
    )
    found = [
        table
        for left, right, tops in stacks
        for table in _Stack(
            left, right, tops, [each for each in pieces if left < (each.cell.left + each.cell.right) / 2 < right]
        ).tables()
        if not any(map(table.overlaps, tables)) and not any(_divides(rule, table) for rule in level)
    ]
    return sorted(found, key=lambda table: table.area)


def _is_of(rule: Rule, grid: Grid) -> bool:
    """Whether *rule* is one of those of *grid*, or within it."""
    middle = (rule.first + rule.last) / 2
    return grid.lefts[0] < middle < grid.lefts[-1] and grid.tops[0] - SAME < rule.at < grid.tops[-1] + SAME


def _divides(rule: Rule, table: Grid) -> bool:
    """Whether *rule* goes through a row from one of its ends: then some of its cells hold several rows."""
    left, right = table.lefts[0], table.lefts[-1]
    is_end = (abs(rule.first - left) < SAME) != (abs(rule.last - right) < SAME)
    is_within = left - SAME < rule.first and rule.last < right + SAME and table.tops[0] < rule.at < table.tops[-1]
    return is_end and is_within and all(abs(rule.at - top) >= SAME for top in table.tops)


def _stacks(level: Sequence[Rule]) -> Iterator[tuple[float, float, list[float]]]:
    """From where to where rules reach that stand below each other, and the places of these."""
    stacks: list[list[Rule]] = []
    for rule in level:
        for stack in stacks:
            if abs(stack[0].first - rule.first) < SAME and abs(stack[0].last - rule.last) < SAME:
                stack.append(rule)
                break
        else:
            stacks.append([rule])
    for stack in stacks:
        if len(stack) >= _FEWEST_ROWS:
            yield stack[0].first, stack[0].last, places_of([rule.at for rule in stack])


class _Stack:
    """Level rules of one width, from *left* to *right* at *tops*, and what stands between them from top to bottom."""

    def __init__(self, left: float, right: float, tops: Sequence[float], pieces: Sequence[_Piece]) -> None:
        self._left, self._right = left, right
        self._tops = tops
        self._pieces = pieces
        self._largest = _LARGER * median(piece.line.size for piece in pieces) if pieces else 0.0
        self._ends = [bisect_right(pieces, top, key=lambda piece: piece.y) for top in tops]

    def tables(self) -> Iterator[Grid]:
        """Those that the strips are rows of, without the paragraphs between them."""
        rows: list[_Row] = []
        for index, (first, end) in enumerate(pairwise(self._ends)):
            row = _clustered(self._pieces[first:end])
            is_larger = any(piece.line.size > self._largest for piece in self._pieces[first:end])
            if not is_larger and _may_be_row(row, self._tops[index + 1] - self._tops[index]):
                rows.append(row)
                continue
            yield from self._table(index, rows)
            rows = []
        yield from self._table(len(self._tops) - 1, rows)

    def _table(self, end: int, rows: list[_Row]) -> Iterator[Grid]:
        """The table of the *rows* before the strip *end*, if they are one, without what stands alone at its ends."""
        if sum(len(row) > 1 for row in rows) < _FEWEST_ROWS:
            return
        columns = columns_of([[cluster.span for cluster in row] for row in rows if len(row) > 1])
        if len(columns) < 2 or not _are_aligned(rows, columns):
            return
        begin = end - len(rows)
        tops = list(self._tops[begin : end + 1])
        if above := _beyond(self._pieces[: self._ends[begin]][::-1], tops[0], columns, _HEAD_LINES, _NAMED):
            rows = [above, *rows]
            tops = [min(piece.line.top for cluster in above for piece in cluster.pieces), *tops]
        if below := _beyond(self._pieces[self._ends[end] :], tops[-1], columns, _MOST_LINES, _LEAST_FILLED):
            rows = [*rows, below]
            tops = [*tops, max(piece.line.y for cluster in below for piece in cluster.pieces)]
        while len(rows[0]) < 2:
            rows, tops = rows[1:], tops[1:]
        while len(rows[-1]) < 2:
            rows, tops = rows[:-1], tops[:-1]
        rows, tops = _with_heads_apart(rows, tops, columns)
        if table := _gridded(rows, tops, columns, (self._left, self._right)):
            yield table


def _clustered(pieces: Sequence[_Piece]) -> _Row:
    """What stands below each other, from left to right."""
    clusters: list[list[_Piece]] = []
    reach = 0.0
    is_marked = False
    for piece in sorted(pieces, key=lambda piece: piece.cell.left):
        if not clusters or piece.cell.left - reach > (_MARK_GAP if is_marked else _CELL_GAP) * piece.line.size:
            clusters.append([])
            reach, is_marked = 0.0, True
        clusters[-1].append(piece)
        reach = max(reach, piece.cell.right)
        is_marked = is_marked and is_mark(piece.cell.text)
    return [_Cluster(tuple(sorted(cluster, key=lambda piece: piece.y))) for cluster in clusters]


def _may_be_row(row: _Row, height: float) -> bool:
    """Whether the lines of each cell in a strip follow each other closely."""
    if not row:
        return height < _MOST_EMPTY
    if len(row) == 1 and len(row[0].levels) > _MOST_ALONE:
        return False
    pieces = sorted((piece for cluster in row for piece in cluster.pieces), key=lambda piece: piece.y)
    if any(piece.line.fixed for piece in pieces):  # a colour behind each line of a listing
        return False
    if any(after.y - before.y > _LINE_GAP * before.line.size for before, after in pairwise(pieces)):
        return False
    for cluster in row:
        if any(after - before > _LINE_GAP * cluster.size for before, after in pairwise(cluster.heights)):
            return False
    return max(len(cluster.levels) for cluster in row) <= _MOST_LINES


def _are_aligned(rows: Sequence[_Row], columns: Sequence[Span]) -> bool:
    """Whether most cells of each column begin, end or have their middle at one place."""
    places: dict[Span, list[Counter[int]]] = {column: [Counter(), Counter(), Counter()] for column in columns}
    count = 0
    for row in rows:
        for cluster in row:
            met = met_by(columns, *cluster.span)
            if len(met) == 1:
                count += 1
                left, right = cluster.span
                for counter, place in zip(places[met[0]], (left, right, (left + right) / 2), strict=True):
                    counter[round(place / cluster.size)] += 1
    aligned = sum(max(max(counter.values(), default=0) for counter in counters) for counters in places.values())
    return aligned >= _LEAST_ALIGNED * count


def _beyond(pieces: Sequence[_Piece], edge: float, columns: Sequence[Span], most: int, filled: float) -> _Row:
    """The row of a table beyond its first or its last rule, if there is one, of *pieces* from there on."""
    found: list[_Piece] = []
    at, count = edge, 0
    for piece in pieces:
        off = abs(piece.y - at)
        if off > _LINE_GAP * piece.line.size or len(met_by(columns, piece.cell.left, piece.cell.right)) != 1:
            break
        count += off > _LEVEL * piece.line.size
        at = piece.y
        found.append(piece)
    row = _clustered(found)
    return row if count <= most and len(row) >= max(2, filled * len(columns)) else []


def _with_heads_apart(
    rows: Sequence[_Row], tops: Sequence[float], columns: Sequence[Span]
) -> tuple[list[_Row], list[float]]:
    """*rows* with what names several columns at once as a row of its own above their names."""
    parted: list[_Row] = []
    heights = [tops[0]]
    for row, bottom in zip(rows, tops[1:], strict=True):
        pieces = sorted((piece for cluster in row for piece in cluster.pieces), key=lambda piece: piece.y)
        heads = [piece for cluster in row for piece in _heads(cluster, columns)]
        last = max((piece.y for piece in heads), default=bottom)
        below = [piece for piece in pieces if piece.y - last > _LEVEL * piece.line.size]
        if heads and below:
            parted += [_clustered([piece for piece in pieces if piece not in below]), _clustered(below)]
            heights += [(last + below[0].y) / 2, bottom]
        else:
            parted.append(row)
            heights.append(bottom)
    return parted, heights


def _heads(cluster: _Cluster, columns: Sequence[Span]) -> Iterator[_Piece]:
    """What reaches across several columns and has something below it that does not."""
    across = [len(met_by(columns, piece.cell.left, piece.cell.right)) > 1 for piece in cluster.pieces]
    if not across[-1]:
        yield from (piece for piece, is_across in zip(cluster.pieces, across, strict=True) if is_across)


def _gridded(rows: Sequence[_Row], tops: Sequence[float], columns: Sequence[Span], edges: Span) -> Grid | None:
    """The grid of a table; None where nobody knows which lines are of one row, or where each line is a row."""
    lefts = (edges[0], *((before[1] + after[0]) / 2 for before, after in pairwise(columns)), edges[1])
    heights = [tops[0]]
    frames: list[tuple[Frame, ...]] = []
    for row, bottom in zip(rows, tops[1:], strict=True):
        levels = _levels_of(row, columns)
        if levels is None:
            return None
        heights += [(above + below) / 2 for above, below in pairwise(levels)] + [bottom]
        frames += _framed(row, columns, len(frames), levels)
    if len(frames) >= sum(max((len(cluster.levels) for cluster in row), default=1) for row in rows):
        return None
    return Grid(lefts, tuple(heights), tuple(frames), closed=False, walled=False)


def _levels_of(row: _Row, columns: Sequence[Span]) -> Sequence[float] | None:
    """The heights of the rows that a strip holds; none where it is a row, None where nobody knows."""
    tall = [cluster for cluster in row if len(cluster.levels) > 1]
    texts = [cluster for cluster in tall if cluster.goes_on(_room(cluster, columns))]
    loose = [cluster for cluster in tall if cluster not in texts or not cluster.is_prose]
    for first in loose:
        alike = [cluster for cluster in loose if _are_level(cluster.heights, first.heights)]
        if len(alike) > 1 and len(alike) >= _LEAST_ALIKE * len(row):
            is_known = all(cluster in alike or len(cluster.levels) <= len(first.levels) for cluster in tall)
            return first.heights if is_known else None
    others = [cluster for cluster in tall if cluster not in texts]
    return None if len(others) > 1 or any(cluster.holds_figures for cluster in others) else []


def _room(cluster: _Cluster, columns: Sequence[Span]) -> Span:
    """The columns that a cell reaches into, as one."""
    met = met_by(columns, *cluster.span) or [cluster.span]
    return met[0][0], met[-1][1]


def _are_level(heights: Sequence[float], others: Sequence[float]) -> bool:
    return len(heights) == len(others) and all(
        abs(height - other) < SAME for height, other in zip(heights, others, strict=True)
    )


def _is_on(cluster: _Cluster, levels: Sequence[float], *, is_first: bool) -> bool:
    """Whether its lines stand on some of *levels*. A line alone in the first column names all rows beside it."""
    if is_first and len(cluster.levels) == 1:
        return False
    return all(any(abs(height - level) < SAME for level in levels) for height in cluster.heights)


def _framed(row: _Row, columns: Sequence[Span], first: int, levels: Sequence[float]) -> list[tuple[Frame, ...]]:
    """The frames of the rows that are on *levels* of a strip, the first of which has that number; or of the strip.

    A cell has one frame wherever it reaches.
    """
    count = max(1, len(levels))
    frames = [[Frame(first + at, first + at + 1, column) for column in range(len(columns))] for at in range(count)]
    for cluster in row:
        met = [columns.index(column) for column in met_by(columns, *cluster.span)]
        is_whole = count > 1 and not _is_on(cluster, levels, is_first=met[:1] == [0])
        for at in range(count):
            for column in met:
                frames[at][column] = Frame(first, first + count, met[0]) if is_whole else frames[at][met[0]]
    return [tuple(each) for each in frames]
