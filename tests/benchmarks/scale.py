#!/usr/bin/env python3
"""What 10^8 to 10^10 passages would cost: the tables of `rerank_cli/store/SCALE.md`.

    python tests/benchmarks/scale.py FIGURES.jsonl --index INDEX [--depth DEPTH.jsonl]

FIGURES.jsonl is what `growth.py` leaves beside its indexes, INDEX a real index of the built-in encoder, DEPTH.jsonl
what `depth.py` prints. The encoder and its tokenizer are measured here on passages of INDEX, and BM25 on copies of the
indexes. All else comes from these files, and from what the module says was published or is assumed.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from rerank_cli.config import Settings
from rerank_cli.models.loading import open_encoder
from rerank_cli.store import open_reader

PLANNED = (10**8, 10**9, 10**10)
SAMPLE = 400
DIMENSIONS, FLOAT_BYTES = 384, 4
GB = 1e9
HOUR_S = 3600

HNSW = (2.0, 3.0)
"""Memory, times that of the vectors, least and most. By Milvus: https://zilliz.com/blog/demystify-milvus-sizing-tool"""
IVF_SQ8 = (0.25, 0.30)
"""The same, from "reduces … memory consumption by 70-75%" there."""
DISKANN = (0.25, 0.25)
"""The same: PQCodeBudgetGBRatio and SearchCacheBudgetGBRatio of 0.125 each, https://milvus.io/docs/disk_index.md"""
DISKANN_LINKS = 56
"""MaxDegree there: each link of a vector on the disk has 4 bytes."""
SEGMENT_BYTES = 1e9
"""The default of Milvus' sizing tool, as the first page says."""
ON_V100 = 14_200
"""Sentences a second of the 6-layer MiniLM, https://www.sbert.net/docs/sentence_transformer/pretrained_models.html"""

MACHINE_BYTES, USED = 256e9, 0.75
MACHINE_CORES = 32
WORKERS = (16, 256, 4096)
"""Assumed: machines of 256 GB and 32 cores, of whose memory three quarters are filled; so many cores encode."""

IN_MEMORY = 100_000
"""A catalog of so many passages is copied into memory, to measure what its words take."""

ENOUGH = 1000
"""What grows by its own kind must have so many passages of documents that answer no query in each half."""


@dataclass(frozen=True)
class Measured:
    """What `growth.py` measured: by part and figure, a value for each size."""

    figures: dict[tuple[str, str], dict[int, float]]

    def at(self, part: str, name: str, size: int) -> float:
        return self.figures[part, name][size]

    @property
    def sizes(self) -> list[int]:
        return sorted(self.figures["index", "cpu_s"])

    def largest(self, part: str) -> int:
        return max(self.figures[part, "cpu_s"])


def read_figures(path: Path) -> Measured:
    figures: dict[tuple[str, str], dict[int, float]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        if record["store"] == "local":
            for name, value in {**record, **{f"steps.{k}": v for k, v in record.get("steps", {}).items()}}.items():
                if isinstance(value, int | float):
                    figures.setdefault((record["part"], name), {})[record["passages"]] = value
    return Measured(figures)


def cpu_of(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    print(f"\n| {' | '.join(head)} |\n|{'---|' * len(head)}")
    for row in rows:
        print(f"| {' | '.join(map(str, row))} |")


# A passage at each step


def encoding(index: Path) -> dict[str, float]:
    """Processor milliseconds that a real passage takes in the tokenizer and the encoder, and what it has."""
    encoder = open_encoder(Settings().encoder)
    with open_reader(index) as reader:
        passages = [stored.passage.model_text for stored in islice(reader.scan(), 0, 40 * SAMPLE, 40)]
    encoder.encode_passages(passages[:20])
    count = len(passages)
    return {
        "bytes": statistics.fmean(len(text.encode()) for text in passages),
        "tokens": statistics.fmean(encoder.count_tokens(passages)),
        "tokenize_ms": 1000 * cpu_of(lambda: encoder.count_tokens(passages)) / count,
        "encode_ms": 1000 * cpu_of(lambda: encoder.encode_passages(passages)) / count,
    }


def words_ms(folder: Path, size: int) -> float:
    """Processor milliseconds that FTS5 takes for a passage of the index that `growth.py` left, on a copy in memory."""
    copy = sqlite3.connect(":memory:")
    with sqlite3.connect(f"file:{folder / 'catalog.sqlite'}?mode=ro", uri=True) as catalog:
        catalog.backup(copy)
    return 1000 * cpu_of(lambda: copy.execute("INSERT INTO words (words) VALUES ('rebuild')")) / size


def table_bytes(folder: Path) -> dict[str, int]:
    """Bytes of each table of a catalog, with its indexes; SQLite must have been built with dbstat."""
    with sqlite3.connect(f"file:{folder / 'catalog.sqlite'}?mode=ro", uri=True) as catalog:
        rows = catalog.execute("SELECT name, sum(pgsize) FROM dbstat GROUP BY name").fetchall()
    found = {"words": 0, "passages": 0, "files and documents": 0}
    for name, size in rows:
        kind = "words" if name.startswith("words") else "passages" if "passages" in name else "files and documents"
        found[kind] += size
    return found


def show_steps(measured: Measured, folder: Path, real: dict[str, float]) -> None:
    """Milliseconds and bytes of a passage at each step."""

    def each(part: str, *names: str) -> list[str]:
        return [
            f"{1000 * sum(measured.at(part, f'steps.{name}', size) for name in names) / size:.3f}"
            if size <= measured.largest(part)
            else ""
            for size in measured.sizes
        ]

    stub = ("count_tokens", "encode_passages")
    kept = ("keep_vectors", "missing_vectors", "stage", "staged", "commit")
    reading = [
        f"{1000 * (measured.at('index', 'steps.all', size) - own) / size:.3f}"
        for size in measured.sizes
        for own in [sum(measured.at("index", f"steps.{name}", size) for name in (*stub, *kept))]
    ]
    fits = {size: f"{words_ms(folder / f'local-{size}', size):.3f}" for size in measured.sizes if size <= IN_MEMORY}
    head = ("step", *(f"{size:,}, ms" for size in measured.sizes))
    rows = [
        ("walk, read, split", *reading),
        ("keep vectors", *each("index", "keep_vectors", "missing_vectors")),
        ("stage", *each("index", "stage", "staged")),
        ("commit, all of it", *each("index", "commit")),
        ("of that, the words of BM25", *(fits.get(size, "") for size in measured.sizes)),
        ("graph, if asked for", *each("graph", "commit")),
    ]
    table(head, rows)
    text, tokens = real["bytes"], real["tokens"]
    print(
        f"\nA real passage ({text:.0f} bytes, {tokens:.0f} tokens): {real['tokenize_ms']:.3f} ms to count its tokens,"
    )
    print(f"{real['encode_ms']:.1f} ms to encode. So one core does {one_core(real):.0f} a second.")
    rows_of_bytes = []
    for size in measured.sizes:
        of_tables = table_bytes(folder / f"local-{size}")
        vectors = sum(file.stat().st_size for file in (folder / f"local-{size}").glob(f"*-{DIMENSIONS}-*.*"))
        graph = sum(file.stat().st_size for file in (folder / f"local-{size}").glob("*.hnsw"))
        counts = [*of_tables.values(), vectors, graph]
        rows_of_bytes.append((f"{size:,}", *(f"{count / size:,.0f}" if count else "" for count in counts)))
    table(("passages", *of_tables, "vectors and keys", "graph"), rows_of_bytes)


def one_core(real: dict[str, float]) -> float:
    """Passages a second of one core, tokens counted and encoded."""
    return 1000 / (real["encode_ms"] + real["tokenize_ms"])


# The plans


def show_plans(measured: Measured, folder: Path, real: dict[str, float]) -> None:
    largest = measured.sizes[-1]
    texts = sum(table_bytes(folder / f"local-{largest}").values()) / largest
    raw = [DIMENSIONS * FLOAT_BYTES * size for size in PLANNED]
    memory = {
        name: tuple([share * each for each in raw] for share in shares)
        for name, shares in (("HNSW", HNSW), ("IVF_SQ8", IVF_SQ8), ("DiskANN", DISKANN))
    }
    rows: list[Sequence[object]] = [
        ("vectors, GB", *(f"{each / GB:,.0f}" for each in raw)),
        ("texts and words as on this disk, GB", *(f"{texts * size / GB:,.0f}" for size in PLANNED)),
    ]
    for name, (least, most) in memory.items():
        rows.append((f"memory with {name}, GB", *map(spread_of, least, most)))
        rows.append((f"machines for it with {name}", *map(machines_for, least, most)))
    links_bytes = [(DIMENSIONS * FLOAT_BYTES + FLOAT_BYTES * DISKANN_LINKS) * size for size in PLANNED]
    rows.append(("disk of DiskANN, GB", *(f"{each / GB:,.0f}" for each in links_bytes)))
    table(("what", *(f"{size:.0e}" for size in PLANNED)), rows)

    reading = measured.at("index", "steps.all", largest) / largest
    graph = measured.at("graph", "steps.commit", measured.largest("graph")) / measured.largest("graph")
    work: list[Sequence[object]] = [
        ("all but encoding, core hours", *(hours(size * reading) for size in PLANNED)),
        ("encoding, core hours", *(hours(size / one_core(real)) for size in PLANNED)),
        *(
            (f"encoding on {workers:,} cores, hours", *(hours(size / one_core(real) / workers) for size in PLANNED))
            for workers in WORKERS
        ),
        ("encoding on one V100 at its published rate, hours", *(hours(size / ON_V100) for size in PLANNED)),
        ("graphs of HNSW, core hours", *(hours(size * graph) for size in PLANNED)),
    ]
    table(("work", *(f"{size:.0e}" for size in PLANNED)), work)

    in_segment = SEGMENT_BYTES / (DIMENSIONS * FLOAT_BYTES)
    a_search = measured.at("hnsw", "next_cpu_s", measured.largest("hnsw"))
    answering: list[Sequence[object]] = [("segments of 1 GB", *(f"{size / in_segment:,.0f}" for size in PLANNED))]
    answering.append(("core seconds of a list of 1,000", *(f"{size / in_segment * a_search:,.1f}" for size in PLANNED)))
    machines = [-(-each // (MACHINE_BYTES * USED)) for each in memory["HNSW"][0]]
    seconds = [
        size / in_segment * a_search / (count * MACHINE_CORES) for size, count in zip(PLANNED, machines, strict=True)
    ]
    answering.append(("seconds, if all cores of the HNSW machines work on it", *(f"{each:.2f}" for each in seconds)))
    table(("answering", *(f"{size:.0e}" for size in PLANNED)), answering)

    files = measured.at("nothing", "peak_mb", largest) - measured.at("nothing", "peak_mb", measured.sizes[0])
    a_passage = files * 1e6 / (largest - measured.sizes[0])
    nothing = measured.at("nothing", "cpu_s", largest) / largest
    opened = measured.at("lexical", "first_cpu_s", largest) / largest
    scanned = measured.at("exact", "next_cpu_s", largest) / largest
    rows_of_limits: list[Sequence[object]] = [
        ("memory of a run with nothing to do, GB", *(f"{a_passage * size / GB:,.1f}" for size in PLANNED)),
        ("processor seconds of it", *(f"{nothing * size:,.0f}" for size in PLANNED)),
        ("opening a local index and its first list by words, s", *(f"{opened * size:,.0f}" for size in PLANNED)),
        ("an exact scan, s", *(f"{scanned * size:,.0f}" for size in PLANNED)),
    ]
    table(("our own steps", *(f"{size:.0e}" for size in PLANNED)), rows_of_limits)


def spread_of(least: float, most: float) -> str:
    low, high = f"{least / GB:,.0f}", f"{most / GB:,.0f}"
    return low if low == high else f"{low} to {high}"


def machines_for(least: float, most: float) -> str:
    low, high = (f"{-(-each // (MACHINE_BYTES * USED)):,.0f}" for each in (least, most))
    return low if low == high else f"{low} to {high}"


def hours(seconds: float) -> str:
    return f"{seconds / HOUR_S:,.1f}" if seconds < 10 * HOUR_S else f"{seconds / HOUR_S:,.0f}"


# How deep


def show_depths(path: Path) -> None:
    """Whether synthetic distractors cost what real ones do, and for both kinds of growth what they cost."""
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    table(
        ("collection", "added", "nearer, real", "nearer, synthetic", "recall@100 before", "real", "synthetic"),
        [
            (
                line["collection"],
                f"{line['added']:,}",
                f"{line['nearer']['real']:,}",
                f"{line['nearer']['synthetic']:,}",
                *(f"{line['recall_10_100'][kind][1]:.3f}" for kind in ("before", "real", "synthetic")),
            )
            for line in lines
            if "check" in line
        ],
    )
    whole: dict[str, int] = {}
    for line in lines:
        if line.get("growth") == "others" and "size" in line:
            whole.setdefault(line["collection"], line["size"])
    many = {line["collection"] for line in lines if "check" in line and line["added"] >= ENOUGH}
    for growth, names in (("alike", many), ("others", set(whole))):
        print(f"\nGrowth: {growth}")
        own = [line for line in lines if line.get("growth") == growth and line["collection"] in names]
        sized = {(line["collection"], line["size"]): line for line in own if "size" in line}
        show_collections([line for line in own if "grows_by" in line], sized, whole)
        show_means(sized, sorted({name for name, _ in sized}))


def show_collections(
    summaries: Sequence[dict[str, Any]], sized: dict[tuple[str, int], dict[str, Any]], whole: dict[str, int]
) -> None:
    """Of each collection, recall at 100 and at 1,000, and the depth that keeps what it has at 100 as it is."""
    rows: list[Sequence[object]] = []
    for line in summaries:
        name = line["collection"]
        at = [sized[name, size] for size in (whole[name], 100_000, 1_000_000)]
        recalls = [" / ".join(f"{each['recall'][depth]:.2f}" for depth in ("100", "1000")) for each in at]
        low, middle, high = line["grows_by"]
        bounds = (low, max(high, 1.0))  # of passages of one kind, so many more are in the way as there are more of them
        far = [" to ".join(f"{at[-1]['depth'] * (size / 1e6) ** e:.0e}" for e in bounds) for size in PLANNED]
        depths = [f"{each['depth']:,.0f}" for each in at[1:]]
        rows.append((name, f"{whole[name]:,}", *recalls, *depths, f"{middle:.2f} ({low:.2f} to {high:.2f})", *far))
    head = ["collection", "passages", "recall@100 / @1000", "of 100,000", "of 1,000,000"]
    head += ["depth at 100,000", "at 1,000,000", "grows by", *(f"at {size:.0e}" for size in PLANNED)]
    table(head, rows)
    powers = [line["grows_by"][1] for line in summaries]
    print(f"\nThe median of the powers is {statistics.median(powers):.2f} ({min(powers):.2f} to {max(powers):.2f}).")


def show_means(sized: dict[tuple[str, int], dict[str, Any]], names: Sequence[str]) -> None:
    """The mean recall of all collections by size and depth, and what a tenfold corpus loses of it."""
    sizes = sorted(size for size in {size for _, size in sized} if all((name, size) in sized for name in names))
    depths = list(next(iter(sized.values()))["recall"])
    means = {
        depth: [statistics.fmean(sized[name, size]["recall"][depth] for name in names) for size in sizes]
        for depth in depths
    }
    rows: list[Sequence[object]] = [
        (f"{size:,}", *(f"{means[depth][place]:.3f}" for depth in depths)) for place, size in enumerate(sizes)
    ]
    slopes = [np.polyfit(np.log10(sizes), means[depth], 1)[0] for depth in depths]
    table(
        ("passages", *(f"recall@{depth}" for depth in depths)),
        [*rows, ("tenfold", *(f"{each:+.3f}" for each in slopes))],
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("figures", type=Path)
    parser.add_argument("--index", type=Path, required=True)
    parser.add_argument("--depth", type=Path)
    asked = parser.parse_args()
    measured, real = read_figures(asked.figures), encoding(asked.index)
    show_steps(measured, asked.figures.parent, real)
    show_plans(measured, asked.figures.parent, real)
    if asked.depth:
        show_depths(asked.depth)


if __name__ == "__main__":
    main()
