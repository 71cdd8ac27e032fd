"""An evaluation as lines of text: aligned columns that no terminal's width changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rerank_cli.cli.terminal import printable
from rerank_cli.evaluation.compare import Comparison
from rerank_cli.evaluation.diagnose import MEANINGS, Diagnosis
from rerank_cli.evaluation.measures import Figures
from rerank_cli.evaluation.outcome import Outcome, Price
from rerank_cli.evaluation.sweep import SweepTable
from rerank_cli.evaluation.verdict import Compared, Evaluation, sentence, shown_p

SHOWN_QUERY = 72
"""Letters of a query that a line has room for."""


def evaluation_lines(evaluation: Evaluation, *, diagnosed: bool) -> Iterator[str]:
    """What *evaluation* holds, the verdict last; the diagnosis only if it is wanted here."""
    outcome = evaluation.outcome
    if outcome is not None:
        yield from _outcome_lines(outcome)
    if evaluation.compared:
        yield from _compared_lines(evaluation.compared)
    for table in evaluation.sweeps:
        yield ""
        yield from _sweep_lines(table)
    if diagnosed and evaluation.diagnosis is not None:
        yield ""
        yield from _diagnosis_lines(evaluation.diagnosis)
    if outcome is not None:
        yield ""
        yield sentence(outcome, next(iter(outcome.final.overall)), evaluation.depths)


def aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """*rows* in columns: the first to the left, the others to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        first, *others = [printable(cell) for cell in row]
        cells = [first.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True))]
        yield "  ".join(cells).rstrip()


def _outcome_lines(outcome: Outcome) -> Iterator[str]:
    if not outcome.variant.reranks:
        yield from aligned([("", "first stage"), *((name, f"{value:.4f}") for name, value in _items(outcome.first))])
    else:
        yield from _two_columns("first stage", "reranked", outcome.first, outcome.final, outcome.comparisons)
    yield ""
    yield from _price_lines(outcome.price, reranks=outcome.variant.reranks)


def _two_columns(
    first_name: str, second_name: str, first: Figures, second: Figures, comparisons: Mapping[str, Comparison]
) -> Iterator[str]:
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
    yield from aligned(rows)


def _price_lines(price: Price, *, reranks: bool) -> Iterator[str]:
    rows = [("time a query", "p50", "p95"), ("first stage", _ms(price.retrieve_p50_s), _ms(price.retrieve_p95_s))]
    if reranks:
        rows.append(("reranking", _ms(price.rerank_p50_s), _ms(price.rerank_p95_s)))
    yield from aligned(rows)
    if price.passages_per_s is not None:
        yield f"{price.passages_per_s:.0f} passages scored a second"


def _compared_lines(compared: Sequence[Compared]) -> Iterator[str]:
    first, *others = compared
    if not others:
        yield from aligned([("", first.name), *((name, f"{value:.4f}") for name, value in _items(first.figures))])
    for number, other in enumerate(others):
        if number:
            yield ""
        yield from _two_columns(first.name, other.name, first.figures, other.figures, other.comparisons)
    timed = [(each.name, _ms(each.query_p50_s)) for each in compared if each.query_p50_s is not None]
    if timed:
        yield ""
        yield from aligned([("time a query", "p50"), *timed])


def _sweep_lines(table: SweepTable) -> Iterator[str]:
    rows = [(table.key, table.measure, "first stage", "R@top_k", "time a query (p50)", "")]
    for row in table.rows:
        outcome = row.outcome
        ceiling = outcome.final.overall.get(f"R@{outcome.variant.top_k}")
        rows.append(
            (
                row.value,
                f"{outcome.final.overall[table.measure]:.4f}",
                f"{outcome.first.overall[table.measure]:.4f}",
                "" if ceiling is None else f"{ceiling:.4f}",
                _ms(outcome.price.query_p50_s),
                ", ".join(row.marks),
            )
        )
    yield from aligned(rows)


def _diagnosis_lines(diagnosis: Diagnosis) -> Iterator[str]:
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
