"""Reading as a pipeline of Ray Data and encoding by a pool of Ray's actors: each in the order of what is asked.

What is read goes by the run itself, and not from reader to encoder: only the writer of the index knows which text has a
vector. Ray Data holds back readers whose files nobody takes.
"""

from __future__ import annotations

import logging
import math
import pickle
import warnings
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self, TypeVar

from rerank_cli.errors import InputError, ModelError, RerankError
from rerank_cli.extras import check_extra
from rerank_cli.ports import Encoding
from rerank_cli.records import FileRead, FoundFile
from rerank_cli.workers.at_work import Orders, PassageEncoder, read_files
from rerank_cli.workers.cluster import connected

if TYPE_CHECKING:
    from rerank_cli.arrays import Vectors

Result = TypeVar("Result")

FILES = 16
"""Files that a reader is given at a time, at the least: fewer would cost more to hand over than to read."""

MOST_TASKS = 2048
"""So many tasks are planned at once with ease; of more files each has more."""

AHEAD = 2
"""Batches that an encoder has: the one that it encodes, and the next."""

MOST = 0.9
"""Of a processor, what an encoder asks for; a reader asks for the rest. Beside a GPU it is the other way round.

So each processor has one of both, however Ray places them: reading is a tenth of the work or less.
"""

RETRIES = 3
"""How often a batch is given to an encoder that ended on it. Chance ends it once, and a text that breaks it always."""


class RayWorkers:
    """Workers that Ray has, begun when they are needed first. Use it as a context manager."""

    def __init__(self, orders: Orders, *, device: str = "cpu") -> None:
        """An encoder runs on each processor, or on each GPU where the *device* is `cuda`.

        Raises:
            UsageError: the extra is not installed.
        """
        check_extra("ray", ["ray", "pandas", "pyarrow"], user="--workers ray")
        self._orders = orders
        self._device = device
        self._open = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    @cached_property
    def _crew(self) -> _Crew:
        given = self._open.enter_context(connected())
        crew = _Crew(self._orders, environment=given, device=self._device)
        self._open.callback(crew.dismiss)
        return crew

    @property
    def batches(self) -> int:
        return AHEAD * len(self._crew.encoders)

    def read(self, files: Sequence[tuple[FoundFile, frozenset[bytes]]], *, lone: bool) -> Iterator[FileRead]:
        reads = self._crew.read(files, lone=lone)
        self._open.callback(reads.close)  # which ends what is still read
        return reads

    def encode(self, texts: Sequence[str]) -> Encoding:
        encoder = min(self._crew.encoders, key=_Encoder.load)
        return encoder.encode(texts)


class _Crew:
    """The readers and encoders on a Ray that is connected."""

    def __init__(self, orders: Orders, *, environment: dict[str, str], device: str) -> None:
        import ray

        has = ray.cluster_resources()
        self._cpus = max(1, int(has.get("CPU", 1)))
        gpus = int(has.get("GPU", 0)) if device == "cuda" else 0
        if device == "cuda" and not gpus:
            raise ModelError("Ray has no GPU", remedy="leave --device out to run on its processors")
        # One text at a time, as many encoders as processors: each as if it had one.
        threads = {} if gpus else {"OMP_NUM_THREADS": "1"}
        self._orders = replace(orders, environment={**environment, **threads})
        self._reader_cpus = MOST if gpus else 1 - MOST
        needs = {"num_cpus": 1 - self._reader_cpus, "num_gpus": 1 if gpus else 0}
        begin = ray.remote(**needs, max_restarts=-1, max_task_retries=RETRIES, scheduling_strategy="SPREAD")(
            PassageEncoder
        )
        self.encoders = [_Encoder(begin.remote(self._orders)) for _ in range(gpus or self._cpus)]

    def read(
        self, files: Sequence[tuple[FoundFile, frozenset[bytes]]], *, lone: bool
    ) -> Generator[FileRead, None, None]:
        import ray.data

        jobs = [{"job": pickle.dumps(file)} for file in files]
        tasks = math.ceil(len(jobs) / max(FILES, len(jobs) // MOST_TASKS))
        with ray.data.DataContext.current(self._context()):
            rows = ray.data.from_items(jobs, override_num_blocks=tasks).map_batches(
                read_files,
                fn_args=(pickle.dumps(self._orders),),
                fn_kwargs={"lone": lone},
                batch_format="numpy",
                num_cpus=self._reader_cpus,
                concurrency=min(self._cpus, tasks),
            )
        with _telling():
            for batch in rows.iter_batches(batch_size=None, batch_format="pyarrow"):
                for row in batch["read"]:
                    yield _unless_error(pickle.loads(row.as_buffer()))  # noqa: S301 - from a worker of ours

    def dismiss(self) -> None:
        """End the encoders, whoever still knows of them: a program that goes on with Ray needs their processors."""
        import ray

        for encoder in self.encoders:
            ray.kill(encoder.actor)

    def _context(self) -> Any:
        """How the pipeline runs: in order, and in silence."""
        from ray.data import DataContext

        logging.getLogger("ray.data").setLevel(logging.CRITICAL)
        with warnings.catch_warnings():  # that some of what it copies is not for use any more
            warnings.simplefilter("ignore")
            context = DataContext.get_current().copy()
        context.enable_progress_bars = False
        context.print_on_execution_start = False
        context.execution_options.preserve_order = True
        return context


@dataclass(slots=True)
class _Encoder:
    """An actor, and what it was given."""

    actor: Any
    given: list[Future[Vectors | RerankError]] = field(default_factory=list)

    def load(self) -> int:
        """How many batches it has not done."""
        self.given = [future for future in self.given if not future.done()]
        return len(self.given)

    def encode(self, texts: Sequence[str]) -> Encoding:
        future: Future[Vectors | RerankError] = self.actor.encode.remote(list(texts)).future()
        self.given.append(future)
        return _Begun(future)


@dataclass(frozen=True, slots=True)
class _Begun:
    future: Future[Vectors | RerankError]

    def done(self) -> bool:
        return self.future.done()

    def result(self) -> Vectors:
        with _telling():
            return _unless_error(self.future.result())


@contextmanager
def _telling() -> Iterator[None]:
    """Make ours of Ray's errors."""
    from ray.exceptions import RayActorError, RayError

    try:
        yield
    except RayError as error:
        if isinstance(error, RayActorError) and not error.actor_init_failed:
            raise InputError(
                f"a worker of Ray ended {RETRIES + 1} times over the same passages",
                remedy="see whether memory has run out, and index again: vectors are kept",
            ) from error
        raise InputError(
            f"a worker of Ray failed ({str(error).strip().splitlines()[-1]})",
            remedy="see that all its machines have this version of rerank-cli, and that none is out of memory",
        ) from error


def _unless_error(result: Result | RerankError) -> Result:
    if isinstance(result, RerankError):
        raise result
    return result
