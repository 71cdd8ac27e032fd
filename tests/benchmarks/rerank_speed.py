#!/usr/bin/env python3
"""Seconds that the reranker takes for 100 passages of 180 tokens, as the program runs it: the median of five rounds.

    python tests/benchmarks/rerank_speed.py [RERANKER…] [--passages 100] [--tokens 180]

The models are loaded before; several are asked in turn, so that a noisy machine treats them alike.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import time

from rerank_cli.config import Settings
from rerank_cli.models.loading import open_encoder, open_reranker
from rerank_cli.models.probe import PROBE_PASSAGES, PROBE_QUERIES
from rerank_cli.ports import Encoder

ROUNDS = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rerankers", nargs="*", default=[Settings().reranker])
    parser.add_argument("--passages", type=int, default=100)
    parser.add_argument("--tokens", type=int, default=180)
    arguments = parser.parse_args()
    passages = texts_of(arguments.tokens, open_encoder(Settings().encoder), count=arguments.passages)
    rerankers = {name: open_reranker(name) for name in arguments.rerankers}
    times: dict[str, list[float]] = {name: [] for name in rerankers}
    for reranker in rerankers.values():
        reranker.score_pairs(PROBE_QUERIES[0], passages[:8])
    for _ in range(ROUNDS):
        for name, reranker in rerankers.items():
            started = time.perf_counter()
            reranker.score_pairs(PROBE_QUERIES[0], passages)
            times[name].append(time.perf_counter() - started)
    for name, taken in times.items():
        print(json.dumps({"reranker": name, "passages": len(passages), "median_s": round(statistics.median(taken), 3)}))


def texts_of(tokens: int, encoder: Encoder, *, count: int) -> list[str]:
    """*count* different texts of exactly *tokens* tokens."""
    words = [word for text in PROBE_PASSAGES for word in text.split() if encoder.count_tokens([word]) == [1]]
    rng = random.Random(5)
    return [" ".join(rng.choices(words, k=tokens)) for _ in range(count)]


if __name__ == "__main__":
    main()
