"""The work of `rerank-cli query`: ask one query after another, and write each answer at once."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from rerank_cli.cli.filtering import AskedFilter, filter_within
from rerank_cli.cli.formats import writer_for
from rerank_cli.cli.options import working_folder
from rerank_cli.cli.progress import drawn_progress
from rerank_cli.cli.results import Answer, Presentation, ResultWriter
from rerank_cli.cli.terminal import tell
from rerank_cli.config import Settings
from rerank_cli.errors import InputError, UsageError, in_words
from rerank_cli.library import Library, open_library
from rerank_cli.ports import Filter, Index
from rerank_cli.queries import Query, read_queries

NO_RESULT = 1

LINE_BYTES = 1_000_000
"""As much is kept of a typed line, which is more than a query may have: its end need not be remembered."""


def answer(
    asked: Iterator[Query] | None,
    *,
    many: bool,
    index: Path,
    settings: Settings,
    encoder: str | None,
    filters: AskedFilter,
    explain: bool,
    quiet: bool,
) -> int:
    """Answer each query that is *asked*, or typed; several where it is *many*. An *index* knows its own encoder.

    Returns 2 if there was one that cannot be asked, 1 if none found anything, else 0.
    """
    here = working_folder()
    with (
        drawn_progress(quiet=quiet) as listener,
        open_library(index=index, encoder=encoder, settings=settings, listener=listener) as library,
    ):
        within = filter_within(filters, library.index, here=here)
        library.prepare_search()
        presentation = Presentation(
            settings=settings,
            index=library.index,
            reranker=library.reranker if settings.rerank else None,
            many=many,
            explain=explain,
            filters=filters,
            here=here,
        )
        typed = _queries_typed(library.index) if asked is None else asked
        return _write(typed, library, writer_for(presentation, sys.stdout), within, is_trec=settings.format == "trec")


def _write(asked: Iterator[Query], library: Library, writer: ResultWriter, within: Filter, *, is_trec: bool) -> int:
    """One of many that cannot be asked is told and passed over, so that the others get their answers."""
    found, refused = False, 0
    per_document = 1 if is_trec else library.settings.per_document
    for query in asked:
        try:
            result = library.search(query.text, within=within, per_document=per_document)
        except UsageError as error:
            if not query.origin:
                raise
            tell(error, where=query.origin)
            refused = error.exit_code
            continue
        writer.write(Answer(query.id, result, library.stale_files(result.hits)))
        found = found or bool(result.hits)
    writer.close()
    return refused or (0 if found else NO_RESULT)


def given_queries(text: str | None, file: Path | None) -> Iterator[Query] | None:
    """The queries given; None if they will be typed."""
    if (text is None) == (file is None):
        raise (
            UsageError("no query", remedy="give TEXT, - for stdin, or --queries FILE")
            if text is None
            else UsageError("both TEXT and --queries were given", remedy="drop one")
        )
    if file is not None:
        return iter(read_queries(file))  # the whole file: a bad line is told before any work is done
    if text == "-":
        return None
    assert text is not None
    return iter([Query("1", text)])


def _queries_typed(index: Index) -> Iterator[Query]:
    """Each line of stdin as it comes, known by its number, with *index* at its newest generation by then."""
    number = 0
    while line := _next_line(index):
        number += 1
        text = line.decode("utf-8-sig" if number == 1 else "utf-8", errors="replace")
        if text.strip():
            index.wake()
            yield Query(str(number), text, origin=f"stdin:{number}: ")


def _next_line(index: Index) -> bytes:
    index.rest()
    try:
        line = rest = sys.stdin.buffer.readline(LINE_BYTES)
        while len(rest) == LINE_BYTES and not rest.endswith(b"\n"):
            rest = sys.stdin.buffer.readline(LINE_BYTES)
        return line
    except OSError as error:
        raise InputError(f"stdin: cannot be read ({in_words(error)})", remedy="check where it comes from") from error
