"""Read feeds, RSS and Atom: what each entry says, under its title."""

from __future__ import annotations

from html import escape

from rerank_cli.corpus.read import html
from rerank_cli.corpus.read.encoded import without_encoded
from rerank_cli.corpus.read.outline import Outline
from rerank_cli.corpus.read.pinned import PinnedOutline
from rerank_cli.corpus.read.xmlevents import End, Start, Text, events
from rerank_cli.records import Document, Reading

_ENTRIES = frozenset(("item", "entry"))

# Of two texts of an entry, the whole one and a summary of it, the whole one is read.
_TEXTS = ("content:encoded", "content", "description", "summary", "subtitle")
_FIELDS = frozenset((*_TEXTS, "title"))

_CHANNEL_LEVEL, _ENTRY_LEVEL = 1, 2
_HEADINGS_WITHIN = 10  # HTML has six levels


def read(text: str, path: str) -> Reading:
    """A single document, titled as the feed. Raises BrokenXml."""
    feed = _Feed()
    for event in events(text):
        match event:
            case Start():
                feed.start(event)
            case End():
                feed.end(event)
            case Text():
                feed.gather(event)
    blocks = feed.outline.blocks()
    return Reading((Document(path, feed.outline.title, blocks),))


class _Field:
    """A text of an entry, as HTML; it begins on the line `first`."""

    def __init__(self, start: Start) -> None:
        self.name = start.name
        self.plain = start.attributes.get("type") in ("text", "text/plain")
        self.first = self.last = start.line
        self.pieces: list[str] = []

    def add(self, text: str, line: int) -> None:
        if not self.pieces:
            self.first = self.last = line
        self.pieces.append("\n" * (line - self.last) + text)
        self.last = line + text.count("\n")

    @property
    def html(self) -> str:
        return "".join(self.pieces)


class _Feed:
    def __init__(self) -> None:
        self.outline = Outline()
        self._open: list[str] = []
        self._field: _Field | None = None
        self._field_depth = 0
        self._entry_depth = 0
        self._fields: dict[str, _Field] = {}

    def start(self, start: Start) -> None:
        self._open.append(start.name)
        if self._field:
            self._field.add(f"<{start.local}>", start.line)
        elif start.local in _ENTRIES and not self._entry_depth:
            self._hand_over(_CHANNEL_LEVEL)
            self._entry_depth = len(self._open)
        elif start.name in _FIELDS and (not self._entry_depth or len(self._open) == self._entry_depth + 1):
            self._field, self._field_depth = _Field(start), len(self._open)

    def end(self, end: End) -> None:
        depth = len(self._open)
        self._open.pop()
        if self._field and depth > self._field_depth:
            self._field.add(f"</{end.local}>", end.line)
        elif self._field:
            if self._open[-1:] != ["image"]:  # whose title is that of the feed again
                self._fields.setdefault(self._field.name, self._field)
            self._field = None
        elif depth == self._entry_depth:
            self._hand_over(_ENTRY_LEVEL)
            self._entry_depth = 0
        elif depth == 1:
            self._hand_over(_CHANNEL_LEVEL)

    def gather(self, text: Text) -> None:
        if self._field:
            within = self._field.plain or len(self._open) > self._field_depth
            self._field.add(escape(text.text, quote=False) if within else text.text, text.line)

    def _hand_over(self, level: int) -> None:
        """Add the feed's or an entry's title and text."""
        fields, self._fields = self._fields, {}
        if title := fields.get("title"):
            self.outline.heading(level, _words(title), title.first, title.last)
        elif fields and level == _ENTRY_LEVEL:
            self.outline.close(level)
        for name in _TEXTS:
            if (found := fields.get(name)) and found.html.strip():
                html.feed(_Below(self.outline), without_encoded(found.html), found.first)
                self.outline.close(_HEADINGS_WITHIN)
                break


def _words(field: _Field) -> str:
    outline = PinnedOutline()
    html.feed(outline, field.html, 1)
    return " ".join(block.text for block in outline.blocks())


class _Below(Outline):
    """Puts what it is given into another outline, its headings below those of that one."""

    def __init__(self, above: Outline) -> None:
        super().__init__()
        self._above = above

    def heading(self, level: int, text: str, first: int, last: int) -> None:
        self._above.heading(level + _HEADINGS_WITHIN, text, first, last)

    def close(self, level: int) -> None:
        self._above.close(level + _HEADINGS_WITHIN)

    def block(self, text: str, first: int, last: int, *, header: str = "", leads: bool = False) -> None:
        self._above.block(text, first, last, header=header, leads=leads)
