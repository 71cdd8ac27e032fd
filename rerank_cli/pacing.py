"""As much of a work as there is time for, from the best down."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Part = TypeVar("Part")

FIRST_BATCH = 8
"""Texts that are read in any case where time is short, and by which it is found how long one takes."""


def paced(
    total: int, *, deadline: float, read: Callable[[int, int], Part], first: int = FIRST_BATCH
) -> tuple[list[Part], int]:
    """What *read* gives from one number to another, batch after batch, and how many of the *total* were read.

    It ends about at *deadline*, a time of `time.perf_counter`. At least the *first* are read.
    """
    parts: list[Part] = []
    done, wanted, started = 0, first, time.perf_counter()
    while wanted and done < total:
        parts.append(read(done, min(done + wanted, total)))
        done = min(done + wanted, total)
        now = time.perf_counter()
        fitting = int((deadline - now) / (now - started) * done)
        wanted = max(fitting // 2, min(fitting, first), 0)  # half, lest a wrong guess take too long
    return parts, done
