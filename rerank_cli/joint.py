"""Several indexes searched as one: what an index of the folder around all of theirs would find.

How rare a word is, they count together. A file that stands in several is taken from the first of them.
"""

from __future__ import annotations

import os
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from rerank_cli.arrays import Vectors
from rerank_cli.errors import IndexMismatch
from rerank_cli.freshness import folder_of
from rerank_cli.ports import (
    EVERYTHING,
    Counts,
    FileState,
    Filter,
    Index,
    Manifest,
    Origin,
    PassageId,
    Ranking,
    Rarity,
)
from rerank_cli.records import StoredPassage

Found = TypeVar("Found")


class JointIndex:
    """Several indexes by one encoder, for reading. `name`, ids and paths say whose they are."""

    def __init__(self, indexes: Sequence[Index]) -> None:
        """*indexes* in the order in which they are believed where several hold a file.

        Raises:
            IndexMismatch: they are not of one encoder.
        """
        first = indexes[0]
        for other in indexes[1:]:
            if other.manifest.recipe.encoder_fingerprint != first.manifest.recipe.encoder_fingerprint:
                raise IndexMismatch(
                    f"{first.name} was made with the encoder {first.manifest.recipe.encoder}, {other.name} with"
                    f" {other.manifest.recipe.encoder}: vectors of two encoders cannot be compared",
                    remedy="search each by itself, or index one of them again with the other's encoder",
                )
        folders = [folder_of(Path(index.manifest.recipe.root)) for index in indexes]
        self._root = Path(os.path.commonpath(folders))
        self._members = [
            _Member(index, _prefix(folder.relative_to(self._root)), number)
            for number, (index, folder) in enumerate(zip(indexes, folders, strict=True))
        ]
        for member in self._members:
            member.before = [each for each in self._members[: member.number] if _overlap(each.prefix, member.prefix)]
            member.others = [each.index for each in self._members if each is not member]

    @property
    def indexes(self) -> tuple[Index, ...]:
        """Each of them, in their order."""
        return tuple(member.index for member in self._members)

    def shared_files(self) -> int:
        """How many files stand in several of them."""
        return sum(
            member.stands_before(path) for member in self._members if member.before for path in member.index.files()
        )

    @property
    def name(self) -> str:
        return ", ".join(index.name for index in self.indexes)

    @property
    def manifest(self) -> Manifest:
        """That of the index which was brought up to date the longest ago, with the folder around all."""
        oldest = min((index.manifest for index in self.indexes), key=lambda manifest: manifest.updated_at)
        return oldest._replace(recipe=oldest.recipe._replace(root=str(self._root)))

    def update_command(self, *, rebuild: bool = False) -> str:
        return " && ".join(index.update_command(rebuild=rebuild) for index in self.indexes)

    def rest(self) -> None:
        for index in self.indexes:
            index.rest()

    def wake(self) -> None:
        for index in self.indexes:
            index.wake()

    def search_dense(self, vector: Vectors, depth: int, *, within: Filter = EVERYTHING, exact: bool = False) -> Ranking:
        def search(index: Index, own: Filter) -> Ranking:
            return index.search_dense(vector, depth, within=own, exact=exact)

        return self._merged(depth, within, search)

    def search_lexical(
        self, words: Sequence[str], depth: int, *, within: Filter = EVERYTHING, rarity: Rarity | None = None
    ) -> Ranking:
        rarity = rarity or self.rarity(words)

        def search(index: Index, own: Filter) -> Ranking:
            return index.search_lexical(words, depth, within=own, rarity=rarity)

        return self._merged(depth, within, search)

    def rarity(self, words: Collection[str]) -> Rarity | None:
        """The sums of all: a passage of a file that stands in several counts in each."""
        each = [rarity for index in self.indexes if (rarity := index.rarity(words)) is not None]
        if len(each) < len(self._members):
            return None
        holding = {word: sum(rarity.holding[word] for rarity in each) for word in words}
        return Rarity(sum(rarity.passages for rarity in each), holding)

    def _merged(self, depth: int, within: Filter, search: Callable[[Index, Filter], Ranking]) -> Ranking:
        merged: Ranking = []
        for member in self._members:
            found = search(member.index, member.inner_filter(within))
            kept = member.own([passage for passage, _ in found])
            merged += [(member.outer_id(passage), score) for passage, score in found if passage in kept]
        origins = self.origins([passage for passage, _ in merged])
        return sorted(merged, key=lambda each: (-each[1], origins[each[0]]))[:depth]

    def opening_cosines(self, vector: Vectors, passage_ids: Collection[PassageId]) -> dict[PassageId, float]:
        return self._of_each(passage_ids, lambda member, ids: member.index.opening_cosines(vector, ids))

    def read(self, passage_ids: Collection[PassageId]) -> dict[PassageId, StoredPassage]:
        return self._of_each(passage_ids, lambda member, ids: member.read(ids))

    def origins(self, passage_ids: Collection[PassageId]) -> dict[PassageId, Origin]:
        return self._of_each(passage_ids, lambda member, ids: member.origins(ids))

    def _of_each(
        self, passage_ids: Collection[PassageId], ask: Callable[[_Member, list[PassageId]], dict[PassageId, Found]]
    ) -> dict[PassageId, Found]:
        """What each index has for its own of *passage_ids*."""
        inner: defaultdict[int, list[PassageId]] = defaultdict(list)
        for passage in passage_ids:
            number, own = _inner_id(passage)
            inner[number].append(own)
        return {
            self._members[number].outer_id(own): found
            for number, ids in inner.items()
            for own, found in ask(self._members[number], ids).items()
        }

    def read_file(self, path: str, *, first: int | None = None, last: int | None = None) -> Iterator[StoredPassage]:
        for member in self._members:
            for inner in member.inner([path]):
                if member.index.file_states([inner]):
                    yield from map(member.seen, member.index.read_file(inner, first=first, last=last))
                    return

    def scan(self) -> Iterator[StoredPassage]:
        """Every passage: those of one index after another, each in the order of their origins there."""
        for member in self._members:
            for stored in member.index.scan():
                if not member.stands_before(stored.path):
                    yield member.seen(stored)

    def files(self) -> dict[str, FileState]:
        return self._files(lambda member: member.index.files())

    def file_states(self, paths: Collection[str]) -> dict[str, FileState]:
        return self._files(lambda member: member.index.file_states(member.inner(paths)))

    def _files(self, ask: Callable[[_Member], dict[str, FileState]]) -> dict[str, FileState]:
        """What each index has, by the paths of all; that of the first where several have one."""
        return {
            outer: state._replace(path=outer)
            for member in reversed(self._members)
            for path, state in ask(member).items()
            for outer in (member.prefix + path,)
        }

    def has_documents(self, document_ids: Collection[str], *, within: Filter = EVERYTHING) -> frozenset[str]:
        return frozenset(known for member in self._members for known in member.known(document_ids, within))

    def has_fields(self, keys: Collection[str]) -> frozenset[str]:
        return frozenset().union(*(index.has_fields(keys) for index in self.indexes))

    def field_counts(self) -> dict[str, int]:
        """The sums of all."""
        summed: Counter[str] = Counter()
        for index in self.indexes:
            summed.update(index.field_counts())
        return dict(summed)

    def counts(self) -> Counts:
        """The sums of all: a file that stands in several counts in each."""
        each = [index.counts() for index in self.indexes]
        return Counts(*map(sum, zip(*each, strict=True)))


def members(index: Index) -> tuple[Index, ...]:
    """The indexes that *index* is made of: several, or itself."""
    return index.indexes if isinstance(index, JointIndex) else (index,)


class _Member:
    """One of the indexes. Its `prefix` leads from the folder around all to its own, with a slash at the end.

    `before` are those that hold some of its files and are believed first, `others` all others.
    """

    def __init__(self, index: Index, prefix: str, number: int) -> None:
        self.index = index
        self.prefix = prefix
        self.number = number
        self.before: list[_Member] = []
        self.others: list[Index] = []
        self._doubtful: dict[str, bool] = {}
        root = Path(index.manifest.recipe.root)
        self._lone_file = "" if folder_of(root) == root else root.name

    def outer_id(self, passage: PassageId) -> PassageId:
        return f"{self.number}{'#' if isinstance(passage, int) else '='}{passage}"

    def inner(self, paths: Collection[str]) -> list[str]:
        """Those of *paths* that may be its own, as it has them."""
        return [path.removeprefix(self.prefix) for path in paths if path.startswith(self.prefix)]

    def inner_filter(self, within: Filter) -> Filter:
        """*within* as its own paths are matched."""
        return within._replace(base=within.base + self.prefix) if within else within

    def own(self, passage_ids: list[PassageId]) -> Collection[PassageId]:
        """Those of *passage_ids* whose files no index before it has."""
        if not self.before:
            return frozenset(passage_ids)
        paths = {passage: origin.path for passage, origin in self.index.origins(passage_ids).items()}
        taken = self._taken(set(paths.values()))
        return frozenset(passage for passage, path in paths.items() if path not in taken)

    def stands_before(self, path: str) -> bool:
        """Whether an index before it has the file at *path*."""
        return bool(self._taken({path}))

    def _taken(self, paths: Collection[str]) -> set[str]:
        outer = [self.prefix + path for path in paths]
        known = (each.prefix + path for each in self.before for path in each.index.file_states(each.inner(outer)))
        return {path.removeprefix(self.prefix) for path in known}

    def read(self, passage_ids: list[PassageId]) -> dict[PassageId, StoredPassage]:
        return {passage: self.seen(stored) for passage, stored in self.index.read(passage_ids).items()}

    def seen(self, stored: StoredPassage) -> StoredPassage:
        """*stored* with its id, its path and its document as they are among all."""
        return stored._replace(
            id=self.outer_id(stored.id),
            path=self.prefix + stored.path,
            document_id=self._document(stored.document_id, stored.path),
        )

    def origins(self, passage_ids: list[PassageId]) -> dict[PassageId, Origin]:
        return {
            passage: Origin(self._document(document, path), ordinal, self.prefix + path)
            for passage, (document, ordinal, path) in self.index.origins(passage_ids).items()
        }

    def _document(self, document_id: str, path: str) -> str:
        """The id of a document among all: that of a file, or of a record in one, begins with its path.

        A file of records that was indexed by itself gives them the ids that stand in it. These stay as they are, unless
        another index has the same.
        """
        if document_id == path or document_id.startswith(f"{path}#"):
            return self.prefix + document_id
        if document_id not in self._doubtful:
            self._doubtful[document_id] = any(other.has_documents([document_id]) for other in self.others)
        return f"{self.prefix}{path}#{document_id}" if self._doubtful[document_id] else document_id

    def known(self, document_ids: Collection[str], within: Filter) -> Iterator[str]:
        """Those of *document_ids*, as they are among all, that are its own, and *within*."""
        doubtful = f"{self.prefix}{self._lone_file}#"
        pairs = [
            (outer, outer.removeprefix(start))
            for outer in document_ids
            for start in {self.prefix, doubtful, ""}
            if outer.startswith(start)
        ]
        there = self.index.has_documents({inner for _, inner in pairs}, within=self.inner_filter(within))
        for outer, inner in pairs:
            if inner in there and self._document(inner, self._lone_file or inner.partition("#")[0]) == outer:
                yield outer


def _prefix(folder: Path) -> str:
    return "" if folder == Path() else f"{folder.as_posix()}/"


def _overlap(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one)


def _inner_id(passage: PassageId) -> tuple[int, PassageId]:
    """The number of the index whose a passage is, and how that index calls it."""
    parts = re.fullmatch(r"([0-9]+)([#=])(.*)", str(passage), re.DOTALL)
    assert parts is not None, "ids come from here"
    return int(parts[1]), int(parts[3]) if parts[2] == "#" else parts[3]
