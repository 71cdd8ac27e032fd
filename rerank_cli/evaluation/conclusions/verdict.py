"""The verdict: one sentence on whether reranking pays here, by how much, and at which depth."""

from __future__ import annotations

from rerank_cli.evaluation.figures.stages import SIGNIFICANT, StageFigures
from rerank_cli.evaluation.figures.sweep import ENOUGH, SweepTable


def verdict(stages: StageFigures, measure: str, depths: SweepTable | None) -> str:
    """Whether reranking pays here, by how much, and at which depth."""
    if not stages.variant.reranks:
        return f"The first stage alone: {measure} {stages.final.overall[measure]:.3f}. Nothing was reranked."
    return f"{_whether(stages, measure)}{_depth(stages, measure, depths)}"


def _whether(stages: StageFigures, measure: str) -> str:
    comparison = stages.comparisons[measure]
    values = f"{stages.first.overall[measure]:.3f} to {stages.final.overall[measure]:.3f}"
    sure = f"p = {shown_p(comparison.p_value)}, 95 % interval {comparison.low:+.3f} to {comparison.high:+.3f}"
    price = f"for {stages.price.rerank_p50_s:.2f} s more a query"
    depth = f"at depth {stages.variant.depth}"
    if comparison.p_value >= SIGNIFICANT or comparison.difference == 0:
        number = len(stages.first.queries)
        queries = f"{number} quer{'y' if number == 1 else 'ies'}"
        return f"Whether reranking pays {depth}, {queries} cannot tell: {measure} {values} ({sure}), {price}."
    if comparison.difference > 0:
        return f"Reranking pays here: {measure} rises from {values} {depth} ({sure}), {price}."
    return f"Reranking does harm here: {measure} falls from {values} {depth} ({sure}), {price}."


def _depth(stages: StageFigures, measure: str, depths: SweepTable | None) -> str:
    """The depth to use, where it is another one and reranking gains at all."""
    if depths is None or stages.comparisons[measure].difference <= 0:
        return ""
    chosen = depths.choice
    best = max(stages.final.overall[measure], *(row.stages.final.overall[measure] for row in depths.rows))
    share = chosen.stages.final.overall[measure] / best if best else 1.0
    if chosen.stages.variant.depth == stages.variant.depth or share < ENOUGH:
        return f" Depth {stages.variant.depth} is the one to use."
    seconds = chosen.stages.price.rerank_p50_s
    return f" Depth {chosen.value} is the one to use: {share:.1%} of the best {measure}, for {seconds:.2f} s."


def shown_p(p_value: float) -> str:
    """A p-value as tables print it."""
    return "< 0.001" if p_value < 0.001 else f"{p_value:.3f}"
