"""The one process that may change an index in Milvus.

A commit goes in this order, and a process that is killed between two steps leaves what the next holder takes away:
what unfinished commits left goes; files that give way are marked as dead; new ones are written; the manifest names the
commit's stamp, and from then on all of it is seen; what no reader needs any more goes.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple
from pathlib import Path
from typing import TYPE_CHECKING

from rerank_cli.errors import Busy
from rerank_cli.ports import Changes, Counts, FileState, Manifest, NewFile, Recipe
from rerank_cli.records import VectorSearch
from rerank_cli.store.access import naming_disk_errors
from rerank_cli.store.layout import Layout
from rerank_cli.store.milvus.engine import AT_ONCE, Engine, Row, in_pieces, listed, quoted
from rerank_cli.store.milvus.files import counts_of, file_states, files_of
from rerank_cli.store.milvus.generation import Generation, Held, read_generation, write_generation
from rerank_cli.store.milvus.lease import Lease
from rerank_cli.store.milvus.reader import PATIENCE_S
from rerank_cli.store.milvus.rows import (
    DOCUMENT,
    FILE,
    file_rows,
    file_state,
    held_by,
    note_id,
    passage_rows,
    record,
    restated,
)
from rerank_cli.store.milvus.schema import (
    ALIVE,
    GRAPH,
    KEPT,
    OWN,
    SCAN,
    Names,
    add_vector_index,
    make_passages,
    visible,
)
from rerank_cli.store.milvus.vectors import KeptVectors
from rerank_cli.store.milvus.words import common_words
from rerank_cli.store.remedies import index_command
from rerank_cli.store.staging import Staging

if TYPE_CHECKING:
    from rerank_cli.arrays import Vectors

MOUNT, TOLD = "mount", "told"

PASSAGES_AT_ONCE = 1000
"""Passages of a write: some megabytes, with vectors of a few hundred numbers."""

KEEP_S = PATIENCE_S + 600
"""Rows stay so long after they died; a reader that is younger does not look whether they are there."""

MANY_ROWS = 1000
"""Where a commit writes so many passages, the embedded form is told to settle them: until then it counts the words of
what is new anew for each query."""

SAMPLE = 5000
AGED = 0.1
"""So many passages tell how common words are, until so large a share of all is new."""

FLOAT_BYTES = 4


class MilvusWriter:
    """The `IndexWriter` in Milvus, from `open_writer`."""

    def __init__(
        self, engine: Engine, names: Names, lease: Lease, *, folder: Path, search: VectorSearch | None
    ) -> None:
        """*folder* is where this machine remembers the index, and where what is read waits for its commit."""
        self._engine = engine
        self._names = names
        self._lease = lease
        self._folder = folder
        self._staging = Staging(Layout(folder).staging)
        self._vectors: dict[str, KeptVectors] = {}
        self._search = search
        self.generation = read_generation(engine, names)
        self.has_kept_vectors = False

    @property
    def name(self) -> str:
        return str(self._engine.address)

    @property
    def location(self) -> Path | None:
        """An embedded database is no document of a folder around it."""
        return Path(self._engine.address.uri) if self._engine.address.embedded else None

    @property
    def manifest(self) -> Manifest | None:
        return self.generation.manifest if self.generation else None

    def update_command(self, *, rebuild: bool = False) -> str:
        return index_command(self._folder, rebuild=rebuild)

    def close(self) -> None:
        """Let go of what is open here."""
        self._staging.close()

    # What the index holds

    def files(self) -> dict[str, FileState]:
        return file_states(self._engine, self._names, self.generation) if self.generation else {}

    def document_counts(self) -> dict[str, int]:
        return {row["path"]: row["documents"] for row in self._files(["path", "documents"]) if row["documents"]}

    def documents_in(self, paths: Collection[str]) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {path: set() for path in paths}
        if self.generation is not None:
            for some in in_pieces(list(paths)):
                expression = f"{self._seen} and ordinal == 0 and path in {listed(some)}"
                for row in self._engine.rows(self._passages, expression, ["path", "document_id"]):
                    found[row["path"]].add(row["document_id"])
        return found

    def counts(self) -> Counts:
        assert self.generation is not None, "nothing was committed yet"
        return counts_of(self._engine, self._names, self.generation)

    def _files(self, fields: Sequence[str], *, paths: Sequence[str] | None = None) -> Iterator[Row]:
        if self.generation is not None:
            yield from files_of(self._engine, self._names, self.generation, fields, paths=paths)

    @property
    def _passages(self) -> str:
        """The collection of the last generation's passages."""
        assert self.generation is not None
        return self._names.passages(self.generation.manifest.recipe.encoder_fingerprint)

    @property
    def _seen(self) -> str:
        assert self.generation is not None
        return visible(self.generation.stamp)

    # Vectors

    def missing_vectors(self, fingerprint: str, text_hashes: Iterable[bytes]) -> list[bytes]:
        return self._vectors_of(fingerprint).missing(text_hashes)

    def keep_vectors(self, fingerprint: str, text_hashes: Sequence[bytes], vectors: Vectors) -> None:
        self._lease.check()
        self._vectors_of(fingerprint).keep(text_hashes, vectors)
        self.has_kept_vectors = True

    def lost_texts(self, fingerprint: str) -> Iterator[tuple[bytes, str]]:
        """None: that nothing is lost is the engine's to see to."""
        return iter(())

    def _vectors_of(self, fingerprint: str) -> KeptVectors:
        if fingerprint not in self._vectors:
            self._vectors[fingerprint] = KeptVectors(self._engine, self._names, fingerprint)
        return self._vectors[fingerprint]

    # Staging

    def stage(self, file: NewFile, *, key: str) -> None:
        self._lease.check()  # reading a folder may take longer than a lease lasts
        with naming_disk_errors(Layout(self._folder).staging):
            self._staging.stage(file, key=key)

    def staged(self, path: str, content_hash: bytes, *, key: str) -> NewFile | None:
        with naming_disk_errors(Layout(self._folder).staging):
            return self._staging.find(path, content_hash, key=key)

    def _read_staged(self, path: str) -> NewFile:
        with naming_disk_errors(Layout(self._folder).staging):
            return self._staging.read(path)

    # What is remembered beside a generation

    def touch(self, states: Sequence[FileState]) -> None:
        """Where a document has no date, that of its file is written with its passages: so these follow."""
        if not states:
            return
        found = {state.path: state for state in states}
        rows = list(self._files(["path", "content"], paths=[*found]))
        moved = [row["path"] for row in rows if found[row["path"]].modified_at != file_state(row).modified_at]
        self._lease.check()
        for some in in_pieces(moved):
            undated = f"{self._seen} and dated == false and path in {listed(some)}"
            passages = self._engine.rows(self._passages, undated, ["id", "path"])
            changes = [{"id": row["id"], "second": found[row["path"]].modified_at} for row in passages]
            self._engine.upsert(self._passages, changes, partial=True)
        changes = [restated(row, found[row["path"]]) for row in rows]
        self._engine.upsert(self._names.records, changes, partial=True)

    def mounts(self) -> tuple[str, ...]:
        return tuple(sorted(self._remembered(MOUNT)))

    def keep_mounts(self, paths: Sequence[str]) -> None:
        self._remember(MOUNT, dict.fromkeys(paths, ""))

    def told(self) -> dict[str, str]:
        return self._remembered(TOLD)

    def keep_told(self, failures: Mapping[str, str]) -> None:
        self._remember(TOLD, failures)

    def _remembered(self, kind: str) -> dict[str, str]:
        rows = self._engine.rows(self._names.records, f'kind == "{kind}"', ["path", "content"])
        return {row["path"]: row["content"] for row in rows}

    def _remember(self, kind: str, notes: Mapping[str, str]) -> None:
        known = self._remembered(kind)
        if known == notes:
            return
        self._lease.check()
        gone = [path for path in known if path not in notes]
        for some in in_pieces(gone):
            self._engine.delete(self._names.records, f'kind == "{kind}" and path in {listed(some)}')
        new = [(path, content) for path, content in notes.items() if known.get(path) != content]
        self._engine.upsert(self._names.records, [_note(kind, path, content) for path, content in new])

    # Commit

    def needs_commit(self, recipe: Recipe) -> bool:
        last = self.generation
        if last is None or last.manifest.recipe != recipe:
            return True
        return self._search is not None and self._kind() != (last.manifest.search, last.manifest.search_reason)

    def commit(self, changes: Changes, recipe: Recipe, *, prune: bool = False) -> Manifest:
        self._lease.begin_commit()
        stamp = self._lease.number
        passages = self._ready(recipe)
        self._clear_unfinished()
        left = self._bury((*changes.removed, *changes.written), stamp)
        new = self._write(changes.written, recipe, passages, stamp)
        held = _sum(left, new)
        common = self._common(passages, stamp, held=held, new=new)
        generation = self._next(recipe, stamp, held=held, common=common)
        self._lease.renew()
        write_generation(self._engine, self._names, generation)
        self.generation = generation
        self._staging.drop()
        self._clear_dead(generation, passages)
        if new.passages >= MANY_ROWS:
            self._engine.settle(passages)
        if prune:
            self._prune(recipe, passages)
        self._drop_replaced()
        self._lease.end_commit()
        return generation.manifest

    def _ready(self, recipe: Recipe) -> str:
        """The collection of passages, made where it is missing, with the index of vectors that was asked for."""
        name = self._names.passages(recipe.encoder_fingerprint)
        graph = self._kind()[0] == GRAPH
        is_new = not self._engine.has(name)
        make_passages(self._engine, name, dimensions=recipe.dimensions, graph=graph)
        if not is_new and self.manifest is not None and self._kind()[0] != self.manifest.search:
            self._index_anew(name, graph=graph)
        return name

    def _index_anew(self, name: str, *, graph: bool) -> None:
        from pymilvus import MilvusClient

        indexes = MilvusClient.prepare_index_params()
        add_vector_index(indexes, graph=graph)
        self._engine.index_anew(name, "vector", indexes)

    def _clear_unfinished(self) -> None:
        """Take away what a commit wrote that did not end, by whatever encoder, and let live what it marked as dead."""
        if not self._lease.found_unfinished:
            return
        stamp = self.generation.stamp if self.generation else 0
        passages = filter(self._names.are_passages, self._engine.collections())
        for collection in (*passages, self._names.records):
            self._engine.delete(collection, f"born > {stamp}")
            marked = self._engine.rows(collection, f"died > {stamp} and died < {ALIVE}", ["id"])
            for some in in_pieces([row["id"] for row in marked], PASSAGES_AT_ONCE):
                self._mark(collection, some, ALIVE)

    def _bury(self, paths: Sequence[str], stamp: int) -> Held:
        """Mark all rows of the files at *paths* as dead from *stamp* on; how much is left without them."""
        if self.generation is None:
            return Held()
        gone = [held_by(row) for row in self._files(["content"], paths=paths)]
        for some in in_pieces(paths):
            for collection in (self._passages, self._names.records):
                expression = f"{self._seen} and path in {listed(some)}"
                if collection == self._names.records:
                    expression += f' and kind in ["{FILE}", "{DOCUMENT}"]'
                ids = [row["id"] for row in self._engine.rows(collection, expression, ["id"])]
                for piece in in_pieces(ids, PASSAGES_AT_ONCE):
                    self._mark(collection, piece, stamp)
        held = self.generation.held
        return Held(
            files=held.files - len(gone),
            documents=held.documents - sum(each["all"] for each in gone),
            passages=held.passages - sum(each["passages"] for each in gone),
            size_bytes=held.size_bytes - sum(self._size(each) for each in gone),
        )

    def _mark(self, collection: str, ids: Sequence[str], stamp: int) -> None:
        self._lease.check()
        self._engine.upsert(collection, [{"id": each, "died": stamp} for each in ids], partial=True)

    def _write(self, paths: Sequence[str], recipe: Recipe, passages: str, stamp: int) -> Held:
        """Write the staged files at *paths*; how much that is."""
        held = Held()
        waiting: list[Row] = []
        records: list[Row] = []
        for path in paths:
            file = self._read_staged(path)
            for row in passage_rows(file, stamp=stamp):
                waiting.append(row)
                if len(waiting) == PASSAGES_AT_ONCE:
                    self._put_passages(passages, waiting, recipe.encoder_fingerprint)
                    waiting = []
            records += file_rows(file, stamp=stamp)
            said = held_by(records[-1])
            size = said["size_bytes"] + FLOAT_BYTES * recipe.dimensions * said["passages"]
            held = _sum(held, Held(1, said["all"], said["passages"], size))
            if len(records) >= AT_ONCE:
                self._put(self._names.records, records)
                records = []
        self._put_passages(passages, waiting, recipe.encoder_fingerprint)
        self._put(self._names.records, records)
        return held

    def _put_passages(self, collection: str, rows: Sequence[Row], fingerprint: str) -> None:
        vectors = self._vectors_of(fingerprint).read(row["text_hash"] for row in rows)
        if any(row["text_hash"] not in vectors for row in rows):
            raise Busy(
                f"{self.name}: vectors that this run kept are gone, as another one pruned them", remedy="run it again"
            )
        self._put(collection, [{**row, "vector": vectors[row["text_hash"]]} for row in rows])

    def _put(self, collection: str, rows: Sequence[Row]) -> None:
        if rows:
            self._lease.check()
            self._engine.upsert(collection, rows)

    def _size(self, held: Mapping[str, int]) -> int:
        assert self.generation is not None
        return held["size_bytes"] + FLOAT_BYTES * self.generation.manifest.recipe.dimensions * held["passages"]

    def _common(self, passages: str, stamp: int, *, held: Held, new: Held) -> dict[str, float]:
        """How common words are: in all of a small index, in a large one in those whose texts have the smallest hashes.

        In a large one of which little changed they are as common as they were.
        """
        if self.generation is not None and held.passages > SAMPLE and new.passages < AGED * held.passages:
            return self.generation.common
        below = "" if held.passages <= SAMPLE else f" and text_hash < {quoted(_hash_at(SAMPLE / held.passages))}"
        return common_words([row["words"] for row in self._engine.rows(passages, visible(stamp) + below, ["words"])])

    def _next(self, recipe: Recipe, stamp: int, *, held: Held, common: dict[str, float]) -> Generation:
        now = time.time()
        last = self.generation
        kind, reason = self._kind()
        number = last.manifest.generation + 1 if last else 1
        updated_at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now))
        manifest = Manifest(recipe, number, updated_at, search=kind, search_reason=reason)
        commits = (*(last.commits if last else ()), (stamp, now))
        patience = 0.0 if self._engine.address.embedded else KEEP_S
        old = [each for each, second in commits[:-1] if second <= now - patience]
        cleared = max(old, default=last.cleared if last else 0)
        replaced = dict(last.replaced) if last else {}
        if last is not None and last.manifest.recipe.encoder_fingerprint != recipe.encoder_fingerprint:
            replaced[self._passages] = now
        replaced.pop(self._names.passages(recipe.encoder_fingerprint), None)
        return Generation(
            manifest,
            stamp,
            held,
            committed_at=now,
            commits=tuple(each for each in commits if each[0] >= cleared),
            cleared=cleared,
            common=common,
            replaced={name: second for name, second in replaced.items() if second > now - patience or second == now},
        )

    def _kind(self) -> tuple[str, str]:
        """How vectors are searched, and why, in words for the user. What was asked for last holds until another is."""
        asked = "as the setting vectors says"
        last = self.manifest
        if self._search is None and last is not None:
            return last.search, last.search_reason
        if self._search in ("exact", "hnsw"):
            return (GRAPH if self._search == "hnsw" else SCAN), asked
        if self._engine.address.embedded:
            return SCAN, "quick enough for what an embedded database holds, and misses nothing"
        return GRAPH, "quick however many there are"

    def _clear_dead(self, generation: Generation, passages: str) -> None:
        """Take away the rows that no reader sees any more: the manifest has just said so."""
        if generation.cleared:
            for collection in (passages, self._names.records):
                self._engine.delete(collection, f"died <= {generation.cleared}")

    def _drop_replaced(self) -> None:
        """Drop the collections of passages by other encoders that no reader asks any more."""
        assert self.generation is not None
        asked = {self._passages, *self.generation.replaced}
        for name in self._engine.collections():
            if self._names.are_passages(name) and name not in asked:
                self._engine.drop(name)

    def _prune(self, recipe: Recipe, passages: str) -> None:
        """Drop vectors of texts that no passage has, and those of other encoders."""
        kept = self._vectors_of(recipe.encoder_fingerprint)
        for ids in list(kept.unused(passages)):
            self._lease.check()
            kept.drop(ids)
        own = self._names.vectors(recipe.encoder_fingerprint)
        for name in self._engine.collections():
            if name.startswith(f"{self._names.records}{OWN}") and name.endswith(KEPT) and name != own:
                self._engine.drop(name)
        self._vectors = {recipe.encoder_fingerprint: kept}


def _sum(one: Held, other: Held) -> Held:
    return Held(*map(sum, zip(astuple(one), astuple(other), strict=True)))


def _hash_at(share: float) -> str:
    """Below which hash such a *share* of all lies."""
    return f"{int(share * 16**8):08x}"


def _note(kind: str, path: str, content: str) -> Row:
    return record(note_id(kind, path), kind, path=path, content=content)
