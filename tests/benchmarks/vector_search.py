"""A scan of all vectors against a graph of them: what the limits in `store/search.py` and `store/graph.py` rest on.

    python tests/benchmarks/vector_search.py FOLDER --sizes 10000 100000 1000000 [--clusters 200] [--vectors FILE.npy]

For each size it prints the seconds that a process of its own takes from opening the vectors to the first list of 1000,
the median of those that follow in that process, the size on the disk, and the graph's recall against the scan. The
vectors are unit vectors around cluster centres, as those of texts are, or the rows of a file.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from rerank_cli.arrays import Vectors
from rerank_cli.store.graph import Graph, load_graph, open_graph
from rerank_cli.store.layout import Layout
from rerank_cli.store.nearest import GraphSearch, Scan
from rerank_cli.store.pinned import open_pinned
from rerank_cli.store.pins import GraphPin, VectorsPin
from rerank_cli.store.reader import SPARE
from rerank_cli.store.search import grown_graph
from rerank_cli.store.vectors import VectorFiles, VectorReader, VectorWriter

DIMENSIONS = 384
DEPTH = 1000
QUERIES = 20
AT_ONCE = 10_000


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--clusters", type=int, default=200)
    parser.add_argument("--vectors", type=Path)
    parser.add_argument("--ask", choices=["scan", "graph"])
    asked = parser.parse_args()
    if asked.ask:
        print(json.dumps(ask(asked.folder, asked.ask)))
        return
    print("vectors  kind   first_s  next_s  recall@1000  MB   built_s")
    for size in asked.sizes:
        folder = asked.folder / str(size)
        built_s = 0.0
        if not (folder / "pins.json").exists():
            built_s = prepare(folder, size, clusters=asked.clusters, file=asked.vectors)
        told = {kind: in_a_process(folder, kind) for kind in ("scan", "graph")}
        for kind, found in told.items():
            recall = statistics.fmean(
                len(set(one) & set(other)) / len(other)
                for one, other in zip(found["rows"], told["scan"]["rows"], strict=True)
            )
            line = (
                f"{size:<8} {kind:5} {found['first_s']:8.3f} {found['next_s']:7.3f} {recall:11.3f} {found['mb']:7.0f}"
            )
            print(f"{line} {built_s:8.1f}" if kind == "graph" else line, flush=True)


def prepare(folder: Path, size: int, *, clusters: int, file: Path | None) -> float:
    """Write *size* vectors, a graph of them and queries into *folder*; the seconds that the graph took."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(5)
    centres = rng.normal(size=(clusters, DIMENSIONS))
    rows = np.load(file, mmap_mode="r") if file else None
    writer = VectorWriter(folder, fingerprint="benchmark", pin=None)
    for start in range(0, size, AT_ONCE):
        count = min(AT_ONCE, size - start)
        block = (
            rows[start : start + count]
            if rows is not None
            else around(centres, rng.integers(clusters, size=count), rng)
        )
        writer.add([number.to_bytes(16, "little") for number in range(start, start + count)], block)
    pin = writer.pin(dimensions=DIMENSIONS)
    queries = around(centres, rng.integers(clusters, size=QUERIES), rng)
    if rows is not None:
        queries = np.asarray(rows[rng.integers(size, size=QUERIES)])
    np.save(folder / "queries.npy", queries)
    started = time.perf_counter()
    graph = grown_graph(Layout(folder), None, VectorFiles(folder, pin.name), pin, number=1)
    built_s = time.perf_counter() - started
    pins = {"vectors": [pin.name, pin.rows, pin.keys_crc32]}
    pins["graph"] = [graph.name, graph.vectors, graph.rows, graph.size_bytes, graph.crc32]
    (folder / "pins.json").write_text(json.dumps(pins), encoding="utf-8")
    return built_s


def around(centres: np.ndarray, chosen: np.ndarray, rng: np.random.Generator) -> Vectors:
    """Unit vectors around the *chosen* of *centres*."""
    vectors = centres[chosen] + 0.7 * rng.normal(size=(len(chosen), DIMENSIONS))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def in_a_process(folder: Path, kind: str) -> dict[str, object]:
    """What `ask` tells in a process of its own; the files lie in the system's cache."""
    command = [sys.executable, __file__, str(folder), "--ask", kind]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def ask(folder: Path, kind: str) -> dict[str, object]:
    """Open the vectors of *folder* and search them."""
    pins = json.loads((folder / "pins.json").read_text(encoding="utf-8"))
    queries = np.load(folder / "queries.npy")
    started = time.perf_counter()
    vectors = VectorReader(open_pinned(folder, VectorsPin(*pins["vectors"])))
    graph: Graph | None = None
    if kind == "graph":
        pin = GraphPin(*pins["graph"])
        with open_graph(folder, pin) as file:
            graph = load_graph(file, pin, dimensions=DIMENSIONS)
    times, rows = [], []
    for query in queries:
        begun = time.perf_counter() if rows else started
        search = Scan(vectors.cosines(query)) if graph is None else GraphSearch(graph, vectors, query)
        found, _ = search.best(DEPTH + SPARE)
        rows.append(found[:DEPTH].tolist())
        times.append(time.perf_counter() - begun)
    files = VectorFiles(folder, pins["vectors"][0])
    size_bytes = files.matrix.stat().st_size if graph is None else pins["graph"][3]
    return {"first_s": times[0], "next_s": statistics.median(times[1:]), "rows": rows, "mb": size_bytes / 1e6}


if __name__ == "__main__":
    main()
