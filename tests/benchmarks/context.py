#!/usr/bin/env python3
"""What a context for a model holds of what answers, where in it that stands, and whether it keeps its word.

    python tests/benchmarks/context.py COLLECTION=INDEX…

COLLECTION is a folder with `queries.jsonl` and `qrels.tsv`, INDEX that of its documents. Prints JSON for each:

- `recall`: by budget, the mean ContextRecall of the context, and of plain top passages. These are the first in final
  order, whole and without citations, until the next does not fit.
- `answers`: the same of the sections that answer, where the collection has `answers.tsv` (query, document, first line
  of the section, which counts as 60 lines long).
- `positions`: by order, the share of text from relevant documents in each tenth of the context, by its letters.
- `excerpts`, how many of them are `cited_by_lines`, and how many of those lines lack a word (`words_elsewhere`);
  contexts `over_budget`, passages of them `cut_within_a_sentence`, pairs that are `near_duplicates`.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import combinations, pairwise
from pathlib import Path
from typing import get_args

from rerank_cli.context import Context, Window, fit_context
from rerank_cli.duplicates import NEARLY_ALL, shingles
from rerank_cli.evaluation.figures.measures import context_recall, relevant_documents
from rerank_cli.evaluation.inputs.collection import read_collection
from rerank_cli.excerpts import Excerpt, Part
from rerank_cli.library import Library, open_library
from rerank_cli.records import ContextOrder, Hit
from rerank_cli.retrieval import query_words
from rerank_cli.search import EVERY_HIT
from rerank_cli.sentences import sentence_spans

BUDGETS = (500, 1000, 2000, 4000)
BUDGET = 2000
TENTHS = 10
SECTION_LINES = 60


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("collections", nargs="+", metavar="COLLECTION=INDEX")
    for specification in parser.parse_args().collections:
        folder, _, index = specification.rpartition("=")
        with open_library(index=Path(index)) as library:
            print(json.dumps({"collection": Path(folder).name, **measured(Path(folder), library)}), flush=True)


def measured(folder: Path, library: Library) -> dict[str, object]:
    collection = read_collection(folder / "queries.jsonl", folder / "qrels.tsv")
    sections = answering_sections(folder / "answers.tsv")
    recall: defaultdict[str, list[float]] = defaultdict(list)
    answers: defaultdict[str, list[float]] = defaultdict(list)
    tenths: dict[str, list[list[float]]] = {order: [] for order in get_args(ContextOrder)}
    faults: Counter[str] = Counter()
    for query in collection.queries:
        relevant = relevant_documents(collection.qrels[query.id])
        hits = library.search(query.text, top_n=EVERY_HIT, per_document=EVERY_HIT).hits
        for budget in BUDGETS:
            context = context_of(hits, query.text, Window(budget), library)
            recall[f"context@{budget}"].append(context_recall(context.documents, relevant))
            top = plain(hits, budget, library)
            recall[f"plain@{budget}"].append(context_recall(frozenset(hit.document_id for hit in top), relevant))
            if query.id in sections:
                answers[f"context@{budget}"].append(reached(sections[query.id], context.excerpts))
                answers[f"plain@{budget}"].append(reached(sections[query.id], top))
            faults.update(faults_of(context, budget, library))
        for order in get_args(ContextOrder):
            context = context_of(hits, query.text, Window(BUDGET, order=order), library)
            if context.documents & relevant:
                tenths[order].append(relevant_tenths(context, relevant))
    return {
        "queries": len(collection.queries),
        "recall": {name: round(statistics.mean(values), 4) for name, values in recall.items()},
        "answers": {name: round(statistics.mean(values), 4) for name, values in answers.items()},
        "positions": {
            order: [round(statistics.mean(column), 2) for column in zip(*rows, strict=True)]
            for order, rows in tenths.items()
        },
        **faults,
    }


def context_of(hits: Sequence[Hit], query: str, window: Window, library: Library) -> Context:
    return fit_context(hits, words=query_words(query), window=window, count_tokens=library.encoder.count_tokens)


def plain(hits: Sequence[Hit], budget: int, library: Library) -> list[Hit]:
    """The first passages in final order that fit, whole and without citations."""
    top, left = [], budget
    for hit in hits:
        left -= library.encoder.count_tokens([hit.candidate.stored.passage.model_text])[0]
        if left < 0:
            break
        top.append(hit)
    return top


def answering_sections(file: Path) -> dict[str, list[tuple[str, int]]]:
    """By query, documents with the first line of a section that answers; none where there is no such file."""
    sections: defaultdict[str, list[tuple[str, int]]] = defaultdict(list)
    for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else ():
        query, document, first = line.split("\t")[:3]
        if first.isdecimal():
            sections[query].append((document, int(first)))
    return sections


def reached(sections: Sequence[tuple[str, int]], handed: Sequence[Excerpt | Hit]) -> float:
    """The share of *sections* that something *handed* over reaches."""
    return statistics.mean(
        any(
            each.document_id == document and each.place.first <= first + SECTION_LINES and each.place.last >= first
            for each in handed
        )
        for document, first in sections
    )


def relevant_tenths(context: Context, relevant: frozenset[str]) -> list[float]:
    """The share of letters from *relevant* documents in each tenth of the context's excerpts."""
    letters = [each.document_id in relevant for each in context.excerpts for _ in each.text]
    cuts = [round(len(letters) * tenth / TENTHS) for tenth in range(TENTHS + 1)]
    return [sum(letters[start:end]) / max(1, end - start) for start, end in pairwise(cuts)]


def faults_of(context: Context, budget: int, library: Library) -> Counter[str]:
    parts = [part for excerpt in context.excerpts for part in excerpt.parts]
    runs = [shingles(part.hit.text) for part in parts]
    by_lines = [excerpt for excerpt in context.excerpts if excerpt.place.unit == "line"]
    return Counter(
        {
            "over_budget": int(library.encoder.count_tokens([context.text])[0] > budget),
            "excerpts": len(context.excerpts),
            "cited_by_lines": len(by_lines),
            "words_elsewhere": sum(not shown_there(excerpt, library) for excerpt in by_lines),
            "cut_within_a_sentence": sum(map(is_cut, parts)),
            "near_duplicates": sum(
                len(one & other) / len(one | other) >= NEARLY_ALL for one, other in combinations(runs, 2)
            ),
        }
    )


def is_cut(part: Part) -> bool:
    """Whether what is kept of a passage begins or ends where no sentence does, or lacks its mark."""
    whole = part.hit.text.strip()
    if part.text == whole:
        return False
    spans = sentence_spans(whole)
    marked = {("… " if at else "") + whole[start : spans[end][1]] + (" …" if end < len(spans) - 1 else "")
              for at, (start, _) in enumerate(spans) for end in range(at, len(spans))}  # fmt: skip
    return part.text not in marked


def shown_there(excerpt: Excerpt, library: Library) -> bool:
    """Whether the lines of the file that are cited, and the headings, have every word of the excerpt."""
    lines = library.location_of(excerpt.parts[0].hit).read_text(encoding="utf-8", errors="replace").splitlines()
    headings = {heading for part in excerpt.parts for heading in part.hit.headings}
    cited = " ".join([*lines[excerpt.place.first - 1 : excerpt.place.last], *headings])
    return not words(excerpt.text) - words(cited)


def words(text: str) -> Counter[str]:
    return Counter(re.findall(r"[A-Za-z0-9]+", text))


if __name__ == "__main__":
    main()
