"""Whether vectors are searched by a scan or by a graph, and how a graph follows them."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from rerank_cli.errors import IndexDamaged
from rerank_cli.ports import Manifest
from rerank_cli.records import VectorSearch
from rerank_cli.store.layout import Layout
from rerank_cli.store.pins import GraphPin, VectorsPin

if TYPE_CHECKING:
    from rerank_cli.store.vectors import VectorFiles

SCAN, GRAPH = "exact scan", "HNSW graph"

BESIDE_SHARE = 0.1
LEAST_BESIDE = 1000
"""A graph is written again when the rows that came since are more than this share of it, and at least so many: until
then they are scanned beside it."""


_ASKED = "as the setting vectors says"


def asked_before(manifest: Manifest | None) -> VectorSearch:
    """How vectors were asked to be searched when the generation of *manifest* was made."""
    if manifest is None or manifest.search_reason != _ASKED:
        return "auto"
    return "hnsw" if manifest.search == GRAPH else "exact"


def search_kind(asked: VectorSearch, *, rows: int) -> tuple[str, str]:
    """How so many *rows* are searched, and why, in words for the user.

    A graph answers a second query in a fifth of the time, but a process loads one four times slower than it scans the
    rows, at every size: so a scan it is, unless a graph is asked for.
    """
    if asked == "hnsw":
        return (GRAPH, _ASKED) if rows else (SCAN, "there is no vector yet")
    if asked == "exact":
        return SCAN, _ASKED
    return SCAN, "quicker than loading a graph, and misses nothing"


def is_sound_graph(layout: Layout, pin: GraphPin) -> bool:
    """Whether the graph that *pin* names is there as it was written."""
    from rerank_cli.store.graph import check_graph, open_graph

    with suppress(IndexDamaged), open_graph(layout.folder, pin) as file:
        check_graph(file, pin)
        return True
    return False


def grown_graph(layout: Layout, last: GraphPin | None, files: VectorFiles, pin: VectorsPin, *, number: int) -> GraphPin:
    """A graph for the rows of *pin*: the *last* one while few rows came since, else one of all rows."""
    from rerank_cli.store.graph import Graph, load_graph, open_graph

    graph = Graph(dimensions=files.dimensions)
    if last is not None and last.vectors == pin.name and last.rows <= pin.rows:
        if pin.rows - last.rows <= max(LEAST_BESIDE, BESIDE_SHARE * last.rows) and is_sound_graph(layout, last):
            return last
        with suppress(IndexDamaged), open_graph(layout.folder, last) as file:  # then all of it is built anew
            graph = load_graph(file, last, dimensions=files.dimensions)
    graph.make_room(pin.rows)
    start = 0
    for block in files.blocks():
        new = block[max(0, len(graph) - start) : pin.rows - start]
        if len(new):
            graph.add(new)
        start += len(block)
    return graph.save(layout.graph(number), vectors=pin.name)
