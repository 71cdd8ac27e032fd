#!/usr/bin/env python3
"""One table of what a person waits for, beside a plain script and beside the least that it could take.

    python tests/benchmarks/speed.py SCRIPT CORPUS.jsonl WORK [--rounds 5]

SCRIPT is a plain two-stage script, as `against_naive.py` has it. What lasts from one run to the next lies in the folder
WORK. Times are medians by the clock of whole processes that run in turn, or processor time where the table says so. The
least is that of `floor.py` on all processors for what is reranked, the encoder's bare session for an index
(`index_rate.py`), and the loaded models for a warm query (`warm.py`).
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import starts
import warm
from against_naive import QUERIES, compare
from floor import rate
from index_rate import rates
from rerank_speed import pairs_products, texts_of

from rerank_cli import open_library
from rerank_cli.config import Settings
from rerank_cli.models.loading import open_encoder, open_reranker
from rerank_cli.models.onnx import worker_count

DEPTH = 100


class Row(NamedTuple):
    """What it is, and its seconds: here, by the plain script, and the least."""

    what: str
    here_s: float
    plain_s: float | None = None
    least_s: float | None = None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("script", type=Path)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    asked.work.mkdir(parents=True, exist_ok=True)
    print("| what | s | plain script, s | of that | least, s | times that |\n|---|---|---|---|---|---|", flush=True)
    for row in measured(asked.script, asked.corpus.resolve(), asked.work.resolve(), rounds=asked.rounds):
        plain = ("", "") if row.plain_s is None else (f"{row.plain_s:.2f}", f"{row.here_s / row.plain_s:.2f}")
        least = ("", "") if row.least_s is None else (f"{row.least_s:.2f}", f"{row.here_s / row.least_s:.2f}")
        print("|", " | ".join((row.what, f"{row.here_s:.3g}", *plain, *least)), "|", flush=True)


def measured(script: Path, corpus: Path, work: Path, *, rounds: int) -> Iterator[Row]:
    """The rows, one after another."""
    a_second, reranker = rate() * worker_count(), Settings().reranker
    times = compare(script, corpus, work, rounds=rounds, top_k=DEPTH)
    ours = work / "ours"
    with open_library(index=ours) as library:
        found = {query: library.search(query, top_k=DEPTH, rerank=False).candidates for query in QUERIES}
    texts = {query: [each.stored.passage.model_text for each in found[query]] for query in QUERIES}
    least_s = statistics.median(pairs_products(reranker, query, texts[query]) / a_second for query in QUERIES)
    here_s, plain_s = (statistics.median(times[side]) for side in ("ours", "plain"))
    yield Row(f"query, {DEPTH} candidates reranked", here_s, plain_s, least_s)
    warmed = {name: statistics.median(of_it) for name, of_it in warm.measured(ours, QUERIES[0], rounds=rounds).items()}
    yield Row("the same of a warm server", warmed["warm"], least_s=warmed["models alone"])
    yield Row("warm, --no-rerank", warmed["warm, --no-rerank"], least_s=warmed["Python alone"])
    passages = texts_of(180, open_encoder(Settings().encoder), count=DEPTH)
    yield Row(
        f"{DEPTH} passages of 180 tokens reranked, all loaded",
        _rerank_s(QUERIES[0], passages, rounds=rounds),
        least_s=pairs_products(reranker, QUERIES[0], passages) / a_second,
    )
    with tempfile.TemporaryDirectory(dir=work) as scratch:
        seconds = rates(corpus, script, Path(scratch), rounds=1)["seconds"]
    clock = {name: of_it["clock"] for name, of_it in seconds.items()}  # type: ignore[attr-defined]
    yield Row(f"index of {corpus.parent.name}", clock["index"], clock["plain script"], clock["bare session"])
    for name, arguments in starts.commands(work).items():
        ((cpu_s, _),) = starts.medians([starts.HERE], arguments, rounds=rounds)
        yield Row(f"{name}, processor time", cpu_s)


def _rerank_s(query: str, passages: list[str], *, rounds: int) -> float:
    reranker = open_reranker(Settings().reranker)
    reranker.score_pairs(query, passages[:8])
    taken = []
    for _ in range(rounds):
        started = time.perf_counter()
        reranker.score_pairs(query, passages)
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)


if __name__ == "__main__":
    main()
