"""The work of `rerank-cli rerank`: read a pipe, score its records, and print them best first."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from rerank_cli.cli.piped import Input, parts_of, piped_bytes, records_of
from rerank_cli.cli.progress import drawn_progress
from rerank_cli.cli.terminal import say
from rerank_cli.config import Settings
from rerank_cli.errors import UsageError
from rerank_cli.library import Library, open_library

NO_RESULT = 1


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is piped in, and what is printed of it: `all`, or as many as the settings say; with its `scores`."""

    input: Input
    files: bool
    null: bool
    all: bool
    scores: bool


def rerank_stdin(query: str, wanted: Wanted, settings: Settings, *, quiet: bool) -> int:
    """Print what is piped in, the best for *query* first. Returns 1 if nothing is left, else 0."""
    if wanted.files and wanted.input != "auto":
        raise UsageError("--input and --files were both given", remedy="drop one: with --files, lines name files")
    content = piped_bytes()
    with (
        drawn_progress(quiet=quiet) as listener,
        open_library(settings=settings, listener=listener) as library,
    ):
        ordered = _files(content, query, wanted, library) if wanted.files else _records(content, query, wanted, library)
        least = settings.min_score
        kept = [shown for score, shown in ordered if least is None or score >= least]
    printed = kept if wanted.all else kept[: settings.top_n]
    end = b"\0" if wanted.null else b"\n"
    sys.stdout.buffer.writelines(record + end for record in printed)
    sys.stdout.buffer.flush()
    return 0 if printed else NO_RESULT


def _records(content: bytes, query: str, wanted: Wanted, library: Library) -> Iterator[tuple[float, bytes]]:
    """Each record with its score, best first; equal ones in the order in which they came."""
    records = records_of(content, kind=wanted.input, null=wanted.null)
    reranked = library.rerank(query, [record.text for record in records])
    for place in reranked.order:
        score, logit = reranked.scores[place], reranked.logits[place]
        record = records[place]
        yield score, record.scored(score, logit) if wanted.scores else record.content


def _files(content: bytes, query: str, wanted: Wanted, library: Library) -> Iterator[tuple[float, bytes]]:
    """Each name of a file with the score of its best passage, best first. What cannot be read is told."""
    names = parts_of(content, null=wanted.null)
    found = library.rerank_files(query, [os.fsdecode(name) for name in names])
    for name, reason in found.unread.items():
        say(f"rerank-cli: {name}: {reason}; it is left out")
    for best in found.best:
        own = os.fsencode(best.name)
        shown = f"{best.score:.4f}\t".encode() + own + f"\t{best.place}".encode()
        yield best.score, shown if wanted.scores else own
