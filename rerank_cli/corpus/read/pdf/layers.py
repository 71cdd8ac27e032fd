"""Put lines together again that a file has in layers: first their words, and later what is set between these."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from rerank_cli.corpus.read.pdf.lines import WORD_GAP, Cell, Line, levels_of

# In sizes of the letters: so far apart, or over each other, are pieces of one line that touch. Cells are not.
_LEVEL = 0.1
_TOUCHING = 0.5
_OVER = 0.15

# On a page with so many such lines, the others that touch are of one line, too.
_FEWEST_FILLED = 2

# Words, the mark of an item, or prose in a writing without blanks.
_WORDS = re.compile(r"[^\W\d_]{3,}\W+[^\W\d_]{2,}|^\d{1,2}\.$|[\u3040-\u9fff]{3}")


def rejoined(lines: Sequence[Line]) -> list[Line]:
    """*lines*, each with those that the file has elsewhere and that touch it on its height, if some fill its gaps."""
    levels = [level for level in levels_of((line for line in lines if line.upright), _LEVEL) if len(level) > 1]
    groups = [group for level in levels for group in _touching(sorted(level, key=lambda line: line.left))]
    if sum(_fills_gaps(group) for group in groups) < _FEWEST_FILLED:
        return list(lines)
    places = {id(line): place for place, line in enumerate(lines)}
    joined: dict[int, Line | None] = {}
    for group in groups:
        first, *others = sorted(places[id(line)] for line in group)
        joined[first] = _one(group)
        joined.update(dict.fromkeys(others))
    kept = (joined.get(place, line) for place, line in enumerate(lines))
    return [line for line in kept if line is not None]


def _fills_gaps(group: Sequence[Line]) -> bool:
    """Whether one of *group* has words and a gap, which others fill."""
    widest = max(group, key=lambda line: len(line.text))
    return len(widest.cells) > 1 and len(_one(group).cells) == 1 and _WORDS.search(widest.text) is not None


def _touching(level: Sequence[Line]) -> Iterator[list[Line]]:
    """Those lines on one height, from the left on, whose cells touch those of others."""
    pieces = sorted(((cell, number) for number, line in enumerate(level) for cell in line.cells), key=_left)
    groups: dict[int, set[int]] = {number: {number} for number in range(len(level))}
    for (before, own), (after, other) in pairwise(pieces):
        if own != other and level[own].box == level[other].box and _touch(before, after, level[own], level[other]):
            together = groups[own] | groups[other]
            groups.update(dict.fromkeys(together, together))
    for number, together in groups.items():
        if len(together) > 1 and number == min(together):
            yield [level[each] for each in sorted(together)]


def _left(piece: tuple[Cell, int]) -> float:
    return piece[0].left


def _touch(before: Cell, after: Cell, line: Line, other: Line) -> bool:
    return -_OVER < (after.left - before.right) / max(line.size, other.size) < _TOUCHING


def _one(lines: Sequence[Line]) -> Line:
    """*lines* as one, which is like the one that has the words: formulas are set larger."""
    main = min(lines, key=lambda line: (_WORDS.search(line.text) is None, line.size, line.left - line.right))
    cells: list[Cell] = []
    for cell in sorted((cell for line in lines for cell in line.cells), key=lambda cell: cell.left):
        gap = (cell.left - cells[-1].right) / main.size if cells else _TOUCHING
        if gap < _TOUCHING:
            before = cells.pop()
            space = " " if gap > WORD_GAP else ""
            cells.append(Cell(f"{before.text}{space}{cell.text}", before.left, max(before.right, cell.right)))
        else:
            cells.append(cell)
    return main._replace(cells=tuple(cells), bold=all(line.bold for line in lines))
