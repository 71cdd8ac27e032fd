"""A lock is held by one process at a time, tells which, and is not waited for without end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from rerank_cli.errors import Busy
from rerank_cli.locks import WriteLock, locked, look
from tests.clocks import IdleClock

HOLD = """
import sys, time
from pathlib import Path
from rerank_cli.locks import locked
with locked(Path(sys.argv[1]), busy="", remedy=""):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def stopped(tmp_path: Path) -> Iterator[int]:
    """A process that holds the lock and will never do anything again."""
    holder = subprocess.Popen([sys.executable, "-c", HOLD, tmp_path / "lock"], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    holder.send_signal(signal.SIGSTOP)
    yield holder.pid
    holder.kill()
    holder.communicate()


def test_a_lock_tells_its_holder_while_it_is_held(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    assert look(lock) == WriteLock(held=False)
    with locked(lock, busy="", remedy=""):
        assert look(lock) == WriteLock(held=True, pid=os.getpid())
    assert look(lock) == WriteLock(held=False)


def test_who_waits_for_a_stopped_process_says_so_and_gives_up(
    tmp_path: Path, stopped: int, idle_clock: IdleClock
) -> None:
    waits: list[None] = []
    with (
        pytest.raises(Busy, match=rf"^at work \(process {stopped}\)$") as raised,
        locked(tmp_path / "lock", busy="at work", remedy="wait", wait_s=5, waiting=lambda: waits.append(None)),
    ):
        pass
    assert raised.value.remedy == "wait"
    assert waits and 5 <= idle_clock.now_s < 6
    assert look(tmp_path / "lock") == WriteLock(held=True, pid=stopped)
