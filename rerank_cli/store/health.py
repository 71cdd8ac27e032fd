"""Whether an index is sound, for those who ask about it rather than of it."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from rerank_cli.errors import RerankError
from rerank_cli.ports import Manifest
from rerank_cli.store.anywhere import open_reader
from rerank_cli.store.catalog import check_pages, check_texts, connect_to_read, telling
from rerank_cli.store.documents import check_documents
from rerank_cli.store.elsewhere import read_elsewhere
from rerank_cli.store.layout import Layout
from rerank_cli.store.opening import check_whole
from rerank_cli.store.passages import check_passages


@dataclass(frozen=True, slots=True)
class Health:
    """`failure` is what a query would end with, None for a sound index. `leftovers` go with the next `index`."""

    manifest: Manifest | None
    failure: RerankError | None
    leftovers: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class SqliteEngine:
    """The SQLite of this Python. `has_fts5` says whether it can search words."""

    version: str
    has_fts5: bool


def sqlite_engine() -> SqliteEngine:
    """What the catalog runs on."""
    with closing(sqlite3.connect(":memory:")) as connection:
        try:
            connection.execute("CREATE VIRTUAL TABLE words USING fts5 (text)")
        except sqlite3.OperationalError:
            return SqliteEngine(sqlite3.sqlite_version, has_fts5=False)
    return SqliteEngine(sqlite3.sqlite_version, has_fts5=True)


def check_health(folder: Path, *, pages: bool = False) -> Health:
    """Open the index in *folder* as a query would; with *pages*, read every page and text of its catalog too."""
    layout = Layout(folder)
    manifest = failure = None
    try:
        if read_elsewhere(folder) is not None:
            with open_reader(folder) as reader:
                return Health(reader.manifest, None, ())
        manifest = check_whole(layout)
        if pages:
            with closing(connect_to_read(layout.catalog)) as connection:
                check_pages(layout.catalog, connection)
                check_texts(layout.catalog, connection)
                with telling(layout.catalog, connection):
                    check_documents(connection, layout.catalog)
                    check_passages(connection, layout.catalog)
    except RerankError as error:
        failure = error
    return Health(manifest, failure, _leftovers(layout))


def _leftovers(layout: Layout) -> tuple[Path, ...]:
    with suppress(OSError):  # then the folder cannot be listed, which is the failure that is told
        graphs = [path for path in layout.graphs() if path.suffix == ".partial"]
        return tuple(
            path for path in (*graphs, layout.staging, layout.replaced_partly, layout.replaced) if path.exists()
        )
    return ()
