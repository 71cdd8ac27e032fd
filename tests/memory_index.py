"""An index of dictionaries and numpy: what the ports ask for, and nothing of SQLite or of a disk.

Words are not stemmed, which shows only where two words of a corpus have one stem.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np

from rerank_cli.arrays import Vectors
from rerank_cli.fields import date_of
from rerank_cli.globs import any_glob
from rerank_cli.ports import (
    EVERYTHING,
    Changes,
    Counts,
    FieldRule,
    FileState,
    Filter,
    Manifest,
    NewFile,
    Origin,
    PassageId,
    Ranking,
    Rarity,
    Recipe,
)
from rerank_cli.records import SplitDocument, StoredPassage

NAME = "memory"
HEADING_WEIGHT = 3
K1, B = 1.2, 0.75
"""FTS5's, so that both indexes give one score."""


@dataclass(frozen=True)
class Generation:
    """What one commit made visible."""

    manifest: Manifest
    files: Mapping[str, FileState]
    documents: Mapping[str, tuple[SplitDocument, ...]]


@dataclass
class Memory:
    """What the writers and the readers of an index share."""

    generation: Generation | None = None
    vectors: dict[str, dict[bytes, Vectors]] = field(default_factory=dict)
    staged: dict[str, tuple[str, NewFile]] = field(default_factory=dict)
    mounts: tuple[str, ...] = ()
    told: dict[str, str] = field(default_factory=dict)


class MemoryIndex:
    """The newest generation of a memory, for reading. Its ids are texts, as those of a server may be."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self.wake()

    @property
    def name(self) -> str:
        return NAME

    @property
    def manifest(self) -> Manifest:
        return self._generation.manifest

    def update_command(self, *, rebuild: bool = False) -> str:
        return f"update {NAME}{' anew' if rebuild else ''}"

    def rest(self) -> None:
        pass

    def wake(self) -> None:
        assert self._memory.generation is not None, "nothing was committed yet"
        self._generation = self._memory.generation
        passages = [
            StoredPassage(f"{path}/{document.id}/{passage.ordinal}", document.id, path, document.title, passage)
            for path, documents in self._generation.documents.items()
            for document in documents
            for passage in document.passages
        ]
        self._passages: dict[PassageId, StoredPassage] = {stored.id: stored for stored in sorted(passages, key=_origin)}
        kept = self._memory.vectors[self.manifest.recipe.encoder_fingerprint]
        self._vectors = {name: kept[stored.passage.text_hash] for name, stored in self._passages.items()}

    def search_dense(self, vector: Vectors, depth: int, *, within: Filter = EVERYTHING, exact: bool = False) -> Ranking:
        return _best({name: float(self._vectors[name] @ vector) for name in self._within(within)}, depth)

    def search_lexical(
        self, words: Sequence[str], depth: int, *, within: Filter = EVERYTHING, rarity: Rarity | None = None
    ) -> Ranking:
        counts = {name: _word_counts(stored) for name, stored in self._passages.items()}
        mean_length = sum(sum(map(Counter.total, columns)) for columns in counts.values()) / max(1, len(counts))
        rarity = rarity or self.rarity(words)

        def score(name: PassageId) -> float:
            headings, text = counts[name]
            norm = K1 * (1 - B + B * (headings.total() + text.total()) / mean_length)
            found = ((word, HEADING_WEIGHT * headings[word] + text[word]) for word in words)
            return sum(_weight(rarity, word) * f * (K1 + 1) / (f + norm) for word, f in found if f)

        return _best({name: score(name) for name in self._within(within) if score(name)}, depth)

    def rarity(self, words: Collection[str]) -> Rarity:
        counts = [_word_counts(stored) for stored in self._passages.values()]
        holding = {word: sum(any(column[word] for column in columns) for columns in counts) for word in words}
        return Rarity(len(counts), holding)

    def opening_cosines(self, vector: Vectors, passage_ids: Collection[PassageId]) -> dict[PassageId, float]:
        openings = {
            (stored.path, stored.document_id): name
            for name, stored in self._passages.items()
            if stored.passage.ordinal == 0
        }
        asked = {name: self._passages[name] for name in passage_ids}
        return {
            name: float(self._vectors[openings[stored.path, stored.document_id]] @ vector)
            for name, stored in asked.items()
        }

    def read(self, passage_ids: Collection[PassageId]) -> dict[PassageId, StoredPassage]:
        return {name: self._passages[name] for name in passage_ids}

    def origins(self, passage_ids: Collection[PassageId]) -> dict[PassageId, Origin]:
        return {name: _origin(self._passages[name]) for name in passage_ids}

    def read_file(self, path: str, *, first: int | None = None, last: int | None = None) -> Iterator[StoredPassage]:
        own = [stored for stored in self._passages.values() if stored.path == path]
        order = [document.id for document in self._generation.documents.get(path, ())]
        for stored in sorted(own, key=lambda each: (order.index(each.document_id), each.passage.ordinal)):
            place = stored.passage.place
            if (first is None or place.last >= first) and (last is None or place.first <= last):
                yield stored

    def scan(self) -> Iterator[StoredPassage]:
        yield from self._passages.values()

    def file_states(self, paths: Collection[str]) -> dict[str, FileState]:
        return {path: state for path, state in self._generation.files.items() if path in paths}

    def files(self) -> dict[str, FileState]:
        return dict(self._generation.files)

    def has_documents(self, document_ids: Collection[str], *, within: Filter = EVERYTHING) -> frozenset[str]:
        known = {
            document.id
            for path, documents in self._generation.documents.items()
            for document in documents
            if not within or (document.passages and self._accepts(within, path, document))
        }
        return frozenset(known & {*document_ids})

    def has_fields(self, keys: Collection[str]) -> frozenset[str]:
        return frozenset(self.field_counts().keys() & {*keys})

    def field_counts(self) -> dict[str, int]:
        documents = [document for each in self._generation.documents.values() for document in each]
        return dict(Counter(key for document in documents for key in {key for key, _ in document.fields}))

    def counts(self) -> Counts:
        return _counts(self._generation)

    def _within(self, within: Filter) -> list[PassageId]:
        accepted = {
            (path, document.id)
            for path, documents in self._generation.documents.items()
            for document in documents
            if self._accepts(within, path, document)
        }
        return [name for name, stored in self._passages.items() if (stored.path, stored.document_id) in accepted]

    def _accepts(self, within: Filter, path: str, document: SplitDocument) -> bool:
        return accepts(within, self._generation.files[path], document, path=within.base + path)


class MemoryWriter:
    """The one who changes a memory."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    @property
    def name(self) -> str:
        return NAME

    @property
    def location(self) -> Path | None:
        return None

    @property
    def manifest(self) -> Manifest | None:
        return self._memory.generation.manifest if self._memory.generation else None

    def update_command(self, *, rebuild: bool = False) -> str:
        return f"update {NAME}{' anew' if rebuild else ''}"

    def files(self) -> dict[str, FileState]:
        return dict(self._memory.generation.files) if self._memory.generation else {}

    def document_counts(self) -> dict[str, int]:
        return {path: len(documents) for path, documents in self.documents_in(self.files()).items() if documents}

    def documents_in(self, paths: Collection[str]) -> dict[str, set[str]]:
        documents = self._documents()
        return {path: {each.id for each in documents.get(path, ()) if each.passages} for path in paths}

    def counts(self) -> Counts:
        assert self._memory.generation is not None
        return _counts(self._memory.generation)

    def missing_vectors(self, fingerprint: str, text_hashes: Iterable[bytes]) -> list[bytes]:
        kept = self._memory.vectors.get(fingerprint, {})
        return [text_hash for text_hash in dict.fromkeys(text_hashes) if text_hash not in kept]

    def keep_vectors(self, fingerprint: str, text_hashes: Sequence[bytes], vectors: Vectors) -> None:
        self._memory.vectors.setdefault(fingerprint, {}).update(zip(text_hashes, np.array(vectors), strict=True))

    def lost_texts(self, fingerprint: str) -> Iterator[tuple[bytes, str]]:
        return iter(())

    def stage(self, file: NewFile, *, key: str) -> None:
        self._memory.staged[file.state.path] = (key, file)

    def staged(self, path: str, content_hash: bytes, *, key: str) -> NewFile | None:
        staged_key, file = self._memory.staged.get(path, (None, None))
        return file if file and staged_key == key and file.state.content_hash == content_hash else None

    def touch(self, states: Sequence[FileState]) -> None:
        last = self._memory.generation
        if states and last is not None:
            files = {**last.files, **{state.path: state for state in states}}
            self._memory.generation = Generation(last.manifest, files, last.documents)

    def mounts(self) -> tuple[str, ...]:
        return self._memory.mounts

    def keep_mounts(self, paths: Sequence[str]) -> None:
        self._memory.mounts = tuple(paths)

    def told(self) -> dict[str, str]:
        return dict(self._memory.told)

    def keep_told(self, failures: Mapping[str, str]) -> None:
        self._memory.told = dict(failures)

    def needs_commit(self, recipe: Recipe) -> bool:
        return self.manifest is None or self.manifest.recipe != recipe

    def commit(self, changes: Changes, recipe: Recipe, *, prune: bool = False) -> Manifest:
        new = {path: self._memory.staged[path][1] for path in changes.written}
        gone = {*changes.removed, *new}
        kept = {path: documents for path, documents in self._documents().items() if path not in gone}
        documents = kept | {path: file.documents for path, file in new.items()}
        files = {path: state for path, state in self.files().items() if path not in gone}
        files |= {path: file.state for path, file in new.items()}
        number = self.manifest.generation + 1 if self.manifest else 1
        manifest = Manifest(recipe, number, "2026-01-01T00:00:00Z", search="exact scan", search_reason="it is small")
        if prune:
            used = {
                passage.text_hash for each in documents.values() for document in each for passage in document.passages
            }
            vectors = self._memory.vectors.get(recipe.encoder_fingerprint, {})
            self._memory.vectors = {recipe.encoder_fingerprint: {key: vectors[key] for key in used}}
        self._memory.generation = Generation(manifest, files, documents)
        self._memory.staged = {}
        return manifest

    def _documents(self) -> Mapping[str, tuple[SplitDocument, ...]]:
        return self._memory.generation.documents if self._memory.generation else {}


def accepts(within: Filter, file: FileState, document: SplitDocument, *, path: str) -> bool:
    """What a filter says of a document, word by word."""
    name = file.path.rpartition("/")[2].lower()
    endings = [f".{extension}{packed}" for extension in within.extensions for packed in ("", ".gz", ".bz2", ".xz")]
    dated = date_of(document.fields)
    second = file.modified_at if dated is None else dated
    return (
        (not within.paths or any_glob(within.paths)(path))
        and not (within.not_paths and any_glob(within.not_paths)(path))
        and (not endings or any(name.endswith(ending) for ending in endings))
        and (within.since is None or second >= within.since)
        and (within.until is None or second < within.until)
        and all(_says(rule, document) != rule.differs for rule in within.fields)
    )


def _says(rule: FieldRule, document: SplitDocument) -> bool:
    pattern = rule.value.casefold().replace("[", "[[]")
    values = [value for key, value in document.fields if key.rstrip("s") == rule.key.rstrip("s")]
    return any(fnmatchcase(value.casefold(), pattern) for value in values)


def _origin(stored: StoredPassage) -> Origin:
    return Origin(stored.document_id, stored.passage.ordinal, stored.path)


def _best(scores: Mapping[PassageId, float], depth: int) -> Ranking:
    """Best first; *scores* stand in the order of their origins, which decides between equal ones."""
    return sorted(scores.items(), key=lambda scored: -scored[1])[:depth]


def _word_counts(stored: StoredPassage) -> tuple[Counter[str], Counter[str]]:
    """The words of the headings and of the text."""
    columns = ("\n".join(stored.passage.headings), stored.passage.text)
    headings, text = (Counter(re.findall(r"[^\W_]+", column.lower())) for column in columns)
    return headings, text


def _weight(rarity: Rarity, word: str) -> float:
    holding = rarity.holding[word]
    return max(1e-6, math.log((rarity.passages - holding + 0.5) / (holding + 0.5)))


def _counts(generation: Generation) -> Counts:
    documents = [document for each in generation.documents.values() for document in each]
    return Counts(
        files=len(generation.files),
        failed_files=sum(state.failure is not None for state in generation.files.values()),
        documents=len(documents),
        passages=sum(len(document.passages) for document in documents),
        size_bytes=0,
    )
