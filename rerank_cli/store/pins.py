"""What a generation says of the files beside the catalog that it rests on: enough to believe no others."""

from __future__ import annotations

import re
import zlib
from pathlib import Path
from typing import NamedTuple

from rerank_cli.regular import open_regular

NAME = re.compile(r"([0-9a-f]{16})-([0-9]+)-([0-9]+)")
"""Of an encoder's vectors: from its fingerprint, the dimensions, and how often the files were written anew."""

READ_AT_ONCE = 1024 * 1024


class VectorsPin(NamedTuple):
    """The name of the vectors' two files, the rows that count, and the CRC-32 of their keys and of the rows themselves.

    The last is None in a generation of a program that did not count it.
    """

    name: str
    rows: int
    keys_crc32: int
    matrix_crc32: int | None = None

    def fits(self, folder: Path) -> bool:
        """Whether both files in *folder* are to the byte what was written, with no row behind those that count.

        Where they are not, each row can still be held against its key.
        """
        if self.matrix_crc32 is None:
            return False
        try:
            found = [_crc32_of(folder / f"{self.name}.{part}") for part in ("keys", "vectors")]
        except OSError:
            return False
        return found == [self.keys_crc32, self.matrix_crc32]


class GraphPin(NamedTuple):
    """A graph's file, which holds the first `rows` rows of the vectors called `vectors`.

    Rows that no passage uses any more stay in it.
    """

    name: str
    vectors: str
    rows: int
    size_bytes: int
    crc32: int


def _crc32_of(path: Path) -> int:
    crc32 = 0
    with open_regular(path) as file:
        while content := file.read(READ_AT_ONCE):
            crc32 = zlib.crc32(content, crc32)
    return crc32
