"""One setting over several values, all derived from one pass; the knee of the curve, and the value to use."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar, get_args

from rerank_cli.config import MOST_CANDIDATES, Settings
from rerank_cli.errors import UsageError
from rerank_cli.evaluation.figures.measures import LARGEST_CUT, context_recall_at
from rerank_cli.evaluation.figures.stages import StageFigures
from rerank_cli.records import Fusion, Retriever
from rerank_cli.search import SearchSettings

DEPTHS = (10, 25, 50, 100, 200, 500, 1000)
"""The depths that a plain run is derived at, as far as its own."""

ENOUGH = 0.99
"""The depth to use is the smallest that keeps this share of the best one's quality."""

MAX_DEPTH = 1000

BUDGET = "max-tokens"
"""The key that changes no search, but how much of what it found a reader takes."""

Choice = TypeVar("Choice", bound=str)


@dataclass(frozen=True, slots=True)
class Sweep:
    """The variants to derive: one for each value of *key*, or the `budgets` of a reader of one variant."""

    key: str
    values: tuple[str, ...]
    variants: tuple[SearchSettings, ...]
    budgets: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class SweepRow:
    """One value of the swept setting, and what it is worth by *measure*."""

    value: str
    measure: str
    stages: StageFigures
    is_knee: bool = False
    is_choice: bool = False

    @property
    def marks(self) -> tuple[str, ...]:
        """What tables and charts write beside the row."""
        marks = {"knee": self.is_knee, "use this": self.is_choice}
        return tuple(mark for mark, holds in marks.items() if holds)


@dataclass(frozen=True, slots=True)
class SweepTable:
    """Every value of the swept setting; one row is the choice, and of depths and budgets one may be the knee.

    `measure` is what heads their figures.
    """

    key: str
    measure: str
    rows: tuple[SweepRow, ...]

    @property
    def choice(self) -> SweepRow:
        """The row to use."""
        return next(row for row in self.rows if row.is_choice)


def parse_sweep(text: str, base: SearchSettings) -> Sweep:
    """`top-k=10,auto`, `fusion=rrf,none`, `fusion-weight=0.3,0.5`, `retriever=dense,hybrid` or `max-tokens=500,2000`.

    All of them are around *base*.

    Raises:
        UsageError: the key is none that can be derived, or a value is not allowed.
    """
    key, _, listed = text.partition("=")
    values = [value.strip() for value in listed.split(",") if value.strip()]
    if key not in (*_SWEPT, BUDGET):
        raise UsageError(f"--sweep {text}: no sweep over {key!r}", remedy=f"choose from {', '.join((*_SWEPT, BUDGET))}")
    if not values:
        raise UsageError(f"--sweep {text}: no values", remedy=f"write them as in {key}=A,B")
    if key == BUDGET:
        budgets = tuple(sorted({_budget(value) for value in values}))
        return Sweep(key, tuple(map(str, budgets)), (base,), budgets)
    named: dict[SearchSettings, str] = {}
    for value in values:
        named.setdefault(_SWEPT[key](base, value), value)
    variants = sorted(named, key=lambda variant: variant.top_k)  # stable: other settings keep their order
    return Sweep(key, tuple(named[variant] for variant in variants), tuple(variants))


def parse_sweeps(texts: Sequence[str], base: SearchSettings) -> list[Sweep]:
    """The sweeps that *texts* ask for.

    Raises:
        UsageError: one is none, a setting is swept twice, or it is one that *base* makes no use of.
    """
    sweeps = [parse_sweep(text, base) for text in texts]
    for place, sweep in enumerate(sweeps):
        if any(sweep.key == other.key for other in sweeps[:place]):
            raise UsageError(f"--sweep {sweep.key} stands twice", remedy="put all values behind one")
        if sweep.key.startswith("fusion") and not base.reranks:
            raise UsageError("nothing is fused without a second stage", remedy="drop --no-rerank")
        if sweep.key == "fusion-weight" and base.fusion == "none":
            raise UsageError("--sweep fusion-weight: fusion none has no weight", remedy="choose another with --fusion")
    return sweeps


def default_sweep(base: SearchSettings) -> Sweep:
    """The depths below that of *base*, and its own."""
    depths = [depth for depth in DEPTHS if depth < base.top_k]
    variants = (*(replace(base, top_k=depth, enough_for=None) for depth in depths), base)
    return Sweep("top-k", tuple(variant.depth for variant in variants), variants)


def sweep_table(sweep: Sweep, swept: Sequence[StageFigures], *, measure: str) -> SweepTable:
    """*swept* of the variants of *sweep*, with the knee and the choice by *measure* marked."""
    quality = [stages.final.overall[measure] for stages in swept]
    by_depth = sweep.key == "top-k"
    bend = knee([stages.price.query_p50_s for stages in swept], quality) if by_depth else None
    chosen = smallest_enough(quality) if by_depth else max(range(len(quality)), key=lambda row: (quality[row], -row))
    rows = tuple(
        SweepRow(value, measure, stages, is_knee=row == bend, is_choice=row == chosen)
        for row, (value, stages) in enumerate(zip(sweep.values, swept, strict=True))
    )
    return SweepTable(sweep.key, measure, rows)


def window_table(sweep: Sweep, swept: Sequence[StageFigures]) -> SweepTable:
    """*swept* of the budgets of *sweep*, each by its own ContextRecall: what so many tokens buy."""
    names = [context_recall_at(budget).name for budget in sweep.budgets]
    recall = [stages.final.overall[name] for name, stages in zip(names, swept, strict=True)]
    bend, chosen = knee(sweep.budgets, recall), smallest_enough(recall)
    rows = tuple(
        SweepRow(value, name, stages, is_knee=row == bend, is_choice=row == chosen)
        for row, (value, name, stages) in enumerate(zip(sweep.values, names, swept, strict=True))
    )
    return SweepTable(sweep.key, "ContextRecall", rows)


def smallest_enough(quality: Sequence[float]) -> int:
    """The first place that keeps `ENOUGH` of the best."""
    return next(row for row, value in enumerate(quality) if value >= ENOUGH * max(quality))


def knee(costs: Sequence[float], gains: Sequence[float]) -> int | None:
    """The place where a curve of gain over cost bends most (Satopää et al., 2011).

    With both axes scaled to 0…1 between the curve's ends, it is the point farthest above the chord from
    the first to the last. None where no point lies above it.
    """
    width, height = costs[-1] - costs[0], gains[-1] - gains[0]
    if len(costs) < 3 or width <= 0 or height <= 0:
        return None
    above = [(gain - gains[0]) / height - (cost - costs[0]) / width for cost, gain in zip(costs, gains, strict=True)]
    best = max(range(len(above)), key=lambda row: (above[row], -row))
    return best if above[best] > 1e-12 else None


def _at_depth(base: SearchSettings, value: str) -> SearchSettings:
    if value == "auto":
        return replace(base, top_k=MOST_CANDIDATES, enough_for=base.enough_for or Settings().top_n)
    if not (value.isascii() and value.isdecimal()) or not 1 <= int(value) <= MAX_DEPTH:
        raise UsageError(f"--sweep top-k: {value!r} is no depth", remedy=f"choose from 1 to {MAX_DEPTH}, or auto")
    return replace(base, top_k=int(value), enough_for=None)


def _budget(value: str) -> int:
    if not (value.isascii() and value.isdecimal()) or not 1 <= int(value) <= LARGEST_CUT:
        raise UsageError(f"--sweep {BUDGET}: {value!r} is no number of tokens", remedy="write some as in 500,2000")
    return int(value)


def _with_fusion(base: SearchSettings, value: str) -> SearchSettings:
    fusions: tuple[Fusion, ...] = get_args(Fusion)
    return replace(base, fusion=_one_of(fusions, value, key="fusion"))


def _with_weight(base: SearchSettings, value: str) -> SearchSettings:
    try:
        weight = float(value)
    except ValueError:
        weight = -1.0
    if not 0.0 <= weight <= 1.0:
        raise UsageError(f"--sweep fusion-weight: {value!r} is no share", remedy="choose from 0 to 1")
    return replace(base, fusion_weight=weight)


def _from_retriever(base: SearchSettings, value: str) -> SearchSettings:
    retrievers: tuple[Retriever, ...] = get_args(Retriever)
    return replace(base, retriever=_one_of(retrievers, value, key="retriever"))


def _one_of(choices: tuple[Choice, ...], value: str, *, key: str) -> Choice:
    for choice in choices:
        if choice == value:
            return choice
    raise UsageError(f"--sweep {key}: no {key} {value!r}", remedy=f"choose from {', '.join(choices)}")


_SWEPT: dict[str, Callable[[SearchSettings, str], SearchSettings]] = {
    "top-k": _at_depth,
    "fusion": _with_fusion,
    "fusion-weight": _with_weight,
    "retriever": _from_retriever,
}
