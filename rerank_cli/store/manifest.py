"""What a generation says of itself, as rows of the catalog."""

from __future__ import annotations

import json
import sqlite3
from typing import Any, NamedTuple

from rerank_cli.errors import IndexDamaged, IndexMismatch
from rerank_cli.ports import Manifest, Recipe
from rerank_cli.store.catalog import telling
from rerank_cli.store.layout import FORMAT_VERSION, Layout
from rerank_cli.store.pins import NAME, GraphPin, VectorsPin
from rerank_cli.store.remedies import index_command, rebuild_remedy

BROUGHT_OVER = (1, 2, 3)
"""Older formats, which `index` brings over without encoding."""


class Generation(NamedTuple):
    """A generation: its manifest, and the files beside the catalog that are its own."""

    manifest: Manifest
    vectors: VectorsPin
    graph: GraphPin | None


def read_generation(layout: Layout, connection: sqlite3.Connection) -> Generation | None:
    """The generation that *connection* sees; None before the first.

    Raises:
        IndexMismatch: the index has another format.
        IndexDamaged: it cannot be understood.
    """
    rows = read_rows(layout, connection)
    if not rows:
        return None
    if (version := rows.get("format_version")) != FORMAT_VERSION:
        if version in BROUGHT_OVER:
            raise IndexMismatch(
                f"{layout.folder}: index format {version}, this program reads {FORMAT_VERSION}",
                remedy=f"bring it over, which encodes nothing: {index_command(layout.folder)}",
            )
        raise IndexMismatch(
            f"{layout.folder}: index format {version}, this program reads {FORMAT_VERSION}",
            remedy=rebuild_remedy(layout.folder),
        )
    try:
        manifest = Manifest(
            Recipe(**rows["recipe"]), rows["generation"], rows["updated_at"], rows["search"], rows["search_reason"]
        )
        vectors = VectorsPin(**rows["vectors"], matrix_crc32=rows.get("matrix_crc32"))
        graph = GraphPin(**rows["graph"]) if rows["graph"] else None
        if not NAME.fullmatch(vectors.name):
            raise ValueError(f"no vectors are called {vectors.name!r}")
    except (KeyError, TypeError, ValueError) as error:
        raise IndexDamaged(
            f"{layout.catalog}: the manifest is incomplete ({error})", remedy=rebuild_remedy(layout.folder)
        ) from error
    return Generation(manifest, vectors, graph)


def read_rows(layout: Layout, connection: sqlite3.Connection) -> dict[str, Any]:
    """What the catalog says of itself, by key; nothing where its first writer has not ended.

    Raises:
        IndexDamaged: it cannot be understood.
    """
    try:
        with telling(layout.catalog, connection):
            if not connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
                return {}
            return {key: json.loads(value) for key, value in connection.execute("SELECT key, value FROM manifest")}
    except (ValueError, RecursionError) as error:
        raise IndexDamaged(
            f"{layout.catalog}: the manifest cannot be read ({error})", remedy=rebuild_remedy(layout.folder)
        ) from error


def write_generation(connection: sqlite3.Connection, generation: Generation) -> None:
    """Put *generation* in the place of what the catalog said of itself."""
    manifest = generation.manifest
    vectors = generation.vectors._asdict()
    rows = {
        "matrix_crc32": vectors.pop("matrix_crc32"),  # apart, as older programs of this format know of no such part
        "format_version": FORMAT_VERSION,
        "recipe": manifest.recipe._asdict(),
        "generation": manifest.generation,
        "updated_at": manifest.updated_at,
        "search": manifest.search,
        "search_reason": manifest.search_reason,
        "vectors": vectors,
        "graph": generation.graph._asdict() if generation.graph else None,
    }
    connection.execute("DELETE FROM manifest")
    connection.executemany(
        "INSERT INTO manifest VALUES (?, ?)",
        [(key, json.dumps(value, sort_keys=True)) for key, value in rows.items()],
    )
