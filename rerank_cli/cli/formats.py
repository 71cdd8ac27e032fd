"""The formats in which results are written, by name; those that go line by line are written here."""

from __future__ import annotations

from typing import Protocol, TextIO

from rerank_cli.cli.results import (
    Answer,
    Presentation,
    ResultWriter,
    explanation,
    heading,
    shown_path,
    shown_place,
)
from rerank_cli.cli.results_for_machines import TSV_COLUMNS, JsonWriter, jsonl_lines, trec_lines, tsv_lines
from rerank_cli.cli.terminal import printable
from rerank_cli.retrieval import query_words
from rerank_cli.search import shown_score
from rerank_cli.snippets import snippet

PLAIN_SNIPPET = 160


def writer_for(presentation: Presentation, stream: TextIO) -> ResultWriter:
    """The writer of the format asked for; `auto` is a table on a terminal and plain lines elsewhere."""
    name = presentation.settings.format
    if name == "auto":
        name = "table" if stream.isatty() else "plain"
    if name == "json":
        return JsonWriter(presentation, stream)
    if name == "table":
        from rerank_cli.cli.results_table import TableWriter  # which a pipe needs no Rich for

        return TableWriter(presentation, stream)
    line_writers = {
        "plain": _plain, "jsonl": jsonl_lines, "tsv": tsv_lines, "paths": _paths, "vimgrep": _vimgrep,
        "trec": trec_lines,
    }  # fmt: skip
    header = "\t".join(TSV_COLUMNS) + "\n" if name == "tsv" else ""
    return _LineWriter(presentation, stream, line_writers[name], header)


class LinesOf(Protocol):
    """Turns an answer into lines."""

    def __call__(self, presentation: Presentation, answer: Answer, /) -> list[str]: ...


class _LineWriter:
    def __init__(self, presentation: Presentation, stream: TextIO, lines: LinesOf, header: str) -> None:
        self._presentation = presentation
        self._stream = stream
        self._lines = lines
        self._header = header

    def write(self, answer: Answer) -> None:
        end = "\0" if self._presentation.ends_with_nul else "\n"
        lines = [f"{line}{end}" for line in self._lines(self._presentation, answer)]
        self._stream.write("".join((self._taken_header(), *lines)))  # at once, also where Python holds nothing back
        self._stream.flush()

    def close(self) -> None:
        self._stream.write(self._taken_header())
        self._stream.flush()

    def _taken_header(self) -> str:
        """The header, once, and not before there is a result: an error leaves stdout empty."""
        header, self._header = self._header, ""
        return header


def _plain(presentation: Presentation, answer: Answer) -> list[str]:
    words = query_words(answer.result.query)
    lines = []
    for place, hit in enumerate(answer.result.hits, start=1):
        around = answer.around.get(hit.rank)
        shown = snippet(hit.text, words, width=PLAIN_SNIPPET).text if around is None else _on_a_line(around.whole(hit))
        columns = [
            str(place),
            f"{shown_score(hit, answer.result, presentation.reranker):.4f}",
            shown_place(presentation.location_of(hit), hit.place, here=presentation.here),
            heading(hit),
            shown,
        ]
        columns = [answer.query_id, *columns] if presentation.many else columns
        columns = [*columns, explanation(hit, pieces=answer.result.pieces)] if presentation.explain else columns
        lines.append("\t".join(printable(column) for column in columns))
    return lines


def _paths(presentation: Presentation, answer: Answer) -> list[str]:
    """Each file once. A name with a control character is escaped: raw, it could be two lines, or steer a terminal."""
    locations = dict.fromkeys(map(presentation.location_of, answer.result.hits))
    paths = [shown_path(location, here=presentation.here) for location in locations]
    return paths if presentation.ends_with_nul else [printable(path) for path in paths]


def _vimgrep(presentation: Presentation, answer: Answer) -> list[str]:
    """`path:line:column:text`, as editors read what grep and ripgrep find.

    A place that is no line stands before the text, and the line is the first: any other number would be believed.
    """
    words = query_words(answer.result.query)
    lines = []
    for hit in answer.result.hits:
        path = shown_path(presentation.location_of(hit), here=presentation.here)
        shown = snippet(hit.text, words, width=PLAIN_SNIPPET).text
        is_line = hit.place.unit == "line"
        line, text = (hit.place.first, shown) if is_line else (1, f"{hit.place}: {shown}")
        lines.append(printable(f"{path}:{line}:1:{text}"))
    return lines


def _on_a_line(text: str) -> str:
    return " ".join(text.split())
