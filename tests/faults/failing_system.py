"""A system in which one call that touches the disk fails: the n-th, and only there."""

from __future__ import annotations

import builtins
import errno
import fcntl
import io
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

ERRORS = (errno.EIO, errno.EACCES, errno.ENOENT, errno.ENOSPC)

CALLS = (
    "access", "chmod", "fstat", "fsync", "ftruncate", "link", "listdir", "lstat", "mkdir", "open", "readlink", "remove",
    "rename", "replace", "rmdir", "scandir", "stat", "statvfs", "truncate", "unlink", "utime",
)  # fmt: skip


class FailingSystem:
    """Counts the calls that touch a file below *places*; the one whose number is `fails_at` fails, with `code`."""

    def __init__(self, places: list[Path]) -> None:
        self._places = tuple(f"{place}/" for place in places)
        self.fails_at = 0
        self.code = errno.EIO
        self.calls: list[str] = []

    def meets(self, name: str, *arguments: object) -> bool:
        """Count the call; whether it is the one to fail."""
        if not any(self._is_ours(argument) for argument in arguments):
            return False
        self.calls.append(f"{name} {arguments[0]}")
        return len(self.calls) == self.fails_at

    def error(self, path: object = None) -> OSError:
        words = os.strerror(self.code)
        return OSError(self.code, words) if path is None else OSError(self.code, words, path)

    def _is_ours(self, argument: object) -> bool:
        if isinstance(argument, int):
            try:
                argument = os.readlink.__wrapped__(f"/proc/self/fd/{argument}")  # type: ignore[attr-defined]
            except OSError:
                return False
        text = os.fsdecode(argument) if isinstance(argument, str | bytes | os.PathLike) else ""
        return f"{text.removeprefix('file:')}/".startswith(self._places)


@contextmanager
def failing_system(places: list[Path], *, fails_at: int = 0, code: int = errno.EIO) -> Iterator[FailingSystem]:
    """Let the *fails_at*-th call below *places* fail within this context; none if it is 0."""
    system = FailingSystem(places)
    system.fails_at, system.code = fails_at, code
    with pytest.MonkeyPatch.context() as patch:
        for name in ("readlink", *CALLS):
            if hasattr(getattr(os, name), "__wrapped__"):
                continue
            patch.setattr(os, name, _failing(system, name, getattr(os, name)))
        patch.setattr(fcntl, "flock", _failing(system, "flock", fcntl.flock))
        opened = _failing_open(system, io.open)
        patch.setattr(io, "open", opened)
        patch.setattr(builtins, "open", opened)
        patch.setattr(sqlite3, "connect", _failing_connect(system, sqlite3.connect))
        yield system


def _failing(system: FailingSystem, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
    def call(*arguments: Any, **options: Any) -> Any:
        if system.meets(name, *arguments):
            if name == "access":
                return False
            raise system.error(arguments[0] if not isinstance(arguments[0], int) and name != "flock" else None)
        return real(*arguments, **options)

    call.__wrapped__ = real  # type: ignore[attr-defined]
    return call


def _failing_open(system: FailingSystem, real: Callable[..., Any]) -> Callable[..., Any]:
    def call(file: Any, *arguments: Any, **options: Any) -> Any:
        if system.meets("open", file):
            raise system.error(file)
        opened = real(file, *arguments, **options)
        return _FailingFile(system, opened) if system.meets("read or write", file) else opened

    return call


class _FailingFile:
    """An open file that gives nothing and takes nothing."""

    def __init__(self, system: FailingSystem, file: Any) -> None:
        self._system = system
        self._file = file

    def __getattr__(self, name: str) -> Any:
        if name in ("read", "readline", "readlines", "readinto", "write", "writelines", "truncate"):
            return self._fail
        return getattr(self._file, name)

    def __enter__(self) -> _FailingFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __iter__(self) -> Iterator[Any]:
        self._fail()
        yield

    def _fail(self, *_: object, **__: object) -> None:
        raise self._system.error()


def _failing_connect(system: FailingSystem, real: Callable[..., Any]) -> Callable[..., Any]:
    """Connections whose statements may fail, too; SQLite has its own words for what the system told it."""
    kinds: dict[type, type] = {}

    def refusal() -> sqlite3.OperationalError:
        words, code = {
            errno.ENOSPC: ("database or disk is full", sqlite3.SQLITE_FULL),
            errno.EACCES: ("attempt to write a readonly database", sqlite3.SQLITE_READONLY),
            errno.ENOENT: ("unable to open database file", sqlite3.SQLITE_CANTOPEN),
        }.get(system.code, ("disk I/O error", sqlite3.SQLITE_IOERR))
        error = sqlite3.OperationalError(words)
        error.sqlite_errorcode = code
        return error

    def kind_of(factory: type) -> type:
        class Failing(factory):  # type: ignore[misc, valid-type]
            place = ""

            def execute(self, statement: str, *arguments: Any) -> Any:
                if system.meets("execute", self.place, statement):
                    raise refusal()
                return super().execute(statement, *arguments)

            def executemany(self, statement: str, *arguments: Any) -> Any:
                if system.meets("executemany", self.place, statement):
                    raise refusal()
                return super().executemany(statement, *arguments)

        return kinds.setdefault(factory, Failing)

    def connect(database: Any, *arguments: Any, **options: Any) -> Any:
        place = os.fsdecode(database).removeprefix("file:").partition("?")[0]
        if system.meets("connect", place):
            raise refusal()
        options["factory"] = kind_of(options.get("factory", sqlite3.Connection))
        connection = real(database, *arguments, **options)
        connection.place = place
        return connection

    return connect
