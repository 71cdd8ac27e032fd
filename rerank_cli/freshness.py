"""Whether a file on the disk is still the one that was read."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from rerank_cli.ports import FileState
from rerank_cli.regular import open_regular
from rerank_cli.stamps import Stamp, stamp_of

Staleness = Literal["gone", "changed"]


def is_same(location: str | Path, stamp: Stamp, state: FileState, *, verify: bool = False) -> bool:
    """Whether the file at *location* has the content that it had in *state*.

    Its content is compared where the stamp leaves a doubt, and always where *verify* asks for it.
    """
    if stamp == state.stamp and not verify:
        return True
    return stamp.size_bytes == state.stamp.size_bytes and content_hash(location) == state.content_hash


def content_hash(location: str | Path) -> bytes:
    """SHA-256 of the file; empty where it cannot be read, as in the state of such a file and of no other."""
    try:
        with open_regular(location) as file:
            return hashlib.file_digest(file, "sha256").digest()
    except OSError:
        return b""


def folder_of(root: Path) -> Path:
    """Where the paths of an index of *root* begin: there, or beside it where it is a file of its own."""
    return root.parent if os.path.isfile(root) else root  # noqa: PTH113 - pathlib's raises where it may not look


def location_of(root: Path, path: str) -> Path:
    """Where the file *path* of the index of *root* lies."""
    return folder_of(root) / path


def stale_files(root: Path, states: Mapping[str, FileState]) -> dict[str, Staleness]:
    """Those of *states*, by path within *root*, whose files are gone or changed since they were read."""
    looked_at = {path: _staleness(root, path, state) for path, state in states.items()}
    return {path: staleness for path, staleness in looked_at.items() if staleness is not None}


def _staleness(root: Path, path: str, state: FileState) -> Staleness | None:
    try:
        location = location_of(root, path)
        stamp = stamp_of(location.stat())
    except (FileNotFoundError, NotADirectoryError):
        return "gone"
    except OSError as error:
        # a link to itself leads nowhere; all else is out of sight, and for all we know unchanged
        return "gone" if error.errno == errno.ELOOP else None
    return None if is_same(location, stamp, state) else "changed"
