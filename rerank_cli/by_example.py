"""Query by example: the passages of a file that are asked with, and the text that they are asked as."""

from __future__ import annotations

from collections.abc import Sequence

from rerank_cli.errors import UsageError
from rerank_cli.ports import Index
from rerank_cli.records import StoredPassage

MOST_WORDS = 400
"""Of what is asked with: the beginning of a file says what it is about."""


def example_passages(index: Index, path: str, *, first: int | None, last: int | None) -> list[StoredPassage]:
    """The passages of the file at *path* from *first* to *last*, in the unit of its places, or all of them.

    A line without text, such as that of a heading, is taken for the next one with text.

    Raises:
        UsageError: no such file is in the index, or it has nothing there.
    """
    if first is not None and last is not None and last < first:
        raise UsageError(f"{path}: nothing stands from {first} to {last}", remedy="name the smaller one first")
    found = list(index.read_file(path, first=first, last=first if last is None else last))
    if not found and first is not None:
        behind = sorted(index.read_file(path, first=first), key=lambda stored: stored.passage.place.first)
        found = [stored for stored in behind[:1] if stored.passage.place.unit == "line"]
    if not found:
        raise _nothing_there(index, path, first)
    return found


def passages_of_their_documents(index: Index, passages: Sequence[StoredPassage]) -> list[StoredPassage]:
    """All passages of the documents that *passages*, which are of one file, come from."""
    documents = {stored.document_id for stored in passages}
    return [stored for stored in index.read_file(passages[0].path) if stored.document_id in documents]


def query_of(passages: Sequence[StoredPassage]) -> str:
    """The text of *passages*, each under its headings where these are others than before; of much the beginning."""
    words: list[str] = []
    trail: tuple[str, ...] | None = None
    for passage in (stored.passage for stored in passages):
        words += (passage.text if passage.headings == trail else passage.model_text).split()
        trail = passage.headings
        if len(words) >= MOST_WORDS:
            break
    return " ".join(words[:MOST_WORDS])


def _nothing_there(index: Index, path: str, place: int | None) -> UsageError:
    state = index.file_states([path]).get(path)
    if state is None:
        command = index.update_command()
        return UsageError(f"{path}: not in the index", remedy=f"check the name, or index what is new: {command}")
    places = [stored.passage.place for stored in index.read_file(path)]
    if place is None or not places:
        reason = f" ({state.failure})" if state.failure else ""
        return UsageError(f"{path}: the index has no text of it{reason}", remedy="name another file")
    nearest = min(places, key=lambda each: max(each.first - place, place - each.last))
    asked, nearest = nearest._replace(first=place, last=place, label=""), nearest._replace(label="")
    return UsageError(f"{path}: nothing stands at {asked}", remedy=f"the nearest text stands at {nearest}")
