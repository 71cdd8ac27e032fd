"""The process that reads files for `reading`: it is killed where a file takes too long or too much memory.

It imports the readers and no model; tokens are counted by its parent, which it asks over their connection.
"""

from __future__ import annotations

import gc
import os
import resource
import signal
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

from rerank_cli.corpus.limits import PATIENCE
from rerank_cli.corpus.passages import passages_of, reading_of
from rerank_cli.corpus.read import Format, Unreadable
from rerank_cli.corpus.repeated import LeftOut, texts_of
from rerank_cli.records import Document, FoundFile, SplitDocument

# Documents go back in parcels of about this size: some tens of passages, which are encoded while others are read.
_PARCEL_CHARS = 50_000
_DOCUMENT_CHARS = 500

# What is no longer than most words is asked for once: a text that is cut between words is counted word by word.
_WORD_CHARS = 32
_MOST_WORDS = 1 << 16

# The parent keeps the time by the clock. Should it be gone and a library hold Python's lock, the system ends us this
# much later.
_GRACE_S = 2.0

# Longer than anybody waits: the system counts no thousand years.
_MOST_S = 1e7


@dataclass(frozen=True, slots=True)
class Job:
    """A file to read, and what it may take: `memory_bytes` come on top of what the process has at its start.

    Without `max_tokens` it is only asked for the texts that other files might have too.
    """

    file: FoundFile
    content: bytes
    format: Format
    lone: bool
    left_out: LeftOut
    max_tokens: int | None
    limit_s: float
    memory_bytes: int


@dataclass(frozen=True, slots=True)
class Ready:
    """The process is up."""


@dataclass(frozen=True, slots=True)
class Count:
    """Asks for the number of tokens in each text."""

    texts: Sequence[str]


@dataclass(frozen=True, slots=True)
class Parcel:
    """Some of the file's documents, in order."""

    documents: tuple[SplitDocument, ...]


@dataclass(frozen=True, slots=True)
class Done:
    """All documents were sent, or none is to be expected: `failure` says why, or the memory was not enough."""

    notes: tuple[str, ...] = ()
    damaged: bool = False
    texts: Mapping[bytes, int] = field(default_factory=dict)
    failure: str | None = None
    out_of_memory: bool = False


Answer = Ready | Count | Parcel | Done


def main() -> None:
    """Serve the connection whose descriptor is the last argument, until the parent closes it or dies."""
    for ending in (signal.SIGPROF, signal.SIGALRM):  # whatever the parent was started with
        signal.signal(ending, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    # Nothing that reading makes lives longer than its file: looking for garbage all the time only costs time.
    gc.freeze()
    gc.disable()
    own_bytes = _size_bytes()
    with Connection(int(sys.argv[-1])) as parent:
        parent.send(Ready())
        while True:
            try:
                job: Job = parent.recv()
            except EOFError:
                return
            parent.send(_done(job, parent, own_bytes=own_bytes))
            del job
            gc.collect()


def _end_with_parent() -> None:
    """Standard input is a pipe that only the parent holds and never writes to: it ends when the parent does."""
    os.read(0, 1)
    os._exit(1)


def _done(job: Job, parent: Connection, *, own_bytes: int) -> Done:
    signal.setitimer(
        signal.ITIMER_PROF, min(job.limit_s, _MOST_S)
    )  # which ends us, even where a library holds Python's lock
    signal.setitimer(signal.ITIMER_REAL, min(PATIENCE * job.limit_s, _MOST_S) + _GRACE_S)
    _limit_memory(own_bytes + job.memory_bytes)
    try:
        reading = reading_of(job.file, job.content, format=job.format, lone=job.lone, left_out=job.left_out)
        if job.max_tokens is None:
            return Done(texts=texts_of(reading.documents))
        for parcel in _parcels(reading.documents, job.max_tokens, parent):
            parent.send(parcel)
    except Unreadable as error:
        return Done(failure=str(error))
    except MemoryError:
        return Done(out_of_memory=True)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
    return Done(reading.notes, reading.damaged)


def _size_bytes() -> int:
    """The addresses that this process has taken; only Linux tells, and only there it matters."""
    sizes = Path("/proc/self/statm")
    return int(sizes.read_text().split()[0]) * resource.getpagesize() if sizes.exists() else 0


def _limit_memory(size_bytes: int) -> None:
    """Linux keeps the limit; macOS knows it and does not."""
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    within = size_bytes if hard == resource.RLIM_INFINITY else min(size_bytes, hard)
    try:
        resource.setrlimit(resource.RLIMIT_AS, (within, hard))
    except (ValueError, OSError):
        if sys.platform == "linux":
            raise


def _parcels(documents: Sequence[Document], max_tokens: int, parent: Connection) -> Iterator[Parcel]:
    words: dict[str, int] = {}

    def count_tokens(texts: Sequence[str]) -> list[int]:
        new = [text for text in texts if text not in words]
        if new:
            parent.send(Count(new))
            words.update(zip(new, parent.recv(), strict=True))
        counts = [words[text] for text in texts]
        for text in new:
            if len(text) > _WORD_CHARS:
                words.pop(text, None)
        if len(words) > _MOST_WORDS:
            words.clear()
        return counts

    packed: list[SplitDocument] = []
    chars = 0
    for document in passages_of(documents, max_tokens=max_tokens, count_tokens=count_tokens):
        packed.append(document)
        chars += _DOCUMENT_CHARS + sum(len(passage.text) for passage in document.passages)
        chars += sum(len(key) + len(value) for key, value in document.fields)
        if chars > _PARCEL_CHARS:
            yield Parcel(tuple(packed))
            packed.clear()
            chars = 0
    yield Parcel(tuple(packed))
