"""An evaluation as one page of HTML: charts in SVG, light and dark, nothing fetched from anywhere."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from html import escape

from rerank_cli.evaluation.conclusions.diagnosis import MEANINGS, Diagnosis
from rerank_cli.evaluation.conclusions.evaluation import Evaluation
from rerank_cli.evaluation.conclusions.verdict import shown_p, verdict
from rerank_cli.evaluation.figures.stages import StageFigures
from rerank_cli.evaluation.showing.svg import Point, Series, bars, lines

WORST = 15
"""Queries that the page tells of one by one."""

STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #57606a; --line: #d0d7de; --ground: #ffffff;
  --panel: #f6f8fa; --a: #0b62c4; --b: #b3470b; --c: #2a7a39; --gain: #2a7a39; --loss: #b42318; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --soft: #9aa6b2; --line: #3a434d; --ground: #0f1419;
  --panel: #182028; --a: #6cb0ff; --b: #ffa266; --c: #6fce82; --gain: #6fce82; --loss: #ff8f85; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 68rem; background: var(--ground); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; } h2 { font-size: 1.15rem; margin: 2.5rem 0 .5rem; }
p { margin: .5rem 0; max-width: 46rem; } .soft { color: var(--soft); }
.verdict { font-size: 1.15rem; border-left: 4px solid var(--a); padding: .25rem 0 .25rem .9rem; }
.partial { border: 1px solid var(--loss); color: var(--loss); padding: .5rem .9rem; border-radius: 6px; }
.charts { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)); }
figure { margin: 0; padding: .9rem; background: var(--panel); border-radius: 8px; min-width: 0; }
figcaption { font-weight: 600; margin-bottom: .25rem; }
svg { display: block; width: 100%; height: auto; } svg text { fill: var(--soft); font: 12px system-ui, sans-serif; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; margin: .75rem 0; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .8rem .3rem 0; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
th:first-child, td:first-child { text-align: left; } th { font-weight: 600; color: var(--soft); }
.stacks td { vertical-align: top; }
td.text, th.text { text-align: left; white-space: normal; min-width: 12rem; overflow-wrap: anywhere; }
ul { padding-left: 1.2rem; margin: .25rem 0; } li { overflow-wrap: anywhere; }
pre { background: var(--panel); padding: .9rem; border-radius: 8px; white-space: pre-wrap; overflow-wrap: anywhere; }
.up { color: var(--gain); } .down { color: var(--loss); }
th:first-child, td:first-child { position: sticky; left: 0; background: var(--ground); }
@media (max-width: 44rem) {
  table { font-size: .85rem; } th, td { padding-right: .6rem; }
  .stacks, .stacks tbody, .stacks tr, .stacks td { display: block; text-align: left; } .stacks th { display: none; }
  .stacks td { border: 0; padding: 0; } .stacks tr { border-bottom: 1px solid var(--line); padding: .6rem 0; }
  .stacks td:first-child { font-weight: 600; }
  .stacks td[data-label]::before { content: attr(data-label) " "; color: var(--soft); }
}
"""


def report_page(evaluation: Evaluation) -> str:
    """The whole page. *evaluation* holds an stages, as every evaluation of one configuration does."""
    assert evaluation.stages is not None
    stages = evaluation.stages
    primary = next(iter(stages.final.overall))
    body = "\n".join(
        part
        for part in (
            _head(evaluation, stages, primary),
            _measures(stages),
            _charts(evaluation, stages, primary),
            _depths(evaluation),
            _worst(evaluation, stages, primary),
            _causes(evaluation.diagnosis),
            _origin(evaluation),
        )
        if part
    )
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        "<title>rerank-cli eval</title>\n"
        f"<style>{STYLE}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def _head(evaluation: Evaluation, stages: StageFigures, primary: str) -> str:
    partial = ""
    if not evaluation.is_complete:
        partial = f'<p class="partial">Partial: {evaluation.asked} of {evaluation.total} queries were measured.</p>'
    notes = "".join(f"<li>{_text(note)}</li>" for note in evaluation.notes)
    return (
        "<h1>Does reranking pay here?</h1>"
        f'<p class="soft">{evaluation.asked} judged queries, {_text(_setting(stages))}</p>{partial}'
        f'<p class="verdict">{_text(verdict(stages, primary, evaluation.depths))}</p>'
        f'<ul class="soft">{notes}</ul>'
    )


def _setting(stages: StageFigures) -> str:
    variant = stages.variant
    setting = f"{variant.retriever} first stage, depth {variant.top_k}"
    if not variant.reranks:
        return setting
    return f"{setting}, fusion {variant.fusion}" + (f" {variant.fusion_weight:g}" if variant.fusion != "none" else "")


def _measures(stages: StageFigures) -> str:
    rows = []
    for name, comparison in stages.comparisons.items():
        kind = "up" if comparison.difference > 0 else "down" if comparison.difference < 0 else ""
        rows.append(
            f"<tr><td>{_text(name)}</td><td>{stages.first.overall[name]:.4f}</td>"
            f"<td>{stages.final.overall[name]:.4f}</td>"
            f'<td class="{kind}">{comparison.difference:+.4f}</td>'
            f"<td>{comparison.low:+.3f} … {comparison.high:+.3f}</td>"
            f"<td>{comparison.won} / {comparison.tied} / {comparison.lost}</td>"
            f"<td>{_text(shown_p(comparison.p_value))}</td></tr>"
        )
    price = stages.price
    speed = "" if price.passages_per_s is None else f"; {price.passages_per_s:.0f} passages scored a second"
    return _table(("measure", "first stage", "reranked", "change", "95 % interval", "won / tied / lost", "p"), rows) + (
        f"<p>A query takes {price.retrieve_p50_s:.3f} s in the first stage (p95 {price.retrieve_p95_s:.3f} s) and "
        f"{price.rerank_p50_s:.3f} s in the second (p95 {price.rerank_p95_s:.3f} s){speed}.</p>"
    )


def _charts(evaluation: Evaluation, stages: StageFigures, primary: str) -> str:
    figures = []
    if evaluation.recall_curves is not None:
        series = [
            Series(name, tuple(Point(depth, recall) for depth, recall in points))
            for name, points in evaluation.recall_curves.items()
        ]
        drawn = lines(series, x_label="candidates (depth)", y_label="recall", log_x=True)
        figures.append(_figure("What each first stage brings, by depth", drawn))
    if evaluation.depths is not None:
        points = tuple(
            Point(
                row.stages.price.query_p50_s,
                row.stages.final.overall[primary],
                label=" · ".join([row.value, *row.marks]),
                marked=bool(row.marks),
            )
            for row in evaluation.depths.rows
        )
        drawn = lines([Series("reranked", points)], x_label="seconds a query (p50)", y_label=primary)
        figures.append(_figure(f"{primary} against time, by depth", drawn))
    differences = [
        (after - before, f"{query}: {evaluation.texts[query]} ({after - before:+.3f})")
        for query, before, after in zip(
            stages.first.queries, stages.first.by_query[primary], stages.final.by_query[primary], strict=True
        )
    ]
    if stages.variant.reranks:
        drawn = bars(sorted(differences, key=lambda row: -row[0]), y_label=f"change of {primary}")
        figures.append(_figure("What each query gained or lost by reranking", drawn))
    return f'<h2>Charts</h2><div class="charts">{"".join(figures)}</div>' if figures else ""


def _figure(caption: str, drawn: str) -> str:
    return f"<figure><figcaption>{_text(caption)}</figcaption>{drawn}</figure>"


def _depths(evaluation: Evaluation) -> str:
    table = evaluation.depths
    if table is None:
        return ""
    rows = [
        f"<tr><td>{_text(row.value)}</td><td>{row.stages.first.overall[table.measure]:.4f}</td>"
        f"<td>{row.stages.final.overall[table.measure]:.4f}</td><td>{row.stages.price.query_p50_s:.3f} s</td>"
        f"<td>{', '.join(row.marks)}</td></tr>"
        for row in table.rows
    ]
    head = ("depth", "first stage", f"reranked ({table.measure})", "time a query (p50)", "")
    return f"<h2>Each depth</h2>{_table(head, rows)}"


def _worst(evaluation: Evaluation, stages: StageFigures, primary: str) -> str:
    """The queries with the lowest figures, each with what is known of its misses."""
    values = dict(zip(stages.final.queries, stages.final.by_query[primary], strict=True))
    before = dict(zip(stages.first.queries, stages.first.by_query[primary], strict=True))
    worst = sorted(values, key=lambda query: values[query])[:WORST]
    rows = [
        f'<tr><td>{_text(query)}</td><td class="text">{_text(evaluation.texts[query])}</td>'
        f'<td data-label="first stage">{before[query]:.3f}</td>'
        f'<td data-label="{_text(primary)}">{values[query]:.3f}</td>'
        f'<td class="text" data-label="why">{_why(query, evaluation.diagnosis)}</td></tr>'
        for query in worst
        if values[query] < 1.0
    ]
    if not rows:
        return ""
    figures = f"<th>first stage</th><th>{_text(primary)}</th>"
    head = f'<th>query</th><th class="text">text</th>{figures}<th class="text">why</th>'
    return f'<h2>The worst queries</h2><table class="stacks"><tr>{head}</tr>{"".join(rows)}</table>'


def _why(query: str, diagnosis: Diagnosis | None) -> str:
    if diagnosis is None:
        return ""
    misses = next((each.misses for each in diagnosis.queries if each.query.id == query), ())
    if misses:
        reasons = [f"{_text(miss.document)}: {_text(miss.reason)}" for miss in misses]
    elif query not in diagnosis.relevant_of:
        reasons = ["it could not be asked"]
    elif diagnosis.relevant_of[query] == 0:
        reasons = ["no document was judged relevant"]
    else:
        reasons = [f"all its relevant documents are among the first {diagnosis.top}"]
    return f"<ul>{''.join(f'<li>{reason}</li>' for reason in reasons)}</ul>"


def _causes(diagnosis: Diagnosis | None) -> str:
    if diagnosis is None or not diagnosis.counts:
        return ""
    rows = [
        f'<tr><td>{_text(cause)}</td><td>{count}</td><td class="text">{_text(MEANINGS[cause])}</td></tr>'
        for cause, count in diagnosis.counts.items()
    ]
    missed = f"{sum(diagnosis.counts.values())} of {diagnosis.relevant} relevant documents"
    return (
        f"<h2>Where the next gain lies</h2><p>{missed} are not among the first {diagnosis.top}.</p>"
        f"{_table(('cause', 'documents', 'what to try'), rows)}"
    )


def _origin(evaluation: Evaluation) -> str:
    """The exact command, and everything that the figures depend on."""
    context = {key: value for key, value in evaluation.context.items() if key != "command"}
    return (
        f"<h2>How it was measured</h2><pre>{_text(str(evaluation.context.get('command', '')))}</pre>"
        f"<pre>{_text(json.dumps(context, ensure_ascii=False, indent=2))}</pre>"
    )


def _table(head: Sequence[str], rows: Sequence[str]) -> str:
    cells = "".join(f"<th>{_text(cell)}</th>" for cell in head)
    return f'<div class="scroll"><table><tr>{cells}</tr>{"".join(rows)}</table></div>'


def _text(foreign: str) -> str:
    """*foreign* as text of the page: no markup, and no control characters but blanks and line breaks."""
    return escape("".join(_shown(foreign)))


def _shown(foreign: str) -> Iterator[str]:
    for letter in foreign:
        yield letter if letter.isprintable() or letter in "\n\t" else "\N{REPLACEMENT CHARACTER}"
