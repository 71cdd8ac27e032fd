"""Put the figures of a table beside their labels, where a file has whole columns one after the other."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from itertools import pairwise
from statistics import median

from rerank_cli.corpus.read.pdf.lines import Line
from rerank_cli.corpus.read.pdf.tables import is_number

# Fewer lines below each other are no column, and such a share of them at least are figures, or have a label.
_FEWEST = 4
_LEAST = 0.8

# In sizes of the letters: so far below each other lines of a column stand, and so much higher or lower those of a row.
_CLOSE, _FAR = 0.5, 7.0
_LEVEL = 0.15
_OTHER_SIZE = 0.12

# Labels have so many blanks, or they are of very different length: other lines at the side of figures are prose.
_LABEL_BLANKS = 3
_PROSE_FULLNESS = 0.75


def with_figures_beside(lines: list[Line]) -> list[Line]:
    """*lines* of a page with the figures of such tables in the rows of their labels."""
    if sum(not line.text[0].isalpha() for line in lines) < _FEWEST:  # as a figure does not begin
        return lines
    columns = _columns(lines)
    figures = [column for column in columns if _are_figures([lines[at] for at in column])]
    if not figures:
        return lines
    labels = _labels(lines, columns, figures)
    return _in_rows(lines, columns, labels) if labels else lines


def _columns(lines: Sequence[Line]) -> list[list[int]]:
    """The lines that follow each other in a column, by their places in *lines*; those of columns that have enough."""
    columns: list[list[int]] = [[0]] if lines else []
    for at, (before, after) in enumerate(pairwise(lines), 1):
        if _goes_on(before, after):
            columns[-1].append(at)
        else:
            columns.append([at])
    return [column for column in columns if len(column) >= _FEWEST]


def _goes_on(before: Line, after: Line) -> bool:
    return (
        _CLOSE < (after.y - before.y) / before.size < _FAR
        and after.left < before.right
        and before.left < after.right
        and _are_alike(before, after)
    )


def _are_alike(line: Line, other: Line) -> bool:
    is_plain = line.upright and other.upright and not (line.box or other.box or line.fixed or other.fixed)
    return is_plain and abs(line.size - other.size) < _OTHER_SIZE * line.size


def _are_figures(column: Sequence[Line]) -> bool:
    """Whether most lines of a column hold nothing but figures."""
    return sum(map(_is_figures, column)) >= _LEAST * len(column)


def _is_figures(line: Line) -> bool:
    return all(is_number(cell.text) or not any(map(str.isalnum, cell.text)) for cell in line.cells)


def _labels(
    lines: Sequence[Line], columns: Sequence[Sequence[int]], figures: Sequence[Sequence[int]]
) -> dict[int, int]:
    """What stands to the left of each line of figures, for columns that have it at most of their lines.

    That is a label, or figures that have one.
    """
    heights = sorted((lines[at].y, at) for column in columns for at in column)
    found: dict[int, int] = {}
    for column in sorted(figures, key=lambda column: lines[column[0]].left):
        beside = {at: label for at in column if (label := _left_of(at, lines, heights)) is not None}
        texts = [lines[label] for label in beside.values() if label not in found]
        if len(beside) >= _LEAST * len(column) and not any(map(_is_figures, texts)) and not _are_prose(texts):
            found |= beside
    return found


def _left_of(at: int, lines: Sequence[Line], heights: Sequence[tuple[float, int]]) -> int | None:
    """The line that stands next to a line on its left."""
    line = lines[at]
    first = bisect_left(heights, (line.y - _LEVEL * line.size,))
    end = bisect_left(heights, (line.y + _LEVEL * line.size,))
    before = [other for _, other in heights[first:end] if lines[other].right < line.left]
    nearest = max(before, key=lambda other: lines[other].right, default=None)
    return nearest if nearest is not None and _are_alike(line, lines[nearest]) else None


def _are_prose(labels: Sequence[Line]) -> bool:
    if not labels or median(label.text.count(" ") for label in labels) <= _LABEL_BLANKS:
        return False
    widths = [label.right - label.left for label in labels]
    return median(widths) > _PROSE_FULLNESS * max(widths)


def _in_rows(lines: Sequence[Line], columns: Sequence[Sequence[int]], labels: Mapping[int, int]) -> list[Line]:
    """*lines*, each row as one where the first of its cells stands. What is alone in a column stays in its place."""
    rows = _rows(lines, labels)
    places = dict(rows)
    for column in columns:
        row = None
        for at in column:
            row = rows.get(at, row)
            if row is not None:
                places.setdefault(at, row)
    whole: list[Line] = []
    last = None
    for at in sorted(range(len(lines)), key=lambda at: (places.get(at, at), at not in rows, at)):
        row = rows.get(at)
        if row is not None and row == last:
            whole[-1] = _beside(whole[-1], lines[at])
        else:
            whole.append(lines[at])
        last = row
    return whole


def _rows(lines: Sequence[Line], labels: Mapping[int, int]) -> dict[int, int]:
    """For each line of a row the first one of that."""
    label_of: dict[int, int] = {}
    for at, label in sorted(labels.items(), key=lambda each: lines[each[0]].left):
        label_of |= {label: label_of.get(label, label), at: label_of.get(label, label)}
    first: dict[int, int] = {}
    for at, label in label_of.items():
        first[label] = min(at, first.get(label, at))
    return {at: first[label] for at, label in label_of.items()}


def _beside(line: Line, other: Line) -> Line:
    """Both as one line, from left to right."""
    first, second = sorted((line, other), key=lambda each: each.left)
    return first._replace(cells=(*first.cells, *second.cells), bold=first.bold and second.bold)
