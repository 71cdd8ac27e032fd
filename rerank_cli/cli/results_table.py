"""The results of a query as a table on a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TextIO

from rich.style import Style
from rich.text import Text

from rerank_cli.cells import cells, lines_of, middle_left_out, wrapped
from rerank_cli.cli.links import follows_links, link_to
from rerank_cli.cli.results import Answer, Around, Presentation, explanation, heading, shown_place
from rerank_cli.cli.terminal import console, printable
from rerank_cli.freshness import Staleness
from rerank_cli.records import Hit
from rerank_cli.retrieval import query_words
from rerank_cli.search import shown_score
from rerank_cli.snippets import snippet

TABLE_LINES = 3
"""Lines of the terminal that a passage takes in the table, at most."""

WIDEST = 100
"""Cells of a line of text that the eye still follows to its end."""

GAP = "  "

# Colours that are legible on black and on white: neither yellow, cyan nor dim letters are.
PLACE, HEADING, MATCH, STALE = "magenta", "bold", "bold red", "red"


class TableWriter:
    """A table for a terminal, as wide as the terminal is. What its columns mean is told once, at the end."""

    def __init__(self, presentation: Presentation, stream: TextIO) -> None:
        self._presentation = presentation
        self._console = console(stream, presentation.settings.color)
        self._links = self._console.is_terminal and follows_links()
        self._found = False
        self._held: list[Text] = []

    def write(self, answer: Answer) -> None:
        if self._presentation.many:
            self._hold(*_bold(wrapped(printable(f"{answer.query_id}: {answer.result.query}"), self._console.width)))
        if answer.result.hits:
            self._hold(*self._table(answer))
        self._found = self._found or bool(answer.result.hits)
        self._hold(*map(Text, self._footer(answer)), *([Text("")] if self._presentation.many else []))
        if self._presentation.many:
            self._flush()

    def close(self) -> None:
        if self._found:
            self._hold(*map(Text, wrapped(self._caption(), self._console.width)))
        self._flush()

    def _hold(self, *lines: Text) -> None:
        self._held += lines

    def _flush(self) -> None:
        """Write what is held, at once."""
        with self._console:
            for line in self._held:
                self._console.print(line, soft_wrap=True)
        self._held.clear()
        self._console.file.flush()

    def _table(self, answer: Answer) -> Iterator[Text]:
        """A blank line after each hit sets it apart from the next."""
        rows = list(self._cells_of_hits(answer))
        head = ("#", "score", *(("move",) if self._reranks else ()))
        widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
        before = sum(widths) + len(GAP) * len(widths)
        yield Text(self._row(head, widths) + "passage", style="bold")
        yield Text("─" * self._console.width)
        words = query_words(answer.result.query)
        for row, hit in zip(rows, answer.result.hits, strict=True):
            first, *others = self._passage(hit, words, answer, room=self._console.width - before)
            yield Text(self._row(row, widths)) + first
            yield from (Text(" " * before) + line for line in others)
            yield Text("")

    @property
    def _reranks(self) -> bool:
        return self._presentation.reranker is not None

    def _cells_of_hits(self, answer: Answer) -> Iterator[Sequence[str]]:
        result, reranker = answer.result, self._presentation.reranker
        for place, (hit, gained) in enumerate(zip(result.hits, result.gained, strict=True), start=1):
            score = shown_score(hit, result, reranker)
            if reranker is None:
                yield str(place), f"{score:.2f}"
            else:
                yield str(place), f"{score:.3f}", _movement(gained) if hit.reranker_rank else ""

    @staticmethod
    def _row(row: Sequence[str], widths: Sequence[int]) -> str:
        return "".join(cell.rjust(width) + GAP for cell, width in zip(row, widths, strict=True))

    def _passage(self, hit: Hit, words: Sequence[str], answer: Answer, *, room: int) -> Iterator[Text]:
        """Where the passage stands, and under it the sentences of it that show why it was found."""
        yield from self._where(hit, answer.stale.get(hit.path), room)
        width = min(room, WIDEST)
        shown = snippet(printable_lines(hit.text), words, width=width, lines=TABLE_LINES)
        text = Text(shown.text)
        for start, end in shown.marks:
            text.stylize(MATCH, start, end)
        if around := answer.around.get(hit.rank):
            text = _with_around(hit, around)
        for line in text.split("\n"):
            yield from (line[start:end] for start, end in lines_of(line.plain, width))
        if self._presentation.explain:
            yield from map(Text, wrapped(explanation(hit, pieces=answer.result.pieces), room))

    def _where(self, hit: Hit, stale: Staleness | None, room: int) -> Iterator[Text]:
        """The place, shortened in its middle, and the headings, on the same line if they fit there."""
        mark = "" if stale is None else " (gone)" if stale == "gone" else " (changed since)"
        place = printable(shown_place(self._presentation.location_of(hit), hit.place, here=self._presentation.here))
        where = Text().append(middle_left_out(place, room - len(mark)), self._style(hit)).append(mark, STALE)
        above = middle_left_out(printable(heading(hit)), room)
        if above and cells(where.plain) + len(GAP) + cells(above) <= room:
            yield where.append(GAP).append(above, HEADING)
        else:
            yield where
            if above:
                yield Text(above, style=HEADING)

    def _style(self, hit: Hit) -> Style:
        """That of a place; on a terminal that follows links a link to it."""
        address = ""
        if self._links:
            address = link_to(self._presentation.location_of(hit), hit.place, self._presentation.settings.link)
        return Style(color=PLACE, link=address or None)

    def _footer(self, answer: Answer) -> Iterator[str]:
        """How it was found; a command is never broken, so that it can be copied."""
        settings, result = self._presentation.settings, answer.result
        stages = f"{len(result.candidates)} candidates in {result.timings.retrieve_s:.2f} s"
        if settings.rerank:
            how_many = (
                f"{result.reranked}/{len(result.candidates)} " if 0 < result.reranked < len(result.candidates) else ""
            )
            stages += f", reranked {how_many}in {result.timings.rerank_s:.2f} s"
        if settings.min_score is not None:
            stages += f"; what the reranker itself scores below {settings.min_score:g} is left out"
        told = f"{len(result.hits)} of {stages}" if result.hits else f"nothing found ({stages})"
        yield from wrapped(told, self._console.width)
        if result.hits and answer.stale:
            yield "bring the index up to date:"
            yield printable(self._presentation.index.update_command())

    def _caption(self) -> str:
        """What the columns mean."""
        if not self._reranks:
            return "score: the first stage's, which orders the hits"
        both = "the reranker's" if self._presentation.settings.fusion == "none" else "both stages together"
        asked = "" if self._presentation.explain else " (--explain: each by itself)"
        moved = "move: places won (▲) or lost (▼) by reranking"
        return f"score: {both}, which orders the hits{asked}; {moved}"


def _with_around(hit: Hit, around: Around) -> Text:
    """The whole passage, heavier than what is around it."""
    above, below = ([printable_lines(each.text) for each in passages] for passages in (around.before, around.after))
    parts = [
        Text("\n\n".join(above)),
        Text(printable_lines(hit.text), style="bold"),
        Text("\n\n".join(below)),
    ]
    return Text("\n\n").join(part for part in parts if part)


def printable_lines(text: str) -> str:
    """*text* without control characters, its lines kept."""
    return "\n".join(printable(line.expandtabs(4)) for line in text.split("\n"))


def _bold(lines: Sequence[str]) -> Iterator[Text]:
    return (Text(line, style="bold") for line in lines)


def _movement(gained: int) -> str:
    """The places that a hit gained (▲) or lost (▼) by the second stage in the list as it is shown."""
    return "=" if gained == 0 else f"{'▲' if gained > 0 else '▼'}{abs(gained)}"
