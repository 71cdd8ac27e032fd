"""An evaluation as one page of HTML: charts in SVG, light and dark, nothing fetched from anywhere."""

from __future__ import annotations

import json
from dataclasses import dataclass

from rerank_cli.evaluation.conclusions.diagnosis import MEANINGS, Diagnosis
from rerank_cli.evaluation.conclusions.evaluation import Evaluation
from rerank_cli.evaluation.conclusions.verdict import verdict
from rerank_cli.evaluation.figures.stages import StageFigures
from rerank_cli.evaluation.figures.sweep import SweepTable
from rerank_cli.evaluation.showing.charts import Chart, Point, Series, bars, lines
from rerank_cli.evaluation.showing.page import template

WORST = 15
"""Queries that the page tells of one by one."""


def report_page(evaluation: Evaluation) -> str:
    """The whole page. *evaluation* holds the figures of both stages, as every evaluation of one configuration does."""
    assert evaluation.stages is not None
    stages = evaluation.stages
    primary = next(iter(stages.final.overall))
    context = {key: value for key, value in evaluation.context.items() if key != "command"}
    return template("report.html").render(
        evaluation=evaluation,
        stages=stages,
        primary=primary,
        setting=_setting(stages),
        verdict=verdict(stages, primary, evaluation.depths),
        figures=_figures(evaluation, stages, primary),
        depths=_depths(evaluation.depths) if evaluation.depths else None,
        worst=_worst(evaluation, stages, primary),
        diagnosis=evaluation.diagnosis,
        meanings=MEANINGS,
        command=str(evaluation.context.get("command", "")),
        context=json.dumps(context, ensure_ascii=False, indent=2),
    )


def _setting(stages: StageFigures) -> str:
    variant = stages.variant
    setting = f"{variant.retriever} first stage, depth {variant.depth}"
    if not variant.reranks:
        return setting
    return f"{setting}, fusion {variant.fusion}" + (f" {variant.fusion_weight:g}" if variant.fusion != "none" else "")


def _figures(evaluation: Evaluation, stages: StageFigures, primary: str) -> dict[str, Chart]:
    """Charts by caption, as far as there is something to draw."""
    figures = {}
    if evaluation.recall_curves is not None:
        series = [
            Series(name, tuple(Point(depth, recall) for depth, recall in points))
            for name, points in evaluation.recall_curves.items()
        ]
        curves = lines(series, x_label="candidates (depth)", y_label="recall", log_x=True)
        figures["What each first stage brings, by depth"] = curves
    if evaluation.depths is not None:
        figures[f"{primary} against time, by depth"] = _quality(evaluation.depths, primary)
    if stages.variant.reranks:
        figures["What each query gained or lost by reranking"] = _changes(evaluation, stages, primary)
    return figures


def _quality(depths: SweepTable, primary: str) -> Chart:
    points = tuple(
        Point(
            row.stages.price.query_p50_s,
            row.stages.final.overall[primary],
            label=" · ".join([row.value, *row.marks]),
            marked=bool(row.marks),
        )
        for row in depths.rows
    )
    return lines([Series("reranked", points)], x_label="seconds a query (p50)", y_label=primary)


def _changes(evaluation: Evaluation, stages: StageFigures, primary: str) -> Chart:
    differences = [
        (after - before, f"{query}: {evaluation.texts[query]} ({after - before:+.3f})")
        for query, before, after in zip(
            stages.first.queries, stages.first.by_query[primary], stages.final.by_query[primary], strict=True
        )
    ]
    return bars(sorted(differences, key=lambda row: -row[0]), y_label=f"change of {primary}")


@dataclass(frozen=True, slots=True)
class _Depths:
    """The table of depths: what its columns are called, and its cells."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def _depths(table: SweepTable) -> _Depths:
    rows = (
        (
            row.value,
            f"{row.stages.first.overall[table.measure]:.4f}",
            f"{row.stages.final.overall[table.measure]:.4f}",
            f"{row.stages.price.query_p50_s:.3f} s",
            ", ".join(row.marks),
        )
        for row in table.rows
    )
    return _Depths(("depth", "first stage", f"reranked ({table.measure})", "time a query (p50)", ""), tuple(rows))


@dataclass(frozen=True, slots=True)
class _Worst:
    """A query with a low figure, before and after the second stage, and what is known of its misses."""

    id: str
    text: str
    before: float
    after: float
    reasons: tuple[str, ...]


def _worst(evaluation: Evaluation, stages: StageFigures, primary: str) -> list[_Worst]:
    """The queries with the lowest figures, none of them perfect."""
    after = dict(zip(stages.final.queries, stages.final.by_query[primary], strict=True))
    before = dict(zip(stages.first.queries, stages.first.by_query[primary], strict=True))
    return [
        _Worst(query, evaluation.texts[query], before[query], after[query], _reasons(query, evaluation.diagnosis))
        for query in sorted(after, key=lambda query: after[query])[:WORST]
        if after[query] < 1.0
    ]


def _reasons(query: str, diagnosis: Diagnosis | None) -> tuple[str, ...]:
    if diagnosis is None:
        return ()
    misses = next((each.misses for each in diagnosis.queries if each.query.id == query), ())
    if misses:
        return tuple(f"{miss.document}: {miss.reason}" for miss in misses)
    if query not in diagnosis.relevant_of:
        return ("it could not be asked",)
    if diagnosis.relevant_of[query] == 0:
        return ("no document was judged relevant",)
    return (f"all its relevant documents are among the first {diagnosis.top}",)
