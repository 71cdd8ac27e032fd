"""The work of `rerank-cli query`: ask one query after another, and write each answer at once."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rerank_cli.cli.filtering import AskedFilter, filter_within
from rerank_cli.cli.formats import writer_for
from rerank_cli.cli.options import working_folder
from rerank_cli.cli.progress import drawn_progress, spinning
from rerank_cli.cli.results import Answer, Presentation, ResultWriter
from rerank_cli.cli.terminal import counted, say, tell
from rerank_cli.config import Settings
from rerank_cli.errors import InputError, UsageError, in_words
from rerank_cli.freshness import folder_of
from rerank_cli.joint import JointIndex
from rerank_cli.library import Library, open_library
from rerank_cli.ports import Filter, Index
from rerank_cli.queries import Query, read_queries
from rerank_cli.records import Listener

NO_RESULT = 1

LINE_BYTES = 1_000_000
"""As much is kept of a typed line, which is more than a query may have: its end need not be remembered."""


def answer(
    asked: Iterator[Query] | None,
    *,
    many: bool,
    indexes: Sequence[Path],
    settings: Settings,
    encoder: str | None,
    filters: AskedFilter,
    explain: bool,
    quiet: bool,
) -> int:
    """Answer each query that is *asked*, or typed; several where it is *many*. Indexes know their own encoder.

    Returns 2 if there was one that cannot be asked, 1 if none found anything, else 0.
    """
    here = working_folder()
    with (
        _freshened(indexes, settings, quiet=quiet),
        drawn_progress(quiet=quiet) as listener,
        open_library(index=one_or_all(indexes), encoder=encoder, settings=settings, listener=listener) as library,
    ):
        if not quiet:
            _tell_shared(library.index)
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
        if settings.format == "context":
            return _answer_each(typed, lambda query: _print_context(query, library, within, listener, many=many))
        writer = writer_for(presentation, sys.stdout)
        code = _answer_each(typed, lambda query: _list_hits(query, library, within, listener, writer))
        writer.close()
        return code


def list_similar(
    place: Path, *, index: Path, settings: Settings, encoder: str | None, explain: bool, quiet: bool
) -> int:
    """List what is like the file, or the passage, at *place*: a path as the user wrote it, and perhaps `:number`.

    Returns 1 if there is nothing, else 0.
    """
    if settings.format == "context":
        raise UsageError("similar has no format context", remedy="choose another, or ask with query")
    here = working_folder()
    with (
        drawn_progress(quiet=quiet) as listener,
        open_library(index=index, encoder=encoder, settings=settings, listener=listener) as library,
    ):
        path, at = _path_and_place(place, library.index, here=here)
        presentation = Presentation(
            settings=settings,
            index=library.index,
            reranker=library.reranker if settings.rerank else None,
            many=False,
            explain=explain,
            filters=AskedFilter(),
            here=here,
        )
        writer = writer_for(presentation, sys.stdout)
        with spinning(listener, "search"):
            result = library.similar(path, at)
        writer.write(Answer("1", result, library.stale_files(result.hits)))
        writer.close()
        return 0 if result.hits else NO_RESULT


def _path_and_place(place: Path, index: Index, *, here: Path) -> tuple[str, int | None]:
    """The file of *index* that *place* names, by its path there, and the number behind its colon, if there is one."""
    root = folder_of(Path(index.manifest.recipe.root))

    def inner(written: str) -> str:
        return os.path.relpath((here / written).resolve(), root)

    file, _, number = str(place).rpartition(":")
    whole = inner(str(place))
    if file and number.isdigit() and whole not in index.file_states([whole]):
        return inner(file), int(number)
    return whole, None


@contextmanager
def _freshened(indexes: Sequence[Path], settings: Settings, *, quiet: bool) -> Iterator[None]:
    """Bring the indexes up to date first if that is asked for, as far as there is time."""
    if not settings.fresh:
        yield
        return
    from rerank_cli.freshening import Freshening

    freshening = Freshening(indexes)
    try:
        if not freshening.wait(settings.fresh_budget) and not quiet:
            say(f"rerank-cli: not up to date after {settings.fresh_budget:g} s, so the answer is from before")
        yield
    finally:
        freshening.end()


def one_or_all(indexes: Sequence[Path]) -> Path | Sequence[Path]:
    """As a library takes them: several in a list, one by itself, which may then be changed too."""
    return indexes[0] if len(indexes) == 1 else indexes


def _tell_shared(index: Index) -> None:
    if isinstance(index, JointIndex) and (shared := index.shared_files()):
        say(f"{counted(shared, 'file')} of several indexes: taken from the first that is named")


def _answer_each(asked: Iterator[Query], answer_one: Callable[[Query], bool]) -> int:
    """One of many that cannot be asked is told and passed over, so that the others get their answers."""
    found, refused = False, 0
    for query in asked:
        try:
            found = answer_one(query) or found
        except UsageError as error:
            if not query.origin:
                raise
            tell(error, where=query.origin)
            refused = error.exit_code
    return refused or (0 if found else NO_RESULT)


def _list_hits(query: Query, library: Library, within: Filter, listener: Listener, writer: ResultWriter) -> bool:
    """Write what *query* brings; whether that is anything."""
    settings = library.settings
    per_document = 1 if settings.format == "trec" else settings.per_document
    with spinning(listener, "search"):
        result = library.search(query.text, within=within, per_document=per_document)
    writer.write(Answer(query.id, result, library.stale_files(result.hits)))
    return bool(result.hits)


def _print_context(query: Query, library: Library, within: Filter, listener: Listener, *, many: bool) -> bool:
    """Print what a model is handed for *query*; whether that is anything. It is told on stdout if not."""
    with spinning(listener, "search"):
        context = library.context(query.text, within=within, asked=query if many else None)
    sys.stdout.write(context.text)
    sys.stdout.flush()
    return bool(context.excerpts)


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
