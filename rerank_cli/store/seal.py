"""The seal of the catalog: what its file held when it was last written, so that nothing else is believed.

A writer breaks the seal before it changes the catalog and sets a new one when it is done. Whoever reads compares the
whole file with it, which costs a tenth of a second for 300 MB; SQLite has checks of its own for few of its pages.
"""

from __future__ import annotations

import json
import os
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path

from rerank_cli.places import replace_whole
from rerank_cli.regular import open_regular, open_without_waiting

READ_AT_ONCE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Seal:
    """`size_bytes` and `crc32` of the catalog of a `generation` whose index was made of `root`.

    `broken` while the catalog is written, and where a writer could not end: both numbers say nothing then.
    """

    root: str
    generation: int
    broken: bool
    size_bytes: int = 0
    crc32: int = 0


def read_seal(path: Path) -> Seal | None:
    """The seal at *path*; None where it is missing, or is not what was written."""
    try:
        with open_regular(path) as file:
            line, check = file.read().split(b"\n")
        return Seal(**json.loads(line)) if int(check, 16) == zlib.crc32(line) else None
    except (OSError, ValueError, TypeError):
        return None


def write_seal(path: Path, seal: Seal) -> None:
    """Put *seal* at *path*, onto the disk."""
    line = json.dumps(asdict(seal)).encode()
    replace_whole(path, b"%b\n%08x" % (line, zlib.crc32(line)), synced=True)


def seal_of(catalog: Path, *, root: str, generation: int) -> Seal:
    """The seal of the file *catalog* as it is now."""
    crc32 = size_bytes = 0
    descriptor = _kept_open(catalog)
    while content := os.pread(descriptor, READ_AT_ONCE, size_bytes):
        crc32 = zlib.crc32(content, crc32)
        size_bytes += len(content)
    return Seal(root, generation, broken=False, size_bytes=size_bytes, crc32=crc32)


def fits(seal: Seal, catalog: Path) -> bool:
    """Whether the file *catalog* is what was sealed."""
    if catalog.stat().st_size != seal.size_bytes:
        return False
    return seal_of(catalog, root=seal.root, generation=seal.generation) == seal


def _kept_open(catalog: Path) -> int:
    """A descriptor of *catalog* that stays open to the end of the process.

    Closing any descriptor of a file drops all locks that this process holds on it (POSIX), SQLite's among them: a
    process elsewhere that ends its work would take itself for the last one, fold the log back and remove it, and a
    reader here would go on in the midst of a generation that it did not open.
    """
    descriptor = _DESCRIPTORS.get(_file(catalog.stat()))
    if descriptor is None:
        descriptor = open_without_waiting(catalog, os.O_RDONLY | os.O_CLOEXEC)
        _DESCRIPTORS[_file(os.fstat(descriptor))] = descriptor
    return descriptor


def _file(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


_DESCRIPTORS: dict[tuple[int, int], int] = {}
"""By device and number of the file, which no other file can have while it is open."""
