"""Brings an index of an older format over. Nothing is read from the folder again, and nothing is encoded."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from itertools import groupby
from typing import TYPE_CHECKING, Any

from rerank_cli.errors import IndexDamaged, ModelError, in_words
from rerank_cli.ports import FileState, Manifest, Recipe
from rerank_cli.records import Passage, Place, SplitDocument, at_lines
from rerank_cli.stamps import Stamp
from rerank_cli.store.access import naming_disk_errors
from rerank_cli.store.catalog import check_pages, connect, telling
from rerank_cli.store.documents import insert_document
from rerank_cli.store.files import insert_file
from rerank_cli.store.layout import Layout
from rerank_cli.store.manifest import BROUGHT_OVER, Generation, read_rows, write_generation
from rerank_cli.store.passages import row_check
from rerank_cli.store.pins import VectorsPin
from rerank_cli.store.remedies import rebuild_remedy
from rerank_cli.store.search import SCAN

if TYPE_CHECKING:
    from rerank_cli.arrays import Vectors
    from rerank_cli.store.vectors import VectorWriter

AT_ONCE = 1000
"""Vectors written in one go."""

UNSEALED = 1
"""The format that had neither a seal nor checks, and its vectors in the catalog."""

IN_LINES = 2
"""The last format in which every place is one of lines."""

FILES = "SELECT {} FROM files"
COLUMNS = ("path", "size_bytes", "mtime_ns", "ctime_ns", "inode", "content_hash", "reader", "failure", "notes")
LATER = {"ctime_ns": "0", "inode": "0", "notes": "''"}
"""Columns that an early program did not have, and what stands for them."""

FIRST_PASSAGES = (
    "SELECT documents.id, path, document_id, title, ordinal, first_line, last_line, headings, text, kept.vector"
    " FROM documents LEFT JOIN passages ON document = documents.id"
    " LEFT JOIN vectors AS kept ON kept.id = passages.vector ORDER BY documents.id, ordinal"
)

PASSAGES = (
    "SELECT documents.id, path, document_id, title, ordinal, {place}, headings, text, text_hash,"
    " row_check FROM documents LEFT JOIN passages ON document = documents.id ORDER BY documents.id, ordinal"
)


def holds_older_format(layout: Layout) -> bool:
    """Whether the index in *layout* has a format that can be brought over; its first run need not have ended."""
    with closing(connect(layout.catalog)) as connection:
        version = read_rows(layout, connection).get("format_version")
        with telling(layout.catalog, connection):
            tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    return version in BROUGHT_OVER or (version is None and "vectors" in tables)


def sealed_generation(layout: Layout) -> int | None:
    """Which generation the index in *layout* holds, if its older format has a seal; None before the first."""
    with closing(connect(layout.catalog)) as connection:
        rows = read_rows(layout, connection)
    if not rows or rows.get("format_version") == UNSEALED:
        return None
    return int(rows["generation"])


def bring_over(older: Layout, layout: Layout, connection: sqlite3.Connection) -> None:
    """Copy all that the index in *older* holds into the empty catalog of *layout*, and its vectors beside it.

    Raises:
        IndexDamaged: it cannot be read.
    """
    with (
        closing(connect(older.catalog)) as old,
        naming_disk_errors(layout.folder),
        _telling_damage(older, layout),
        telling(older.catalog, old),
    ):
        check_pages(older.catalog, old)
        rows = read_rows(older, old)
        sealed = rows.get("format_version", UNSEALED) != UNSEALED
        if not sealed:
            _copy_unused_vectors(old, layout)
        if not rows:
            return
        with telling(layout.catalog, connection):
            connection.execute("BEGIN IMMEDIATE")
            try:
                _copy_files(old, connection)
                copy = _copied if sealed else _copied_from_the_first
                recipe, vectors = copy(old, connection, rows, layout)
                manifest = Manifest(
                    recipe,
                    rows["generation"] + 1,
                    rows["updated_at"],
                    search=SCAN,
                    search_reason="brought over from an older format",
                )
                write_generation(connection, Generation(manifest, vectors, None))
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise


def _copied(
    old: sqlite3.Connection, connection: sqlite3.Connection, rows: Mapping[str, Any], layout: Layout
) -> tuple[Recipe, VectorsPin]:
    """Documents from the second format on: their vectors stay where they lie."""
    in_lines = rows["format_version"] == IN_LINES
    query = PASSAGES.format(place="first_line, last_line" if in_lines else "unit, first, last, label")
    for (_, path, document_id, title), group in groupby(old.execute(query), key=lambda row: row[:4]):
        passages = []
        for *said, check in (row[4:] for row in group if row[4] is not None):
            if row_check(document_id, path, title, *said) != check:
                raise IndexDamaged(f"{layout.catalog}: a passage of {path} is not what was written")
            ordinal, *place, headings, text, _ = said
            passages.append(_passage(ordinal, at_lines(*place) if in_lines else Place(*place), headings, text))
        insert_document(connection, path, SplitDocument(document_id, title, tuple(passages)))
    return Recipe(**rows["recipe"]), VectorsPin(**rows["vectors"])


def _copied_from_the_first(
    old: sqlite3.Connection, connection: sqlite3.Connection, rows: Mapping[str, Any], layout: Layout
) -> tuple[Recipe, VectorsPin]:
    """Documents of the first format, whose vectors lie in its catalog."""
    from rerank_cli.store.vectors import VectorWriter

    recipe = Recipe(**{name: rows[name] for name in Recipe._fields})
    vectors = VectorWriter(layout.folder, fingerprint=recipe.encoder_fingerprint, pin=None)
    new: dict[bytes, bytes] = {}
    for (_, path, document_id, title), group in groupby(old.execute(FIRST_PASSAGES), key=lambda row: row[:4]):
        passages = []
        for *said, vector in (row[4:] for row in group if row[4] is not None):
            ordinal, first_line, last_line, headings, text = said
            passages.append(_passage(ordinal, at_lines(first_line, last_line), headings, text))
            new[passages[-1].text_hash] = vector
        insert_document(connection, path, SplitDocument(document_id, title, tuple(passages)))
        if len(new) >= AT_ONCE:
            _add(vectors, new)
            new = {}
    if new:
        _add(vectors, new)
    return recipe, vectors.pin(dimensions=recipe.dimensions)


def _passage(ordinal: int, place: Place, headings: str, text: str) -> Passage:
    trail = tuple(headings.split("\n")) if headings else ()
    return Passage(ordinal, place, trail, text)


@contextmanager
def _telling_damage(older: Layout, layout: Layout) -> Iterator[None]:
    """Tell of what is wrong with *older* under its own name, which it gets back.

    Rows that no program wrote come to light as other errors: the format has no checks of its own.
    """
    try:
        yield
    except IndexDamaged as error:
        told = str(error).replace(str(older.catalog), str(layout.catalog))
        raise IndexDamaged(told, remedy=rebuild_remedy(layout.folder)) from error
    except (KeyError, TypeError, ValueError, ModelError) as error:
        raise IndexDamaged(
            f"{layout.catalog}: cannot be brought over from an older format ({in_words(error)})",
            remedy=rebuild_remedy(layout.folder),
        ) from error


def _copy_unused_vectors(old: sqlite3.Connection, layout: Layout) -> None:
    """Vectors that no passage has: a run was killed before its commit."""
    from rerank_cli.store.vectors import VectorWriter

    query = "SELECT fingerprint, text_hash, vector FROM vectors WHERE id NOT IN (SELECT vector FROM passages)"
    for fingerprint, group in groupby(old.execute(f"{query} ORDER BY fingerprint"), key=lambda row: row[0]):
        vectors = VectorWriter(layout.folder, fingerprint=fingerprint, pin=None)
        for some in _parts(group):
            vectors.add([row[1] for row in some], _matrix([row[2] for row in some]))


def _copy_files(old: sqlite3.Connection, connection: sqlite3.Connection) -> None:
    """An index of an early program lacks some columns and tables."""
    columns = {name for _, name, *_ in old.execute("PRAGMA table_info(files)")}
    there = (name if name in columns else LATER.get(name, name) for name in COLUMNS)
    for path, *stamp, content_hash, reader, failure, notes in old.execute(FILES.format(", ".join(there))):
        told = tuple(notes.split("\n")) if notes else ()
        state = FileState(path, Stamp(*stamp), content_hash, reader, failure, told, stamp[1] // 1_000_000_000)
        insert_file(connection, state)
    tables = {name for (name,) in old.execute("SELECT name FROM sqlite_master")}
    if "mounts" in tables:
        connection.executemany("INSERT INTO mounts VALUES (?)", old.execute("SELECT path FROM mounts"))
    if "told" in tables:
        connection.executemany("INSERT INTO told VALUES (?, ?)", old.execute("SELECT path, reason FROM told"))


def _add(vectors: VectorWriter, new: dict[bytes, bytes]) -> None:
    vectors.add(list(new), _matrix(list(new.values())))


def _matrix(blobs: list[bytes]) -> Vectors:
    import numpy as np

    return np.frombuffer(b"".join(blobs), dtype="<f4").reshape(len(blobs), -1)


def _parts(rows: Iterator[tuple]) -> Iterator[list[tuple]]:  # type: ignore[type-arg]
    part = []
    for row in rows:
        part.append(row)
        if len(part) == AT_ONCE:
            yield part
            part = []
    if part:
        yield part
