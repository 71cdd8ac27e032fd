#!/usr/bin/env python3
"""nDCG@10 and time of every retriever, and of both stages, on a test collection.

    python tests/benchmarks/collection.py COLLECTION… [--qrels qrels.tsv] [--indexes DIR] [--limit N]
        [--rerank [--float32]]

COLLECTION is a folder with `corpus.jsonl`, `queries.jsonl` and a qrels file (query, document, grade). A document's
rank is that of its best passage. A judged query that finds nothing counts as 0.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import ir_measures
from ir_measures import Qrel, ScoredDoc, nDCG

from rerank_cli.config import Fusion, Settings
from rerank_cli.corpus.discover import Rules
from rerank_cli.indexing import IndexSettings, update_index
from rerank_cli.models.catalogue import find_model
from rerank_cli.models.loading import open_encoder, open_reranker
from rerank_cli.models.torch import TorchReranker
from rerank_cli.records import Hit, Reranker
from rerank_cli.reranking import best_of_each_document, keep_order, order
from rerank_cli.retrieval import retrieve
from rerank_cli.store import open_reader

DEFAULTS = Settings()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("collections", nargs="+", type=Path)
    parser.add_argument("--qrels", default="qrels.tsv")
    parser.add_argument("--indexes", type=Path, help="keep the indexes in this folder")
    parser.add_argument("--limit", type=int, default=0, help="judge this many queries, evenly spread")
    parser.add_argument("--rerank", action="store_true", help="rerank too, alone and fused")
    parser.add_argument("--float32", action="store_true", help="rerank by sentence-transformers in float32 as well")
    parser.add_argument("--reranker", default=DEFAULTS.reranker)
    parser.add_argument("--fusion-weights", type=float, nargs="+", default=[DEFAULTS.fusion_weight])
    parser.add_argument("--passage-tokens", type=int, default=DEFAULTS.passage_tokens)
    parser.add_argument("--top-k", type=int, default=DEFAULTS.top_k)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        for collection in arguments.collections:
            folder = (arguments.indexes or Path(scratch)) / f"{collection.name}-{arguments.passage_tokens}"
            measure(collection, folder, arguments)


def measure(collection: Path, folder: Path, arguments: argparse.Namespace) -> None:
    """Index the collection, run every query, print one line of JSON a ranking."""
    encoder = open_encoder(DEFAULTS.encoder)
    summary = update_index(
        (collection / "corpus.jsonl").resolve(),
        index_folder=folder,
        encoder=encoder,
        settings=IndexSettings(DEFAULTS.encoder, arguments.passage_tokens, Rules()),
    )
    qrels, queries = read_judgements(collection, arguments.qrels, arguments.limit)
    runs: dict[str, list[ScoredDoc]] = {}
    times: dict[str, list[float]] = {}

    def keep(name: str, query_id: str, hits: Iterable[Hit], elapsed_s: float) -> None:
        times.setdefault(name, []).append(elapsed_s)
        best = best_of_each_document(tuple(hits), per_document=1)
        runs.setdefault(name, []).extend(
            ScoredDoc(query_id, hit.candidate.stored.document_id, -float(rank)) for rank, hit in enumerate(best)
        )

    with open_reader(folder) as index:
        rerankers = open_rerankers(arguments)
        for query_id, text in queries:
            for retriever in ("lexical", "dense", "hybrid"):
                started = time.perf_counter()
                candidates = retrieve(index, text, encoder=encoder, retriever=retriever, top_k=arguments.top_k)
                keep(retriever, query_id, keep_order(candidates), time.perf_counter() - started)
            for precision, reranker in rerankers.items():
                started = time.perf_counter()
                scores = reranker.score_pairs(text, [c.stored.passage.model_text for c in candidates])
                elapsed_s = time.perf_counter() - started
                for fusion, weight in fusions(arguments.fusion_weights):
                    hits = order(candidates, scores, reranker=reranker, fusion=fusion, weight=weight)
                    keep(f"{precision} {fusion} {weight}", query_id, hits, elapsed_s)
    for name, run in runs.items():
        figure = ir_measures.calc_aggregate([nDCG @ 10], qrels, run)[nDCG @ 10]
        record = {
            "collection": collection.name,
            "ranking": name,
            "nDCG@10": round(figure, 4),
            "queries": len(queries),
            "passages": summary.passages,
            "median_s": round(statistics.median(times[name]), 4),
        }
        print(json.dumps(record), flush=True)


def fusions(weights: Sequence[float]) -> Iterator[tuple[Fusion, float]]:
    """The reranker alone, both fusions at each weight, and the first stage's scores without the reranker's."""
    yield "none", 1.0
    for weight in weights:
        yield "rrf", weight
        yield "linear", weight
    yield "linear", 0.0


def open_rerankers(arguments: argparse.Namespace) -> dict[str, Reranker]:
    """By precision: as the program runs it, and as sentence-transformers does."""
    rerankers = {"int8": open_reranker(arguments.reranker)} if arguments.rerank else {}
    if arguments.rerank and arguments.float32:
        rerankers["float32"] = TorchReranker(find_model(arguments.reranker, "reranker"), device="cpu")
    return rerankers


def read_judgements(collection: Path, name: str, limit: int) -> tuple[list[Qrel], list[tuple[str, str]]]:
    """The qrels and the judged queries, or an even sample of *limit* of them."""
    lines = (collection / name).read_text(encoding="utf-8").splitlines()[1:]
    rows = [line.split("\t") for line in lines if line.strip()]
    judged = {query_id for query_id, _, grade in rows if int(grade) > 0}
    records = [json.loads(line) for line in (collection / "queries.jsonl").read_text(encoding="utf-8").splitlines()]
    queries = [(record["_id"], record["text"]) for record in records if record["_id"] in judged]
    if limit and len(queries) > limit:
        queries = [queries[place * len(queries) // limit] for place in range(limit)]
    chosen = {query_id for query_id, _ in queries}
    return [Qrel(query, document, int(grade)) for query, document, grade in rows if query in chosen], queries


if __name__ == "__main__":
    main()
