"""As much of a work as there is time for, from the best down."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

Part = TypeVar("Part")

FIRST_BATCH = 8
"""Texts that are read in any case where time is short, and by which it is found how long one takes."""


def paced(
    total: int,
    *,
    read: Callable[[int, int], Part],
    deadline: float = math.inf,
    first: int = FIRST_BATCH,
    most: int | None = None,
    enough: Callable[[Sequence[Part]], bool] = lambda parts: False,
) -> tuple[list[Part], int]:
    """What *read* gives from one number to another, batch after batch, and how many of the *total* were read.

    It ends about at *deadline*, a time of `time.perf_counter`, or where the parts are *enough*. At least the *first*
    are read, and then *most* of them at once.
    """
    parts: list[Part] = []
    done, wanted, started = 0, first, time.perf_counter()
    while wanted and done < total:
        parts.append(read(done, min(done + wanted, total)))
        done = min(done + wanted, total)
        if enough(parts):
            break
        wanted = min(_affordable(done, started=started, deadline=deadline, first=first), most or total)
    return parts, done


def _affordable(done: int, *, started: float, deadline: float, first: int) -> int:
    """How many to read next, by how long the ones that are *done* took."""
    if deadline == math.inf:
        return sys.maxsize
    now = time.perf_counter()
    fitting = int((deadline - now) / (now - started) * done)
    return max(fitting // 2, min(fitting, first), 0)  # half, lest a wrong guess take too long
