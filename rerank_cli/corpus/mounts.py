"""Which folders are mount points: a disk that is gone leaves an empty folder behind, which looks like deleted files."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

_TABLE = Path("/proc/self/mountinfo")
_POINT = 4
"""The column of a line of the table that names the mount point (proc(5))."""


def mount_test() -> Callable[[str | Path], bool]:
    """A function that says whether an absolute path without links is a mount point now.

    Linux has a table of them, which knows of one folder mounted over another of the same disk as well.
    """
    try:
        table = _TABLE.read_bytes()
    except OSError:
        return os.path.ismount
    points = {_decoded(line.split()[_POINT]) for line in table.splitlines()}
    return lambda path: os.fsencode(path) in points


def _decoded(name: bytes) -> bytes:
    r"""Blanks and backslashes are written as octal numbers: `\040`."""
    return name if b"\\" not in name else re.sub(rb"\\([0-7]{3})", lambda match: bytes([int(match[1], 8)]), name)
