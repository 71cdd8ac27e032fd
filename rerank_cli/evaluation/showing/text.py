"""An evaluation as lines of text: aligned columns, whole in a pipe and fitted to a terminal."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from rerank_cli.cells import cells, middle_left_out, wrapped
from rerank_cli.characters import printable
from rerank_cli.evaluation.conclusions.diagnosis import MEANINGS, Diagnosis
from rerank_cli.evaluation.conclusions.evaluation import Evaluation
from rerank_cli.evaluation.conclusions.verdict import shown_p, verdict
from rerank_cli.evaluation.figures.measures import Figures
from rerank_cli.evaluation.figures.paired_comparison import Comparison
from rerank_cli.evaluation.figures.several_runs import Compared
from rerank_cli.evaluation.figures.stages import Price, StageFigures
from rerank_cli.evaluation.figures.sweep import BUDGET, SweepTable

SHOWN_QUERY = 72
"""Letters of a query that a line has room for."""

BEFORE_LAST_COLUMN = re.compile(r".*\S {2,}| +")
"""What a line that is broken goes on below: its indentation, or that of the last of several columns."""

Rows = Sequence[Sequence[str]]
"""A table: the cells of each row, the first row naming the columns."""

Parts = Iterator[str | Rows]
"""Lines of text and tables, in their order."""


def evaluation_lines(evaluation: Evaluation, *, diagnosed: bool, width: int | None) -> Iterator[str]:
    """What *evaluation* holds, the verdict last, in lines of at most *width*; the diagnosis only if it is wanted."""
    yield from fitted(_parts(evaluation, diagnosed=diagnosed), width=width)


def _parts(evaluation: Evaluation, *, diagnosed: bool) -> Parts:
    stages = evaluation.stages
    if stages is not None:
        yield from _stages_parts(stages)
    if evaluation.compared:
        yield from _compared_parts(evaluation.compared)
    for table in evaluation.sweeps:
        yield ""
        yield _window_rows(table) if table.key == BUDGET else _sweep_rows(table)
    if diagnosed and evaluation.diagnosis is not None:
        yield ""
        yield from _diagnosis_parts(evaluation.diagnosis)
    if stages is not None:
        yield ""
        yield verdict(stages, next(iter(stages.final.overall)), evaluation.depths)


def fitted(parts: Iterable[str | Rows], *, width: int | None) -> Iterator[str]:
    """*parts* as lines of at most *width* letters: text breaks between words, a table between columns."""
    for part in parts:
        if not isinstance(part, str):
            yield from aligned(part, width=width)
        elif width is None or cells(part) <= width:
            yield part
        else:
            before = BEFORE_LAST_COLUMN.match(part)
            yield from wrapped(part, width, indent=" " * len(before.group()) if before else "")


def aligned(rows: Rows, *, width: int | None = None) -> Iterator[str]:
    """*rows* in columns, the first to the left, the others to the right.

    Columns that do not fit *width* stand below, each time with the first column before them.
    """
    shown = [[_within(printable(cell), width) for cell in row] for row in rows]
    widths = [max(map(cells, column)) for column in zip(*shown, strict=True)]
    for number, columns in enumerate(_blocks(widths, width)):
        if number:
            yield ""
        for row in shown:
            first = row[0] + " " * (widths[0] - cells(row[0]))
            others = (" " * (widths[column] - cells(row[column])) + row[column] for column in columns)
            yield "  ".join([first, *others]).rstrip()


def _within(cell: str, width: int | None) -> str:
    """*cell*, shortened so that any two of them fit side by side."""
    return cell if width is None else middle_left_out(cell, width // 2 - 1)


def _blocks(widths: Sequence[int], width: int | None) -> list[list[int]]:
    """The columns after the first, in groups that fit beside it."""
    blocks: list[list[int]] = [[]]
    left = room = math.inf if width is None else width - widths[0]
    for column in range(1, len(widths)):
        left -= widths[column] + 2
        if left < 0 and blocks[-1]:
            blocks.append([])
            left = room - widths[column] - 2
        blocks[-1].append(column)
    return blocks


def _stages_parts(stages: StageFigures) -> Parts:
    if not stages.variant.reranks:
        yield [("", "first stage"), *((name, f"{value:.4f}") for name, value in _items(stages.first))]
    else:
        yield _two_columns("first stage", "reranked", stages.first, stages.final, stages.comparisons)
    yield ""
    yield from _price_parts(stages.price, reranks=stages.variant.reranks)


def _two_columns(
    first_name: str, second_name: str, first: Figures, second: Figures, comparisons: Mapping[str, Comparison]
) -> Rows:
    corrected = any(comparison.p_holm is not None for comparison in comparisons.values())
    p_name = "p (Holm)" if corrected else "p"
    rows = [("", first_name, second_name, "change", "95 % interval", "won/tied/lost", p_name)]
    for name, comparison in comparisons.items():
        p_value = comparison.p_value if comparison.p_holm is None else comparison.p_holm
        rows.append(
            (
                name,
                f"{first.overall[name]:.4f}",
                f"{second.overall[name]:.4f}",
                f"{comparison.difference:+.4f}",
                f"{comparison.low:+.3f} … {comparison.high:+.3f}",
                f"{comparison.won}/{comparison.tied}/{comparison.lost}",
                shown_p(p_value),
            )
        )
    return rows


def _price_parts(price: Price, *, reranks: bool) -> Parts:
    rows = [("time a query", "p50", "p95"), ("first stage", _ms(price.retrieve_p50_s), _ms(price.retrieve_p95_s))]
    if reranks:
        rows.append(("reranking", _ms(price.rerank_p50_s), _ms(price.rerank_p95_s)))
    yield rows
    if price.passages_per_s is not None:
        yield f"{price.passages_per_s:.0f} passages scored a second"


def _compared_parts(compared: Sequence[Compared]) -> Parts:
    first, *others = compared
    if not others:
        yield [("", first.name), *((name, f"{value:.4f}") for name, value in _items(first.figures))]
    for number, other in enumerate(others):
        if number:
            yield ""
        yield _two_columns(first.name, other.name, first.figures, other.figures, other.comparisons)
    timed = [(each.name, _ms(each.query_p50_s)) for each in compared if each.query_p50_s is not None]
    if timed:
        yield ""
        yield [("time a query", "p50"), *timed]


def _window_rows(table: SweepTable) -> Rows:
    """As of other sweeps, but for the time: no budget changes that of a search."""
    rows = [(table.key, table.measure, "first stage", "")]
    for row in table.rows:
        final, first = (figures.overall[row.measure] for figures in (row.stages.final, row.stages.first))
        rows.append((row.value, f"{final:.4f}", f"{first:.4f}", ", ".join(row.marks)))
    return rows


def _sweep_rows(table: SweepTable) -> Rows:
    rows = [(table.key, table.measure, "first stage", "R@top_k", "time a query (p50)", "")]
    for row in table.rows:
        stages = row.stages
        ceiling = stages.final.overall.get(f"R@{stages.variant.top_k}")
        rows.append(
            (
                row.value,
                f"{stages.final.overall[table.measure]:.4f}",
                f"{stages.first.overall[table.measure]:.4f}",
                "" if ceiling is None else f"{ceiling:.4f}",
                _ms(stages.price.query_p50_s),
                ", ".join(row.marks),
            )
        )
    return rows


def _diagnosis_parts(diagnosis: Diagnosis) -> Parts:
    for diagnosed in diagnosis.queries:
        text = " ".join(diagnosed.query.text.split())
        shown = text if len(text) <= SHOWN_QUERY else f"{text[: SHOWN_QUERY - 1]}…"
        yield printable(f"{diagnosed.query.id}: {shown}")
        for miss in diagnosed.misses:
            yield printable(f"    {miss.document} (grade {miss.grade}): {miss.reason}")
    missed = sum(diagnosis.counts.values())
    if diagnosis.queries:
        yield ""
    yield f"{missed} of {diagnosis.relevant} relevant documents are not among the first {diagnosis.top}:"
    rows = [(f"    {cause}", str(count), MEANINGS[cause]) for cause, count in diagnosis.counts.items()]
    if rows:
        width = max(len(row[0]) for row in rows)
        yield from (f"{cause.ljust(width)}  {count:>5}  {meaning}" for cause, count, meaning in rows)


def _items(figures: Figures) -> list[tuple[str, float]]:
    return list(figures.overall.items())


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:.0f} ms" if seconds >= 0.01 else f"{1000 * seconds:.1f} ms"
