"""Vectors for the texts that wait for them: batch after batch, and beside whatever else is done where the encoder can.

An encoder that has a method `encode_beside(texts)` is asked for it by a thread of its own, while others count tokens
with it. It gives what `encode_passages` gives, and leaves a processor to whoever reads files meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from rerank_cli.errors import ModelError
from rerank_cli.ports import Encoder

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

    from rerank_cli.arrays import Vectors

BESIDE_BATCH = 32
"""Texts that are encoded at once while others are read. Few, because one processor less works on them."""


@dataclass(frozen=True, slots=True)
class Batch:
    """The vectors of some texts, by their hashes."""

    text_hashes: tuple[bytes, ...]
    vectors: Vectors


class Encoding:
    """The texts that wait, each once, in the order in which they came."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._texts: dict[bytes, str] = {}
        self._thread: ThreadPoolExecutor | None = None
        self._begun: tuple[tuple[bytes, ...], Future[Vectors]] | None = None

    @property
    def waiting(self) -> int:
        """How many texts wait, those that are worked on among them."""
        return len(self._texts)

    def add(self, texts: Mapping[bytes, str]) -> None:
        """Have these wait, by their hashes."""
        for text_hash, text in texts.items():
            self._texts.setdefault(text_hash, text)

    def meanwhile(self) -> Batch | None:
        """What was encoded beside since the last time, if a batch is done. Then the next one begins."""
        beside: Callable[[Sequence[str]], Vectors] | None = getattr(self._encoder, "encode_beside", None)
        if beside is None or (self._begun is not None and not self._begun[1].done()):
            return None
        batch = None if self._begun is None else self._ended()
        done = () if batch is None else batch.text_hashes
        rest = [text_hash for text_hash in islice(self._texts, len(done) + BESIDE_BATCH) if text_hash not in done]
        if len(rest) >= BESIDE_BATCH:
            self._begun = tuple(rest), self._own_thread().submit(beside, [self._texts[text_hash] for text_hash in rest])
        return batch

    def next(self, size: int) -> Batch:
        """The batch that is worked on, when it is done, or else the next of *size* texts."""
        if self._begun is not None:
            return self._ended()
        text_hashes = tuple(islice(self._texts, size))
        return self._checked(text_hashes, self._encoder.encode_passages([self._texts[each] for each in text_hashes]))

    def forget(self, batch: Batch) -> None:
        """Its vectors are kept: its texts wait no more."""
        for text_hash in batch.text_hashes:
            del self._texts[text_hash]

    def end(self) -> None:
        """Wait for what is worked on, and begin no more."""
        if self._thread is not None:
            self._thread.shutdown()

    def _own_thread(self) -> ThreadPoolExecutor:
        if self._thread is None:
            from concurrent.futures import ThreadPoolExecutor  # which a run with nothing to do does without

            self._thread = ThreadPoolExecutor(1, thread_name_prefix="encoding")
        return self._thread

    def _ended(self) -> Batch:
        assert self._begun is not None
        (text_hashes, future), self._begun = self._begun, None
        return self._checked(text_hashes, future.result())

    def _checked(self, text_hashes: tuple[bytes, ...], vectors: Vectors) -> Batch:
        if vectors.shape[1:] != (self._encoder.dimensions,):
            raise ModelError(
                f"the encoder gave no {len(text_hashes)} vectors of {self._encoder.dimensions} finite numbers",
                remedy="check the model",
            )
        return Batch(text_hashes, vectors)
