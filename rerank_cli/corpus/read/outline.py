"""Collect the blocks of a document under the headings above them."""

from __future__ import annotations

from dataclasses import dataclass

from rerank_cli.records import Block

# Every block below carries its headings: one that is as long as the file would be as many times as long.
MAX_HEADING_CHARS = 1000


@dataclass(frozen=True, slots=True)
class _Heading:
    level: int
    text: str
    first_line: int
    last_line: int


class Outline:
    """What a reader fills from top to bottom.

    A heading with nothing under it, neither text nor another heading, becomes a block of its own:
    its words are all there is. So does one that is too long to be meant as a heading.
    """

    def __init__(self) -> None:
        self._blocks: list[Block] = []
        self._trail: list[_Heading] = []
        self._bare = False  # whether the innermost heading has nothing under it yet
        self._main = ""
        self._opening: str | None = None

    @property
    def title(self) -> str:
        """The first heading of level 1, else the heading that the document opens with, else nothing."""
        return self._main or self._opening or ""

    def heading(self, level: int, text: str, first_line: int, last_line: int) -> None:
        """Begin a section, which ends those of its level and below."""
        self.close(level)
        line = " ".join(text.split())
        if not line:
            return
        if len(line) > MAX_HEADING_CHARS:
            self.block(text, first_line, last_line)
            return
        if level == 1 and not self._main:
            self._main = line
        if self._opening is None:
            self._opening = line
        self._trail.append(_Heading(level, line, first_line, last_line))
        self._bare = True

    def close(self, level: int) -> None:
        """End the sections of *level* and below."""
        while self._trail and self._trail[-1].level >= level:
            heading = self._trail.pop()
            if self._bare:
                self.block(heading.text, heading.first_line, heading.last_line)
            self._bare = False

    def block(self, text: str, first_line: int, last_line: int) -> None:
        """Add a block; blank lines at its ends are cut off and its lines counted accordingly."""
        if not text.strip():
            return
        lines = text.split("\n")
        if len(lines) == last_line - first_line + 1:
            written = [number for number, line in enumerate(lines) if line.strip()]
            last_line = first_line + written[-1]
            first_line += written[0]
            lines = lines[written[0] : written[-1] + 1]
        if self._opening is None:
            self._opening = ""
        trail = tuple(heading.text for heading in self._trail)
        above = self._trail[-1].first_line if self._trail else None
        self._blocks.append(Block("\n".join(lines).strip("\n").rstrip(), first_line, last_line, trail, above))
        self._bare = False

    def verbatim(self, text: str, first_line: int) -> None:
        """Add a block whose lines are the source's own."""
        self.block(text, first_line, first_line + text.count("\n"))

    def blocks(self) -> tuple[Block, ...]:
        """End every section and give all blocks."""
        self.close(0)
        return tuple(self._blocks)
