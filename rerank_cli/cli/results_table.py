"""The results of a query as a table on a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TextIO

from rich import box
from rich.style import Style
from rich.table import Table
from rich.text import Text

from rerank_cli.cli.links import follows_links, link_to
from rerank_cli.cli.results import Answer, Around, Presentation, explanation, heading, shown_place, shown_score
from rerank_cli.cli.terminal import console, printable
from rerank_cli.freshness import Staleness
from rerank_cli.records import Hit
from rerank_cli.retrieval import query_words
from rerank_cli.search import SearchResult
from rerank_cli.snippets import snippet

TABLE_LINES = 3
"""Lines of the terminal that a passage takes in the table, at most."""

CELLS_BEFORE = 24
"""Columns of the terminal that rank, movement and score take in the table."""


class TableWriter:
    """A table for a terminal, as wide as the terminal is."""

    def __init__(self, presentation: Presentation, stream: TextIO) -> None:
        self._presentation = presentation
        self._console = console(stream, presentation.settings.color)
        self._links = self._console.is_terminal and follows_links()

    def write(self, answer: Answer) -> None:
        if self._presentation.many:
            self._console.print(Text(printable(f"{answer.query_id}: {answer.result.query}"), style="bold"))
        if answer.result.hits:
            self._console.print(self._table(answer))
        self._console.print(Text(self._footer(answer), style="dim"), soft_wrap=True)

    def close(self) -> None:
        self._console.file.flush()

    def _table(self, answer: Answer) -> Table:
        table = Table(box=box.SIMPLE_HEAD, expand=True, padding=(0, 1), collapse_padding=True, show_edge=False)
        table.add_column("#", justify="right", no_wrap=True)
        table.add_column("move", justify="right", no_wrap=True)
        table.add_column("score", justify="right", no_wrap=True)
        table.add_column("passage", ratio=1, overflow="fold")
        words = query_words(answer.result.query)
        moves = _movements(answer.result)
        for place, hit in enumerate(answer.result.hits, start=1):
            table.add_row(
                str(place),
                moves[hit.rank] if hit.reranker_rank else "",
                f"{shown_score(hit):.3f}",
                self._passage(hit, words, answer),
            )
        return table

    def _passage(self, hit: Hit, words: Sequence[str], answer: Answer) -> Text:
        """Where the passage stands, and under it the piece of it that shows why it was found."""
        room = max(40, (self._console.width - CELLS_BEFORE) * TABLE_LINES)
        shown = snippet(printable_lines(hit.text), words, width=min(room, 240))
        text = Text(shown.text)
        for start, end in shown.marks:
            text.stylize("bold yellow", start, end)
        if around := answer.around.get(hit.rank):
            text = _with_around(hit, around)
        lines = [self._where(hit, answer.stale.get(hit.path)), text]
        if self._presentation.explain:
            lines.append(Text(explanation(hit, pieces=answer.result.pieces), style="dim"))
        return Text("\n").join(lines)

    def _where(self, hit: Hit, stale: Staleness | None) -> Text:
        place = shown_place(self._presentation.location_of(hit), hit.place, here=self._presentation.here)
        where = Text(printable(place), style=self._style(hit))
        if stale:
            where.append(" (gone)" if stale == "gone" else " (changed since)", style="red")
        if heading(hit):
            where.append(f"  {printable(heading(hit))}", style="dim")
        return where

    def _style(self, hit: Hit) -> Style:
        """That of a place; on a terminal that follows links a link to it."""
        address = ""
        if self._links:
            address = link_to(self._presentation.location_of(hit), hit.place, self._presentation.settings.link)
        return Style(color="cyan", link=address or None)

    def _footer(self, answer: Answer) -> str:
        settings, result = self._presentation.settings, answer.result
        stages = f"{len(result.candidates)} candidates in {result.timings.retrieve_s:.2f} s"
        if settings.rerank:
            how_many = f"{result.reranked}/{len(result.candidates)} " if result.partial else ""
            stages += f", reranked {how_many}in {result.timings.rerank_s:.2f} s"
        if not answer.result.hits:
            return f"nothing found ({stages})"
        shown = f"{len(answer.result.hits)} of {stages}"
        outdated = f"; bring the index up to date: {printable(self._presentation.index.update_command())}"
        return shown + outdated if answer.stale else shown


def _with_around(hit: Hit, around: Around) -> Text:
    """The whole passage, and dim above and below it what is around it."""
    above, below = ([printable_lines(each.text) for each in passages] for passages in (around.before, around.after))
    parts = [
        Text("\n\n".join(above), style="dim"),
        Text(printable_lines(hit.text)),
        Text("\n\n".join(below), style="dim"),
    ]
    return Text("\n\n").join(part for part in parts if part)


def printable_lines(text: str) -> str:
    """*text* without control characters, its lines kept."""
    return "\n".join(printable(line.expandtabs(4)) for line in text.split("\n"))


def _movements(result: SearchResult) -> dict[int, str]:
    """By a hit's rank, the places it gained (▲) or lost (▼) by the second stage in the list as it is shown."""
    moves = {}
    for hit, gained in zip(result.hits, result.gained, strict=True):
        moves[hit.rank] = "=" if gained == 0 else f"{'▲' if gained > 0 else '▼'}{abs(gained)}"
    return moves
