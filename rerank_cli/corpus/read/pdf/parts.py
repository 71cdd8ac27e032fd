"""A part of a page: a paragraph, an item of a list, a table or a listing, and what it begins with."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from rerank_cli.corpus.read.pdf.characters import BROKEN_WORD, joined
from rerank_cli.corpus.read.pdf.lines import Line, text_of
from rerank_cli.corpus.read.pdf.marks import begins_closely
from rerank_cli.corpus.read.pdf.tables import Table

Kind = Literal["text", "table", "listing", "scraps"]

_BULLETS = (
    "•◦▪‣●○◉■□◆◇❑▷▶▸►➢➤➔✓❖∙·⁃⁻⚫⚪⬤◼◾"  # noqa: RUF001
    "\uf0b7\uf0a7\uf0d8\uf0fc\uf076\uf0a8\uf06c\uf06e\uf075"  # of Symbol and Wingdings, which have those of Word
)
_BULLET = re.compile(rf"[{_BULLETS}]\s*|[–—*\uf020-\uf0ff-]\s+")  # noqa: RUF001
_MARKER = re.compile(
    r"(?:\d{1,2}(?:\.\d{1,2})+[:)]|\(?(?:\d{1,3}|[a-zA-Z]|[ivx]{1,5})[.)]|\[\d{1,4}\]|\*{1,3}|[–—-])\s+|[①-⑳㈠-㈩]"  # noqa: RUF001
)

_CAPTION = re.compile(r"(?:figure|fig\.|table|tab\.|tabelle|abb\.|abbildung|listing|[图圖図表])\s*\d", re.IGNORECASE)


@dataclass(frozen=True)
class Part:
    """Lines that belong together, in order."""

    lines: tuple[Line, ...]
    kind: Kind = "text"
    table: Table | None = None

    @property
    def first_page(self) -> int:
        return self.lines[0].page

    @property
    def last_page(self) -> int:
        return self.lines[-1].page

    @property
    def size(self) -> float:
        return max(line.size for line in self.lines)

    @property
    def is_item(self) -> bool:
        """Whether it begins with the mark of an item of a list."""
        return begins_item(self.lines[0].text)

    @property
    def is_caption(self) -> bool:
        """Whether it begins as what stands at a figure or a table."""
        return begins_caption(self.lines[0].text)

    @cached_property
    def bold(self) -> bool:
        return all(line.bold for line in self.lines)

    @cached_property
    def left(self) -> float:
        return min(line.left for line in self.lines)

    @cached_property
    def right(self) -> float:
        return max(line.right for line in self.lines)

    @cached_property
    def top(self) -> float:
        return min(line.top for line in self.lines)

    @cached_property
    def bottom(self) -> float:
        return max(line.y for line in self.lines)

    def text(self, hyphenated: frozenset[str]) -> str:
        """What it says. *hyphenated* are the words of the document that are written with a hyphen."""
        if self.table:
            return "\n".join(self.table.shown())
        if self.kind == "scraps":
            return self._by_line(hyphenated)
        if self.kind == "listing":
            return "\n".join(self._indented())
        text = text_of(self.lines, hyphenated)
        bullet = _BULLET.match(text)
        return f"- {text[bullet.end() :]}" if bullet else text

    def _by_line(self, hyphenated: frozenset[str]) -> str:
        first, *others = self.lines
        text = first.text
        for line in others:
            is_parted = text.endswith(BROKEN_WORD)
            text = joined(text, line.text, hyphenated) if is_parted else f"{text}\n{line.text}"
        return text.replace(BROKEN_WORD, "-")

    def _indented(self) -> Iterator[str]:
        for line in self.lines:
            width = max(0.1, (line.right - line.left) / max(1, len(line.text)))
            yield " " * min(80, round((line.left - self.left) / width)) + line.text.replace(BROKEN_WORD, "-")


def begins_item(text: str) -> bool:
    """Whether *text* begins with the mark of an item of a list."""
    return has_bullet(text) or has_mark(text)


def has_mark(text: str) -> bool:
    """Whether *text* begins with a number or letter of an item, or with a dash."""
    return _MARKER.match(text) is not None or begins_closely(text)


def has_bullet(text: str) -> bool:
    """Whether *text* begins with a bullet. Any sign of a font of signs that stands alone there is one."""
    return text[0] in _BULLETS or ("\uf020" <= text[0] <= "\uf0ff" and text[1:2] == " ")


def begins_caption(text: str) -> bool:
    """Whether *text* begins as what stands at a figure or a table."""
    return _CAPTION.match(text) is not None
