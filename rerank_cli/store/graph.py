"""The only door to hnswlib: an HNSW graph (Malkov and Yashunin, 2018) over rows of the vectors, on the disk."""

from __future__ import annotations

import errno
import os
import zlib
from io import BufferedReader
from pathlib import Path

import hnswlib
import numpy as np

from rerank_cli.arrays import Vectors
from rerank_cli.places import make_private_file, sync
from rerank_cli.regular import open_regular
from rerank_cli.store.access import damaged, telling
from rerank_cli.store.pins import GraphPin
from rerank_cli.store.vectors import Rows, Scores

M = 24
EF_CONSTRUCTION = 200
EF_SHARE = 3
"""How many vectors a search of the graph holds in view for each one asked for. Clustered vectors lose recall at less:
of 100,000, the nearest 1000 are found to 0.969 at a share of 2 and to 0.985 at 3."""

READ_AT_ONCE = 4 * 1024 * 1024


class GraphExhausted(Exception):
    """The graph cannot reach as many vectors as were asked for; an exact scan can."""


class Graph:
    """A graph of the first rows of the vectors, under their row numbers."""

    def __init__(self, *, dimensions: int) -> None:
        self._library = hnswlib.Index(space="ip", dim=dimensions)
        self._is_empty = True

    def __len__(self) -> int:
        return int(self._library.get_current_count())

    def search(self, vector: Vectors, wanted: int) -> tuple[Rows, Scores]:
        """The *wanted* rows nearest to *vector*, best first, with their cosines.

        Raises:
            GraphExhausted: fewer of them are within reach.
        """
        wanted = min(wanted, len(self))
        self._library.set_ef(EF_SHARE * wanted)
        try:
            rows, distances = self._library.knn_query(vector, k=wanted, num_threads=1)
        except RuntimeError as error:  # hnswlib: "Cannot return the results in a contiguous 2D array"
            raise GraphExhausted(str(error)) from error
        return rows[0].astype(np.int64), 1.0 - distances[0]

    def make_room(self, rows: int) -> None:
        """Be ready to hold *rows* in all."""
        if self._is_empty:
            self._library.init_index(max_elements=rows, M=M, ef_construction=EF_CONSTRUCTION, random_seed=17)
            self._is_empty = False
        else:
            self._library.resize_index(rows)

    def add(self, vectors: Vectors) -> None:
        """Add *vectors*, shape (n, dimensions), as the rows that come next.

        One thread builds: several would build another graph each time.
        """
        count = len(self)
        self._library.add_items(vectors, np.arange(count, count + len(vectors)), num_threads=1)

    def save(self, path: Path, *, vectors: str) -> GraphPin:
        """Write to *path* and make sure that it lies on the disk.

        hnswlib writes on where the disk is full and says nothing: only the size gives it away.

        Raises:
            OSError, RuntimeError: it cannot be written.
        """
        partial = path.with_name(f"{path.name}.partial")
        make_private_file(partial)
        self._library.save_index(str(partial))
        sync(partial)
        if partial.stat().st_size != self._library.index_file_size():
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(partial))
        with partial.open("rb") as file:
            size_bytes, crc32 = _size_and_crc32(file)
        partial.replace(path)
        sync(path.parent)
        return GraphPin(path.name, vectors, len(self), size_bytes, crc32)


def open_graph(folder: Path, pin: GraphPin) -> BufferedReader:
    """Open what `save` wrote. Who has it open can load it, whatever becomes of its name meanwhile.

    Raises:
        IndexDamaged: the file is missing or cannot be read.
        InputError: this process or machine can open no more files.
    """
    path = folder / pin.name
    with telling(path):
        return open_regular(path)


def load_graph(file: BufferedReader, pin: GraphPin, *, dimensions: int) -> Graph:
    """Load what `save` wrote, and nothing else: hnswlib believes any bytes, and crashes over some.

    Raises:
        IndexDamaged: the file is not what was written.
    """
    check_graph(file, pin)
    path = Path(file.name)
    graph = Graph(dimensions=dimensions)
    with telling(path):
        os.close(os.dup(file.fileno()))  # hnswlib does not say why it cannot open it
        try:
            graph._library.load_index(f"/dev/fd/{file.fileno()}")
            graph._is_empty = False
        except RuntimeError as error:
            raise damaged(path, str(error)) from error
    return graph


def check_graph(file: BufferedReader, pin: GraphPin) -> None:
    """Read the whole *file*, and raise IndexDamaged where it is not what *pin* names."""
    path = Path(file.name)
    with telling(path):
        if _size_and_crc32(file) != (pin.size_bytes, pin.crc32):
            raise damaged(path, "is not what was written")


def _size_and_crc32(file: BufferedReader) -> tuple[int, int]:
    size_bytes = crc32 = 0
    file.seek(0)
    while content := file.read(READ_AT_ONCE):
        size_bytes += len(content)
        crc32 = zlib.crc32(content, crc32)
    file.seek(0)
    return size_bytes, crc32
