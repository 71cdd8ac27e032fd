"""Read what is written in XML for people, such as DocBook: its paragraphs, lists and tables, under its titles."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, field

from rerank_cli.corpus.read.encoded import without_encoded
from rerank_cli.corpus.read.outline import Outline
from rerank_cli.corpus.read.xmlevents import End, Start, Text, events
from rerank_cli.records import Document, Reading

_TITLES = frozenset(("title", "head", "article-title", "bridgehead", "refentrytitle"))

# A title in one of these is that of what it stands in.
_ABOUT = frozenset(("title-group", "article-meta", "front", "titleStmt", "fileDesc", "teiHeader", "refmeta", "prolog"))

_VERBATIM = frozenset(
    ("programlisting", "screen", "literallayout", "synopsis", "codeblock", "preformat", "msgblock", "pre", "eg")
)
_ITEMS = frozenset(("listitem", "list-item", "item", "li", "step", "callout"))
_NUMBERED = frozenset(("orderedlist", "procedure", "ol", "steps", "substeps"))
_TABLES = frozenset(("table", "informaltable", "tgroup"))
_ROWS = frozenset(("row", "tr", "strow", "sthead"))
_CELLS = frozenset(("entry", "td", "th", "cell", "stentry"))
_HEADER = frozenset(("thead", "sthead"))
_ASIDES = frozenset(("footnote", "fn"))

# What is a line of its own, such as a person, whose names are elements, or a work in a list of works.
_LINES = frozenset(
    (
        *("author", "editor", "othercredit", "contrib", "copyright", "revision", "address"),
        *("biblioentry", "bibliomixed", "ref", "biblStruct", "cmdsynopsis", "funcprototype", "methodsynopsis"),
    )
)

# For programs; and what a journal says of itself in each of its articles.
_UNSEEN = frozenset(
    (
        *("indexterm", "index-term", "remark", "comment", "draft-comment", "script", "style", "tex-math"),
        *("journal-meta", "article-id", "contrib-id", "pub-date", "history", "permissions", "counts"),
    )
)
_BLOCKS = _TITLES | _VERBATIM | _ITEMS | _TABLES | _ROWS | _CELLS | _ASIDES | _LINES

# Deeper than any person writes. Each block carries the titles above it.
_MOST_LEVELS = 30


def read(text: str, path: str, *, inline: Set[str]) -> Reading:
    """A single document; the elements *inline* stand within paragraphs, and all others are blocks.

    Raises BrokenXml.
    """
    outline = Outline()
    page = _Page(outline, inline - _BLOCKS)
    for event in events(text):
        match event:
            case Start():
                page.start(event.local, event.line)
            case End():
                page.end(event.local)
            case Text():
                page.gather(event.text, event.line)
    blocks = outline.blocks()
    return Reading((Document(path, outline.title, blocks),))


class _Gathered:
    """Text of a block, with a newline for each one of the source since it began."""

    def __init__(self) -> None:
        self.first = self.last = 1
        self.written = False  # whether anything of it is more than blank
        self._pieces: list[str] = []

    def add(self, text: str, line: int) -> None:
        if not self.written:
            if not text.strip():
                return
            self.first = self.last = line
            self.written = True
        self._pieces.append("\n" * (line - self.last) + text)
        self.last = line + text.count("\n")

    @property
    def text(self) -> str:
        return "".join(self._pieces)

    @property
    def flowing(self) -> str:
        return "\n".join(" ".join(line.split()) for line in self.text.split("\n"))


@dataclass(slots=True)
class _Table:
    """A table that is open. `header` is the first row of its head."""

    last: int
    rows: list[tuple[int, str]] = field(default_factory=list)
    header: str = ""
    in_header: bool = False

    def add(self, row: str, first: int, last: int, *, is_header: bool) -> None:
        if not self.rows and is_header:
            self.header = row
        self.last = last
        self.rows.append((first, row))


class _Page:
    def __init__(self, outline: Outline, inline: Set[str]) -> None:
        self._outline = outline
        self._inline = inline
        self._open: list[str] = []
        self._unseen = 0  # how many elements are open that hide text
        self._verbatim = 0
        self._gathered = _Gathered()
        self._around: list[_Gathered] = []  # what goes on when an aside ends
        self._marker = ""
        self._counts: list[int | None] = []  # of the items in each open list; None where they have no numbers
        self._table: _Table | None = None
        self._tables = 0  # how many tables are open, one in another
        self._line_depth = 0  # of the row, or whatever else is one line, that is open

    def start(self, name: str, line: int) -> None:
        self._open.append(name)
        self._unseen += name in _UNSEEN
        if self._unseen or name in self._inline:
            return
        if name in _ASIDES:
            self._around.append(self._gathered)
            self._gathered = _Gathered()
        elif self._line_depth:
            if self._gathered.written:
                self._gathered.add(" | " if name in _CELLS else " ", line)
        else:
            self._end_block("")
            self._begin(name, line)

    def end(self, name: str) -> None:
        depth = len(self._open)
        self._open.pop()
        if self._unseen or name in self._inline:
            self._unseen -= name in _UNSEEN
        elif name in _ASIDES:
            self._end_aside()
        elif not self._line_depth:
            self._end_block(name)
            self._end(name)
            if not _is_about(name):
                self._outline.close(min(depth, _MOST_LEVELS))
        elif depth == self._line_depth:
            self._end_line(name)

    def gather(self, text: str, line: int) -> None:
        if not self._unseen:
            self._gathered.add(text, line)

    def _begin(self, name: str, line: int) -> None:
        if name in _VERBATIM:
            self._verbatim += 1
        elif name in _TABLES:
            self._tables += 1
            self._table = self._table or _Table(line)
        elif name in _LINES or (name in _ROWS and self._table):
            self._line_depth = len(self._open)
        elif name in _ITEMS:
            self._begin_item()
        elif _is_list(name):
            self._counts.append(0 if name in _NUMBERED else None)
        if name in _HEADER and self._table:
            self._table.in_header = True

    def _end(self, name: str) -> None:
        if name in _VERBATIM:
            self._verbatim -= 1
        elif name in _TABLES:
            self._end_table()
        elif name in _ITEMS:
            self._marker = ""
        elif _is_list(name):
            self._counts.pop()
        if name in _HEADER and self._table:
            self._table.in_header = False

    def _begin_item(self) -> None:
        self._marker = "- "
        if self._counts and (count := self._counts[-1]) is not None:
            self._counts[-1] = count + 1
            self._marker = f"{count + 1}. "

    def _end_block(self, name: str) -> None:
        """Hand over what was gathered, as a title if it ends with the element *name* of one."""
        gathered, self._gathered = self._gathered, _Gathered()
        if not gathered.written:
            return
        if name in _TITLES:
            self._outline.heading(self._level(), gathered.flowing, gathered.first, gathered.last)
            return
        text = without_encoded(gathered.text if self._verbatim else gathered.flowing)
        marker, self._marker = self._marker, ""
        self._outline.block(marker + text, gathered.first, gathered.last)

    def _level(self) -> int:
        """The depth of the element that has the title which just ended."""
        depth = len(self._open)
        while depth > 1 and _is_about(self._open[depth - 1]):
            depth -= 1
        return min(max(1, depth), _MOST_LEVELS)

    def _end_aside(self) -> None:
        """A footnote is a block before the one that it stands in; within a line it is a part of it."""
        if not self._line_depth:
            self._end_block("")
        aside, self._gathered = self._gathered, self._around.pop()
        if aside.written:
            self._gathered.add(f" ({aside.flowing})", aside.first)

    def _end_line(self, name: str) -> None:
        self._line_depth = 0
        gathered, self._gathered = self._gathered, _Gathered()
        line = " ".join(without_encoded(gathered.text).split())
        if not self._table:
            self._outline.block(line, gathered.first, gathered.last)
        elif line:
            self._table.add(line, gathered.first, gathered.last, is_header=self._table.in_header or name in _HEADER)

    def _end_table(self) -> None:
        self._tables -= 1
        if not self._tables and self._table:
            table, self._table = self._table, None
            if table.rows:
                self._outline.table(table.rows, table.last, header=table.header)


def _is_about(name: str) -> bool:
    return name.endswith("info") or name in _ABOUT


def _is_list(name: str) -> bool:
    return name.endswith("list") or name in _NUMBERED
