#!/usr/bin/env python3
"""How large an index a store holds on this machine: how fast it is written, what that takes, how fast it answers.

    python tests/benchmarks/store_size.py FOLDER --sizes 10000 100000 [--store milvus+file:FOLDER/x.db] [--limit-s 1800]

For each size it writes so many synthetic passages by the port, in a process of its own, and asks them in another:
vectors lie around cluster centres, as those of texts do, and words are as frequent as in texts (Zipf, 1935). Prints one
line of JSON a size. A run that takes longer than --limit-s is ended, and its line says how far it was.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from rerank_cli.arrays import Vectors
from rerank_cli.ports import Changes, FileState, Filter, NewFile, Recipe
from rerank_cli.records import Passage, Place, Rules, SplitDocument
from rerank_cli.stamps import Stamp
from rerank_cli.store import open_reader, open_writer

DIMENSIONS, CLUSTERS, SPREAD = 384, 1000, 0.7
VOCABULARY, WORDS_A_PASSAGE = 200_000, 100
PASSAGES_A_FILE, FILES_AT_ONCE = 20, 500
QUERIES, DEPTH = 12, 1000
FINGERPRINT = "synthetic"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--store", default="")
    parser.add_argument("--limit-s", type=float, default=1800.0)
    parser.add_argument("--do", choices=["write", "ask"])
    asked = parser.parse_args()
    if asked.do:
        folder = asked.folder / f"{'elsewhere' if asked.store else 'local'}-{asked.sizes[0]}"
        work = write(folder, asked.sizes[0], asked.store) if asked.do == "write" else ask(folder)
        for record in work:
            print(json.dumps(record), flush=True)
        return
    for size in asked.sizes:
        record: dict[str, object] = {"store": asked.store or "local", "passages": size}
        for what in ("write", "ask"):
            record.update(in_a_process(what, size, asked))
        print(json.dumps(record), flush=True)


def in_a_process(what: str, size: int, asked: argparse.Namespace) -> dict[str, object]:
    """What *what* tells last, in a process of its own."""
    command = [sys.executable, __file__, str(asked.folder), "--sizes", str(size), "--store", asked.store, "--do", what]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            told, _ = process.communicate(timeout=asked.limit_s)
            ended = {} if process.returncode == 0 else {f"{what}_ended_with": process.returncode}
        except subprocess.TimeoutExpired:
            process.kill()
            told, _ = process.communicate()
            ended = {f"{what}_ended_after_s": asked.limit_s}
    lines = told.splitlines()
    return {**(json.loads(lines[-1]) if lines else {}), **ended}


def write(folder: Path, size: int, store: str) -> Iterator[dict[str, object]]:
    """Write *size* passages as one generation; how far it is after each step."""
    random = np.random.default_rng(11)
    centres = random.normal(size=(CLUSTERS, DIMENSIONS))
    started = time.perf_counter()
    with open_writer(folder, wait_s=0, store=store) as writer:
        paths: list[str] = []
        for start in range(0, size, PASSAGES_A_FILE * FILES_AT_ONCE):
            count = min(PASSAGES_A_FILE * FILES_AT_ONCE, size - start)
            files = list(files_of(random, start, count))
            texts = [p.text_hash for file in files for document in file.documents for p in document.passages]
            writer.keep_vectors(FINGERPRINT, texts, around(centres, random.integers(CLUSTERS, size=len(texts)), random))
            for file in files:
                writer.stage(file, key="synthetic")
                paths.append(file.state.path)
            yield {"kept": start + count, "keep_s": round(time.perf_counter() - started, 1), "peak_mb": peak_mb()}
        kept_s = time.perf_counter() - started
        recipe = Recipe("/synthetic", vars_of(Rules()), "synthetic", FINGERPRINT, DIMENSIONS, 180, 1)
        writer.commit(Changes(tuple(paths)), recipe)
        commit_s = time.perf_counter() - started - kept_s
    yield {
        "keep_s": round(kept_s, 1),
        "commit_s": round(commit_s, 1),
        "passages_a_s": round(size / (kept_s + commit_s)),
        "write_peak_mb": peak_mb(),
    }


def vars_of(rules: Rules) -> dict[str, object]:
    return {name: getattr(rules, name) for name in Rules.__slots__}


def files_of(random: np.random.Generator, start: int, count: int) -> Iterator[NewFile]:
    """Files of some passages each, one document a file."""
    ranks = np.minimum(random.zipf(1.25, size=(count, WORDS_A_PASSAGE)), VOCABULARY)
    for first in range(0, count, PASSAGES_A_FILE):
        path = f"d{(start + first) // 2000}/{start + first}.txt"
        passages = tuple(
            Passage(place, Place("line", place + 1, place + 1), (), f"n{start + first + place} " + as_text(row))
            for place, row in enumerate(ranks[first : first + PASSAGES_A_FILE])
        )
        digest = hashlib.sha256(path.encode()).digest()
        state = FileState(path, Stamp(1000, 1, 1, start + first), digest, "plain/1", None, (), 1_600_000_000)
        yield NewFile(state, (SplitDocument(path, path, passages),))


def as_text(ranks: np.ndarray) -> str:
    return " ".join(f"w{rank}" for rank in ranks.tolist())


def around(centres: np.ndarray, chosen: np.ndarray, random: np.random.Generator) -> Vectors:
    """Unit vectors around the *chosen* of *centres*."""
    vectors = centres[chosen] + SPREAD * random.normal(size=(len(chosen), DIMENSIONS))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def ask(folder: Path) -> Iterator[dict[str, object]]:
    """Open the index and search it by vectors, by words, and by vectors within a folder."""
    random = np.random.default_rng(12)
    centres = np.random.default_rng(11).normal(size=(CLUSTERS, DIMENSIONS))
    vectors = around(centres, random.integers(CLUSTERS, size=QUERIES), random)
    words = [[f"w{rank}" for rank in random.integers(20, 3000, size=5)] for _ in range(QUERIES)]
    started = time.perf_counter()
    with open_reader(folder) as index:
        told: dict[str, object] = {"open_s": round(time.perf_counter() - started, 3)}
        for name, search in (
            ("dense", lambda number: index.search_dense(vectors[number], DEPTH)),
            ("lexical", lambda number: index.search_lexical(words[number], DEPTH)),
            ("within", lambda number: index.search_dense(vectors[number], DEPTH, within=Filter(paths=("d1/",)))),
        ):
            times = []
            for number in range(QUERIES):
                begun = time.perf_counter()
                found = search(number)
                times.append(time.perf_counter() - begun)
                assert found
            told[f"{name}_first_s"], told[f"{name}_s"] = round(times[0], 3), round(statistics.median(times[1:]), 3)
            yield told
        told["size_mb"] = round(index.counts().size_bytes / 1e6)
        told["ask_peak_mb"] = peak_mb()
        yield told


def peak_mb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


if __name__ == "__main__":
    main()
