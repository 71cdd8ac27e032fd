"""The catalog's tables in SQLite: files, documents, passages, their words (FTS5) and their vectors."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from urllib.parse import quote

from rerank_cli.errors import Busy, IndexDamaged, InputError

SCHEMA = """
CREATE TABLE manifest (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE files (
    path TEXT PRIMARY KEY,
    size_bytes INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    content_hash BLOB NOT NULL,
    reader TEXT NOT NULL,
    failure TEXT
) WITHOUT ROWID;
CREATE TABLE documents (
    id INTEGER PRIMARY KEY,
    document_id TEXT NOT NULL,
    path TEXT NOT NULL REFERENCES files (path) ON DELETE CASCADE,
    title TEXT NOT NULL,
    UNIQUE (path, document_id)
);
CREATE TABLE vectors (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    fingerprint TEXT NOT NULL,
    text_hash BLOB NOT NULL,
    vector BLOB NOT NULL,
    UNIQUE (fingerprint, text_hash)
);
CREATE TABLE passages (
    id INTEGER PRIMARY KEY,
    document INTEGER NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
    ordinal INTEGER NOT NULL,
    first_line INTEGER NOT NULL,
    last_line INTEGER NOT NULL,
    headings TEXT NOT NULL,
    text TEXT NOT NULL,
    vector INTEGER NOT NULL REFERENCES vectors (id),
    UNIQUE (document, ordinal)
);
CREATE INDEX passages_by_vector ON passages (vector);
CREATE VIRTUAL TABLE words USING fts5 (
    headings, text, content = 'passages', content_rowid = 'id',
    tokenize = 'porter unicode61 remove_diacritics 2'
);
CREATE TRIGGER passage_added AFTER INSERT ON passages BEGIN
    INSERT INTO words (rowid, headings, text) VALUES (new.id, new.headings, new.text);
END;
CREATE TRIGGER passage_removed AFTER DELETE ON passages BEGIN
    INSERT INTO words (words, rowid, headings, text) VALUES ('delete', old.id, old.headings, old.text);
END;
"""

BUSY_TIMEOUT_S = 30.0
"""Readers never wait; this is for the moment in which SQLite folds its write-ahead log back."""

UNWRITABLE = (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR)
"""How SQLite tells that it could not make a file beside the catalog; a full disk shows up as an I/O error."""


def connect(path: Path, *, create: bool = False) -> sqlite3.Connection:
    """Open the catalog at *path*; transactions are begun by the caller.

    Raises:
        IndexDamaged: the file is no SQLite database, or cannot be opened.
    """
    try:
        connection = sqlite3.connect(path, isolation_level=None, timeout=BUSY_TIMEOUT_S)
    except sqlite3.Error as error:
        raise catalog_error(path, error) from error
    try:
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA recursive_triggers = ON")
        if create:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
    except sqlite3.Error as error:
        connection.close()
        raise catalog_error(path, error) from error
    return connection


def connect_to_read(path: Path) -> sqlite3.Connection:
    """Open the catalog at *path* for reading, also where nothing can be written.

    A reader of a write-ahead log makes a file beside it, which a disk that is read-only or full does not allow.
    Where that log holds nothing, the catalog is read as a file that does not change.

    Raises:
        IndexDamaged: the file is no SQLite database, or cannot be opened.
    """
    connection = connect(path)
    try:
        connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
        return connection
    except sqlite3.Error as error:
        connection.close()
        if _code(error) not in UNWRITABLE or _has_log(path):
            raise catalog_error(path, error) from error
    address = f"file:{quote(os.fsencode(path))}?mode=ro&immutable=1"
    try:
        return sqlite3.connect(address, isolation_level=None, uri=True)
    except sqlite3.Error as error:
        raise catalog_error(path, error) from error


def _has_log(path: Path) -> bool:
    log = path.with_name(f"{path.name}-wal")
    return log.exists() and log.stat().st_size > 0


def _code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF


def check_pages(path: Path, connection: sqlite3.Connection) -> None:
    """Read every page of the catalog at *path*.

    Raises:
        IndexDamaged: one of them is broken.
    """
    try:
        verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.Error as error:
        raise catalog_error(path, error) from error
    if verdict != "ok":
        raise IndexDamaged(f"{path}: {verdict}", remedy="build it anew: rerank-cli index --rebuild FOLDER")


def catalog_error(path: Path, error: sqlite3.Error) -> IndexDamaged | Busy | InputError:
    """What an error of SQLite's means to the user."""
    code = _code(error)
    if code == sqlite3.SQLITE_FULL:
        return InputError(f"{path.parent}: the disk is full", remedy="free some space and run again; nothing was lost")
    if code == sqlite3.SQLITE_IOERR:  # a quota and a file size limit show up here, not under SQLITE_FULL
        return InputError(f"{path}: {error}", remedy="check the disk, its space and your quota; nothing was lost")
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN):
        return InputError(f"{path}: {error}", remedy="check that the folder exists and is writable")
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return Busy(f"{path}: {error}", remedy="try again")
    return IndexDamaged(f"{path}: {error}", remedy="build it anew: rerank-cli index --rebuild FOLDER")
