"""The page tells what was found, and escapes what it quotes."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from rerank_cli.evaluation.assess import Request, Workplace, assess
from rerank_cli.evaluation.charts import Point, Series, bars, lines
from rerank_cli.evaluation.collection import Collection, JudgedQuery
from rerank_cli.evaluation.report import report_page
from tests.unit.evaluation.conftest import BASE

Requests = Callable[..., Request]


def test_the_page_has_the_figures_the_worst_queries_and_the_command(
    collection: Collection, workplace: Workplace, request_of: Requests
) -> None:
    evaluation = assess(collection, request_of(draws=True, diagnoses=True, top=1), workplace)
    page = report_page(replace(evaluation, context={"command": "rerank-cli eval --top-k 20 'a <b>'"}))
    assert evaluation.outcome is not None
    for name, value in evaluation.outcome.final.overall.items():
        assert f"<td>{name}</td>" in page and f"<td>{value:.4f}</td>" in page
    assert "rerank-cli eval --top-k 20 &#x27;a &lt;b&gt;&#x27;" in page
    assert page.count("<svg") == 3 and "Where the next gain lies" in page
    assert "knee" in page or "use this" in page


def test_a_partial_evaluation_says_so_on_the_page(
    collection: Collection, workplace: Workplace, request_of: Requests
) -> None:
    evaluation = replace(assess(collection, request_of(), workplace), asked=4)
    assert "Partial: 4 of 9 queries were measured." in report_page(evaluation)


def test_queries_and_ids_are_text_whatever_they_hold(
    collection: Collection, workplace: Workplace, request_of: Requests
) -> None:
    evil = "<script>alert(1)</script> \x1b[2J \u202e brake"
    whole = Collection((JudgedQuery(evil, evil),), {evil: {"<img src=x>": 1, "00.md": 1}})
    page = report_page(assess(whole, request_of(draws=True, diagnoses=True, top=1), workplace))
    assert "<script" not in page and "<img" not in page
    assert "\x1b" not in page and "\u202e" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_without_a_second_stage_there_is_nothing_to_compare(
    collection: Collection, workplace: Workplace, request_of: Requests
) -> None:
    request = request_of(replace(BASE, reranks=False), draws=True)
    page = report_page(assess(collection, request, replace(workplace, reranker=None)))
    assert page.count("<svg") == 1 and "Each depth" not in page


def test_lines_lie_within_the_drawing_and_rise_with_their_values() -> None:
    drawn = lines([Series("a", (Point(1, 0.2), Point(10, 0.5, label="<k>", marked=True), Point(100, 0.9)))],
                  x_label="x", y_label="y", log_x=True)  # fmt: skip
    points = [tuple(map(float, pair.split(","))) for pair in re.findall(r'points="([^"]+)"', drawn)[0].split()]
    xs, ys = [x for x, _ in points], [y for _, y in points]
    assert xs == sorted(xs) and ys == sorted(ys, reverse=True)
    assert xs[1] - xs[0] == xs[2] - xs[1], "the depths double evenly"
    assert all(0 <= x <= 460 and 0 <= y <= 280 for x, y in points)
    assert "&lt;k&gt;" in drawn and drawn.count("<circle") == 4


def test_a_curve_of_one_value_can_be_drawn() -> None:
    assert "nan" not in lines([Series("a", (Point(5, 1.0),))], x_label="x", y_label="y")


def test_bars_go_up_for_gains_and_down_for_losses() -> None:
    drawn = bars([(0.5, "won"), (0.0, "tied"), (-0.25, "<lost>")], y_label="change")
    (gain_top, gain_height), (loss_top, loss_height) = [
        (float(top), float(height))
        for top, height in re.findall(r'y="([\d.]+)" width="[\d.]+" height="([\d.]+)"', drawn)
    ]
    assert gain_height == 2 * loss_height and gain_top + gain_height == loss_top
    assert "<title>&lt;lost&gt;</title>" in drawn and "tied" not in drawn
    assert "<rect" not in bars([], y_label="change")


def test_the_long_label_of_a_marked_point_stands_where_no_neighbour_has_its_own() -> None:
    points = (Point(1, 0.70, "10"), Point(2, 0.73, "25 · knee · use this", marked=True), Point(3, 0.731, "50"))
    drawn = lines([Series("a", points)], x_label="x", y_label="y")
    heights = {label: float(y) for y, label in re.findall(r'<text x="[\d.]+" y="([\d.]+)"[^>]*>([^<]*)</text>', drawn)}
    circles = [float(y) for y in re.findall(r'<circle cx="[\d.]+" cy="([\d.]+)" r="3.5"', drawn)]
    assert heights["25 · knee · use this"] < circles[1] - 8, "above the ring"
    assert heights["10"] > circles[0] and heights["50"] > circles[2], "below the point"


def test_every_bad_query_is_given_a_reason(
    collection: Collection, workplace: Workplace, request_of: Callable[..., Request]
) -> None:
    fruitless = Collection(collection.queries, {**collection.qrels, "q0": {"00.md": 0}})
    page = report_page(assess(fruitless, request_of(diagnoses=True, draws=True, top=40), workplace))
    worst = page[page.index("The worst queries") :]
    assert "no document was judged relevant" in worst
    assert "all its relevant documents are among the first 40" in worst
    assert '<td class="text" data-label="why"></td>' not in worst
