"""What a search found, and in what, in the words of the JSON that commands print and the server sends."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path

from rerank_cli import __version__
from rerank_cli.config import Settings
from rerank_cli.freshness import Staleness
from rerank_cli.joint import members
from rerank_cli.ports import Index, Reranker
from rerank_cli.records import Hit, Place
from rerank_cli.search import SearchResult, shown_score

Record = dict[str, object]


def context_record(
    index: Index, settings: Settings, *, reranker: Reranker | None, filters: Mapping[str, object]
) -> Record:
    """What was searched, by which models, and how; *filters* by their names."""
    recipe = index.manifest.recipe
    return {
        "version": __version__,
        "index": _index_record(index),
        "indexes": [_index_record(index) for index in members(index)],
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
            **filters,
        },
    }


def _index_record(index: Index) -> Record:
    manifest = index.manifest
    return {
        "folder": index.name,
        "root": manifest.recipe.root,
        "generation": manifest.generation,
        "updated_at": manifest.updated_at,
    }


def answer_record(
    query_id: str,
    result: SearchResult,
    *,
    location_of: Callable[[Hit], Path],
    stale: Mapping[str, Staleness],
    reranker: Reranker | None,
    beside: Callable[[Hit], Record] = lambda _: {},
) -> Record:
    """What a query brought. *stale* says by path which files changed since, *beside* what a hit has beside its own."""
    return {
        "query_id": query_id,
        "query": result.query,
        "timings": asdict(result.timings),
        "candidates": len(result.candidates),
        "reranked": result.reranked,
        "partial": result.partial,
        "truncated_passages": result.truncated,
        "pieces": result.pieces,
        "hits": [
            {
                **_hit_record(place, hit, location=location_of(hit), stale=stale.get(hit.path)),
                "shown_score": shown_score(hit, result, reranker),
                **beside(hit),
            }
            for place, hit in enumerate(result.hits, start=1)
        ],
    }


def place_record(place: Place) -> Record:
    """A place in numbers, and as it is shown."""
    return {**place._asdict(), "shown": str(place)}


def _hit_record(place: int, hit: Hit, *, location: Path, stale: Staleness | None) -> Record:
    candidate, stored = hit.candidate, hit.candidate.stored
    first_line, last_line = lines_of(hit.place)
    return {
        "rank": place,
        "document": stored.document_id,
        "path": stored.path,
        "location": str(location),
        "stale": stale,
        "title": stored.title,
        "place": place_record(hit.place),
        "first_line": first_line,
        "last_line": last_line,
        "headings": list(stored.passage.headings),
        "text": stored.passage.text,
        "score": hit.score,
        "logit": hit.logit,
        "order_score": hit.order_score,
        "support": hit.support,
        "reranker_rank": hit.reranker_rank,
        "first_stage": {
            "rank": candidate.rank,
            "score": candidate.score,
            "lists": {name: listed._asdict() for name, listed in candidate.lists.items()},
            "opening_score": candidate.opening_score,
        },
    }


def lines_of(place: Place) -> tuple[int, int] | tuple[None, None]:
    """The first and the last line, of what has lines."""
    return (place.first, place.last) if place.unit == "line" else (None, None)
