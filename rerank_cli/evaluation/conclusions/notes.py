"""Notes: what a reader should know before trusting the figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from rerank_cli.evaluation.asking.one_pass import Answers
from rerank_cli.evaluation.asking.remembered_scores import RememberingReranker
from rerank_cli.evaluation.figures.measures import relevant_documents
from rerank_cli.evaluation.inputs.apart import documents_among
from rerank_cli.evaluation.inputs.collection import Collection, Qrels
from rerank_cli.evaluation.inputs.ids_in_words import ids_in_words
from rerank_cli.evaluation.inputs.runs import Run
from rerank_cli.ports import Index


def collection_notes(collection: Collection) -> tuple[str, ...]:
    """What a reader should know of the queries and judgements."""
    fruitless = [query for query, grades in collection.qrels.items() if not relevant_documents(grades)]
    notes = {
        "without a relevant document, counted as 0 as trec_eval does": fruitless,
        "without judgements, not asked": list(collection.unjudged),
        "judged but without a text, not asked": list(collection.textless),
        "without a relevant document within the filters, not asked": list(collection.barren),
    }
    told = [f"{ids_in_words(ids, 'query', 'queries')} {what}" for what, ids in notes.items() if ids]
    if collection.outside:
        outside = ids_in_words(collection.outside, "judged document", "judged documents")
        told.append(f"{outside} outside the filters, not counted")
    return tuple(told)


def indexed_collection_note(index: Index, files: Sequence[Path]) -> tuple[str, ...]:
    """A warning where *files*, queries or judgements, are themselves documents of *index*: they would be found."""
    found = documents_among(files, index)
    return tuple(f"{path.name} is itself in the index and can be found: exclude it and index again" for path in found)


def index_notes(
    missing: Sequence[str], answers: Answers, collection: Collection, reranker: RememberingReranker | None
) -> tuple[str, ...]:
    """What was not in the index or could not be asked, and which times are older than this run."""
    notes = []
    if missing:
        what = f"of {len(collection.judged_documents)} judged documents"
        notes.append(f"{ids_in_words(missing, what, what)} not in the index")
    notes.extend(
        f"query {refusal.query.id} was not asked, counted as 0: {refusal.reason}" for refusal in answers.refused
    )
    if reranker is not None and reranker.recalled:
        notes.append(
            f"{reranker.recalled} of {reranker.recalled + reranker.scored} pairs were scored by an earlier run; "
            "their times are as they were measured then"
        )
    return tuple(notes)


def run_notes(runs: Mapping[str, Run], qrels: Qrels) -> tuple[str, ...]:
    """Which judged queries each of *runs*, by name, lacks."""
    absent = {name: [query for query in qrels if query not in run] for name, run in runs.items()}
    return tuple(
        f"{name}: {ids_in_words(queries, 'judged query', 'judged queries')} not in the run, counted as 0"
        for name, queries in absent.items()
        if queries
    )
