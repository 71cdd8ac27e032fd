"""Tell pages that have several slides each, or two pages of a book, by the numbers that count these."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from rerank_cli.corpus.read.pdf.lines import Line
from rerank_cli.corpus.read.pdf.pages import Page

# On so many pages, and on such a share of all, a number stands at its place.
_FEWEST = 3
_MOSTLY = 0.5
_NEARLY_ALL = 0.9

# A page has no more slides.
_MOST_SLIDES = 16

_COUNT = re.compile(r"(?<!\S)(\d{1,3})(?:\s*(?:/|of)\s*\d{1,3})?\W{0,2}\Z")

# A foot has no more of them: a row of a table has.
_MOST_CELLS = 3

_DIGITS = re.compile(r"\d+")

_Spot = tuple[str, int, int]  # words, and where they stand


@dataclass(frozen=True, slots=True)
class Handout:
    """How slides stand on pages: in so many columns and rows, read `across` or downwards. `running` is left out."""

    columns: int
    rows: int
    across: bool
    running: frozenset[Line]

    def slides(self, page: Page, lines: Sequence[Line]) -> Iterator[list[Line]]:
        """Those of the *lines* of *page* that each slide has, slide by slide."""
        placed = [(self.place(page, (line.left + line.right) / 2, line.top), line) for line in lines]
        placed.sort(key=lambda each: each[0])
        for _, group in groupby(placed, key=lambda each: each[0]):
            yield [line for _, line in group if line not in self.running]

    def place(self, page: Page, x: float, y: float) -> int:
        """Which slide of *page* a point belongs to."""
        column = min(max(0, int(self.columns * x / page.width)), self.columns - 1)
        row = min(max(0, int(self.rows * y / page.height)), self.rows - 1)
        return row * self.columns + column if self.across else column * self.rows + row


def handout_of(pages: Sequence[Page]) -> Handout | None:
    """How *pages* hold slides that are counted; None where they are pages like others."""
    if len(pages) < _FEWEST:
        return None
    numbered = [
        (page.number, round(line.y), line)
        for page in pages
        for line in page.lines
        if line.cells[-1].text[-1] in "0123456789" and len(line.cells) <= _MOST_CELLS
    ]
    heights = Counter(y for _, y, _ in numbered)
    fewest = max(_FEWEST, _MOSTLY * len(pages))
    seen: dict[_Spot, dict[int, tuple[int, Line]]] = defaultdict(dict)
    for number, y, line in numbered:
        if heights[y] >= fewest and (found := _COUNT.search(line.text)):
            for spot in _spots(line, y):
                seen[spot][number] = int(found[1]), line
    counted = [(step, counts) for counts in seen.values() if len(counts) >= fewest and (step := _step(counts))]
    if not counted:
        return None
    size = Counter(step for step, _ in counted).most_common(1)[0][0]
    counts = {(number, line): value for step, each in counted if step == size for number, (value, line) in each.items()}
    return _handout(pages, size, counts)


def _spots(line: Line, y: int) -> Iterator[_Spot]:
    """Where a line stands, whether it begins, ends or has its middle at one place."""
    words = _DIGITS.sub("#", line.text)
    for x in {round(line.left), round(line.right), round((line.left + line.right) / 2)}:
        yield words, x, y


def _step(counts: dict[int, tuple[int, Line]]) -> int:
    """By how many more than one the numbers at a place count from page to page; 0 where they do not."""
    values = [(number, value) for number, (value, _) in counts.items()]
    steps = Counter((after[1] - before[1]) / (after[0] - before[0]) for before, after in pairwise(values))
    step, times = steps.most_common(1)[0]
    is_steady = times > _MOSTLY * len(values) and step.is_integer() and 1 < step <= _MOST_SLIDES
    return int(step) if is_steady else 0


def _handout(pages: Sequence[Page], size: int, counts: dict[tuple[int, Line], int]) -> Handout | None:
    """The handout with *size* slides on a page whose numbers stand each on the slide that they count."""
    by_number = {page.number: page for page in pages}
    running = frozenset({line for _, line in counts} | _repeated(pages))
    fitting = []
    for columns, across in _grids(size):
        handout = Handout(columns, size // columns, across, running)
        firsts = Counter(
            value - handout.place(by_number[number], (line.left + line.right) / 2, line.y) - size * number
            for (number, line), value in counts.items()
        )
        if firsts.most_common(1)[0][1] > _NEARLY_ALL * len(counts):
            fitting.append(handout)
    if len(fitting) > 1:  # it may be any of them
        return Handout(1, 1, True, running)
    return fitting[0] if fitting else None


def _grids(size: int) -> Iterator[tuple[int, bool]]:
    """In how many columns so many slides may stand, and whether they go across."""
    for columns in range(1, size + 1):
        if size % columns == 0:
            yield columns, True
            if 1 < columns < size:
                yield columns, False


def _repeated(pages: Sequence[Page]) -> set[Line]:
    """What stands at one place on most pages."""
    spots = Counter((line.left, line.y, line.text) for page in pages for line in page.lines)
    often = {spot for spot, times in spots.items() if times >= _FEWEST and times > _MOSTLY * len(pages)}
    return {line for page in pages for line in page.lines if (line.left, line.y, line.text) in often}
