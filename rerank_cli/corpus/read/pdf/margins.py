"""Leave out the numbers of lines that stand in a margin, as in drafts and bills."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from rerank_cli.corpus.read.pdf.lines import Cell, Line

# Fewer may be anything.
_FEWEST = 4

# Such a share of the lines of prose begins in the middle of a sentence, and hardly any in a table of contents.
_PROSE = 0.2

# In points. Items and sections stand further apart.
_WIDEST_LINE = 40.0


def without_line_numbers(lines: list[Line]) -> list[Line]:
    """*lines* of a page without what counts them beside all text, be it every one or every fifth."""
    words = [cell for line in lines for cell in line.cells if not cell.text.isdecimal()]
    if sum(cell.text[0].islower() for cell in words) <= _PROSE * len(words):
        return lines
    left, right = min(cell.left for cell in words), max(cell.right for cell in words)
    ordered = sorted(lines, key=lambda line: line.y)
    before = [
        (line.y, line.cells[0]) for line in ordered if line.cells[0].text.isdecimal() and line.cells[0].right < left
    ]
    after = [
        (line.y, line.cells[-1]) for line in ordered if line.cells[-1].text.isdecimal() and line.cells[-1].left > right
    ]
    numbers = [cell for margin in (before, after) if _count_lines(margin) for _, cell in margin]
    return list(_without(lines, set(map(id, numbers)))) if numbers else lines


def _count_lines(numbers: Sequence[tuple[float, Cell]]) -> bool:
    """Whether they go on by the same step, as far below each other as so many lines are."""
    steps = {int(after.text) - int(before.text) for (_, before), (_, after) in pairwise(numbers)}
    if len(numbers) < _FEWEST or len(steps) > 1 or min(steps) < 1:
        return False
    return numbers[-1][0] - numbers[0][0] < _WIDEST_LINE * (int(numbers[-1][1].text) - int(numbers[0][1].text))


def _without(lines: Sequence[Line], dropped: set[int]) -> Iterator[Line]:
    for line in lines:
        cells = tuple(cell for cell in line.cells if id(cell) not in dropped)
        if cells:
            yield line if len(cells) == len(line.cells) else line._replace(cells=cells)
