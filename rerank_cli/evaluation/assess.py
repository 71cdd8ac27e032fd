"""Puts an evaluation together: one pass, and everything that was asked for derived from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import get_args
from urllib.parse import unquote

from rerank_cli.config import Retriever
from rerank_cli.corpus.read import holds_records
from rerank_cli.errors import InputError, UsageError
from rerank_cli.evaluation.cache import RememberingReranker
from rerank_cli.evaluation.collection import Collection, JudgedQuery, Qrels
from rerank_cli.evaluation.compare import Comparison, compare, holm
from rerank_cli.evaluation.diagnose import Diagnosis, diagnose
from rerank_cli.evaluation.measures import (
    Figures,
    Measure,
    default_measures,
    evaluate,
    parse_measure,
    relevant_documents,
)
from rerank_cli.evaluation.outcome import Outcome, derive, outcome_of
from rerank_cli.evaluation.runs import Run, with_known_ids
from rerank_cli.evaluation.sweep import Sweep, SweepTable, default_sweep, parse_sweeps, sweep_table
from rerank_cli.evaluation.trial import Pass, Trial
from rerank_cli.evaluation.verdict import Compared, Evaluation
from rerank_cli.ports import Index, ScoreCache
from rerank_cli.records import Encoder, Listener, Reranker, ignore_progress
from rerank_cli.search import SearchSettings
from rerank_cli.trec import trec_id

CURVE_DEPTHS = (1, 2, 3, 5, 10, 20, 30, 50, 75, 100, 150, 200, 300, 500, 1000)
"""Where the curves of recall against depth have their points."""

NAMED_IDS = 5
"""So many ids a note names; the JSON has all of them."""


@dataclass(frozen=True, slots=True)
class Request:
    """What to find out. `measures` empty means those that are reported by default."""

    variant: SearchSettings
    measures: tuple[Measure, ...] = ()
    gated: tuple[Measure, ...] = ()
    sweeps: tuple[str, ...] = ()
    diagnoses: bool = False
    draws: bool = False
    top: int = 10

    def measures_at(self, top_k: int) -> tuple[Measure, ...]:
        """What is measured at a depth: the default ones have R at that depth among them."""
        return tuple(dict.fromkeys((*(self.measures or default_measures(top_k)), *self.gated)))


@dataclass(frozen=True, slots=True)
class Workplace:
    """An open index and the models to search it with; *reranker* is None where no second stage is wanted."""

    index: Index
    encoder: Encoder
    reranker: Reranker | None
    cache: ScoreCache | None
    device: str


def assess(
    collection: Collection, request: Request, workplace: Workplace, *, listener: Listener = ignore_progress
) -> Evaluation:
    """Run every query once and derive all that *request* asks for.

    Raises:
        InputError: none of the judged documents is in the index.
        UsageError: none of the queries can be asked, or a sweep is none.
    """
    missing = _missing(collection, workplace.index)
    sweeps = parse_sweeps(request.sweeps, request.variant)
    depths = next((sweep for sweep in sweeps if sweep.key == "top-k"), default_sweep(request.variant))
    passed, reranker = _passed(request, [depths, *sweeps], workplace)
    trial = passed.ask(collection.queries, listener=listener)
    asked = set(trial.queries)
    qrels = {query: grades for query, grades in collection.qrels.items() if query in asked}
    if not qrels:
        raise KeyboardInterrupt  # nothing was measured that could be shown
    if not trial.answers:
        refusal = trial.refused[0]
        raise UsageError(f"query {refusal.query.id}: {refusal.reason}", remedy="none of the queries can be asked")
    view = _View(trial, passed, request, qrels)
    return Evaluation(
        context={},
        notes=(*collection_notes(collection), *_index_notes(missing, trial, collection.qrels, reranker)),
        asked=len(asked),
        total=len(collection.queries),
        collection_fingerprint=collection.fingerprint,
        texts={query.id: query.text for query in collection.queries},
        outcome=view.outcome(request.variant).compared(),
        depths=view.table(depths) if request.variant.reranks else None,
        sweeps=tuple(view.table(sweep) for sweep in sweeps),
        diagnosis=view.diagnosis(workplace) if request.diagnoses else None,
        recall_curves=view.recall_curves() if request.draws else None,
        missing=missing,
    )


def with_indexed_ids(collection: Collection, index: Index, *, files: Sequence[Path] = ()) -> Collection:
    """*collection* with the index's ids in place of what stands in the judgements.

    That may be percent-encoded, which blanks and line breaks need, or the id of a record alone, where a folder's
    index has the file's path before it. *files* are those of the collection itself: their records are no documents.
    """
    judged = {name for grades in collection.qrels.values() for name in grades}
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


def _records(index: Index, names: Iterable[str], *, without: Sequence[Path]) -> dict[str, str]:
    """The index's id of each record of *names* by its own; of an id that stands in several files there is none."""
    root, left_out = Path(index.manifest.recipe.root), {path.resolve() for path in without}
    files = [path for path in index.files() if holds_records(path)]
    taken = [path for path in files if (root / path).resolve() not in left_out]
    asked = {f"{path}#{own}": own for own in names for path in taken}
    found: dict[str, list[str]] = {}
    for name in index.has_documents(asked):
        found.setdefault(asked[name], []).append(name)
    return {own: places[0] for own, places in found.items() if len(places) == 1}


def _passed(request: Request, sweeps: Sequence[Sweep], workplace: Workplace) -> tuple[Pass, RememberingReranker | None]:
    """The one pass that is deep and wide enough for every variant."""
    variants = [request.variant, *(variant for sweep in sweeps for variant in sweep.variants)]
    reranker = None
    if workplace.reranker is not None:
        reranker = RememberingReranker(workplace.reranker, cache=workplace.cache, device=workplace.device)
    listed: tuple[Retriever, ...] = get_args(Retriever) if request.draws else ()
    passed = Pass(
        workplace.index,
        encoder=workplace.encoder,
        reranker=reranker,
        scored=list(dict.fromkeys(variant.retriever for variant in variants)),
        listed=listed,
        top_k=max(variant.top_k for variant in variants),
    )
    return passed, reranker


@dataclass(frozen=True, slots=True)
class _View:
    """Everything that can be derived from one trial."""

    trial: Trial
    passed: Pass
    request: Request
    qrels: Qrels
    known: dict[SearchSettings, Outcome] = field(default_factory=dict)

    def outcome(self, variant: SearchSettings) -> Outcome:
        if variant not in self.known:
            measures = self.request.measures_at(variant.top_k)
            self.known[variant] = outcome_of(self.trial, self.passed, variant, measures=measures, qrels=self.qrels)
        return self.known[variant]

    def table(self, sweep: Sweep) -> SweepTable:
        outcomes = [self.outcome(variant) for variant in sweep.variants]
        return sweep_table(sweep, outcomes, measure=self.request.measures_at(self.request.variant.top_k)[0].name)

    def diagnosis(self, workplace: Workplace) -> Diagnosis:
        return diagnose(
            self.trial,
            self.passed,
            self.request.variant,
            index=workplace.index,
            encoder=workplace.encoder,
            reranker=workplace.reranker,
            qrels=self.qrels,
            top=self.request.top,
        )

    def recall_curves(self) -> dict[str, tuple[tuple[int, float], ...]]:
        """(depth, recall of the candidates) by retriever."""
        deepest = self.request.variant.top_k
        depths = [depth for depth in CURVE_DEPTHS if depth < deepest] + [deepest]
        retrievers: tuple[Retriever, ...] = get_args(Retriever)
        return {
            retriever: tuple((depth, self._recall(retriever, depth)) for depth in depths) for retriever in retrievers
        }

    def _recall(self, retriever: Retriever, depth: int) -> float:
        variant = replace(self.request.variant, retriever=retriever, top_k=depth, reranks=False)
        run, _, _ = derive(self.trial, self.passed, variant, budget_tokens=0)
        measure = parse_measure(f"R@{depth}")
        return evaluate([measure], self.qrels, run).overall[measure.name]


# Several runs


def compare_runs(runs: Mapping[str, Run], qrels: Qrels, measures: Sequence[Measure]) -> tuple[Compared, ...]:
    """Judge *runs* over all queries of *qrels*, each against the first of them."""
    return against_first({name: (evaluate(measures, qrels, run), None) for name, run in runs.items()})


def against_first(judged: Mapping[str, tuple[Figures, float | None]]) -> tuple[Compared, ...]:
    """Compare figures (and seconds a query) by name, each with the first; Holm corrects for their number."""
    (first_name, (first, first_s)), *others = judged.items()
    compared = {name: compare(first.by_query, figures.by_query) for name, (figures, _) in others}
    corrected: dict[str, dict[str, Comparison]] = {name: {} for name in compared}
    for measure in first.by_query:
        p_values = holm([comparisons[measure].p_value for comparisons in compared.values()])
        for name, p_holm in zip(compared, p_values, strict=True):
            corrected[name][measure] = replace(compared[name][measure], p_holm=p_holm)
    rest = (Compared(name, figures, corrected[name], seconds) for name, (figures, seconds) in others)
    return (Compared(first_name, first, {}, first_s), *rest)


def assess_runs(
    runs: Mapping[str, Run], qrels: Qrels, texts: Mapping[str, str], measures: Sequence[Measure]
) -> Evaluation:
    """Judge runs that others made; the queries are those of the judgements."""
    documents = dict.fromkeys(document for grades in qrels.values() for document in grades)
    runs = {name: with_known_ids(run, queries=qrels, documents=documents) for name, run in runs.items()}
    queries = tuple(JudgedQuery(query, texts.get(query, "")) for query in qrels)
    collection = Collection(queries, qrels)
    notes = list(collection_notes(collection))
    for name, run in runs.items():
        absent = [query for query in qrels if query not in run]
        if absent:
            notes.append(f"{name}: {_some(absent, 'judged query', 'judged queries')} not in the run, counted as 0")
    return Evaluation(
        context={},
        notes=tuple(notes),
        asked=len(qrels),
        total=len(qrels),
        collection_fingerprint=collection.fingerprint,
        texts=texts,
        compared=compare_runs(runs, qrels, measures),
    )


# Notes


def collection_notes(collection: Collection) -> tuple[str, ...]:
    """What a reader should know of the queries and judgements."""
    fruitless = [query for query, grades in collection.qrels.items() if not relevant_documents(grades)]
    notes = {
        "without a relevant document, counted as 0 as trec_eval does": fruitless,
        "without judgements, not asked": list(collection.unjudged),
        "judged but without a text, not asked": list(collection.textless),
    }
    return tuple(f"{_some(ids, 'query', 'queries')} {what}" for what, ids in notes.items() if ids)


def indexed_collection_note(index: Index, files: Sequence[Path]) -> tuple[str, ...]:
    """A warning where queries or judgements are themselves documents of the index: they would be found."""
    root = Path(index.manifest.recipe.root)
    known = index.files()
    inside = [path for path in files if path.resolve().is_relative_to(root)]
    found = [path for path in inside if path.resolve().relative_to(root).as_posix() in known]
    return tuple(f"{path.name} is itself in the index and can be found: exclude it and index again" for path in found)


def _index_notes(missing: Sequence[str], trial: Trial, qrels: Qrels, reranker: RememberingReranker | None) -> list[str]:
    notes = []
    if missing:
        what = f"of {len({document for grades in qrels.values() for document in grades})} judged documents"
        notes.append(f"{_some(missing, what, what)} not in the index")
    notes.extend(f"query {refusal.query.id} was not asked, counted as 0: {refusal.reason}" for refusal in trial.refused)
    if reranker is not None and reranker.recalled:
        notes.append(
            f"{reranker.recalled} of {reranker.recalled + reranker.scored} pairs were scored by an earlier run; "
            "their times are as they were measured then"
        )
    return notes


def _missing(collection: Collection, index: Index) -> tuple[str, ...]:
    """The judged documents that are not in the index, or InputError if that is all of them."""
    judged = dict.fromkeys(document for grades in collection.qrels.values() for document in grades)
    indexed = index.has_documents(judged)
    missing = [document for document in judged if document not in indexed]
    if len(missing) == len(judged):
        what = "judged document"
        raise InputError(
            f"{index.name}: none of the {_some(missing, what, f'{what}s')} is in the index",
            remedy="judge by the ids that query --format trec prints, or name another index with --index",
        )
    return tuple(missing)


def _some(ids: Sequence[str], one: str, many: str) -> str:
    named = ", ".join(ids[:NAMED_IDS]) + (", …" if len(ids) > NAMED_IDS else "")
    return f"{len(ids)} {one if len(ids) == 1 else many} ({named})"
