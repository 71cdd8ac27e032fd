"""The one process that may change an index."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from rerank_cli.ports import Changes, Counts, FileState, Manifest, NewFile, Recipe
from rerank_cli.records import VectorSearch
from rerank_cli.regular import size_of
from rerank_cli.store.access import naming_disk_errors
from rerank_cli.store.catalog import telling
from rerank_cli.store.documents import insert_document
from rerank_cli.store.files import counts_of, file_states, insert_file, update_files
from rerank_cli.store.layout import Layout
from rerank_cli.store.manifest import Generation, read_generation, write_generation
from rerank_cli.store.passages import stored_passages
from rerank_cli.store.pinned import KEY_BYTES
from rerank_cli.store.pins import GraphPin, VectorsPin
from rerank_cli.store.remedies import index_command
from rerank_cli.store.search import GRAPH, asked_before, grown_graph, is_sound_graph, search_kind
from rerank_cli.store.staging import Staging

if TYPE_CHECKING:
    from rerank_cli.arrays import Vectors
    from rerank_cli.store.vectors import VectorWriter

UNUSED_SHARE = 0.75
FEW_ROWS = 10_000
"""Vectors of texts that are gone make room where they are more than this share of so many rows. Until then a text that
comes back, such as under another passage size, finds its vector."""


class LocalWriter:
    """The `IndexWriter` on this disk, from `open_writer`.

    *begin_writing* is called before each transaction, and *last_generation* is the newest that was ever committed.
    """

    def __init__(
        self,
        layout: Layout,
        connection: sqlite3.Connection,
        *,
        search: VectorSearch | None,
        last_generation: int,
        begin_writing: Callable[[], None],
    ) -> None:
        self.folder = layout.folder
        self._layout = layout
        self._connection = connection
        self._begin_writing = begin_writing
        self.generation = read_generation(layout, connection)
        self._search = search or asked_before(self.generation.manifest if self.generation else None)
        self._last_generation = max(last_generation, self.generation.manifest.generation if self.generation else 0)
        self._vectors: dict[str, VectorWriter] = {}
        self._staging = Staging(layout.staging)
        self.has_kept_vectors = False
        self.has_committed = False
        self._prunes = False

    @property
    def name(self) -> str:
        return str(self.folder)

    @property
    def location(self) -> Path:
        return self.folder

    @property
    def manifest(self) -> Manifest | None:
        return self.generation.manifest if self.generation else None

    def update_command(self, *, rebuild: bool = False) -> str:
        return index_command(self.folder, rebuild=rebuild)

    def close(self) -> None:
        """Let go of what is open beside the catalog."""
        self._staging.close()

    # What the index holds

    def files(self) -> dict[str, FileState]:
        with self._guard():
            return file_states(self._connection)

    def document_counts(self) -> dict[str, int]:
        query = (
            "SELECT path, count(*) FROM documents"
            " WHERE EXISTS (SELECT 1 FROM passages WHERE document = documents.id) GROUP BY path"
        )
        with self._guard():
            return dict(self._connection.execute(query))

    def documents_in(self, paths: Collection[str]) -> dict[str, set[str]]:
        query = (
            "SELECT document_id FROM documents"
            " WHERE path = ? AND EXISTS (SELECT 1 FROM passages WHERE document = documents.id)"
        )
        with self._guard():
            return {path: {row[0] for row in self._connection.execute(query, (path,))} for path in paths}

    def counts(self) -> Counts:
        with self._guard():
            return counts_of(self._layout, self._connection)

    # Vectors

    def missing_vectors(self, fingerprint: str, text_hashes: Iterable[bytes]) -> list[bytes]:
        return self._vectors_of(fingerprint).missing(text_hashes)

    def keep_vectors(self, fingerprint: str, text_hashes: Sequence[bytes], vectors: Vectors) -> None:
        """Write computed vectors onto the disk, so that a killed run does not compute them again."""
        with naming_disk_errors(self.folder):
            self._vectors_of(fingerprint).add(text_hashes, vectors)
        self.has_kept_vectors = True

    def lost_texts(self, fingerprint: str) -> Iterator[tuple[bytes, str]]:
        if self.generation is None or not self._is_mended(fingerprint):
            return
        with self._guard():
            for stored in stored_passages(self._connection, self._layout.catalog):
                if self._vectors_of(fingerprint).missing([stored.passage.text_hash]):
                    yield stored.passage.text_hash, stored.passage.model_text

    def _is_mended(self, fingerprint: str) -> bool:
        """Whether vectors were lost. They are looked at one by one only where the files are not what was written."""
        is_untouched = fingerprint not in self._vectors and self._last_pin(fingerprint) is not None
        if is_untouched and self._began_whole:
            return False
        return self._vectors_of(fingerprint).mended

    @cached_property
    def _began_whole(self) -> bool:
        """Whether the last generation's vectors were to the byte what was written, when this was first asked."""
        return self.generation is not None and self.generation.vectors.fits(self.folder)

    def _last_pin(self, fingerprint: str) -> VectorsPin | None:
        """What the last generation says of its vectors, if they are of this encoder."""
        last = self.generation
        return last.vectors if last and last.manifest.recipe.encoder_fingerprint == fingerprint else None

    def _vectors_of(self, fingerprint: str) -> VectorWriter:
        if fingerprint not in self._vectors:
            from rerank_cli.store.vectors import VectorWriter

            pin = self._last_pin(fingerprint)
            with naming_disk_errors(self.folder):
                self._vectors[fingerprint] = VectorWriter(self.folder, fingerprint=fingerprint, pin=pin)
        return self._vectors[fingerprint]

    # Staging

    def stage(self, file: NewFile, *, key: str) -> None:
        with naming_disk_errors(self._layout.staging):
            self._staging.stage(file, key=key)

    def staged(self, path: str, content_hash: bytes, *, key: str) -> NewFile | None:
        with naming_disk_errors(self._layout.staging):
            return self._staging.find(path, content_hash, key=key)

    # What is remembered beside a generation

    def touch(self, states: Sequence[FileState]) -> None:
        if states:
            with self._transaction():
                update_files(self._connection, states)

    def mounts(self) -> tuple[str, ...]:
        with self._guard():
            return tuple(path for (path,) in self._connection.execute("SELECT path FROM mounts ORDER BY path"))

    def keep_mounts(self, paths: Sequence[str]) -> None:
        if tuple(paths) != self.mounts():
            with self._transaction():
                self._connection.execute("DELETE FROM mounts")
                self._connection.executemany("INSERT INTO mounts VALUES (?)", [(path,) for path in paths])

    def told(self) -> dict[str, str]:
        with self._guard():
            return dict(self._connection.execute("SELECT path, reason FROM told"))

    def keep_told(self, failures: Mapping[str, str]) -> None:
        if failures != self.told():
            with self._transaction():
                self._connection.execute("DELETE FROM told")
                self._connection.executemany("INSERT INTO told VALUES (?, ?)", list(failures.items()))

    # Commit

    def needs_commit(self, recipe: Recipe) -> bool:
        last = self.generation
        if last is None or last.manifest.recipe != recipe:
            return True
        kind, reason = search_kind(self._search, rows=last.vectors.rows)
        if (last.manifest.search, last.manifest.search_reason) != (kind, reason):
            return True
        if self._is_mended(recipe.encoder_fingerprint):
            return True
        return last.graph is not None and not is_sound_graph(self._layout, last.graph)

    def commit(self, changes: Changes, recipe: Recipe, *, prune: bool = False) -> Manifest:
        """Make *changes* visible as one new generation; all of it or nothing.

        With *prune*, vectors of texts that no passage has go, and those of other encoders.
        """
        number = self._last_generation + 1
        with self._transaction():
            for path in (*changes.removed, *changes.written):
                self._connection.execute("DELETE FROM files WHERE path = ?", (path,))
            for path in changes.written:
                with naming_disk_errors(self._layout.staging):
                    file = self._staging.read(path)
                self._write_file(file, recipe.encoder_fingerprint)
            vectors = self._vectors_of(recipe.encoder_fingerprint)
            if prune or self._is_mostly_unused(vectors):
                with naming_disk_errors(self.folder):
                    vectors.keep_only(row[0] for row in self._connection.execute("SELECT text_hash FROM passages"))
            pin = vectors.pin(dimensions=recipe.dimensions)
            kind, reason = search_kind(self._search, rows=pin.rows)
            with naming_disk_errors(self.folder):
                graph = self._graph(pin, number) if kind == GRAPH else None
            manifest = Manifest(recipe, number, _now(), search=kind, search_reason=reason)
            generation = Generation(manifest, pin, graph)
            write_generation(self._connection, generation)
        self.generation, self._last_generation = generation, number
        vectors.mended = False
        self._staging.drop()
        self.has_committed, self._prunes = True, prune
        return manifest

    def drop_leftovers(self) -> None:
        """Remove what older generations and killed runs left. What cannot go stays for the next run, and harms nothing.

        A reader of an older generation has its files open.
        """
        if self.generation is None:
            return
        with suppress(OSError):
            self._staging.drop()  # of a run that failed, where this one had nothing to commit
        own = {self._layout.folder / self.generation.graph.name} if self.generation.graph else set()
        name = self.generation.vectors.name
        encoder, _ = name.split("-", 1)
        for path in (*self._layout.graphs(), *self._layout.old_vectors(), *self._layout.vectors()):
            is_older = path.stem != name and (self._prunes or path.stem.startswith(f"{encoder}-"))
            if path not in own and (path.suffix not in (".vectors", ".keys") or is_older):
                with suppress(OSError):
                    path.unlink()

    def _write_file(self, file: NewFile, fingerprint: str) -> None:
        insert_file(self._connection, file.state)
        for document in file.documents:
            missing = self.missing_vectors(fingerprint, (passage.text_hash for passage in document.passages))
            assert not missing, "every passage that is committed has a vector"
            insert_document(self._connection, file.state.path, document)

    def _is_mostly_unused(self, vectors: VectorWriter) -> bool:
        if len(vectors) <= FEW_ROWS:
            return False
        return self._used_vectors() < (1 - UNUSED_SHARE) * len(vectors)

    def _used_vectors(self) -> int:
        return int(self._connection.execute("SELECT count(DISTINCT text_hash) FROM passages").fetchone()[0])

    def unused_vector_bytes(self) -> int:
        """What a commit that prunes would save: vectors that no passage has, and those of other encoders."""
        if self.generation is None:
            return 0
        pin = self.generation.vectors
        others = (path for path in self._layout.vectors() if path.stem != pin.name)
        unused = max(0, pin.rows - self._used_vectors())
        row_bytes = 4 * self.generation.manifest.recipe.dimensions + KEY_BYTES
        return unused * row_bytes + sum(map(size_of, others))

    def _graph(self, pin: VectorsPin, number: int) -> GraphPin:
        """The last generation's graph where it still serves, else one of all rows."""
        from rerank_cli.store.vectors import VectorFiles

        last = self.generation.graph if self.generation else None
        return grown_graph(self._layout, last, VectorFiles(self.folder, pin.name), pin, number=number)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._begin_writing()
        with self._guard():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    @contextmanager
    def _guard(self) -> Iterator[None]:
        with telling(self._layout.catalog, self._connection):
            yield


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
