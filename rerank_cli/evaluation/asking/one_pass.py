"""One pass of both stages over every query, at the greatest depth; every smaller setting is derived from it.

A reranker scores a passage without regard to the others, and a shallower first stage is the head of a
deeper one: so the answer at a smaller depth, with another fusion, or from another retriever over the same
scores is what a run of its own would give.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rerank_cli.context import DEFAULT_WINDOW, Window, fit_context
from rerank_cli.errors import UsageError
from rerank_cli.evaluation.inputs.runs import Ranked
from rerank_cli.ports import EVERYTHING, Encoder, Filter, PairScores
from rerank_cli.records import Candidate, Hit, Listener, Progress, Retriever, StoredPassage, ignore_progress
from rerank_cli.reranking import below, by_document, keep_order, order
from rerank_cli.retrieval import query_words
from rerank_cli.search import EVERY_HIT, Searcher, SearchSettings
from rerank_cli.stopping import read_candidates

if TYPE_CHECKING:
    from rerank_cli.corpus.split import CountTokens
    from rerank_cli.evaluation.asking.remembered_scores import RememberingReranker
    from rerank_cli.evaluation.inputs.collection import JudgedQuery
    from rerank_cli.ports import Index


@dataclass(frozen=True, slots=True)
class Scored:
    """A candidate with the reranker's logit and the seconds that this took; None without a second stage."""

    candidate: Candidate
    logit: float | None
    elapsed_s: float


@dataclass(frozen=True, slots=True)
class Answer:
    """What one query brought, by retriever: scored candidates in first-stage order, and the first stage's seconds."""

    query: JudgedQuery
    scored: Mapping[Retriever, tuple[Scored, ...]]
    retrieve_s: Mapping[Retriever, float]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A query that cannot be asked, and why: it brings nothing and counts as 0."""

    query: JudgedQuery
    reason: str


@dataclass(frozen=True, slots=True)
class Answers:
    """What came of all queries, or of the first ones where the pass was interrupted."""

    answered: tuple[Answer, ...]
    refused: tuple[Refusal, ...]
    complete: bool

    @property
    def queries(self) -> tuple[str, ...]:
        """Ids of the queries that had their turn."""
        asked = [answer.query.id for answer in self.answered]
        return (*asked, *(refusal.query.id for refusal in self.refused))


@dataclass(frozen=True, slots=True)
class StageHits:
    """Both stages' hits of one query under one variant, and their seconds.

    A context is made of the hits `for_context`: for that all candidates are read, whatever would be enough for `final`.
    So many `were_read` for the latter.
    """

    first: tuple[Hit, ...]
    final: tuple[Hit, ...]
    for_context: tuple[Hit, ...]
    were_read: int
    retrieve_s: float
    rerank_s: float


def _remembering(count_tokens: CountTokens) -> CountTokens:
    """*count_tokens*, asked once for each text: contexts of one query under several variants have most in common."""
    known: dict[bytes, int] = {}

    def counted(texts: Sequence[str]) -> list[int]:
        keys = [hashlib.sha256(text.encode()).digest() for text in texts]
        new = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        if new:
            known.update(zip(new, count_tokens(list(new.values())), strict=True))
        return [known[key] for key in keys]

    return counted


class Pass:
    """Asks queries with both stages. *reranker* is None where no variant has a second one."""

    def __init__(
        self,
        index: Index,
        *,
        encoder: Encoder,
        reranker: RememberingReranker | None,
        scored: Sequence[Retriever],
        top_k: int,
        listed: Sequence[Retriever] = (),
        window: Window = DEFAULT_WINDOW,
        count_tokens: CountTokens | None = None,
        within: Filter = EVERYTHING,
    ) -> None:
        """Candidates of the retrievers *scored* go through the second stage, those *listed* do not.

        *window* is that of the reader, whose tokens *count_tokens* counts, or else the encoder.
        """
        self._count_tokens = _remembering(count_tokens or encoder.count_tokens)
        self._window = window
        self._reranker = reranker
        self._passages: dict[StoredPassage, StoredPassage] = {}
        self._searchers = {
            retriever: Searcher(
                index,
                encoder=None if retriever == "lexical" else encoder,
                reranker=reranker,
                settings=SearchSettings(
                    retriever=retriever,
                    top_k=top_k,
                    fusion="none",
                    fusion_weight=1.0,
                    reranks=reranker is not None and retriever in scored,
                    per_document=EVERY_HIT,
                    within=within,
                ),
            )
            for retriever in dict.fromkeys([*scored, *listed])
        }

    def ask(self, queries: Sequence[JudgedQuery], *, listener: Listener = ignore_progress) -> Answers:
        """Ask every query once; an interrupt ends the pass and keeps what was answered before."""
        answered: list[Answer] = []
        refused: list[Refusal] = []
        complete = True
        listener(Progress("evaluate", 0, len(queries)))
        try:
            for number, query in enumerate(queries, start=1):
                try:
                    answered.append(self._answer(query))
                except UsageError as error:
                    refused.append(Refusal(query, str(error)))
                listener(Progress("evaluate", number, len(queries)))
        except KeyboardInterrupt:
            complete = False
        return Answers(tuple(answered), tuple(refused), complete)

    def stage_hits(self, answer: Answer, variant: SearchSettings) -> StageHits:
        """Both stages of *answer* under *variant*."""
        scored = answer.scored[variant.retriever][: variant.top_k]
        candidates = [each.candidate for each in scored]
        first = keep_order(candidates)
        final, read = self._reranked(scored, variant) if variant.reranks else (first, 0)
        partly = 0 < read < len(scored)
        return StageHits(
            first=first,
            final=final,
            for_context=self._reranked(scored, replace(variant, enough_for=None))[0] if partly else final,
            were_read=read,
            retrieve_s=answer.retrieve_s[variant.retriever],
            rerank_s=sum(each.elapsed_s for each in scored[:read]),
        )

    def ranked(
        self, hits: Sequence[Hit], *, for_context: Sequence[Hit] = (), query: str = "", budgets: Sequence[int] = ()
    ) -> Ranked:
        """*hits* as documents, by their evidence, and by budget of tokens those in the context for *query*.

        The latter is made of the hits *for_context*.
        """
        documents = by_document(hits)
        return Ranked(
            documents=tuple(hit.document_id for hit in documents),
            contexts={budget: self._handed(for_context, query, budget) for budget in budgets},
            scores=tuple(hit.order_score for hit in documents),
        )

    def _handed(self, hits: Sequence[Hit], query: str, budget_tokens: int) -> frozenset[str]:
        """The documents in what `query --format context` prints; the first stage knows nothing of a least score."""
        scored = all(hit.score is not None for hit in hits)
        window = replace(self._window, max_tokens=budget_tokens, min_score=self._window.min_score if scored else None)
        try:
            context = fit_context(hits, words=query_words(query), window=window, count_tokens=self._count_tokens)
        except UsageError:  # as `query` refuses: no room for a single sentence
            return frozenset()
        return context.documents

    def _reranked(self, scored: Sequence[Scored], variant: SearchSettings) -> tuple[tuple[Hit, ...], int]:
        """The hits, and how many candidates a search would have read."""
        import numpy as np

        if not scored:
            return (), 0
        assert self._reranker is not None, "the second stage needs a reranker"
        logits = np.array([each.logit for each in scored], dtype=np.float32)
        candidates = [each.candidate for each in scored]
        reranker, fusion, weight = self._reranker, variant.fusion, variant.fusion_weight
        scores, _ = read_candidates(
            candidates,
            lambda start, end: PairScores(logits[start:end], truncated=0),
            reranker=reranker,
            fusion=fusion,
            weight=weight,
            per_document=variant.per_document,
            enough_for=variant.enough_for,
        )
        read = len(scores.logits)
        return below(
            order(candidates[:read], scores, reranker=reranker, fusion=fusion, weight=weight), candidates[read:]
        ), read

    def _answer(self, query: JudgedQuery) -> Answer:
        scored: dict[Retriever, tuple[Scored, ...]] = {}
        retrieve_s: dict[Retriever, float] = {}
        for retriever, searcher in self._searchers.items():
            result = searcher.search(query.text)
            logits = {hit.candidate.rank: hit.logit for hit in result.hits}
            elapsed_s = self._elapsed_s(result.query, result.candidates) if searcher.settings.reranks else []
            scored[retriever] = tuple(
                Scored(
                    candidate=replace(candidate, stored=self._shared(candidate.stored)),
                    logit=logits[candidate.rank],
                    elapsed_s=elapsed_s[place] if elapsed_s else 0.0,
                )
                for place, candidate in enumerate(result.candidates)
            )
            retrieve_s[retriever] = result.timings.retrieve_s
        return Answer(query, scored, retrieve_s)

    def _elapsed_s(self, query: str, candidates: Sequence[Candidate]) -> list[float]:
        assert self._reranker is not None, "the second stage needs a reranker"
        return self._reranker.elapsed_s(query, [candidate.stored.passage.model_text for candidate in candidates])

    def _shared(self, stored: StoredPassage) -> StoredPassage:
        """One record for each passage, however many queries bring it; an id may be another's by then."""
        return self._passages.setdefault(stored, stored)
