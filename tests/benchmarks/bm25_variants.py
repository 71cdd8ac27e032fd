#!/usr/bin/env python3
"""Why BM25 differs between stores: nDCG@10 of the lexical list by the formulas of both, and by what lies between them.

    python tests/benchmarks/bm25_variants.py COLLECTION… --indexes DIR

COLLECTION and --indexes are as in `collection.py`, whose local index is read. The first line of a collection is
SQLite's formula, the last is Milvus' for words as they stand. Each line of JSON changes one more thing: the length of a
passage, in which each word of a heading counts three times, then the weight of a word for its rarity. What the store
writes and asks makes SQLite's of both.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from collection import DEFAULTS, by_query, named, read_judgements
from ir_measures import ScoredDoc

from rerank_cli.ports import Ranking
from rerank_cli.records import Passage
from rerank_cli.reranking import by_document, keep_order
from rerank_cli.retrieval import retrieve
from rerank_cli.store import open_reader
from rerank_cli.store.milvus.schema import K1, B
from rerank_cli.store.milvus.words import HEADING_WEIGHT, query_terms, stemmed
from rerank_cli.store.passages import parts_of

VARIANTS = {
    "SQLite's": (False, 1),
    "with headings in the length as they count": (False, HEADING_WEIGHT),
    "and with Milvus' weight of a word": (True, HEADING_WEIGHT),
}


class Recounted:
    """An index whose lexical list is counted here; all else is the index's own."""

    def __init__(self, index: Any, *, adds_one: bool, heading_length: int) -> None:
        self._index = index
        self._adds_one = adds_one
        stored = list(index.scan())
        self._ids = [each.id for each in stored]
        self._postings: dict[str, list[tuple[int, int]]] = defaultdict(list)
        self._lengths = np.zeros(len(stored))
        for number, each in enumerate(stored):
            headings, body = words_of(each.passage)
            self._lengths[number] = heading_length * len(headings) + len(body)
            counts = Counter(headings * HEADING_WEIGHT)
            counts.update(body)
            for term, count in counts.items():
                self._postings[term].append((number, count))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._index, name)

    def search_lexical(self, words: Sequence[str], depth: int, **_: object) -> Ranking:
        scores = np.zeros(len(self._ids))
        norm = K1 * (1 - B + B * self._lengths / self._lengths.mean())
        for term in query_terms(words):
            if not (postings := self._postings.get(term)):
                continue
            places, counts = (np.array(column) for column in zip(*postings, strict=True))
            odds = (len(self._ids) - len(places) + 0.5) / (len(places) + 0.5)
            weight = np.log(1 + odds) if self._adds_one else max(1e-6, np.log(odds))
            scores[places] += weight * counts * (K1 + 1) / (counts + norm[places])
        best = np.argsort(-scores, kind="stable")[:depth]
        return [(self._ids[place], float(scores[place])) for place in best.tolist() if scores[place] > 0]


def words_of(passage: Passage) -> tuple[list[str], list[str]]:
    """The stemmed words of the headings, and of all else."""
    headings, text, parts = stemmed(["\n".join(passage.headings), passage.text, parts_of(passage)])
    return headings, text + parts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("collections", nargs="+")
    parser.add_argument("--indexes", type=Path, required=True)
    asked = parser.parse_args()
    for specification in asked.collections:
        collection, qrels_name = named(specification)
        qrels, queries = read_judgements(collection, qrels_name, 0)
        with open_reader(asked.indexes / f"{collection.name}-{DEFAULTS.passage_tokens}") as index:
            for name, (adds_one, heading_length) in VARIANTS.items():
                recounted: Any = Recounted(index, adds_one=adds_one, heading_length=heading_length)
                run = []
                for query_id, text in queries:
                    found = retrieve(recounted, text, encoder=None, retriever="lexical", top_k=DEFAULTS.top_k)
                    run += [
                        ScoredDoc(query_id, hit.candidate.stored.document_id, -float(rank))
                        for rank, hit in enumerate(by_document(keep_order(found)))
                    ]
                quality = by_query(qrels, run, [query_id for query_id, _ in queries])["nDCG@10"]
                figures = {"collection": collection.name, "bm25": name, "nDCG@10": round(statistics.fmean(quality), 4)}
                print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main()
