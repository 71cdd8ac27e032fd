"""Put together what stands on one height and is apart in the file: a job and its date, a label and its value."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from rerank_cli.corpus.read.pdf.from_right import RIGHT_TO_LEFT
from rerank_cli.corpus.read.pdf.lines import Line

# What ends a line has no more blanks. It stands so far off, in sizes of the letters, if the line is no label.
_MOST_BLANKS = 6
_FAR = 4.0

# In sizes of the letters: so much higher or lower it may stand, and what stands no further below it goes on with it.
_LEVEL = 0.2
_LOOSE = 1.8
_OTHER_SIZE = 0.2

_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_WORD = re.compile(r"[^\W\d_]{3}")
_FIGURE = re.compile(r"\W{0,2}\d")
_COLON = (":", "\N{FULLWIDTH COLON}")


def with_endings(lines: list[Line]) -> list[Line]:
    """*lines* of a page, where the file goes back up, with what it has there at the end of what stands to the left.

    Labels that come after their values stand before these.
    """
    whole: dict[int, Line] = {}
    moved: set[int] = set()
    at = 1
    while at < len(lines):
        run: Sequence[Line] = ()
        if lines[at].y < lines[at - 1].y - 0.5 * lines[at - 1].size:
            begun = _matched(lines, at, are_labels=False)
            run = lines[at : at + len(begun)]
            if _are_endings(run, [lines[index] for index in begun], lines[at + len(run) :]):
                whole |= {index: lines[index].with_more(line) for index, line in zip(begun, run, strict=True)}
                moved |= set(range(at, at + len(run)))
            elif not begun:
                values = _matched(lines, at, are_labels=True)
                if _are_values([lines[index] for index in values]):
                    run = lines[at : at + len(values)]
                    whole |= {index: line.with_more(lines[index]) for index, line in zip(values, run, strict=True)}
                    moved |= set(range(at, at + len(run)))
        at += max(1, len(run))
    return [whole.get(index, line) for index, line in enumerate(lines) if index not in moved] if moved else lines


def _matched(lines: Sequence[Line], at: int, *, are_labels: bool) -> list[int]:
    """Which of the lines before *at* stand beside the lines from there on, each one."""
    matched: list[int] = []
    for number in range(at, len(lines)):
        line = lines[number]
        is_below = number == at or line.y > lines[number - 1].y
        index = _beside(lines[:at], line, are_labels=are_labels) if is_below else None
        if index is None or index in matched:
            break
        matched.append(index)
    return matched


def _beside(lines: Sequence[Line], line: Line, *, are_labels: bool) -> int | None:
    """Which of *lines* is next to *line* on the left, or on the right where it is a label."""
    if len(line.cells) > 1 or line.text.count(" ") > _MOST_BLANKS or not line.upright or line.box:
        return None
    if RIGHT_TO_LEFT.search(line.text) or (are_labels and not line.text.endswith(_COLON)):
        return None
    level = [
        index
        for index, other in enumerate(lines)
        if abs(other.y - line.y) < _LEVEL * line.size
        and abs(other.size - line.size) < _OTHER_SIZE * line.size
        and other.upright
        and not other.box
        and (other.left > line.right if are_labels else True)
    ]
    if not level:
        return None
    if are_labels:
        index = min(level, key=lambda index: lines[index].left)
        return None if lines[index].text.endswith(_COLON) else index
    index = max(level, key=lambda index: lines[index].right)
    return None if line.left < lines[index].right or lines[index].is_row else index


def _are_endings(run: Sequence[Line], begun: Sequence[Line], after: Sequence[Line]) -> bool:
    """Whether *run* are the values of labels, or dates that stand far from each other."""
    if not run or (after and _goes_on(run[-1], after[0])):
        return False
    if all(line.text.endswith(_COLON) for line in begun):
        return _are_values(run)
    if any(_goes_on(above, below) for above, below in pairwise(run)):
        return False
    return all(
        line.left - before.right > _FAR * line.size and _WORD.search(before.text) and _YEAR.search(line.text)
        for line, before in zip(run, begun, strict=True)
    )


def _are_values(lines: Sequence[Line]) -> bool:
    """Whether *lines* beside labels are none. A single one must be a figure: words may be of anything."""
    if any(line.text.endswith((*_COLON, "?")) for line in lines):
        return False
    return len(lines) > 1 or any(_FIGURE.match(line.text) for line in lines)


def _goes_on(line: Line, below: Line) -> bool:
    is_close = 0 < below.y - line.y < _LOOSE * line.size
    return is_close and below.left < line.right and line.left < below.right
