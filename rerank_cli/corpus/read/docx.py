"""Read documents of Word (DOCX, DOCM and templates): headings, paragraphs, lists, tables, notes, comments, text boxes.

Places count the paragraphs that have text, from 1, as they come in the body; a row of a table counts as one. Text
boxes, charts, diagrams and what pictures say of themselves follow the paragraph at which they stand, and so do a note
and a comment, with the place of that paragraph. What was deleted while changes were tracked, headers, footers and the
table of contents are left out.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from rerank_cli.corpus.read.charts import charts_in, diagrams_in, lines_of
from rerank_cli.corpus.read.errors import Unreadable
from rerank_cli.corpus.read.numbering import Numbering
from rerank_cli.corpus.read.ooxml import fields_of, main_part, related, relations, title_of
from rerank_cli.corpus.read.package import Package, number, shown, value
from rerank_cli.corpus.read.paragraphs import Paragraphs
from rerank_cli.corpus.read.pictures import said_within
from rerank_cli.records import Document, Reading

_OPENED = frozenset(("document", "body"))

_NOTES = {"footnoteReference": "footnotes", "endnoteReference": "endnotes", "commentReference": "comments"}

# What holds no text of the document: properties, what was deleted, how a word is pronounced, old forms of pictures.
_NO_TEXT = frozenset(
    (
        *("pPr", "rPr", "sdtPr", "sdtEndPr", "tblPr", "tblGrid", "trPr", "tcPr"),
        *("del", "moveFrom", "instrText", "delText", "rt"),
    )
)

_LINES = {"tab": " ", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}

_BODY_LEVEL = 9
_NAMED_LEVELS = {"title": 0, **{f"heading {level}": level for level in range(1, 10)}}

# Styles may be based on one another in a circle.
_MAX_STYLES = 20


def read(content: bytes, path: str) -> Reading:
    """A single document; its title is what has the style of titles, else its first heading, else its properties'."""
    package = Package(content)
    main = main_part(package, "word/document.xml")
    body = _Body(package, main)
    found = False
    for element in package.pieces(main, _OPENED):
        found = found or element.tag == "body"
        body.take(element)
    if not found:
        raise Unreadable("holds no document of Word, which its name promises")
    blocks = body.paragraphs.outline.blocks()
    title = body.paragraphs.title or body.paragraphs.outline.title or title_of(package)
    return Reading((Document(path, title, blocks, fields_of(package)),), tuple(package.notes))


@dataclass(frozen=True, slots=True)
class _Style:
    """What a style says of its paragraphs: of which level, if any, and which list they are."""

    name: str = ""
    level: int | None = None
    list_id: str = ""
    list_level: int | None = None


@dataclass(slots=True)
class _Found:
    """What a paragraph holds: its text, text boxes, drawings, and notes with their marks."""

    text: list[str] = field(default_factory=list)
    boxes: list[Element] = field(default_factory=list)
    drawings: list[Element] = field(default_factory=list)
    pictures: list[str] = field(default_factory=list)  # what they say of themselves
    notes: list[tuple[str, Element]] = field(default_factory=list)

    @property
    def line(self) -> str:
        return "\n".join(" ".join(line.split()) for line in "".join(self.text).split("\n")).strip()


class _Body:
    """Reads what stands in the body, from top to bottom."""

    def __init__(self, package: Package, main: str) -> None:
        self.paragraphs = Paragraphs()
        self._styles = _styles(package.tree_if_any(related(package, main, "styles")))
        self._numbering = Numbering(package.tree_if_any(related(package, main, "numbering")))
        self._notes = {
            (kind, value(note, "id")): note
            for kind in _NOTES.values()
            for note in package.tree_if_any(related(package, main, kind))
        }
        self._note_marks = 0
        self._package = package
        self._parts = relations(package, main)

    def take(self, element: Element) -> None:
        """Read *element*, which stands in the body or in what is like one."""
        if element.tag == "p":
            self._paragraph(element)
        elif element.tag == "tbl":
            self._table(element)
        elif element.tag not in _NO_TEXT and not _is_placeholder(element):
            for child in shown(element):
                self.take(child)

    def _paragraph(self, element: Element) -> None:
        found = self._found_in(element)
        properties = element.find("pPr")
        style = self._styles.get(value(_child(properties, "pStyle"), "val"), _Style())
        level = _level(properties, style)
        if style.name.startswith(("toc ", "contents ")):
            return
        text = found.line
        if text:
            text = self._mark(properties, style) + text
        if level is None:
            self.paragraphs.add(text)
        else:
            self.paragraphs.heading(level, text)
        self._beside(found)

    def _beside(self, found: _Found) -> None:
        """The notes, the text boxes, the pictures, the charts and the diagrams of what was just read."""
        for mark, note in found.notes:
            inner = self._found_in(note)
            self.paragraphs.note(f"{mark} {inner.line}" if inner.line else "")
        for box in found.boxes:
            for child in shown(box):
                self.take(child)
        for said in found.pictures:
            self.paragraphs.add(said)
        for drawing in found.drawings:
            for point in diagrams_in(self._package, drawing, self._parts):
                self.paragraphs.add("\n".join(lines_of(point)))
            for chart in charts_in(self._package, drawing, self._parts):
                self.paragraphs.add("\n".join(chart.titles))
                self.paragraphs.table(chart.rows)

    def _mark(self, properties: Element | None, style: _Style) -> str:
        """The bullet or the number in front of a paragraph."""
        own = _child(properties, "numPr")
        list_id = value(_child(own, "numId"), "val", style.list_id)
        at = value(_child(own, "ilvl"), "val")
        return self._numbering.mark(list_id, number(at, style.list_level or 0))

    def _table(self, element: Element) -> None:
        rows = list(_rows(element))
        cells = [list(_cells(row)) for row in rows]
        if all(len(row) < 2 for row in cells):  # a frame around text
            for framed in (cell for row in cells for cell in row):
                for child in shown(framed):
                    self.take(child)
            return
        found = [[self._found_in(cell) for cell in row] for row in cells]
        self.paragraphs.table([[each.line for each in row] for row in found])
        for each in (each for row in found for each in row):
            self._beside(each)

    def _found_in(self, element: Element) -> _Found:
        found = _Found()
        self._gather(element, found)
        return found

    def _gather(self, element: Element, found: _Found) -> None:
        for child in shown(element):
            tag = child.tag
            if tag == "t":
                found.text.append(child.text or "")
            elif tag in _LINES:
                found.text.append(_LINES[tag])
            elif tag in _NOTES:
                self._note(child, found)
            elif tag == "txbxContent":
                found.boxes.append(child)
            elif tag == "docPr":
                found.pictures.append(said_within(child))
            elif tag in ("chart", "relIds"):
                found.drawings.append(child)
            elif tag in _NO_TEXT or _is_hidden(child) or _is_placeholder(child):
                continue
            else:
                self._gather(child, found)
                if tag in ("p", "tc"):
                    found.text.append("\n")

    def _note(self, reference: Element, found: _Found) -> None:
        note = self._notes.pop((_NOTES[reference.tag], value(reference, "id")), None)
        if note is not None and note.tag == "comment":  # which has no number on the page
            found.notes.append(("", note))
        elif note is not None:
            self._note_marks += 1
            mark = f"[{self._note_marks}]"
            found.text.append(mark)
            found.notes.append((mark, note))


def _child(element: Element | None, tag: str) -> Element | None:
    return None if element is None else element.find(tag)


def _rows(table: Element) -> Iterator[Element]:
    for child in shown(table):
        if child.tag == "tr":
            if child.find("trPr/del") is None:
                yield child
        elif child.tag not in _NO_TEXT:
            yield from _rows(child)


def _cells(row: Element) -> Iterator[Element]:
    for child in shown(row):
        if child.tag == "tc":
            yield child
        elif child.tag not in _NO_TEXT:
            yield from _cells(child)


def _is_on(element: Element | None) -> bool:
    return element is not None and value(element, "val", "1") not in ("0", "false", "off")


def _is_hidden(run: Element) -> bool:
    return run.tag == "r" and _is_on(run.find("rPr/vanish"))


def _is_placeholder(control: Element) -> bool:
    """Whether *control* only asks for something to be typed."""
    return control.tag == "sdt" and _is_on(control.find("sdtPr/showingPlcHdr"))


def _level(properties: Element | None, style: _Style) -> int | None:
    """The level of a heading, counted from 1, 0 that of a title, or None."""
    own = _child(properties, "outlineLvl")
    if own is None:
        return style.level
    level = number(value(own, "val"), _BODY_LEVEL)
    return level + 1 if level < _BODY_LEVEL else None


def _styles(tree: Element) -> dict[str, _Style]:
    """All styles of paragraphs by their ids, each with what it has from those it is based on."""
    written = {value(each, "styleId"): each for each in tree if each.tag == "style"}
    return {id: _style(id, written) for id in written}


def _style(id: str, written: dict[str, Element]) -> _Style:
    chain: deque[Element] = deque()
    while id in written and len(chain) < _MAX_STYLES:
        chain.appendleft(written[id])
        id = value(written[id].find("basedOn"), "val")
    name, level, list_id, list_level = "", None, "", None
    for each in chain:
        name = value(each.find("name"), "val").casefold()
        level = _NAMED_LEVELS.get(name, level)
        outline = each.find("pPr/outlineLvl")
        if outline is not None:
            at = number(value(outline, "val"), _BODY_LEVEL)
            level = at + 1 if at < _BODY_LEVEL else None
        list_id = value(each.find("pPr/numPr/numId"), "val", list_id)
        written_level = value(each.find("pPr/numPr/ilvl"), "val")
        list_level = number(written_level, 0) if written_level else list_level
    return _Style(name, level, list_id, list_level)
