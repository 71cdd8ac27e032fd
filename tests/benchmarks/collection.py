#!/usr/bin/env python3
"""nDCG@10, recall and time of every retriever, and of both stages, on test collections.

    python tests/benchmarks/collection.py COLLECTION… [--indexes DIR [--store ADDRESS]] [--limit N]
        [--rerank [--float32] [--read DEPTH…]]

COLLECTION is a folder with `corpus.jsonl`, or a folder `docs` of files, beside `queries.jsonl` and a qrels file
(query, document, grade); `FOLDER:qrels_dev.tsv` names another than qrels.tsv. A document's rank is that of its
evidence. A judged query that finds nothing counts as 0. Prints one line of JSON a ranking: its means, the change of
nDCG@10 against the hybrid first stage with its 95 % bootstrap interval, and with --by-query each query's value. The
ranking "until enough" is the default order as far as `--top-k auto` reads, "read DEPTH" where time cut it there.
--indexes keeps indexes and scores, so that a second run computes only what is new.
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
from ir_measures import Qrel, R, ScoredDoc, nDCG

from rerank_cli.config import Settings
from rerank_cli.evaluation.asking.remembered_scores import RememberingReranker
from rerank_cli.evaluation.figures.paired_comparison import compare
from rerank_cli.indexing import IndexSettings, update_index
from rerank_cli.models.catalogue import find_model
from rerank_cli.models.loading import open_encoder, open_reranker
from rerank_cli.models.torch import TorchReranker
from rerank_cli.ports import Encoder, PairScores, Reranker
from rerank_cli.records import Candidate, Fusion, Hit, Rules
from rerank_cli.reranking import below, by_document, keep_order, order
from rerank_cli.retrieval import retrieve
from rerank_cli.stopping import read_candidates
from rerank_cli.store import open_reader, open_writer
from rerank_cli.store.scores import ScoreStore

DEFAULTS = Settings()
QUALITY, RECALL = nDCG @ 10, R @ 100


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("collections", nargs="+")
    parser.add_argument("--indexes", type=Path, help="keep the indexes and scores in this folder")
    parser.add_argument("--store", default="", help="keep the indexes at this address, with names of their own")
    parser.add_argument("--limit", type=int, default=0, help="judge this many queries, evenly spread")
    parser.add_argument("--rerank", action="store_true", help="rerank too, alone and fused")
    parser.add_argument("--float32", action="store_true", help="rerank by sentence-transformers in float32 as well")
    parser.add_argument("--reranker", default=DEFAULTS.reranker)
    parser.add_argument("--fusion-weights", type=float, nargs="+", default=[DEFAULTS.fusion_weight])
    parser.add_argument("--passage-tokens", type=int, default=DEFAULTS.passage_tokens)
    parser.add_argument("--top-k", type=int, default=DEFAULTS.top_k)
    parser.add_argument("--read", type=int, nargs="+", default=[], help="rerank only so many of the candidates too")
    parser.add_argument("--by-query", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        arguments.indexes = arguments.indexes or Path(scratch)
        for specification in arguments.collections:
            measure(specification, arguments)


def measure(specification: str, arguments: argparse.Namespace) -> None:
    """Index the collection, run every query, print one line of JSON a ranking."""
    collection, qrels_name = named(specification)
    encoder = open_encoder(DEFAULTS.encoder)
    folder = index_collection(
        collection, arguments.indexes, encoder, passage_tokens=arguments.passage_tokens, store=arguments.store
    )
    qrels, queries = read_judgements(collection, qrels_name, arguments.limit)
    runs: dict[str, list[ScoredDoc]] = {}
    times: dict[str, list[float]] = {}
    reads: dict[str, list[int]] = {}

    def keep(name: str, query_id: str, hits: Iterable[Hit], elapsed_s: float) -> None:
        times.setdefault(name, []).append(elapsed_s)
        runs.setdefault(name, []).extend(
            ScoredDoc(query_id, hit.candidate.stored.document_id, -float(rank))
            for rank, hit in enumerate(by_document(tuple(hits)))
        )

    with open_reader(folder) as index, ScoreStore(arguments.indexes / "scores.sqlite") as store:
        rerankers = open_rerankers(arguments, store)
        for query_id, text in queries:
            for retriever in ("lexical", "dense", "hybrid"):
                started = time.perf_counter()
                candidates = retrieve(index, text, encoder=encoder, retriever=retriever, top_k=arguments.top_k)
                keep(retriever, query_id, keep_order(candidates), time.perf_counter() - started)
            texts = [candidate.stored.passage.model_text for candidate in candidates]
            for precision, reranker in rerankers.items():
                scores = reranker.score_pairs(text, texts)
                elapsed_s = sum(reranker.elapsed_s(text, texts))
                for fusion, weight in fusions(arguments.fusion_weights):
                    hits = order(candidates, scores, reranker=reranker, fusion=fusion, weight=weight)
                    keep(f"{precision} {fusion} {weight}", query_id, hits, elapsed_s)
                for depth in arguments.read:
                    hits = read_so_far(candidates, scores, depth, reranker=reranker)
                    keep(f"{precision} read {depth}", query_id, hits, sum(reranker.elapsed_s(text, texts[:depth])))
                stopped, read = until_enough(candidates, scores, reranker=reranker)
                keep(f"{precision} until enough", query_id, stopped, sum(reranker.elapsed_s(text, texts[:read])))
                reads.setdefault(f"{precision} until enough", []).append(read)
    ids = [query_id for query_id, _ in queries]
    values = {name: by_query(qrels, run, ids) for name, run in runs.items()}
    for name, of_ranking in values.items():
        change = compare({"nDCG@10": values["hybrid"]["nDCG@10"]}, {"nDCG@10": of_ranking["nDCG@10"]})["nDCG@10"]
        record = {
            "collection": specification.rstrip("/").rpartition("/")[2],
            "ranking": name,
            **{each: round(statistics.fmean(of_queries), 4) for each, of_queries in of_ranking.items()},
            "change": [round(number, 4) for number in (change.difference, change.low, change.high)],
            "queries": len(queries),
            "store": arguments.store or "local",
            "median_s": round(statistics.median(times[name]), 4),
            **({"mean_read": round(statistics.fmean(reads[name]), 1)} if name in reads else {}),
            **({"by_query": of_ranking} if arguments.by_query else {}),
        }
        print(json.dumps(record), flush=True)


def named(specification: str) -> tuple[Path, str]:
    """The folder and the name of its qrels."""
    folder, _, qrels_name = specification.partition(":")
    return Path(folder), qrels_name or "qrels.tsv"


def index_collection(
    collection: Path,
    indexes: Path,
    encoder: Encoder,
    *,
    passage_tokens: int = DEFAULTS.passage_tokens,
    store: str = "",
) -> Path:
    """The index of *collection* within *indexes*, or in a *store*, made or brought up to date."""
    records = collection / "corpus.jsonl"
    folder = indexes / f"{collection.name}-{passage_tokens}{'-elsewhere' * bool(store)}"
    with open_writer(folder, wait_s=0, store=store) as writer:
        update_index(
            (records if records.exists() else collection / "docs").resolve(),
            writer=writer,
            encoder=encoder,
            settings=IndexSettings(DEFAULTS.encoder, passage_tokens, Rules(ignore_files=False)),
        )
    return folder


def by_query(qrels: Sequence[Qrel], run: Sequence[ScoredDoc], ids: Sequence[str]) -> dict[str, list[float]]:
    """Each measure's value of every query, in the order of *ids*."""
    found = {
        (str(value.measure), value.query_id): value.value
        for value in ir_measures.iter_calc([QUALITY, RECALL], qrels, run)
    }
    return {str(measure): [found.get((str(measure), query), 0.0) for query in ids] for measure in (QUALITY, RECALL)}


def fusions(weights: Sequence[float]) -> Iterator[tuple[Fusion, float]]:
    """The reranker alone, and both fusions at each weight."""
    yield "none", 1.0
    for weight in weights:
        yield "rrf", weight
        yield "linear", weight


def until_enough(
    candidates: Sequence[Candidate], scores: PairScores, *, reranker: Reranker
) -> tuple[tuple[Hit, ...], int]:
    """The hits in the default order if it is read as far as `--top-k auto` reads, and how far that is."""
    read, _ = read_candidates(
        candidates,
        lambda start, end: PairScores(scores.logits[start:end], truncated=0),
        reranker=reranker,
        fusion=DEFAULTS.fusion,
        weight=DEFAULTS.fusion_weight,
        per_document=1,
        enough_for=DEFAULTS.top_n,
    )
    depth = len(read.logits)
    return read_so_far(candidates, scores, depth, reranker=reranker), depth


def read_so_far(
    candidates: Sequence[Candidate], scores: PairScores, depth: int, *, reranker: Reranker
) -> tuple[Hit, ...]:
    """The hits in the default order if the first *depth* candidates are read."""
    read = PairScores(scores.logits[:depth], truncated=0)
    fusion, weight = DEFAULTS.fusion, DEFAULTS.fusion_weight
    hits = order(candidates[:depth], read, reranker=reranker, fusion=fusion, weight=weight)
    return below(hits, candidates[depth:])


def open_rerankers(arguments: argparse.Namespace, store: ScoreStore) -> dict[str, RememberingReranker]:
    """By precision: as the program runs it, and as sentence-transformers does."""
    if not arguments.rerank:
        return {}
    rerankers = {"int8": RememberingReranker(open_reranker(arguments.reranker), cache=store, device="cpu")}
    if arguments.float32:
        exact = TorchReranker(find_model(arguments.reranker, "reranker"), device="cpu")
        rerankers["float32"] = RememberingReranker(exact, cache=store, device="float32")
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
