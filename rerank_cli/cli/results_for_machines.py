"""The results of a query as programs read them: JSON, JSON lines, TSV and TREC."""

from __future__ import annotations

import json
from typing import TextIO

from rerank_cli.cli.results import Answer, Around, Presentation, heading
from rerank_cli.cli.terminal import printable
from rerank_cli.json_records import answer_record, context_record, lines_of, place_record
from rerank_cli.records import Candidate
from rerank_cli.retrieval import query_words
from rerank_cli.search import shown_score
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
            hit.document_id, hit.path, presentation.location_of(hit), hit.place, *lines_of(hit.place),
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
        self._stream.write(json.dumps(record, ensure_ascii=False, indent=2) + "\n")
        self._stream.flush()


def _context_record(presentation: Presentation) -> dict[str, object]:
    reranker, filters = presentation.reranker, presentation.filters.parameters
    return context_record(presentation.index, presentation.settings, reranker=reranker, filters=filters)


def _answer_record(presentation: Presentation, answer: Answer) -> dict[str, object]:
    return answer_record(
        answer.query_id,
        answer.result,
        location_of=presentation.location_of,
        stale=answer.stale,
        reranker=presentation.reranker,
        beside=lambda hit: _around_record(answer.around.get(hit.rank)),
    )


def _around_record(around: Around | None) -> dict[str, object]:
    """The passages around a hit, where they were asked for."""
    if around is None:
        return {}
    return {
        name: [{"place": place_record(each.place), "text": each.text} for each in passages]
        for name, passages in (("before", around.before), ("after", around.after))
    }


def _listed(candidate: Candidate, name: str) -> tuple[int, float] | tuple[None, None]:
    """The rank and the score that the list called *name* has for the candidate."""
    listed = candidate.lists.get(name)
    return (None, None) if listed is None else (listed.rank, listed.score)
