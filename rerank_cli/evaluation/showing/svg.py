"""Charts as SVG text: lines with points, and bars by query. Colours come from the page's own style."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 460, 280
LEFT, RIGHT, TOP, BOTTOM = 60, 16, 30, 42
"""Room around the plotting area, in the drawing's units, for labels."""

TICK_WIDTH = 34

COLOURS = ("var(--a)", "var(--b)", "var(--c)")

Scale = Callable[[float], float]


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


def lines(series: Sequence[Series], *, x_label: str, y_label: str, log_x: bool = False) -> str:
    """Lines over shared axes; *log_x* spreads depths that double."""
    points = [point for each in series for point in each.points]
    place_x = _scale([point.x for point in points], LEFT, WIDTH - RIGHT, log=log_x)
    low, high = _padded([point.y for point in points])
    place_y = _scale([low, high], HEIGHT - BOTTOM, TOP)
    parts = [_grid(low, high, place_y), _x_ticks(sorted({point.x for point in points}), place_x)]
    for number, each in enumerate(series):
        parts.append(_line(each, COLOURS[number % len(COLOURS)], place_x, place_y))
    if len(series) > 1:
        parts.append(_legend([each.name for each in series]))
    return _svg(parts, x_label, y_label)


def bars(values: Sequence[tuple[float, str]], *, y_label: str) -> str:
    """A bar for each (value, title), up for gains and down for losses."""
    reach = max((abs(value) for value, _ in values), default=0.0) or 1.0
    place_y = _scale([-reach, reach], HEIGHT - BOTTOM, TOP)
    step = (WIDTH - LEFT - RIGHT) / max(1, len(values))
    drawn = []
    for number, (value, title) in enumerate(values):
        if value == 0.0:
            continue
        top, bottom = sorted((place_y(value), place_y(0.0)))
        colour = "var(--gain)" if value > 0 else "var(--loss)"
        drawn.append(
            f'<rect x="{LEFT + number * step:.2f}" y="{top:.2f}" width="{max(step * 0.85, 0.5):.2f}" '
            f'height="{max(bottom - top, 0.75):.2f}" fill="{colour}"><title>{_text(title)}</title></rect>'
        )
    return _svg([_grid(-reach, reach, place_y), *drawn], "queries, best gain first", y_label)


def _line(series: Series, colour: str, place_x: Scale, place_y: Scale) -> str:
    path = " ".join(f"{place_x(point.x):.1f},{place_y(point.y):.1f}" for point in series.points)
    parts = [f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>']
    for point in series.points:
        x, y = place_x(point.x), place_y(point.y)
        title = f"<title>{_text(series.name)} {point.x:.4g}: {point.y:.4f}</title>"
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}">{title}</circle>')
        if point.marked:
            parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="8" fill="none" stroke="{colour}" stroke-width="1.5"/>')
        if point.label:
            anchor, shift = ("end", -8) if x > WIDTH * 0.6 else ("start", 8)
            below = -14 if point.marked else 20  # a mark's words are long: they keep clear of the neighbours' labels
            parts.append(
                f'<text x="{x + shift:.1f}" y="{y + below:.1f}" text-anchor="{anchor}">{_text(point.label)}</text>'
            )
    return "".join(parts)


def _grid(low: float, high: float, place_y: Scale) -> str:
    parts = []
    for number in range(5):
        value = low + (high - low) * number / 4
        y = place_y(value)
        parts.append(
            f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="var(--line)"/>'
            f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{value:.2f}</text>'
        )
    return "".join(parts)


def _x_ticks(values: Sequence[float], place_x: Scale) -> str:
    """As many of *values* as fit without touching, the last always."""
    parts: list[str] = []
    drawn: list[float] = []
    last = place_x(values[-1])
    for value in values:
        x = place_x(value)
        if value == values[-1] or (x - (drawn[-1] if drawn else -math.inf) >= TICK_WIDTH and last - x >= TICK_WIDTH):
            drawn.append(x)
            parts.append(f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{value:.3g}</text>')
    return "".join(parts)


def _legend(names: Sequence[str]) -> str:
    parts = []
    for number, name in enumerate(names):
        x = LEFT + number * 96
        parts.append(f'<rect x="{x}" y="6" width="12" height="12" fill="{COLOURS[number % len(COLOURS)]}"/>')
        parts.append(f'<text x="{x + 17}" y="16">{_text(name)}</text>')
    return "".join(parts)


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


def _svg(parts: Sequence[str], x_label: str, y_label: str) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{_text(y_label)} over {_text(x_label)}">'
        f"{''.join(parts)}"
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2:.0f}" y="{HEIGHT - 6}" text-anchor="middle">{_text(x_label)}</text>'
        f'<text transform="translate(11 {(TOP + HEIGHT - BOTTOM) / 2:.0f}) rotate(-90)" text-anchor="middle">'
        f"{_text(y_label)}</text></svg>"
    )


def _text(foreign: str) -> str:
    return escape("".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in foreign))
