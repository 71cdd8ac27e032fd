"""What both stages of a variant are worth: their measures, the paired comparison, and the price."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from rerank_cli.evaluation.asking.one_pass import Answers, Pass
from rerank_cli.evaluation.figures.measures import Figures, Measure, figures_of
from rerank_cli.evaluation.figures.paired_comparison import Comparison, compare
from rerank_cli.evaluation.inputs.collection import Qrels
from rerank_cli.evaluation.inputs.runs import Ranked, Run
from rerank_cli.search import SearchSettings

SIGNIFICANT = 0.05


@dataclass(frozen=True, slots=True)
class Price:
    """Seconds a query of each stage: the median and the 95th percentile; passages that the second scores a second."""

    retrieve_p50_s: float
    retrieve_p95_s: float
    rerank_p50_s: float
    rerank_p95_s: float
    query_p50_s: float
    passages_per_s: float | None


@dataclass(frozen=True, slots=True)
class StageFigures:
    """A variant's two stages side by side. Without a second stage both are the first.

    `comparisons`, by measure, are made of the variant that was asked for, not of each that is derived beside it.
    """

    variant: SearchSettings
    first_run: Run
    final_run: Run
    first: Figures
    final: Figures
    price: Price
    comparisons: Mapping[str, Comparison] = field(default_factory=dict)

    def compared(self) -> StageFigures:
        """The same with its comparisons."""
        return replace(self, comparisons=compare(self.first.by_query, self.final.by_query))


def stage_figures(
    answers: Answers, one_pass: Pass, variant: SearchSettings, *, measures: Sequence[Measure], qrels: Qrels
) -> StageFigures:
    """Derive *variant* from *answers*; only queries that had their turn count."""
    budgets = [measure.budget_tokens for measure in measures if measure.budget_tokens is not None]
    first_run, final_run, price = runs_of_stages(answers, one_pass, variant, budgets=budgets)
    judged = {query: qrels[query] for query in qrels if query in set(answers.queries)}
    first, final = figures_of(measures, judged, first_run), figures_of(measures, judged, final_run)
    return StageFigures(
        variant=variant,
        first_run=first_run,
        final_run=final_run,
        first=first,
        final=final,
        price=price,
    )


def runs_of_stages(
    answers: Answers, one_pass: Pass, variant: SearchSettings, *, budgets: Sequence[int] = ()
) -> tuple[dict[str, Ranked], dict[str, Ranked], Price]:
    """The runs of both stages under *variant*, with what readers of those *budgets* are handed, and their price."""
    first: dict[str, Ranked] = {}
    final: dict[str, Ranked] = {}
    retrieve_s, rerank_s, passages = [], [], 0
    for answer in answers.answered:
        staged = one_pass.stage_hits(answer, variant)
        text = answer.query.text
        first[answer.query.id] = one_pass.ranked(staged.first, for_context=staged.first, query=text, budgets=budgets)
        final[answer.query.id] = one_pass.ranked(
            staged.final, for_context=staged.for_context, query=text, budgets=budgets
        )
        retrieve_s.append(staged.retrieve_s)
        rerank_s.append(staged.rerank_s)
        passages += staged.were_read
    return first, final, _price(retrieve_s, rerank_s, passages)


def _price(retrieve_s: Sequence[float], rerank_s: Sequence[float], passages: int) -> Price:
    both = [first + second for first, second in zip(retrieve_s, rerank_s, strict=True)]
    return Price(
        retrieve_p50_s=quantile(retrieve_s, 0.5),
        retrieve_p95_s=quantile(retrieve_s, 0.95),
        rerank_p50_s=quantile(rerank_s, 0.5),
        rerank_p95_s=quantile(rerank_s, 0.95),
        query_p50_s=quantile(both, 0.5),
        passages_per_s=passages / sum(rerank_s) if sum(rerank_s) else None,
    )


def quantile(values: Sequence[float], share: float) -> float:
    """The *share* quantile, linear between neighbours; 0 of nothing."""
    ordered = sorted(values)
    if not ordered:
        return 0.0
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])
