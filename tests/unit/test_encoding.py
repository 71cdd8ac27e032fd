"""Texts are encoded beside whatever else is done, where the encoder can, and each once."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from rerank_cli.arrays import Vectors
from rerank_cli.encoding import BESIDE_BATCH, Encoding
from rerank_cli.errors import ModelError
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


def all_of(encoding: Encoding, size: int) -> list[bytes]:
    """The hashes in the order in which their vectors came."""
    came: list[bytes] = []
    while encoding.waiting:
        batch = encoding.next(size)
        encoding.forget(batch)
        came.extend(batch.text_hashes)
    return came


def test_what_waits_is_encoded_while_others_are_read() -> None:
    encoder = BesideEncoder()
    encoding = Encoding(encoder)
    encoding.add(texts_of(BESIDE_BATCH + 5))
    encoder.let.clear()
    assert encoding.meanwhile() is None  # which begins a batch
    assert encoding.meanwhile() is None  # which does not wait for it
    assert encoding.waiting == BESIDE_BATCH + 5
    encoder.let.set()
    batch = encoding.next(128)
    assert batch.text_hashes == tuple(texts_of(BESIDE_BATCH))
    wanted = FakeEncoder().encode_passages(list(texts_of(BESIDE_BATCH).values()))
    assert np.array_equal(batch.vectors, wanted)
    encoding.forget(batch)
    assert all_of(encoding, 128) == list(texts_of(BESIDE_BATCH + 5))[BESIDE_BATCH:]
    encoding.end()
    assert encoder.threads[0] is not threading.main_thread()
    assert encoder.threads[1] is threading.main_thread()


def test_a_batch_that_is_done_is_handed_over_and_the_next_begins() -> None:
    encoder = BesideEncoder()
    encoding = Encoding(encoder)
    encoding.add(texts_of(3 * BESIDE_BATCH))
    came: list[bytes] = []
    while len(came) < 3 * BESIDE_BATCH:
        batch = encoding.meanwhile()
        if batch is not None:
            encoding.forget(batch)
            came.extend(batch.text_hashes)
    assert came == list(texts_of(3 * BESIDE_BATCH))
    assert encoder.encoded == list(texts_of(3 * BESIDE_BATCH).values())
    encoding.end()


def test_a_text_that_comes_again_is_encoded_once() -> None:
    encoder = BesideEncoder()
    encoding = Encoding(encoder)
    encoder.let.clear()
    encoding.add(texts_of(BESIDE_BATCH))
    encoding.meanwhile()
    encoding.add(texts_of(BESIDE_BATCH + 1))
    encoder.let.set()
    assert all_of(encoding, 7) == list(texts_of(BESIDE_BATCH + 1))
    encoding.end()


def test_an_encoder_that_cannot_is_asked_by_one_thread() -> None:
    encoding = Encoding(FakeEncoder())
    encoding.add(texts_of(3 * BESIDE_BATCH))
    assert encoding.meanwhile() is None
    assert encoding.meanwhile() is None
    assert all_of(encoding, 50) == list(texts_of(3 * BESIDE_BATCH))


def test_what_goes_wrong_beside_is_told() -> None:
    class Wrong(BesideEncoder):
        def encode_beside(self, texts: Sequence[str]) -> Vectors:
            return np.zeros((len(texts), 3), dtype=np.float32)

    encoding = Encoding(Wrong())
    encoding.add(texts_of(BESIDE_BATCH))
    encoding.meanwhile()
    with pytest.raises(ModelError, match=f"gave no {BESIDE_BATCH} vectors of"):
        encoding.next(1)
    encoding.end()


def test_an_index_is_the_same_however_its_texts_were_encoded(
    plant: Plant, update: Update, index_folder: Path, tmp_path: Path
) -> None:
    files = {f"{number:03}.md": f"# Number {number}\n\nIt holds {number * number} bolts.\n" for number in range(150)}
    files["all.jsonl"] = "".join(f'{{"_id": "r{number}", "text": "record {number} " }}\n' for number in range(150))
    plant(files)
    encoder = BesideEncoder()
    beside = update(encoder=encoder)
    assert len({thread.name for thread in encoder.threads}) == 2
    assert sorted(encoder.encoded) == sorted(set(encoder.encoded))
    with open_reader(index_folder) as index:
        passages = {stored.id: stored for stored in index.scan()}
    again = update(encoder=FakeEncoder(), rebuild=True)
    assert (beside.passages, beside.encoded) == (again.passages, 300)
    with open_reader(index_folder) as index:
        assert {stored.id: stored for stored in index.scan()} == passages
