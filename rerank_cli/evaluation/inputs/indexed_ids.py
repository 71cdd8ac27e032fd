"""The judged documents by the ids that the index has for them, and those that it does not have."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

from rerank_cli.corpus.read import format_of
from rerank_cli.errors import InputError
from rerank_cli.evaluation.inputs.collection import Collection
from rerank_cli.evaluation.inputs.ids_in_words import ids_in_words
from rerank_cli.ports import Filter, Index
from rerank_cli.trec import trec_id


def with_indexed_ids(collection: Collection, index: Index, *, files: Sequence[Path] = ()) -> Collection:
    """*collection* with the index's ids in place of what stands in the judgements.

    That may be percent-encoded, which blanks and line breaks need, or the id of a record alone, where a folder's
    index has the file's path before it. *files* are those of the collection itself: their records are no documents.
    """
    judged = set(collection.judged_documents)
    decoded = {name: unquote(name) for name in judged if trec_id(unquote(name)) == name}
    known = index.has_documents({*judged, *decoded.values()})
    encoded = {name: own for name, own in decoded.items() if own in known and own != name}
    records = _records(index, judged - known, without=files)
    qrels = {
        query: {
            name if name in known else encoded.get(name) or records.get(name, name): grade
            for name, grade in grades.items()
        }
        for query, grades in collection.qrels.items()
    }
    spellings = {name: own for own, name in records.items() if own in judged and own not in known}
    return replace(collection, qrels=qrels, spellings=spellings)


def judged_within(collection: Collection, index: Index, within: Filter) -> Collection:
    """*collection* without the judgements of documents of *index* that are not *within* a filter.

    A query that has no relevant document left is not asked: no search within the filter could find one.

    Raises:
        InputError: there is no such query left.
    """
    if not within:
        return collection
    judged = collection.judged_documents
    outside = index.has_documents(judged) - index.has_documents(judged, within=within)
    kept = {
        query: {document: grade for document, grade in grades.items() if document not in outside}
        for query, grades in collection.qrels.items()
    }
    barren = tuple(query for query, grades in kept.items() if not any(grade > 0 for grade in grades.values()))
    asked = tuple(query for query in collection.queries if query.id not in barren)
    if not asked:
        raise InputError(
            f"{index.name}: no relevant document lies within the filters", remedy="drop one of them, or judge others"
        )
    return replace(
        collection,
        queries=asked,
        qrels={query: grades for query, grades in kept.items() if query not in barren},
        outside=tuple(document for document in judged if document in outside),
        barren=barren,
    )


def missing_documents(collection: Collection, index: Index) -> tuple[str, ...]:
    """The judged documents that are not in *index*, or InputError if that is all of them."""
    judged = collection.judged_documents
    indexed = index.has_documents(judged)
    missing = tuple(document for document in judged if document not in indexed)
    if len(missing) == len(judged):
        what = "judged document"
        raise InputError(
            f"{index.name}: none of the {ids_in_words(missing, what, f'{what}s')} is in the index",
            remedy="judge by the ids that query --format trec prints, or name another index with --index",
        )
    return missing


def _records(index: Index, names: Iterable[str], *, without: Sequence[Path]) -> dict[str, str]:
    """The index's id of each record of *names* by its own; of an id that stands in several files there is none."""
    root, left_out = Path(index.manifest.recipe.root), {path.resolve() for path in without}
    files = [path for path in index.files() if format_of(path).records]
    taken = [path for path in files if (root / path).resolve() not in left_out]
    asked = {f"{path}#{own}": own for own in names for path in taken}
    found: dict[str, list[str]] = {}
    for name in index.has_documents(asked):
        found.setdefault(asked[name], []).append(name)
    return {own: places[0] for own, places in found.items() if len(places) == 1}
