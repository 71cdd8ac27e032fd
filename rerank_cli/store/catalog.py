"""The catalog's tables in SQLite: files, documents with their fields, passages and their words (FTS5)."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from rerank_cli.errors import Busy, IndexDamaged, InputError, RerankError
from rerank_cli.places import make_private_file
from rerank_cli.store.access import cannot, is_folder, is_read_only_disk, may, obstacle
from rerank_cli.store.database import MAKE, READ, UNCHANGING, Database, open_database
from rerank_cli.store.lock import is_held
from rerank_cli.store.remedies import index_command, rebuild_remedy

SCHEMA = """
CREATE TABLE manifest (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE files (
    path TEXT PRIMARY KEY,
    size_bytes INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    content_hash BLOB NOT NULL,
    reader TEXT NOT NULL,
    failure TEXT,
    notes TEXT NOT NULL,
    ctime_ns INTEGER NOT NULL,
    inode INTEGER NOT NULL,
    modified_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE documents (
    id INTEGER PRIMARY KEY,
    document_id TEXT NOT NULL,
    path TEXT NOT NULL REFERENCES files (path) ON DELETE CASCADE,
    title TEXT NOT NULL,
    dated INTEGER,
    fields_check INTEGER NOT NULL,
    UNIQUE (path, document_id)
);
CREATE TABLE fields (
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    document INTEGER NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
    PRIMARY KEY (key, value, document)
) WITHOUT ROWID;
CREATE INDEX fields_by_document ON fields (document);
CREATE TABLE passages (
    id INTEGER PRIMARY KEY,
    document INTEGER NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
    ordinal INTEGER NOT NULL,
    unit TEXT NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    label TEXT NOT NULL,
    headings TEXT NOT NULL,
    text TEXT NOT NULL,
    parts TEXT NOT NULL,
    text_hash BLOB NOT NULL,
    row_check INTEGER NOT NULL,
    UNIQUE (document, ordinal)
);
CREATE INDEX passages_by_text ON passages (text_hash);
CREATE TABLE mounts (path TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE told (path TEXT PRIMARY KEY, reason TEXT NOT NULL) WITHOUT ROWID;
CREATE VIRTUAL TABLE words USING fts5 (
    headings, text, parts, content = 'passages', content_rowid = 'id',
    tokenize = 'porter unicode61 remove_diacritics 2'
);
CREATE TRIGGER passage_added AFTER INSERT ON passages BEGIN
    INSERT INTO words (rowid, headings, text, parts) VALUES (new.id, new.headings, new.text, new.parts);
END;
CREATE TRIGGER passage_removed AFTER DELETE ON passages BEGIN
    INSERT INTO words (words, rowid, headings, text, parts)
    VALUES ('delete', old.id, old.headings, old.text, old.parts);
END;
"""

WRITER_CACHE_BYTES = 64 * 1024 * 1024
"""A page that does not fit any more is written to the log, and again each time it changes. SQLite's own 2 MB let the
first run over 100,000 passages write twice as much."""

PROBES = (
    "SELECT * FROM files LIMIT 1",
    "SELECT key, value, dated FROM fields JOIN documents ON documents.id = document LIMIT 1",
    "SELECT document_id, title, ordinal, unit, first, last, label, headings, text, text_hash, row_check FROM passages"
    " JOIN documents ON documents.id = document LIMIT 1",
    "SELECT rank FROM words WHERE words MATCH 'a' ORDER BY rank LIMIT 1",
)

TEXTS = (
    "SELECT path, reader, failure, notes FROM files",
    "SELECT document_id, path, title FROM documents",
    "SELECT key, value FROM fields",
    "SELECT unit, label, headings, text, parts FROM passages",
)

SQLITE_FAILS = (sqlite3.Error, UnicodeDecodeError)
"""What a call of SQLite's raises: Python cannot read a message that quotes a garbled schema."""

UNWRITABLE = (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR)
"""How SQLite tells that it could not make a file beside the catalog; a full disk shows up as an I/O error."""


class UnchangingCatalog(Database):
    """A connection that takes the catalog for a file that does not change, and the `stamp` to prove it by."""

    stamp: object = None


def connect(path: Path, *, create: bool = False) -> sqlite3.Connection:
    """Open the catalog at *path*; transactions are begun by the caller.

    Raises:
        IndexDamaged: the file is no SQLite database.
        InputError: it cannot be opened.
    """
    try:
        if create:
            make_private_file(path)  # the files that SQLite makes beside it get its mode
        connection = open_database(path, MAKE if create else READ)
    except OSError as error:
        raise cannot("written" if create else "read", path, error) from error
    except SQLITE_FAILS as error:
        raise catalog_error(path, error) from error
    try:
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA recursive_triggers = ON")
        if create:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA temp_store = MEMORY")
            connection.execute(f"PRAGMA cache_size = -{WRITER_CACHE_BYTES // 1024}")
    except SQLITE_FAILS as error:
        with closing(connection):  # which may take away with it what stood in its way
            raise catalog_error(path, error) from error
    return connection


def connect_to_read(path: Path) -> sqlite3.Connection:
    """Open the catalog at *path* for reading, also where nothing can be written.

    A reader of a write-ahead log makes a file beside it, which a disk that is read-only or full does not allow.
    Where that log holds nothing and nobody writes, the catalog is read as a file that does not change.

    Raises:
        IndexDamaged: the file is no SQLite database.
        InputError: it cannot be opened.
        Busy: it can be read when another process has ended.
    """
    stamp = _stamp(path)
    try:
        connection = open_database(path, READ)
        try:
            connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
        except BaseException:
            connection.close()
            raise
        return connection
    except OSError as error:
        raise cannot("read", path, error) from error
    except SQLITE_FAILS as error:
        if _code(error) not in UNWRITABLE or any(is_folder(place) for place in (path, _log(path))):
            raise catalog_error(path, error) from error
        if has_log(path) or is_held(path.parent):
            raise _log_error(path, error, stamp) from error
    try:
        unchanging = open_database(path, UNCHANGING, factory=UnchangingCatalog)
    except OSError as error:
        raise cannot("read", path, error) from error
    except SQLITE_FAILS as error:
        raise catalog_error(path, error) from error
    assert isinstance(unchanging, UnchangingCatalog)
    unchanging.stamp = stamp
    return unchanging


def create_tables(path: Path, connection: sqlite3.Connection) -> None:
    """Make the tables of a catalog that has none."""
    with telling(path, connection):
        if connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
            return
        connection.execute("BEGIN IMMEDIATE")
        for statement in _statements(SCHEMA):
            connection.execute(statement)
        connection.execute("COMMIT")


def _statements(script: str) -> Iterator[str]:
    """The statements of *script*; `executescript` would commit between them."""
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""


@contextmanager
def telling(path: Path, connection: sqlite3.Connection) -> Iterator[None]:
    """Make one of ours of SQLite's errors; where *connection* takes *path* for unchanging, make sure that it was.

    If it was not, that is what is told, whatever came of it.
    """
    try:
        yield
    except Exception as error:
        _check_unchanged(path, connection)
        if isinstance(error, SQLITE_FAILS):
            log_went = _code(error) in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)  # since it was opened
            if log_went and is_read_only_disk(path.parent):
                raise _being_written(path) from error
            raise catalog_error(path, error) from error
        raise
    _check_unchanged(path, connection)


def _check_unchanged(path: Path, connection: sqlite3.Connection) -> None:
    if isinstance(connection, UnchangingCatalog) and connection.stamp != _stamp(path):
        raise Busy(f"{path.parent}: was written while it was read", remedy="try again")


def _log(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


def has_log(path: Path) -> bool:
    """Whether SQLite's log beside the catalog at *path* holds anything."""
    try:
        return _log(path).stat().st_size > 0
    except FileNotFoundError:
        return False
    except OSError:
        return True  # nobody can tell


def _stamp(path: Path) -> tuple[int, int, int, bool] | None:
    """What changes where a process writes the catalog at *path*."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns, has_log(path)


def _code(error: Exception) -> int:
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF


def check_answers(path: Path, connection: sqlite3.Connection) -> None:
    """Ask the catalog at *path* once for each thing that a search needs.

    Raises:
        IndexDamaged: it has no answer.
    """
    with telling(path, connection):
        for query in PROBES:
            connection.execute(query).fetchone()


def check_pages(path: Path, connection: sqlite3.Connection) -> None:
    """Read every page of the catalog at *path*.

    Raises:
        IndexDamaged: one of them is broken.
    """
    with telling(path, connection):
        verdict = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if verdict != "ok":
        told = str(verdict).splitlines()[-1]  # below a heading that names the database
        raise IndexDamaged(f"{path}: {told}", remedy=rebuild_remedy(path.parent))


def check_texts(path: Path, connection: sqlite3.Connection) -> None:
    """Read every text of the catalog at *path*, as `check_pages` takes any bytes for one.

    Raises:
        IndexDamaged: one of them is no text.
    """
    with telling(path, connection):
        for query in TEXTS:
            for _ in connection.execute(query):
                pass


def check_words(path: Path, connection: sqlite3.Connection) -> None:
    """Compare the words of the catalog at *path* with each other, which `check_pages` does not; it takes a writer.

    Raises:
        IndexDamaged: they contradict each other.
    """
    with telling(path, connection):
        connection.execute("INSERT INTO words (words) VALUES ('integrity-check')")


def _log_error(path: Path, error: Exception, stamp: object) -> RerankError:
    """Why the log of the catalog at *path* cannot be read: a reader makes or writes a file beside it.

    A writer that has ended by now left no log, or another *stamp* of the catalog than it had before.
    """
    if not all(may(place, os.R_OK) for place in (path, _log(path)) if os.path.lexists(place)):
        return catalog_error(path, error)
    if is_held(path.parent) or not has_log(path) or _stamp(path) != stamp:
        return _being_written(path)
    if not may(path.parent, os.W_OK):
        return InputError(
            f"{path.parent}: its log holds changes, which nobody can read who may not write beside it",
            remedy=f"fold them in where or as whom it can be written: {index_command(path.parent)}",
        )
    return catalog_error(path, error)


def _being_written(path: Path) -> Busy:
    return Busy(
        f"{path.parent}: another process is writing this index, which nobody can read meanwhile who may not write"
        " beside it",
        remedy="try again when that one has ended",
    )


def catalog_error(path: Path, error: Exception) -> RerankError:
    """What an error of SQLite's means to the user."""
    code = _code(error)
    if code == sqlite3.SQLITE_FULL:
        return InputError(f"{path.parent}: the disk is full", remedy="free some space and run again; nothing was lost")
    if code == sqlite3.SQLITE_NOMEM:
        return InputError(f"{path}: {error}", remedy="free some memory and run again; nothing was lost")
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_PERM):
        # A quota and a file size limit show up as an I/O error, not under SQLITE_FULL.
        return obstacle(path) or InputError(
            f"{path}: {error}", remedy="check the disk, its space and your quota, and run again; nothing was lost"
        )
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL):
        return Busy(f"{path}: {error}", remedy="try again")
    garbled = isinstance(error, UnicodeDecodeError)
    return IndexDamaged(f"{path}: {'its schema is garbled' if garbled else error}", remedy=rebuild_remedy(path.parent))
