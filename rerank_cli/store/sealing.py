"""Keeps the seal of the catalog true while one process writes it."""

from __future__ import annotations

import sqlite3

from rerank_cli.errors import IndexDamaged
from rerank_cli.store.access import naming_disk_errors
from rerank_cli.store.catalog import check_pages, check_words, has_log, telling
from rerank_cli.store.database import BUSY_TIMEOUT_S
from rerank_cli.store.documents import check_documents
from rerank_cli.store.layout import Layout
from rerank_cli.store.manifest import read_generation
from rerank_cli.store.passages import check_passages
from rerank_cli.store.remedies import rebuild_remedy
from rerank_cli.store.seal import Seal, fits, seal_of, write_seal

FOLD_WAIT_S = 0.5
"""A query is over by then. Whoever holds a generation for longer may do so for hours."""

UNWRITTEN = Seal(root="", generation=0, broken=True)


def is_sealed(layout: Layout, seal: Seal, generation: int) -> bool:
    """Whether the catalog, of *generation*, is what was sealed: its log was folded in before that."""
    return generation == seal.generation and not has_log(layout.catalog) and fits(seal, layout.catalog)


class Sealing:
    """The seal of a catalog that a writer has open. *seal* is what lies beside it, if that can be read."""

    def __init__(self, layout: Layout, seal: Seal | None) -> None:
        self._layout = layout
        self._seal = seal
        self._is_whole = False
        """Whether the seal on the disk fits the catalog."""
        self._is_sound = False
        """Whether the catalog may be sealed: never seal what cannot be believed."""

    def check(self, connection: sqlite3.Connection) -> None:
        """Make sure of the catalog, by its seal, or where that does not fit by all that the catalog says.

        Raises:
            IndexDamaged: it is not what was written.
        """
        catalog = self._layout.catalog
        generation = read_generation(self._layout, connection)
        seal = self._seal
        if generation is None:
            self._is_sound = True
            return
        if seal and not seal.broken:  # then no writer was at work, and what does not fit is damage
            with naming_disk_errors(catalog):
                self._is_whole = is_sealed(self._layout, seal, generation.manifest.generation)
            if not self._is_whole:
                raise IndexDamaged(
                    f"{catalog}: is not what was written last", remedy=rebuild_remedy(self._layout.folder)
                )
        else:
            check_pages(catalog, connection)
            check_words(catalog, connection)
            with telling(catalog, connection):
                check_documents(connection, catalog)
                check_passages(connection, catalog)
        self._is_sound = True

    def break_seal(self) -> None:
        """Say that the catalog is being written. Call it before every transaction."""
        if self._seal is None or not self._seal.broken:
            self._put((self._seal or UNWRITTEN)._replace(broken=True))
            self._is_whole = False

    def seal(self, connection: sqlite3.Connection) -> None:
        """Fold SQLite's log into the catalog and seal it, unless it is sealed.

        While a reader holds an older generation, the log cannot be folded: the next run does it then. The seal stays
        broken, but says which generation the log must bring, as SQLite takes a log that was cut for a shorter one.
        """
        if self._is_whole or not self._is_sound or (generation := read_generation(self._layout, connection)) is None:
            return
        with telling(self._layout.catalog, connection):
            connection.execute(f"PRAGMA busy_timeout = {1000 * FOLD_WAIT_S:.0f}")
            is_held, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            connection.execute(f"PRAGMA busy_timeout = {1000 * BUSY_TIMEOUT_S:.0f}")
        root, number = generation.manifest.recipe.root, generation.manifest.generation
        if is_held:
            self._put(Seal(root, number, broken=True))
            return
        with naming_disk_errors(self._layout.catalog):
            sealed = seal_of(self._layout.catalog, root=root, generation=number)
        self._put(sealed)
        self._is_whole = True

    def _put(self, seal: Seal) -> None:
        if seal != self._seal:
            with naming_disk_errors(self._layout.seal):
                write_seal(self._layout.seal, seal)
            self._seal = seal
