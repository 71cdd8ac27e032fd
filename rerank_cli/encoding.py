"""Vectors for the texts that wait for them: batch after batch, beside whatever else is done where that can be.

Workers encode as many batches at a time as keep them busy. Without any, an encoder that has a method
`encode_beside(texts)` is asked by threads of their own, while others count tokens with it and vectors are written.
`encode_beside` gives what `encode_passages` gives, and leaves a processor to whoever reads files meanwhile.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from rerank_cli.errors import ModelError
from rerank_cli.ports import Encoder, Encoding, Workers

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

    from rerank_cli.arrays import Vectors

ENCODE_BATCH = 128
"""Passages whose vectors are kept at once: about a second of work, of which a killed run loses two."""

BESIDE_BATCH = 32
"""Texts that are encoded at once while others are read. Few, because one processor less works on them."""

READ_AHEAD = 4096
"""Passages that may wait to be encoded: what of a folder's text is held at once."""


@dataclass(frozen=True, slots=True)
class Batch:
    """The vectors of some texts, by their hashes."""

    text_hashes: tuple[bytes, ...]
    vectors: Vectors


class EncodingQueue:
    """The texts that wait, each once, in the order in which they came."""

    def __init__(self, encoder: Encoder, *, workers: Workers | None = None) -> None:
        self._encoder = encoder
        self._workers = workers
        self._waiting: dict[bytes, str] = {}
        self._threads: ThreadPoolExecutor | None = None
        self._begun: deque[tuple[tuple[bytes, ...], Encoding]] = deque()
        """Of those that wait, the first: batch after batch is being encoded."""

    def __len__(self) -> int:
        """How many texts wait, those that are worked on among them."""
        return len(self._waiting)

    @property
    def is_full(self) -> bool:
        """Whether as many wait as may: more than are worked on, however many workers there are."""
        at_work = self._workers.batches * ENCODE_BATCH if self._workers else 0
        return len(self) >= max(READ_AHEAD, 4 * at_work)

    def add(self, texts: Mapping[bytes, str]) -> None:
        """Have these wait, by their hashes."""
        for text_hash, text in texts.items():
            self._waiting.setdefault(text_hash, text)

    def meanwhile(self) -> list[Batch]:
        """What was encoded beside since the last time. Whoever encodes so goes on with what waits."""
        done = []
        while self._begun and self._begun[0][1].done():
            done.append(self._ended())
        if self._workers is not None:
            self._begin(self._workers.encode, size=ENCODE_BATCH, most=self._workers.batches, least=ENCODE_BATCH)
        elif (beside := self._encode_beside) is not None:
            self._begin_beside(beside, size=BESIDE_BATCH, most=1, least=BESIDE_BATCH)
        return done

    def next(self) -> Batch:
        """The batch that was begun first, when it is done, or else the next, encoded here."""
        if self._workers is not None:
            self._begin(self._workers.encode, size=ENCODE_BATCH, most=self._workers.batches, least=1)
        elif self._encode_beside is not None:  # one more than is asked for: it is encoded while this one is written
            self._begin_beside(self._encoder.encode_passages, size=ENCODE_BATCH, most=2, least=1)
        if self._begun:
            return self._ended()
        text_hashes = tuple(islice(self._waiting, ENCODE_BATCH))
        return self._taken(text_hashes, self._encoder.encode_passages([self._waiting[each] for each in text_hashes]))

    def end(self) -> None:
        """Wait for what is worked on here, and begin no more."""
        if self._threads is not None:
            self._threads.shutdown(cancel_futures=True)

    def _begin(self, encode: Callable[[Sequence[str]], Encoding], *, size: int, most: int, least: int) -> None:
        """Begin batches of *size* texts, *most* of them at a time; the last has *least* texts or more."""
        while len(self._begun) < most:
            begun = sum(len(text_hashes) for text_hashes, _ in self._begun)
            text_hashes = tuple(islice(self._waiting, begun, begun + size))
            if len(text_hashes) < least:
                return
            self._begun.append((text_hashes, encode([self._waiting[each] for each in text_hashes])))

    @property
    def _encode_beside(self) -> Callable[[Sequence[str]], Vectors] | None:
        beside: Callable[[Sequence[str]], Vectors] | None = getattr(self._encoder, "encode_beside", None)
        return beside

    def _begin_beside(self, encode: Callable[[Sequence[str]], Vectors], *, size: int, most: int, least: int) -> None:
        if self._threads is None:
            from concurrent.futures import ThreadPoolExecutor  # which a run with nothing to do does without

            # Two: while the last texts of a batch are encoded, those of the next are cut, and no processor waits.
            self._threads = ThreadPoolExecutor(2, thread_name_prefix="encoding")
        threads = self._threads
        self._begin(lambda texts: threads.submit(encode, texts), size=size, most=most, least=least)

    def _ended(self) -> Batch:
        text_hashes, encoding = self._begun.popleft()
        return self._taken(text_hashes, encoding.result())

    def _taken(self, text_hashes: tuple[bytes, ...], vectors: Vectors) -> Batch:
        if vectors.shape[1:] != (self._encoder.dimensions,):
            raise ModelError(
                f"the encoder gave no {len(text_hashes)} vectors of {self._encoder.dimensions} finite numbers",
                remedy="check the model",
            )
        for text_hash in text_hashes:
            del self._waiting[text_hash]
        return Batch(text_hashes, vectors)
