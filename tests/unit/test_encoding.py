"""Texts are encoded beside whatever else is done, where the encoder can, and each once."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from rerank_cli.arrays import Vectors
from rerank_cli.corpus.repeated import LeftOut
from rerank_cli.encoding import BESIDE_BATCH, ENCODE_BATCH, READ_AHEAD, EncodingQueue
from rerank_cli.errors import ModelError
from rerank_cli.records import FileRead, FoundFile
from rerank_cli.store import open_reader
from tests.conftest import Plant, Update
from tests.fakes import FakeEncoder


class BesideEncoder(FakeEncoder):
    """Encodes beside when it is let; `threads` says where each batch was encoded."""

    def __init__(self) -> None:
        super().__init__()
        self.let = threading.Event()
        self.let.set()
        self.threads: list[threading.Thread] = []

    def encode_beside(self, texts: Sequence[str]) -> Vectors:
        self.let.wait()
        return self.encode_passages(texts)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        self.threads.append(threading.current_thread())
        return super().encode_passages(texts)


def texts_of(count: int) -> dict[bytes, str]:
    return {bytes([number]): f"text {number}" for number in range(count)}


def all_of(encoding: EncodingQueue) -> list[bytes]:
    """The hashes in the order in which their vectors came."""
    came: list[bytes] = []
    while len(encoding):
        came.extend(encoding.next().text_hashes)
    return came


def test_what_waits_is_encoded_while_others_are_read() -> None:
    encoder = BesideEncoder()
    encoding = EncodingQueue(encoder)
    encoding.add(texts_of(BESIDE_BATCH + 5))
    encoder.let.clear()
    assert encoding.meanwhile() == []  # which begins a batch
    assert encoding.meanwhile() == []  # which does not wait for it
    assert len(encoding) == BESIDE_BATCH + 5
    encoder.let.set()
    batch = encoding.next()
    assert batch.text_hashes == tuple(texts_of(BESIDE_BATCH))
    wanted = FakeEncoder().encode_passages(list(texts_of(BESIDE_BATCH).values()))
    assert np.array_equal(batch.vectors, wanted)
    assert all_of(encoding) == list(texts_of(BESIDE_BATCH + 5))[BESIDE_BATCH:]
    encoding.end()
    assert threading.main_thread() not in encoder.threads


def test_where_one_batch_ends_the_next_has_begun() -> None:
    class Together(BesideEncoder):
        both = threading.Barrier(2, timeout=30)

        def encode_passages(self, texts: Sequence[str]) -> Vectors:
            self.both.wait()
            return super().encode_passages(texts)

    encoding = EncodingQueue(Together())
    texts = {number.to_bytes(2): f"text {number}" for number in range(2 * ENCODE_BATCH)}
    encoding.add(texts)
    assert all_of(encoding) == list(texts)
    encoding.end()


def test_while_a_batch_is_written_the_next_is_encoded() -> None:
    encoder = BesideEncoder()
    encoding = EncodingQueue(encoder)
    texts = {number.to_bytes(2): f"text {number}" for number in range(3 * ENCODE_BATCH)}
    encoding.add(texts)
    assert encoding.next().text_hashes == tuple(texts)[:ENCODE_BATCH]
    deadline = time.monotonic() + 30
    while len(encoder.encoded) < 2 * ENCODE_BATCH:  # nobody has asked for it yet
        assert time.monotonic() < deadline
        time.sleep(0.001)
    assert all_of(encoding) == list(texts)[ENCODE_BATCH:]
    assert encoder.encoded == list(texts.values())
    encoding.end()


def test_a_batch_that_is_done_is_handed_over_and_the_next_begins() -> None:
    encoder = BesideEncoder()
    encoding = EncodingQueue(encoder)
    encoding.add(texts_of(3 * BESIDE_BATCH))
    came: list[bytes] = []
    while len(came) < 3 * BESIDE_BATCH:
        for batch in encoding.meanwhile():
            came.extend(batch.text_hashes)
    assert came == list(texts_of(3 * BESIDE_BATCH))
    assert encoder.encoded == list(texts_of(3 * BESIDE_BATCH).values())
    encoding.end()


def test_a_text_that_comes_again_is_encoded_once() -> None:
    encoder = BesideEncoder()
    encoding = EncodingQueue(encoder)
    encoder.let.clear()
    encoding.add(texts_of(BESIDE_BATCH))
    encoding.meanwhile()
    encoding.add(texts_of(BESIDE_BATCH + 1))
    encoder.let.set()
    assert all_of(encoding) == list(texts_of(BESIDE_BATCH + 1))
    encoding.end()


def test_an_encoder_that_cannot_is_asked_by_one_thread() -> None:
    encoding = EncodingQueue(FakeEncoder())
    encoding.add(texts_of(3 * BESIDE_BATCH))
    assert encoding.meanwhile() == []
    assert encoding.meanwhile() == []
    assert all_of(encoding) == list(texts_of(3 * BESIDE_BATCH))


def test_what_goes_wrong_beside_is_told() -> None:
    class Wrong(BesideEncoder):
        def encode_beside(self, texts: Sequence[str]) -> Vectors:
            return np.zeros((len(texts), 3), dtype=np.float32)

    encoding = EncodingQueue(Wrong())
    encoding.add(texts_of(BESIDE_BATCH))
    encoding.meanwhile()
    with pytest.raises(ModelError, match=f"gave no {BESIDE_BATCH} vectors of"):
        encoding.next()
    encoding.end()


def test_an_index_is_the_same_however_its_texts_were_encoded(
    plant: Plant, update: Update, index_folder: Path, tmp_path: Path
) -> None:
    files = {f"{number:03}.md": f"# Number {number}\n\nIt holds {number * number} bolts.\n" for number in range(150)}
    files["all.jsonl"] = "".join(f'{{"_id": "r{number}", "text": "record {number} " }}\n' for number in range(150))
    plant(files)
    encoder = BesideEncoder()
    beside = update(encoder=encoder)
    assert threading.main_thread() not in encoder.threads
    assert sorted(encoder.encoded) == sorted(set(encoder.encoded))
    with open_reader(index_folder) as index:
        passages = {stored.id: stored for stored in index.scan()}
    again = update(encoder=FakeEncoder(), rebuild=True)
    assert (beside.passages, beside.encoded) == (again.passages, 300)
    with open_reader(index_folder) as index:
        assert {stored.id: stored for stored in index.scan()} == passages


def test_what_an_index_has_lost_is_encoded_again_beside_what_is_new(
    plant: Plant, update: Update, index_folder: Path
) -> None:
    plant({f"{number}.md": f"# Number {number}\n\nIt holds {number} bolts.\n" for number in range(40)})
    update(encoder=BesideEncoder())
    for path in (*index_folder.glob("*.vectors"), *index_folder.glob("*.keys")):
        path.unlink()
    plant({"new.md": "# New\n\nIt holds no bolts.\n"})
    mended = update(encoder=BesideEncoder())
    assert (mended.added, mended.encoded, mended.reused) == (1, 41, 0)


class LetWorkers:
    """Workers whose batches are done when they are let; `asked` has the number of texts in each."""

    batches = 3

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.done: set[int] = set()

    def read(self, files: Sequence[tuple[FoundFile, LeftOut]], *, lone: bool) -> Iterator[FileRead]:
        raise NotImplementedError

    def encode(self, texts: Sequence[str]) -> Started:
        self.asked.append(len(texts))
        return Started(self, len(self.asked) - 1, texts)


class Started:
    def __init__(self, workers: LetWorkers, number: int, texts: Sequence[str]) -> None:
        self._workers, self._number, self._texts = workers, number, texts

    def done(self) -> bool:
        return self._number in self._workers.done

    def result(self) -> Vectors:
        return FakeEncoder().encode_passages(self._texts)


def test_workers_are_kept_busy_and_their_batches_come_in_order() -> None:
    workers = LetWorkers()
    encoding = EncodingQueue(FakeEncoder(), workers=workers)
    texts = {number.to_bytes(2): f"text {number}" for number in range(5 * ENCODE_BATCH - 1)}
    encoding.add(texts)
    assert encoding.meanwhile() == []
    assert workers.asked == [ENCODE_BATCH] * 3
    workers.done = {1}
    assert encoding.meanwhile() == []  # the first is not done
    workers.done = {0, 1}
    assert [len(batch.text_hashes) for batch in encoding.meanwhile()] == [ENCODE_BATCH] * 2
    assert workers.asked == [ENCODE_BATCH] * 4  # the rest is less than a batch, and more may come
    assert len(all_of(encoding)) == 3 * ENCODE_BATCH - 1
    assert workers.asked == [*[ENCODE_BATCH] * 4, ENCODE_BATCH - 1]


def test_the_more_workers_there_are_the_more_may_wait() -> None:
    few, many = LetWorkers(), LetWorkers()
    many.batches = 100
    texts = {number.to_bytes(3): "text" for number in range(READ_AHEAD)}
    for workers, full in ((None, True), (few, True), (many, False)):
        encoding = EncodingQueue(FakeEncoder(), workers=workers)
        encoding.add(texts)
        assert encoding.is_full is full
