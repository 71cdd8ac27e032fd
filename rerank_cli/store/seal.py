"""The seal of the catalog: what its file held when it was last written, so that nothing else is believed.

A writer breaks the seal before it changes the catalog and sets a new one when it is done. Whoever reads compares the
whole file with it, which costs a tenth of a second for 300 MB; SQLite has checks of its own for few of its pages.
"""

from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import NamedTuple

from rerank_cli.places import replace_whole
from rerank_cli.regular import SCARCE, open_regular
from rerank_cli.store.database import file_content
from rerank_cli.store.proved import is_proved, note


class Seal(NamedTuple):
    """`size_bytes` and `crc32` of the catalog of a `generation` whose index was made of `root`.

    `broken` while the catalog is written, and where a writer could not end: both numbers say nothing then.
    """

    root: str
    generation: int
    broken: bool
    size_bytes: int = 0
    crc32: int = 0


def read_seal(path: Path) -> Seal | None:
    """The seal at *path*; None where it is missing, or is not what was written.

    Raises:
        OSError: this process or machine can open no more files.
    """
    try:
        with open_regular(path) as file:
            line, check = file.read().split(b"\n")
        return Seal(**json.loads(line)) if int(check, 16) == zlib.crc32(line) else None
    except OSError as error:
        if error.errno in SCARCE:
            raise
        return None
    except (ValueError, TypeError):
        return None


def write_seal(path: Path, seal: Seal) -> None:
    """Put *seal* at *path*, onto the disk."""
    line = json.dumps(seal._asdict()).encode()
    replace_whole(path, b"%b\n%08x" % (line, zlib.crc32(line)), synced=True)


def seal_of(catalog: Path, *, root: str, generation: int) -> Seal:
    """The seal of the file *catalog* as it is now."""
    crc32 = size_bytes = 0
    for content in file_content(catalog):
        crc32 = zlib.crc32(content, crc32)
        size_bytes += len(content)
    return Seal(root, generation, broken=False, size_bytes=size_bytes, crc32=crc32)


def fits(seal: Seal, catalog: Path) -> bool:
    """Whether the file *catalog* is what was sealed."""
    if catalog.stat().st_size != seal.size_bytes:
        return False
    if is_proved([catalog], seal):
        return True
    if seal_of(catalog, root=seal.root, generation=seal.generation) != seal:
        return False
    note([catalog], seal)
    return True
