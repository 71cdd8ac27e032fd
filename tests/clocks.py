"""Clocks for those who wait for a lock, so that no test depends on how fast the machine is."""

from __future__ import annotations

import threading
import time


class IdleClock:
    """Time passes only where somebody sleeps, and then at once."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def monotonic(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds


class WatchedClock:
    """The machine's own time, in which a test can wait until other threads wait."""

    monotonic = staticmethod(time.monotonic)

    def __init__(self) -> None:
        self._waiting: set[int] = set()
        self._changed = threading.Condition()

    def sleep(self, seconds: float) -> None:
        with self._changed:
            self._waiting.add(threading.get_ident())
            self._changed.notify_all()
        time.sleep(seconds)

    def until_others_wait(self, count: int) -> None:
        """Until so many threads have begun to sleep after this was called."""
        with self._changed:
            self._waiting.clear()
            assert self._changed.wait_for(lambda: len(self._waiting) >= count, timeout=300)
