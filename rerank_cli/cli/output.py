"""Writes results: a table for people, plain lines for pipes, and the machine formats."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Protocol, TextIO

from rerank_cli import __version__
from rerank_cli.cli.terminal import console, printable
from rerank_cli.config import Settings
from rerank_cli.freshness import Staleness
from rerank_cli.ports import Index
from rerank_cli.records import Candidate, Hit
from rerank_cli.retrieval import query_words
from rerank_cli.search import SearchResult
from rerank_cli.snippets import snippet
from rerank_cli.trec import run_lines

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

PLAIN_SNIPPET = 160
TABLE_LINES = 3
"""Lines of the terminal that a passage takes in the table, at most."""

LEAST_SHOWN = 0.005
"""What two decimals show of the support of a document's further passages."""

CELLS_BEFORE = 24
"""Columns of the terminal that rank, movement and score take in the table."""

TSV_COLUMNS = (
    "query_id", "rank", "score", "logit", "order_score", "support", "first_stage_rank", "first_stage_score",
    "dense_rank", "dense_score", "opening_score", "lexical_rank", "lexical_score", "document", "path", "first_line",
    "last_line", "heading", "snippet",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Presentation:
    """What is told about a search beside its hits."""

    settings: Settings
    index: Index
    reranker_fingerprint: str | None
    calibrated: bool
    many: bool
    explain: bool
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What is shown of a query: its hits, and by path those of their files that are gone or changed since."""

    query_id: str
    result: SearchResult
    hits: tuple[Hit, ...]
    stale: Mapping[str, Staleness]


class ResultWriter(Protocol):
    """Writes each query's answer as it comes."""

    def write(self, answer: Answer) -> None: ...

    def close(self) -> None: ...


def writer_for(presentation: Presentation, stream: TextIO) -> ResultWriter:
    """The writer of the format asked for; `auto` is a table on a terminal and plain lines elsewhere."""
    name = presentation.settings.format
    if name == "auto":
        name = "table" if stream.isatty() else "plain"
    if name == "json":
        return _JsonWriter(presentation, stream)
    if name == "table":
        return _TableWriter(presentation, stream)
    line_writers = {"plain": _plain, "jsonl": _jsonl, "tsv": _tsv, "paths": _paths, "trec": _trec}
    header = "\t".join(TSV_COLUMNS) + "\n" if name == "tsv" else ""
    return _LineWriter(presentation, stream, line_writers[name], header)


class _LineWriter:
    def __init__(self, presentation: Presentation, stream: TextIO, lines: LinesOf, header: str) -> None:
        self._presentation = presentation
        self._stream = stream
        self._lines = lines
        self._header = header

    def write(self, answer: Answer) -> None:
        self._begin()
        self._stream.writelines(f"{line}\n" for line in self._lines(self._presentation, answer))
        self._stream.flush()

    def close(self) -> None:
        self._begin()
        self._stream.flush()

    def _begin(self) -> None:
        """Write the header, once, and not before there is a result: an error leaves stdout empty."""
        self._stream.write(self._header)
        self._header = ""


class LinesOf(Protocol):
    """Turns an answer into lines."""

    def __call__(self, presentation: Presentation, answer: Answer, /) -> list[str]: ...


def _plain(presentation: Presentation, answer: Answer) -> list[str]:
    words = query_words(answer.result.query)
    lines = []
    for place, hit in enumerate(answer.hits, start=1):
        shown = snippet(hit.candidate.stored.passage.text, words, width=PLAIN_SNIPPET).text
        columns = [str(place), f"{_shown_score(hit):.4f}", _location(hit), _heading(hit), shown]
        columns = [answer.query_id, *columns] if presentation.many else columns
        columns = [*columns, explanation(hit, pieces=answer.result.pieces)] if presentation.explain else columns
        lines.append("\t".join(printable(column) for column in columns))
    return lines


def _tsv(_: Presentation, answer: Answer) -> list[str]:
    words = query_words(answer.result.query)
    lines = []
    for place, hit in enumerate(answer.hits, start=1):
        candidate, stored = hit.candidate, hit.candidate.stored
        shown = snippet(stored.passage.text, words, width=PLAIN_SNIPPET).text
        values = (
            answer.query_id, place, hit.score, hit.logit, hit.order_score, hit.support, candidate.rank, candidate.score,
            *_listed(candidate, "dense"), candidate.opening_score, *_listed(candidate, "lexical"),
            stored.document_id, stored.path, stored.passage.first_line, stored.passage.last_line,
            _heading(hit), shown,
        )  # fmt: skip
        lines.append("\t".join("" if value is None else printable(str(value)) for value in values))
    return lines


def _paths(_: Presentation, answer: Answer) -> list[str]:
    return list(dict.fromkeys(printable(hit.candidate.stored.path) for hit in answer.hits))


def _trec(_: Presentation, answer: Answer) -> list[str]:
    ranked = [(hit.candidate.stored.document_id, hit.order_score) for hit in answer.hits]
    return [line.removesuffix("\n") for line in run_lines(answer.query_id, ranked)]


def _jsonl(_: Presentation, answer: Answer) -> list[str]:
    return [json.dumps(_answer_record(answer), ensure_ascii=False)]


class _JsonWriter:
    """One JSON object for all queries, written at the end."""

    def __init__(self, presentation: Presentation, stream: TextIO) -> None:
        self._presentation = presentation
        self._stream = stream
        self._results: list[dict[str, object]] = []

    def write(self, answer: Answer) -> None:
        self._results.append(_answer_record(answer))

    def close(self) -> None:
        record = {**_context_record(self._presentation), "results": self._results}
        json.dump(record, self._stream, ensure_ascii=False, indent=2)
        self._stream.write("\n")
        self._stream.flush()


def _context_record(presentation: Presentation) -> dict[str, object]:
    settings, manifest = presentation.settings, presentation.index.manifest
    recipe = manifest.recipe
    return {
        "version": __version__,
        "index": {
            "folder": presentation.index.name,
            "root": recipe.root,
            "generation": manifest.generation,
            "updated_at": manifest.updated_at,
        },
        "models": {
            "encoder": recipe.encoder,
            "encoder_fingerprint": recipe.encoder_fingerprint,
            "reranker": settings.reranker if settings.rerank else None,
            "reranker_fingerprint": presentation.reranker_fingerprint,
            "calibrated": presentation.calibrated,
        },
        "parameters": {
            "retriever": settings.retriever,
            "top_k": settings.top_k,
            "rerank": settings.rerank,
            "fusion": settings.fusion if settings.rerank else None,
            "fusion_weight": settings.fusion_weight if settings.rerank and settings.fusion != "none" else None,
            "top_n": settings.top_n,
            "per_document": settings.per_document,
            "min_score": settings.min_score,
            "path": list(presentation.paths),
        },
    }


def _answer_record(answer: Answer) -> dict[str, object]:
    result = answer.result
    return {
        "query_id": answer.query_id,
        "query": result.query,
        "timings": asdict(result.timings),
        "candidates": len(result.candidates),
        "truncated_passages": result.truncated,
        "pieces": result.pieces,
        "hits": [_hit_record(place, hit, answer.stale) for place, hit in enumerate(answer.hits, start=1)],
    }


def _hit_record(place: int, hit: Hit, stale: Mapping[str, Staleness]) -> dict[str, object]:
    candidate, stored = hit.candidate, hit.candidate.stored
    return {
        "rank": place,
        "document": stored.document_id,
        "path": stored.path,
        "stale": stale.get(stored.path),
        "title": stored.title,
        "first_line": stored.passage.first_line,
        "last_line": stored.passage.last_line,
        "headings": list(stored.passage.headings),
        "text": stored.passage.text,
        "score": hit.score,
        "logit": hit.logit,
        "order_score": hit.order_score,
        "support": hit.support,
        "reranker_rank": hit.reranker_rank,
        "first_stage": {
            "rank": candidate.rank,
            "score": candidate.score,
            "lists": {name: asdict(listed) for name, listed in candidate.lists.items()},
            "opening_score": candidate.opening_score,
        },
    }


class _TableWriter:
    """A table for a terminal, as wide as the terminal is."""

    def __init__(self, presentation: Presentation, stream: TextIO) -> None:
        self._presentation = presentation
        self._console = console(stream)

    def write(self, answer: Answer) -> None:
        from rich.text import Text

        if self._presentation.many:
            self._console.print(Text(printable(f"{answer.query_id}: {answer.result.query}"), style="bold"))
        if answer.hits:
            self._console.print(self._table(answer))
        self._console.print(Text(self._footer(answer), style="dim"), soft_wrap=True)

    def close(self) -> None:
        sys.stdout.flush()

    def _table(self, answer: Answer) -> Table:
        from rich import box
        from rich.table import Table

        table = Table(box=box.SIMPLE_HEAD, expand=True, padding=(0, 1), collapse_padding=True, show_edge=False)
        table.add_column("#", justify="right", no_wrap=True)
        table.add_column("move", justify="right", no_wrap=True)
        table.add_column("score", justify="right", no_wrap=True)
        table.add_column("passage", ratio=1, overflow="fold")
        words = query_words(answer.result.query)
        moves = _movements(answer.result)
        for place, hit in enumerate(answer.hits, start=1):
            table.add_row(
                str(place),
                moves[hit.rank] if hit.reranker_rank else "",
                f"{_shown_score(hit):.3f}",
                self._passage(hit, words, answer),
            )
        return table

    def _passage(self, hit: Hit, words: Sequence[str], answer: Answer) -> Text:
        """Where the passage stands, and under it the piece of it that shows why it was found."""
        from rich.text import Text

        room = max(40, (self._console.width - CELLS_BEFORE) * TABLE_LINES)
        shown = snippet(printable_lines(hit.candidate.stored.passage.text), words, width=min(room, 240))
        text = Text(shown.text)
        for start, end in shown.marks:
            text.stylize("bold yellow", start, end)
        lines = [_where(hit, answer.stale.get(hit.candidate.stored.path)), text]
        if self._presentation.explain:
            lines.append(Text(explanation(hit, pieces=answer.result.pieces), style="dim"))
        return Text("\n").join(lines)

    def _footer(self, answer: Answer) -> str:
        settings, result = self._presentation.settings, answer.result
        stages = f"{len(result.candidates)} candidates in {result.timings.retrieve_s:.2f} s"
        if settings.rerank:
            stages += f", reranked in {result.timings.rerank_s:.2f} s"
        if not answer.hits:
            return f"nothing found ({stages})"
        shown = f"{len(answer.hits)} of {stages}"
        outdated = f"; bring the index up to date: {printable(self._presentation.index.update_command())}"
        return shown + outdated if answer.stale else shown


def explanation(hit: Hit, *, pieces: int = 1) -> str:
    """Where a hit stood in each list, in one line, and in how many pieces the reranker asked if in more than one."""
    candidate = hit.candidate
    parts = [f"{name} #{listed.rank} {listed.score:.3f}" for name, listed in candidate.lists.items()]
    if candidate.opening_score is not None:
        parts.append(f"opening {candidate.opening_score:.3f}")
    parts.append(f"first stage #{candidate.rank} {candidate.score:.2f}")
    if hit.reranker_rank is not None:
        parts.append(f"reranker #{hit.reranker_rank} {hit.logit:+.2f}")
    if hit.support >= LEAST_SHOWN:
        parts.append(f"further passages {hit.support:+.2f}")
    if pieces > 1:
        parts.append(f"asked in {pieces} pieces")
    return " · ".join(parts)


def _listed(candidate: Candidate, name: str) -> tuple[int, float] | tuple[None, None]:
    """The rank and the score that the list called *name* has for the candidate."""
    listed = candidate.lists.get(name)
    return (None, None) if listed is None else (listed.rank, listed.score)


def printable_lines(text: str) -> str:
    """*text* without control characters, its lines kept."""
    return "\n".join(printable(line.expandtabs(4)) for line in text.split("\n"))


def _where(hit: Hit, stale: Staleness | None) -> Text:
    from rich.text import Text

    where = Text(printable(_location(hit)), style="cyan")
    if stale:
        where.append(" (gone)" if stale == "gone" else " (changed since)", style="red")
    if _heading(hit):
        where.append(f"  {printable(_heading(hit))}", style="dim")
    return where


def _movements(result: SearchResult) -> dict[int, str]:
    """By a hit's rank, the places it gained (▲) or lost (▼) by the second stage in the list as it is shown."""
    moves = {}
    for hit, gained in zip(result.hits, result.gained, strict=True):
        moves[hit.rank] = "=" if gained == 0 else f"{'▲' if gained > 0 else '▼'}{abs(gained)}"
    return moves


def _shown_score(hit: Hit) -> float:
    return hit.order_score if hit.score is None else hit.score


def _location(hit: Hit) -> str:
    passage = hit.candidate.stored.passage
    lines = str(passage.first_line)
    if passage.last_line != passage.first_line:
        lines += f"-{passage.last_line}"
    return f"{hit.candidate.stored.path}:{lines}"


def _heading(hit: Hit) -> str:
    return " > ".join(hit.candidate.stored.passage.headings)
