"""Read presentations of PowerPoint (PPTX, PPTM and templates): each slide is a section under its title.

Places count slides from 1 in the order in which they are shown, hidden ones included. What the speaker notes stands
under "Notes", and what others remarked on the slide follows it. The number, the date and the footer, which each slide
repeats, are left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from rerank_cli.corpus.read.charts import charts_in, diagrams_in, line_of, lines_of
from rerank_cli.corpus.read.errors import Unreadable
from rerank_cli.corpus.read.ooxml import fields_of, main_part, relations, title_of
from rerank_cli.corpus.read.package import Package, shown, value
from rerank_cli.corpus.read.pictures import said_within
from rerank_cli.corpus.read.slides import Slides
from rerank_cli.records import Document, Reading

_TITLES = ("title", "ctrTitle")
_REPEATED = frozenset(("dt", "ftr", "sldNum", "hdr", "sldImg"))

# What the body of a slide is: its paragraphs are items of a list, unless they say otherwise.
_LISTS = frozenset(("body", "obj"))


def read(content: bytes, path: str) -> Reading:
    """A single document; its title is the first title of a slide, else that of its properties."""
    package = Package(content)
    main = main_part(package, "ppt/presentation.xml")
    parts = relations(package, main)
    tree = package.tree(main)
    if tree.tag != "presentation":
        raise Unreadable("holds no presentation, which its name promises")
    slides = Slides()
    seen: set[str] = set()  # a list that names one part again and again would never end
    listed = (each for group in tree if group.tag == "sldIdLst" for each in group)
    for at, slide in enumerate(listed, start=1):
        part = parts.get(_relation(slide))
        if part and part.target in package and part.target not in seen:
            seen.add(part.target)
            slides.begin(at)
            _read_slide(package, part.target, slides)
    title = slides.outline.title or title_of(package)
    return Reading((Document(path, title, slides.outline.blocks(), fields_of(package)),), tuple(package.notes))


def _relation(slide: Element) -> str:
    """The id of a relation, which stands beside the slide's own id: only its namespace tells it."""
    return next((text for key, text in slide.attrib.items() if key.endswith("}id")), "")


def _read_slide(package: Package, part: str, slides: Slides) -> None:
    parts = relations(package, part)
    tree = package.tree(part)
    shapes = list(_shapes(tree))
    slides.title(" ".join(_lines(each, listed=False)) for each in shapes if _place(each) in _TITLES)
    for shape in shapes:
        if _place(shape) not in _TITLES:
            _read_shape(shape, slides)
    for point in diagrams_in(package, tree, parts):
        slides.text(_lines(point, listed=True))
    for chart in charts_in(package, tree, parts):
        slides.text(chart.titles)
        slides.table(chart.rows)
    for each in parts.values():
        if each.kind == "notesSlide" and each.target in package:
            notes = [shape for shape in _shapes(package.tree(each.target)) if _place(shape) not in _REPEATED]
            slides.notes(line for shape in notes for line in _lines(shape, listed=False))
    for each in parts.values():
        if each.kind == "comments":
            slides.comments(_remarks(package.tree_beside(each.target)))


def _remarks(comments: Element) -> Iterator[str]:
    """What each of *comments* says; a new program writes it, and the answers to it, as the text of a shape."""
    for comment in comments:
        said = comment.findtext("text")
        yield from lines_of(comment) if said is None else (" ".join(said.split()),)


def _shapes(element: Element) -> Iterator[Element]:
    """The shapes of a slide, those in groups too, without what every slide repeats."""
    for child in shown(element):
        if child.tag in ("sp", "graphicFrame", "cxnSp", "pic"):
            if _place(child) not in _REPEATED:
                yield child
        elif child.tag in ("cSld", "spTree", "grpSp"):
            yield from _shapes(child)


def _place(shape: Element) -> str:
    """Which place of the layout *shape* fills, or nothing."""
    placeholder = shape.find("nvSpPr/nvPr/ph")
    return "" if placeholder is None else value(placeholder, "type", "obj")


def _read_shape(shape: Element, slides: Slides) -> None:
    tables = list(shape.iter("tbl"))
    for table in tables:
        slides.table([[" ".join(_lines(cell, listed=False)) for cell in row.iter("tc")] for row in table.iter("tr")])
    if not tables:
        slides.text(_lines(shape, listed=_place(shape) in _LISTS))
    slides.text([said_within(shape)])


def _lines(shape: Element, *, listed: bool) -> Iterator[str]:
    for paragraph in shape.iter("p"):
        if line := line_of(paragraph):
            yield f"- {line}" if _is_item(paragraph, listed=listed) else line


def _is_item(paragraph: Element, *, listed: bool) -> bool:
    properties = paragraph.find("pPr")
    if properties is None:
        return listed
    if properties.find("buNone") is not None:
        return False
    return listed or any(properties.find(tag) is not None for tag in ("buChar", "buAutoNum", "buBlip"))
