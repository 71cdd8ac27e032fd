"""Passages as rows of the catalog, each with a check of all that it says."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterator
from pathlib import Path

from rerank_cli.errors import IndexDamaged
from rerank_cli.records import Passage, Place, SplitDocument, StoredPassage, Unit
from rerank_cli.store.remedies import rebuild_remedy

SELECT = (
    "SELECT passages.id, document_id, path, title, ordinal, unit, first, last, label, headings, text,"
    " text_hash, row_check FROM passages JOIN documents ON documents.id = document"
)

Row = tuple[int, str, str, str, int, Unit, int, int, str, str, str, bytes, int]


def insert_passages(connection: sqlite3.Connection, number: int, path: str, document: SplitDocument) -> None:
    """Add the passages of *document*, whose row has the *number*, in the file at *path*."""
    connection.executemany(
        "INSERT INTO passages (document, ordinal, unit, first, last, label, headings, text, text_hash, row_check,"
        " parts) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (number, *said, row_check(document.id, path, document.title, *said), parts_of(passage))
            for passage in document.passages
            for said in (_said(passage),)
        ],
    )


def _said(passage: Passage) -> tuple[int, str, int, int, str, str, str, bytes]:
    headings = "\n".join(passage.headings)
    return (passage.ordinal, *passage.place, headings, passage.text, passage.text_hash)


def parts_of(passage: Passage) -> str:
    """The words within words that are written as `unlockWithBiometrics` is; FTS5 itself knows those of `snake_case`."""
    from rerank_cli.words import identifiers, parts  # whose patterns take 5 ms to compile

    pieces = (piece for name in identifiers(passage.model_text) for piece in name.split("_"))
    return " ".join(part for piece in pieces if len(found := parts(piece)) > 1 for part in found)


def row_check(*said: object) -> int:
    """The CRC-32 of all that the catalog says of something."""
    return zlib.crc32("\0".join(each.hex() if isinstance(each, bytes) else str(each) for each in said).encode())


def passage_of(row: Row, catalog: Path) -> StoredPassage:
    """The passage in a *row* of `SELECT`.

    Raises:
        IndexDamaged: the row is not what was written.
    """
    number, document_id, path, title, ordinal, unit, first, last, label, headings, text, _, check = row
    if row_check(*row[1:-1]) != check:
        raise IndexDamaged(
            f"{catalog}: passage {number} is not what was written", remedy=rebuild_remedy(catalog.parent)
        )
    trail = tuple(headings.split("\n")) if headings else ()
    passage = Passage(ordinal, Place(unit, first, last, label), trail, text)
    return StoredPassage(number, document_id, path, title, passage)


def stored_passages(connection: sqlite3.Connection, catalog: Path) -> Iterator[StoredPassage]:
    """Every passage of the catalog, in the order of their origins. Raises IndexDamaged as `passage_of` does."""
    for row in connection.execute(f"{SELECT} ORDER BY document_id, ordinal, path"):
        yield passage_of(row, catalog)


def check_passages(connection: sqlite3.Connection, catalog: Path) -> None:
    """Read every passage. Raises IndexDamaged as `passage_of` does."""
    for row in connection.execute(SELECT):
        passage_of(row, catalog)
