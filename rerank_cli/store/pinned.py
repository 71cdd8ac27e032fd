"""A generation's vectors as they lie in their files, opened and held against what it says of them.

Not every command computes with them, so this does without numpy, which takes long to load.
"""

from __future__ import annotations

import mmap
import os
import zlib
from pathlib import Path
from typing import NamedTuple

from rerank_cli.regular import open_regular
from rerank_cli.store.access import damaged, telling
from rerank_cli.store.pins import NAME, VectorsPin

TEXT_BYTES = 16
"""Of the hash of a text."""

KEY_BYTES = TEXT_BYTES + 8
"""Of a row's key: the hash of its text, and a check of both."""


class PinnedVectors(NamedTuple):
    """What the two files called `name` in `folder` hold for a generation: its rows' keys, and the rows where they lie.

    The keys are what was written; of the matrix, only the size is known to be right.
    """

    folder: Path
    name: str
    keys: bytes
    matrix: bytes | mmap.mmap


def open_pinned(folder: Path, pin: VectorsPin) -> PinnedVectors:
    """Open the rows that *pin* names. The files may have grown since; what is in them never changes.

    Raises:
        IndexDamaged: the files are missing, cut short or others.
        InputError: this process or machine can open no more files.
    """
    if not pin.rows:
        return PinnedVectors(folder, pin.name, b"", b"")
    return PinnedVectors(folder, pin.name, _keys(folder, pin), _matrix(folder, pin))


def _keys(folder: Path, pin: VectorsPin) -> bytes:
    path = folder / f"{pin.name}.keys"
    wanted = pin.rows * KEY_BYTES
    with telling(path), open_regular(path) as file:
        content = file.read(wanted)
    if len(content) < wanted or zlib.crc32(content) != pin.keys_crc32:
        raise damaged(path, "is not what was written")
    return content


def _matrix(folder: Path, pin: VectorsPin) -> mmap.mmap:
    match = NAME.fullmatch(pin.name)
    assert match is not None, pin.name
    path = folder / f"{pin.name}.vectors"
    wanted = pin.rows * 4 * int(match[2])
    with telling(path), open_regular(path) as file:
        if (found := os.fstat(file.fileno()).st_size) < wanted:
            raise damaged(path, f"has {found} bytes in place of {wanted}")
        return mmap.mmap(file.fileno(), wanted, access=mmap.ACCESS_READ)
