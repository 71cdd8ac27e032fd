"""The passages that a filter lets through, by SQL: a table of the connection's own, within which both lists search."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from rerank_cli.errors import IndexDamaged
from rerank_cli.fields import alike, folded
from rerank_cli.filters import file_test
from rerank_cli.ports import FieldRule, Filter
from rerank_cli.store.remedies import rebuild_remedy

TABLES = (
    "CREATE TEMP TABLE IF NOT EXISTS accepted_paths (path TEXT PRIMARY KEY) WITHOUT ROWID",
    "CREATE TEMP TABLE IF NOT EXISTS accepted (id INTEGER PRIMARY KEY)",
    "DELETE FROM accepted_paths",
    "DELETE FROM accepted",
)

INSERT = "INSERT INTO accepted SELECT passages.id FROM documents JOIN passages ON document = documents.id WHERE"

DATE = "coalesce(dated, (SELECT modified_at FROM files WHERE files.path = documents.path))"

SAID = "documents.id IN (SELECT document FROM fields WHERE"
NOT_SAID = "documents.id NOT IN (SELECT document FROM fields WHERE"

Condition = tuple[str, tuple[object, ...]]
"""What must hold for a row of `documents`, and the values that it names by `?`."""


def accept(connection: sqlite3.Connection, within: Filter, catalog: Path) -> frozenset[int]:
    """Put the ids of the passages *within* into `temp.accepted`, and return them.

    Raises:
        UsageError: a pattern of the filter is none.
        IndexDamaged: a path of the *catalog* is no text.
    """
    for statement in TABLES:
        connection.execute(statement)
    conditions, values = zip(*_conditions(connection, within, catalog), strict=True)
    connection.execute(f"{INSERT} {' AND '.join(conditions)}", [value for some in values for value in some])
    return frozenset(number for (number,) in connection.execute("SELECT id FROM accepted"))


def _conditions(connection: sqlite3.Connection, within: Filter, catalog: Path) -> Iterator[Condition]:
    yield "true", ()
    if within.names_files:
        _accept_paths(connection, within, catalog)
        yield "path IN (SELECT path FROM temp.accepted_paths)", ()
    if within.since is not None:
        yield f"{DATE} >= ?", (within.since,)
    if within.until is not None:
        yield f"{DATE} < ?", (within.until,)
    yield from map(_rule, within.fields)


def _accept_paths(connection: sqlite3.Connection, within: Filter, catalog: Path) -> None:
    accepts = file_test(within)
    paths = [path for (path,) in connection.execute("SELECT path FROM files")]
    if not all(isinstance(path, str) for path in paths):
        raise IndexDamaged(f"{catalog}: its tables contradict each other", remedy=rebuild_remedy(catalog.parent))
    connection.executemany(
        "INSERT INTO accepted_paths VALUES (?)", [(path,) for path in paths if accepts(within.base + path)]
    )


def _rule(rule: FieldRule) -> Condition:
    keys, value = alike(rule.key), folded(rule.value)
    named = f"key IN ({','.join('?' * len(keys))})"
    if value == "*":
        compared, values = "", keys
    elif "*" in value or "?" in value:
        compared, values = " AND value GLOB ?", (*keys, value.replace("[", "[[]"))
    else:
        compared, values = " AND value = ?", (*keys, value)
    return f"{NOT_SAID if rule.differs else SAID} {named}{compared})", values
