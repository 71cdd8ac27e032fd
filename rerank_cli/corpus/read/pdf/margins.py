"""Leave out the numbers of lines that stand in a margin, as in drafts and bills."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from rerank_cli.corpus.read.pdf.lines import Cell, Line

# Fewer may be anything.
_FEWEST = 4


def without_line_numbers(lines: list[Line]) -> list[Line]:
    """*lines* of a page without what counts them beside all text, be it every one or every fifth."""
    numbers = [*_counting(lines, lambda line: line.cells[0]), *_counting(lines, lambda line: line.cells[-1])]
    return list(_without(lines, set(map(id, numbers)))) if numbers else lines


def _counting(lines: Sequence[Line], end: Callable[[Line], Cell]) -> list[Cell]:
    """The cells at one *end* of the lines, if they are numbers of lines."""
    numbered = sorted((line for line in lines if end(line).text.isdecimal()), key=lambda line: line.y)
    numbers = [end(line) for line in numbered]
    steps = {int(after.text) - int(before.text) for before, after in pairwise(numbers)}
    if len(numbers) < _FEWEST or len(steps) > 1 or min(steps) < 1:
        return []
    taken = set(map(id, numbers))
    others = [cell for line in lines for cell in line.cells if id(cell) not in taken]
    left, right = min(cell.left for cell in numbers), max(cell.right for cell in numbers)
    return numbers if all(cell.left > right for cell in others) or all(cell.right < left for cell in others) else []


def _without(lines: Sequence[Line], dropped: set[int]) -> Iterator[Line]:
    for line in lines:
        cells = tuple(cell for cell in line.cells if id(cell) not in dropped)
        if cells:
            yield line if len(cells) == len(line.cells) else replace(line, cells=cells)
