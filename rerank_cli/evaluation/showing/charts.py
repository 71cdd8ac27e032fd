"""Charts: where the lines, bars and words of a drawing stand. A template draws them in the page's own colours."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 460, 280
LEFT, RIGHT, TOP, BOTTOM = 60, WIDTH - 16, 30, HEIGHT - 42
"""The sides of the plotting area; labels stand around it."""

TICK_WIDTH = 34
LEGEND_WIDTH = 96

COLOURS = ("var(--a)", "var(--b)", "var(--c)")

Scale = Callable[[float], float]


# What is drawn


@dataclass(frozen=True, slots=True)
class Point:
    """A point of a line; a label stands beside it, a mark rings it."""

    x: float
    y: float
    label: str = ""
    marked: bool = False


@dataclass(frozen=True, slots=True)
class Series:
    """One line."""

    name: str
    points: tuple[Point, ...]


# How it is drawn, in the drawing's units from its top left corner


@dataclass(frozen=True, slots=True)
class Mark:
    """A line of the grid, or a tick, with the text beside it."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Label:
    """Words beside a dot."""

    x: float
    y: float
    anchor: str
    text: str


@dataclass(frozen=True, slots=True)
class Dot:
    """A point in its place; its title is shown where the pointer rests."""

    x: float
    y: float
    title: str
    label: Label | None
    marked: bool


@dataclass(frozen=True, slots=True)
class Line:
    """A series in its colour."""

    colour: str
    dots: tuple[Dot, ...]


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar between its value and zero."""

    x: float
    y: float
    width: float
    height: float
    colour: str
    title: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A colour's name in the legend."""

    x: float
    colour: str
    name: str


@dataclass(frozen=True, slots=True)
class Chart:
    """All that a drawing holds."""

    x_label: str
    y_label: str
    grid: tuple[Mark, ...]
    ticks: tuple[Mark, ...] = ()
    lines: tuple[Line, ...] = ()
    bars: tuple[Bar, ...] = ()
    legend: tuple[Entry, ...] = ()
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = RIGHT
    top: int = TOP
    bottom: int = BOTTOM


def lines(series: Sequence[Series], *, x_label: str, y_label: str, log_x: bool = False) -> Chart:
    """Lines over shared axes; *log_x* spreads depths that double."""
    points = [point for each in series for point in each.points]
    place_x = _scale([point.x for point in points], LEFT, RIGHT, log=log_x)
    low, high = _padded([point.y for point in points])
    place_y = _scale([low, high], BOTTOM, TOP)
    coloured = [(each, COLOURS[number % len(COLOURS)]) for number, each in enumerate(series)]
    legend = (Entry(LEFT + number * LEGEND_WIDTH, colour, each.name) for number, (each, colour) in enumerate(coloured))
    return Chart(
        x_label,
        y_label,
        grid=_grid(low, high, place_y),
        ticks=tuple(_x_ticks(sorted({point.x for point in points}), place_x)),
        lines=tuple(Line(colour, tuple(_dots(each, place_x, place_y))) for each, colour in coloured),
        legend=tuple(legend) if len(series) > 1 else (),
    )


def bars(values: Sequence[tuple[float, str]], *, y_label: str) -> Chart:
    """A bar for each (value, title), up for gains and down for losses; none for a value of 0."""
    reach = max((abs(value) for value, _ in values), default=0.0) or 1.0
    place_y = _scale([-reach, reach], BOTTOM, TOP)
    step = (RIGHT - LEFT) / max(1, len(values))
    drawn = []
    for number, (value, title) in enumerate(values):
        if value == 0.0:
            continue
        top, bottom = sorted((place_y(value), place_y(0.0)))
        drawn.append(
            Bar(
                x=LEFT + number * step,
                y=top,
                width=max(step * 0.85, 0.5),
                height=max(bottom - top, 0.75),
                colour="var(--gain)" if value > 0 else "var(--loss)",
                title=title,
            )
        )
    return Chart("queries, best gain first", y_label, grid=_grid(-reach, reach, place_y), bars=tuple(drawn))


def _dots(series: Series, place_x: Scale, place_y: Scale) -> Iterator[Dot]:
    for point in series.points:
        x, y = place_x(point.x), place_y(point.y)
        title = f"{series.name} {point.x:.4g}: {point.y:.4f}"
        yield Dot(x, y, title, _label(point, x, y) if point.label else None, point.marked)


def _label(point: Point, x: float, y: float) -> Label:
    anchor, shift = ("end", -8) if x > WIDTH * 0.6 else ("start", 8)
    below = -14 if point.marked else 20  # a mark's words are long: they keep clear of the neighbours' labels
    return Label(x + shift, y + below, anchor, point.label)


def _grid(low: float, high: float, place_y: Scale) -> tuple[Mark, ...]:
    values = (low + (high - low) * number / 4 for number in range(5))
    return tuple(Mark(place_y(value), f"{value:.2f}") for value in values)


def _x_ticks(values: Sequence[float], place_x: Scale) -> Iterator[Mark]:
    """As many of *values* as fit without touching, the last always."""
    before, last = -math.inf, place_x(values[-1])
    for value in values:
        x = place_x(value)
        if value == values[-1] or (x - before >= TICK_WIDTH and last - x >= TICK_WIDTH):
            before = x
            yield Mark(x, f"{value:.3g}")


def _scale(values: Sequence[float], start: float, end: float, *, log: bool = False) -> Scale:
    """From *values* to the drawing, the smallest at *start* and the largest at *end*."""

    def bent(value: float) -> float:
        return math.log(max(value, 1e-9)) if log else value

    low, high = bent(min(values)), bent(max(values))
    width = (high - low) or 1.0
    return lambda value: start + (bent(value) - low) / width * (end - start)


def _padded(values: Sequence[float]) -> tuple[float, float]:
    """The ends of an axis for *values*, with a little room, never beyond 0 and 1 where they are not."""
    low, high = min(values), max(values)
    room = max(0.1 * (high - low), 0.01)
    return (max(0.0, low - room) if low >= 0 else low - room), (min(1.0, high + room) if high <= 1 else high + room)
