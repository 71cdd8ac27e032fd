"""How fast work grows with its input: its times are only compared with those of the same work on less of the same."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

Work = Callable[[], object]

TIMES = 32
"""So many times as large is the larger input."""

MOST = 4 * TIMES
"""So many times as long it may take: that is four lines, and an eighth of a square.

Nothing is added to it. What is so quick that a square of it stays below some time would pass otherwise.
"""

_ENOUGH_S = 0.002

FAR_TOO_LONG_S = 60
"""What takes seconds at the most on any machine would take hours if it grew with its square, or faster."""


def grows_evenly(work_on: Callable[[int], Work], size: int) -> bool:
    """Whether the work on *size* takes nowhere near the square of that on less; twice, where something disturbs it."""
    small, large = work_on(size // TIMES), work_on(size)
    return any(cpu_s(large, tries=1) < MOST * cpu_s(small) for _ in range(2))


def cpu_s(work: Work, *, tries: int = 3) -> float:
    """The seconds of the processor that *work* takes at best. What takes next to none is done often, and shared out."""
    repeats, taken_s = 1, _taken_s(work, 1)
    while taken_s < _ENOUGH_S:
        repeats *= 2
        taken_s = _taken_s(work, repeats)
    return min([taken_s, *(_taken_s(work, repeats) for _ in range(tries - 1))]) / repeats


def _taken_s(work: Work, repeats: int) -> float:
    """Without the collection of garbage, which goes through all that other tests have left."""
    gc.disable()
    try:
        started = time.process_time()
        for _ in range(repeats):
            work()
        return time.process_time() - started
    finally:
        gc.enable()
