#!/usr/bin/env python3
"""What fitting the reranker to a collection is worth: `fit_collection.py COLLECTION WORK [TRAIN_OPTION…]`.

COLLECTION is a folder with `corpus.jsonl`, `queries.jsonl`, `qrels_train.tsv` and `qrels.tsv`, which judge
different queries: one that is in both, by its words, is left out of the former. The reranker is trained on the former
with `rerank-cli train` and its defaults, or the options given, and evaluated on the latter with `rerank-cli eval`,
before and after, in the default order and alone. Queries of the test set are never shown to it, nor do they choose its
weights: held-out training queries do. Prints a line of JSON for the split, for the training and for each evaluation.
WORK keeps the index and the model; run again, it goes on. Needs the extra `train`.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

BUILT_IN = "rerank-minilm-l6"
MEASURES = ("nDCG@10", "RR@10", "R@100")


def main() -> None:
    collection, work = (Path(argument).resolve() for argument in sys.argv[1:3])
    options = sys.argv[3:]
    work.mkdir(parents=True, exist_ok=True)
    judgements = training_judgements(collection, work / "qrels_train.tsv")
    fitted = work / "fitted"
    index = str(work / "index")
    run("index", str(collection / "corpus.jsonl"), "--index", index, "--quiet")
    test = ("--queries", str(collection / "queries.jsonl"), "--qrels", str(collection / "qrels.tsv"), "--index", index)
    evaluate("before", test, BUILT_IN)
    if not fitted.exists():
        train = ("--queries", str(collection / "queries.jsonl"), "--qrels", str(judgements))
        resume = ("--resume",) if work.joinpath("fitted.checkpoints").exists() else ()
        out = ("--out", str(fitted), "--json")
        facts = json.loads(run("train", *train, "--index", index, *out, *resume, *options))
        print(json.dumps({"stage": "train", **facts}), flush=True)
    if fitted.exists():
        evaluate("after", test, str(fitted))


def training_judgements(collection: Path, path: Path) -> Path:
    """Write `qrels_train.tsv` to *path* without the queries that the test set has too, by their words."""
    from rerank_cli.queries import read_queries
    from rerank_cli.training.slices import query_key
    from rerank_cli.trec import read_qrels

    texts = {query.id: query.text for query in read_queries(collection / "queries.jsonl")}
    asked = {query_key(texts[query]) for query in read_qrels(collection / "qrels.tsv") if query in texts}
    train = read_qrels(collection / "qrels_train.tsv")
    kept = {query: grades for query, grades in train.items() if query in texts and query_key(texts[query]) not in asked}
    rows = [f"{query}\t{document}\t{grade}\n" for query, grades in kept.items() for document, grade in grades.items()]
    path.write_text("".join(rows), encoding="utf-8")
    print(json.dumps({"stage": "split", "train": len(kept), "left_out": len(train) - len(kept)}), flush=True)
    return path


def evaluate(stage: str, test: tuple[str, ...], reranker: str) -> None:
    """Print the figures of both stages: of the default, fused order and of the reranker alone."""
    measures = [part for measure in MEASURES for part in ("--measure", measure)]
    for fusion in ("linear", "none"):
        done = json.loads(run("eval", *test, "--reranker", reranker, "--fusion", fusion, *measures, "--json"))
        record = {
            "stage": stage,
            "reranker": Path(reranker).name,
            "fusion": fusion,
            "queries": done["collection"]["asked"],
        }
        print(json.dumps({**record, "figures": done["measures"]}), flush=True)


def run(*arguments: str) -> str:
    """What a command prints; its errors go to stderr. Only a training may end with 1: nothing got better."""
    done = subprocess.run(
        [sys.executable, "-m", "rerank_cli", *arguments], stdout=subprocess.PIPE, check=False, text=True
    )
    if done.returncode and (arguments[0], done.returncode) != ("train", 1):
        sys.exit(done.returncode)
    return done.stdout


if __name__ == "__main__":
    main()
