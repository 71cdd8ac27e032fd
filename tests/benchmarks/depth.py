#!/usr/bin/env python3
"""How deep the first stage must look as a corpus grows: recall at each depth, with distractors up to a million.

    python tests/benchmarks/depth.py COLLECTION… --indexes DIR [--others INDEX…] [--most 1000000] [--queries 100]

DIR has the collections' indexes, as `collection.py --indexes` leaves them. The list is the dense one, searched exactly,
so the rank of a relevant document is one more than the passages that are nearer to the query than its best. Of each
collection two corpora grow:

- "alike": passages of its own kind. It begins with a part of the documents that answer no query, goes on to all of
  them, and then to synthetic passages made of them.
- "others": all of it, then the real passages of the other collections and of --others, then synthetic ones of those.

A synthetic passage is a real one x, drawn nearer to the middle m of its topic and moved by the difference of two others
of that topic: m + √(1 - s²) (x - m) + s (y - z) / √2, which varies as they do (smoothed bootstrap; Silverman and Young,
1987). "check" leaves out one half of the documents that answer no query. It compares how many of their passages are
nearer than the relevant documents with how many of as many synthetic ones made of the other half, and what both do to
recall.

Prints lines of JSON: recall by size and depth; the depth that keeps the recall that the collection as it is has at 100,
by size; the power of the size that this depth grows by, with the 95 % interval of resampled queries.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from collection import DEFAULTS, named, read_judgements
from synthetic import clustered, real_vectors, sums, unit

from rerank_cli.arrays import Vectors
from rerank_cli.models.loading import open_encoder

DEPTHS = (10, 50, 100, 200, 500, 1000)
PARTS = (1 / 8, 1 / 4, 1 / 2, 1)
SIZES = (20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000)
SPREAD, A_TOPIC, AT_ONCE = 0.4, 100, 20_000
KEPT, RESAMPLED = 100, 500


@dataclass(frozen=True)
class Asked:
    """A collection's queries, and for each of its pairs with a relevant document which query it is of and how near the
    best passage of the document is; `own` are the passages of relevant documents, `rest` all others with their
    documents."""

    queries: Vectors
    query_of: np.ndarray
    nearest: np.ndarray
    own: Vectors
    rest: Vectors
    documents: np.ndarray

    def nearer(self, passages: Vectors) -> np.ndarray:
        """For each pair, how many of *passages* are nearer to the query than the relevant document is."""
        scores = np.sort(self.queries @ passages.T, axis=1)
        places = [np.searchsorted(scores[query], cosine, side="right") for query, cosine in self.pairs()]
        return len(passages) - np.array(places)

    def pairs(self) -> Iterator[tuple[int, float]]:
        return zip(self.query_of.tolist(), self.nearest.tolist(), strict=True)

    def recall(self, nearer: np.ndarray, depth: float) -> np.ndarray:
        """Of each query, the share of its relevant documents within *depth*."""
        found = np.bincount(self.query_of, weights=nearer < depth, minlength=len(self.queries))
        return found / np.bincount(self.query_of, minlength=len(self.queries))


def read_asked(specification: str, indexes: Path, limit: int, encode: object) -> Asked:
    folder, qrels_name = named(specification)
    qrels, queries = read_judgements(folder, qrels_name, limit)
    index = indexes / f"{folder.name}-{DEFAULTS.passage_tokens}"
    vectors, names = real_vectors(index)
    documents = np.array([name.removeprefix(f"{index} ") for name in names])
    held = set(documents.tolist())
    relevant: dict[str, list[str]] = {}
    for qrel in qrels:
        if qrel.relevance > 0 and qrel.doc_id in held:
            relevant.setdefault(qrel.query_id, []).append(qrel.doc_id)
    queries = [(query_id, text) for query_id, text in queries if query_id in relevant]
    asked = encode([text for _, text in queries])  # type: ignore[operator]
    cosines = asked @ vectors.T
    pairs = [
        (number, float(cosines[number, documents == document].max()))
        for number, (query_id, _) in enumerate(queries)
        for document in relevant[query_id]
    ]
    is_own = np.isin(documents, [document for found in relevant.values() for document in found])
    query_of, nearest = np.array([pair[0] for pair in pairs]), np.array([pair[1] for pair in pairs], dtype=np.float32)
    return Asked(asked, query_of, nearest, vectors[is_own], vectors[~is_own], documents[~is_own])


def synthetic(passages: Vectors, count: int, *, spread: float = SPREAD) -> Iterator[Vectors]:
    """*count* passages, some at a time, each a real one moved by the difference of two others of its topic."""
    random = np.random.default_rng(9)
    some = passages[random.choice(len(passages), min(len(passages), AT_ONCE), replace=False)]
    topics = clustered(some, max(1, len(some) // A_TOPIC))
    order = np.argsort(topics, kind="stable")
    starts = np.searchsorted(topics[order], np.arange(topics.max() + 2))
    middles = sums(some, topics, topics.max() + 1) / np.maximum(np.diff(starts), 1)[:, None]
    for start in range(0, count, AT_ONCE):
        chosen = random.integers(len(some), size=min(AT_ONCE, count - start))
        first, size = starts[topics[chosen]], np.diff(starts)[topics[chosen]]
        one, other = (order[first + (random.random(len(chosen)) * size).astype(int)] for _ in range(2))
        middle = middles[topics[chosen]]
        kept = np.sqrt(1 - spread**2) * (some[chosen] - middle)
        yield unit(middle + kept + spread / np.sqrt(2) * (some[one] - some[other]))


def grown_alike(asked: Asked, most: int) -> Iterator[tuple[int, np.ndarray]]:
    """The size, and how many passages are nearer than each relevant document, as passages of its own kind come."""
    names, numbers = np.unique(asked.documents, return_inverse=True)
    shares = np.random.default_rng(10).permutation(len(names))[numbers] / len(names)
    size, nearer, before = len(asked.own), asked.nearer(asked.own), 0.0
    for part in PARTS:
        passages = asked.rest[(shares >= before) & (shares < part)]
        size, nearer, before = size + len(passages), nearer + asked.nearer(passages), part
        yield size, nearer
    yield from grown(asked, size, nearer, synthetic(asked.rest, most - size))


def grown_by_others(asked: Asked, others: Vectors, most: int) -> Iterator[tuple[int, np.ndarray]]:
    """The same, as passages of other kinds come."""
    size = len(asked.own) + len(asked.rest)
    nearer = asked.nearer(asked.own) + asked.nearer(asked.rest)
    yield size, nearer
    mixed = others[np.random.default_rng(11).permutation(len(others))]
    blocks = (mixed[start : start + AT_ONCE] for start in range(0, len(mixed), AT_ONCE))
    yield from grown(asked, size, nearer, blocks)
    size, nearer = size + len(mixed), nearer + asked.nearer(mixed)
    yield size, nearer
    yield from grown(asked, size, nearer, synthetic(mixed, most - size))


def grown(asked: Asked, size: int, nearer: np.ndarray, blocks: Iterator[Vectors]) -> Iterator[tuple[int, np.ndarray]]:
    """The same, at each of `SIZES` that *blocks* reach."""
    for block in blocks:
        done = 0
        for cut in [each - size for each in SIZES if size < each <= size + len(block)]:
            nearer, done = nearer + asked.nearer(block[done:cut]), cut
            yield size + cut, nearer
        size, nearer = size + len(block), nearer + asked.nearer(block[done:])


def depth_for(asked: Asked, nearer: np.ndarray, recall: float, weights: np.ndarray) -> float:
    """The least depth with that *recall*, of queries that count by *weights*."""
    per_query = np.bincount(asked.query_of, minlength=len(asked.queries))
    share = weights[asked.query_of] / per_query[asked.query_of] / weights.sum()
    order = np.argsort(nearer, kind="stable")
    place = int(np.searchsorted(np.cumsum(share[order]), recall - 1e-9))
    return float(nearer[order[min(place, len(order) - 1)]] + 1)


def power(asked: Asked, series: list[tuple[int, np.ndarray]], base: np.ndarray, weights: np.ndarray) -> float:
    """By which power of the size the depth grows that keeps the recall of `KEPT` in the collection as it is."""
    recall = float((asked.recall(base, KEPT) * weights).sum() / weights.sum())
    depths = [depth_for(asked, nearer, recall, weights) for _, nearer in series]
    return float(np.polyfit(np.log([size for size, _ in series]), np.log(depths), 1)[0])


def told(name: str, growth: str, asked: Asked, series: list[tuple[int, np.ndarray]], base: np.ndarray) -> None:
    alike = np.ones(len(asked.queries))
    recall = float(asked.recall(base, KEPT).mean())
    for size, nearer in series:
        by_depth = {depth: round(float(asked.recall(nearer, depth).mean()), 4) for depth in DEPTHS}
        depth = depth_for(asked, nearer, recall, alike)
        print(json.dumps({"collection": name, "growth": growth, "size": size, "recall": by_depth, "depth": depth}))
    random = np.random.default_rng(12)
    drawn = [
        power(asked, series, base, random.multinomial(len(alike), alike / len(alike)).astype(float))
        for _ in range(RESAMPLED)
    ]
    low, high = np.quantile(drawn, (0.025, 0.975))
    exponent = power(asked, series, base, alike)
    grows = [round(each, 3) for each in (low, exponent, high)]
    line = {"collection": name, "growth": growth, "queries": len(alike), "grows_by": grows}
    print(json.dumps(line), flush=True)


def check(name: str, asked: Asked, spread: float) -> None:
    """Real distractors against as many synthetic ones made of other real ones."""
    names, numbers = np.unique(asked.documents, return_inverse=True)
    is_left = (np.random.default_rng(13).random(len(names)) < 0.5)[numbers]
    left, kept = asked.rest[is_left], asked.rest[~is_left]
    base = asked.nearer(asked.own) + asked.nearer(kept)
    real = asked.nearer(left)
    made = sum(asked.nearer(block) for block in synthetic(kept, len(left), spread=spread))
    recalls = {
        kind: [round(float(asked.recall(base + more, depth).mean()), 4) for depth in (10, 100)]
        for kind, more in (("before", 0), ("real", real), ("synthetic", made))
    }
    nearer = {"real": int(real.sum()), "synthetic": int(np.sum(made))}
    line = {"collection": name, "check": spread, "added": len(left), "nearer": nearer, "recall_10_100": recalls}
    print(json.dumps(line), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("collections", nargs="+")
    parser.add_argument("--indexes", type=Path, required=True)
    parser.add_argument("--others", type=Path, nargs="*", default=[])
    parser.add_argument("--most", type=int, default=SIZES[-1])
    parser.add_argument("--queries", type=int, default=100)
    parser.add_argument("--check", type=float, nargs="*", default=[SPREAD], help="with these spreads")
    parser.add_argument("--only-check", action="store_true")
    arguments = parser.parse_args()
    encode = open_encoder(DEFAULTS.encoder).encode_queries
    read = {each: read_asked(each, arguments.indexes, arguments.queries, encode) for each in arguments.collections}
    trees = [real_vectors(each)[0] for each in arguments.others]
    for specification, asked in read.items():
        name = named(specification)[0].name
        for spread in arguments.check:
            check(name, asked, spread)
        if arguments.only_check:
            continue
        base = asked.nearer(asked.own) + asked.nearer(asked.rest)
        told(name, "alike", asked, list(grown_alike(asked, arguments.most)), base)
        rest = [np.concatenate([each.own, each.rest]) for each in read.values() if each is not asked]
        others = np.concatenate([*rest, *trees])
        told(name, "others", asked, list(grown_by_others(asked, others, arguments.most)), base)


if __name__ == "__main__":
    main()
