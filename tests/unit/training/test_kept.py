from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from rerank_cli.arrays import Vectors
from rerank_cli.ports import Encoder
from rerank_cli.training.destination import Destination
from rerank_cli.training.kept import MINED_NAME, VECTORS_NAME, mined_once, remembering
from rerank_cli.training.mining import Mined, mine_pairs
from rerank_cli.training.pairs import Pair
from tests.fakes import FakeEncoder

SETTINGS = {"seed": 3, "pairs": ["abc"]}
PAIRS = [
    Pair(f"where is the {topic} {part}", f"the {topic} {part} is on \ud800 shelf {place}")
    for place, topic in enumerate(("boiler", "garden", "kettle", "ferry", "chisel", "wasp", "piano", "radio"))
    for part in ("lid", "box", "key")
]
TEXTS = [pair.positive for pair in PAIRS]


def mined_by(encoder: Encoder) -> Mined:
    return mine_pairs(PAIRS, encoder=encoder, negatives=3, teacher_share=0.4, share=0.25, seed=3)


@pytest.fixture
def destination(tmp_path: Path) -> Destination:
    (tmp_path / "model.checkpoints").mkdir()
    return Destination(tmp_path / "model", tmp_path / "model.checkpoints")


@dataclass
class Miner:
    """Counts how often it mines."""

    times: int = 0
    encoder: FakeEncoder = field(default_factory=FakeEncoder)

    def __call__(self, vectors: Path) -> Mined:
        self.times += 1
        with remembering(self.encoder, vectors) as encodes_once:
            return mined_by(encodes_once)


def test_what_was_mined_is_found_again_as_it_was(destination: Destination) -> None:
    mine = Miner()
    first = mined_once(destination, SETTINGS, mine)
    assert mined_once(destination, SETTINGS, mine) == first == mined_by(FakeEncoder())
    assert mine.times == 1
    assert [path.name for path in destination.checkpoints.iterdir()] == [MINED_NAME], "the vectors have served"


def test_what_was_mined_of_something_else_is_mined_anew(destination: Destination) -> None:
    mine = Miner()
    for settings in (SETTINGS, {**SETTINGS, "seed": 4}, SETTINGS):
        mined_once(destination, settings, mine)
    assert mine.times == 3


def flip(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


DAMAGES: list[Callable[[bytes], bytes]] = [
    lambda content: b"",
    lambda content: content[:40],
    lambda content: content[:-1],
    lambda content: flip(content, 3),
    lambda content: flip(content, len(content) // 2),
    lambda content: bytes(len(content)),
    lambda content: b"\xff" * len(content),
    lambda content: content + b"more",
]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_result_is_mined_anew(destination: Destination, damage: Callable[[bytes], bytes]) -> None:
    mine = Miner()
    first = mined_once(destination, SETTINGS, mine)
    place = destination.checkpoints / MINED_NAME
    whole = place.read_bytes()
    place.write_bytes(damage(whole))
    assert mined_once(destination, SETTINGS, mine) == first
    assert mine.times == 2
    assert place.read_bytes() == whole


def test_mining_encodes_no_passage_twice(destination: Destination) -> None:
    mine = Miner()
    mined_once(destination, SETTINGS, mine)
    assert sorted(mine.encoder.encoded) == sorted(TEXTS)


def test_a_mining_that_broke_off_encodes_only_what_it_had_not(
    destination: Destination, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rerank_cli.training.mining.ENCODED_AT_ONCE", 5)
    with pytest.raises(RuntimeError, match="broke down"):
        mined_once(destination, SETTINGS, Miner(encoder=FakeEncoder(fails_after=13)))
    again = Miner()
    assert mined_once(destination, SETTINGS, again) == mined_by(FakeEncoder())
    assert len(again.encoder.encoded) == len(TEXTS) - 10


# The vectors


def encoded(encoder: FakeEncoder, place: Path, texts: Sequence[str] = TEXTS) -> Vectors:
    """The vectors of *texts*, asked for five at once."""
    with remembering(encoder, place) as encodes_once:
        return np.concatenate([encodes_once.encode_passages(texts[at : at + 5]) for at in range(0, len(texts), 5)])


@pytest.mark.parametrize("damage", DAMAGES)
def test_vectors_are_never_taken_from_what_was_cut_off_or_damaged(
    tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    place = tmp_path / VECTORS_NAME
    plain = FakeEncoder().encode_passages(TEXTS)
    assert np.array_equal(encoded(FakeEncoder(), place), plain)
    whole = place.read_bytes()
    place.write_bytes(damage(whole))
    assert np.array_equal(encoded(FakeEncoder(), place), plain)
    assert place.read_bytes() == whole


def test_a_restart_encodes_in_the_same_chunks_as_a_run_without_one(tmp_path: Path) -> None:
    place = tmp_path / VECTORS_NAME
    encoded(FakeEncoder(), place, TEXTS[:15])
    place.write_bytes(place.read_bytes()[:-700])  # into the third chunk, not to its first vector
    encoder = FakeEncoder()
    encoded(encoder, place)
    assert encoder.encoded == TEXTS[10:]


def test_vectors_of_another_encoder_are_not_taken(tmp_path: Path) -> None:
    encoded(FakeEncoder(), tmp_path / VECTORS_NAME)
    other = FakeEncoder(fingerprint="other", dimensions=32)
    assert encoded(other, tmp_path / VECTORS_NAME).shape == (len(TEXTS), 32)
    assert other.encoded == TEXTS
    assert np.array_equal(encoded(FakeEncoder(), tmp_path / VECTORS_NAME), FakeEncoder().encode_passages(TEXTS))
