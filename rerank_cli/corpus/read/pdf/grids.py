"""Find where rules make cells: of a table, or of the boxes of a form."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from rerank_cli.corpus.read.pdf.rules import SAME, Rule, Rules

# Of more the rules are the pattern of a drawing.
_MOST_CELLS = 6_000
_MOST_CROSSINGS = 60_000

# In points: a box alone that is lower has no room for lines.
_LEAST_HEIGHT = 30.0


@dataclass(frozen=True, slots=True)
class Frame:
    """A cell between rules, from a `row` to before another, and from a `column` on.

    They count all places where a cell of the grid may begin.
    """

    row: int
    end: int
    column: int


@dataclass(frozen=True, slots=True)
class Grid:
    """Cells that touch. `lefts` and `tops` are where columns and rows begin; the last ones are where they end.

    `closed` where rules go all around, `walled` where rules and not blank room part the columns.
    """

    lefts: tuple[float, ...]
    tops: tuple[float, ...]
    frames: tuple[tuple[Frame, ...], ...]
    closed: bool
    walled: bool = True

    def at(self, x: float, y: float) -> Frame | None:
        """The cell that a point is in."""
        if not (self.lefts[0] < x < self.lefts[-1] and self.tops[0] < y < self.tops[-1]):
            return None
        return self.frames[bisect_right(self.tops, y) - 1][bisect_right(self.lefts, x) - 1]

    def corner(self, frame: Frame, left: float, right: float, y: float) -> tuple[int, int]:
        """The row and the column within *frame* that hold what stands there; its first ones if none does."""
        column = min(bisect_right(self.lefts, left + SAME), len(self.lefts) - 1) - 1
        if column <= frame.column or right > self.lefts[column + 1] + SAME:
            return frame.row, frame.column
        return bisect_right(self.tops, y) - 1, column

    def adjoins(self, left: float, right: float, y: float, room: float) -> bool:
        """Whether something stands right beside the grid."""
        is_near = -SAME < left - self.lefts[-1] < room or -SAME < self.lefts[0] - right < room
        return is_near and self.tops[0] < y < self.tops[-1]

    def overlaps(self, other: Grid) -> bool:
        """Whether they have room in common."""
        is_beside = self.lefts[-1] < other.lefts[0] + SAME or other.lefts[-1] < self.lefts[0] + SAME
        return not is_beside and self.tops[0] < other.tops[-1] - SAME and other.tops[0] < self.tops[-1] - SAME

    def parts(self, left: float, right: float, y: float) -> bool:
        """Whether a rule stands between two places on one height."""
        return self.at(left, y) is not self.at(right, y)

    @property
    def area(self) -> float:
        return (self.lefts[-1] - self.lefts[0]) * (self.tops[-1] - self.tops[0])


def grids_of(rules: Rules) -> list[Grid]:
    """The grids of a page, those within others first."""
    found = [grid for level, upright in _crossing(rules) if (grid := _grid(level, upright))]
    return sorted(found, key=lambda grid: grid.area)


def _crossing(rules: Rules) -> list[tuple[list[Rule], list[Rule]]]:
    """Level and upright rules that touch each other, directly or by way of others."""
    if len(rules.level) * len(rules.upright) > _MOST_CROSSINGS:
        return []
    heights = [rule.at for rule in rules.level]
    groups: dict[int, tuple[list[Rule], list[Rule]]] = {}
    group_of: dict[Rule, int] = {}
    for number, upright in enumerate(rules.upright):
        first, end = bisect_left(heights, upright.first - SAME), bisect_right(heights, upright.last + SAME)
        touched = [rule for rule in rules.level[first:end] if rule.reaches(upright.at)]
        level, uprights = [rule for rule in touched if rule not in group_of], [upright]
        for met in sorted({group_of[rule] for rule in touched if rule in group_of}):
            more, others = groups.pop(met)
            level += more
            uprights += others
        groups[number] = level, uprights
        group_of |= dict.fromkeys(level, number)
    return list(groups.values())


def _grid(level: Sequence[Rule], upright: Sequence[Rule]) -> Grid | None:
    if len(level) < 2:
        return None
    lefts = places_of([rule.at for rule in upright] + [end for rule in level for end in (rule.first, rule.last)])
    tops = places_of([rule.at for rule in level] + [end for rule in upright for end in (rule.first, rule.last)])
    columns, rows = len(lefts) - 1, len(tops) - 1
    if columns < 1 or rows < 1 or columns * rows > _MOST_CELLS:
        return None
    if columns == rows == 1 and tops[1] - tops[0] < _LEAST_HEIGHT:
        return None
    walls = _barred(upright, lefts, tops)
    floors = _barred(level, tops, lefts)
    frames: list[list[Frame | None]] = [[None] * columns for _ in range(rows)]
    for row in range(rows):
        for column in range(columns):
            if frames[row][column] is None:
                _frame(frames, row, column, lefts, tops, walls, floors)
    closed = all((place, row) in walls for place in (0, columns) for row in range(rows)) and all(
        (place, column) in floors for place in (0, rows) for column in range(columns)
    )
    return Grid(tuple(lefts), tuple(tops), tuple(tuple(filter(None, row)) for row in frames), closed)


def _frame(
    frames: list[list[Frame | None]],
    row: int,
    column: int,
    lefts: Sequence[float],
    tops: Sequence[float],
    walls: set[tuple[int, int]],
    floors: set[tuple[int, int]],
) -> None:
    """Put the cell that begins in a row and a column wherever it reaches: to the next wall and the next floor."""
    after, below = column + 1, row + 1
    while after < len(lefts) - 1 and frames[row][after] is None and (after, row) not in walls:
        after += 1
    while below < len(tops) - 1 and frames[below][column] is None:
        if all((below, each) in floors for each in range(column, after)):  # less of it is a line below a word
            break
        below += 1
    frame = Frame(row, below, column)
    for each in range(row, below):
        for index in range(column, after):
            frames[each][index] = frames[each][index] or frame


def _barred(rules: Iterable[Rule], places: Sequence[float], across: Sequence[float]) -> set[tuple[int, int]]:
    """At which of *places* a rule stands, and between which two of the places across."""
    barred: set[tuple[int, int]] = set()
    for rule in rules:
        place = min(range(len(places)), key=lambda index: abs(places[index] - rule.at))
        barred |= {
            (place, index) for index, (first, last) in enumerate(pairwise(across)) if rule.reaches((first + last) / 2)
        }
    return barred


def places_of(numbers: list[float]) -> list[float]:
    """*numbers* from the first to the last, those at one place as one."""
    places: list[float] = []
    for number in sorted(numbers):
        if not places or number - places[-1] > SAME:
            places.append(number)
    return places
