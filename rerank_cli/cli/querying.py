"""The work of `rerank-cli query`: ask one query after another, and write each answer at once."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from rerank_cli.cli.filtering import AskedFilter, filter_within
from rerank_cli.cli.formats import writer_for
from rerank_cli.cli.options import working_folder
from rerank_cli.cli.paging import NONE as NO_PAGER
from rerank_cli.cli.paging import paged
from rerank_cli.cli.progress import drawn_progress, spinning
from rerank_cli.cli.results import Answer, Around, Presentation, ResultWriter
from rerank_cli.cli.terminal import counted, say, tell
from rerank_cli.config import Settings
from rerank_cli.errors import InputError, UsageError, in_words
from rerank_cli.joint import JointIndex
from rerank_cli.library import Library, open_library
from rerank_cli.ports import Filter, Index
from rerank_cli.queries import Query, read_queries
from rerank_cli.records import Hit, Listener, Passage
from rerank_cli.search import SearchResult

NO_RESULT = 1

LINE_BYTES = 1_000_000
"""As much is kept of a typed line, which is more than a query may have: its end need not be remembered."""

FORMATS_AROUND = ("auto", "table", "plain", "json", "jsonl")
"""What has room for the lines around a hit."""

BARE_FORMATS = ("plain", "tsv", "paths", "vimgrep", "trec")
"""What prints hits and nothing else."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be seen of an answer beside what settings say.

    `around` is how many lines around a hit are shown with it, `opens` is the hit that is opened in place of showing
    any, and with `ends_with_nul` paths end so.
    """

    explain: bool = False
    around: int | None = None
    opens: int | None = None
    ends_with_nul: bool = False


def answer(
    asked: Iterator[Query] | None,
    *,
    many: bool,
    indexes: Sequence[Path],
    settings: Settings,
    encoder: str | None,
    filters: AskedFilter,
    wanted: Wanted,
    quiet: bool,
) -> int:
    """Answer each query that is *asked*, or typed; several where it is *many*. Indexes know their own encoder.

    Returns 2 if there was one that cannot be asked, 1 if none found anything, else 0.
    """
    _check(wanted, settings, many=many)
    prepared = _prepared(indexes, settings, encoder, filters, wanted, many=many, quiet=quiet)
    if wanted.opens is not None and asked is not None:
        return _open_hit(next(asked), wanted.opens, prepared)
    looks_far = sys.stderr.isatty() and not quiet
    with paged(NO_PAGER if many else settings.pager) as stream, prepared as asking:
        typed = _queries_typed(asking.library.index) if asked is None else asked
        if settings.format == "context":
            return _answer_each(typed, lambda query: _print_context(query, asking, stream, many=many))
        writer = writer_for(asking.presentation, stream)
        listing = _Listing(asking, writer, around=wanted.around, looks_far=looks_far)
        code = _answer_each(typed, listing.write)
        writer.close()
        update_command = asking.library.index.update_command() if listing.outdated else ""
    if looks_far and is_bare(settings, stream):
        _tell_beside(listing.outdated, update_command, found=code != NO_RESULT)
    return code


@dataclass(frozen=True, slots=True)
class _Asking:
    """What answers queries, what of it is searched, how answers are shown, and who hears that one is at work."""

    library: Library
    within: Filter
    presentation: Presentation
    listener: Listener

    def search(self, query: Query) -> SearchResult:
        settings = self.library.settings
        per_document = 1 if settings.format == "trec" else settings.per_document
        with spinning(self.listener, "search"):
            return self.library.search(query.text, within=self.within, per_document=per_document)


@contextmanager
def _prepared(
    indexes: Sequence[Path],
    settings: Settings,
    encoder: str | None,
    filters: AskedFilter,
    wanted: Wanted,
    *,
    many: bool,
    quiet: bool,
) -> Iterator[_Asking]:
    """An index that is opened to answer queries."""
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
            explain=wanted.explain,
            filters=filters,
            here=here,
            ends_with_nul=wanted.ends_with_nul,
        )
        yield _Asking(library, within, presentation, listener)


def _check(wanted: Wanted, settings: Settings, *, many: bool) -> None:
    """Refuse what cannot be meant together."""
    if wanted.around is not None and settings.format not in FORMATS_AROUND:
        raise UsageError(
            f"--format {settings.format} has no room for what is around a hit",
            remedy=f"drop -C, or choose another: {', '.join(FORMATS_AROUND)}",
        )
    if wanted.opens is not None and many:
        raise UsageError("--open needs one question", remedy="ask it as TEXT")


def is_bare(settings: Settings, stream: TextIO) -> bool:
    """Whether what goes to *stream* says nothing where nothing is found, nor that a file changed."""
    return settings.format in BARE_FORMATS or (settings.format == "auto" and not stream.isatty())


def _tell_beside(outdated: Collection[str], update_command: str, *, found: bool) -> None:
    """Tell a person what an empty or a bare output does not."""
    if not found:
        say("rerank-cli: nothing found")
    if outdated:
        files = counted(len(outdated), "file")
        say(f"rerank-cli: {files} that may answer changed since; bring the index up to date: {update_command}")


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


class _Listing:
    """Writes the hits of one query after another.

    Where it `looks_far`, it looks at the files of all candidates and not of the hits alone, to tell who reads that the
    index is behind: `outdated` are those that changed.
    """

    def __init__(self, asking: _Asking, writer: ResultWriter, *, around: int | None, looks_far: bool) -> None:
        self.outdated: set[str] = set()
        self._looks_far = looks_far
        self._asking = asking
        self._writer = writer
        self._around = around

    def write(self, query: Query) -> bool:
        """Write what *query* brings; whether that is anything."""
        result, library = self._asking.search(query), self._asking.library
        looked_at = {hit.path for hit in result.hits}
        if self._looks_far:
            looked_at |= {candidate.stored.path for candidate in result.candidates}
        stale = library.stale_paths(looked_at)
        self.outdated |= stale.keys()
        around = {}
        if self._around is not None:
            around = {hit.rank: _around(hit, library.index, self._around) for hit in result.hits}
        self._writer.write(Answer(query.id, result, stale, around))
        return bool(result.hits)


def _around(hit: Hit, index: Index, count: int) -> Around:
    """So many lines of the text before *hit* and after it, in its own document."""
    document = [each for each in index.read_file(hit.path) if each.document_id == hit.document_id]
    at = [each.id for each in document].index(hit.candidate.stored.id)
    before = _first_lines((each.passage for each in reversed(document[:at])), count, from_end=True)
    after = _first_lines((each.passage for each in document[at + 1 :]), count)
    return Around(tuple(before)[::-1], tuple(after))


def _first_lines(passages: Iterable[Passage], count: int, *, from_end: bool = False) -> Iterator[Passage]:
    """The first so many lines of *passages*, or the last of those that are given *from_end*, and none else of them."""
    for passage in passages:
        if count <= 0:
            return
        lines = [line for line in passage.text.splitlines() if line.strip()]
        kept = lines[-count:] if from_end else lines[:count]
        count -= len(kept)
        yield passage._replace(text="\n".join(kept))


def _open_hit(query: Query, number: int, prepared: AbstractContextManager[_Asking]) -> int:
    """Open the hit of this *number*, from 1. Returns 1 if nothing was found, else 0.

    An editor may stay open for hours, and an index that is held keeps its log from being folded back.
    """
    from rerank_cli.cli.opening import open_at  # which few queries need

    with prepared as asking:
        hits, library = asking.search(query).hits, asking.library
        if not hits:
            say("rerank-cli: nothing found")
            return NO_RESULT
        if number > len(hits):
            raise UsageError(f"--open {number}: there are {counted(len(hits), 'hit')}", remedy="open one of those")
        hit = hits[number - 1]
        location = asking.presentation.location_of(hit)
        staleness = library.stale_files([hit]).get(hit.path)
        update_command = library.index.update_command()
    if staleness == "gone":
        raise InputError(f"{location}: is gone", remedy=f"bring the index up to date: {update_command}")
    if staleness:
        say(f"rerank-cli: {location}: changed since it was indexed, so the place may be another")
    open_at(location, hit.place)
    return 0


def _print_context(query: Query, asking: _Asking, stream: TextIO, *, many: bool) -> bool:
    """Print what a model is handed for *query*; whether that is anything. It is told on stdout if not."""
    with spinning(asking.listener, "search"):
        context = asking.library.context(query.text, within=asking.within, asked=query if many else None)
    stream.write(context.text)
    stream.flush()
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
