"""Read presentations of LibreOffice and others (ODP and templates): each slide is a section under its title.

Places count slides from 1 in the order in which they are shown, hidden ones included. What the speaker notes stands
under "Notes", and what others remarked on the slide follows it. The number, the date and the footer, which each slide
repeats, are left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from rerank_cli.corpus.read.numbering import BULLET
from rerank_cli.corpus.read.opendocument import (
    NO_TEXT,
    chart_of,
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
from rerank_cli.corpus.read.package import Package, value
from rerank_cli.corpus.read.slides import Slides
from rerank_cli.records import Document, Reading

_REPEATED = frozenset(("date-time", "footer", "header", "page-number"))


def read(content: bytes, path: str) -> Reading:
    """A single document; its title is the first title of a slide, else that of its properties."""
    package = open_document(content)
    slides = Slides()
    at = 0
    for piece in pieces(package, "presentation"):
        if piece.tag == "page":
            at += 1
            slides.begin(at)
            _read_slide(package, piece, slides)
    title = slides.outline.title or title_of(package)
    return Reading((Document(path, title, slides.outline.blocks(), fields_of(package)),), tuple(package.notes))


def _read_slide(package: Package, page: Element, slides: Slides) -> None:
    shapes = [each for each in page if each.tag != "notes" and value(each, "class") not in _REPEATED]
    slides.title(line for each in shapes if value(each, "class") == "title" for line in _lines(each))
    for shape in shapes:
        if value(shape, "class") != "title":
            for table in shape.iter("table"):
                slides.table([[text_of(cell).replace("\n", " ") for cell in row] for row in table_rows(table)])
            slides.text(_lines(shape))
            slides.text(said for frame in shape.iter("frame") if (said := said_in(frame)))
            for each in shape.iter("object"):
                content = embedded(package, each)
                slides.text([formula_of(content)])
                if chart := chart_of(content):
                    slides.text(chart.titles)
                    slides.table(chart.rows)
    for notes in page.iter("notes"):
        slides.notes(line for each in notes if value(each, "class") not in _REPEATED for line in _lines(each))
    slides.comments(comment_of(each) for each in page if each.tag == "annotation")


def _lines(element: Element, mark: str = "") -> Iterator[str]:
    """The paragraphs in *element*, the first of each item of a list behind *mark*."""
    if element.tag in NO_TEXT or element.tag == "table":
        return
    if element.tag in ("p", "h"):
        text = text_of(element).replace("\n", " ")
        if text:
            yield mark + text
        return
    for child in element:
        yield from _lines(child, BULLET if child.tag == "list-item" else mark)
