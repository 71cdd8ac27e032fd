"""Put the pieces of a formula into the line that it stands in: fractions, limits of sums, matrices."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise

from rerank_cli.corpus.read.pdf.characters import BROKEN_WORD, is_unspaced
from rerank_cli.corpus.read.pdf.lines import CELL_GAP, WORD_GAP, Cell, Line

# All in sizes of the letters. So far off are lines on one height, and so far what stands side by side may overlap: on
# one height, and a piece, as a limit is wider than its sign.
_LEVEL = 0.2
_SLACK = 0.3
_OVERHANG = 0.5

# So far off is what stands in the gap of a line at most; and what begins or ends it, if nothing reaches about as far
# on the other side. The piece next to the line is nearer.
_TALLEST = 3.0
_FRACTION = 1.7
_UNEVEN = 0.5
_NEAREST = 1.2

# Raised and lowered letters are so small, so far off at most, and right beside a word if they are nearer. Further off
# are the limits of a sign that ends so wide.
_SMALLER = 0.85
_SCRIPT = 1.0
_RAISED = 0.6
_LIMIT = 1.4
_SIGN = 2.5

# So far back to the left goes a lowered letter after a raised one.
_STACKED = 0.6

# So near to its line begins and ends a fraction, and so near to each other are the columns of a matrix.
_NEAR = 1.5
_COLUMN_GAP = 2.2

# No line has more pieces of formulas, no fraction has more pieces, and no piece of it more words.
_MOST = 80
_MOST_OF_FRACTION = 8
_MOST_WORDS = 2

_WORD = re.compile(r"[^\W\d_\u2e80-\ua4cf]{2}[^\W\d_A-Z\u2e80-\ua4cf]")


def with_formulas(lines: Sequence[Line]) -> list[Line]:
    """*lines* in the order of the file, those as one between whose beginning and end stand the pieces of a formula.

    The file goes back to the height of a line after what stands above and below it there.
    """
    rises = [at for at, (before, after) in enumerate(pairwise(lines), 1) if _rises(before, after)]
    if not rises:
        return list(lines)
    whole: list[Line] = []
    at = 0
    while at < len(lines):
        end = _end_of(lines, at, rises) if at < rises[-1] else at
        if end > at and _says_something(lines[at:end]):
            whole.append(_one(lines[at:end], lines[_after_fraction(lines, at, rises)]))
            at = end
        else:
            whole.append(lines[at])
            at += 1
    return whole


def _end_of(lines: Sequence[Line], at: int, rises: Sequence[int]) -> int:
    """Where the line ends that begins at *at*, if pieces of formulas are in it; else *at*."""
    first = _after_fraction(lines, at, rises)
    if first == at and not _may_go_on(lines[at], lines[at + 1]):
        return at
    row = _Row(lines[first])
    row.goes_on(lines[first + 1 : first + _MOST])
    return first + 1 + row.length if row.has_pieces or first > at else at


def _may_go_on(line: Line, other: Line) -> bool:
    """Whether *other* may be a piece in *line*, or go on with it. Most lines begin further to the left."""
    return other.left > (line.left if other.size < _SMALLER * line.size else line.right - _OVERHANG * line.size)


def _says_something(lines: Sequence[Line]) -> bool:
    """Whether they are more than the dots of a plot."""
    return any(letter.isalnum() for line in lines for letter in line.text)


def _rises(before: Line, after: Line) -> bool:
    return _LEVEL * after.size < before.y - after.y < _TALLEST * after.size


def _after_fraction(lines: Sequence[Line], at: int, rises: Sequence[int]) -> int:
    """Which line goes on after a fraction that begins at *at*: that one itself if none does."""
    for main in rises[bisect_left(rises, at + 2) : bisect_left(rises, at + _MOST_OF_FRACTION)]:
        line = lines[main]
        if abs(lines[at].y - line.y) > _TALLEST * line.size or lines[at].right > line.left + line.size:
            continue
        pieces = lines[at:main]
        if not all(_are_alike(line, piece) and abs(piece.y - line.y) > _LEVEL * line.size for piece in pieces):
            continue
        gap = (line.left - max(piece.right for piece in pieces)) / line.size
        if -_SLACK < gap < _NEAR and _is_fraction(pieces, line):
            return main
    return at


def _is_fraction(pieces: Sequence[Line], line: Line) -> bool:
    """Whether *pieces* stand above and below the height of *line*, side by side or over each other."""
    offs = [(piece.y - line.y) / line.size for piece in pieces]
    above, below = [-off for off in offs if off < -_LEVEL], [off for off in offs if off > _LEVEL]
    if not (above and below) or max(min(above), min(below)) > _NEAREST:
        return False
    if _is_too_far(max(above), max(below)) or _is_too_far(max(below), max(above)):
        return False
    if any(len(_WORD.findall(piece.text)) > _MOST_WORDS for piece in pieces):
        return False
    reach = pieces[0].right
    for piece in sorted(pieces, key=lambda piece: piece.left)[1:]:
        if piece.left > reach + _NEAR * line.size:
            return False
        reach = max(reach, piece.right)
    return True


def _is_too_far(off: float, other_side: float) -> bool:
    """Whether something stands so far off a line, and farther than what is on the other side of it."""
    return off > _TALLEST or off > max(_FRACTION, other_side + _UNEVEN)


class _Row:
    """The lines on the height of a first one, and the pieces of formulas above and below it.

    A column of a matrix has something on that height, and the same above it and below.
    """

    def __init__(self, main: Line) -> None:
        self.length = 0
        """How many lines are of it after the first one."""
        self.has_pieces = False
        """Whether there are pieces among them."""
        self._main = self._last = main
        self._column = main.right  # where the column begins of which the last line on the height may be
        self._pieces: list[Line] = []  # those after it
        self._over = self._under = self._is_open = False  # whether there is something in a column, and it may go on

    def goes_on(self, lines: Sequence[Line]) -> None:
        """Look how far it goes on in *lines*."""
        levels = 0
        for at, line in enumerate(lines, 1):
            before = lines[at - 2] if at > 1 else self._main
            if not _are_alike(self._main, line) or before.text.endswith(BROKEN_WORD):
                break
            if self._is_beside(line) and _is_level(self._main, line):
                if not self._takes(line):
                    break
                levels = at
                if self._over == self._under:
                    self.length, self.has_pieces, self._is_open = at, self.has_pieces or self._is_open, False
            elif self._may_have(line):
                self._pieces.append(line)
            else:
                break
        ending = self._ending()
        if ending:
            self.length, self.has_pieces = levels + ending, True

    def _takes(self, line: Line) -> bool:
        """Go on with *line* if what stands before it ends there, or stands in its column."""
        for piece in self._pieces:
            is_in_column = piece.right > line.left + _OVERHANG * self._main.size
            if is_in_column and (_has_word(line) or (_has_word(piece) and not _is_level(self._main, piece))):
                return False
            if is_in_column or self._is_in_column(piece):
                off = (piece.y - self._main.y) / self._main.size
                self._over |= off < -_LEVEL
                self._under |= off > _LEVEL
        self._is_open |= not all(_is_level(self._main, piece) for piece in self._pieces)
        self._column, self._last, self._pieces = self._last.right, line, []
        return True

    def _ending(self) -> int:
        """How many of the pieces at the end are a fraction, the lower part of a column, or on the line's height."""
        height, size = self._main.y, self._main.size
        above = max((height - piece.y for piece in self._pieces), default=0.0) / size
        ending: list[Line] = []
        limits = 0
        for piece in self._pieces:
            is_of_ending = self._is_beside(piece) or self._is_in_column(piece)
            is_of_ending |= bool(ending) and piece.left > self._column - _SLACK * size
            if _is_too_far((piece.y - height) / size, above) or (ending and not is_of_ending):
                break
            if is_of_ending:
                ending.append(piece)
            else:
                limits += 1
        if not ending or min(piece.left for piece in ending) > self._last.right + _NEAR * size:
            return 0
        is_lower = self._over and not self._under and self._is_in_column(ending[0]) and ending[0].y > height
        is_mixed = any(_is_level(self._main, piece) for piece in ending) and not any(map(_has_word, ending))
        return limits + len(ending) if is_lower or is_mixed or _is_fraction(ending, self._main) else 0

    def _is_beside(self, line: Line) -> bool:
        return line.left > self._last.right - _OVERHANG * self._main.size

    def _is_in_column(self, piece: Line) -> bool:
        """Whether *piece* stands in the column of the last line on the height, and not beside it."""
        is_right = self._column - _SLACK * self._main.size < piece.left and not self._is_beside(piece)
        return is_right and not self._is_limit(piece)

    def _is_limit(self, piece: Line) -> bool:
        """Whether it is raised or lowered, or stands over or under the sign that the last line ends with."""
        size = self._main.size
        is_at_end = piece.left > self._last.right - _SIGN * size
        off = abs(piece.y - self._main.y) / size
        is_small = piece.left > self._main.left and piece.size < _SMALLER * size
        return is_small and off < (_LIMIT if is_at_end else _SCRIPT)

    def _may_have(self, line: Line) -> bool:
        off = abs(line.y - self._main.y) / self._main.size
        if off > _TALLEST:
            return False
        if self._is_beside(line) or (self._is_in_column(line) and _is_level(self._main, line)):
            return True
        if self._is_in_column(line) and not (_has_word(line) or _has_word(self._last)):
            return True
        return self._is_limit(line)


def _has_word(line: Line) -> bool:
    return _WORD.search(line.text) is not None


def _are_alike(main: Line, line: Line) -> bool:
    """Whether both may be of one line by what they are set in."""
    return main.upright and line.upright and not (main.fixed or line.fixed) and main.box == line.box


def _is_level(main: Line, line: Line) -> bool:
    return abs(line.y - main.y) < _LEVEL * main.size and line.size > _SMALLER * main.size


def _one(lines: Sequence[Line], main: Line) -> Line:
    """*lines* as one, with cells where there is a gap that none of them fills."""
    parts = sorted((cell for line in lines for cell in line.cells), key=lambda cell: cell.left)
    cells: list[Cell] = []
    for part in parts:
        if cells and part.left < cells[-1].right + _widest_gap(cells[-1], part) * main.size:
            cells[-1] = cells[-1]._replace(right=max(cells[-1].right, part.left, part.right))
        else:
            cells.append(Cell(part.text, part.left, max(part.left, part.right)))
    joined = (Cell(_text(lines, main, cell), cell.left, cell.right) for cell in cells)
    return main._replace(cells=tuple(joined), bold=all(line.bold for line in lines))


def _widest_gap(before: Cell, after: Cell) -> float:
    return CELL_GAP if _WORD.search(before.text) or _WORD.search(after.text) else _COLUMN_GAP


def _text(lines: Sequence[Line], main: Line, whole: Cell) -> str:
    """What the cells of *lines* say that stand within a *whole* one."""
    text, reach, before = "", whole.left, main
    within = [(cell, line) for line in lines for cell in line.cells if whole.left <= cell.left <= whole.right]
    if _is_mixed(lines, main):
        within.sort(key=lambda each: each[0].left)
    for cell, line in within:
        is_close = -(_STACKED if _is_script(line, main) else _SLACK) < (cell.left - reach) / main.size < WORD_GAP
        is_within = not text or (is_unspaced(text[-1]) and is_unspaced(cell.text[0]))
        is_parted = not is_close or _are_parted(text, before, cell.text, line, main)
        text += f"{' ' if is_parted and not is_within else ''}{cell.text}"
        reach, before = cell.right, line
    return text


def _is_mixed(lines: Sequence[Line], main: Line) -> bool:
    """Whether the file goes back on the height of the line, as where it has the letters of a formula font by font."""
    level = [line for line in lines if _is_level(main, line)]
    return any(after.left < before.left for before, after in pairwise(level))


def _are_parted(text: str, before: Line, other_text: str, line: Line, main: Line) -> bool:
    """Whether one number, or one word, ends and another begins, as they stand on two heights."""
    if before.y == line.y or not (text[-1:].isalnum() and other_text[0].isalnum()):
        return False
    is_script = _is_script(before, main) or _is_script(line, main)
    return (text[-1].isdigit() and other_text[0].isdigit()) or not is_script


def _is_script(line: Line, main: Line) -> bool:
    return line.size < _SMALLER * main.size and abs(line.y - main.y) < _RAISED * main.size
