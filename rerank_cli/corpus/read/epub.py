"""Read e-books (EPUB): the text of each chapter, as of a page of HTML.

Places count chapters from 1, which are the files of the book in the order in which they are read; those outside of that
order come last. The table of contents and the cover are left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from xml.etree.ElementTree import Element

from rerank_cli.corpus.read import html
from rerank_cli.corpus.read.decode import decode
from rerank_cli.corpus.read.errors import Unreadable
from rerank_cli.corpus.read.ooxml import fields_among
from rerank_cli.corpus.read.outline import MAX_HEADING_CHARS, Outline
from rerank_cli.corpus.read.package import Package, beside, value
from rerank_cli.records import Block, Document, Reading

_CONTAINER = "META-INF/container.xml"
_ENCRYPTION = "META-INF/encryption.xml"

_PAGES = frozenset(("application/xhtml+xml", "text/html", "application/x-dtbook+xml", "text/x-oeb1-document"))


def read(content: bytes, path: str) -> Reading:
    """A single document of all chapters; its title is that of the book."""
    package = Package(content)
    book = _Book(package)
    if any(chapter in book.encrypted for chapter in book.chapters):
        raise Unreadable("protected by DRM")
    blocks: list[Block] = []
    missing = 0
    for at, chapter in enumerate(book.chapters, start=1):
        if chapter not in package:
            missing += 1
        elif chapter not in book.left_out:
            blocks += _chapter(decode(package.read(chapter)).text, at, book.titles.get(chapter, ""))
    if missing == len(book.chapters):
        raise Unreadable("none of its chapters is in it")
    notes = (f"{missing} of {len(book.chapters)} chapters are missing in it",) if missing else ()
    return Reading((Document(path, book.title, tuple(blocks), book.fields),), notes, damaged=bool(missing))


def _chapter(page: str, at: int, title: str) -> Iterator[Block]:
    """The blocks of *page*, all of them at chapter number *at*."""
    outline = Outline("chapter")
    html.feed(outline, page, first_line=1, wraps=True)
    blocks = outline.blocks()
    label = title or outline.title
    heading = label[:MAX_HEADING_CHARS]
    for block in blocks:
        headings = block.headings or ((heading,) if heading and block.text != heading else ())
        place = block.place._replace(first=at, last=at, label=label)
        yield replace(block, place=place, headings=headings, heading_at=at)


@dataclass(frozen=True, slots=True)
class _Item:
    """A file of the book, as its list of files has it."""

    name: str
    type: str
    properties: tuple[str, ...]


class _Book:
    """What the package file of a book says: `chapters` are the names of files, in the order in which they are read."""

    def __init__(self, package: Package) -> None:
        self._package = package
        self._at = _package_file(package)
        tree = package.tree(self._at)
        groups = {group.tag: group for group in reversed(tree)}
        self._items = {value(each, "id"): self._item(each) for each in groups.get("manifest", ())}
        self.title = _title(groups.get("metadata", Element("nothing")))
        self.fields = fields_among(groups.get("metadata", Element("nothing")).iter())
        spine = groups.get("spine", Element("nothing"))
        self.chapters = self._chapters(spine)
        navigation = next((each for each in self._items.values() if "nav" in each.properties), None)
        contents = self._items.get(value(spine, "toc"))
        links = [
            *_links_3(package, navigation.name if navigation else ""),
            *_links_2(package, contents.name if contents else ""),
        ]
        self.titles = _titles(links)
        guide = groups.get("guide", Element("nothing"))
        self.left_out = {
            *(beside(self._at, value(each, "href")) for each in guide if value(each, "type") in ("cover", "toc")),
            *((navigation.name,) if navigation else ()),
        }
        encryption = package.tree_if_any(_ENCRYPTION)
        self.encrypted = {beside("", value(each, "URI")) for each in encryption.iter() if each.tag == "CipherReference"}

    def _item(self, element: Element) -> _Item:
        properties = value(element, "properties").split()
        return _Item(beside(self._at, value(element, "href")), value(element, "media-type").lower(), tuple(properties))

    def _chapters(self, spine: Element) -> list[str]:
        listed = [(value(each, "linear") == "no", self._items.get(value(each, "idref"))) for each in spine]
        pages = [(aside, item.name) for aside, item in listed if item and (item.type in _PAGES or not item.type)]
        if not pages:
            raise Unreadable("lists no chapters")
        ordered = [name for _, name in sorted(pages, key=lambda page: page[0])]
        return list(dict.fromkeys(ordered))


def _package_file(package: Package) -> str:
    """The name of the file that lists all others. Raises Unreadable where there is none."""
    root = next((each for each in package.tree_if_any(_CONTAINER).iter() if each.tag == "rootfile"), None)
    name = beside("", value(root, "full-path"))
    if name in package:
        return name
    found = next((each for each in package.names() if each.endswith(".opf")), None)
    if found is None:
        raise Unreadable("holds no e-book, which its name promises")
    return found


def _title(metadata: Element) -> str:
    return next((" ".join((each.text or "").split()) for each in metadata.iter() if each.tag == "title"), "")


def _titles(links: list[tuple[str, str, str]]) -> dict[str, str]:
    """Of each chapter its title. Where a file holds several chapters, none of their titles is that of the whole."""
    found: dict[str, dict[str, str]] = {}
    for name, within, title in links:
        found.setdefault(name, {}).setdefault(within, title)
    return {
        name: titles.get("") or (next(iter(titles.values())) if len(titles) == 1 else "")
        for name, titles in found.items()
    }


def _links_3(package: Package, name: str) -> Iterator[tuple[str, str, str]]:
    """What the table of contents of EPUB 3 names: the file, the place within it, and the title."""
    tables = [each for each in package.tree_if_any(name).iter() if each.tag == "nav"]
    contents = next((each for each in tables if value(each, "type") == "toc"), next(iter(tables), None))
    for link in () if contents is None else contents.iter("a"):
        target = value(link, "href")
        yield beside(name, target), target.partition("#")[2], " ".join("".join(link.itertext()).split())


def _links_2(package: Package, name: str) -> Iterator[tuple[str, str, str]]:
    """The same of EPUB 2."""
    for point in package.tree_if_any(name).iter("navPoint"):
        label, target = point.find("navLabel"), value(point.find("content"), "src")
        if label is not None:
            yield beside(name, target), target.partition("#")[2], " ".join("".join(label.itertext()).split())
