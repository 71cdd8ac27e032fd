"""What a generation says of the files beside the catalog that it rests on: enough to believe no others."""

from __future__ import annotations

import re
from dataclasses import dataclass

NAME = re.compile(r"([0-9a-f]{16})-([0-9]+)-([0-9]+)")
"""Of an encoder's vectors: from its fingerprint, the dimensions, and how often the files were written anew."""


@dataclass(frozen=True, slots=True)
class VectorsPin:
    """The name of the vectors' two files, the rows that count, and the CRC-32 of their keys."""

    name: str
    rows: int
    keys_crc32: int


@dataclass(frozen=True, slots=True)
class GraphPin:
    """A graph's file, which holds the first `rows` rows of the vectors called `vectors`.

    Rows that no passage uses any more stay in it.
    """

    name: str
    vectors: str
    rows: int
    size_bytes: int
    crc32: int
