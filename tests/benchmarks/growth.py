#!/usr/bin/env python3
"""How processor time, memory and disk grow with an index: of indexing, each kind of query, status and a change.

    python tests/benchmarks/growth.py FOLDER --structure STRUCTURE.npz [--sizes 10000 100000 1000000]
        [--parts index graph …] [--store 'milvus+file:FOLDER/{size}.db'] [--limit-s 3600]
    python tests/benchmarks/growth.py FOLDER --show

For each size it writes notes of synthetic passages (`synthetic.py`, which makes STRUCTURE.npz too) into FOLDER, unless
they are there, and does each part in a process of its own. The encoder is a table of their vectors. Each part adds a
line of JSON to FOLDER/figures.jsonl, so that one can be done again alone. --show prints them as a table, of each figure
the last one, with the power of the size that it grows by.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.lib.format import open_memmap
from synthetic import (
    PASSAGES_A_DOCUMENT,
    PASSAGES_A_TOPIC,
    Structure,
    load_structure,
    query_of_topic,
    texts_of_topic,
)

from rerank_cli.arrays import Vectors
from rerank_cli.indexing import IndexSettings, update_index
from rerank_cli.ports import EVERYTHING, Filter, IndexWriter
from rerank_cli.records import Progress, Rules
from rerank_cli.retrieval import LIST_DEPTH, retrieve
from rerank_cli.store import open_reader, open_writer

ASKING = ("exact", "lexical", "hybrid", "folder", "topic")
PARTS = ("index", "nothing", "status", *ASKING, "change", "graph", "hnsw", "recall")
LOCAL = ("graph", "hnsw", "recall")
QUERIES, TOP_K, SAMPLE = 12, 100, 50

RUN, ASKED = ("cpu_s", "peak_mb"), ("first_cpu_s", "next_cpu_s", "peak_mb", "own_mb")
SHOWN = {
    **dict.fromkeys(("nothing", "status", "change"), RUN),
    **dict.fromkeys((*ASKING, "hnsw"), ASKED),
    **dict.fromkeys(("index", "graph"), (*RUN, "size_mb")),
    "recall": ("100_of_1000", "1000_of_1000", "100_of_100"),
}
MEANS = {
    "index": "index everything",
    "nothing": "index with nothing to do",
    "status": "status",
    "exact": "dense, exact",
    "lexical": "lexical",
    "hybrid": "hybrid",
    "folder": "hybrid within a tenth",
    "topic": "hybrid within 1,000 passages",
    "change": "index with one note changed",
    "graph": "build the graph",
    "hnsw": "dense, graph",
    "recall": "recall of the graph",
    "cpu_s": "CPU s",
    "peak_mb": "peak MB",
    "size_mb": "MB on disk",
    "first_cpu_s": "first, CPU s",
    "next_cpu_s": "next, CPU s",
    "own_mb": "MB beside mapped files",
    "100_of_1000": "@100 in a list of 1,000",
    "1000_of_1000": "@1000 in a list of 1,000",
    "100_of_100": "@100 in a list of 100",
}
TELL_S = 10.0


class TableEncoder:
    """Looks up the vector of a text, whose first word is its row. Words are its tokens."""

    fingerprint = "table"
    max_tokens = 512

    def __init__(self, vectors: Path, queries: Path) -> None:
        self._vectors, self._queries = vectors, np.load(queries)
        self.dimensions = self._queries.shape[1]

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [text.count(" ") + 1 for text in texts]

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        return self._queries[[int(text.partition(" ")[0]) for text in texts]]

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        rows = [int(found[1]) for text in texts if (found := re.search(r"\bp(\d+)", text))]
        vectors: Vectors = np.load(self._vectors, mmap_mode="r")[
            rows
        ]  # no longer mapped than that: it is not the index's
        return vectors


class Timed:
    """Any object, with the processor's seconds that each of its methods took."""

    def __init__(self, timed: object, steps: Counter[str]) -> None:
        self._timed, self._steps = timed, steps

    def __getattr__(self, name: str) -> object:
        found = getattr(self._timed, name)
        if not callable(found):
            return found

        def work(*arguments: object, **options: object) -> object:
            started = time.process_time()
            try:
                return found(*arguments, **options)
            finally:
                self._steps[name] += time.process_time() - started

        return work


class Place:
    """Where the notes and the index of a size lie."""

    def __init__(self, asked: argparse.Namespace, size: int) -> None:
        self.size, self.queries = size, asked.queries
        self.notes = asked.folder.resolve() / f"notes-{size}"
        self.index = asked.folder.resolve() / f"{'elsewhere' if asked.store else 'local'}-{size}"
        self.store = asked.store.format(size=size)
        self._vectors, self._queries = asked.folder / "vectors.npy", asked.folder / f"queries-{size}.npy"

    @property
    def topics(self) -> int:
        return self.size // PASSAGES_A_TOPIC

    def prepare(self, structure: Structure, most: int) -> None:
        if not self._vectors.exists():
            table = open_memmap(self._vectors, mode="w+", dtype=np.float32, shape=(most, len(structure.mean)))
            for topic in range(most // PASSAGES_A_TOPIC):
                table[topic * PASSAGES_A_TOPIC :][:PASSAGES_A_TOPIC] = structure.of_topic(topic)
        np.save(self._queries, structure.queries(self.topics, max(QUERIES, SAMPLE)))
        if not self.notes.exists():
            for topic in range(self.topics):
                write_topic(self.notes, topic)

    def encoder(self) -> TableEncoder:
        return TableEncoder(self._vectors, self._queries)

    def size_mb(self) -> int:
        kept = [self.index, Path(self.store.partition(":")[2]) if self.store else self.index]
        files = {file for folder in kept for file in (folder, *folder.rglob("*")) if file.is_file()}
        return round(sum(file.stat().st_size for file in files) / 1e6)


def write_topic(notes: Path, topic: int) -> None:
    """A note for each document of the topic, and a paragraph for each passage."""
    folder = notes / f"d{topic % 10}" / f"t{topic}"
    folder.mkdir(parents=True)
    texts = texts_of_topic(topic)
    for start in range(0, len(texts), PASSAGES_A_DOCUMENT):
        text = "\n\n".join(texts[start : start + PASSAGES_A_DOCUMENT])
        (folder / f"{start}.md").write_text(text, encoding="utf-8")


# The parts, each in a process of its own


def index(place: Place, search: str = "exact") -> dict[str, object]:
    """Bring the index up to date."""
    steps: Counter[str] = Counter()
    started, told = time.process_time(), time.monotonic()

    def listen(progress: Progress) -> None:
        nonlocal told
        if time.monotonic() - told > TELL_S:
            told = time.monotonic()
            print(json.dumps({"reached": [progress.stage, progress.done, progress.total]}), flush=True)

    encoder = place.encoder()
    with open_writer(place.index, wait_s=0, search=search, store=place.store) as writer:
        timed: IndexWriter = Timed(writer, steps)  # type: ignore[assignment]
        summary = update_index(
            place.notes,
            writer=timed,
            encoder=Timed(encoder, steps),  # type: ignore[arg-type]
            settings=IndexSettings("table", 180, Rules()),
            listener=listen,
        )
    steps["all"] = time.process_time() - started
    return {"encoded": summary.encoded, "size_mb": place.size_mb(), "steps": {k: round(v, 2) for k, v in steps.items()}}


def graph(place: Place) -> dict[str, object]:
    return index(place, search="hnsw")


def change(place: Place) -> dict[str, object]:
    """One note of those that are there gets another paragraph."""
    note = place.notes / "d0" / "t0" / "0.md"
    note.write_text(f"{note.read_text(encoding='utf-8')}\n\np7 {'changed ' * 99}{time.time_ns()}\n", encoding="utf-8")
    return index(place, search="auto")


def ask(place: Place, kind: str) -> dict[str, object]:
    """A query of a process of its own, and more in the same: the processor's seconds of the first and of the next."""
    encoder, random = place.encoder(), np.random.default_rng(8)
    asked = np.random.default_rng(2).integers(place.topics, size=max(QUERIES, SAMPLE)).tolist()
    within = {"folder": Filter(paths=("d1/",)), "topic": Filter(paths=("d1/t1/",))}.get(kind, EVERYTHING)
    retriever = {"exact": "dense", "hnsw": "dense", "lexical": "lexical"}.get(kind, "hybrid")
    cpu, wall = [], []
    ready = time.process_time()
    started = time.perf_counter()
    with open_reader(place.index) as reader:
        for number in range(place.queries):
            query = f"{number} {query_of_topic(asked[number], random)}"
            found = retrieve(
                reader,
                query,
                encoder=encoder,
                retriever=retriever,
                top_k=TOP_K,
                within=within,
                exact=kind == "exact",
            )
            assert found, kind
            cpu.append(time.process_time() - ready)
            wall.append(time.perf_counter() - started)
            ready, started = time.process_time(), time.perf_counter()
    return {
        "first_cpu_s": round(cpu[0], 4),
        "next_cpu_s": round(statistics.median(cpu[1:]), 4),
        "first_s": round(wall[0], 4),
        "next_s": round(statistics.median(wall[1:]), 4),
        "own_mb": memory_mb("RssAnon"),
    }


def recall(place: Place) -> dict[str, object]:
    """The share of the nearest passages that the graph finds: in a list as deep as a query asks for, in one of 100."""
    encoder = place.encoder()
    found: dict[str, list[float]] = {"100_of_1000": [], "1000_of_1000": [], "100_of_100": []}
    with open_reader(place.index) as reader:
        for number in range(SAMPLE):
            vector = encoder.encode_queries([f"{number}"])[0]
            exact = [passage for passage, _ in reader.search_dense(vector, LIST_DEPTH, exact=True)]
            deep = [passage for passage, _ in reader.search_dense(vector, LIST_DEPTH)]
            short = [passage for passage, _ in reader.search_dense(vector, TOP_K)]
            found["100_of_1000"].append(len(set(exact[:TOP_K]) & set(deep)) / TOP_K)
            found["1000_of_1000"].append(len(set(exact) & set(deep)) / LIST_DEPTH)
            found["100_of_100"].append(len(set(exact[:TOP_K]) & set(short)) / TOP_K)
    return {name: round(statistics.fmean(values), 4) for name, values in found.items()}


def status(place: Place) -> dict[str, object]:
    from rerank_cli.library import open_library

    open_library(index=place.index).status()
    return {}


def memory_mb(field: str) -> int:
    """What the system says of this process: the most that it held (VmHWM), or what it holds beside mapped files
    (RssAnon)."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 // 1_000_000 for line in lines if line.startswith(field))


WORK: dict[str, Callable[[Place], dict[str, object]]] = {
    "index": index,
    "nothing": index,
    "graph": graph,
    "change": change,
    "status": status,
    "recall": recall,
    **{kind: lambda place, kind=kind: ask(place, kind) for kind in (*ASKING, "hnsw")},  # type: ignore[misc]
}


# What they are done by


def measured(asked: argparse.Namespace, size: int, part: str) -> dict[str, object]:
    """What a process that does *part* tells last, and what the system says that it took."""
    command = [sys.executable, __file__, str(asked.folder), "--store", asked.store, "--queries", str(asked.queries)]
    started = time.perf_counter()
    with subprocess.Popen([*command, "--sizes", str(size), "--do", part], stdout=subprocess.PIPE, text=True) as process:
        ended: dict[str, object] = {}
        try:
            lines = process.communicate(timeout=asked.limit_s)[0].splitlines()
        except subprocess.TimeoutExpired:
            process.kill()
            lines, ended = process.communicate()[0].splitlines(), {"ended_after_s": asked.limit_s}
    if not ended and process.returncode:
        ended = {"ended_with": process.returncode}
    return {**(json.loads(lines[-1]) if lines else {}), **ended, "wall_s": round(time.perf_counter() - started, 1)}


def do(place: Place, part: str) -> None:
    """Do *part*, and tell what it took this process from its start."""
    import resource

    told = WORK[part](place)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    below = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = usage.ru_utime + usage.ru_stime + below.ru_utime + below.ru_stime
    print(json.dumps({"cpu_s": round(cpu_s, 3), "peak_mb": memory_mb("VmHWM"), **told}), flush=True)


def show(figures: Path) -> None:
    """Each figure by size, and the power of the size that it grows by, over all sizes and over the last two."""
    latest: dict[tuple[str, str, str], dict[int, float]] = {}
    for line in figures.read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        for name in SHOWN[record["part"]]:
            if name in record:
                latest.setdefault((record["store"], record["part"], name), {})[record["passages"]] = record[name]
    for store in sorted({store for store, _, _ in latest}):
        own = {(part, name): by_size for (kept, part, name), by_size in latest.items() if kept == store}
        sizes = sorted({size for by_size in own.values() for size in by_size})
        head = [store, *(f"{size:,}" for size in sizes), "grows by", "at last by"]
        print(f"\n| {' | '.join(head)} |\n|{'---|' * len(head)}")
        for part in PARTS:
            for name in SHOWN[part]:
                if by_size := own.get((part, name)):
                    cells = [told(by_size[size]) if size in by_size else "" for size in sizes]
                    powers = power(by_size), power(dict(sorted(by_size.items())[-2:]))
                    print(f"| {MEANS[part]}: {MEANS[name]} | {' | '.join([*cells, *powers])} |")


def told(value: float) -> str:
    """Three digits of *value*, and no more."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def power(by_size: dict[int, float]) -> str:
    """The exponent of a power of the size, fitted to the logarithms."""
    points = [(size, value) for size, value in by_size.items() if value > 0]
    if len(points) < 2:
        return ""
    sizes, values = np.log([size for size, _ in points]), np.log([value for _, value in points])
    return f"{np.polyfit(sizes, values, 1)[0]:.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--structure", type=Path)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--store", default="")
    parser.add_argument("--limit-s", type=float, default=3600.0)
    parser.add_argument("--queries", type=int, default=QUERIES)
    parser.add_argument("--show", action="store_true")
    parser.add_argument("--do", choices=PARTS)
    asked = parser.parse_args()
    figures = asked.folder / "figures.jsonl"
    if asked.show:
        show(figures)
        return
    if asked.do:
        do(Place(asked, asked.sizes[0]), asked.do)
        return
    asked.folder.mkdir(parents=True, exist_ok=True)
    structure = load_structure(asked.structure)
    for size in asked.sizes:
        Place(asked, size).prepare(structure, max(asked.sizes))
        for part in asked.parts:
            if asked.store and part in LOCAL:
                continue
            told = measured(asked, size, part)
            store = asked.store.partition(":")[0] or "local"
            line = json.dumps({"store": store, "passages": size, "part": part, **told})
            print(line, flush=True)
            with figures.open("a", encoding="utf-8") as file:
                file.write(line + "\n")


if __name__ == "__main__":
    main()
