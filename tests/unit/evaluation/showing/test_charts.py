"""Charts place their points by value and escape what they quote."""

from __future__ import annotations

import re

from rerank_cli.evaluation.showing.charts import Chart, Point, Series, bars, lines
from rerank_cli.evaluation.showing.page import template


def drawing(chart: Chart) -> str:
    """As the page has it."""
    return str(template("chart.svg").module.drawing(chart))  # type: ignore[attr-defined]


def test_lines_lie_within_the_drawing_and_rise_with_their_values() -> None:
    points = (Point(1, 0.2), Point(10, 0.5, label="<k>", marked=True), Point(100, 0.9))
    drawn = drawing(lines([Series("a", points)], x_label="x", y_label="y", log_x=True))
    placed = [tuple(map(float, pair.split(","))) for pair in re.findall(r'points="([^"]+)"', drawn)[0].split()]
    xs, ys = [x for x, _ in placed], [y for _, y in placed]
    assert xs == sorted(xs) and ys == sorted(ys, reverse=True)
    assert xs[1] - xs[0] == xs[2] - xs[1], "the depths double evenly"
    assert all(0 <= x <= 460 and 0 <= y <= 280 for x, y in placed)
    assert "&lt;k&gt;" in drawn and drawn.count("<circle") == 4


def test_a_curve_of_one_value_can_be_drawn() -> None:
    assert "nan" not in drawing(lines([Series("a", (Point(5, 1.0),))], x_label="x", y_label="y"))


def test_bars_go_up_for_gains_and_down_for_losses() -> None:
    drawn = drawing(bars([(0.5, "won"), (0.0, "tied"), (-0.25, "<lost>")], y_label="change"))
    (gain_top, gain_height), (loss_top, loss_height) = [
        (float(top), float(height))
        for top, height in re.findall(r'y="([\d.]+)" width="[\d.]+" height="([\d.]+)"', drawn)
    ]
    assert gain_height == 2 * loss_height and gain_top + gain_height == loss_top
    assert "<title>&lt;lost&gt;</title>" in drawn and "tied" not in drawn
    assert "<rect" not in drawing(bars([], y_label="change"))


def test_the_long_label_of_a_marked_point_stands_where_no_neighbour_has_its_own() -> None:
    points = (Point(1, 0.70, "10"), Point(2, 0.73, "25 · knee · use this", marked=True), Point(3, 0.731, "50"))
    drawn = drawing(lines([Series("a", points)], x_label="x", y_label="y"))
    heights = {label: float(y) for y, label in re.findall(r'<text x="[\d.]+" y="([\d.]+)"[^>]*>([^<]*)</text>', drawn)}
    circles = [float(y) for y in re.findall(r'<circle cx="[\d.]+" cy="([\d.]+)" r="3.5"', drawn)]
    assert heights["25 · knee · use this"] < circles[1] - 8, "above the ring"
    assert heights["10"] > circles[0] and heights["50"] > circles[2], "below the point"
