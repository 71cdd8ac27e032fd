"""The gate for scripts: floors that figures must reach, and an earlier result that they must not fall below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rerank_cli.errors import InputError, UsageError
from rerank_cli.evaluation.conclusions.evaluation import Evaluation
from rerank_cli.evaluation.figures.measures import Figures, Measure, parse_measure
from rerank_cli.files import json_document

NO_RESULT = "no result of eval --json"
REMEDY = "make it with: rerank-cli eval --json"


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
    record: Mapping[str, Any] = json_document(path, otherwise=NO_RESULT, remedy=REMEDY)
    try:
        figures = {
            name: float(row["reranked"] if "reranked" in row else row["run"])
            for name, row in record["measures"].items()
        }
        fingerprint, partial = record["collection"]["fingerprint"], record["partial"]
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise InputError(f"{path}: {NO_RESULT}", remedy=REMEDY) from error
    if fingerprint != collection_fingerprint:
        raise InputError(f"{path}: of other queries or judgements", remedy="measure the baseline on these")
    if partial:
        raise InputError(f"{path}: of a run that was interrupted", remedy="measure the baseline in full")
    if not any(measure.name in figures for measure in measures):
        raise InputError(f"{path}: has none of the measures that are taken now", remedy="choose them with --measure")
    return figures
