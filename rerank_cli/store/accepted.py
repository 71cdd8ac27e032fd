"""The passages that a filter lets through, by SQL: a table of the connection's own, within which both lists search."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from rerank_cli.errors import IndexDamaged
from rerank_cli.fields import alike, folded
from rerank_cli.filters import file_test
from rerank_cli.ports import FieldRule, Filter
from rerank_cli.store.remedies import rebuild_remedy

TABLES = (
    "CREATE TEMP TABLE IF NOT EXISTS accepted_documents (id INTEGER PRIMARY KEY)",
    "CREATE TEMP TABLE IF NOT EXISTS accepted (id INTEGER PRIMARY KEY)",
    "DELETE FROM accepted_documents",
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
        _accept_by_path(connection, within, catalog)
        yield "documents.id IN (SELECT id FROM temp.accepted_documents)", ()
    if within.since is not None:
        yield f"{DATE} >= ?", (within.since,)
    if within.until is not None:
        yield f"{DATE} < ?", (within.until,)
    yield from map(_rule, within.fields)


def _accept_by_path(connection: sqlite3.Connection, within: Filter, catalog: Path) -> None:
    accepts = cache(file_test(within))  # a file may hold many documents
    documents = connection.execute("SELECT id, path FROM documents").fetchall()
    if not all(isinstance(path, str) for _, path in documents):
        raise IndexDamaged(f"{catalog}: its tables contradict each other", remedy=rebuild_remedy(catalog.parent))
    accepted = [(number,) for number, path in documents if accepts(within.base + path)]
    connection.executemany("INSERT INTO accepted_documents VALUES (?)", accepted)


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
