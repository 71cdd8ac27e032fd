"""Opens an index wherever it is kept: in its folder on this disk, or in an engine that the folder remembers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

from rerank_cli.ports import Index, IndexWriter
from rerank_cli.records import VectorSearch
from rerank_cli.store import opening as on_disk
from rerank_cli.store.elsewhere import Elsewhere, forget_elsewhere, read_elsewhere, remember_elsewhere
from rerank_cli.store.layout import Layout

ASKED_EVERY_S = 30.0
"""Seconds after which whoever goes on for long opens an index in an engine anew."""


class OpenIndex(Index, AbstractContextManager["OpenIndex"], Protocol):
    """An index that is let go of at the end."""


def open_reader(folder: Path) -> OpenIndex:
    """Open the index of *folder* at its current generation, wherever it is kept.

    Raises:
        UnusableIndex: there is none, or it cannot be used.
        InputError: it cannot be read or reached.
        Busy: it cannot be read before another process has ended.
    """
    kept = read_elsewhere(folder)
    if kept is None:
        return on_disk.open_reader(folder)
    from rerank_cli.store.milvus import opening as in_milvus
    from rerank_cli.store.milvus.address import parse_address

    return in_milvus.open_reader(parse_address(kept.address, collection=folder.name), folder)


def newest_generation(folder: Path) -> int | None:
    """Which generation `open_reader` would open now; None while a writer is at work, or where it cannot be known.

    Of an index in an engine it is a number that changes every `ASKED_EVERY_S`: to ask there costs a request.
    """
    if read_elsewhere(folder) is None:
        return on_disk.newest_generation(folder)
    return int(time.monotonic() // ASKED_EVERY_S)


@contextmanager
def open_writer(
    folder: Path, *, wait_s: float, rebuild: bool = False, search: VectorSearch | None = "auto", store: str = ""
) -> Iterator[IndexWriter]:
    """Hold the index of *folder* for writing; a new one is kept at the address *store*, or without one on this disk.

    With *rebuild*, an index on this disk that cannot be used gives way to an empty one. Otherwise as `open_reader`.
    """
    kept = read_elsewhere(folder)
    if kept is None and (not store or Layout(folder).catalog.exists()):
        with on_disk.open_writer(folder, wait_s=wait_s, rebuild=rebuild, search=search) as writer:
            yield writer
        return
    with _in_milvus(folder, kept or Elsewhere(store), wait_s=wait_s, search=search) as writer:
        yield writer


@contextmanager
def _in_milvus(folder: Path, kept: Elsewhere, *, wait_s: float, search: VectorSearch | None) -> Iterator[IndexWriter]:
    """Where it is kept is remembered at once, so that a run that was killed goes on there."""
    from rerank_cli.store.milvus import opening as in_milvus
    from rerank_cli.store.milvus.address import parse_address

    address = parse_address(kept.address, collection=folder.name)
    is_new = read_elsewhere(folder) is None
    remember_elsewhere(folder, Elsewhere(str(address), kept.root))
    writer = None
    try:
        with in_milvus.open_writer(address, folder, wait_s=wait_s, search=search) as writer:
            yield writer
    except BaseException:
        if is_new and (writer is None or not (writer.manifest or writer.has_kept_vectors)):
            Layout(folder).staging.unlink(missing_ok=True)
            forget_elsewhere(folder)
        raise
    if writer.manifest is not None:
        remember_elsewhere(folder, Elsewhere(str(address), writer.manifest.recipe.root))
