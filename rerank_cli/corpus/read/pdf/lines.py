"""The lines of a page, each with where it stands and what it is set in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import groupby, pairwise
from typing import NamedTuple

from rerank_cli.corpus.read.pdf.characters import BROKEN_WORD, first_word, is_hangul, is_unspaced, joined

# In hundredths of the size of the letters: a narrower gap is none, a wider one parts cells.
WORD_GAP = 0.15
CELL_GAP = 0.75

# A stop of Han and kana stands in the middle or at the left of its place, which may count as room.
WIDE_STOPS = "。，、；：？！"  # noqa: RUF001
_STOP_GAP = 1.2

# In sizes of the letters: no gap in prose or in a heading is so wide.
_ROW_GAP = 3.0

# In sizes of the larger letters: so far apart what stands on the height of large letters may be of another block.
_FAR = 6.0
_MUCH_LARGER = 1.6

# In sizes of the letters: so much higher or lower than its line a sign may be put that was recognized in a scan.
_RECOGNIZED = 0.8

# Raised and lowered letters are so much smaller than the others, but no smaller than that.
_SCRIPT = 0.85
_SMALLEST = 0.4

# In sizes of the letters: so far below its line a part of a fraction stands at most, and a sum's index.
_FRACTION = 0.95
_LIMIT = 1.7
_SIGN_CHARS = 3
_WITH_LIMITS = "∑∏∫⋃⋂"  # noqa: RUF001
_LIMIT_CHARS = 16
_WORD = re.compile(r"[^\W\d_\u2e80-\ua4cf]{2}[^\W\d_A-Z\u2e80-\ua4cf]|[^\W\d_\u2e80-\ua4cf]{5}")

# In sizes of the letters: a line that ends in the middle of a word has no more room.
_FULL = 1.2

# They may stand at the left of a cell whose amount stands at the right.
_CURRENCIES = ("$", "€", "£", "¥", "₹", "US$", "R$")
_SIGNS_OF_AMOUNTS = "(.-–—−"  # noqa: RUF001

# A paragraph's large first letter is so much larger than the others. After one that is a word there is so much room.
_INITIAL = 1.6
_LEAST_BLANK = 0.6


class Cell(NamedTuple):
    """A part of a line that stands apart from the others, from `left` to `right`."""

    text: str
    left: float
    right: float


class Box(NamedTuple):
    """What rules keep apart: the `number` of a box or a table on its page, and the `cell` of a table.

    A cell has a row between rules, a row within that, and a column.
    """

    number: int
    cell: tuple[int, int, int] | None = None

    @property
    def row(self) -> tuple[int, int, int] | None:
        """The number of its table, and the row there; None of what is in no table."""
        return (self.number, *self.cell[:2]) if self.cell else None


class Line(NamedTuple):
    """What stands side by side on a page. Points (1/72 inch) count from the page's upper corner where reading begins.

    `y` is the line that the letters stand on, `size` that of the letters. `bold` and `fixed` (as a typewriter sets
    them) hold where all letters are. `box` is what it stands in, if that keeps it apart from other lines. `is_open`
    where the last word may go on in the next line though no hyphen parts it, as in Korean.
    """

    cells: tuple[Cell, ...]
    page: int
    y: float
    size: float
    bold: bool = False
    fixed: bool = False
    upright: bool = True
    box: Box | None = None
    is_open: bool = False

    @property
    def text(self) -> str:
        return self.cells[0].text if len(self.cells) == 1 else " ".join(cell.text for cell in self.cells)

    @property
    def left(self) -> float:
        return self.cells[0].left

    @property
    def right(self) -> float:
        return self.cells[-1].right

    @property
    def top(self) -> float:
        return self.y - self.size

    @property
    def is_row(self) -> bool:
        """Whether it has a gap too wide for prose."""
        return any(after.left - before.right > _ROW_GAP * self.size for before, after in pairwise(self.cells))

    @property
    def first_word_width(self) -> float:
        """How wide its first word is, if all letters are of one width: what had to fit at the end of a line before."""
        return (self.right - self.left) * min(1.0, len(first_word(self.text)) / len(self.text))

    def beside(self, other: Line) -> bool:
        """Whether *other* goes on to the right of this line, on the same height."""
        size = max(self.size, other.size)
        off = abs(self.y - other.y)
        if self.upright != other.upright or off >= _RECOGNIZED * size:
            return False
        if off >= 0.5 * size and not self._is_close_in_unspaced(other, size):
            return False
        smaller = min(self.size, other.size)
        if size > _MUCH_LARGER * smaller and off >= 0.5 * smaller and other.left - self.right > _FAR * size:
            return not self._is_of_words_as(other)
        return other.left > self.right - 0.2 * self.size or self._overhangs(other)

    def _is_close_in_unspaced(self, other: Line, size: float) -> bool:
        """Whether *other* begins where this line ends, in a writing without blanks."""
        return other.left - self.right < 1.5 * size and (is_unspaced(self.text[-1]) or is_unspaced(other.text[0]))

    def _overhangs(self, other: Line) -> bool:
        """Whether the raised letters that this line ends with stand above the lowered ones that *other* begins with."""
        is_script = abs(self.y - other.y) < 0.1 * self.size or _SMALLEST < other.size / self.size < _SCRIPT
        return is_script and self.right - 2 * self.size < other.left > self.left + 0.3 * self.size

    def comes_before(self, other: Line) -> bool:
        """Whether this line stands on the height of *other*, to the left of it."""
        is_level = self.upright and other.upright and abs(self.y - other.y) < 0.1 * max(self.size, other.size)
        return is_level and self.left < self.right < other.left

    def has_room_for(self, other: Line) -> bool:
        """Whether *other* stands in a gap of this line, on its height."""
        slack = 0.2 * self.size
        is_level = self.upright and other.upright and abs(self.y - other.y) < 0.1 * max(self.size, other.size)
        return is_level and any(
            before.left < other.left < after.left
            and before.right - slack < other.left
            and other.right < after.left + slack
            for before, after in pairwise(self.cells)
        )

    def with_between(self, other: Line) -> Line:
        """This line with *other* in its gap."""
        before = tuple(cell for cell in self.cells if cell.left < other.left)
        after = self._replace(cells=self.cells[len(before) :])
        return self._replace(cells=before).with_more(other).with_more(after)

    def is_initial_of(self, other: Line) -> bool:
        """Whether this is the large letter that a paragraph begins with, and *other* the first line beside it."""
        return (
            len(self.text) == 1
            and self.text.isupper()
            and self.size > _INITIAL * other.size
            and self.top < other.y < self.y - 0.5 * other.size
            and -0.5 * other.size < other.left - self.right < other.size
        )

    def begun_by_initial(self, other: Line) -> Line:
        """*other* with this large letter in front."""
        first, *after = other.cells
        space = " " if other.left - self.right > _LEAST_BLANK * other.size else ""
        return other._replace(cells=(Cell(f"{self.text}{space}{first.text}", self.left, first.right), *after))

    def runs_under(self, other: Line) -> bool:
        """Whether words at the end of this line are wider than their cell, and go on under the figures in *other*."""
        size = self.size
        if abs(self.y - other.y) > 0.1 * size or abs(size - other.size) > 0.1 * size or not other.text[0].isdigit():
            return False
        last = self.cells[-1]
        return last.left + size < other.left < last.right - 2 * size and _WORD.search(last.text) is not None

    def with_over(self, other: Line) -> Line:
        """This line with *other*, under which its end goes on."""
        *before, last = self.cells
        return self._replace(cells=(*before, last._replace(right=other.left - self.size), *other.cells))

    def in_formula_with(self, other: Line, last: Line) -> bool:
        """Whether *other* is a piece of the formula that this line is, of which *last* is the piece before.

        Numerators and denominators stand less than a line off, what a sum goes over right above and below its sign.
        """
        size, off = max(self.size, other.size), abs(self.y - other.y)
        if not (self.upright and other.upright) or (self.fixed or other.fixed) or off > _LIMIT * size:
            return False
        if min(self.size, other.size) < _SMALLEST * size:
            return False
        if off < _FRACTION * size and last.left - 1.5 * size < other.left < self.right + 0.5 * size:
            return not last.is_above(other)
        if last.text[-1] in _WITH_LIMITS and other.left < last.right < other.right + 0.5 * size:
            return other.size < _SCRIPT * last.size
        is_small = min(last.size, other.size) < _SCRIPT * max(last.size, other.size)
        is_sign = min(len(last.text), len(other.text)) <= _SIGN_CHARS
        is_short = max(len(last.text), len(other.text)) <= _LIMIT_CHARS
        return is_small and is_sign and is_short and abs(last.left + last.right - other.left - other.right) < 2 * size

    def is_above(self, other: Line) -> bool:
        """Whether both are lines of words that begin at one place, as a title has them close below each other."""
        is_below = other.y - self.y > 0.5 * other.size and abs(self.left - other.left) < 0.1 * other.size
        return is_below and self._is_of_words_as(other)

    def _is_of_words_as(self, other: Line) -> bool:
        return _WORD.search(self.text) is not None and _WORD.search(other.text) is not None

    def with_piece(self, other: Line) -> Line:
        """This line and *other*, which stands a little above or below it."""
        *before, last = self.cells
        gap = other.left - last.right
        is_script = other.size < _SCRIPT * self.size and abs(self.y - other.y) < 0.6 * self.size
        is_within = is_unspaced(last.text[-1]) and is_unspaced(other.text[0])
        space = "" if is_within or (is_script and -self.size < gap < WORD_GAP * self.size) else " "
        cell = Cell(f"{last.text}{space}{other.text}", min(last.left, other.left), max(last.right, other.right))
        main = max(self, other, key=lambda line: (round(line.size), line.right - line.left))
        return main._replace(cells=(*before, cell), bold=self.bold and other.bold)

    def _is_marked_by(self, other: Line) -> bool:
        """Whether one is the raised number of a footnote, and the other a word."""
        if other.size < _SCRIPT * self.size:
            return other.text.isdecimal() and other.y < self.y and self.text[-4:].isalpha() and self.text[-1].islower()
        is_word = other.text[:3].isalpha() or other.text.startswith(("A ", "I "))
        return self.size < _SCRIPT * other.size and self.text.isdecimal() and is_word

    def with_more(self, other: Line) -> Line:
        """This line and *other*, which stands beside it."""
        gap = other.left - self.right
        *before, last = self.cells
        first, *after = other.cells
        size = max(self.size, other.size)
        widest = _STOP_GAP if last.text[-1] in WIDE_STOPS else CELL_GAP
        if (gap < widest * size or is_amount(last.text, first.text[0])) and not last.text.endswith(BROKEN_WORD):
            is_parted = gap > WORD_GAP * size and last.text[-1] not in WIDE_STOPS
            space = " " if is_parted or self._is_marked_by(other) else ""
            before.append(Cell(f"{last.text}{space}{first.text}", last.left, first.right))
        else:
            before += [last, first]
        main = max(self, other, key=lambda line: (round(line.size), line.right - line.left))
        bold, fixed = self.bold and other.bold, self.fixed and other.fixed
        return main._replace(cells=(*before, *after), bold=bold, fixed=fixed, is_open=other.is_open)


def is_amount(sign: str, first: str) -> bool:
    """Whether *sign* is a currency, and what begins with *first* its amount, however far it stands from that."""
    return sign in _CURRENCIES and (first.isdigit() or first in _SIGNS_OF_AMOUNTS)


def text_of(lines: Sequence[Line], hyphenated: frozenset[str]) -> str:
    """What the lines of a paragraph or a cell say. *hyphenated* are the words that are written with a hyphen."""
    right = max(line.right for line in lines)
    text = ""
    is_open = False
    for line in lines:
        goes_on = is_open and is_hangul(line.text[0])
        text = text + line.text if goes_on else joined(text, line.text, hyphenated)
        is_open = line.is_open and line.right > right - _FULL * line.size
    return text.replace(BROKEN_WORD, "-")


def levels_of(lines: Iterable[Line], apart: float) -> list[list[Line]]:
    """*lines* from top to bottom, those on one height together; *apart*, in sizes of the letters, begins another."""
    levels: list[list[Line]] = []
    for line in sorted(lines, key=lambda line: line.y):
        if levels and line.y - levels[-1][0].y < apart * line.size:
            levels[-1].append(line)
        else:
            levels.append([line])
    return levels


def in_rows_of_cells(lines: Sequence[Line]) -> list[tuple[Line, tuple[Line, ...]]]:
    """*lines*, those of a row of cells between rules as one; and what each is made of."""
    rows: list[tuple[Line, tuple[Line, ...]]] = []
    for row, group in groupby(lines, lambda line: line.box and line.box.row):
        whole = tuple(group)
        if row is None:
            rows += [(line, (line,)) for line in whole]
        else:
            rows.append((whole[0]._replace(cells=tuple(cell for line in whole for cell in line.cells)), whole))
    return rows


def side_by_side(lines: list[Line]) -> list[Line]:
    """*lines* with those put together that follow one another and stand on the same height or in one formula."""
    joined: list[Line] = []
    last: Line | None = None
    for line in lines:
        if joined and joined[-1].box != line.box:
            joined.append(line)
        elif joined and joined[-1].is_initial_of(line):
            joined[-1] = joined[-1].begun_by_initial(line)
        elif joined and joined[-1].beside(line):
            joined[-1] = joined[-1].with_more(line)
        elif joined and joined[-1].has_room_for(line):
            joined[-1] = joined[-1].with_between(line)
        elif joined and line.comes_before(joined[-1]):
            joined[-1] = line.with_more(joined[-1])
        elif joined and joined[-1].runs_under(line):
            joined[-1] = joined[-1].with_over(line)
        elif last and joined[-1].in_formula_with(line, last):
            joined[-1] = joined[-1].with_piece(line)
        else:
            joined.append(line)
        last = line
    return joined
