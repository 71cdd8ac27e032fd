"""Documents as rows of the catalog, with what they say of themselves and a check of that."""

from __future__ import annotations

import sqlite3
from itertools import groupby
from pathlib import Path

from rerank_cli.errors import IndexDamaged
from rerank_cli.fields import Fields, date_of, folded
from rerank_cli.records import SplitDocument
from rerank_cli.store.passages import insert_passages, row_check
from rerank_cli.store.remedies import rebuild_remedy

SELECT = (
    "SELECT documents.id, document_id, path, dated, fields_check, key, value FROM documents"
    " LEFT JOIN fields ON document = documents.id ORDER BY documents.id, key, value"
)


def insert_document(connection: sqlite3.Connection, path: str, document: SplitDocument) -> None:
    """Add *document* to the file at *path*."""
    fields, dated = _as_compared(document.fields), date_of(document.fields)
    cursor = connection.execute(
        "INSERT INTO documents (document_id, path, title, dated, fields_check) VALUES (?, ?, ?, ?, ?)",
        (document.id, path, document.title, dated, _fields_check(document.id, path, dated, fields)),
    )
    number = cursor.lastrowid
    assert number is not None
    connection.executemany(
        "INSERT INTO fields (key, value, document) VALUES (?, ?, ?)", [(*field, number) for field in fields]
    )
    insert_passages(connection, number, path, document)


def _as_compared(fields: Fields) -> Fields:
    return tuple(sorted({(folded(key), folded(value)) for key, value in fields}))


def _fields_check(document_id: str, path: str, dated: int | None, fields: Fields) -> int:
    return row_check(document_id, path, dated, *(text for field in fields for text in field))


def check_documents(connection: sqlite3.Connection, catalog: Path) -> None:
    """Read what every document says of itself.

    Raises:
        IndexDamaged: it is not what was written.
    """
    rows = groupby(connection.execute(SELECT), key=lambda row: row[:5])
    for (number, document_id, path, dated, check), group in rows:
        fields = tuple((key, value) for *_, key, value in group if key is not None)
        if _fields_check(document_id, path, dated, fields) != check:
            raise IndexDamaged(
                f"{catalog}: document {number} is not what was written", remedy=rebuild_remedy(catalog.parent)
            )


def field_counts(connection: sqlite3.Connection) -> dict[str, int]:
    """By key, how many documents have a field of it."""
    return dict(connection.execute("SELECT key, count(DISTINCT document) FROM fields GROUP BY key ORDER BY key"))
