"""Put the parts of a page in the order in which they are read: column by column, label by label."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from statistics import median

from rerank_cli.corpus.read.pdf.parts import Part

# Between columns, in points.
_COLUMN_GAP = 6.0

# A column of text has so many lines, which are so wide, in sizes of the letters.
_FEWEST_LINES = 3
_TEXT_WIDTH = 12.0

# And a label beside it has so many words. Of fewer that the file has before all text each may be a heading.
_LABEL_WORDS = 3
_FEWEST_LABELS = 3

# A page of fewer parts has no foot that comes first.
_FEWEST_BELOW = 4

# What has no more letters may stand at the edge of a box, such as the language of a listing. So far above what stands
# before it, in sizes of the letters, is no piece of a formula.
_TAG_CHARS = 6
_FAR_UP = 2.0

_MOST_PARTS = 300
_DEEPEST_CUT = 8


def in_reading_order(parts: list[Part]) -> list[Part]:
    """*parts* as they stand in the file if nobody would have to read upwards, else by the blank strips between them."""
    if len(parts) > _MOST_PARTS:
        return parts
    if any(_leads_upwards(before, after) for before, after in pairwise(parts)) or _has_labels_apart(parts):
        return _ordered(parts, depth=0)
    large = [part for part in parts if len(part.lines) > 1 or len(part.lines[0].text) > _TAG_CHARS]
    for before, after in pairwise(large) if len(large) < len(parts) else ():
        if before.top - after.bottom > _FAR_UP * before.size and _leads_upwards(before, after):
            return _ordered(parts, depth=0)
    if len(parts) > _FEWEST_BELOW and _begins_below(parts):
        return _ordered(parts, depth=0)
    return parts


def _begins_below(parts: Sequence[Part]) -> bool:
    """Whether the file begins with what stands below most of the page, as some programs write its foot."""
    above = sum(_leads_upwards(parts[0], part) for part in parts[1:])
    return 2 * above > len(parts)


def _has_labels_apart(parts: Sequence[Part]) -> bool:
    """Whether the file has a column of labels first and then the text that stands beside them, as of a scan."""
    labels: list[Part] = []
    for before, after in pairwise(parts):
        if len(before.lines) > 1 or before.lines[0].text.count(" ") >= _LABEL_WORDS:
            labels = []
            continue
        if labels and abs(labels[-1].left - before.left) > before.size:
            labels = []
        labels.append(before)
        if len(labels) >= _FEWEST_LABELS and after.left > before.right and after.bottom < before.top:
            first = after.lines[0]
            if any(abs(label.lines[0].y - first.y) < 0.5 * first.size for label in labels):
                return True
    return False


def _leads_upwards(before: Part, after: Part) -> bool:
    overlap = min(before.right, after.right) - max(before.left, after.left)
    narrower = min(before.right - before.left, after.right - after.left)
    return after.bottom <= before.top + 0.3 * before.size and overlap > 0.3 * narrower


def _ordered(parts: list[Part], depth: int) -> list[Part]:
    """Cut *parts* into columns, else into bands above each other, and these again. Labels stay beside their text."""
    if len(parts) < 2 or depth > _DEEPEST_CUT:
        return sorted(parts, key=lambda part: (part.top, part.left))
    columns = _columns(parts)
    bands = _cut(parts, lambda part: (part.top, part.bottom), gap=0.0)
    if len(columns) > 1 and _are_labels(columns[0]) and _is_text(columns[1]):
        if len(columns) > 2:
            columns = [[*columns[0], *columns[1]], *columns[2:]]
        elif len(bands) > 1:
            columns = bands
    if len(columns) > 1:
        return [part for column in columns for part in _ordered(column, depth + 1)]
    if len(bands) == 1:
        return sorted(parts, key=lambda part: (part.top, part.left))
    return [part for band in _with_columns_whole(bands) for part in _ordered(band, depth + 1)]


def _cut(parts: list[Part], span: Callable[[Part], tuple[float, float]], *, gap: float) -> list[list[Part]]:
    """*parts* in groups with a strip between them that none reaches into."""
    groups: list[list[Part]] = []
    reach = -math.inf
    for part in sorted(parts, key=span):
        first, last = span(part)
        if not groups or first > reach + gap:
            groups.append([])
        groups[-1].append(part)
        reach = max(reach, last)
    return groups


def _with_columns_whole(bands: list[list[Part]]) -> Iterator[list[Part]]:
    """Bands one below the other that have the same columns are one band."""
    at = 0
    while at < len(bands):
        end = _end_of_columns(bands, at)
        yield [part for band in bands[at:end] for part in band]
        at = end


def _end_of_columns(bands: list[list[Part]], at: int) -> int:
    """Where the bands end that have the same columns as the one at *at*.

    Below the last one with more than the first column, that column goes on only if all of them are columns of text.
    """
    end = at + 1
    together = list(bands[at])
    for index in range(at + 1, len(bands)):
        together += bands[index]
        columns = _columns(together)
        if len(columns) < 2:
            break
        second = min(part.left for part in columns[1])
        if any(part.left >= second for part in bands[index]) or all(map(_is_text, columns)):
            end = index + 1
    return end


def _columns(parts: list[Part]) -> list[list[Part]]:
    return _cut(parts, lambda part: (part.left, part.right), gap=_COLUMN_GAP)


def _are_labels(column: Sequence[Part]) -> bool:
    lines = [line for part in column for line in part.lines]
    return len(column) > 1 and all(line.text.count(" ") < _LABEL_WORDS for line in lines)


def _is_text(column: Sequence[Part]) -> bool:
    """Whether it has the lines of a column of text. Labels and what stands in a box are fewer or shorter."""
    widths = [(line.right - line.left) / line.size for part in column for line in part.lines]
    return len(widths) >= _FEWEST_LINES and median(widths) > _TEXT_WIDTH
