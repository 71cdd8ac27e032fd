"""The only door to hnswlib: nearest vectors by cosine similarity.

Up to `EXACT_LIMIT` vectors the search is an exact scan: it reads no more bytes than loading a graph
would, answers in milliseconds, and gives the same answer whatever was added and removed before. Above it,
an HNSW graph (Malkov and Yashunin, 2018) is searched.
"""

from __future__ import annotations

import errno
import math
import os
import struct
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from io import BufferedReader
from pathlib import Path

import hnswlib
import numpy as np
from numpy.typing import NDArray

from rerank_cli.errors import IndexDamaged, in_words
from rerank_cli.records import Vectors
from rerank_cli.regular import open_regular
from rerank_cli.store.access import SCARCE, cannot
from rerank_cli.store.catalog import mend_remedy

EXACT_LIMIT = 100_000
"""A scan of 100,000 x 384 takes about 10 ms, while loading a graph of them takes more than 100 ms and building it
minutes."""

M = 24
EF_CONSTRUCTION = 200
EF_SHARE = 2
"""How many vectors a search of the graph holds in view for each one asked for. Clustered text vectors lose recall at
less: of 60,000, the nearest 1000 are found to 0.96 at a share of 1 and to 0.99 at 2."""

COMPACTION_SHARE = 0.2
"""Deleted vectors stay in a graph and slow it; past this share it is built anew."""

ROWS_AT_ONCE = 1000
"""Vectors copied at a time, so that a load takes little memory beside that of the vectors."""

READ_AT_ONCE = 4 * 1024 * 1024

FLAT_HEAD_BYTES = 24
"""A flat file begins with its capacity, the size of a vector with its label, and their count; then they come."""

GRAPH_HEAD = struct.Struct("<6QiI3QdQ")
"""What hnswlib writes before a graph: where things lie in an element, capacity, count, sizes, entry point and links."""

MOST_LINKS = 1000
MOST_CONSTRUCTION = 100_000
"""Far beyond what anybody builds with; hnswlib would believe any number, and ask for as much memory."""

Labels = NDArray[np.int64]


class GraphExhausted(Exception):
    """The graph cannot reach as many live vectors as were asked for; an exact scan can."""


class VectorIndex:
    """An index of unit vectors under integer labels."""

    def __init__(self, *, dimensions: int, exact: bool) -> None:
        self.exact = exact
        self._dimensions = dimensions
        kind = hnswlib.BFIndex if exact else hnswlib.Index
        self._library = kind(space="ip", dim=dimensions)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def search(self, vector: Vectors, depth: int) -> list[tuple[int, float]]:
        """The *depth* nearest (label, cosine), and whatever ties with the last of them."""
        wanted = min(self._count, depth + 16)
        while wanted:
            labels, distances = self._query(vector, wanted)
            if wanted == self._count or len(labels) <= depth or distances[-1] > distances[depth - 1]:
                last = distances[min(depth, len(labels)) - 1]
                near = distances <= last
                return [(int(n), 1.0 - float(d)) for n, d in zip(labels[near], distances[near], strict=True)]
            wanted = min(self._count, wanted * 2)
        return []

    def _query(self, vector: Vectors, wanted: int) -> tuple[Labels, Vectors]:
        if not self.exact:
            self._library.set_ef(EF_SHARE * wanted)
        try:
            labels, distances = self._library.knn_query(vector, k=wanted, num_threads=1)
        except RuntimeError as error:  # hnswlib: "Cannot return the results in a contiguous 2D array"
            raise GraphExhausted(str(error)) from error
        order = np.argsort(distances[0], kind="stable")
        return labels[0][order].astype(np.int64), distances[0][order]

    def amend(self, *, removed: Labels, labels: Labels, vectors: Vectors, exact_limit: int = EXACT_LIMIT) -> bool:
        """Take *removed* out and add *vectors* under *labels*; False where building anew serves better."""
        total = self._library.get_current_count()
        live = self._count - len(removed) + len(labels)
        dead = total - (self._count - len(removed))
        if self.exact or live <= exact_limit or dead > COMPACTION_SHARE * total:
            return False
        for label in removed:
            self._library.mark_deleted(int(label))
        self._library.resize_index(total + len(labels))
        if len(labels):
            self._library.add_items(vectors, labels, num_threads=1)
        self._count = live
        return True

    def save(self, path: Path) -> int:
        """Write to *path* and make sure that it lies on the disk; its size in bytes.

        hnswlib writes on where the disk is full and says nothing: only the size gives it away.
        """
        self._library.save_index(str(path))
        with path.open("rb") as file:
            os.fsync(file.fileno())
        size_bytes = path.stat().st_size
        if size_bytes != self._saved_size_bytes():
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return size_bytes

    def _saved_size_bytes(self) -> int:
        """What a whole file takes."""
        if self.exact:
            return FLAT_HEAD_BYTES + max(1, self._count) * (4 * self._dimensions + 8)
        return int(self._library.index_file_size())


def build(labels: Labels, vectors: Vectors, *, exact_limit: int = EXACT_LIMIT) -> VectorIndex:
    """Index *vectors*, shape (n, dimensions), under *labels*, shape (n,); as a graph above *exact_limit* of them.

    One thread builds: several would build another graph each time.
    """
    index = VectorIndex(dimensions=vectors.shape[1], exact=len(labels) <= exact_limit)
    if index.exact:
        index._library.init_index(max_elements=max(1, len(labels)))
    else:
        index._library.init_index(max_elements=len(labels), M=M, ef_construction=EF_CONSTRUCTION, random_seed=17)
    if len(labels):
        if index.exact:
            index._library.add_items(vectors, labels)
        else:
            index._library.add_items(vectors, labels, num_threads=1)
    index._count = len(labels)
    return index


def open_saved(path: Path, *, size_bytes: int) -> BufferedReader:
    """Open what `save` wrote. Who has it open can load it, whatever becomes of its name meanwhile.

    hnswlib reads a cut file or a wrong dimension without complaint; the size gives both away.

    Raises:
        IndexDamaged: the file is missing or is not the one that was saved.
        InputError: this process or machine can open no more files.
    """
    with ExitStack() as opened:
        try:
            file = opened.enter_context(open_regular(path))
            found = os.fstat(file.fileno()).st_size
        except FileNotFoundError as error:
            raise IndexDamaged(f"{path}: is missing", remedy=mend_remedy(path.parent)) from error
        except OSError as error:
            if error.errno in SCARCE:
                raise cannot("read", path, error) from error
            raise IndexDamaged(
                f"{path}: cannot be read ({in_words(error)})", remedy=mend_remedy(path.parent)
            ) from error
        if found != size_bytes:
            raise IndexDamaged(f"{path}: has {found} bytes in place of {size_bytes}", remedy=mend_remedy(path.parent))
        opened.pop_all()
        return file


def load(path: Path, *, dimensions: int, count: int, exact: bool, size_bytes: int) -> VectorIndex:
    """Load what `save` wrote, as `open_saved` and `load_opened` do."""
    with open_saved(path, size_bytes=size_bytes) as file:
        return load_opened(file, dimensions=dimensions, count=count, exact=exact)


def load_opened(file: BufferedReader, *, dimensions: int, count: int, exact: bool) -> VectorIndex:
    """Load what `open_saved` opened; *count* live vectors are expected in it.

    Raises:
        IndexDamaged: it is not what was saved.
    """
    check_opened(file, dimensions=dimensions, count=count, exact=exact)
    index = VectorIndex(dimensions=dimensions, exact=exact)
    with _telling(Path(file.name)):
        if exact:
            _load_flat(index, file, count)
        else:
            _load_graph(index, file)
    index._count = count
    return index


def check_opened(file: BufferedReader, *, dimensions: int, count: int, exact: bool) -> None:
    """Make sure that what `open_saved` opened says of itself what was saved, which takes no look at the vectors.

    hnswlib believes whatever a graph says of its sizes, and crashes where that is wrong.

    Raises:
        IndexDamaged: it does not.
    """
    with _telling(Path(file.name)):
        file.seek(0)
        if not (_is_flat(file, dimensions, count) if exact else _is_graph(file, dimensions, count)):
            raise RuntimeError("is no file of these vectors")


def _is_flat(file: BufferedReader, dimensions: int, count: int) -> bool:
    return file.read(FLAT_HEAD_BYTES) == struct.pack("<3Q", max(1, count), 4 * dimensions + 8, count)


def _is_graph(file: BufferedReader, dimensions: int, count: int) -> bool:
    head = file.read(GRAPH_HEAD.size)
    if len(head) < GRAPH_HEAD.size:
        return False
    start, capacity, total, element_bytes, label_at, vector_at, level, entry, links, links_at_0, m, scale, ef = (
        GRAPH_HEAD.unpack(head)
    )
    return (
        1 < m <= MOST_LINKS
        and (links, links_at_0) == (m, 2 * m)
        and (start, vector_at) == (0, 4 + 4 * links_at_0)
        and (label_at, element_bytes) == (vector_at + 4 * dimensions, vector_at + 4 * dimensions + 8)
        and math.isclose(scale, 1 / math.log(m))
        and m <= ef <= MOST_CONSTRUCTION
        and entry < total == capacity >= count
        and _has_levels(file, total, element_bytes, link_bytes=4 + 4 * links, entry=entry, level=level)
    )


def _has_levels(
    file: BufferedReader, total: int, element_bytes: int, *, link_bytes: int, entry: int, level: int
) -> bool:
    """Whether the links above the elements end with the file, and the search enters where they reach highest."""
    size_bytes = os.fstat(file.fileno()).st_size
    start = GRAPH_HEAD.size + total * element_bytes
    if start > size_bytes:
        return False
    file.seek(start)
    words = np.frombuffer(file.read(), dtype="<u4") if (size_bytes - start) % 4 == 0 else np.zeros(0, dtype="<u4")
    filled = np.flatnonzero(words)
    place = element = highest = entered = 0
    while (turn := int(np.searchsorted(filled, place))) < len(filled):  # most elements have no links up there
        element += int(filled[turn]) - place
        place = int(filled[turn])
        length = int(words[place])
        highest = max(highest, length // link_bytes)
        if element == entry:
            entered = length // link_bytes
        if length % link_bytes:
            return False
        place += 1 + length // 4
        element += 1
    return element + len(words) - place == total and entered == highest == level


@contextmanager
def _telling(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, RuntimeError) as error:
        if isinstance(error, OSError) and error.errno in SCARCE:
            raise cannot("read", path, error) from error
        raise IndexDamaged(f"{path}: {in_words(error)}", remedy=mend_remedy(path.parent)) from error


def _load_graph(index: VectorIndex, file: BufferedReader) -> None:
    """Have hnswlib read a graph after ourselves: it does not say why it cannot open it, and crashes if a read fails."""
    os.close(os.dup(file.fileno()))
    buffer = bytearray(READ_AT_ONCE)
    while file.readinto(buffer):
        pass
    file.seek(0)
    index._library.load_index(f"/dev/fd/{file.fileno()}")


def _load_flat(index: VectorIndex, file: BufferedReader, count: int) -> None:
    """Read the vectors ourselves: hnswlib opens a flat file by its name, and crashes where that fails."""
    row = np.dtype([("vector", "<f4", index._dimensions), ("label", "<u8")])
    index._library.init_index(max_elements=max(1, count))
    file.seek(FLAT_HEAD_BYTES)
    for start in range(0, count, ROWS_AT_ONCE):
        wanted = min(ROWS_AT_ONCE, count - start)
        rows = np.frombuffer(file.read(wanted * row.itemsize), dtype=row)
        if len(rows) < wanted:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        index._library.add_items(rows["vector"], rows["label"].astype(np.int64))
