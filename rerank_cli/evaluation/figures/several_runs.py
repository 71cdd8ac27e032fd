"""Several runs or configurations side by side, each against the first of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from rerank_cli.evaluation.figures.measures import Figures, Measure, figures_of
from rerank_cli.evaluation.figures.paired_comparison import Comparison, compare, holm
from rerank_cli.evaluation.inputs.collection import Qrels
from rerank_cli.evaluation.inputs.runs import Run


@dataclass(frozen=True, slots=True)
class Compared:
    """One of several runs or configurations, and how it differs from the first of them."""

    name: str
    figures: Figures
    comparisons: Mapping[str, Comparison]
    query_p50_s: float | None = None


def compare_runs(runs: Mapping[str, Run], qrels: Qrels, measures: Sequence[Measure]) -> tuple[Compared, ...]:
    """Judge *runs* over all queries of *qrels*, each against the first of them."""
    return against_first({name: (figures_of(measures, qrels, run), None) for name, run in runs.items()})


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
