"""Locks between processes: a file that one process at a time holds, and that tells which."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from rerank_cli.errors import Busy
from rerank_cli.places import open_private
from rerank_cli.regular import open_regular

POLL_S = 0.05

GLANCE_S = 0.2
"""Who asks whether a lock is held holds it for a moment; one held for longer is at work."""


class WriteLock(NamedTuple):
    """Whether a process holds a lock now, and which, where that is known."""

    held: bool
    pid: int | None = None


def look(path: Path) -> WriteLock:
    """Who holds the lock *path* now.

    Raises:
        OSError: the lock is there and cannot be looked at.
    """
    try:
        with open_regular(path) as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
                return WriteLock(held=False)
            except BlockingIOError:
                pid = lock.read(32).strip()
                return WriteLock(held=True, pid=int(pid) if pid.isdigit() else None)
    except FileNotFoundError:
        return WriteLock(held=False)


def take(descriptor: int, *, wait_s: float, waiting: Callable[[], None] = lambda: None) -> bool:
    """Take the lock on the file open as *descriptor*, and write into it who has it.

    False where another process has held it for longer than *wait_s*; until then, *waiting* is called again and again.
    """
    deadline = time.monotonic() + max(wait_s, GLANCE_S)
    while not _taken(descriptor):
        if time.monotonic() >= deadline:
            return False
        waiting()
        time.sleep(POLL_S)
    with suppress(OSError):  # a full disk: the lock holds without a name in it
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
    return True


@contextmanager
def locked(
    path: Path, *, busy: str, remedy: str, wait_s: float = 0.0, waiting: Callable[[], None] = lambda: None
) -> Iterator[None]:
    """Hold the lock *path*, a private file that is made where it is missing.

    Raises:
        Busy: another process has held it for longer than *wait_s*; it says *busy*, who that is, and *remedy*.
    """
    with open(path, "a", opener=open_private) as lock:
        if not take(lock.fileno(), wait_s=wait_s, waiting=waiting):
            pid = look(path).pid
            raise Busy(f"{busy} (process {pid})" if pid else busy, remedy=remedy)
        yield


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in (errno.EAGAIN, errno.EACCES):
            raise
        return False
    return True
