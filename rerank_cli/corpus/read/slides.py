"""Collect what stands on the slides of a presentation, each slide under its title."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rerank_cli.corpus.read.outline import Outline

_NOTES = "Notes"


class Slides:
    """What a reader fills from slide to slide."""

    def __init__(self) -> None:
        self.outline = Outline("slide")
        self._at = 0

    def begin(self, at: int) -> None:
        """Begin slide number *at*: what follows stands under no title before it has its own."""
        self.outline.close(1)
        self._at = at

    def title(self, lines: Iterable[str]) -> None:
        self.outline.heading(1, " ".join(lines), self._at, self._at)

    def text(self, lines: Iterable[str]) -> None:
        self.outline.block("\n".join(lines), self._at, self._at)

    def table(self, rows: Sequence[Sequence[str]]) -> None:
        """A line for each row, of which the first is the header."""
        lines = [line for row in rows if (line := " | ".join(row).rstrip(" |"))]
        if lines:
            self.outline.block("\n".join(lines), self._at, self._at, header=lines[0] if len(lines) > 1 else "")

    def notes(self, lines: Iterable[str]) -> None:
        """What the speaker notes: it ends the slide."""
        text = "\n".join(lines)
        if text:
            self.outline.heading(2, _NOTES, self._at, self._at)
            self.outline.block(text, self._at, self._at)

    def comments(self, lines: Iterable[str]) -> None:
        """What others remarked on the slide: it is none of its notes."""
        self.outline.close(2)
        self.text(lines)
