"""Put the lines of a page row by row, where a file has them in no order: as some programs write tables."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from rerank_cli.corpus.read.pdf.lines import Line, levels_of

# So many lines, and such a share of all, stand above the one before them though not in a column to the right of it.
_FEWEST = 6
_LEAST = 0.2

# Where more lines than that have so many words, or these have more of the letters, there is text, which may stand
# beside other text. The labels of plots are many lines of few letters.
_MOST_PROSE = 0.25
_MOST_LETTERS = 0.5
_PROSE_WORDS = 5

# A table has so many cells in a row, and two diagrams side by side have less.
_FEWEST_CELLS = 2.5

# In sizes of the letters: so much higher or lower may stand what is in one row.
_LEVEL = 0.4


def in_rows(lines: list[Line]) -> list[Line]:
    """*lines* of a page as they are read."""
    if not _have_no_order(lines) or _are_text(lines):
        return lines
    rows = levels_of(lines, _LEVEL)
    if sum(len(line.cells) for line in lines) < _FEWEST_CELLS * len(rows):
        return lines
    return [line for row in rows for line in sorted(row, key=lambda line: line.left)]


def _have_no_order(lines: Sequence[Line]) -> bool:
    leaps = sum(after.y < before.top and after.left < before.right for before, after in pairwise(lines))
    return leaps >= _FEWEST and leaps > _LEAST * len(lines)


def _are_text(lines: Sequence[Line]) -> bool:
    prose = [line for line in lines if max(cell.text.count(" ") for cell in line.cells) >= _PROSE_WORDS - 1]
    return len(prose) > _MOST_PROSE * len(lines) or _letters(prose) > _MOST_LETTERS * _letters(lines)


def _letters(lines: Sequence[Line]) -> int:
    return sum(len(line.text) for line in lines)
