"""What a worker does: it reads files and encodes passages, as the run that it works for says.

What it gives back goes as bytes that only Python reads: between processes of one user, which trust each other. An error
of the tool's own tree is a result like any other, and is raised where the run is.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

import rerank_cli
from rerank_cli.corpus.from_disk import read_from_disk
from rerank_cli.corpus.reading import FileReading
from rerank_cli.corpus.repeated import LeftOut
from rerank_cli.errors import ModelError, RerankError, UsageError
from rerank_cli.ports import Encoder
from rerank_cli.records import FileRead, FoundFile

if TYPE_CHECKING:
    import pyarrow

    from rerank_cli.arrays import Vectors


@dataclass(frozen=True, slots=True)
class Orders:
    """What the run says: how to read, and with what to encode.

    `open_encoder` must give one of the run's `fingerprint`. A worker sets the `environment` before it does anything.
    """

    open_encoder: Callable[[], Encoder]
    fingerprint: str
    max_tokens: int
    max_file_size_bytes: int
    file_timeout_s: float
    converters: tuple[str, ...] = ()
    version: str = rerank_cli.__version__
    environment: Mapping[str, str] = field(default_factory=dict)

    def encoder(self) -> Encoder:
        """The encoder of the run.

        Raises:
            UsageError: the program is another one here.
            ModelError: there is no such encoder, or it is another one here.
        """
        os.environ.update(self.environment)
        where = os.uname().nodename
        if self.version != rerank_cli.__version__:
            raise UsageError(
                f"{where}: a worker has rerank-cli {rerank_cli.__version__}, and the run {self.version}",
                remedy="install the same version on all machines",
            )
        encoder = self.open_encoder()
        if encoder.fingerprint != self.fingerprint:
            raise ModelError(f"{where}: the encoder is another one there", remedy="copy the model to all machines")
        return encoder


def read_files(jobs: Mapping[str, Any], orders: bytes, *, lone: bool) -> Iterator[pyarrow.Table]:
    """A row for each file, with what it holds or the error that ends the run."""
    import pyarrow

    for job in jobs["job"]:
        file, left_out = pickle.loads(job)  # noqa: S301 - from the run
        read: FileRead | RerankError
        try:
            read = _reader(orders).read(file, lone=lone, left_out=left_out)
        except RerankError as error:
            read = error
        yield pyarrow.table({"read": pyarrow.array([pickle.dumps(read)], pyarrow.large_binary())})


class _Reader:
    """Reads one file after another. It ends with its process, as does the process that it may begin."""

    def __init__(self, orders: Orders) -> None:
        self._max_file_size_bytes = orders.max_file_size_bytes
        self._reading = FileReading(
            max_tokens=orders.max_tokens,
            count_tokens=orders.encoder().count_tokens,
            file_timeout_s=orders.file_timeout_s,
            converters=orders.converters,
        )

    def read(self, file: FoundFile, *, lone: bool, left_out: LeftOut) -> FileRead:
        return read_from_disk(file, self._reading, max_bytes=self._max_file_size_bytes, lone=lone, left_out=left_out)


@cache
def _reader(orders: bytes) -> _Reader:
    """The one of this process, which is given one batch of files after another."""
    return _Reader(pickle.loads(orders))  # noqa: S301 - from the run


class PassageEncoder:
    """Encodes passages with a model that is loaded once."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._encoder: Encoder | None = None

    def encode(self, texts: Sequence[str]) -> Vectors | RerankError:
        try:
            if self._encoder is None:
                self._encoder = self._orders.encoder()
            return self._encoder.encode_passages(texts)
        except RerankError as error:
            return error
