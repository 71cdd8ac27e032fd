"""What the tools do, over a library: nothing of the protocol is here, and nothing is changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Unpack

from rerank_cli.context import NOTHING, Context
from rerank_cli.errors import UsageError
from rerank_cli.excerpts import Excerpt
from rerank_cli.filters import FilterOptions
from rerank_cli.library import Library
from rerank_cli.records import Place, StoredPassage, with_headings

MOST_SECONDS = 600.0


@dataclass(frozen=True)
class CitedPassage:
    """A passage of a document. `unit`, `first` and `last` say where in the file it stands, `place` says it in words."""

    citation: str
    path: str
    place: str
    unit: str
    first: int
    last: int
    headings: list[str]
    text: str


@dataclass(frozen=True)
class Found:
    """What answers a question, of so many `tokens`. `partial` where time ran out before all candidates were read."""

    passages: list[CitedPassage]
    tokens: int
    partial: bool
    message: str = ""


@dataclass(frozen=True)
class ReadPassages:
    """Passages of one file in reading order. `more_before` and `more_after` say whether the file has others there."""

    path: str
    passages: list[CitedPassage]
    more_before: bool
    more_after: bool
    stale: str = ""


@dataclass(frozen=True)
class SearchedIndex:
    """An index that is searched, and how many files differ from it by now; None where that is unknown."""

    name: str
    root: str
    files: int
    documents: int
    passages: int
    updated_at: str
    changed_files: int | None


@dataclass(frozen=True)
class Searched:
    """All that is searched."""

    indexes: list[SearchedIndex]


class Answers:
    """Answers from one library, from one thread."""

    def __init__(
        self, library: Library, each: Sequence[Library], *, bring_up_to_date: Callable[[], bool] | None = None
    ) -> None:
        """*library* searches all indexes as one, *each* has one of them by itself."""
        self._library = library
        self._each = each
        self._bring_up_to_date = bring_up_to_date

    def _renew(self) -> None:
        """Go on with the newest generation, which another process may have made, or is asked to make first."""
        if self._bring_up_to_date is not None:
            self._bring_up_to_date()
        self._library.refresh()

    def search(
        self, query: str, *, max_tokens: int | None, seconds: float | None, **filters: Unpack[FilterOptions]
    ) -> tuple[str, Found]:
        """The best passages for *query* within *max_tokens*, of the documents that *filters* let in."""
        self._renew()
        budget = self._library.settings.budget if seconds is None else seconds
        tokens = self._library.settings.max_tokens if max_tokens is None else max_tokens
        return _found(self._library.context(query, max_tokens=tokens, budget=budget, **filters))

    def similar(self, path: str, *, at: int | None, top_n: int) -> tuple[str, Found]:
        """Passages of other documents that are like what the file *path* says at the place *at*."""
        self._renew()
        hits = self._library.similar(path, at, top_n=top_n).hits
        cited = [_cited(number, hit.candidate.stored) for number, hit in enumerate(hits, start=1)]
        text = _blocks(cited) or NOTHING
        (tokens,) = self._library.encoder.count_tokens([text])
        return text, Found(cited, tokens, partial=False, message="" if cited else NOTHING)

    def read(self, path: str, *, first: int | None, last: int | None, around: int) -> tuple[str, ReadPassages]:
        """The passages of the file *path* from *first* to *last*, and so many *around* them, as they were indexed."""
        self._renew()
        whole = list(self._library.index.read_file(path))
        if not whole:
            raise UsageError(f"{path}: is no file with text in the index", remedy="take a path that search gives")
        start, end = _span([stored.passage.place for stored in whole], first, last)
        if start == end:
            units = {stored.passage.place.unit for stored in whole}
            most = max(stored.passage.place.last for stored in whole)
            raise UsageError(f"{path}: has nothing there", remedy=f"its {units.pop()}s go up to {most}")
        start, end = max(0, start - around), min(len(whole), end + around)
        cited = [_cited(number, stored) for number, stored in enumerate(whole[start:end], start=1)]
        staleness = self._library.stale_paths([path]).get(path, "")
        read = ReadPassages(path, cited, start > 0, end < len(whole), staleness)
        notes = (
            [f"The file is {'gone' if staleness == 'gone' else 'changed'} since it was indexed."] if staleness else []
        )
        return "\n".join([*notes, _blocks(cited)]), read

    def status(self) -> tuple[str, Searched]:
        """What is searched."""
        indexes = [_searched(library) for library in self._each]
        lines = [
            f"{each.name}: {each.documents} documents of {each.root}, updated {each.updated_at}, {_since(each)}"
            for each in indexes
        ]
        return "\n".join(lines), Searched(indexes)


def _found(context: Context) -> tuple[str, Found]:
    cited = [_cited_excerpt(number, excerpt) for number, excerpt in enumerate(context.excerpts, start=1)]
    message = "" if cited else context.text.strip()
    return context.text, Found(cited, context.tokens, context.partial, message)


def _cited_excerpt(number: int, excerpt: Excerpt) -> CitedPassage:
    return _passage(excerpt.citation(number), excerpt.path, excerpt.place, excerpt.headings, excerpt.text)


def _cited(number: int, stored: StoredPassage) -> CitedPassage:
    place, headings = stored.passage.place, stored.passage.headings
    citation = f"[{number}] {stored.path} {place}"
    return _passage(citation, stored.path, place, headings, stored.passage.text)


def _passage(citation: str, path: str, place: Place, headings: Sequence[str], text: str) -> CitedPassage:
    return CitedPassage(citation, path, str(place), place.unit, place.first, place.last, list(headings), text)


def _blocks(cited: Sequence[CitedPassage]) -> str:
    return "\n\n".join(f"{each.citation}\n{with_headings(each.headings, each.text)}" for each in cited)


def _span(places: Sequence[Place], first: int | None, last: int | None) -> tuple[int, int]:
    """From which to before which of *places* there is something from *first* to *last*; all without either."""
    low = first if first is not None else min(place.first for place in places)
    high = last if last is not None else (first if first is not None else max(place.last for place in places))
    within = [at for at, place in enumerate(places) if place.last >= low and place.first <= high]
    return (within[0], within[-1] + 1) if within else (0, 0)


def _searched(library: Library) -> SearchedIndex:
    status = library.status()
    changes, counts, manifest = status.changes, status.counts, status.manifest
    changed = None if changes is None else len([*chain(changes.added, changes.changed, changes.removed)])
    return SearchedIndex(
        library.index.name,
        manifest.recipe.root,
        counts.files,
        counts.documents,
        counts.passages,
        manifest.updated_at,
        changed,
    )


def _since(each: SearchedIndex) -> str:
    if each.changed_files is None:
        return "whether its files changed since is not known"
    return f"{each.changed_files} files changed since" if each.changed_files else "nothing has changed since"
