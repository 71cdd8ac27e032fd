"""Passages as rows of the catalog, each with a check of all that it says."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from rerank_cli.errors import IndexDamaged
from rerank_cli.records import Passage, StoredPassage, at_lines
from rerank_cli.store.remedies import rebuild_remedy

SELECT = (
    "SELECT passages.id, document_id, path, title, ordinal, first_line, last_line, headings, text, text_hash, row_check"
    " FROM passages JOIN documents ON documents.id = document"
)

Row = tuple[int, str, str, str, int, int, int, str, str, bytes, int]


def insert_document(
    connection: sqlite3.Connection, path: str, document_id: str, title: str, passages: Sequence[Passage]
) -> None:
    """Add a document to the file at *path*."""
    cursor = connection.execute(
        "INSERT INTO documents (document_id, path, title) VALUES (?, ?, ?)", (document_id, path, title)
    )
    connection.executemany(
        "INSERT INTO passages (document, ordinal, first_line, last_line, headings, text, text_hash, row_check)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [(cursor.lastrowid, *said, _check(document_id, path, title, *said)) for said in map(_said, passages)],
    )


def _said(passage: Passage) -> tuple[int, int, int, str, str, bytes]:
    headings = "\n".join(passage.headings)
    return passage.ordinal, passage.place.first, passage.place.last, headings, passage.text, passage.text_hash


def _check(*said: object) -> int:
    """The CRC-32 of all that the catalog says of a passage."""
    return zlib.crc32("\0".join(each.hex() if isinstance(each, bytes) else str(each) for each in said).encode())


def passage_of(row: Row, catalog: Path) -> StoredPassage:
    """The passage in a *row* of `SELECT`.

    Raises:
        IndexDamaged: the row is not what was written.
    """
    number, document_id, path, title, ordinal, first_line, last_line, headings, text, _, check = row
    if _check(*row[1:-1]) != check:
        raise IndexDamaged(
            f"{catalog}: passage {number} is not what was written", remedy=rebuild_remedy(catalog.parent)
        )
    trail = tuple(headings.split("\n")) if headings else ()
    return StoredPassage(
        number, document_id, path, title, Passage(ordinal, at_lines(first_line, last_line), trail, text)
    )


def stored_passages(connection: sqlite3.Connection, catalog: Path) -> Iterator[StoredPassage]:
    """Every passage of the catalog, in the order of their origins. Raises IndexDamaged as `passage_of` does."""
    for row in connection.execute(f"{SELECT} ORDER BY document_id, ordinal, path"):
        yield passage_of(row, catalog)


def check_passages(connection: sqlite3.Connection, catalog: Path) -> None:
    """Read every passage. Raises IndexDamaged as `passage_of` does."""
    for row in connection.execute(SELECT):
        passage_of(row, catalog)
