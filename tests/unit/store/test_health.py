from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest

from rerank_cli.errors import IndexDamaged, IndexMissing
from rerank_cli.store import WriteLock, open_writer, write_lock
from rerank_cli.store.health import check_health
from tests.clocks import IdleClock
from tests.conftest import Plant, Update


@pytest.fixture
def index(plant: Plant, update: Update, index_folder: Path) -> Path:
    plant({f"{n}.md": f"brake number {n}\n" for n in range(9)})
    update()
    return index_folder


def test_a_lock_tells_its_holder_while_it_is_held(index: Path) -> None:
    assert write_lock(index) == WriteLock(held=False)
    with open_writer(index, wait_s=0):
        assert write_lock(index) == WriteLock(held=True, pid=os.getpid())
    assert write_lock(index) == WriteLock(held=False)


def test_where_there_is_no_index_nobody_writes_one(tmp_path: Path) -> None:
    assert write_lock(tmp_path / "nowhere") == WriteLock(held=False)


def test_a_look_at_the_lock_never_makes_a_writer_busy(
    index: Path, idle_clock: IdleClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who looks holds the lock for a moment, which is over before a writer asks again."""
    with (index / "write.lock").open() as looking:
        fcntl.flock(looking, fcntl.LOCK_SH)
        monkeypatch.setattr(idle_clock, "sleep", lambda seconds: fcntl.flock(looking, fcntl.LOCK_UN))
        with open_writer(index, wait_s=0):
            assert write_lock(index) == WriteLock(held=True, pid=os.getpid())


def test_a_sound_index_has_no_failure_and_no_leftovers(index: Path) -> None:
    health = check_health(index, pages=True)
    assert (health.failure, health.leftovers) == (None, ())
    assert health.manifest is not None
    assert health.manifest.generation == 1


def test_the_failure_is_what_a_query_would_end_with(index: Path, tmp_path: Path) -> None:
    next(index.glob("*.vectors")).unlink()
    assert isinstance(check_health(index).failure, IndexDamaged)
    assert isinstance(check_health(tmp_path / "nowhere").failure, IndexMissing)


def test_a_broken_page_is_found_on_demand(plant: Plant, update: Update, index_folder: Path) -> None:
    plant({f"{n:03}.md": f"brake number {n}\n" * 20 for n in range(100)})
    update()
    catalog = index_folder / "catalog.sqlite"
    content = catalog.read_bytes()
    catalog.write_bytes(content[: 4096 * 20] + b"\xff" * 4096 * 9 + content[4096 * 29 :])
    assert isinstance(check_health(index_folder, pages=True).failure, IndexDamaged)


def test_what_a_killed_run_left_is_named(index: Path) -> None:
    for name in ("graph-2.hnsw.partial", "staging"):
        (index / name).write_bytes(b"")
    (index / "replaced").mkdir()
    assert [path.name for path in check_health(index).leftovers] == ["graph-2.hnsw.partial", "staging", "replaced"]
