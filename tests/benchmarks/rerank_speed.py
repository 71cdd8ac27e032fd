#!/usr/bin/env python3
"""Seconds that the reranker takes for 100 passages of 180 tokens, as the program runs it, and the floor of that.

    python tests/benchmarks/rerank_speed.py [RERANKER…] [--passages 100] [--tokens 180]

The models are loaded before; several are asked in turn, so that a noisy machine treats them alike. Prints the median
of five rounds by the clock and by processor time, and the least processor time that the pairs' products could take
(`floor.py`), with the ratio.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import time
from collections.abc import Sequence

from floor import products, rate
from tokenizers import Tokenizer

from rerank_cli.config import Settings
from rerank_cli.models.catalogue import find_model
from rerank_cli.models.compiled import GRAPH_NAME, TOKENIZER_NAME
from rerank_cli.models.loading import open_encoder, open_reranker, prepare
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
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in rerankers}
    for reranker in rerankers.values():
        reranker.score_pairs(PROBE_QUERIES[0], passages[:8])
    for _ in range(ROUNDS):
        for name, reranker in rerankers.items():
            started, cpu = time.perf_counter(), time.process_time()
            reranker.score_pairs(PROBE_QUERIES[0], passages)
            times[name].append((time.perf_counter() - started, time.process_time() - cpu))
    a_second = rate()
    for name, taken in times.items():
        median_s, cpu_s = map(statistics.median, zip(*taken, strict=True))
        floor_s = pairs_products(name, PROBE_QUERIES[0], passages) / a_second
        figures = {"median_s": median_s, "cpu_s": cpu_s, "floor_cpu_s": floor_s, "ratio": cpu_s / floor_s}
        rounded = {name: round(figure, 3) for name, figure in figures.items()}
        print(json.dumps({"reranker": name, "passages": len(passages), **rounded}))


def pairs_products(reranker: str, query: str, passages: Sequence[str]) -> int:
    """How many products the compiled *reranker* needs to read *query* with each of *passages*."""
    model = prepare(find_model(reranker, "reranker"))
    tokenizer = Tokenizer.from_file(str(model.folder / TOKENIZER_NAME))
    tokenizer.enable_truncation(model.max_tokens, strategy="only_second")
    encodings = tokenizer.encode_batch([(query, passage) for passage in passages])
    return products(model.folder / GRAPH_NAME, [len(encoding.ids) for encoding in encodings])


def texts_of(tokens: int, encoder: Encoder, *, count: int) -> list[str]:
    """*count* different texts of exactly *tokens* tokens."""
    words = [word for text in PROBE_PASSAGES for word in text.split() if encoder.count_tokens([word]) == [1]]
    rng = random.Random(5)
    return [" ".join(rng.choices(words, k=tokens)) for _ in range(count)]


if __name__ == "__main__":
    main()
