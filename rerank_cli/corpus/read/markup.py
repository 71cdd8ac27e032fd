"""What readers of markup have in common: numbered lines, links with their targets, and tables as rows."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from rerank_cli.corpus.read.outline import Outline


@dataclass(frozen=True, slots=True)
class Line:
    """A line, or what is left of it, and its number in the file."""

    number: int
    text: str

    @property
    def indent(self) -> int:
        return len(self.text) - len(self.text.lstrip(" "))


Lines = Sequence[Line]


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of a table's row, which begins at a line."""

    number: int
    cells: tuple[str, ...]


def numbered(text: str, *, tab_columns: int = 0) -> list[Line]:
    """The lines of *text* without the blanks at their ends; tabs expanded if they have columns."""
    lines = (line.expandtabs(tab_columns) if tab_columns else line for line in text.split("\n"))
    return [Line(number, line.rstrip()) for number, line in enumerate(lines, start=1)]


def dedented(lines: Lines) -> list[Line]:
    """*lines* without the indentation that all of them have."""
    columns = min((line.indent for line in lines if line.text), default=0)
    return [replace(line, text=line.text[columns:]) for line in lines]


def linked(text: str, target: str) -> str:
    """*text* and in parentheses where it leads, unless that is what it says or a place in the same document."""
    if not text.strip() or not target or target.startswith("#") or _bare(target) == _bare(text):
        return text or target
    return f"{text} ({target})"


def _bare(target: str) -> str:
    """An address without what people leave out when they write it."""
    return target.strip().removeprefix("mailto:").removeprefix("https://").removeprefix("http://").rstrip("/")


def by_columns(text: str) -> str:
    """*text* with a NUL after each wide character, which takes two columns: so places in it are columns."""
    if text.isascii():
        return text
    return "".join(f"{each}\0" if unicodedata.east_asian_width(each) in "WF" else each for each in text)


def put_verbatim(outline: Outline, lines: Lines) -> None:
    """Add *lines*, which follow each other in the file, as they stand."""
    if lines:
        outline.verbatim("\n".join(line.text for line in lines), lines[0].number)


def put_table(outline: Outline, rows: Iterable[Row], *, heads: int = 0, last: int = 0) -> None:
    """Add *rows*, the first *heads* of which every part of the table repeats; *last* is the line where it ends."""
    written: dict[int, str] = {}
    header: list[str] = []
    for at, row in enumerate(rows):
        text = " | ".join(" ".join(cell.split()) for cell in row.cells)
        if at < heads:
            header.append(text)
        if text.strip(" |"):
            written[row.number] = f"{written[row.number]} | {text}" if row.number in written else text
    if not written:
        return
    first, begun = min(written), max(written)
    last = max(begun, last)
    if begun - first == len(written) - 1 and last - begun <= 1:  # which is the mark that ends the table
        last = begun
    outline.table(sorted(written.items()), last, header="\n".join(header) if len(written) > heads else "")


def keeping_lines(found: re.Match[str], text: str) -> str:
    """*text*, which stands for what was *found*, with as many line ends as that has."""
    return text + "\n" * (found[0].count("\n") - text.count("\n"))
