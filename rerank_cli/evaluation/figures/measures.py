"""The only door to ir_measures, and the one measure of ours: ContextRecall.

Every measure is trec_eval's: judged queries that a run lacks count as 0, gains are linear, and a document
counts as relevant from the grade 1 on unless the measure says otherwise, as in `AP(rel=2)@100`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from subprocess import CalledProcessError
from typing import TYPE_CHECKING, Any

from rerank_cli.errors import UsageError
from rerank_cli.evaluation.inputs.collection import Qrels
from rerank_cli.evaluation.inputs.runs import Run

if TYPE_CHECKING:
    from ir_measures import Measure as LibraryMeasure

CONTEXT_RECALL = re.compile(r"ContextRecall@([1-9][0-9]{0,8})")

MEASURES_URL = "https://ir-measur.es/en/latest/measures.html"

LARGEST_CUT = 10**9
"""trec_eval counts in 64 bits and ends the process at a cut of 0."""

OTHER_NAMES = {"map": "AP", "recip_rank": "RR", "contextrecall": "ContextRecall"}
"""Names that ir_measures does not know: those of trec_eval, and that of ours, in small letters."""


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure under the name that ir_measures prints; `budget_tokens` makes it ContextRecall."""

    name: str
    budget_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """A run's value by measure: of each judged query in the order of the judgements, and of them all."""

    queries: tuple[str, ...]
    by_query: Mapping[str, tuple[float, ...]]
    overall: Mapping[str, float]


def default_measures(top_k: int, *, budget: int | None) -> tuple[Measure, ...]:
    """What is reported unless something else is asked for; R at *top_k* is the reranker's ceiling.

    *budget* is what a reader takes; None where nothing is known of passages.
    """
    names = dict.fromkeys(["nDCG@10", "R@10", f"R@{top_k}", "RR@10", "AP", "P@5", "Success@1"])
    measures = tuple(Measure(name) for name in names)
    return measures if budget is None else (*measures, context_recall_at(budget))


def context_recall_at(budget_tokens: int) -> Measure:
    """ContextRecall for a reader who takes so many tokens."""
    return Measure(f"ContextRecall@{budget_tokens}", budget_tokens)


def parse_measure(text: str) -> Measure:
    """The measure that *text* names.

    Raises:
        UsageError: there is none of that name, or what computes it is not installed.
    """
    ours = CONTEXT_RECALL.fullmatch(text.strip())
    if ours:
        return Measure(ours[0], int(ours[1]))
    if text.strip().partition("@")[0] == "ContextRecall":
        raise UsageError(f"{text}: no budget of tokens", remedy="write one, as in ContextRecall@2000")
    return Measure(str(_library_measure(text)))


def parse_measures(texts: Sequence[str]) -> tuple[Measure, ...]:
    """The measures that *texts* name, each once; commas may separate them outside parentheses."""
    named = [part for text in texts for part in re.split(r",(?![^(]*\))", text)]
    return tuple(dict.fromkeys(parse_measure(part) for part in named))


def figures_of(measures: Sequence[Measure], qrels: Qrels, run: Run) -> Figures:
    """Every measure of every query of *qrels*; a query that *run* lacks counts as 0."""
    by_query: dict[str, tuple[float, ...]] = {}
    overall: dict[str, float] = {}
    borrowed = [measure for measure in measures if measure.budget_tokens is None]
    if borrowed:
        by_query, overall = _borrowed_figures([measure.name for measure in borrowed], qrels, run)
    for measure in measures:
        if measure.budget_tokens is not None:
            budget = measure.budget_tokens
            values = tuple(_context_recall(budget, judged, query, run) for query, judged in qrels.items())
            by_query[measure.name] = values
            overall[measure.name] = math.fsum(values) / max(1, len(values))
    names = [measure.name for measure in measures]
    return Figures(tuple(qrels), {name: by_query[name] for name in names}, {name: overall[name] for name in names})


def context_recall(handed: frozenset[str], relevant: frozenset[str]) -> float:
    """The share of the *relevant* documents that a reader is *handed* something of; 0 where nothing is relevant."""
    return len(handed & relevant) / len(relevant) if relevant else 0.0


def relevant_documents(judged: Mapping[str, int]) -> frozenset[str]:
    """Those of a query's judged documents that are relevant."""
    return frozenset(document for document, grade in judged.items() if grade > 0)


def _context_recall(budget_tokens: int, judged: Mapping[str, int], query: str, run: Run) -> float:
    contexts = run[query].contexts if query in run else {}
    return context_recall(contexts.get(budget_tokens, frozenset()), relevant_documents(judged))


def _borrowed_figures(
    names: Sequence[str], qrels: Qrels, run: Run
) -> tuple[dict[str, tuple[float, ...]], dict[str, float]]:
    import ir_measures

    measures = {name: _library_measure(name) for name in names}
    grades, scored = _plain(qrels, run)
    values: dict[str, dict[str, float]] = {name: {} for name in names}
    try:
        for metric in ir_measures.iter_calc(list(measures.values()), grades, scored):
            values[str(metric.measure)][metric.query_id] = float(metric.value)
    except (OSError, CalledProcessError) as error:  # some of them run a program of their own
        raise UsageError(
            f"{', '.join(names)}: cannot be computed here ({error})", remedy=f"see {MEASURES_URL}"
        ) from error
    for name, found in values.items():
        if len(found) < len(grades) or any(math.isnan(value) for value in found.values()):
            raise UsageError(f"{name}: has no value for some of the queries", remedy="choose another measure")
    by_query = {name: tuple(values[name][query] for query in grades) for name in names}
    return by_query, {name: _aggregate(measures[name], by_query[name]) for name in names}


def _plain(qrels: Qrels, run: Run) -> tuple[dict[str, dict[str, int]], dict[str, dict[str, float]]]:
    """Judgements and run with plain numbers for ids, and scores that no library can reorder.

    What computes the measures breaks ties each in a way of its own, and some pass ids through text files.
    """
    grades, scored = {}, {}
    for number, (query, judged) in enumerate(qrels.items(), start=1):
        documents = run[query].documents if query in run else ()
        ids = {document: f"d{place}" for place, document in enumerate(dict.fromkeys([*documents, *judged]))}
        grades[str(number)] = {ids[document]: grade for document, grade in judged.items()}
        if max(judged.values()) < 0:
            grades[str(number)]["unfound"] = 0  # trec_eval crashes where every grade is negative
        if documents:
            scored[str(number)] = {ids[name]: float(len(documents) - rank) for rank, name in enumerate(documents)}
    return grades, scored


def _aggregate(measure: LibraryMeasure, values: Sequence[float]) -> float:
    aggregator = measure.aggregator()
    for value in values:
        aggregator.add(value)
    return float(aggregator.result())


def _library_measure(text: str) -> Any:
    """ir_measures' own object, checked for what would fail only once it is used."""
    import ir_measures

    pipeline: Any = ir_measures.DefaultPipeline
    try:
        measure = ir_measures.parse_measure(text.strip())
        supported = pipeline.supports(measure)
    except (NameError, ValueError, TypeError, AssertionError, KeyError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        meant = _meant(text.strip())
        remedy = f"did you mean {meant}? All of them: {MEASURES_URL}" if meant else f"see {MEASURES_URL}"
        raise UsageError(f"{text}: no measure ({reason})", remedy=remedy) from error
    if not supported:
        raise UsageError(f"{text}: nothing that is installed computes it", remedy=f"see {MEASURES_URL}")
    if not 1 <= measure.params.get("cutoff", 1) <= LARGEST_CUT:
        raise UsageError(f"{text}: no such cut", remedy=f"choose from 1 to {LARGEST_CUT}")
    if measure.params.get("rel", 1) < 1:
        raise UsageError(f"{text}: no such level", remedy="choose a grade of 1 or more")
    return measure


def _meant(text: str) -> str:
    """The measure whose name is nearest to the one in *text*, with its cut and parameters; empty if none is near."""
    from difflib import get_close_matches

    from ir_measures.measures import registry

    parts = re.fullmatch(r"(\w+?)(?:_cut)?(?:_(\d+))?((?:\(.*\))?(?:@\d+)?)", text)
    if parts is None:
        return ""
    names = {name.lower(): measure.NAME for name, measure in registry.items()} | OTHER_NAMES
    near = get_close_matches(parts[1].lower(), names, n=1, cutoff=0.7)
    return f"{names[near[0]]}{'@' + parts[2] if parts[2] else ''}{parts[3]}" if near else ""
