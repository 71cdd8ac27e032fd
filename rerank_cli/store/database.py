"""Opens a file of SQLite's by its mode, and reads its bytes without taking SQLite's locks off it.

The system takes every lock that a process has on a file away as soon as the process closes any descriptor of it
(fcntl(2)). Another process would then fold the log into the file and remove it while we read or write by it.
"""

from __future__ import annotations

import os
import sqlite3
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from threading import RLock
from urllib.parse import quote

from rerank_cli.regular import check_regular, open_without_waiting

BUSY_TIMEOUT_S = 30.0
"""Readers never wait; this is for the moment in which SQLite folds its write-ahead log back."""

READ = "mode=rw"
"""A reader of a write-ahead log writes beside it; it never makes the file itself."""

MAKE = "mode=rwc"

UNCHANGING = "mode=ro&immutable=1"
"""For a file that nobody changes: nothing is written beside it."""

READ_AT_ONCE = 256 * 1024
"""What is summed while it is in the processor's cache."""

_File = tuple[int, int]
"""Device and inode."""

_guard = RLock()
_connections: Counter[_File] = Counter()
_spare: dict[_File, list[int]] = {}
"""Descriptors that `file_content` read from and that must not close before the connections to their files do."""


class Database(sqlite3.Connection):
    """A connection that is counted until it is closed."""

    file: _File | None = None

    def close(self) -> None:
        super().close()
        with _guard:
            file, self.file = self.file, None
            if file is not None:
                _connections[file] -= 1
                _close_if_alone(file)


def open_database(path: Path, mode: str, *, factory: type[Database] = Database) -> Database:
    """A connection to *path*, in which the caller begins every transaction.

    Raises:
        sqlite3.Error, OSError: it cannot be opened.
    """
    check_regular(path)
    address = f"file:{quote(os.fsencode(path))}?{mode}"
    with _guard:
        connection = sqlite3.connect(address, isolation_level=None, timeout=BUSY_TIMEOUT_S, uri=True, factory=factory)
        try:
            connection.file = _identity(path.stat())
        except BaseException:
            connection.close()
            raise
        _connections[connection.file] += 1
    return connection


def file_content(path: Path) -> Iterator[bytes]:
    """The bytes of the file *path*, part by part, whoever has it open.

    Raises:
        OSError: it cannot be read.
    """
    with _guard:
        descriptor, file = _descriptor(path)
    try:
        start = 0
        while content := os.pread(descriptor, READ_AT_ONCE, start):
            yield content
            start += len(content)
    finally:
        with _guard:
            _spare.setdefault(file, []).append(descriptor)
            _close_if_alone(file)


def _descriptor(path: Path) -> tuple[int, _File]:
    if spare := _spare.get(file := _identity(path.stat())):
        return spare.pop(), file
    descriptor = open_without_waiting(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return descriptor, _identity(os.fstat(descriptor))
    except OSError:
        _spare.setdefault(file, []).append(descriptor)
        _close_if_alone(file)
        raise


def _close_if_alone(file: _File) -> None:
    if not _connections[file]:
        del _connections[file]
        for descriptor in _spare.pop(file, ()):
            os.close(descriptor)


def _identity(status: os.stat_result) -> _File:
    return status.st_dev, status.st_ino
