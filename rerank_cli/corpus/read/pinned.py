"""An outline for a text within a file, such as a cell or a message, whose own lines are no places in that file."""

from __future__ import annotations

from rerank_cli.corpus.read.outline import Outline


class PinnedOutline(Outline):
    """Puts all that it is given at the place `at`, whatever lines the reader counts that fills it."""

    at = 1

    def heading(self, level: int, text: str, first: int = 1, last: int = 1) -> None:
        super().heading(level, text, self.at, self.at)

    def block(self, text: str, first: int = 1, last: int = 1, *, header: str = "", leads: bool = False) -> None:
        super().block(text, self.at, self.at, header=header, leads=leads)
