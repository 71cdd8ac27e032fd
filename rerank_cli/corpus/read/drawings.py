"""Read drawings, SVG, draw.io and Excalidraw: the words in them."""

from __future__ import annotations

import base64
import binascii
import json
import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import unquote

from rerank_cli.characters import whole_characters
from rerank_cli.corpus.read import html, markdown
from rerank_cli.corpus.read.encoded import without_encoded
from rerank_cli.corpus.read.errors import Unreadable
from rerank_cli.corpus.read.outline import Outline
from rerank_cli.corpus.read.pinned import PinnedOutline
from rerank_cli.corpus.read.xmlevents import BrokenXml, End, Event, Start, Text, events
from rerank_cli.records import Document, Reading

_SVG_WORDS = frozenset(("title", "desc", "text", "flowRoot", "foreignObject"))
_SVG_UNSEEN = frozenset(("style", "script", "metadata"))
_SVG_LINES = frozenset(("flowPara", "p", "div", "br", "li"))
_SVG_MOVES = frozenset(("x", "y", "dy"))  # a part of a text that stands elsewhere is no part of the same word

# Of pages of draw.io that are packed.
_MOST_PAGE_BYTES = 20_000_000

_FRONT_MATTER = re.compile(r"\A---[ \t]*\n.*?^---[ \t]*$", re.DOTALL | re.MULTILINE)

# What the plugin for Obsidian writes around the texts of a drawing.
_PLUGIN_LINE = re.compile(
    r"^(?:==⚠ .*|#{1,2} (?:Excalidraw Data|Text Elements|Element Links)[ \t]*|%%[ \t]*)$", re.MULTILINE
)
_BLOCK_ID = re.compile(r" \^[\w-]{4,40}$", re.MULTILINE)
_DRAWN_SECTION = re.compile(r"^#{1,2} (?:Drawing|Embedded [Ff]iles)[ \t]*$", re.MULTILINE)


_JSON_WORDS = re.compile(r'"(?:originalText|text|name)"\s*+:\s*+("(?>(?:[^"\\]++|\\.)*)")')


def read(text: str, path: str) -> Reading:
    """A single document of the words in an SVG or a draw.io file; what follows a fault is left out, which is told."""
    faults: list[str] = []
    notes: list[str] = []
    outline = Outline()
    title = _add(_without_fault(text, faults), outline, notes)
    return Reading((Document(path, title, outline.blocks()),), (*notes, *faults), damaged=bool(faults))


def read_excalidraw(text: str, path: str) -> Reading:
    """A single document of the words in an Excalidraw file, on the lines where they stand. Raises Unreadable."""
    outline = Outline()
    lines = _lines_of_strings(text)
    for shown in _excalidraw_texts(text):
        at = lines.get(shown, 1)
        outline.block(without_encoded(shown), at, at)
    return Reading((Document(path, "", outline.blocks()),))


def read_excalidraw_note(text: str, path: str) -> Reading:
    """As the plugin for Obsidian keeps a drawing: a Markdown file with the texts, and the drawing below them."""
    text = _FRONT_MATTER.sub(_blank_lines, text, count=1)
    if drawn := _DRAWN_SECTION.search(text):
        text = text[: drawn.start()]
    return markdown.read(_BLOCK_ID.sub("", _PLUGIN_LINE.sub("", text)), path)


def _blank_lines(found: re.Match[str]) -> str:
    return "\n" * found[0].count("\n")


def _without_fault(text: str, faults: list[str]) -> Iterator[Event]:
    try:
        yield from events(text)
    except BrokenXml as fault:
        faults.append(f"{fault}: what follows was not read")


def _add(found: Iterable[Event], outline: Outline, notes: list[str]) -> str:
    """Add the words of a drawing to *outline*; its title."""
    drawing = _Svg(outline)
    for event in found:
        if isinstance(event, Start) and event.local in ("mxfile", "mxGraphModel"):
            return _add_diagrams(found, outline, notes)
        drawing.take(event)
    drawing.end()
    return drawing.title


@dataclass(slots=True)
class _Words:
    """What is gathered of an element that has words."""

    name: str
    depth: int
    first: int
    last: int
    pieces: list[str]


class _Svg:
    def __init__(self, outline: Outline) -> None:
        self.title = ""
        self._outline = outline
        self._depth = 0
        self._unseen = 0
        self._words: _Words | None = None

    def take(self, event: Event) -> None:
        match event:
            case Start():
                self._depth += 1
                self._unseen += event.local in _SVG_UNSEEN
                if self._words and (event.local in _SVG_LINES or not _SVG_MOVES.isdisjoint(event.attributes)):
                    self._words.pieces.append(" ")
                elif not self._words and not self._unseen and event.local in _SVG_WORDS:
                    self._words = _Words(event.local, self._depth, event.line, event.line, [])
            case End():
                self._unseen -= event.local in _SVG_UNSEEN
                if self._words and self._words.depth == self._depth:
                    self.end()
                self._depth -= 1
            case Text() if self._words and not self._unseen:
                if not self._words.pieces:
                    self._words.first = event.line
                self._words.last = event.line
                self._words.pieces.append(event.text)

    def end(self) -> None:
        """Hand over what was gathered, if there is any."""
        words, self._words = self._words, None
        if words is None:
            return
        text = " ".join(without_encoded("".join(words.pieces)).split())
        if words.name == "title" and words.depth == 2 and not self.title:
            self.title = text
        self._outline.block(text, words.first, words.last)


def _add_diagrams(found: Iterable[Event], outline: Outline, notes: list[str]) -> str:
    """The labels of a draw.io file, under the names of its pages, which may be packed."""
    page: _Words | None = None
    depth = pages = unread = 0
    unpacking = _Unpacking()
    for event in found:
        match event:
            case Start():
                depth += 1
                if event.local == "diagram":
                    pages += 1
                    page = _Words("diagram", depth, event.line, event.line, [])
                    outline.heading(1, event.attributes.get("name", ""), event.line, event.line)
                else:
                    _add_label(event, outline, event.line)
            case Text() if page:
                page.pieces.append(event.text.strip())
            case End():
                if page and depth == page.depth:
                    unread += not unpacking.add("".join(page.pieces), outline, page.first)
                    page = None
                depth -= 1
    if unread:
        notes.append(f"{unread} of {pages} pages are packed in a way that cannot be read")
    return ""


def _add_label(start: Start, outline: Outline, line: int) -> None:
    """The label of a shape, which is HTML."""
    label = start.attributes.get("label") or start.attributes.get("value", "")
    if start.local in ("mxCell", "object", "UserObject") and label.strip():
        shown = PinnedOutline()
        html.feed(shown, without_encoded(label), 1)
        outline.block(" ".join(" ".join(block.text for block in shown.blocks()).split()), line, line)


class _Unpacking:
    """Unpacks the pages of a file, all together no more than a drawing of a person has."""

    def __init__(self) -> None:
        self._bytes_left = _MOST_PAGE_BYTES

    def add(self, packed: str, outline: Outline, line: int) -> bool:
        """Add the labels of a page that stands on *line*; whether it could be read."""
        if not packed:
            return True
        try:
            unpacking = zlib.decompressobj(-zlib.MAX_WBITS)
            unpacked = unpacking.decompress(base64.b64decode(packed), max(1, self._bytes_left))
            self._bytes_left -= len(unpacked)
            for event in events(unquote(unpacked.decode())):
                if isinstance(event, Start):
                    _add_label(event, outline, line)
        except (binascii.Error, zlib.error, ValueError, BrokenXml):
            return False
        return True


def _excalidraw_texts(text: str) -> Iterator[str]:
    if not text.strip():
        return
    try:
        drawing = json.loads(text, parse_int=str, parse_float=str)
    except json.JSONDecodeError as error:
        raise Unreadable(f"line {error.lineno}: not valid JSON, cut off perhaps ({error.msg})") from error
    if not isinstance(drawing, dict) or not isinstance(drawing.get("elements"), list):
        raise Unreadable("no drawing: it has no elements")
    for element in drawing["elements"]:
        if isinstance(element, dict) and element.get("isDeleted") is not True:
            for name in ("name", "originalText" if "originalText" in element else "text"):
                if isinstance(shown := element.get(name), str) and shown.strip():
                    yield whole_characters(shown)


def _lines_of_strings(text: str) -> dict[str, int]:
    """Where each string under a key that may hold words stands first in a JSON text."""
    lines: dict[str, int] = {}
    line, place = 1, 0
    for found in _JSON_WORDS.finditer(text):
        line += text.count("\n", place, found.start())
        place = found.start()
        try:
            lines.setdefault(whole_characters(json.loads(found[1])), line)
        except ValueError:
            continue
    return lines
