#!/usr/bin/env python3
"""nDCG@10 of the reranker alone over a run's candidates: nothing of our first stage takes part.

python tests/benchmarks/rerank_run.py COLLECTION --run runs/BM25.run [--qrels qrels_full.tsv] [--depth 100]
    [--float32]
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from pathlib import Path

import ir_measures
from collection import read_judgements
from ir_measures import ScoredDoc, nDCG

from rerank_cli.config import Settings
from rerank_cli.models.catalogue import find_model
from rerank_cli.models.loading import open_reranker
from rerank_cli.models.torch import TorchReranker
from rerank_cli.records import with_headings


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("collection", type=Path)
    parser.add_argument("--run", required=True)
    parser.add_argument("--qrels", default="qrels.tsv")
    parser.add_argument("--depth", type=int, default=100)
    parser.add_argument("--float32", action="store_true", help="by sentence-transformers in float32")
    parser.add_argument("--reranker", default=Settings().reranker)
    arguments = parser.parse_args()
    qrels, queries = read_judgements(arguments.collection, arguments.qrels, 0)
    pools = defaultdict(list)
    for row in ir_measures.read_trec_run(str(arguments.collection / arguments.run)):
        pools[row.query_id].append(row)
    texts = {}
    for line in (arguments.collection / "corpus.jsonl").open(encoding="utf-8"):
        record = json.loads(line)
        texts[record["_id"]] = with_headings((record["title"],) if record["title"] else (), record["text"])
    reranker = open_reranker(arguments.reranker)
    if arguments.float32:
        reranker = TorchReranker(find_model(arguments.reranker, "reranker"), device="cpu")
    before, after = [], []
    for query_id, text in queries:
        pool = sorted(pools[query_id], key=lambda row: -row.score)[: arguments.depth]
        before.extend(pool)
        logits = reranker.score_pairs(text, [texts[row.doc_id] for row in pool]).logits
        after.extend(ScoredDoc(query_id, row.doc_id, float(logit)) for row, logit in zip(pool, logits, strict=True))
    for name, run in (("the run", before), ("reranked", after)):
        figure = ir_measures.calc_aggregate([nDCG @ 10], qrels, run)[nDCG @ 10]
        print(json.dumps({"ranking": name, "nDCG@10": round(figure, 4), "queries": len(queries)}))


if __name__ == "__main__":
    main()
