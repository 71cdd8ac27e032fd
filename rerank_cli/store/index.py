"""An index: open it, search it, read it, commit to it.

SQLite is the truth and the vector file is derived from it. A commit moves documents, passages, words
and vectors from one generation to the next at once; a reader sees the generation it opened until it
closes.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import asdict, astuple, dataclass, replace
from io import BufferedReader
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

import numpy as np

from rerank_cli.errors import IndexDamaged, IndexMismatch, IndexMissing, InputError
from rerank_cli.places import make_private_file, make_private_folder, open_private, sync
from rerank_cli.records import Passage, StoredPassage, Vectors
from rerank_cli.stamps import Stamp
from rerank_cli.store import ann
from rerank_cli.store.access import cannot, move_away
from rerank_cli.store.catalog import (
    LATER_COLUMNS,
    LATER_TABLES,
    SCHEMA,
    check_answers,
    check_pages,
    check_words,
    connect,
    connect_to_read,
    rebuild_remedy,
    telling,
)
from rerank_cli.store.layout import FORMAT_VERSION, Layout
from rerank_cli.store.lock import acquire

Ranking = list[tuple[int, float]]
"""(passage id, score), best first; equal scores stand in the order of document id and ordinal."""


class Origin(NamedTuple):
    """Where a passage comes from, in the order that decides between equal scores.

    The path comes last: two files may give documents of one id.
    """

    document_id: str
    ordinal: int
    path: str


BM25 = "bm25(3.0, 1.0)"
"""A word in a heading counts three times: headings name what a passage is about (Robertson et al., 2004, BM25F)."""

FILES = "SELECT path, size_bytes, mtime_ns, ctime_ns, inode, content_hash, reader, failure FROM files"
FILES_WITHOUT_INODE = "SELECT path, size_bytes, mtime_ns, 0, 0, content_hash, reader, failure FROM files"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an index is and how it was made."""

    format_version: int
    generation: int
    root: str
    encoder: str
    encoder_fingerprint: str
    dimensions: int
    passage_tokens: int
    reader_version: int
    rules: Mapping[str, object]
    updated_at: str
    exact: bool
    vector_count: int
    vectors_size_bytes: int


@dataclass(frozen=True, slots=True)
class FileState:
    """A file as it was when it was last read. `failure` says why it could not be read.

    Its documents are those of an earlier reading then, or none.
    """

    path: str
    stamp: Stamp
    content_hash: bytes
    reader: str
    failure: str | None


@dataclass(frozen=True, slots=True)
class NewDocument:
    """A document to write: its passages and the hash of the text each is encoded from."""

    document_id: str
    title: str
    passages: tuple[Passage, ...]
    text_hashes: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file to write with all its documents; it takes the place of what stood under its path."""

    state: FileState
    documents: tuple[NewDocument, ...]


@dataclass(frozen=True, slots=True)
class Changes:
    """What a commit changes: whole files written and files removed. A rename is one of each."""

    written: tuple[NewFile, ...] = ()
    removed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Counts:
    """How much an index holds."""

    files: int
    failed_files: int
    documents: int
    passages: int
    size_bytes: int


class IndexReader:
    """One generation of an index. Use it as a context manager; it is not shared between threads."""

    def __init__(self, snapshot: _Snapshot) -> None:
        self.folder = snapshot.layout.folder
        self.manifest = snapshot.manifest
        self._snapshot = snapshot
        self._vectors: ann.VectorIndex | None = None
        self._passages: dict[int, list[int]] = {}
        self._rests = False

    def __enter__(self) -> IndexReader:
        return self

    def __exit__(self, *_: object) -> None:
        self._snapshot.close()

    def rest(self) -> None:
        """Hold nothing of the index until `wake`, such as while a person is waited for.

        A snapshot that is held keeps SQLite from folding back the log of whoever writes, which would grow without end.
        """
        self._snapshot.close()
        self._rests = True

    def wake(self) -> None:
        """Go on with the newest generation after a `rest`. Ids of passages may have been given out again by then.

        Raises:
            RerankError: what `open_reader` would end with.
        """
        if not self._rests:
            return
        self._snapshot = _open_snapshot(self._snapshot.layout)
        self._rests = False
        if self._snapshot.manifest != self.manifest:
            self.manifest = self._snapshot.manifest
            self._vectors = None
            self._passages = {}

    def search_dense(self, vector: Vectors, depth: int, *, within: frozenset[int] | None = None) -> Ranking:
        """The *depth* passages nearest to *vector* by cosine, out of those *within*."""
        if self.manifest.vector_count == 0:
            return []
        if within is not None:
            return self._cut(self._scan(vector, within), depth)
        try:
            nearest = self._vector_index().search(vector, depth)
        except ann.GraphExhausted:
            return self._cut(self._scan(vector, None), depth)
        passages = self._passages_of([label for label, _ in nearest])
        return self._cut([(passage, score) for label, score in nearest for passage in passages[label]], depth)

    def search_lexical(self, words: Sequence[str], depth: int, *, within: frozenset[int] | None = None) -> Ranking:
        """The *depth* passages with the best BM25 for any of *words*.

        FTS5's: k1 = 1.2, b = 0.75; a word in a heading counts three times.
        """
        if not words or (within is not None and not within):
            return []
        match = " OR ".join('"{}"'.format(word.replace('"', '""')) for word in words)
        query = "SELECT rowid, -rank FROM words WHERE words MATCH ? AND rank MATCH ? ORDER BY rank LIMIT ?"
        with self._guard():
            wanted = depth + 16
            while within is None:
                rows = self._snapshot.connection.execute(query, (match, BM25, wanted)).fetchall()
                if len(rows) < wanted or rows[-1][1] < rows[depth - 1][1]:
                    return self._cut(rows, depth)
                wanted *= 2
            rows = self._snapshot.connection.execute(query, (match, BM25, -1)).fetchall()
        return self._cut([row for row in rows if row[0] in within], depth)

    def passages_in(self, accept: Callable[[str], bool]) -> frozenset[int]:
        """Ids of the passages whose file path *accept* takes."""
        with self._guard():
            paths = [path for (path,) in self._snapshot.connection.execute("SELECT DISTINCT path FROM documents")]
        taken = [path for path in paths if accept(path)]
        rows = self._select(
            "SELECT passages.id FROM passages JOIN documents ON documents.id = document WHERE path IN", taken
        )
        return frozenset(row[0] for row in rows)

    def read(self, passage_ids: Collection[int]) -> dict[int, StoredPassage]:
        """The passages under *passage_ids*."""
        rows = self._select(
            "SELECT passages.id, document_id, path, title, ordinal, first_line, last_line, headings, text"
            " FROM passages JOIN documents ON documents.id = document WHERE passages.id IN",
            list(passage_ids),
        )
        return {
            row[0]: StoredPassage(
                id=row[0],
                document_id=row[1],
                path=row[2],
                title=row[3],
                passage=Passage(row[4], row[5], row[6], tuple(row[7].split("\n")) if row[7] else (), row[8]),
            )
            for row in rows
        }

    def origins(self, passage_ids: Collection[int]) -> dict[int, Origin]:
        """Where each of *passage_ids* comes from.

        Raises:
            IndexDamaged: a list brought a passage that is not there.
        """
        rows = self._select(
            "SELECT passages.id, document_id, ordinal, path FROM passages"
            " JOIN documents ON documents.id = document WHERE passages.id IN",
            list(passage_ids),
        )
        if len(rows) < len(set(passage_ids)):
            raise self._contradiction()
        return {passage: Origin(*origin) for passage, *origin in rows}

    def opening_cosines(self, vector: Vectors, passage_ids: Collection[int]) -> dict[int, float]:
        """By passage, the cosine of *vector* with the opening passage of its document."""
        rows = self._select("SELECT id, document FROM passages WHERE id IN", list(dict.fromkeys(passage_ids)))
        openings = self._select(
            "SELECT document, vectors.vector FROM passages JOIN vectors ON vectors.id = passages.vector"
            " WHERE ordinal = 0 AND document IN",
            list({document for _, document in rows}),
        )
        if not rows:
            return {}
        if {document for document, _ in openings} != {document for _, document in rows}:
            raise self._contradiction()
        documents, matrix = _matrix(openings, self.manifest.dimensions)
        # einsum sums each row by itself: a product of matrices rounds by where a row stands.
        cosines = dict(zip(documents.tolist(), np.einsum("ij,j->i", matrix, vector).tolist(), strict=True))
        return {passage: cosines[document] for passage, document in rows}

    def files(self) -> dict[str, FileState]:
        """Every file of the index by its path."""
        with self._guard():
            return _file_states(self._snapshot.connection)

    def file_states(self, paths: Collection[str]) -> dict[str, FileState]:
        """The files of the index at *paths*, each as it was when it was last read."""
        with self._guard():
            return _file_states(self._snapshot.connection, list(paths))

    def document_ids(self) -> frozenset[str]:
        """The id of every document."""
        with self._guard():
            return frozenset(row[0] for row in self._snapshot.connection.execute("SELECT document_id FROM documents"))

    def counts(self) -> Counts:
        """How much the index holds."""

        with self._guard():
            return _counts(self._snapshot.layout, self._snapshot.connection)

    def _passages_of(self, labels: Sequence[int]) -> dict[int, list[int]]:
        """The passages of each vector, looked up once for all queries."""
        new = [label for label in labels if label not in self._passages]
        self._passages.update((label, []) for label in new)
        for passage, label in self._select("SELECT id, vector FROM passages WHERE vector IN", new):
            self._passages[label].append(passage)
        return self._passages

    def _vector_index(self) -> ann.VectorIndex:
        if self._vectors is None:
            self._vectors = ann.load_opened(
                self._snapshot.vectors,
                dimensions=self.manifest.dimensions,
                count=self.manifest.vector_count,
                exact=self.manifest.exact,
            )
        return self._vectors

    def _scan(self, vector: Vectors, within: frozenset[int] | None) -> Ranking:
        """Exact cosines of the passages *within*, read from the catalog."""
        select = "SELECT passages.id, vectors.vector FROM passages JOIN vectors ON vectors.id = passages.vector"
        with self._guard():
            if within is None:
                rows = self._snapshot.connection.execute(select).fetchall()
            else:
                rows = self._select(f"{select} WHERE passages.id IN", list(within))
        if not rows:
            return []
        flat = ann.build(*_matrix(rows, self.manifest.dimensions), exact_limit=len(rows))
        return flat.search(vector, len(rows))

    def _cut(self, scored: Iterable[tuple[int, float]], depth: int) -> Ranking:
        """Best first; ties in the order of document and ordinal, so that ids given by chance decide nothing."""
        ranking = sorted(scored, key=itemgetter(1), reverse=True)
        if len(ranking) > depth:
            last = ranking[depth - 1][1]
            ranking = [row for row in ranking if row[1] >= last]
        alike = Counter(score for _, score in ranking)
        tied = [row for row in ranking if alike[row[1]] > 1]
        origins = self.origins([passage for passage, _ in tied])
        tied.sort(key=lambda row: origins[row[0]])
        alone = [row for row in ranking if alike[row[1]] == 1]
        return sorted([*tied, *alone], key=itemgetter(1), reverse=True)[:depth]

    def _select(self, query: str, values: Sequence[object]) -> list[tuple]:  # type: ignore[type-arg]
        """Run *query* with `IN (…)` for all *values*, however many."""
        found: list[tuple] = []  # type: ignore[type-arg]
        with self._guard():
            for start in range(0, len(values), 10_000):
                some = values[start : start + 10_000]
                marks = ",".join("?" * len(some))
                found.extend(self._snapshot.connection.execute(f"{query} ({marks})", some))
        return found

    def _contradiction(self) -> IndexDamaged:
        catalog = self._snapshot.layout.catalog
        return IndexDamaged(f"{catalog}: its tables contradict each other", remedy=rebuild_remedy(self.folder))

    @contextmanager
    def _guard(self) -> Iterator[None]:
        with telling(self._snapshot.layout.catalog, self._snapshot.connection):
            yield


def _matrix(rows: Sequence[tuple[int, bytes]], dimensions: int) -> tuple[ann.Labels, Vectors]:
    """Labels, shape (n,), and vectors, shape (n, dimensions), of (label, vector) rows."""
    labels = np.array([row[0] for row in rows], dtype=np.int64)
    matrix = np.frombuffer(b"".join(row[1] for row in rows), dtype=np.float32)
    return labels, matrix.reshape(len(labels), dimensions)


def _file_states(connection: sqlite3.Connection, paths: Sequence[str] | None = None) -> dict[str, FileState]:
    """The files at *paths*, by default all, by path; an index of an older program lacks some columns."""
    columns = {name for _, name, *_ in connection.execute("PRAGMA table_info(files)")}
    query = FILES if "inode" in columns else FILES_WITHOUT_INODE
    if paths is None:
        rows: Iterable[tuple] = connection.execute(f"{query} ORDER BY path")  # type: ignore[type-arg]
    else:
        rows = (row for path in paths for row in connection.execute(f"{query} WHERE path = ?", (path,)))
    return {row[0]: FileState(row[0], Stamp(*row[1:5]), *row[5:]) for row in rows}


def _load_vectors(layout: Layout, manifest: Manifest) -> ann.VectorIndex:
    return ann.load(
        layout.vectors(manifest.generation),
        dimensions=manifest.dimensions,
        count=manifest.vector_count,
        exact=manifest.exact,
        size_bytes=manifest.vectors_size_bytes,
    )


def _open_vectors(layout: Layout, manifest: Manifest) -> BufferedReader:
    return ann.open_saved(layout.vectors(manifest.generation), size_bytes=manifest.vectors_size_bytes)


def _check_vectors(vectors: BufferedReader, manifest: Manifest) -> None:
    ann.check_opened(vectors, dimensions=manifest.dimensions, count=manifest.vector_count, exact=manifest.exact)


def _counts(layout: Layout, connection: sqlite3.Connection) -> Counts:
    def count(query: str) -> int:
        return int(connection.execute(query).fetchone()[0])

    return Counts(
        files=count("SELECT count(*) FROM files"),
        failed_files=count("SELECT count(*) FROM files WHERE failure IS NOT NULL"),
        documents=count("SELECT count(*) FROM documents"),
        passages=count("SELECT count(*) FROM passages"),
        size_bytes=layout.size_bytes(),
    )


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """A generation as it was opened: nothing that is committed or removed since changes what can be read from it."""

    layout: Layout
    connection: sqlite3.Connection
    manifest: Manifest
    vectors: BufferedReader

    def __enter__(self) -> _Snapshot:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.connection.close()
        self.vectors.close()


def open_reader(folder: Path) -> IndexReader:
    """Open the index in *folder* at its current generation.

    Raises:
        IndexMissing: there is none.
        IndexDamaged: its files are incomplete.
        IndexMismatch: it has another format.
        InputError: it cannot be read.
        Busy: it cannot be read before another process has ended.
    """
    return IndexReader(_open_snapshot(Layout(folder)))


def _open_snapshot(layout: Layout) -> _Snapshot:
    """A writer may move on between our snapshot and our look at its vectors: then there is a newer one to open."""
    missed = None
    while True:
        with ExitStack() as opened:
            connection = opened.enter_context(closing(_open_catalog(layout)))
            with telling(layout.catalog, connection):
                connection.execute("BEGIN")
            manifest = _read_manifest(layout, connection)
            if manifest is None:
                raise IndexMissing(
                    f"{layout.folder}: the first run has not finished", remedy="run it again: rerank-cli index FOLDER"
                )
            try:
                with telling(layout.catalog, connection):
                    vectors = opened.enter_context(_open_vectors(layout, manifest))
            except IndexDamaged:
                if manifest.generation == missed:
                    raise
                missed = manifest.generation
                continue
            opened.pop_all()
            return _Snapshot(layout, connection, manifest, vectors)


def _open_catalog(layout: Layout) -> sqlite3.Connection:
    try:
        layout.catalog.lstat()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise _missing(layout) from error
    except OSError as error:
        raise cannot("read", layout.catalog, error) from error
    try:
        return connect_to_read(layout.catalog)
    except InputError as error:
        if not layout.catalog.exists():  # it went meanwhile
            raise _missing(layout) from error
        raise


def _missing(layout: Layout) -> IndexMissing:
    return IndexMissing(f"{layout.folder}: no index here", remedy="make one: rerank-cli index FOLDER")


def _read_manifest(layout: Layout, connection: sqlite3.Connection) -> Manifest | None:
    try:
        with telling(layout.catalog, connection):
            if not connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
                return None  # its first writer has not made the tables yet
            rows = {key: json.loads(value) for key, value in connection.execute("SELECT key, value FROM manifest")}
    except ValueError as error:
        raise IndexDamaged(
            f"{layout.catalog}: the manifest cannot be read ({error})", remedy=rebuild_remedy(layout.folder)
        ) from error
    if not rows:
        return None
    if rows.get("format_version") != FORMAT_VERSION:
        found = rows.get("format_version")
        raise IndexMismatch(
            f"{layout.folder}: index format {found}, this program reads {FORMAT_VERSION}",
            remedy=rebuild_remedy(layout.folder),
        )
    try:
        return Manifest(**rows)
    except TypeError as error:
        raise IndexDamaged(
            f"{layout.catalog}: the manifest is incomplete ({error})", remedy=rebuild_remedy(layout.folder)
        ) from error


class IndexWriter:
    """The one process that may change an index, from `open_writer`."""

    def __init__(self, layout: Layout, connection: sqlite3.Connection, *, exact_limit: int) -> None:
        self.folder = layout.folder
        self._layout = layout
        self._connection = connection
        self._exact_limit = exact_limit
        self.has_kept_vectors = False
        self.manifest = _read_manifest(layout, connection)

    def files(self) -> dict[str, FileState]:
        """Every file of the current generation by its path."""
        with self._guard():
            return _file_states(self._connection)

    def document_counts(self) -> dict[str, int]:
        """By file, how many of its documents hold text."""
        query = (
            "SELECT path, count(*) FROM documents"
            " WHERE EXISTS (SELECT 1 FROM passages WHERE document = documents.id) GROUP BY path"
        )
        with self._guard():
            return dict(self._connection.execute(query))

    def documents_in(self, paths: Collection[str]) -> dict[str, set[str]]:
        """The ids of the documents with text in the files at *paths*, by path."""
        query = (
            "SELECT document_id FROM documents"
            " WHERE path = ? AND EXISTS (SELECT 1 FROM passages WHERE document = documents.id)"
        )
        with self._guard():
            return {path: {row[0] for row in self._connection.execute(query, (path,))} for path in paths}

    def mounts(self) -> tuple[str, ...]:
        """The folders that were mount points, as `keep_mounts` was told last."""
        with self._guard():
            return tuple(path for (path,) in self._connection.execute("SELECT path FROM mounts ORDER BY path"))

    def keep_mounts(self, paths: Sequence[str]) -> None:
        """Remember which folders are mount points; no new generation."""
        if tuple(paths) != self.mounts():
            with self._transaction():
                self._connection.execute("DELETE FROM mounts")
                self._connection.executemany("INSERT INTO mounts VALUES (?)", [(path,) for path in paths])

    def told(self) -> dict[str, str]:
        """By path, the failures that `keep_told` was told last."""
        with self._guard():
            return dict(self._connection.execute("SELECT path, reason FROM told"))

    def keep_told(self, failures: Mapping[str, str]) -> None:
        """Remember of which failures the user has been told; no new generation."""
        if failures != self.told():
            with self._transaction():
                self._connection.execute("DELETE FROM told")
                self._connection.executemany("INSERT INTO told VALUES (?, ?)", list(failures.items()))

    def counts(self) -> Counts:
        """How much the current generation holds."""
        with self._guard():
            return _counts(self._layout, self._connection)

    def has_passages_beside(self, paths: Collection[str]) -> bool:
        """Whether any file of the current generation has a passage, those at *paths* left aside."""
        query = "SELECT path FROM documents WHERE EXISTS (SELECT 1 FROM passages WHERE document = documents.id)"
        with self._guard():
            return any(path not in paths for (path,) in self._connection.execute(query))

    def needs_mending(self) -> bool:
        """Whether the vector file of the current generation is missing, cut short, another's or cannot be read."""
        if self.manifest is None:
            return False
        try:
            with _open_vectors(self._layout, self.manifest) as vectors:
                _check_vectors(vectors, self.manifest)
        except IndexDamaged:
            return True
        return False

    def missing_vectors(self, fingerprint: str, text_hashes: Iterable[bytes]) -> list[bytes]:
        """Those of *text_hashes* that no vector of this encoder is kept for, in their order, each once."""
        with self._guard():
            known = {
                row[0]
                for row in self._connection.execute(
                    "SELECT text_hash FROM vectors WHERE fingerprint = ?", (fingerprint,)
                )
            }
        return [text_hash for text_hash in dict.fromkeys(text_hashes) if text_hash not in known]

    def keep_vectors(self, fingerprint: str, text_hashes: Sequence[bytes], vectors: Vectors) -> None:
        """Commit computed vectors at once, so that a killed run does not compute them again."""
        if not np.isfinite(vectors).all():
            raise InputError("the encoder gave a vector that is not finite", remedy="check the model")
        rows = [
            (fingerprint, text_hash, np.ascontiguousarray(vector, dtype=np.float32).tobytes())
            for text_hash, vector in zip(text_hashes, vectors, strict=True)
        ]
        with self._transaction():
            self._connection.executemany(
                "INSERT OR IGNORE INTO vectors (fingerprint, text_hash, vector) VALUES (?, ?, ?)", rows
            )
        self.has_kept_vectors = True

    def touch(self, states: Sequence[FileState]) -> None:
        """Remember how files were found whose documents stay as they are; no new generation."""
        with self._transaction():
            self._connection.executemany(
                "UPDATE files SET size_bytes = ?, mtime_ns = ?, ctime_ns = ?, inode = ?, content_hash = ?, failure = ?"
                " WHERE path = ?",
                [(*astuple(state.stamp), state.content_hash, state.failure, state.path) for state in states],
            )

    def commit(self, changes: Changes, manifest: Manifest) -> Manifest:
        """Make *changes* visible as one new generation; all of it or nothing.

        *manifest* says how they were made; generation, time and vector counts are filled in here.
        """
        old = self.manifest
        generation = old.generation + 1 if old else 1
        path = self._layout.vectors(generation)
        with self._transaction():
            before = self._live_labels()
            self._apply(changes, manifest.encoder_fingerprint)
            self._connection.execute("DELETE FROM vectors WHERE id NOT IN (SELECT vector FROM passages)")
            index = self._vector_index(before, manifest)
            with _naming_disk_errors(path):
                partial = path.with_suffix(".hnsw.partial")
                make_private_file(partial)
                size_bytes = index.save(partial)
                partial.replace(path)
                sync(self.folder)
            current = replace(
                manifest,
                generation=generation,
                updated_at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                exact=index.exact,
                vector_count=len(index),
                vectors_size_bytes=size_bytes,
            )
            self._write_manifest(current)
        self.manifest = current
        return current

    def _apply(self, changes: Changes, fingerprint: str) -> None:
        for path in [*changes.removed, *(file.state.path for file in changes.written)]:
            self._remove(path)
        for file in changes.written:
            self._write_file(file.state)
            for document in file.documents:
                self._write_document(file.state.path, document, fingerprint)

    def _remove(self, path: str) -> None:
        self._connection.execute("DELETE FROM files WHERE path = ?", (path,))

    def _write_file(self, state: FileState) -> None:
        self._connection.execute(
            "INSERT INTO files (path, size_bytes, mtime_ns, ctime_ns, inode, content_hash, reader, failure)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (state.path, *astuple(state.stamp), state.content_hash, state.reader, state.failure),
        )

    def _write_document(self, path: str, document: NewDocument, fingerprint: str) -> None:
        cursor = self._connection.execute(
            "INSERT INTO documents (document_id, path, title) VALUES (?, ?, ?)",
            (document.document_id, path, document.title),
        )
        self._connection.executemany(
            "INSERT INTO passages (document, ordinal, first_line, last_line, headings, text, vector)"
            " SELECT ?, ?, ?, ?, ?, ?, id FROM vectors WHERE fingerprint = ? AND text_hash = ?",
            [
                (
                    cursor.lastrowid,
                    passage.ordinal,
                    passage.first_line,
                    passage.last_line,
                    "\n".join(" ".join(heading.split()) for heading in passage.headings),
                    passage.text,
                    fingerprint,
                    text_hash,
                )
                for passage, text_hash in zip(document.passages, document.text_hashes, strict=True)
            ],
        )

    def _live_labels(self) -> set[int]:
        return {row[0] for row in self._connection.execute("SELECT DISTINCT vector FROM passages")}

    def _vector_index(self, before: set[int], manifest: Manifest) -> ann.VectorIndex:
        """The vectors of all passages: the last generation's graph amended where that pays, else built."""
        after = self._live_labels()
        if self.manifest and not self.manifest.exact:
            with suppress(IndexDamaged):  # then it is built from the catalog
                index = _load_vectors(self._layout, self.manifest)
                labels, vectors = self._vectors_of(sorted(after - before), manifest.dimensions)
                removed = np.array(sorted(before - after), dtype=np.int64)
                if index.amend(removed=removed, labels=labels, vectors=vectors, exact_limit=self._exact_limit):
                    return index
        return ann.build(*self._vectors_of(None, manifest.dimensions), exact_limit=self._exact_limit)

    def _vectors_of(self, labels: list[int] | None, dimensions: int) -> tuple[ann.Labels, Vectors]:
        """Labels, shape (n,), and vectors, shape (n, dimensions); None asks for all, in the order of their texts."""
        if labels is None:
            rows = self._connection.execute("SELECT id, vector FROM vectors ORDER BY text_hash").fetchall()
        else:
            self._connection.execute("CREATE TEMP TABLE IF NOT EXISTS wanted (id INTEGER PRIMARY KEY)")
            self._connection.execute("DELETE FROM temp.wanted")
            self._connection.executemany("INSERT INTO temp.wanted VALUES (?)", [(label,) for label in labels])
            rows = self._connection.execute("SELECT id, vector FROM vectors JOIN temp.wanted USING (id)").fetchall()
        return _matrix(rows, dimensions)

    def _write_manifest(self, manifest: Manifest) -> None:
        self._connection.execute("DELETE FROM manifest")
        self._connection.executemany(
            "INSERT INTO manifest VALUES (?, ?)",
            [(key, json.dumps(value, sort_keys=True)) for key, value in asdict(manifest).items()],
        )

    @contextmanager
    def _transaction(self) -> Iterator[None]:
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


@contextmanager
def open_writer(
    folder: Path, *, wait_s: float, rebuild: bool = False, exact_limit: int = ann.EXACT_LIMIT
) -> Iterator[IndexWriter]:
    """Hold the index in *folder* for writing; made if there is none.

    With *rebuild*, an index that cannot be read, or has another format, gives way to an empty one; it comes back
    where that one is left without a commit. Where a first run fails before it has computed a vector, nothing is
    left of it. Above *exact_limit* vectors the index keeps a graph of them.

    Raises:
        Busy: another process held it for longer than *wait_s*.
    """
    layout = Layout(folder)
    with _locked(layout, wait_s) as made_folder:
        with _naming_disk_errors(layout.folder):
            if layout.replaced_partly.is_dir():
                _move_back(layout)
            if rebuild:
                _set_aside_unreadable(layout)
            is_first_run = not layout.catalog.exists()
        writer = None
        try:
            with closing(connect(layout.catalog, create=True)) as connection:
                _create_tables(layout, connection)
                writer = IndexWriter(layout, connection, exact_limit=exact_limit)
                yield writer
        except BaseException:
            is_unfinished = is_first_run if writer is None else writer.manifest is None
            if is_unfinished and layout.replaced.is_dir():
                _put_back_replaced(layout)
            elif is_unfinished and is_first_run and not (writer and writer.has_kept_vectors):
                _remove_first_run(layout, made_folder=made_folder)
            raise
        if writer.manifest is not None:
            _drop_leftovers(layout, writer.manifest)
    if writer.manifest is not None:
        check_whole(layout)  # not under the lock, which would tell it that another process writes


def _drop_leftovers(layout: Layout, manifest: Manifest) -> None:
    """Remove what older generations and killed runs left. What cannot go stays for the next run, and harms nothing.

    A reader of an older generation has its vectors open.
    """
    for path in layout.all_vectors():
        if path != layout.vectors(manifest.generation):
            with suppress(OSError):
                path.unlink()
    shutil.rmtree(layout.replaced, ignore_errors=True)


def check_whole(layout: Layout) -> Manifest:
    """Open all of the index that a query opens: a run must not end well where a query would not.

    Raises:
        RerankError: what `open_reader` or a search would end with.
    """
    with _open_snapshot(layout) as snapshot:
        check_answers(layout.catalog, snapshot.connection)
        _check_vectors(snapshot.vectors, snapshot.manifest)
        return snapshot.manifest


@contextmanager
def _locked(layout: Layout, wait_s: float) -> Iterator[bool]:
    """Hold the lock of the index; True where its folder had to be made.

    A run that failed may take folder and lock away while we wait: a lock counts if it still lies in its place.
    """
    while True:
        with _naming_disk_errors(layout.folder):
            made_folder = not layout.folder.exists()
            make_private_folder(layout.folder)
            try:
                lock = open(layout.lock, "a", opener=open_private)  # noqa: SIM115 - closed below
            except FileNotFoundError:
                if layout.folder.exists():
                    raise
                continue
        with lock:
            with _naming_disk_errors(layout.lock):
                acquire(lock.fileno(), layout.folder, wait_s)
                in_place = _lies_at(layout.lock, lock.fileno())
            if in_place:
                with _naming_disk_errors(layout.folder):
                    layout.tighten()
                yield made_folder
                return


def _lies_at(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _create_tables(layout: Layout, connection: sqlite3.Connection) -> None:
    with telling(layout.catalog, connection):
        connection.execute("BEGIN IMMEDIATE")
        if not connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
            for statement in _statements(SCHEMA):
                connection.execute(statement)
        for statement in _statements(LATER_TABLES):
            connection.execute(statement)
        for table, definitions in LATER_COLUMNS.items():
            there = {name for _, name, *_ in connection.execute(f"PRAGMA table_info({table})")}
            for definition in definitions:
                if there and definition.split()[0] not in there:
                    connection.execute(f"ALTER TABLE {table} ADD COLUMN {definition}")
        connection.execute("COMMIT")


def _statements(script: str) -> Iterator[str]:
    """The statements of *script*; `executescript` would commit between them."""
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""


def _set_aside_unreadable(layout: Layout) -> None:
    """Take an index that this program cannot read out of the way; a readable one stays."""
    if not layout.catalog.exists():
        return
    try:
        with closing(connect(layout.catalog)) as connection:
            if _read_manifest(layout, connection) is not None:
                check_answers(layout.catalog, connection)
                check_pages(layout.catalog, connection)
                check_words(layout.catalog, connection)
    except (IndexDamaged, IndexMismatch):
        _set_aside(layout)


def _set_aside(layout: Layout) -> None:
    """Move the index out of the way; what a killed rebuild left in the place of another one only goes."""
    for place in (layout.replaced, layout.replaced_partly):
        if place.exists() and not place.is_dir():
            raise InputError(f"{place}: a file stands where a folder belongs", remedy=move_away(place))
    if layout.replaced.is_dir():
        _remove_files(layout)
        return
    make_private_folder(layout.replaced_partly)
    for path in layout.index_files():
        path.rename(layout.replaced_partly / path.name)
    layout.replaced_partly.rename(layout.replaced)


def _put_back_replaced(layout: Layout) -> None:
    with _naming_disk_errors(layout.folder):
        _remove_files(layout)
        layout.replaced.rename(layout.replaced_partly)
        _move_back(layout)


def _move_back(layout: Layout) -> None:
    """End what a killed run began, whether it moved the files there or back: nothing has taken their place yet."""
    for path in sorted(layout.replaced_partly.iterdir()):
        path.rename(layout.folder / path.name)
    layout.replaced_partly.rmdir()


def _remove_first_run(layout: Layout, *, made_folder: bool) -> None:
    """A file that cannot go stays for the next run: why the first one failed is what must be told."""
    with suppress(OSError):
        _remove_files(layout)
        layout.lock.unlink()
        if made_folder:
            layout.folder.rmdir()  # fails where another run has begun in it


def _remove_files(layout: Layout) -> None:
    for path in layout.index_files():
        path.unlink(missing_ok=True)


@contextmanager
def _naming_disk_errors(path: Path) -> Iterator[None]:
    """hnswlib reports a full disk as RuntimeError, Python as OSError."""
    try:
        yield
    except (OSError, RuntimeError) as error:
        raise cannot("written", path, error) from error
