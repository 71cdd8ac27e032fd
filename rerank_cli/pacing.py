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
    recalled: Callable[[Part], int] = lambda part: 0,
) -> tuple[list[Part], int]:
    """What *read* gives from one number to another, batch after batch, and how many of the *total* were read.

    It ends about at *deadline*, a time of `time.perf_counter`, or where the parts are *enough*. At least the *first*
    are read, and then *most* of them at once. Of a part so many were *recalled*,
    which does not tell how long one takes.
    """
    parts: list[Part] = []
    done, known, wanted, started = 0, 0, first, time.perf_counter()
    while wanted and done < total:
        parts.append(read(done, min(done + wanted, total)))
        done = min(done + wanted, total)
        known += recalled(parts[-1])
        if enough(parts):
            break
        wanted = min(_affordable(done - known, started=started, deadline=deadline, first=first), most or total)
    return parts, done


def _affordable(read: int, *, started: float, deadline: float, first: int) -> int:
    """How many to read next, by how long it took that so many are *read*."""
    if deadline == math.inf:
        return sys.maxsize
    now = time.perf_counter()
    if not read and now < deadline:
        return first
    fitting = int((deadline - now) / (now - started) * read)
    return max(fitting // 2, min(fitting, first), 0)  # half, lest a wrong guess take too long
