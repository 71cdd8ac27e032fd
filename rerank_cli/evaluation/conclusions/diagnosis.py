"""Why a relevant document is not at the top, and where the next gain lies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from rerank_cli.evaluation.asking.one_pass import Answers, Pass, StageHits
from rerank_cli.evaluation.figures.measures import relevant_documents
from rerank_cli.evaluation.inputs.collection import JudgedQuery, Qrels
from rerank_cli.ports import Encoder, Index, Reranker
from rerank_cli.records import Candidate, Hit
from rerank_cli.reranking import by_document
from rerank_cli.retrieval import LIST_DEPTH, retrieve
from rerank_cli.search import SearchSettings, check_query

Cause = Literal[
    "not in the index",
    "never a candidate",
    "lost by the graph",
    "passage cut",
    "demoted",
    "not promoted",
    "ranked low",
]

MEANINGS: Mapping[Cause, str] = {
    "not in the index": "index it, or mend the judgements",
    "never a candidate": "a deeper top_k, another retriever or encoder",
    "lost by the graph": "the exact scan has it: rebuild the index",
    "passage cut": "shorter passages: a smaller passage_tokens",
    "demoted": "another reranker, one trained on such documents, or fusion with the first stage",
    "not promoted": "a better reranker: it had the passage and left it low",
    "ranked low": "a second stage: the first had the passage and left it low",
}
"""What to try for each cause."""


@dataclass(frozen=True, slots=True)
class Miss:
    """A relevant document that is not at the top of its query's answer, and why.

    Ranks count documents, from 1; None where it does not stand. `place` says where the best passage of a
    document that is no candidate would stand among all passages.
    """

    document: str
    grade: int
    cause: Cause
    first_rank: int | None = None
    final_rank: int | None = None
    place: str = ""

    @property
    def reason(self) -> str:
        """The cause with its ranks, in words."""
        if self.cause == "ranked low":
            return f"{self.cause}, rank {self.first_rank}"
        if self.final_rank is not None:
            return f"{self.cause}, rank {self.first_rank} in the first stage, {self.final_rank} at the end"
        return f"{self.cause}, {self.place}" if self.place else self.cause


@dataclass(frozen=True, slots=True)
class DiagnosedQuery:
    """A query with relevant documents that are not at the top."""

    query: JudgedQuery
    misses: tuple[Miss, ...]


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Every query with a miss; misses counted by cause, the commonest first.

    `relevant_of` is the number of relevant documents of each query that was answered.
    """

    top: int
    queries: tuple[DiagnosedQuery, ...]
    relevant_of: Mapping[str, int]
    counts: Mapping[Cause, int]

    @property
    def relevant(self) -> int:
        """Relevant documents of all queries."""
        return sum(self.relevant_of.values())


def diagnose(
    answers: Answers,
    one_pass: Pass,
    variant: SearchSettings,
    *,
    index: Index,
    encoder: Encoder,
    reranker: Reranker | None,
    qrels: Qrels,
    top: int,
) -> Diagnosis:
    """Find the cause of every relevant document below the first *top* documents of the final order.

    *reranker* is asked again about single passages: whether it read them whole.
    """
    examined: list[DiagnosedQuery] = []
    corpus = _Corpus(index, encoder)
    for answer in answers.answered:
        found = _Examination(corpus, answer.query, one_pass.stage_hits(answer, variant), variant, reranker)
        grades = qrels[answer.query.id]
        wanted = sorted(relevant_documents(grades), key=lambda document: (-grades[document], document))
        misses = [found.miss(document, grades[document]) for document in wanted if not found.at_top(document, top)]
        if misses:
            examined.append(DiagnosedQuery(answer.query, tuple(misses)))
    counted = Counter(miss.cause for query in examined for miss in query.misses)
    relevant_of = {answer.query.id: len(relevant_documents(qrels[answer.query.id])) for answer in answers.answered}
    return Diagnosis(top, tuple(examined), relevant_of, dict(counted.most_common()))


class _Corpus:
    """The whole index, which a document has to be looked for in."""

    def __init__(self, index: Index, encoder: Encoder) -> None:
        self.index = index
        self.encoder = encoder


class _Examination:
    """Looks at one query's answer; what costs time is looked up only where a document needs it."""

    def __init__(
        self, corpus: _Corpus, query: JudgedQuery, staged: StageHits, variant: SearchSettings, reranker: Reranker | None
    ) -> None:
        self._corpus = corpus
        self._query = check_query(query.text)
        self._variant = variant
        self._reranker = reranker if variant.reranks else None
        self._first = _ranks(staged.first)
        self._final = _ranks(staged.final)
        self._hits = by_document(staged.final)

    def at_top(self, document: str, top: int) -> bool:
        return self._final.get(document, top + 1) <= top

    def miss(self, document: str, grade: int) -> Miss:
        if not self._corpus.index.has_documents([document]):
            return Miss(document, grade, "not in the index")
        if document not in self._final:
            return self._absent(document, grade)
        first, final = self._first[document], self._final[document]
        cause: Cause = "demoted" if final > first else "not promoted"
        if not self._variant.reranks:
            cause = "ranked low"
        elif self._is_cut(document):
            cause = "passage cut"
        return Miss(document, grade, cause, first_rank=first, final_rank=final)

    def _absent(self, document: str, grade: int) -> Miss:
        """Where a document that is no candidate would stand, by an exact scan."""
        found = _of(self._exact_candidates, document)
        if found is not None and found.rank <= self._variant.top_k:
            return Miss(document, grade, "lost by the graph", place=f"the exact scan has it at rank {found.rank}")
        if found is not None:
            return Miss(document, grade, "never a candidate", place=f"would stand at rank {found.rank}")
        found = _of(self._all_passages, document)
        if found is None:
            return Miss(document, grade, "never a candidate", place="it has no word of the query")
        return Miss(document, grade, "never a candidate", place=self._far_place(found))

    def _far_place(self, found: Candidate) -> str:
        """The rank of a passage that no search brings: each list ends at `LIST_DEPTH`."""
        if self._variant.retriever != "hybrid":
            return f"would stand at rank {found.rank}"
        lexical = f"lexical rank {found.lists['lexical'].rank}" if "lexical" in found.lists else "no word of the query"
        lists = f"dense rank {found.lists['dense'].rank}, {lexical}"
        return f"would stand at rank {found.rank} with both lists read to the end ({lists})"

    def _is_cut(self, document: str) -> bool:
        """Whether the reranker read only the beginning of the document's best passage."""
        if self._reranker is None:
            return False
        best = next(hit for hit in self._hits if hit.candidate.stored.document_id == document)
        text = best.candidate.stored.passage.model_text
        return self._reranker.score_pairs(self._query, [text]).truncated > 0

    @cached_property
    def _exact_candidates(self) -> tuple[Candidate, ...]:
        return self._exact(LIST_DEPTH)

    @cached_property
    def _all_passages(self) -> tuple[Candidate, ...]:
        """Every passage that either list has, both read to the end."""
        return self._exact(max(LIST_DEPTH, self._corpus.index.counts().passages))

    def _exact(self, depth: int) -> tuple[Candidate, ...]:
        return retrieve(
            self._corpus.index,
            self._query,
            encoder=self._corpus.encoder,
            retriever=self._variant.retriever,
            top_k=depth,
            list_depth=depth,
            within=self._variant.within,
            exact=True,
        )


def _of(candidates: Sequence[Candidate], document: str) -> Candidate | None:
    """The best of *candidates* that is of *document*."""
    return next((each for each in candidates if each.stored.document_id == document), None)


def _ranks(hits: Sequence[Hit]) -> dict[str, int]:
    """The rank of each document, from 1, by its best passage."""
    best = by_document(hits)
    return {hit.candidate.stored.document_id: rank for rank, hit in enumerate(best, start=1)}
