"""A table whose rows have lines of their own below them, such as a path that no column would hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TextIO

from rerank_cli.cells import cells, middle_left_out, wrapped
from rerank_cli.cli.terminal import console, printable, width_of

GAP = "  "

RIGHT = ("size", "updated")
"""Columns whose cells stand to the right."""


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of a row, the first of which names it; below it a path, and what else is told in words."""

    cells: Sequence[str]
    path: str
    told: Sequence[str]


def print_table(head: Sequence[str], rows: Sequence[Row], stream: TextIO) -> None:
    """Print a table that fits the terminal; elsewhere it is as wide as it needs."""
    from rich.text import Text  # which knows how a terminal is told to write bold

    printer = console(stream)
    with printer:  # it writes all of it at once
        for line, bold in table_lines(head, rows, width=width_of(stream)):
            printer.print(Text(line, style="bold" if bold else ""), soft_wrap=True)


def table_lines(head: Sequence[str], rows: Sequence[Row], *, width: int | None) -> Iterator[tuple[str, bool]]:
    """The lines of the table, none of them wider than *width*, and of each whether it stands out."""
    right = [name in RIGHT for name in head]
    grid = [tuple(map(printable, row)) for row in (head, *(row.cells for row in rows))]
    widths = [max(map(cells, column)) for column in zip(*grid, strict=True)]
    if width is not None:
        widths[0] = min(widths[0], width - sum(len(GAP) + taken for taken in widths[1:]))
    yield _aligned(grid[0], widths, right), True
    yield "─" * (width or sum(widths) + len(GAP) * (len(widths) - 1)), False
    for row, shown in zip(rows, grid[1:], strict=True):
        yield _aligned(shown, widths, right), True
        yield from ((line, False) for line in _below(row, width))


def _below(row: Row, width: int | None) -> Iterator[str]:
    path = printable(row.path)
    if path:
        yield GAP + (path if width is None else middle_left_out(path, width - len(GAP)))
    for text in filter(None, map(printable, row.told)):
        yield from (GAP + line for line in ([text] if width is None else wrapped(text, width - len(GAP))))


def _aligned(row: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    aligned = []
    for cell, width, to_the_right in zip(row, widths, right, strict=True):
        shown = middle_left_out(cell, width)
        blanks = " " * (width - cells(shown))
        aligned.append(blanks + shown if to_the_right else shown + blanks)
    return GAP.join(aligned).rstrip()
