"""The folder that an index was made of, also where nothing else of it can be read."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from rerank_cli.store.database import READ, UNCHANGING, open_database
from rerank_cli.store.layout import Layout
from rerank_cli.store.seal import read_seal


def indexed_root(folder: Path) -> Path | None:
    """The folder that the index in *folder* was made of, whatever its format and state; None if it cannot tell.

    A whole seal is believed first, as it proves what it says. A catalog that cannot be opened otherwise is read as a
    file that does not change: a root hardly ever does.
    """
    with suppress(OSError, ValueError, KeyError, TypeError):
        root = json.loads(Layout(folder).elsewhere.read_text(encoding="utf-8"))["root"]
        return Path(root) if root else None
    seal = None
    with suppress(OSError):
        seal = read_seal(Layout(folder).seal)
    if seal is not None and not seal.broken:
        return Path(seal.root)
    for mode in (READ, UNCHANGING):
        with suppress(OSError, sqlite3.Error, ValueError, TypeError, KeyError):
            with closing(open_database(Layout(folder).catalog, mode)) as connection:
                rows = dict(connection.execute("SELECT key, value FROM manifest WHERE key IN ('recipe', 'root')"))
            if "recipe" in rows:
                return Path(json.loads(rows["recipe"])["root"])
            if "root" in rows:  # the first format
                return Path(json.loads(rows["root"]))
    with suppress(OSError):  # where the folder may not be entered
        if Layout(folder).replaced.is_dir():  # a run was killed that was to replace it
            return indexed_root(Layout(folder).replaced)
    return Path(seal.root) if seal is not None and seal.root else None
