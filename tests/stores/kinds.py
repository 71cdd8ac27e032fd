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

KINDS = ("local", "memory", "milvus")

HAS_MILVUS = all(map(find_spec, ("pymilvus", "milvus_lite")))

needs_milvus = pytest.mark.skipif(not HAS_MILVUS, reason="the extra milvus is not installed")

EVERY_KIND = [pytest.param(kind, marks=needs_milvus) if kind == "milvus" else kind for kind in KINDS]


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


def store_maker(kind: str, folder: Path, database: Path) -> NewStore:
    """What makes one empty store of this *kind* after another; those in Milvus lie in one embedded *database*."""
    numbers = itertools.count()

    def make() -> Store:
        if kind == "memory":
            return InMemory()
        number = next(numbers)
        name = re.sub(r"[\W_]+", "_", f"t_{folder.name}_{number}")  # which no other test has
        address = f"milvus+file:{database}/{name}" if kind == "milvus" else ""
        return OnDisk(folder / f"index-{number}", address)

    return make
