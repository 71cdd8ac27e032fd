"""Every store that there is, opened in one way, so that one suite runs over all of them."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

import pytest

from rerank_cli.ports import Index, IndexWriter
from rerank_cli.store import open_reader, open_writer
from tests.memory_index import Memory, MemoryIndex, MemoryWriter

KINDS = ("local", "memory", "milvus", "milvus over gRPC")

HAS_MILVUS = all(map(find_spec, ("pymilvus", "milvus_lite")))

needs_milvus = pytest.mark.skipif(not HAS_MILVUS, reason="the extra milvus is not installed")

EVERY_KIND = [pytest.param(kind, marks=needs_milvus) if "milvus" in kind else kind for kind in KINDS]


class Store(Protocol):
    """An index somewhere. `counts_words_alike` says that its BM25 is the local store's to the last digit."""

    counts_words_alike: bool

    def writer(self, *, wait_s: float = 0.0) -> AbstractContextManager[IndexWriter]: ...
    def reader(self) -> AbstractContextManager[Index]: ...


class OnDisk:
    """The local store, or with an *address* the one that this names."""

    def __init__(self, folder: Path, address: str = "") -> None:
        self.folder = folder
        self.address = address
        self.counts_words_alike = not address

    def writer(self, *, wait_s: float = 0.0) -> AbstractContextManager[IndexWriter]:
        return open_writer(self.folder, wait_s=wait_s, store=self.address)

    def reader(self) -> AbstractContextManager[Index]:
        return open_reader(self.folder)


class InMemory:
    counts_words_alike = True

    def __init__(self) -> None:
        self._memory = Memory()

    def writer(self, *, wait_s: float = 0.0) -> AbstractContextManager[IndexWriter]:
        return nullcontext(MemoryWriter(self._memory))

    @contextmanager
    def reader(self) -> Iterator[Index]:
        yield MemoryIndex(self._memory)


NewStore = Callable[[], Store]


def store_maker(kind: str, request: pytest.FixtureRequest) -> NewStore:
    """What makes one empty store of this *kind* after another, each in a place that no other test has."""
    folder = request.getfixturevalue("tmp_path")
    milvus = ""
    if kind == "milvus":
        milvus = f"milvus+file:{request.getfixturevalue('database')}"
    elif kind == "milvus over gRPC":
        milvus = request.getfixturevalue("milvus_server")
    numbers = itertools.count()

    def make() -> Store:
        if kind == "memory":
            return InMemory()
        number = next(numbers)
        name = re.sub(r"[\W_]+", "_", f"t_{folder.name}_{number}")
        return OnDisk(folder / f"index-{number}", f"{milvus}/{name}" if milvus else "")

    return make
