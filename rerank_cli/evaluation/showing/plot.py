"""An evaluation as a picture, through matplotlib where it is installed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from rerank_cli.errors import InputError, in_words
from rerank_cli.evaluation.conclusions.evaluation import Evaluation
from rerank_cli.evaluation.conclusions.verdict import verdict

if TYPE_CHECKING:
    from rerank_cli.evaluation.figures.stages import StageFigures
    from rerank_cli.evaluation.figures.sweep import SweepTable

WIDTH_INCHES, HEIGHT_INCHES, DOTS_PER_INCH = 13.0, 4.2, 150


def draw(evaluation: Evaluation, path: Path) -> None:
    """Draw recall against depth, quality against time, and each query's change into *path*.

    Raises:
        InputError: it cannot be written.
    """
    import matplotlib

    with matplotlib.rc_context():
        matplotlib.rcdefaults()  # a matplotlibrc in the current folder may come from anybody, and can run TeX
        _draw(evaluation, path)


def _draw(evaluation: Evaluation, path: Path) -> None:
    from matplotlib.figure import Figure

    assert evaluation.stages is not None
    stages = evaluation.stages
    primary = next(iter(stages.final.overall))
    figure = Figure(figsize=(WIDTH_INCHES, HEIGHT_INCHES), layout="constrained")
    recall, quality, change = figure.subplots(1, 3)
    for name, points in (evaluation.recall_curves or {}).items():
        recall.plot(*zip(*points, strict=True), marker="o", markersize=3, label=name)
    recall.set(xscale="log", xlabel="candidates (depth)", ylabel="recall", title="First stages")
    recall.legend()
    if evaluation.depths is not None:
        _quality(quality, evaluation.depths, primary)
    _changes(change, stages, primary)
    figure.suptitle(verdict(stages, primary, evaluation.depths), fontsize=9, wrap=True)
    try:
        figure.savefig(path, dpi=DOTS_PER_INCH)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({in_words(error)})", remedy="check the folder") from error


def _quality(axes: Any, depths: SweepTable, primary: str) -> None:
    seconds = [row.stages.price.query_p50_s for row in depths.rows]
    values = [row.stages.final.overall[primary] for row in depths.rows]
    axes.plot(seconds, values, marker="o")
    for row, x, y in zip(depths.rows, seconds, values, strict=True):
        axes.annotate(" · ".join([row.value, *row.marks]), (x, y))
    axes.set(xlabel="seconds a query (p50)", ylabel=primary, title="By depth")


def _changes(axes: Any, stages: StageFigures, primary: str) -> None:
    pairs = zip(stages.first.by_query[primary], stages.final.by_query[primary], strict=True)
    changes = sorted((after - before for before, after in pairs), reverse=True)
    axes.bar(range(len(changes)), changes, color=["tab:green" if change > 0 else "tab:red" for change in changes])
    axes.set(xlabel="queries, best gain first", ylabel=f"change of {primary}", title="By query")
