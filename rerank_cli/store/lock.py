"""The lock of an index: one process writes it, and others can ask which."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from rerank_cli.errors import Busy, InputError
from rerank_cli.store.access import cannot
from rerank_cli.store.layout import Layout

POLL_S = 0.05

GLANCE_S = 0.2
"""Who asks whether an index is being written holds its lock for a moment; one held for longer is a writer's."""


@dataclass(frozen=True, slots=True)
class WriteLock:
    """Whether a process holds an index for writing now, and which, where that is known."""

    held: bool
    pid: int | None = None


def write_lock(folder: Path) -> WriteLock:
    """Who writes the index in *folder* now.

    Raises:
        InputError: the lock is there and cannot be looked at.
    """
    try:
        with Layout(folder).lock.open("rb") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
                return WriteLock(held=False)
            except BlockingIOError:
                pid = lock.read(32).strip()
                return WriteLock(held=True, pid=int(pid) if pid.isdigit() else None)
    except FileNotFoundError:
        return WriteLock(held=False)
    except OSError as error:
        raise cannot("read", Layout(folder).lock, error) from error


def is_held(folder: Path) -> bool:
    """Whether a process is known to write the index in *folder* now."""
    try:
        return write_lock(folder).held
    except InputError:
        return False


def acquire(descriptor: int, folder: Path, wait_s: float) -> None:
    """Take the lock of *folder*, open as *descriptor*, and write into it who has it.

    Raises:
        Busy: another process has held it for longer than *wait_s*.
    """
    deadline = time.monotonic() + max(wait_s, GLANCE_S)
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EACCES):
                raise
        else:
            break
        if time.monotonic() >= deadline:
            raise Busy(
                f"{folder}: another process is writing this index", remedy="try again, or wait longer with --wait-s"
            )
        time.sleep(POLL_S)
    with suppress(OSError):  # a full disk: the lock holds without a name in it
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
