"""The evaluation as a whole: one sentence on whether reranking pays, and the gate for scripts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rerank_cli.errors import InputError, UsageError
from rerank_cli.evaluation.compare import Comparison
from rerank_cli.evaluation.diagnose import Diagnosis
from rerank_cli.evaluation.measures import Figures, Measure, parse_measure
from rerank_cli.evaluation.outcome import SIGNIFICANT, Outcome
from rerank_cli.evaluation.sweep import ENOUGH, SweepTable
from rerank_cli.files import json_object, read_text

RECORD_VERSION = 1
"""Raised when a key of the JSON changes its meaning."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One of several runs or configurations, and how it differs from the first of them."""

    name: str
    figures: Figures
    comparisons: Mapping[str, Comparison]
    query_p50_s: float | None = None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Everything that one run of `eval` found; what was not asked for is empty or None.

    `context` says how it was made: index, models, parameters, environment. `asked` of `total` judged
    queries had their turn. `depths` is the sweep over top_k, made unasked where there is a second stage.
    `recall_curves` holds (depth, recall of the candidates) by retriever, `missing` the judged documents
    that are not in the index, `unmeasured` the configurations whose turn an interrupt kept from coming.
    """

    context: Mapping[str, object]
    notes: tuple[str, ...]
    asked: int
    total: int
    collection_fingerprint: str
    texts: Mapping[str, str]
    outcome: Outcome | None = None
    depths: SweepTable | None = None
    sweeps: tuple[SweepTable, ...] = ()
    compared: tuple[Compared, ...] = ()
    diagnosis: Diagnosis | None = None
    recall_curves: Mapping[str, tuple[tuple[int, float], ...]] | None = None
    missing: tuple[str, ...] = ()
    unmeasured: tuple[str, ...] = ()

    @property
    def is_complete(self) -> bool:
        """Whether every query had its turn, in every configuration."""
        return self.asked == self.total and not self.unmeasured

    @property
    def final(self) -> Figures:
        """What is compared with a baseline: the reranked stage, or that of the first configuration or run."""
        return self.outcome.final if self.outcome else self.compared[0].figures


# The sentence


def sentence(outcome: Outcome, measure: str, depths: SweepTable | None) -> str:
    """Whether reranking pays here, by how much, and at which depth."""
    if not outcome.variant.reranks:
        return f"The first stage alone: {measure} {outcome.final.overall[measure]:.3f}. Nothing was reranked."
    return f"{_whether(outcome, measure)}{_depth(outcome, measure, depths)}"


def _whether(outcome: Outcome, measure: str) -> str:
    comparison = outcome.comparisons[measure]
    values = f"{outcome.first.overall[measure]:.3f} to {outcome.final.overall[measure]:.3f}"
    sure = f"p = {shown_p(comparison.p_value)}, 95 % interval {comparison.low:+.3f} to {comparison.high:+.3f}"
    price = f"for {outcome.price.rerank_p50_s:.2f} s more a query"
    depth = f"at depth {outcome.variant.top_k}"
    if comparison.p_value >= SIGNIFICANT or comparison.difference == 0:
        number = len(outcome.first.queries)
        queries = f"{number} quer{'y' if number == 1 else 'ies'}"
        return f"Whether reranking pays {depth}, {queries} cannot tell: {measure} {values} ({sure}), {price}."
    if comparison.difference > 0:
        return f"Reranking pays here: {measure} rises from {values} {depth} ({sure}), {price}."
    return f"Reranking does harm here: {measure} falls from {values} {depth} ({sure}), {price}."


def _depth(outcome: Outcome, measure: str, depths: SweepTable | None) -> str:
    """The depth to use, where it is another one and reranking gains at all."""
    if depths is None or outcome.comparisons[measure].difference <= 0:
        return ""
    chosen = depths.choice
    best = max(outcome.final.overall[measure], *(row.outcome.final.overall[measure] for row in depths.rows))
    share = chosen.outcome.final.overall[measure] / best if best else 1.0
    if chosen.outcome.variant.top_k == outcome.variant.top_k or share < ENOUGH:
        return f" Depth {outcome.variant.top_k} is the one to use."
    seconds = chosen.outcome.price.rerank_p50_s
    return f" Depth {chosen.value} is the one to use: {share:.1%} of the best {measure}, for {seconds:.2f} s."


def shown_p(p_value: float) -> str:
    """A p-value as tables print it."""
    return "< 0.001" if p_value < 0.001 else f"{p_value:.3f}"


# The gate


def parse_floor(text: str) -> tuple[Measure, float]:
    """`nDCG@10=0.70` as a measure and the least value that passes.

    Raises:
        UsageError: it is no such text.
    """
    name, equals, number = text.rpartition("=")
    try:
        least = float(number)
    except ValueError:
        least = float("nan")
    if not equals or least != least:  # noqa: PLR0124 — NaN alone differs from itself
        raise UsageError(f"--fail-under {text}: not MEASURE=VALUE", remedy="write it as in nDCG@10=0.70")
    return parse_measure(name), least


def below_floors(final: Figures, floors: Sequence[tuple[Measure, float]]) -> list[str]:
    """A reason for each floor that *final* does not reach."""
    return [
        f"{measure.name} is {final.overall[measure.name]:.4f}, below {least:g}"
        for measure, least in floors
        if final.overall[measure.name] < least
    ]


def below_floors_of_all(evaluation: Evaluation, floors: Sequence[tuple[Measure, float]]) -> list[str]:
    """A reason for each floor that the final order, or one of several configurations or runs, does not reach."""
    if len(evaluation.compared) < 2:
        return below_floors(evaluation.final, floors)
    return [f"{each.name}: {reason}" for each in evaluation.compared for reason in below_floors(each.figures, floors)]


def below_baseline(evaluation: Evaluation, baseline: Mapping[str, float], *, max_drop: float) -> list[str]:
    """A reason for each measure that lies more than *max_drop* below the baseline's."""
    current = evaluation.final.overall
    return [
        f"{name} fell from {before:.4f} to {current[name]:.4f}, more than {max_drop:g}"
        for name, before in baseline.items()
        if name in current and before - current[name] > max_drop + 1e-12
    ]


def read_baseline(path: Path, *, collection_fingerprint: str, measures: Sequence[Measure]) -> dict[str, float]:
    """The figures of an earlier `--json`, of its final stage.

    Raises:
        InputError: it cannot be read, is no such result, is partial, is of other queries or judgements, or has
            none of *measures*.
    """
    text = read_text(path)
    try:
        record: Mapping[str, Any] = json_object(text)
        figures = {
            name: float(row["reranked"] if "reranked" in row else row["run"])
            for name, row in record["measures"].items()
        }
        fingerprint, partial = record["collection"]["fingerprint"], record["partial"]
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise InputError(f"{path}: no result of eval --json", remedy="make it with: rerank-cli eval --json") from error
    if fingerprint != collection_fingerprint:
        raise InputError(f"{path}: of other queries or judgements", remedy="measure the baseline on these")
    if partial:
        raise InputError(f"{path}: of a run that was interrupted", remedy="measure the baseline in full")
    if not any(measure.name in figures for measure in measures):
        raise InputError(f"{path}: has none of the measures that are taken now", remedy="choose them with --measure")
    return figures
