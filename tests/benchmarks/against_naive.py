#!/usr/bin/env python3
"""Wall time of a whole fresh `query` against a plain two-stage script's, run in turn.

    python tests/benchmarks/against_naive.py SCRIPT CORPUS.jsonl [--work DIR] [--rounds 5] [--top-k 100]

SCRIPT is a Python program with the commands `index CORPUS DIR --encoder DIR` and
`query DIR TEXT --encoder DIR --reranker DIR --top-k N`. Both sides use the same two models and rerank as many
candidates. SCRIPT's CrossEncoder is made to load the reranker in float32, which is faster on a CPU than the half
precision that it is stored in, and with the module that it ends with. Prints every time, the medians, and their ratio.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rerank_cli.config import Settings
from rerank_cli.models.catalogue import find_model

QUERIES = (
    "vitamin D deficiency raises the risk of depression in older people",
    "a high-salt diet makes blood vessels stiffer",
    "sleeping less than six hours weakens the immune response to vaccines",
)

LAUNCHER = """
import functools, runpy, sys
import sentence_transformers
sentence_transformers.CrossEncoder = functools.partial(
    sentence_transformers.CrossEncoder, trust_remote_code=True, model_kwargs={"dtype": "float32"}
)
del sys.argv[0]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("script", type=Path)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--work", type=Path, help="keep both indexes in this folder")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--top-k", type=int, default=100)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        work = arguments.work or Path(scratch)
        times = compare(arguments.script, arguments.corpus, work, rounds=arguments.rounds, top_k=arguments.top_k)
    medians = {name: round(statistics.median(seconds), 3) for name, seconds in times.items()}
    ratio = round(medians["ours"] / medians["plain"], 3)
    rounded = {name: [round(second, 3) for second in seconds] for name, seconds in times.items()}
    print(json.dumps({"seconds": rounded, "median_s": medians, "ratio": ratio}))


def compare(script: Path, corpus: Path, work: Path, *, rounds: int, top_k: int) -> dict[str, list[float]]:
    """Index the corpus on both sides unless that has been done, then query in turn: seconds of each, by side."""
    encoder = str(find_model(Settings().encoder, "encoder").folder)
    reranker = str(find_model(Settings().reranker, "reranker").folder)
    naive = [sys.executable, "-c", LAUNCHER, str(script)]
    ours = [sys.executable, "-m", "rerank_cli"]
    plain_index, our_index = work / "plain", work / "ours"
    if not plain_index.exists():
        timed([*naive, "index", str(corpus), str(plain_index), "--encoder", encoder])
    timed([*ours, "index", str(corpus), "--index", str(our_index)])
    depth = ["--top-k", str(top_k)]
    models = ["--encoder", encoder, "--reranker", reranker]
    sides = {
        "plain": lambda text: timed([*naive, "query", str(plain_index), text, *models, *depth]),
        "ours": lambda text: timed([*ours, "query", text, "--index", str(our_index), *depth]),
    }
    for query in sides.values():  # once unmeasured: files into the page cache, models compiled
        query(QUERIES[0])
    times: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(rounds):
        for name, query in sides.items():
            times[name].append(query(QUERIES[number % len(QUERIES)]))
    return times


def timed(command: list[str]) -> float:
    """Run *command* to its end; seconds from start to exit."""
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
