"""Collect the blocks of a document under the headings above them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from rerank_cli.records import Block, Place, Unit

# Every block below carries its headings: one that is as long as the file would be as many times as long.
MAX_HEADING_CHARS = 1000


@dataclass(frozen=True, slots=True)
class _Heading:
    level: int
    text: str
    first: int
    last: int


class Outline:
    """What a reader fills from top to bottom. Places count in *unit*; `label` is that of the blocks to come.

    A heading with nothing under it, neither text nor another heading, becomes a block of its own:
    its words are all there is. So does one that is too long to be meant as a heading.
    """

    def __init__(self, unit: Unit = "line") -> None:
        self.label = ""
        self._unit = unit
        self._blocks: list[Block] = []
        self._trail: list[_Heading] = []
        self._bare = False  # whether the innermost heading has nothing under it yet
        self._main = ""
        self._opening: str | None = None

    @property
    def title(self) -> str:
        """The first heading of level 1, else the heading that the document opens with, else nothing."""
        return self._main or self._opening or ""

    def heading(self, level: int, text: str, first: int, last: int) -> None:
        """Begin a section, which ends those of its level and below."""
        self.close(level)
        line = " ".join(text.split())
        if not line:
            return
        if len(line) > MAX_HEADING_CHARS:
            self.block(text, first, last)
            return
        if level == 1 and not self._main:
            self._main = line
        if self._opening is None:
            self._opening = line
        self._trail.append(_Heading(level, line, first, last))
        self._bare = True

    def close(self, level: int) -> None:
        """End the sections of *level* and below."""
        while self._trail and self._trail[-1].level >= level:
            heading = self._trail.pop()
            if self._bare:
                self.block(heading.text, heading.first, heading.last)
            self._bare = False

    def block(self, text: str, first: int, last: int, *, header: str = "", leads: bool = False) -> None:
        """Add a block; blank lines at its ends are cut off and, where each is a line of the source, counted so."""
        if not text.strip():
            return
        lines = text.split("\n")
        if self._unit == "line" and len(lines) == last - first + 1:
            written = [number for number, line in enumerate(lines) if line.strip()]
            last = first + written[-1]
            first += written[0]
            lines = lines[written[0] : written[-1] + 1]
        if self._opening is None and not leads:
            self._opening = ""
        trail = tuple(heading.text for heading in self._trail)
        above = self._trail[-1].first if self._trail else None
        place = Place(self._unit, first, last, self.label)
        self._blocks.append(Block("\n".join(lines).strip("\n").rstrip(), place, trail, above, header, leads))
        self._bare = False

    def verbatim(self, text: str, first_line: int) -> None:
        """Add a block whose lines are the source's own."""
        self.block(text, first_line, first_line + text.count("\n"))

    def table(self, rows: Sequence[tuple[int, str]], last: int, *, header: str = "") -> None:
        """Add a table of *rows*, one or more, each with its number, up to number *last*; *header* is what parts repeat.

        Where a row takes several lines of the source, each row is a block with the lines down to the next one.
        """
        numbers = [number for number, _ in rows]
        steps = [after - before for before, after in pairwise(numbers)]
        takes_lines = any(step > 1 for step in steps) or last > numbers[-1]
        if self._unit == "line" and takes_lines and all(step > 0 for step in steps):
            ends = [*(after - 1 for after in numbers[1:]), last]
            for (number, text), end in zip(rows, ends, strict=True):
                self.block(text, number, end, header=header)
        else:
            self.block("\n".join(text for _, text in rows), numbers[0], last, header=header)

    def blocks(self) -> tuple[Block, ...]:
        """End every section and give all blocks."""
        self.close(0)
        return tuple(self._blocks)
