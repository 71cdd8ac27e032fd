"""The lock of an index: one process writes it, and others can ask which."""

from __future__ import annotations

from pathlib import Path

from rerank_cli.errors import Busy, IndexDamaged, InputError
from rerank_cli.locks import WriteLock, look, take
from rerank_cli.store.access import cannot
from rerank_cli.store.layout import Layout


def write_lock(folder: Path) -> WriteLock:
    """Who writes the index in *folder* now.

    Raises:
        IndexDamaged: a folder stands in its place.
        InputError: it cannot be looked at.
    """
    try:
        return look(Layout(folder).lock)
    except OSError as error:
        raise cannot("read", Layout(folder).lock, error) from error


def is_held(folder: Path) -> bool:
    """Whether a process is known to write the index in *folder* now."""
    try:
        return write_lock(folder).held
    except (InputError, IndexDamaged):
        return False


def acquire(descriptor: int, folder: Path, wait_s: float) -> None:
    """Take the lock of *folder*, open as *descriptor*, and write into it who has it.

    Raises:
        Busy: another process has held it for longer than *wait_s*.
    """
    if not take(descriptor, wait_s=wait_s):
        raise Busy(f"{folder}: another process is writing this index", remedy="try again, or wait longer with --wait-s")
