"""Opens and measures a file only if it is one: a pipe that stands in its place would let us wait for ever."""

from __future__ import annotations

import errno
import os
import stat
from io import BufferedReader
from pathlib import Path

SCARCE = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)
"""What says nothing of a file: the system has no room to open any."""


def open_regular(path: str | Path) -> BufferedReader:
    """*path* for reading, links followed.

    Raises:
        OSError: it cannot be opened, or is no regular file.
    """
    return open(path, "rb", opener=open_without_waiting)


def open_without_waiting(path: str | Path, flags: int, mode: int = 0o666) -> int:
    """As `os.open`, but for a regular file alone; what is none fails as if it stood in the way of one."""
    try:
        descriptor = os.open(path, flags | os.O_NONBLOCK, mode)
    except OSError as error:
        if error.errno == errno.ENXIO:  # a pipe that nobody reads
            raise _in_the_way(path) from error
        raise
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    raise _in_the_way(path)


def check_regular(path: Path) -> None:
    """Raise OSError where *path* is a pipe or a device, for libraries that open by name and would wait."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return  # which the library says itself
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise _in_the_way(path)


def size_of(path: Path, *, follow_symlinks: bool = True) -> int:
    """The bytes of a regular file; 0 for what is none, and for what went away since it was listed."""
    try:
        status = path.stat(follow_symlinks=follow_symlinks)
    except (FileNotFoundError, NotADirectoryError):
        return 0
    return status.st_size if stat.S_ISREG(status.st_mode) else 0


def _in_the_way(path: str | Path) -> OSError:
    return FileExistsError(errno.EEXIST, "not a regular file", str(path))
