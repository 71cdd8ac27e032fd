"""Both stages for one query after another, over one index and with models loaded once."""

from __future__ import annotations

import math
import time
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from rerank_cli.config import Settings
from rerank_cli.errors import IndexMismatch, UsageError
from rerank_cli.ports import EVERYTHING, Encoder, Filter, Index, PairScores, PassageId, Reranker
from rerank_cli.records import Candidate, Fusion, Hit, Retriever
from rerank_cli.reranking import below, best_of_each_document, checked_logits, keep_order, order, places_before
from rerank_cli.retrieval import retrieve
from rerank_cli.stopping import read_candidates

MAX_QUERY_WORDS = 2000
"""Longer texts are documents, not queries: the reranker asks every candidate once for each piece of the query."""

MAX_QUERY_LETTERS = 100_000
"""Bounds a text without blanks, or one in a language that writes none."""

EVERY_HIT = 10**9
"""More hits of one document than there are passages: none is left out."""

NO_SCORES = PairScores(np.zeros(0, dtype=np.float32), truncated=0)
"""Of a search without the second stage."""


@dataclass(frozen=True, slots=True)
class SearchSettings:
    """How both stages search. `reranks` False leaves the second out.

    With `budget_s`, a search ends after about so many seconds: candidates are read from the best down as far as there
    is time. With `enough_for`, they are read until the rest can hardly be among so many first hits.
    """

    retriever: Retriever
    top_k: int
    fusion: Fusion
    fusion_weight: float
    reranks: bool
    per_document: int
    within: Filter = EVERYTHING
    budget_s: float | None = None
    enough_for: int | None = None

    @property
    def depth(self) -> str:
        """How many candidates are read, in words."""
        return str(self.top_k) if self.enough_for is None else "auto"


def search_settings(settings: Settings, *, within: Filter = EVERYTHING) -> SearchSettings:
    """What *settings* say of a search *within* some files.

    Whatever a limit for scores leaves out, another one may stand for it: then every candidate is read.
    """
    stops = settings.top_k == "auto" and settings.min_score is None
    return SearchSettings(
        retriever=settings.retriever,
        top_k=settings.candidates,
        fusion=settings.fusion,
        fusion_weight=settings.fusion_weight,
        reranks=settings.rerank,
        per_document=settings.per_document,
        within=within,
        budget_s=settings.budget,
        enough_for=settings.top_n if stops else None,
    )


@dataclass(frozen=True, slots=True)
class Timings:
    """Seconds spent in each step; a query after the first finds the models loaded."""

    load_s: float
    retrieve_s: float
    rerank_s: float


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What a query brought: every candidate, and the best hits of each document in final order.

    So many candidates were `reranked`; the others stand below these in the first stage's order. The result is `partial`
    where time ran out.
    `gained` tells for each hit how many places the second stage moved it up. `truncated` passages were cut by the
    reranker, which asked the query in so many `pieces`, and so many scores it `recalled`. The scores that order the
    hits lie so far `above_logits`.
    """

    query: str
    candidates: tuple[Candidate, ...]
    hits: tuple[Hit, ...]
    gained: tuple[int, ...]
    reranked: int
    partial: bool
    truncated: int
    pieces: int
    recalled: int
    above_logits: float
    timings: Timings


def shown(result: SearchResult, *, top_n: int, min_score: float | None) -> SearchResult:
    """*result* with its best *top_n* hits, none of them with a score below *min_score*."""
    kept = [
        (hit, gained)
        for hit, gained in zip(result.hits, result.gained, strict=True)
        if min_score is None or (hit.score is not None and hit.score >= min_score)
    ][:top_n]
    return replace(result, hits=tuple(hit for hit, _ in kept), gained=tuple(gained for _, gained in kept))


class Searcher:
    """Searches one index; the encoder is needed unless words alone retrieve, the reranker unless it is left out."""

    def __init__(
        self, index: Index, *, encoder: Encoder | None, reranker: Reranker | None, settings: SearchSettings
    ) -> None:
        self._index = index
        self._encoder = encoder
        self._reranker = reranker
        self.settings = settings
        self._check_encoder()

    def search(self, query: str, *, without: Collection[PassageId] = ()) -> SearchResult:
        """Retrieve all but the passages of *without*, rerank, keep the best of each document.

        Raises:
            UsageError: the query is empty or no query at all by its length.
            IndexMismatch: the index was made anew with another encoder since the last search.
        """
        query = check_query(query)
        self._check_encoder()
        begun = time.perf_counter()
        self._load_models()
        loaded = time.perf_counter()
        candidates = retrieve(
            self._index,
            query,
            encoder=self._encoder,
            retriever=self.settings.retriever,
            top_k=self.settings.top_k,
            within=self.settings.within,
            without=without,
        )
        retrieved = time.perf_counter()
        hits, scores, ran_out = self._rerank(query, candidates, begun=begun)
        reranked = time.perf_counter()
        per_document = self.settings.per_document
        best = best_of_each_document(hits, per_document=per_document)
        before_rerank = places_before(candidates, best, per_document=per_document)
        return SearchResult(
            query=query,
            candidates=candidates,
            hits=best,
            gained=tuple(before - place for place, before in enumerate(before_rerank, start=1)),
            reranked=len(scores.logits),
            partial=ran_out,
            truncated=scores.truncated,
            pieces=scores.pieces,
            recalled=scores.recalled,
            above_logits=_above_logits(hits),
            timings=Timings(load_s=loaded - begun, retrieve_s=retrieved - loaded, rerank_s=reranked - retrieved),
        )

    def _check_encoder(self) -> None:
        recipe = self._index.manifest.recipe
        if self._encoder is not None and self._encoder.fingerprint != recipe.encoder_fingerprint:
            raise IndexMismatch(
                f"{self._index.name}: made with the encoder {recipe.encoder}, not the one asked for",
                remedy=f"name that one with --encoder, or run: {self._index.update_command(rebuild=True)}",
            )

    def _load_models(self) -> None:
        """Models load at their first use: use both here, side by side, so that no stage's time has it in it."""
        encoder, reranker = self._encoder, self._reranker if self.settings.reranks else None
        with ThreadPoolExecutor(1) as beside:
            loaded = beside.submit(reranker.activate, 0.0) if reranker is not None else None
            if encoder is not None:
                encoder.count_tokens([""])
            if loaded is not None:
                loaded.result()

    def _rerank(
        self, query: str, candidates: tuple[Candidate, ...], *, begun: float
    ) -> tuple[tuple[Hit, ...], PairScores, bool]:
        """The hits, the scores of the candidates that were read, and whether time ran out."""
        if not self.settings.reranks or not candidates:
            return keep_order(candidates), NO_SCORES, False
        assert self._reranker is not None, "the second stage needs a reranker"
        reranker, settings = self._reranker, self.settings
        texts = [candidate.stored.passage.model_text for candidate in candidates]

        def read_some(start: int, end: int) -> PairScores:
            scores = reranker.score_pairs(query, texts[start:end])
            checked_logits(scores, expected=end - start, reranker=reranker)
            return scores

        scores, ran_out = read_candidates(
            candidates,
            read_some,
            reranker=reranker,
            fusion=settings.fusion,
            weight=settings.fusion_weight,
            per_document=settings.per_document,
            enough_for=settings.enough_for,
            deadline=math.inf if settings.budget_s is None else begun + settings.budget_s,
        )
        read, unread = candidates[: len(scores.logits)], candidates[len(scores.logits) :]
        hits = order(read, scores, reranker=reranker, fusion=settings.fusion, weight=settings.fusion_weight)
        return below(hits, unread), scores, ran_out


def _above_logits(hits: Sequence[Hit]) -> float:
    """How far the order scores of *hits* lie above the reranker's logits, on average over those that it read.

    The first stage's scores have the scale of logits but not their zero, so that those of both stages together differ
    from logits by about as much in all hits of a query. Without it they can be shown as the reranker shows its own.
    """
    above = [hit.order_score - hit.logit for hit in hits if hit.logit is not None]
    return math.fsum(above) / len(above) if above else 0.0


def check_query(query: str) -> str:
    """The query with its blanks evened out, and with ? for bytes of the command line that are no text."""
    words = query.encode("utf-8", errors="replace").decode("utf-8").split()
    if not words:
        raise UsageError("the query is empty", remedy="say what to look for")
    if len(words) > MAX_QUERY_WORDS:
        raise UsageError(
            f"the query has {len(words)} words, at most {MAX_QUERY_WORDS} are read",
            remedy="ask for what you want to find rather than pasting a document",
        )
    evened = " ".join(words)
    if len(evened) > MAX_QUERY_LETTERS:
        raise UsageError(
            f"the query has {len(evened)} letters, at most {MAX_QUERY_LETTERS} are read",
            remedy="ask for what you want to find rather than pasting a file",
        )
    return evened


def shown_score(hit: Hit, result: SearchResult, reranker: Reranker | None) -> float:
    """What orders the hits of *result*, so that it falls from the first to the last, whatever they are ordered by.

    It is on the scale of the *reranker*'s scores; where there is none, it is what the first stage orders by.
    """
    return hit.order_score if reranker is None else reranker.activate(hit.order_score - result.above_logits)
