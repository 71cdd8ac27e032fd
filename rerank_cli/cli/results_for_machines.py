"""The results of a query as programs read them: JSON, JSON lines, TSV and TREC."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TextIO

from rerank_cli import __version__
from rerank_cli.cli.results import Answer, Around, Presentation, heading, shown_score
from rerank_cli.cli.terminal import printable
from rerank_cli.joint import members
from rerank_cli.ports import Index
from rerank_cli.records import Candidate, Hit, Place
from rerank_cli.retrieval import query_words
from rerank_cli.snippets import snippet
from rerank_cli.trec import run_lines

TSV_SNIPPET = 160

TSV_COLUMNS = (
    "query_id", "rank", "score", "logit", "order_score", "support", "first_stage_rank", "first_stage_score",
    "dense_rank", "dense_score", "opening_score", "lexical_rank", "lexical_score", "document", "path", "location",
    "place", "first_line", "last_line", "heading", "snippet", "shown_score",
)  # fmt: skip


def jsonl_lines(presentation: Presentation, answer: Answer) -> list[str]:
    """One JSON object."""
    return [json.dumps(_answer_record(presentation, answer), ensure_ascii=False)]


def tsv_lines(presentation: Presentation, answer: Answer) -> list[str]:
    """A line of `TSV_COLUMNS` for each hit."""
    words = query_words(answer.result.query)
    lines = []
    for place, hit in enumerate(answer.result.hits, start=1):
        candidate = hit.candidate
        shown = snippet(hit.text, words, width=TSV_SNIPPET).text
        values = (
            answer.query_id, place, hit.score, hit.logit, hit.order_score, hit.support, candidate.rank, candidate.score,
            *_listed(candidate, "dense"), candidate.opening_score, *_listed(candidate, "lexical"),
            hit.document_id, hit.path, presentation.location_of(hit), hit.place, *_lines(hit.place),
            heading(hit), shown, shown_score(hit, answer.result, presentation.reranker),
        )  # fmt: skip
        lines.append("\t".join("" if value is None else printable(str(value)) for value in values))
    return lines


def trec_lines(_: Presentation, answer: Answer) -> list[str]:
    """A line of a TREC run for each hit."""
    ranked = [(hit.document_id, hit.order_score) for hit in answer.result.hits]
    return [line.removesuffix("\n") for line in run_lines(answer.query_id, ranked)]


class JsonWriter:
    """One JSON object for all queries, written at the end."""

    def __init__(self, presentation: Presentation, stream: TextIO) -> None:
        self._presentation = presentation
        self._stream = stream
        self._results: list[dict[str, object]] = []

    def write(self, answer: Answer) -> None:
        self._results.append(_answer_record(self._presentation, answer))

    def close(self) -> None:
        record = {**_context_record(self._presentation), "results": self._results}
        json.dump(record, self._stream, ensure_ascii=False, indent=2)
        self._stream.write("\n")
        self._stream.flush()


def _context_record(presentation: Presentation) -> dict[str, object]:
    settings, reranker = presentation.settings, presentation.reranker
    recipe = presentation.index.manifest.recipe
    return {
        "version": __version__,
        "index": _index_record(presentation.index),
        "indexes": [_index_record(index) for index in members(presentation.index)],
        "models": {
            "encoder": recipe.encoder,
            "encoder_fingerprint": recipe.encoder_fingerprint,
            "reranker": settings.reranker if settings.rerank else None,
            "reranker_fingerprint": reranker.fingerprint if reranker else None,
            "calibrated": reranker is not None and reranker.calibrated,
        },
        "parameters": {
            "retriever": settings.retriever,
            "top_k": settings.top_k,
            "rerank": settings.rerank,
            "fusion": settings.fusion if settings.rerank else None,
            "fusion_weight": settings.fusion_weight if settings.rerank and settings.fusion != "none" else None,
            "budget": settings.budget,
            "top_n": settings.top_n,
            "per_document": settings.per_document,
            "min_score": settings.min_score,
            **presentation.filters.parameters,
        },
    }


def _index_record(index: Index) -> dict[str, object]:
    manifest = index.manifest
    return {
        "folder": index.name,
        "root": manifest.recipe.root,
        "generation": manifest.generation,
        "updated_at": manifest.updated_at,
    }


def _answer_record(presentation: Presentation, answer: Answer) -> dict[str, object]:
    result = answer.result
    return {
        "query_id": answer.query_id,
        "query": result.query,
        "timings": asdict(result.timings),
        "candidates": len(result.candidates),
        "reranked": result.reranked,
        "partial": result.partial,
        "truncated_passages": result.truncated,
        "pieces": result.pieces,
        "hits": [_hit_record(place, hit, answer, presentation) for place, hit in enumerate(result.hits, start=1)],
    }


def _around_record(around: Around | None) -> dict[str, object]:
    """The passages around a hit, where they were asked for."""
    if around is None:
        return {}
    return {
        name: [{"place": _place_record(each.place), "text": each.text} for each in passages]
        for name, passages in (("before", around.before), ("after", around.after))
    }


def _place_record(place: Place) -> dict[str, object]:
    return {**asdict(place), "shown": str(place)}


def _hit_record(place: int, hit: Hit, answer: Answer, presentation: Presentation) -> dict[str, object]:
    candidate, stored = hit.candidate, hit.candidate.stored
    first_line, last_line = _lines(hit.place)
    return {
        "rank": place,
        "document": stored.document_id,
        "path": stored.path,
        "location": str(presentation.location_of(hit)),
        "stale": answer.stale.get(hit.path),
        "title": stored.title,
        "place": _place_record(hit.place),
        "first_line": first_line,
        "last_line": last_line,
        "headings": list(stored.passage.headings),
        "text": stored.passage.text,
        "score": hit.score,
        "logit": hit.logit,
        "order_score": hit.order_score,
        "shown_score": shown_score(hit, answer.result, presentation.reranker),
        "support": hit.support,
        "reranker_rank": hit.reranker_rank,
        "first_stage": {
            "rank": candidate.rank,
            "score": candidate.score,
            "lists": {name: asdict(listed) for name, listed in candidate.lists.items()},
            "opening_score": candidate.opening_score,
        },
        **_around_record(answer.around.get(hit.rank)),
    }


def _lines(place: Place) -> tuple[int, int] | tuple[None, None]:
    """The first and the last line, of what has lines."""
    return (place.first, place.last) if place.unit == "line" else (None, None)


def _listed(candidate: Candidate, name: str) -> tuple[int, float] | tuple[None, None]:
    """The rank and the score that the list called *name* has for the candidate."""
    listed = candidate.lists.get(name)
    return (None, None) if listed is None else (listed.rank, listed.score)
