"""What the server answers, from one library and in one thread: nothing of the protocol is here."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from rerank_cli.json_records import Record, answer_record, context_record
from rerank_cli.library import Library, QueryOptions, Reranked
from rerank_cli.pacing import paced
from rerank_cli.search import SearchResult
from rerank_cli.serve.asked import AskedRerank, AskedSearch

LEAST_DEPTH = 48
"""Candidates that there shall be time to rerank for every request that is taken.

So many order documents nearly as well as 100 do. More requests of fewer candidates each would order them hardly better
than the first stage does, which costs as much as reranking one candidate or two.
"""

Generations = tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Said:
    """An answer. So many `pairs` of a query and a passage were read for it, and of so many the scores `recalled`.

    `partial` where time ran out.
    """

    record: Record
    pairs: int
    recalled: int
    partial: bool
    least_s: float | None
    """What it would have taken with `LEAST_DEPTH`, where that is known."""


class Answers:
    """Answers from one library of documents, from one thread, and from the newest generation of its index."""

    def __init__(self, library: Library, *, texts: Library, newest: Callable[[], Generations]) -> None:
        """*texts* has no index and reranks what clients bring. *newest* tells, at no cost, which generations are."""
        self._library = library
        self._texts = texts
        self._newest = newest
        self._opened: Generations | None = None

    def _renew(self) -> None:
        """Go on with what another process has committed. While one is at it, what was opened goes on answering."""
        newest = self._newest()
        if is_newer(newest, than=self._opened):
            self._library.refresh()
            self._opened = newest

    def search(self, asked: AskedSearch, seconds: float) -> Said:
        """What `query --format jsonl` prints of the search that is *asked*, within so many *seconds*."""
        begun = time.perf_counter()
        self._renew()
        left_s = max(seconds - (time.perf_counter() - begun), 0.001)
        options: QueryOptions = {**asked.options, "budget": left_s}
        result = self._library.search(asked.query, **options)
        stale = self._library.stale_files(result.hits)
        record = answer_record(
            asked.query_id,
            result,
            location_of=self._library.location_of,
            stale=stale,
            reranker=self._library.reranker if options.get("rerank", self._library.settings.rerank) else None,
        )
        pairs = (result.reranked - result.recalled) * result.pieces
        return Said(record, pairs, result.recalled, result.partial, least_s(result, took_s=time.perf_counter() - begun))

    def rerank(self, asked: AskedRerank, seconds: float) -> Said:
        """The texts that are *asked* in order; those that time ran out for stand below, as they came."""
        deadline = time.perf_counter() + seconds
        texts = asked.texts

        def read(start: int, end: int) -> Reranked:
            return self._texts.rerank(asked.query, texts[start:end])

        parts, done = paced(len(texts), deadline=deadline, read=read, first=1)
        scores = [score for part in parts for score in part.scores]
        logits = [logit for part in parts for logit in part.logits]
        order = sorted(range(done), key=lambda number: (-logits[number], number))
        ranked: list[Record] = [{"index": n, "score": scores[n], "logit": logits[n]} for n in order]
        ranked += [{"index": n, "score": None, "logit": None} for n in range(done, len(texts))]
        partial = done < len(texts)
        record: Record = {
            "query": asked.query,
            "texts": len(texts),
            "reranked": done,
            "partial": partial,
            "ranked": ranked[: asked.top_n],
        }
        return Said(record, done, 0, partial, None)


def least_s(result: SearchResult, *, took_s: float) -> float | None:
    """What a search that *took_s* would have taken with `LEAST_DEPTH`; None where nothing was reranked."""
    if not result.reranked:
        return None
    depth = min(LEAST_DEPTH, len(result.candidates))
    return took_s + result.timings.rerank_s * (depth - result.reranked) / result.reranked


def is_newer(newest: Generations, *, than: Generations | None) -> bool:
    """Whether the *newest* generations are to be opened, by who has opened others; not while a writer is at work."""
    return than is None or (newest != than and None not in newest)


def holdings(library: Library) -> Record:
    """What is searched, by which models and how, and how much it is."""
    settings = library.settings
    reranker = library.reranker if settings.rerank else None
    return {
        **context_record(library.index, settings, reranker=reranker, filters={}),
        "holds": library.index.counts()._asdict(),
    }
