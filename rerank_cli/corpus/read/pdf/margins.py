"""Leave out the numbers of lines that stand in a margin, as in drafts and bills, and those beside a listing."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import pairwise

from rerank_cli.corpus.read.pdf.lines import Cell, Line

# Fewer may be anything.
_FEWEST = 4

# Such a share of the lines of prose begins in the middle of a sentence, and hardly any in a table of contents.
_PROSE = 0.2

# In points. Items and sections stand further apart.
_WIDEST_LINE = 40.0

# In points: how far apart their right edges are. So many stand together, and such a share has a line of code beside it.
_ALIGNED = 1.5
_FEWEST_TOGETHER = 2
_LEAST_BESIDE = 0.5

# In sizes of the letters: so far to the right stands the code at most.
_FARTHEST_CODE = 20.0

_LINE_NUMBER = re.compile(r"\d{1,5}")


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


def without_listing_numbers(lines: list[Line]) -> list[Line]:
    """*lines* without the numbers of those of listings, which browsers print after these."""
    runs = list(_runs_of_numbers(lines))
    if not runs:
        return lines
    by_height = sorted((line.y, line) for line in lines)
    dropped = {index for run in runs if _are_beside([lines[index] for index in run], by_height) for index in run}
    return [line for index, line in enumerate(lines) if index not in dropped] if dropped else lines


def _runs_of_numbers(lines: Sequence[Line]) -> Iterator[list[int]]:
    """Lines that are no more than numbers, in a column, each the next one."""
    run: list[int] = []
    for index, line in enumerate(lines):
        is_number = line.fixed and len(line.cells) == 1 and _LINE_NUMBER.fullmatch(line.cells[0].text) is not None
        if run and is_number and _is_next_number(lines[run[-1]], line):
            run.append(index)
            continue
        if len(run) >= _FEWEST_TOGETHER:
            yield run
        run = [index] if is_number else []
    if len(run) >= _FEWEST_TOGETHER:
        yield run


def _is_next_number(before: Line, line: Line) -> bool:
    is_below = before.y < line.y and abs(before.right - line.right) < _ALIGNED
    return is_below and int(line.text) == int(before.text) + 1


def _are_beside(numbers: Sequence[Line], by_height: Sequence[tuple[float, Line]]) -> bool:
    """Whether a line follows on the height of most *numbers*, one of code at least, and nothing stands before any."""
    followed: list[bool] = []
    for number in numbers:
        first, end = (bisect_left(by_height, (number.y + off * number.size,)) for off in (-0.5, 0.5))
        level = [line for _, line in by_height[first:end] if line is not number]
        if any(line.left < number.left for line in level):
            return False
        followed += [line.fixed for line in level if line.left - number.right < _FARTHEST_CODE * number.size][:1]
    return any(followed) and len(followed) >= _LEAST_BESIDE * len(numbers)
