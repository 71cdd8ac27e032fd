"""Files as rows of the catalog, and how much it holds in all."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence

from rerank_cli.ports import Counts, FileState
from rerank_cli.stamps import Stamp
from rerank_cli.store.layout import Layout

SELECT = (
    "SELECT path, size_bytes, mtime_ns, ctime_ns, inode, content_hash, reader, failure, notes, modified_at FROM files"
)

_DAMAGED = "!\n"


def file_states(connection: sqlite3.Connection, paths: Sequence[str] | None = None) -> dict[str, FileState]:
    """The files at *paths*, by default all, by path."""
    if paths is None:
        rows: Iterable[tuple] = connection.execute(f"{SELECT} ORDER BY path")  # type: ignore[type-arg]
    else:
        rows = (row for path in paths for row in connection.execute(f"{SELECT} WHERE path = ?", (path,)))
    states = {}
    make = tuple.__new__  # what both classes call; of tens of thousands of files, to be quick
    for path, size_bytes, mtime_ns, ctime_ns, inode, content_hash, reader, failure, text, modified_at in rows:
        notes, damaged = _noted(text) if text else ((), False)
        stamp = make(Stamp, (size_bytes, mtime_ns, ctime_ns, inode))
        states[path] = make(FileState, (path, stamp, content_hash, reader, failure, notes, modified_at, damaged))
    return states


def _noted(text: str) -> tuple[tuple[str, ...], bool]:
    """The notes in *text*, and whether the mark of a damaged file stands above them."""
    notes = text.removeprefix(_DAMAGED)
    return (tuple(notes.split("\n")) if notes else ()), notes != text


def insert_file(connection: sqlite3.Connection, state: FileState) -> None:
    """Add a file that is not there."""
    connection.execute(
        "INSERT INTO files (path, size_bytes, mtime_ns, ctime_ns, inode, content_hash, reader, failure, notes,"
        " modified_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(state.path, *state.stamp, state.content_hash, state.reader, state.failure),
            _DAMAGED * state.damaged + "\n".join(state.notes),
            state.modified_at,
        ),
    )


def update_files(connection: sqlite3.Connection, states: Sequence[FileState]) -> None:
    """Put *states* in the place of those under their paths; their documents stay."""
    connection.executemany(
        "UPDATE files SET size_bytes = ?, mtime_ns = ?, ctime_ns = ?, inode = ?, content_hash = ?, failure = ?,"
        " modified_at = ? WHERE path = ?",
        [(*state.stamp, state.content_hash, state.failure, state.modified_at, state.path) for state in states],
    )


def counts_of(layout: Layout, connection: sqlite3.Connection) -> Counts:
    """How much the index holds."""

    def count(query: str) -> int:
        return int(connection.execute(query).fetchone()[0])

    files, failed_files = connection.execute("SELECT count(*), count(failure) FROM files").fetchone()
    return Counts(
        files=files,
        failed_files=failed_files,
        documents=count("SELECT count(*) FROM documents"),
        passages=count("SELECT count(*) FROM passages"),
        size_bytes=layout.size_bytes(),
    )
