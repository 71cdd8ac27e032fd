"""Pooling: the documents that both stages show, shuffled so that they are judged blind."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rerank_cli.evaluation.asking.one_pass import Pass, StageHits
from rerank_cli.evaluation.inputs.collection import JudgedQuery
from rerank_cli.ports import Index
from rerank_cli.records import StoredPassage
from rerank_cli.reranking import by_document
from rerank_cli.search import SearchSettings
from rerank_cli.trec import tsv_id


@dataclass(frozen=True, slots=True)
class Pooled:
    """A document to judge, with the passage that both models saw of it; nothing tells which stage brought it.

    It is so and so many of those of its query, judged ones among them, and its query of all.
    """

    query: JudgedQuery
    stored: StoredPassage
    number: int
    of_documents: int
    query_number: int
    of_queries: int


def to_judge(
    queries: Sequence[JudgedQuery],
    one_pass: Pass,
    variant: SearchSettings,
    *,
    index: Index,
    grades: Mapping[str, Mapping[str, int]],
    depth: int,
    seed: int,
) -> Iterator[Pooled]:
    """What is not judged yet of the best *depth* documents of either stage, each query's in random order.

    A query is asked when its turn comes, of the newest generation of *index*, which rests while its documents are
    judged: a person may take their time. *grades* may grow meanwhile.
    """
    for query_number, query in enumerate(queries, start=1):
        index.wake()
        answers = one_pass.ask([query])
        index.rest()
        if not answers.complete:
            raise KeyboardInterrupt
        for answer in answers.answered:
            documents = pool(query, one_pass.stage_hits(answer, variant), depth=depth, seed=seed)
            for number, stored in enumerate(documents, start=1):
                if tsv_id(stored.document_id) not in grades.get(tsv_id(query.id), {}):
                    yield Pooled(query, stored, number, len(documents), query_number, len(queries))


def pool(query: JudgedQuery, staged: StageHits, *, depth: int, seed: int) -> list[StoredPassage]:
    """The best *depth* documents of either stage, each once, in an order that says nothing of their ranks."""
    final = by_document(staged.final)[:depth]
    first = by_document(staged.first)[:depth]
    best = {hit.candidate.stored.document_id: hit.candidate.stored for hit in (*reversed(first), *reversed(final))}
    names = sorted(best)
    random.Random(f"{seed}\0{query.id}").shuffle(names)
    return [best[name] for name in names]
