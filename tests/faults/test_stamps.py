"""Files that change while what the system tells of them stays."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from rerank_cli import stamps
from rerank_cli.stamps import Stamp, stamp_of
from tests.conftest import Plant, Update
from tests.fakes import FakeEncoder


def test_a_restored_backup_of_the_same_size_and_time_is_seen(docs: Path, plant: Plant, update: Update, find) -> None:
    plant({"a.md": "brake\n", "b.md": "other\n"})
    update()
    times = (docs / "a.md").stat()
    (docs / "a.md").write_text("chain\n")
    os.utime(docs / "a.md", ns=(times.st_atime_ns, times.st_mtime_ns))
    assert update().changed == 1
    assert find("chain")[0] == "a.md"


def test_two_files_that_changed_places_are_both_seen(
    docs: Path, plant: Plant, update: Update, find, encoder: FakeEncoder
) -> None:
    plant({"a.md": "brake\n", "b.md": "chain\n"})
    for name in ("a.md", "b.md"):
        os.utime(docs / name, (1_600_000_000, 1_600_000_000))
    update()
    (docs / "a.md").rename(docs / "c.md")
    (docs / "b.md").rename(docs / "a.md")
    (docs / "c.md").rename(docs / "b.md")
    summary = update()
    assert (summary.changed, summary.encoded) == (2, 0)
    assert find("chain")[0] == "a.md"


def test_a_full_check_sees_what_no_stamp_tells(
    docs: Path, plant: Plant, update: Update, find, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stamps, "SETTLED_NS", 0)
    plant({"a.md": "brake\n", "b.md": "other\n"})
    update()
    before = (docs / "a.md").stat()
    (docs / "a.md").write_text("chain\n")
    monkeypatch.setattr("rerank_cli.corpus.discover.stamp_of", _remembering(before))
    assert update().up_to_date
    assert update(verify=True).changed == 1
    assert find("chain")[0] == "a.md"


def _remembering(before: os.stat_result) -> Callable[[os.stat_result], Stamp]:
    """A look at files that finds the one of *before* as it was, as on a disk whose clock stands still."""
    return lambda status: stamp_of(before if status.st_ino == before.st_ino else status)
