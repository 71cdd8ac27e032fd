"""Read files within limits: small ones here, larger ones in a process of their own that can be ended.

There are always inputs on which a parser takes a time that grows with their square. Below a size no such time
matters; above it, a file that takes longer or more memory than it may costs itself alone.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing import Pipe
from pathlib import Path
from types import TracebackType

import rerank_cli
from rerank_cli.corpus.convert import converted
from rerank_cli.corpus.limits import MEMORY_BYTES, PATIENCE, limit_bytes, limit_s, took_longer
from rerank_cli.corpus.passages import failure_of, passages_of, reading_of
from rerank_cli.corpus.read import Format, NotReadToTheEnd, Unreadable, format_of
from rerank_cli.corpus.repeated import NOTHING, LeftOut, Texts, texts_of
from rerank_cli.corpus.split import CountTokens
from rerank_cli.corpus.worker import Answer, Count, Done, Job, Parcel, Ready
from rerank_cli.errors import InputError, RerankError, in_words
from rerank_cli.records import FoundFile, SplitDocument, SplitReading

Listener = Callable[[Sequence[SplitDocument]], None]
"""Hears of documents of a file that is still being read."""

SMALL_BYTES = 4_000
PLAIN_BYTES = 32_000
FEW_MARKS = 1_500
"""A file of `SMALL_BYTES`, or of `PLAIN_BYTES` with no more than `FEW_MARKS` of `_MARKS`, is read in this process.

What makes a parser slow are marks such as `[`, `*` and `|`, thousands of them, while prose has a few in each line. The
worst that we know, a Markdown table of many columns above rows of one cell, takes a second or two here. Nine of ten
pages of documentation are read here, and each other one costs a millisecond or two more.
"""

_MARKS = b"!#$%&*+-:<=>@[\\]^_`{|}~"

# A process that read much keeps some of the memory, which would be missing in the next file's share.
_WORN_BYTES = 1_000_000

_START_S = 120.0

# The system cannot wait for longer than 24 days at once.
_STEP_S = 3600.0

# This very package, wherever it was found, and else the modules that this process would import: none from the current
# folder, and none that lies beside the package where nobody installed it.
_START = (
    "import sys; sys.path[:] = sys.argv[1:2]; import rerank_cli; sys.path[:] = sys.argv[2:-1]; "
    "from rerank_cli.corpus.worker import main; main()"
)
_HOME = Path(rerank_cli.__file__).absolute().parents[1]


def ignore_documents(documents: Sequence[SplitDocument]) -> None:
    """Hears nothing."""


def _is_harmless(content: bytes) -> bool:
    """Whether no content of this size and kind can take long."""
    if len(content) > PLAIN_BYTES:
        return False
    return len(content) <= SMALL_BYTES or len(content) - len(content.translate(None, _MARKS)) <= FEW_MARKS


class FileReading:
    """Reads one file after another; to be closed, as a context manager, for the process it may have begun.

    *get_ready* is called before the first token is counted: loading a model is no file's time.
    """

    def __init__(
        self,
        *,
        max_tokens: int,
        count_tokens: CountTokens,
        file_timeout_s: float,
        converters: Sequence[str] = (),
        get_ready: Callable[[], None] = lambda: None,
    ) -> None:
        self._max_tokens = max_tokens
        self._count_tokens = count_tokens
        self._file_timeout_s = file_timeout_s
        self._converters = converters
        self._get_ready = get_ready
        self._worker: _Worker | None = None

    def __enter__(self) -> FileReading:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._end_worker()

    def texts(self, file: FoundFile, content: bytes) -> Texts:
        """The texts in *content*, the bytes of *file*, that other files might have too. Raises Unreadable."""
        format = format_of(file.path)
        if not _is_harmless(content):
            return self._ask(self._job(file, content, format, max_tokens=None))[1].texts
        return texts_of(reading_of(file, content, format=format, lone=False).documents)

    def read(
        self,
        file: FoundFile,
        content: bytes,
        *,
        lone: bool,
        left_out: LeftOut = NOTHING,
        listener: Listener = ignore_documents,
    ) -> SplitReading:
        """The documents in *content*, the bytes of *file*, cut into passages without what is *left_out*.

        Of a long file the *listener* hears of them as they come, also where it fails in the end. Raises Unreadable.
        """
        format = format_of(file.path, self._converters)
        if format.command:
            content = converted(
                format.command,
                file.location,
                limit_s=limit_s(len(content), self._file_timeout_s),
                memory_bytes=MEMORY_BYTES,
            )
        if format.binary or not _is_harmless(content):  # a library that breaks costs the file, and no run
            self._begin_worker()  # which starts while a model is loaded
            self._get_ready()
            job = self._job(file, content, format, lone=lone, left_out=left_out, max_tokens=self._max_tokens)
            documents, done, told = self._ask_for_less(job, listener)
            return SplitReading(tuple(documents), (*done.notes, *told), done.damaged)
        try:
            reading = reading_of(file, content, format=format, lone=lone, left_out=left_out)
            cut = passages_of(reading.documents, max_tokens=self._max_tokens, count_tokens=self._counted)
            return SplitReading(tuple(cut), reading.notes, reading.damaged)
        except MemoryError as error:
            raise NotReadToTheEnd("needs more memory than there is") from error

    def _counted(self, texts: Sequence[str]) -> list[int]:
        self._get_ready()
        return self._count_tokens(texts)

    def _job(
        self,
        file: FoundFile,
        content: bytes,
        format: Format,
        *,
        lone: bool = False,
        left_out: LeftOut = NOTHING,
        max_tokens: int | None,
    ) -> Job:
        return Job(
            file,
            content,
            format,
            lone,
            left_out,
            max_tokens,
            limit_s=limit_s(len(content), self._file_timeout_s),
            memory_bytes=limit_bytes(len(content), binary=format.binary),
        )

    def _ask_for_less(self, job: Job, listener: Listener) -> tuple[list[SplitDocument], Done, tuple[str, ...]]:
        """As `_ask`; where that comes to no end, without what is attached, and a note on it."""
        try:
            return *self._ask(job, listener), ()
        except NotReadToTheEnd as error:
            format = job.format
            if not format.bare:
                raise
            bare = replace(job, format=format._replace(function=format.bare, bare=""))
            return *self._ask(bare, listener), (f"read without its attachments: with them it {error}",)

    def _ask(self, job: Job, listener: Listener = ignore_documents) -> tuple[list[SplitDocument], Done]:
        worker = self._begin_worker()
        try:
            return worker.read(job, self._count_tokens, listener)
        finally:
            if not worker.good_as_new:
                self._end_worker()

    def _begin_worker(self) -> _Worker:
        if self._worker is None:
            self._worker = _Worker()
        return self._worker

    def _end_worker(self) -> None:
        if self._worker is not None:
            self._worker.end()
            self._worker = None


class _Worker:
    """The process. No descriptor of ours but its end of the connection is open in it.

    `good_as_new` where it may read another file: what it was given last is done with and left nothing behind.
    """

    def __init__(self) -> None:
        self.good_as_new = True
        self._connection, theirs = Pipe()
        paths = [path for path in sys.path if Path(path).is_absolute()]
        try:
            self._process = subprocess.Popen(  # noqa: S603 - ourselves
                [sys.executable, "-P", "-c", _START, str(_HOME), *paths, str(theirs.fileno())],
                stdin=subprocess.PIPE,  # which it watches: it ends when we do
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},  # each thread that numpy begins takes addresses
                process_group=0,  # Ctrl-C is ours
            )
        except OSError as error:
            self._connection.close()
            raise _cannot_start(in_words(error)) from error
        finally:
            theirs.close()
        self._ready = False

    def read(self, job: Job, count_tokens: CountTokens, listener: Listener) -> tuple[list[SplitDocument], Done]:
        """The documents in the file of *job*, and what else there is to say of it. The *listener* hears of them before.

        Raises Unreadable, also where the limits of *job* were not enough.
        """
        self.good_as_new = False
        self._await_ready()
        deadline = time.monotonic() + PATIENCE * job.limit_s
        documents: list[SplitDocument] = []
        with self._telling_its_end(job):
            self._connection.send(job)
        while True:
            with self._telling_its_end(job):
                if not self._hears_until(deadline):
                    raise NotReadToTheEnd(took_longer(job.limit_s))
                answer: Answer = self._connection.recv()
            match answer:
                case Count(texts):
                    counts = _counts(texts, count_tokens)
                    with self._telling_its_end(job):
                        self._connection.send(counts)
                case Parcel(part):
                    documents.extend(part)
                    listener(part)
                case Done(out_of_memory=True):
                    raise NotReadToTheEnd(f"needs more than {job.memory_bytes / 1e9:g} GB of memory")
                case Done():
                    self.good_as_new = len(job.content) <= _WORN_BYTES
                    if answer.failure:
                        raise Unreadable(answer.failure)
                    return documents, answer

    @contextmanager
    def _telling_its_end(self, job: Job) -> Iterator[None]:
        """Say of the process that it ended, where it did not answer. What others raise meanwhile is theirs."""
        try:
            yield
        except (EOFError, ConnectionError) as error:
            if self._process.wait() == -signal.SIGPROF:
                raise NotReadToTheEnd(took_longer(job.limit_s)) from error
            raise NotReadToTheEnd(f"broke its reader ({self._how_it_ended()})") from error

    def _hears_until(self, deadline: float) -> bool:
        while (left_s := deadline - time.monotonic()) > 0:
            if self._connection.poll(min(left_s, _STEP_S)):
                return True
        return False

    def _await_ready(self) -> None:
        if self._ready:
            return
        try:
            if not self._connection.poll(_START_S):
                raise _cannot_start(f"not up after {_START_S:g} s")
            answer: Answer = self._connection.recv()
        except (EOFError, ConnectionError) as error:
            raise _cannot_start(self._how_it_ended()) from error
        assert isinstance(answer, Ready)
        self._ready = True

    def _how_it_ended(self) -> str:
        status = self._process.wait()
        return f"signal {-status}" if status < 0 else f"exit status {status}"

    def end(self) -> None:
        """Kill the process; it holds nothing that could be lost."""
        self._connection.close()
        self._process.kill()
        self._process.wait()
        assert self._process.stdin is not None
        self._process.stdin.close()


def _counts(texts: Sequence[str], count_tokens: CountTokens) -> list[int]:
    try:
        return count_tokens(texts)
    except RerankError:
        raise
    except Exception as error:  # as within a reader
        raise failure_of(error) from error


def _cannot_start(reason: str) -> InputError:
    return InputError(
        f"cannot start a process to read files in: {reason}", remedy="see whether memory or processes have run out"
    )
