"""How long reading a file may take and how much memory, and what is told of one that takes longer."""

from __future__ import annotations

import math
import re

MEMORY_BYTES = 1_000_000_000

USUAL_BYTES = 10_000_000
"""A file has the limits once for each such piece of it: none is larger unless somebody asked for it."""

PATIENCE = 4
"""The limit is one of processor time. By the clock a file may take so many times as long, where others are at work too.
"""

_TOOK_LONGER = "took longer than {:g} s (--file-timeout)"
_TOOK_LONGER_THAN = re.compile(r"took longer than (?P<limit_s>[\d.e+-]+) s ")


def limit_s(size_bytes: int, file_timeout_s: float) -> float:
    """Seconds of processor time that reading a file of *size_bytes* may take."""
    return file_timeout_s * _pieces(size_bytes)


def limit_bytes(size_bytes: int, *, binary: bool) -> int:
    """Memory that reading a file of *size_bytes* may take; what is large of a *binary* one is seldom its text."""
    return MEMORY_BYTES + 4 * size_bytes if binary else MEMORY_BYTES * _pieces(size_bytes)


def took_longer(limit_s: float) -> str:
    """Why a file that had *limit_s* was not read."""
    return _TOOK_LONGER.format(limit_s)


def deserves_another_try(failure: str | None, size_bytes: int, file_timeout_s: float) -> bool:
    """Whether a file of *size_bytes* failed for a time limit that was shorter than the present one."""
    found = _TOOK_LONGER_THAN.match(failure) if failure else None
    return found is not None and float(found["limit_s"]) < float(f"{limit_s(size_bytes, file_timeout_s):g}")


def _pieces(size_bytes: int) -> int:
    return max(1, math.ceil(size_bytes / USUAL_BYTES))
