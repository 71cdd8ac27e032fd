#!/usr/bin/env python3
"""Fit the reranker's calibration on some collections, and see on others what its probabilities are worth.

    python tests/benchmarks/calibrate.py --fit COLLECTION… --threshold COLLECTION… --check COLLECTION…
        [--near COLLECTION…] [--limit N] [--write FOLDER] [--plot reliability.svg] [--indexes DIR]

COLLECTION is a folder as for collection.py, which shares what --indexes keeps. Every judged query is asked of its own
collection; each document among the candidates counts once, by its best passage. A question without an answer is one
collection's question asked of another, here the next one in the list. The curve is fitted on --fit, the least score
of an answer chosen on --fit and --threshold; --check sees both for the first time. --near lists collections of one
field, whose questions without an answer are near misses; they are told and choose nothing. A collection that was
judged incompletely has passages that answer and do not count: it is none to fit on. Prints one line of JSON a
collection. --write puts calibration.json into a model's folder; the plot needs matplotlib.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from collection import DEFAULTS, index_collection, named, read_judgements
from reliability import ReliabilityBin, expected_calibration_error, reliability

from rerank_cli.evaluation.asking.remembered_scores import RememberingReranker
from rerank_cli.models.calibration import Calibration, write_calibration
from rerank_cli.models.loading import open_encoder, open_reranker
from rerank_cli.ports import Encoder, Reranker
from rerank_cli.retrieval import retrieve
from rerank_cli.store import open_reader
from rerank_cli.store.scores import ScoreStore
from rerank_cli.training.platt import fit_calibration


@dataclass(frozen=True)
class Answers:
    """Logits of documents with their relevance, and each query's best logit, in this corpus and in a foreign one."""

    name: str
    logits: tuple[float, ...]
    relevant: tuple[bool, ...]
    best_at_home: tuple[float, ...]
    best_abroad: tuple[float, ...]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fit", nargs="+", required=True)
    parser.add_argument("--threshold", nargs="*", default=[])
    parser.add_argument("--check", nargs="+", required=True)
    parser.add_argument("--near", nargs="*", default=[])
    parser.add_argument("--limit", type=int, default=100, help="queries of a collection, evenly spread")
    parser.add_argument("--reranker", default=DEFAULTS.reranker)
    parser.add_argument("--indexes", type=Path)
    parser.add_argument("--write", type=Path)
    parser.add_argument("--plot", type=Path)
    arguments = parser.parse_args()
    encoder = open_encoder(DEFAULTS.encoder)
    with tempfile.TemporaryDirectory() as scratch:
        indexes = arguments.indexes or Path(scratch)
        with ScoreStore(indexes / "scores.sqlite") as store:
            reranker = RememberingReranker(open_reranker(arguments.reranker), cache=store, device="cpu")
            ask = Asker(encoder, reranker, indexes, arguments.limit)
            chosen_on, checked_on = ask.all_of([*arguments.fit, *arguments.threshold]), ask.all_of(arguments.check)
            near = ask.all_of(arguments.near) if arguments.near else []
    calibration = fit(chosen_on[: len(arguments.fit)])
    threshold = best_threshold(chosen_on, calibration)
    print(json.dumps({"slope": calibration.slope, "intercept": calibration.intercept, "threshold": threshold}))
    bins = {}
    roles = ["fit"] * len(arguments.fit) + ["threshold"] * len(arguments.threshold) + ["check"] * len(checked_on)
    roles += ["near"] * len(near)
    for role, answers in zip(roles, [*chosen_on, *checked_on, *near], strict=True):
        bins[answers.name] = reliability([calibration.probability(x) for x in answers.logits], answers.relevant)
        print(json.dumps(record(role, answers, calibration, threshold, bins[answers.name])), flush=True)
    if arguments.write:
        write_calibration(arguments.write, calibration)
    if arguments.plot:
        draw({answers.name: bins[answers.name] for answers in checked_on}, arguments.plot)


class Asker:
    """Asks a collection's questions of its own corpus and of another."""

    def __init__(self, encoder: Encoder, reranker: Reranker, indexes: Path, limit: int) -> None:
        self._encoder, self._reranker, self._indexes, self._limit = encoder, reranker, indexes, limit
        self._folders: dict[Path, Path] = {}

    def all_of(self, specifications: Sequence[str]) -> list[Answers]:
        """Each collection's answers; questions without an answer are asked of the next collection."""
        own = [named(specification) for specification in specifications]
        foreign = [folder for folder, _ in (*own[1:], own[0])]
        return [self._of(*each, elsewhere) for each, elsewhere in zip(own, foreign, strict=True)]

    def _of(self, folder: Path, qrels_name: str, foreign: Path) -> Answers:
        qrels, queries = read_judgements(folder, qrels_name, self._limit)
        relevant = {(row.query_id, row.doc_id) for row in qrels if row.relevance > 0}
        at_home = {query_id: self._best_logits(folder, text) for query_id, text in queries}
        documents = [(query, document) for query, found in at_home.items() for document in found]
        abroad = [self._best_logits(foreign, text) for _, text in queries]
        return Answers(
            folder.name,
            logits=tuple(at_home[query][document] for query, document in documents),
            relevant=tuple(pair in relevant for pair in documents),
            best_at_home=tuple(max(found.values()) for found in at_home.values() if found),
            best_abroad=tuple(max(found.values()) for found in abroad if found),
        )

    def _best_logits(self, folder: Path, query: str) -> dict[str, float]:
        """By document among the candidates, the logit of its best passage."""
        index_folder = self._folders.get(folder) or index_collection(folder, self._indexes, self._encoder)
        self._folders[folder] = index_folder
        with open_reader(index_folder) as index:
            found = retrieve(index, query, encoder=self._encoder, retriever=DEFAULTS.retriever, top_k=DEFAULTS.top_k)
        logits = self._reranker.score_pairs(query, [each.stored.passage.model_text for each in found]).logits
        best: dict[str, float] = {}
        for each, logit in zip(found, logits, strict=True):
            document = each.stored.document_id
            best[document] = max(best.get(document, -np.inf), float(logit))
        return best


def fit(all_answers: Sequence[Answers]) -> Calibration:
    """One calibration for all, every collection with the same weight."""
    return fit_calibration(
        [logit for answers in all_answers for logit in answers.logits],
        [relevant for answers in all_answers for relevant in answers.relevant],
        weights=[1 / len(answers.logits) for answers in all_answers for _ in answers.logits],
    )


def best_threshold(all_answers: Sequence[Answers], calibration: Calibration) -> float:
    """The probability, in steps of 0.01, that keeps most answerable questions and turns most others away.

    Each collection with the same weight.
    """

    def kept_and_refused(threshold: float) -> float:
        kept = np.mean([share_above(answers.best_at_home, threshold, calibration) for answers in all_answers])
        refused = np.mean([1 - share_above(answers.best_abroad, threshold, calibration) for answers in all_answers])
        return float(min(kept, refused))

    return max((step / 100 for step in range(1, 100)), key=kept_and_refused)


def share_above(best: Sequence[float], threshold: float, calibration: Calibration) -> float:
    return float(np.mean([calibration.probability(logit) >= threshold for logit in best]))


def record(
    role: str, answers: Answers, calibration: Calibration, threshold: float, bins: Sequence[ReliabilityBin]
) -> dict[str, object]:
    return {
        "collection": answers.name,
        "role": role,
        "queries": len(answers.best_at_home),
        "documents": len(answers.logits),
        "relevant": round(float(np.mean(answers.relevant)), 4),
        "expected_calibration_error": round(expected_calibration_error(bins), 4),
        "answerable_kept": round(share_above(answers.best_at_home, threshold, calibration), 3),
        "unanswerable_refused": round(1 - share_above(answers.best_abroad, threshold, calibration), 3),
        "bins": [[each.count, round(each.predicted, 3), round(each.relevant, 3)] for each in bins],
    }


def draw(bins: dict[str, Sequence[ReliabilityBin]], path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(4.6, 4.2), layout="constrained")
    axes.plot([0, 1], [0, 1], color="0.7", linewidth=1)
    for name, filled in bins.items():
        axes.plot([each.predicted for each in filled], [each.relevant for each in filled], marker="o", label=name)
    axes.set(xlabel="score", ylabel="share that is relevant", xlim=(0, 1), ylim=(0, 1))
    axes.legend(frameon=False)
    figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    main()
