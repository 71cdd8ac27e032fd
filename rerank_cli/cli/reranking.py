"""The work of `rerank-cli rerank`: read a pipe, score its records, and print them best first."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from rerank_cli.cli.piped import Input, Ranked, Records, piped_bytes, read_names, read_records
from rerank_cli.cli.progress import drawn_progress
from rerank_cli.cli.querying import NO_RESULT
from rerank_cli.cli.terminal import counted, say
from rerank_cli.config import Settings
from rerank_cli.errors import InputError, UsageError
from rerank_cli.library import Library, open_library
from rerank_cli.records import SkippedFile
from rerank_cli.search import check_query

LONGEST_LINE = 20_000
"""Letters of a line that are read, some 3,000 words; texts in JSON are read whole. A longer line is mostly written by a
program for a program, and one of a megabyte would take as long as ten thousand others."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is piped in, and what is printed of it: the best `top_n`, or all; with its `scores`."""

    input: Input
    files: bool
    null: bool
    top_n: int | None
    scores: bool


def rerank_stdin(query: str, wanted: Wanted, settings: Settings, *, quiet: bool) -> int:
    """Print what is piped in, the best for *query* first. Returns 1 if nothing is left, else 0."""
    check_query(query)
    if wanted.files and wanted.input != "auto":
        raise UsageError("--input and --files were both given", remedy="drop one: with --files, lines name files")
    content = piped_bytes()
    records = (
        read_names(content, null=wanted.null)
        if wanted.files
        else read_records(content, kind=wanted.input, null=wanted.null)
    )
    rank = _ranked_files if wanted.files else _ranked_records
    with drawn_progress(quiet=quiet) as listener, open_library(settings=settings, listener=listener) as library:
        ranked = rank(records, query, library, quiet=quiet)
    least = settings.min_score
    kept = [each for each in ranked if least is None or each.score >= least][: wanted.top_n]
    if sys.stdout.isatty():
        records = replace(records, end=b"\n")  # NUL is for programs, and nobody sees it on a terminal
    sys.stdout.buffer.writelines(records.written(kept, scores=wanted.scores))
    sys.stdout.buffer.flush()
    if not kept and not quiet and sys.stderr.isatty():
        say("rerank-cli: nothing found")
    return 0 if kept else NO_RESULT


def _ranked_records(records: Records, query: str, library: Library, *, quiet: bool) -> list[Ranked]:
    """Each record, best first; equal ones in the order in which they came."""
    texts = [record.text for record in records.records]
    if records.kind != "jsonl":
        texts = _cut_lines(texts, quiet=quiet)
    result = library.rerank(query, texts)
    return [Ranked(number, result.scores[number], result.logits[number]) for number in result.order]


def _cut_lines(texts: Sequence[str], *, quiet: bool) -> list[str]:
    """*texts* with no line longer than `LONGEST_LINE`; how many have one is told."""
    cut = [
        text if len(text) <= LONGEST_LINE else "\n".join(line[:LONGEST_LINE] for line in text.split("\n"))
        for text in texts
    ]
    shortened = sum(map(str.__ne__, texts, cut))
    if shortened and not quiet:
        say(f"rerank-cli: {counted(shortened, 'record')} with a long line: {LONGEST_LINE} letters of a line are read")
    return cut


def _ranked_files(records: Records, query: str, library: Library, *, quiet: bool) -> list[Ranked]:
    """Each file that can be read by its best passage, best first.

    Raises:
        InputError: none can be read.
    """
    result = library.rerank_files(query, [record.text for record in records.records])
    _tell_skipped(result.skipped, quiet=quiet)
    if not result.files and any(file.failed for file in result.skipped):
        raise InputError("none of the files could be read", remedy="check their names and where you stand")
    return [Ranked(file.number, file.score, file.logit, str(file.passage.place)) for file in result.files]


def _tell_skipped(skipped: Sequence[SkippedFile], *, quiet: bool) -> None:
    """A line for each file that cannot be read, and one for all that hold nothing to read."""
    others: defaultdict[str, list[str]] = defaultdict(list)
    for file in skipped:
        if file.failed:
            say(f"rerank-cli: {file.path}: {file.reason}; it is left out")
        else:
            others[file.reason].append(file.path)
    if others and not quiet:
        told = (f"{len(paths)} {reason} ({paths[0]}{', …' * (len(paths) > 1)})" for reason, paths in others.items())
        say(f"rerank-cli: left out {counted(sum(map(len, others.values())), 'file')}: {', '.join(told)}")
