"""Collect the paragraphs and tables of a text document under its headings, each with the number of its paragraph.

Paragraphs count from 1, and so do the rows of tables. What has no text does not count: nobody sees it.
"""

from __future__ import annotations

from collections.abc import Sequence

from rerank_cli.corpus.read.errors import Unreadable
from rerank_cli.corpus.read.outline import Outline

_CELL_GAP = " | "

# The longest novels have some ten thousand. A small file that unpacks to hundreds of megabytes has more than these.
_MAX_PARAGRAPHS = 500_000


class Paragraphs:
    """What a reader fills from top to bottom. `title` is the first heading of level 0."""

    def __init__(self) -> None:
        self.outline = Outline("paragraph")
        self.title = ""
        self._at = 0

    def add(self, text: str) -> None:
        if text:
            self._count(1)
            self.outline.block(text, self._at, self._at)

    def heading(self, level: int, text: str) -> None:
        """Begin a section; level 0 is the title of the document."""
        if text:
            self._count(1)
            if level == 0 and not self.title:
                self.title = " ".join(text.split())
            self.outline.heading(level, text, self._at, self._at)

    def note(self, text: str) -> None:
        """Add a note to the paragraph or the row that came last."""
        at = max(self._at, 1)
        self.outline.block(" ".join(text.split()), at, at)

    def table(self, rows: Sequence[Sequence[str]]) -> None:
        """Add a table: a line for each row, of which the first is the header."""
        lines = [line for row in rows if (line := _row(row))]
        if not lines:
            return
        first = self._at + 1
        self._count(len(lines))
        self.outline.block("\n".join(lines), first, self._at, header=lines[0] if len(lines) > 1 else "")

    def _count(self, paragraphs: int) -> None:
        self._at += paragraphs
        if self._at > _MAX_PARAGRAPHS:
            raise Unreadable(f"holds more than {_MAX_PARAGRAPHS} paragraphs")


def _row(cells: Sequence[str]) -> str:
    """The cells on one line, or nothing where all are empty; those at the end are left out if they are."""
    written = [" ".join(cell.split()) for cell in cells]
    while written and not written[-1]:
        written.pop()
    return _CELL_GAP.join(written)
