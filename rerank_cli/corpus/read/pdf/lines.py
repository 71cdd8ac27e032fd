"""The lines of a page, each with where it stands and what it is set in."""

from __future__ import annotations

from dataclasses import dataclass, replace

from rerank_cli.corpus.read.pdf.characters import BROKEN_WORD

# In hundredths of the size of the letters: a narrower gap is none, a wider one parts cells.
_WORD_GAP = 0.15
CELL_GAP = 0.75

# A paragraph's large first letter is so much larger than the others. After one that is a word there is so much room.
_INITIAL = 1.6
_LEAST_BLANK = 0.6


@dataclass(frozen=True, slots=True)
class Cell:
    """A part of a line that stands apart from the others, from `left` to `right`."""

    text: str
    left: float
    right: float


@dataclass(frozen=True, slots=True)
class Line:
    """What stands side by side on a page. Points (1/72 inch) count from the page's upper left corner.

    `y` is the line that the letters stand on, `size` that of the letters. `bold` and `fixed` (as a typewriter sets
    them) hold where all letters are.
    """

    cells: tuple[Cell, ...]
    page: int
    y: float
    size: float
    bold: bool = False
    fixed: bool = False
    upright: bool = True

    @property
    def text(self) -> str:
        return " ".join(cell.text for cell in self.cells)

    @property
    def left(self) -> float:
        return self.cells[0].left

    @property
    def right(self) -> float:
        return self.cells[-1].right

    @property
    def top(self) -> float:
        return self.y - self.size

    def beside(self, other: Line) -> bool:
        """Whether *other* goes on to the right of this line, on the same height."""
        return (
            self.upright == other.upright
            and abs(self.y - other.y) < 0.5 * max(self.size, other.size)
            and (other.left > self.right - 0.2 * self.size or self._overhangs(other))
        )

    def _overhangs(self, other: Line) -> bool:
        """Whether the raised letters that this line ends with stand above the lowered ones that *other* begins with."""
        level = abs(self.y - other.y) < 0.1 * self.size
        return level and self.right - 2 * self.size < other.left > self.left + self.size

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
        return replace(other, cells=(Cell(f"{self.text}{space}{first.text}", self.left, first.right), *after))

    def with_more(self, other: Line) -> Line:
        """This line and *other*, which stands beside it."""
        gap = other.left - self.right
        *before, last = self.cells
        first, *after = other.cells
        size = max(self.size, other.size)
        if gap < CELL_GAP * size and not last.text.endswith(BROKEN_WORD):
            space = " " if gap > _WORD_GAP * size else ""
            before.append(Cell(f"{last.text}{space}{first.text}", last.left, first.right))
        else:
            before += [last, first]
        longer = max(self, other, key=lambda line: line.right - line.left)
        return replace(longer, cells=(*before, *after), bold=self.bold and other.bold, fixed=self.fixed and other.fixed)


def side_by_side(lines: list[Line]) -> list[Line]:
    """*lines* with those put together that follow one another and stand on the same height."""
    joined: list[Line] = []
    for line in lines:
        if joined and joined[-1].is_initial_of(line):
            joined[-1] = joined[-1].begun_by_initial(line)
        elif joined and joined[-1].beside(line):
            joined[-1] = joined[-1].with_more(line)
        else:
            joined.append(line)
    return joined
