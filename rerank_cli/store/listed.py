"""Asks SQLite for the rows of many values, by statements of few lengths."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

MOST = 8192
"""Values that one statement names; SQLite takes 32,766."""


def rows_of(connection: sqlite3.Connection, query: str, values: Sequence[object]) -> list[tuple[Any, ...]]:
    """What *query*, which ends with IN, selects for all *values*, however many.

    A connection keeps the last 128 statements that it has run, and one that names a thousand values takes 0.2 MB. So a
    power of two is named, where the last value stands several times: that leaves a few statements in place of 128.
    """
    found: list[tuple[Any, ...]] = []
    for start in range(0, len(values), MOST):
        some = list(values[start : start + MOST])
        named = 1 << (len(some) - 1).bit_length()
        some += some[-1:] * (named - len(some))
        found.extend(connection.execute(f"{query} ({','.join('?' * named)})", some))
    return found
