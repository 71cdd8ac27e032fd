"""The work of `rerank-cli similar`: find what a path and a place in it mean, and list what is like that."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from rerank_cli.characters import whole_characters
from rerank_cli.cli.filtering import AskedFilter, filter_within
from rerank_cli.cli.formats import writer_for
from rerank_cli.cli.options import working_folder
from rerank_cli.cli.paging import paged
from rerank_cli.cli.progress import drawn_progress, spinning
from rerank_cli.cli.querying import NO_RESULT, is_bare, one_or_all
from rerank_cli.cli.results import Answer, Presentation
from rerank_cli.cli.terminal import say
from rerank_cli.config import Settings
from rerank_cli.errors import UsageError
from rerank_cli.freshness import folder_of
from rerank_cli.library import open_library
from rerank_cli.ports import Index

PLACE = re.compile(
    r"(?P<path>.+?):(?:(?P<time>\d{1,9}:\d\d:\d\d)|(?P<first>\d{1,15})(?:-(?P<last>\d{1,15}))?)", re.DOTALL
)
"""A path and a place in it: a line, a page or the like, or two of them, or a time."""


def list_similar(
    place: Path,
    *,
    indexes: Sequence[Path],
    settings: Settings,
    encoder: str | None,
    filters: AskedFilter,
    explain: bool,
    quiet: bool,
) -> int:
    """List what is like the file, or what stands in it, at *place*: a path as the user wrote it, and perhaps a line.

    Returns 1 if there is nothing, else 0.
    """
    if settings.format == "context":
        raise UsageError("similar has no format context", remedy="choose another, or ask with query")
    here = working_folder()
    with (
        paged(settings.pager) as stream,
        drawn_progress(quiet=quiet) as listener,
        open_library(index=one_or_all(indexes), encoder=encoder, settings=settings, listener=listener) as library,
    ):
        path, first, last = _path_and_place(whole_characters(str(place)), library.index, here=here)
        within = filter_within(filters, library.index, here=here)
        presentation = Presentation(
            settings=settings,
            index=library.index,
            reranker=library.reranker if settings.rerank else None,
            many=False,
            explain=explain,
            filters=filters,
            here=here,
        )
        writer = writer_for(presentation, stream)
        per_document = 1 if settings.format == "trec" else settings.per_document
        with spinning(listener, "search"):
            result = library.similar(path, first, last, within=within, per_document=per_document)
        if library.stale_paths([path]) and not quiet:
            say(f"rerank-cli: {path} is gone or changed since it was indexed; it was read as it stood then")
        writer.write(Answer("1", result, library.stale_files(result.hits)))
        writer.close()
    if result.hits:
        return 0
    if sys.stderr.isatty() and not quiet and is_bare(settings, stream):
        say("rerank-cli: nothing found")
    return NO_RESULT


def _path_and_place(written: str, index: Index, *, here: Path) -> tuple[str, int | None, int | None]:
    """The path in *index* that is *written* by one who stands *here*, and the first and last line or the like of it.

    A name that ends like a place is a name if there is such a file.
    """
    found = PLACE.fullmatch(written)
    if whole := _indexed_path(written, index, here=here):
        return whole, None, None
    if found is None:
        return written, None, None
    path = _indexed_path(found["path"], index, here=here) or found["path"]
    if found["time"]:
        hours, minutes, seconds = map(int, found["time"].split(":"))
        second = (hours * 60 + minutes) * 60 + seconds
        return path, second * 1000, second * 1000 + 999
    return path, int(found["first"]), int(found["last"] or found["first"])


def _indexed_path(written: str, index: Index, *, here: Path) -> str | None:
    """The file of *index* that *written* means: from *here*, through links, or as hits have it."""
    root = folder_of(Path(index.manifest.recipe.root))
    place = Path(os.path.normpath(here / written))
    below = [str(each.relative_to(root)) for each in (place, place.resolve()) if each.is_relative_to(root)]
    known = index.file_states([*below, written])
    return next((path for path in (*below, written) if path in known), None)
