"""What a warm query costs beside a cold one, and beside its models alone.

    python tests/benchmarks/warm.py INDEX QUERY... [--rounds 15]

INDEX is the folder of an index that the built-in encoder made. Times are those of whole processes, from their start to
their end, in turn; `models alone` encodes the query and reads its candidates in this process, in which all is loaded.
It starts a warm server of its own, and stops it.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from rerank_cli import open_library

RUN = [sys.executable, "-P", "-m", "rerank_cli"]


def run_s(arguments: list[str]) -> float:
    """Seconds that the command takes as a process of its own."""
    begun = time.perf_counter()
    subprocess.run(arguments, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - begun


def models_alone(index: Path, query: str) -> Callable[[], float]:
    """What tells how long the models alone take for *query*."""
    with open_library(index=index) as library:
        texts = [candidate.stored.passage.model_text for candidate in library.search(query).candidates]
        encoder, reranker = library.encoder, library.reranker

    def run() -> float:
        begun = time.perf_counter()
        encoder.encode_queries([query])
        reranker.score_pairs(query, texts)
        return time.perf_counter() - begun

    return run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("index", type=Path)
    parser.add_argument("query", nargs="+")
    parser.add_argument("--rounds", type=int, default=15)
    asked = parser.parse_args()
    for name, seconds in measured(asked.index, " ".join(asked.query), rounds=asked.rounds).items():
        print(f"{name:18} {1000 * statistics.median(seconds):7.1f} ms, at best {1000 * min(seconds):7.1f} ms")


def measured(index: Path, text: str, *, rounds: int) -> dict[str, tuple[float, ...]]:
    """The seconds of each way to ask *text*, in turn."""
    query = [*RUN, "query", text, "--index", str(index.resolve())]
    times: dict[str, Callable[[], float]] = {
        "Python alone": partial(run_s, [sys.executable, "-P", "-c", "pass"]),
        "cold": partial(run_s, [*query, "--no-warm"]),
        "warm": partial(run_s, query),
        "models alone": models_alone(index, text),
        "cold, --no-rerank": partial(run_s, [*query, "--no-rerank", "--no-warm"]),
        "warm, --no-rerank": partial(run_s, [*query, "--no-rerank"]),
    }
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed program is compiled
    with tempfile.TemporaryDirectory() as folder:  # which nobody else can enter
        os.environ["XDG_RUNTIME_DIR"] = folder
        subprocess.run([*RUN, "warm", "start"], check=True)
        try:
            for measure in times.values():
                measure()
            taken = [[measure() for measure in times.values()] for _ in range(rounds)]
        finally:
            subprocess.run([*RUN, "warm", "stop"], check=True)
    return dict(zip(times, zip(*taken, strict=True), strict=True))


if __name__ == "__main__":
    main()
