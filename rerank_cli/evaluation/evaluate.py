"""Puts an evaluation together: one pass, and everything that was asked for derived from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import get_args

from rerank_cli.context import DEFAULT_WINDOW, Window
from rerank_cli.corpus.split import CountTokens
from rerank_cli.errors import UsageError
from rerank_cli.evaluation.asking.one_pass import Answers, Pass
from rerank_cli.evaluation.asking.remembered_scores import RememberingReranker
from rerank_cli.evaluation.conclusions.diagnosis import Diagnosis, diagnose
from rerank_cli.evaluation.conclusions.evaluation import Evaluation
from rerank_cli.evaluation.conclusions.notes import collection_notes, index_notes, run_notes
from rerank_cli.evaluation.figures.measures import (
    Measure,
    context_recall_at,
    default_measures,
    figures_of,
    parse_measure,
)
from rerank_cli.evaluation.figures.several_runs import compare_runs
from rerank_cli.evaluation.figures.stages import StageFigures, runs_of_stages, stage_figures
from rerank_cli.evaluation.figures.sweep import (
    Sweep,
    SweepTable,
    default_sweep,
    parse_sweeps,
    sweep_table,
    window_table,
)
from rerank_cli.evaluation.inputs.collection import Collection, JudgedQuery, Qrels
from rerank_cli.evaluation.inputs.indexed_ids import missing_documents
from rerank_cli.evaluation.inputs.runs import Run, with_known_ids
from rerank_cli.ports import Encoder, Index, Reranker, ScoreCache
from rerank_cli.records import Listener, Retriever, ignore_progress
from rerank_cli.search import SearchSettings

CURVE_DEPTHS = (1, 2, 3, 5, 10, 20, 30, 50, 75, 100, 150, 200, 300, 500, 1000)
"""Where the curves of recall against depth have their points."""


@dataclass(frozen=True, slots=True)
class Request:
    """What to find out, for a reader with such a window. `measures` empty means those that are reported by default."""

    variant: SearchSettings
    measures: tuple[Measure, ...] = ()
    gated: tuple[Measure, ...] = ()
    sweeps: tuple[str, ...] = ()
    diagnoses: bool = False
    draws: bool = False
    top: int = 10
    window: Window = DEFAULT_WINDOW

    def measures_at(self, top_k: int) -> tuple[Measure, ...]:
        """What is measured at a depth: the default ones have R at that depth among them."""
        measures = self.measures or default_measures(top_k, budget=self.window.max_tokens)
        return tuple(dict.fromkeys((*measures, *self.gated)))


@dataclass(frozen=True, slots=True)
class Workplace:
    """An open index and the models to search it with; *reranker* is None where no second stage is wanted.

    `count_tokens` is that of the reader's tokenizer, None where that is the encoder's.
    """

    index: Index
    encoder: Encoder
    reranker: Reranker | None
    cache: ScoreCache | None
    device: str
    count_tokens: CountTokens | None = None


def evaluate(
    collection: Collection, request: Request, workplace: Workplace, *, listener: Listener = ignore_progress
) -> Evaluation:
    """Run every query once and derive all that *request* asks for.

    Raises:
        InputError: none of the judged documents is in the index.
        UsageError: none of the queries can be asked, or a sweep is none.
    """
    missing = missing_documents(collection, workplace.index)
    sweeps = parse_sweeps(request.sweeps, request.variant)
    depths = next((sweep for sweep in sweeps if sweep.key == "top-k"), default_sweep(request.variant))
    one_pass, reranker = _deep_pass(request, [depths, *sweeps], workplace)
    answers = one_pass.ask(collection.queries, listener=listener)
    asked = set(answers.queries)
    qrels = {query: grades for query, grades in collection.qrels.items() if query in asked}
    if not qrels:
        raise KeyboardInterrupt  # nothing was measured that could be shown
    if not answers.answered:
        refusal = answers.refused[0]
        raise UsageError(f"query {refusal.query.id}: {refusal.reason}", remedy="none of the queries can be asked")
    variants = frozenset((request.variant, *(variant for sweep in sweeps for variant in sweep.variants)))
    view = _View(answers, one_pass, request, qrels, asked=variants)
    return Evaluation(
        context={},
        notes=(*collection_notes(collection), *index_notes(missing, answers, collection, reranker)),
        asked=len(asked),
        total=len(collection.queries),
        collection_fingerprint=collection.fingerprint,
        texts={query.id: query.text for query in collection.queries},
        stages=view.stages(request.variant).compared(),
        depths=view.table(depths) if request.variant.reranks else None,
        sweeps=tuple(view.table(sweep) for sweep in sweeps),
        diagnosis=view.diagnosis(workplace) if request.diagnoses else None,
        recall_curves=view.recall_curves() if request.draws else None,
        missing=missing,
    )


def _deep_pass(
    request: Request, sweeps: Sequence[Sweep], workplace: Workplace
) -> tuple[Pass, RememberingReranker | None]:
    """The one pass that is deep and wide enough for every variant."""
    variants = [request.variant, *(variant for sweep in sweeps for variant in sweep.variants)]
    reranker = None
    if workplace.reranker is not None:
        reranker = RememberingReranker(workplace.reranker, cache=workplace.cache, device=workplace.device)
    listed: tuple[Retriever, ...] = get_args(Retriever) if request.draws else ()
    one_pass = Pass(
        workplace.index,
        encoder=workplace.encoder,
        reranker=reranker,
        scored=list(dict.fromkeys(variant.retriever for variant in variants)),
        listed=listed,
        top_k=max(variant.top_k for variant in variants),
        window=request.window,
        count_tokens=workplace.count_tokens,
        within=request.variant.within,
    )
    return one_pass, reranker


@dataclass(frozen=True, slots=True)
class _View:
    """Everything that can be derived from the answers of one pass. These variants were `asked` for."""

    answers: Answers
    one_pass: Pass
    request: Request
    qrels: Qrels
    asked: frozenset[SearchSettings]
    known: dict[SearchSettings, StageFigures] = field(default_factory=dict)

    def stages(self, variant: SearchSettings) -> StageFigures:
        if variant not in self.known:
            self.known[variant] = self._measured(variant, self._measures(variant))
        return self.known[variant]

    def _measures(self, variant: SearchSettings) -> Sequence[Measure]:
        """Those that were asked for; of a variant that was not, only those that cost no context for each query."""
        primary, *others = self.request.measures_at(variant.top_k)
        if variant not in self.asked:
            others = [measure for measure in others if measure.budget_tokens is None]
        return [primary, *others]

    def _measured(self, variant: SearchSettings, measures: Sequence[Measure]) -> StageFigures:
        return stage_figures(self.answers, self.one_pass, variant, measures=measures, qrels=self.qrels)

    def table(self, sweep: Sweep) -> SweepTable:
        if sweep.budgets:
            measures = [context_recall_at(budget) for budget in sweep.budgets]
            return window_table(sweep, [self._measured(self.request.variant, [measure]) for measure in measures])
        swept = [self.stages(variant) for variant in sweep.variants]
        return sweep_table(sweep, swept, measure=self.request.measures_at(self.request.variant.top_k)[0].name)

    def diagnosis(self, workplace: Workplace) -> Diagnosis:
        return diagnose(
            self.answers,
            self.one_pass,
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
        run, _, _ = runs_of_stages(self.answers, self.one_pass, variant)
        measure = parse_measure(f"R@{depth}")
        return figures_of([measure], self.qrels, run).overall[measure.name]


# Several configurations, and runs that others made


def side_by_side(
    evaluations: Mapping[str, Evaluation], collection: Collection, measures: Sequence[Measure], *, names: Sequence[str]
) -> Evaluation:
    """*evaluations*, by name, each against the first, over the queries that all of them were asked.

    *names* are those of all that were to be measured; an interrupt keeps the last ones from it.
    """
    stages = {name: evaluation.stages for name, evaluation in evaluations.items() if evaluation.stages}
    common = set.intersection(*(set(each.final.queries) for each in stages.values()))
    qrels = {query: grades for query, grades in collection.qrels.items() if query in common}
    compared = compare_runs({name: each.final_run for name, each in stages.items()}, qrels, measures)
    first = next(iter(evaluations.values()))
    shared = [note for note in first.notes if all(note in each.notes for each in evaluations.values())]
    own = (f"{name}: {note}" for name, each in evaluations.items() for note in each.notes if note not in shared)
    return replace(
        first,
        notes=(*shared, *own),
        unmeasured=tuple(name for name in names if name not in evaluations),
        asked=min(evaluation.asked for evaluation in evaluations.values()),
        stages=None,
        depths=None,
        compared=tuple(replace(each, query_p50_s=stages[each.name].price.query_p50_s) for each in compared),
    )


def evaluate_runs(
    runs: Mapping[str, Run], qrels: Qrels, texts: Mapping[str, str], measures: Sequence[Measure]
) -> Evaluation:
    """Judge runs that others made; the queries are those of the judgements."""
    documents = dict.fromkeys(document for grades in qrels.values() for document in grades)
    runs = {name: with_known_ids(run, queries=qrels, documents=documents) for name, run in runs.items()}
    queries = tuple(JudgedQuery(query, texts.get(query, "")) for query in qrels)
    collection = Collection(queries, qrels)
    return Evaluation(
        context={},
        notes=(*collection_notes(collection), *run_notes(runs, qrels)),
        asked=len(qrels),
        total=len(qrels),
        collection_fingerprint=collection.fingerprint,
        texts=texts,
        compared=compare_runs(runs, qrels, measures),
    )
