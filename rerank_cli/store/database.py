"""Opens a file of SQLite's by its mode."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from urllib.parse import quote

from rerank_cli.regular import check_regular

BUSY_TIMEOUT_S = 30.0
"""Readers never wait; this is for the moment in which SQLite folds its write-ahead log back."""

READ = "mode=rw"
"""A reader of a write-ahead log writes beside it; it never makes the file itself."""

MAKE = "mode=rwc"

UNCHANGING = "mode=ro&immutable=1"
"""For a file that nobody changes: nothing is written beside it."""


def open_database(
    path: Path, mode: str, *, factory: type[sqlite3.Connection] = sqlite3.Connection
) -> sqlite3.Connection:
    """A connection to *path*, in which the caller begins every transaction.

    Raises:
        sqlite3.Error, OSError: it cannot be opened.
    """
    check_regular(path)
    address = f"file:{quote(os.fsencode(path))}?{mode}"
    return sqlite3.connect(address, isolation_level=None, timeout=BUSY_TIMEOUT_S, uri=True, factory=factory)
