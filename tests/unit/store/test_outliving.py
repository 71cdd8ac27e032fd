"""A text is encoded once for each encoder, whatever becomes of its file, its passage or its index."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from rerank_cli.arrays import Vectors
from rerank_cli.errors import ModelError
from rerank_cli.store import open_reader, open_writer, writer
from rerank_cli.store.layout import Layout
from tests.conftest import Plant, Update
from tests.fakes import FakeEncoder

LONG = "The brake squeals when it is wet. Oil the chain and wipe it. A loose spoke makes the wheel wobble. " * 3
FILES = {"long.md": LONG, "short.md": "Few words.\n", "log.jsonl": '{"text": "pumped the tyres"}\n'}


@pytest.fixture
def indexed(plant: Plant, update: Update, encoder: FakeEncoder, index_folder: Path) -> Path:
    plant(FILES)
    update()
    assert encoder.encoded
    encoder.encoded.clear()
    return index_folder


def rows(folder: Path) -> int:
    """The rows of all vectors in *folder*, of passages or not."""
    return sum(path.stat().st_size for path in Layout(folder).vectors() if path.suffix == ".keys") // 24


def passages(folder: Path) -> int:
    with open_reader(folder) as reader:
        return reader.counts().passages


def test_a_passage_size_that_comes_back_encodes_nothing(indexed: Path, update: Update, encoder: FakeEncoder) -> None:
    before = passages(indexed)
    update(passage_tokens=20)
    assert encoder.encoded and passages(indexed) > before
    encoder.encoded.clear()
    update(passage_tokens=40)
    assert (encoder.encoded, passages(indexed)) == ([], before)


def test_a_file_that_was_away_for_a_run_encodes_nothing(
    indexed: Path, docs: Path, update: Update, encoder: FakeEncoder, tmp_path: Path
) -> None:
    (docs / "short.md").rename(tmp_path / "short.md")
    assert update().removed == 1
    (tmp_path / "short.md").rename(docs / "short.md")
    assert update().added == 1
    assert encoder.encoded == []


def test_a_text_that_is_undone_encodes_nothing(
    indexed: Path, plant: Plant, update: Update, encoder: FakeEncoder
) -> None:
    plant({"short.md": "Other words.\n"})
    update()
    plant({"short.md": FILES["short.md"]})
    update()
    assert encoder.encoded == ["Other words."]


def test_a_rebuild_encodes_nothing(indexed: Path, update: Update, encoder: FakeEncoder) -> None:
    assert update(rebuild=True).changed == 3
    assert encoder.encoded == []


@pytest.mark.parametrize("damage", ["lost", "garbled", "cut"])
def test_a_catalog_that_is_lost_or_damaged_encodes_nothing(
    indexed: Path, update: Update, encoder: FakeEncoder, damage: str
) -> None:
    catalog = indexed / "catalog.sqlite"
    before = passages(indexed)
    if damage == "lost":
        catalog.unlink()
    else:
        catalog.write_bytes(b"no database" * 1000 if damage == "garbled" else catalog.read_bytes()[:9000])
    summary = update(rebuild=True)
    assert (encoder.encoded, summary.encoded, passages(indexed)) == ([], 0, before)
    assert update().up_to_date


def test_all_is_lost_but_the_vectors_and_nothing_is_encoded(
    indexed: Path, update: Update, encoder: FakeEncoder
) -> None:
    for path in indexed.iterdir():
        if path not in Layout(indexed).vectors():
            path.unlink()
    assert update().added == 3
    assert encoder.encoded == []


def test_another_encoder_and_back_encodes_nothing(indexed: Path, update: Update, encoder: FakeEncoder) -> None:
    other = FakeEncoder(fingerprint="another", dimensions=16)
    update(encoder=other, rebuild=True)
    assert other.encoded
    other.encoded.clear()
    update(rebuild=True)
    update(encoder=other, rebuild=True)
    assert (encoder.encoded, other.encoded) == ([], [])


def test_pruning_drops_what_is_unused(indexed: Path, docs: Path, update: Update, encoder: FakeEncoder) -> None:
    update(encoder=FakeEncoder(fingerprint="another", dimensions=16), rebuild=True)
    update(rebuild=True)
    (docs / "long.md").unlink()
    update(allow_shrink=True)
    assert rows(indexed) > 2
    update(prune=True)
    assert (rows(indexed), len(Layout(indexed).vectors()), passages(indexed)) == (2, 2, 2)
    assert encoder.encoded == []
    shutil.copyfile(docs / "short.md", docs / "again.md")
    (docs / "long.md").write_text(LONG)
    update()
    assert encoder.encoded and "Few words." not in encoder.encoded


def test_vectors_that_are_mostly_unused_make_room(
    indexed: Path, docs: Path, update: Update, monkeypatch: pytest.MonkeyPatch
) -> None:
    (docs / "long.md").unlink()
    (docs / "log.jsonl").unlink()
    monkeypatch.setattr(writer, "UNUSED_SHARE", 0.5)
    before = rows(indexed)
    assert before > 3
    update(allow_shrink=True)
    assert rows(indexed) == before  # there are few in all
    monkeypatch.setattr(writer, "FEW_ROWS", before - 1)
    (docs / "new.md").write_text("Few words.\n")
    update()
    assert (rows(indexed), passages(indexed)) == (1, 2)


def test_vectors_that_are_used_by_enough_stay(
    indexed: Path, docs: Path, update: Update, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "UNUSED_SHARE", 0.5)
    monkeypatch.setattr(writer, "FEW_ROWS", 0)
    (docs / "short.md").unlink()
    before = rows(indexed)
    update()
    assert rows(indexed) == before


def test_a_failed_run_keeps_the_vectors_that_it_made(
    plant: Plant, update: Update, encoder: FakeEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rerank_cli.encoding.ENCODE_BATCH", 2)
    plant({f"{n}.md": f"Text number {n}.\n" for n in range(9)})
    with pytest.raises(RuntimeError, match="broke down"):
        update(encoder=FakeEncoder(fails_after=5))
    update()
    assert len(encoder.encoded) == 5  # the first two batches were kept


class Wrong(FakeEncoder):
    """A model whose vectors are not of the shape that they should have."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.shape = shape

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        return np.ones(self.shape, dtype=np.float32)


@pytest.mark.parametrize("shape", [(1, 64), (3, 64), (2, 63), (2,), (2, 64, 1), (0, 64)])
def test_vectors_of_a_wrong_shape_are_an_error_of_the_model_and_change_nothing(
    indexed: Path, plant: Plant, update: Update, shape: tuple[int, ...]
) -> None:
    before = passages(indexed)
    plant({"new.md": "New words.\n", "newer.md": "Newer words.\n"})
    with pytest.raises(ModelError, match="gave no 2 vectors of 64 finite numbers"):
        update(encoder=Wrong(shape))
    assert passages(indexed) == before
    assert update().added == 2


@pytest.mark.parametrize("shape", [(1, 64), (2, 63), (2,)])
def test_vectors_of_a_wrong_shape_make_no_index(plant: Plant, update: Update, index_folder: Path, shape) -> None:
    plant({"new.md": "New words.\n", "newer.md": "Newer words.\n"})
    with pytest.raises(ModelError, match="gave no 2 vectors of"):
        update(encoder=Wrong(shape))
    update()
    with open_writer(index_folder, wait_s=0) as writing:
        assert writing.manifest is not None and writing.manifest.recipe.dimensions == 64
