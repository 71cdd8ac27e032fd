"""The score cache on this disk: an SQLite file in the user's cache folder, to be deleted at will."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rerank_cli.errors import InputError, in_words
from rerank_cli.locks import POLL_S
from rerank_cli.places import cache_folder, make_private_file, make_private_folder, tighten
from rerank_cli.ports import KeptScore
from rerank_cli.store.catalog import SQLITE_FAILS
from rerank_cli.store.database import BUSY_TIMEOUT_S
from rerank_cli.store.listed import rows_of

SCHEMA = "CREATE TABLE IF NOT EXISTS scores (pair BLOB PRIMARY KEY, logit REAL, elapsed_s REAL) WITHOUT ROWID"

WHOLE_ROWS = (
    "pair, logit, elapsed_s FROM scores WHERE typeof(logit) = 'real' AND typeof(elapsed_s) = 'real'"
    " AND abs(logit) < 1e30 AND elapsed_s BETWEEN 0 AND 1e30"
)
"""SQLite keeps NaN as NULL; no model gives an infinite score."""


def scores_path() -> Path:
    """Where scores are kept, for all indexes together."""
    return cache_folder() / "scores.sqlite"


class ScoreStore:
    """Scores by a key of 16 bytes. Use it as a context manager; any number of processes may."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            make_private_folder(path.parent)
            make_private_file(path)
            tighten(path.parent.glob(f"{path.name}-*"))
        except OSError as error:
            raise self._unusable(in_words(error)) from error
        with self._guard():
            self._connection = sqlite3.connect(path, isolation_level=None, timeout=BUSY_TIMEOUT_S)
            try:
                _write_ahead(self._connection)
                self._connection.execute("PRAGMA synchronous = NORMAL")
                self._connection.execute(SCHEMA)
            except BaseException:
                self._connection.close()
                raise

    def __enter__(self) -> ScoreStore:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def read(self, keys: Sequence[bytes]) -> dict[bytes, KeptScore]:
        """The scores kept under *keys*; a row without numbers, such as a score that was NaN, is none."""
        with self._guard():
            rows = rows_of(self._connection, f"SELECT {WHOLE_ROWS} AND pair IN", keys)
        return {pair: KeptScore(logit, elapsed_s) for pair, logit, elapsed_s in rows}

    def keep(self, scores: Iterable[tuple[bytes, KeptScore]]) -> None:
        """Keep *scores* from now on: all of them or none."""
        rows = [(key, score.logit, score.elapsed_s) for key, score in scores]
        with self._guard(), self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany("INSERT OR REPLACE INTO scores VALUES (?, ?, ?)", rows)

    @contextmanager
    def _guard(self) -> Iterator[None]:
        try:
            yield
        except SQLITE_FAILS as error:
            raise self._unusable(in_words(error)) from error

    def _unusable(self, reason: str) -> InputError:
        return InputError(f"{self._path}: scores cannot be kept ({reason})", remedy="delete it, or run with --no-cache")


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Keep a write-ahead log from now on.

    Where two processes turn to it at once, SQLite refuses one of them without the wait that it was told to make.
    """
    deadline = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() >= deadline:
                raise
        time.sleep(POLL_S)
