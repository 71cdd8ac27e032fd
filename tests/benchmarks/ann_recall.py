"""Recall of the graph against the exact scan on clustered vectors: what the constants in `store/ann.py` rest on.

    python tests/benchmarks/ann_recall.py [--vectors 60000] [--ef 100 200 400 1000 2032]

Prints one line for each ef: recall at 10, 100 and 1000, and milliseconds a query.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from rerank_cli.records import Vectors
from rerank_cli.store import ann

DIMENSIONS = 384
TOPICS = 600
QUERIES = 100


def clustered(count: int, *, spread: float, seed: int) -> Vectors:
    """Unit vectors around TOPICS centres; at a spread of 0.5 two of a topic have a cosine of about 0.8."""
    random = np.random.default_rng(seed)
    centres = np.random.default_rng(1).normal(size=(TOPICS, DIMENSIONS)).astype(np.float32)
    vectors = centres[random.integers(TOPICS, size=count)]
    vectors = vectors + spread * random.normal(size=(count, DIMENSIONS)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--vectors", type=int, default=60_000)
    parser.add_argument("--spread", type=float, default=0.5)
    parser.add_argument("--m", type=int, default=ann.M)
    parser.add_argument("--ef", type=int, nargs="+", default=[100, 200, 400, 1000, 2032])
    asked = parser.parse_args()
    vectors = clustered(asked.vectors, spread=asked.spread, seed=2)
    queries = clustered(QUERIES, spread=asked.spread, seed=3)
    ann.M = asked.m
    started = time.perf_counter()
    index = ann.build(np.arange(len(vectors)), vectors, exact_limit=0)
    print(f"{len(vectors)} vectors, M = {ann.M}: built in {time.perf_counter() - started:.1f} s")
    exact = np.argsort(-(queries @ vectors.T), axis=1)[:, :1000]
    for ef in asked.ef:
        index._library.set_ef(ef)
        shares = []
        for depth in (10, 100, 1000):
            if depth > ef:
                shares.append(f"R@{depth}      -")
                continue
            started = time.perf_counter()
            found = index._library.knn_query(queries, k=depth, num_threads=1)[0]
            elapsed_s = time.perf_counter() - started
            share = np.mean([len(np.intersect1d(*pair)) / depth for pair in zip(found, exact[:, :depth], strict=True)])
            shares.append(f"R@{depth} {share:.4f}")
        print(f"ef {ef:5}  {'  '.join(shares)}  {elapsed_s / QUERIES * 1000:.1f} ms")


if __name__ == "__main__":
    main()
