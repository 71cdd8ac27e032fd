"""Opens an index in Milvus: any number of readers at its newest generation, and one writer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from rerank_cli.errors import InputError, RerankError
from rerank_cli.places import make_private_folder
from rerank_cli.records import VectorSearch
from rerank_cli.store.access import naming_disk_errors
from rerank_cli.store.milvus.address import Address
from rerank_cli.store.milvus.engine import Engine
from rerank_cli.store.milvus.generation import check_ours, no_index
from rerank_cli.store.milvus.lease import Lease
from rerank_cli.store.milvus.reader import MilvusIndex
from rerank_cli.store.milvus.schema import Names, make_records
from rerank_cli.store.milvus.writer import MilvusWriter
from rerank_cli.store.remedies import index_command

LEAST_VERSION = (2, 6)
"""Of a server: earlier ones cannot change a part of a row, or have no BM25."""

READER_WAIT_S = 5.0
"""So long a reader waits for an embedded database that another process has open."""


def open_reader(address: Address, folder: Path) -> MilvusIndex:
    """Open the index at *address*, which this machine remembers in *folder*, at its newest generation.

    Raises:
        IndexMissing: there is none.
        IndexDamaged: not all of it can be reached.
        IndexMismatch: it has another format, or is none of ours.
        InputError: it cannot be reached, or the token is refused.
        Busy: another process holds the embedded database.
    """
    if address.embedded and not Path(address.uri).exists():
        raise no_index(address, "there is no such database")
    return MilvusIndex(
        partial(Engine, address, wait_s=READER_WAIT_S),
        Names(address.collection),
        lambda rebuild: index_command(folder, rebuild=rebuild),
    )


@contextmanager
def open_writer(
    address: Address, folder: Path, *, wait_s: float, search: VectorSearch | None
) -> Iterator[MilvusWriter]:
    """Hold the index at *address* for writing; made if there is none.

    Raises:
        Busy: another process has held it for longer than *wait_s*.
        IndexMismatch: the collection is none of ours.
        InputError: it cannot be reached, or the token is refused.
    """
    _make_folder(address)
    names = Names(address.collection)
    with Engine(address, wait_s=wait_s) as engine:
        _check_version(engine)
        if engine.has(names.records):
            check_ours(engine, names)
        make_records(engine, names.records)
        lease = Lease(engine, names, wait_s=wait_s)
        writer = MilvusWriter(engine, names, lease, folder=folder, search=search)
        try:
            yield writer
        finally:
            writer.close()
            with suppress(RerankError):  # it runs out by itself, and what went wrong before is what must be told
                lease.release()


def _check_version(engine: Engine) -> None:
    if engine.address.embedded:
        return
    version = engine.version
    numbers = [int(part) for part in version.lstrip("v").split("-")[0].split(".")[:2] if part.isdigit()]
    if len(numbers) == len(LEAST_VERSION) and tuple(numbers) < LEAST_VERSION:
        raise InputError(f"{engine.address}: is Milvus {version}", remedy="run version 2.6 or later there")


def _make_folder(address: Address) -> None:
    """Make the folder of an embedded database."""
    if not address.embedded:
        return
    with naming_disk_errors(Path(address.uri).parent):
        make_private_folder(Path(address.uri).parent)
