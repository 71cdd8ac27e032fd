"""Read text documents of LibreOffice and others (ODT, OTT): headings, paragraphs, lists, tables, notes, comments.

Places count the paragraphs that have text, from 1, as they come; a row of a table counts as one. Text boxes, charts and
what pictures say of themselves follow the paragraph at which they stand, and so do a note and a comment, with the place
of that paragraph. What was deleted while changes were tracked, headers, footers and the table of contents are left out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from rerank_cli.corpus.read.numbering import BULLET, written
from rerank_cli.corpus.read.opendocument import (
    NO_TEXT,
    PARAGRAPHS,
    blank,
    chart_of,
    clean,
    comment_of,
    embedded,
    fields_of,
    formula_of,
    open_document,
    pieces,
    said_in,
    table_rows,
    text_of,
    title_of,
)
from rerank_cli.corpus.read.package import Package, number, value
from rerank_cli.corpus.read.paragraphs import Paragraphs
from rerank_cli.records import Document, Reading

_INDEXES = frozenset(
    (
        *("table-of-content", "illustration-index", "table-index", "object-index", "user-index"),
        "alphabetical-index",
    )
)

_FORMATS = {"1": "decimal", "a": "lowerLetter", "A": "upperLetter", "i": "lowerRoman", "I": "upperRoman"}


def read(content: bytes, path: str) -> Reading:
    """A single document; its title is what has the style of titles, else its first heading, else its properties'."""
    package = open_document(content)
    body = _Body(package)
    body.learn_styles(package.tree_if_any("styles.xml"))
    for piece in pieces(package, "text"):
        if piece.tag == "automatic-styles":
            body.learn_styles(piece)
        else:
            body.take(piece)
    blocks = body.paragraphs.outline.blocks()
    title = body.paragraphs.title or body.paragraphs.outline.title or title_of(package)
    return Reading((Document(path, title, blocks, fields_of(package)),), tuple(package.notes))


@dataclass(frozen=True, slots=True)
class _List:
    """The list that items stand in: its style, and its level from 1."""

    style: str = ""
    level: int = 0


@dataclass(slots=True)
class _Found:
    """What a paragraph holds: its text, what is embedded or a paragraph of its own in it, notes with their marks."""

    text: list[str] = field(default_factory=list)
    boxes: list[Element] = field(default_factory=list)
    embedded: list[Element] = field(default_factory=list)
    pictures: list[str] = field(default_factory=list)  # what they say of themselves
    notes: list[tuple[str, Element]] = field(default_factory=list)


class _Body:
    """Reads what stands in the body, from top to bottom."""

    def __init__(self, package: Package) -> None:
        self.paragraphs = Paragraphs()
        self._package = package
        self._parents: dict[str, str] = {}  # of styles
        self._levels: dict[tuple[str, int], Element] = {}  # how the items of a list are marked, by style and level
        self._counts: dict[tuple[str, int], int] = {}
        self._notes = 0

    def learn_styles(self, tree: Element) -> None:
        for each in tree.iter():
            if each.tag == "style":
                self._parents[value(each, "name")] = value(each, "parent-style-name")
            elif each.tag == "list-style":
                for level in each:
                    self._levels[value(each, "name"), number(value(level, "level"), 0)] = level

    def take(self, element: Element, within: _List = _List(), mark: str = "") -> str:
        """Read *element*; the first paragraph in it gets *mark*. Gives what is left of the mark."""
        match element.tag:
            case "p" | "h":
                return self._paragraph(element, mark)
            case "list":
                self._list(element, within)
                return ""
            case "table":
                self._table(element)
                return ""
            case tag if tag in NO_TEXT or tag in _INDEXES:
                return mark
        for child in element:
            mark = self.take(child, within, mark)
        return mark

    def _paragraph(self, element: Element, mark: str) -> str:
        found = _Found()
        self._gather(element, found)
        text = clean("".join(found.text))
        text, left = (mark + text, "") if text else ("", mark)
        if element.tag == "h":
            self.paragraphs.heading(max(1, number(value(element, "outline-level"), 1, most=10)), text)
        elif self._is_title(value(element, "style-name")):
            self.paragraphs.heading(0, text)
        else:
            self.paragraphs.add(text)
        self._beside(found)
        return left

    def _is_title(self, style: str) -> bool:
        return "Title" in (style, self._parents.get(style))

    def _beside(self, found: _Found) -> None:
        for mark, note in found.notes:
            self.paragraphs.note(f"{mark} {text_of(note)}" if mark else comment_of(note))
        for box in found.boxes:
            self.take(box)
        for said in found.pictures:
            self.paragraphs.add(said)
        for content in found.embedded:
            if chart := chart_of(content):
                self.paragraphs.add("\n".join(chart.titles))
                self.paragraphs.table(chart.rows)

    def _list(self, element: Element, within: _List) -> None:
        inner = _List(value(element, "style-name") or within.style, within.level + 1)
        if value(element, "continue-numbering") != "true" and not value(element, "continue-list"):
            self._counts.pop((inner.style, inner.level), None)
        for item in element:
            mark = self._mark(item, inner) if item.tag == "list-item" else ""
            for child in item:
                mark = self.take(child, inner, mark)

    def _mark(self, item: Element, within: _List) -> str:
        """The bullet or the number of *item*."""
        kind = self._levels.get((within.style, within.level))
        if kind is None or kind.tag != "list-level-style-number":
            return BULLET
        format = value(kind, "num-format")
        if not format or not any(each.tag != "list" for each in item):
            return ""
        at = (within.style, within.level)
        start = number(value(item, "start-value") or value(kind, "start-value"), 1)
        self._counts[at] = start if value(item, "start-value") else self._counts.get(at, start - 1) + 1
        count = written(self._counts[at], _FORMATS.get(format, "decimal"))
        return f"{value(kind, 'num-prefix')}{count}{value(kind, 'num-suffix', '.')}".strip() + " "

    def _table(self, element: Element) -> None:
        rows = list(table_rows(element))
        if all(len(row) < 2 for row in rows):  # a frame around text
            for cell in (cell for row in rows for cell in row):
                self.take(cell)
            return
        found = []
        lines: list[list[str]] = []
        for row in rows:
            lines.append([])
            for cell in row:
                within = _Found()
                self._gather_all(cell, within)
                found.append(within)
                lines[-1].append(clean("".join(within.text)))
        self.paragraphs.table(lines)
        for each in found:
            self._beside(each)

    def _gather(self, element: Element, found: _Found) -> None:
        """The text of a paragraph, and apart from it what is a paragraph of its own."""
        found.text.append((element.text or "").replace("\n", " "))
        if element.tag == "frame":
            found.pictures.append(said_in(element))
        for child in element:
            if child.tag in PARAGRAPHS:
                found.boxes.append(child)
            elif child.tag == "note":
                self._note(child, found)
            elif child.tag == "annotation":
                found.notes.append(("", child))
            elif child.tag == "object":
                content = embedded(self._package, child)
                found.text.append(formula_of(content))
                found.embedded.append(content)
            elif child.tag not in NO_TEXT:
                found.text.append(blank(child))
                self._gather(child, found)
            found.text.append((child.tail or "").replace("\n", " "))

    def _gather_all(self, cell: Element, found: _Found) -> None:
        """The text of all paragraphs in *cell*."""
        for child in cell:
            if child.tag in ("p", "h"):
                self._gather(child, found)
                found.text.append("\n")
            elif child.tag not in NO_TEXT:
                self._gather_all(child, found)

    def _note(self, note: Element, found: _Found) -> None:
        self._notes += 1
        mark = f"[{self._notes}]"
        found.text.append(mark)
        found.notes.append((mark, note))
