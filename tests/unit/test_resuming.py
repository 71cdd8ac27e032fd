"""A run that did not get to its commit is gone on with: what it read is not read again."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from rerank_cli.store import open_reader
from rerank_cli.store.layout import Layout
from tests.conftest import Plant, Update
from tests.fakes import FakeEncoder

COUNT = 6


class Reading(FakeEncoder):
    """Remembers the texts whose tokens were counted: those of every file that was read and split."""

    def __init__(self, **options: int) -> None:
        super().__init__(**options)
        self.counted: list[str] = []

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        self.counted.extend(texts)
        return super().count_tokens(texts)

    @property
    def files(self) -> set[int]:
        """The numbers of the files that were read."""
        return {number for number in range(COUNT) if any(f"number {number}" in text for text in self.counted)}


@pytest.fixture
def failed(plant: Plant, update: Update, index_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An index folder whose first run has read everything, encoded a part, and failed."""
    monkeypatch.setattr("rerank_cli.encoding.ENCODE_BATCH", 2)
    plant({f"{number}.md": f"Text number {number}.\n" for number in range(COUNT)})
    with pytest.raises(RuntimeError, match="broke down"):
        update(encoder=Reading(fails_after=2))
    return index_folder


@pytest.fixture
def reading() -> Reading:
    return Reading()


def texts(folder: Path) -> list[str]:
    with open_reader(folder) as reader:
        return [stored.passage.text for stored in reader.scan()]


def test_nothing_that_was_read_is_read_again(failed: Path, update: Update, reading: Reading) -> None:
    summary = update(encoder=reading)
    assert (summary.added, summary.encoded, reading.files) == (COUNT, COUNT - 2, set())
    assert texts(failed) == [f"Text number {number}." for number in range(COUNT)]


def test_a_file_that_was_touched_is_not_read_again_and_its_stamp_is_the_new_one(
    failed: Path, docs: Path, update: Update, reading: Reading
) -> None:
    os.utime(docs / "3.md", (1_650_000_000, 1_650_000_000))
    os.utime(docs / "3.md", (1_650_000_000, 1_650_000_000))
    update(encoder=reading)
    assert reading.files == set()
    assert update(encoder=reading).up_to_date


def test_what_changed_since_is_read(failed: Path, plant: Plant, docs: Path, update: Update, reading: Reading) -> None:
    plant({"3.md": "Other text, number 3.\n"})
    (docs / "4.md").unlink()
    (docs / "5.md").rename(docs / "moved.md")
    update(encoder=reading)
    assert reading.files == {3, 5}
    assert texts(failed) == [f"Text number {n}." for n in (0, 1, 2)] + ["Other text, number 3.", "Text number 5."]


def test_another_passage_size_reads_everything(failed: Path, update: Update, reading: Reading) -> None:
    update(encoder=reading, passage_tokens=41)
    assert reading.files == set(range(COUNT))


def test_another_encoder_reads_everything_as_it_counts_tokens_otherwise(failed: Path, update: Update) -> None:
    other = Reading()
    other.fingerprint = "another"
    update(encoder=other)
    assert other.files == set(range(COUNT))


def test_from_a_tear_on_everything_is_read(failed: Path, update: Update, reading: Reading) -> None:
    staging = Layout(failed).staging
    staging.write_bytes(staging.read_bytes()[: staging.stat().st_size * 2 // 3 - 5])
    update(encoder=reading)
    assert reading.files == {3, 4, 5}
    assert len(texts(failed)) == COUNT


def test_what_was_staged_is_gone_after_a_commit(failed: Path, plant: Plant, update: Update, reading: Reading) -> None:
    assert Layout(failed).staging.exists()
    update(encoder=reading)
    assert not Layout(failed).staging.exists()
    plant({"0.md": "Changed number 0.\n"})
    update(encoder=reading)
    plant({"0.md": "Text number 0.\n"})
    update(encoder=reading)
    assert reading.files == {0}
    assert not Layout(failed).staging.exists()


def test_what_a_run_staged_that_has_nothing_to_do_any_more_goes(
    failed: Path, plant: Plant, update: Update, reading: Reading
) -> None:
    update(encoder=reading)
    plant({"0.md": "Changed number 0.\n"})
    with pytest.raises(RuntimeError, match="broke down"):
        update(encoder=Reading(fails_after=0))
    assert Layout(failed).staging.exists()
    plant({"0.md": "Text number 0.\n"})
    assert update(encoder=reading).up_to_date
    assert not Layout(failed).staging.exists()


def test_a_later_run_that_fails_is_gone_on_with_too(
    failed: Path, plant: Plant, update: Update, reading: Reading
) -> None:
    update(encoder=reading)
    plant({f"{number}.md": f"New text number {number}.\n" for number in (1, 2)})
    with pytest.raises(RuntimeError, match="broke down"):
        update(encoder=Reading(fails_after=0))
    with open_reader(failed) as reader:
        assert reader.manifest.generation == 1
    assert update(encoder=reading).changed == 2
    assert reading.files == set()


def test_a_file_that_could_not_be_read_is_tried_again(
    failed: Path, plant: Plant, update: Update, reading: Reading
) -> None:
    plant({"bad.jsonl": "no record\n"})
    with pytest.raises(RuntimeError, match="broke down"):
        update(encoder=Reading(fails_after=0))
    plant({"bad.jsonl": '{"text": "a record, number 5"}\n'})
    assert update(encoder=reading).failed == ()
    assert "a record, number 5" in texts(failed)
