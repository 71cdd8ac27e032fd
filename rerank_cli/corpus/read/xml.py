"""Read XML: books and articles as prose, feeds, outlines and drawings as what they are, and all else as code."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from rerank_cli.corpus.read import code, drawings, feeds, html, opml, prose
from rerank_cli.corpus.read.xmlevents import BrokenXml, Doctype, End, Start, Text, events
from rerank_cli.records import Reading

_FEEDS = frozenset(("rss", "feed", "RDF"))
_DRAWINGS = frozenset(("svg", "mxfile", "mxGraphModel"))

# DocBook, JATS, TEI, DITA. Other files may have the same roots: some of the text must be running text.
_WRITINGS = frozenset(
    (
        "article",
        "book",
        "chapter",
        "appendix",
        "preface",
        "refentry",
        "sect1",
        "TEI",
        "TEI.2",
        "dita",
        "topic",
        "concept",
    )
)
_LEAST_SHARE_OF_WRITINGS = 0.3

# Configuration and data have their meaning in tags and attributes, and are read with them. In files of unknown kind so
# much must be running text, of all that is not blank.
_LEAST_SHARE = 0.6
_RUNNING_WORDS = 5


def read(text: str, path: str) -> Reading:
    """A single document. What is no well-formed XML is read as code, which is told."""
    try:
        survey = _survey(text)
    except BrokenXml as fault:
        if path.lower().endswith((".svg", ".drawio")):  # whose source is of no use to anybody
            return drawings.read(text, path)
        reading = code.read(text, path)
        return reading._replace(notes=(*reading.notes, f"{fault}: read as source code"))
    if survey.root in _DRAWINGS:
        return drawings.read(text, path)
    reading = _read_as(survey, text, path)
    return reading if any(document.blocks for document in reading.documents) else code.read(text, path)


def _read_as(survey: _Survey, text: str, path: str) -> Reading:
    if survey.root in _FEEDS:
        return feeds.read(text, path)
    if survey.root == "opml":
        return opml.read(text, path)
    if survey.root == "html":
        return html.read(text, path)
    return prose.read(text, path, inline=survey.inline) if survey.is_prose else code.read(text, path)


@dataclass(slots=True)
class _Element:
    """An element that is open: what stands in it directly."""

    name: str
    words: int = 0
    chars: int = 0
    children: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Survey:
    """What kind of file this is. Of its `chars`, that are not blank, `text_chars` stand in elements, and of these
    `running_chars` in running text.
    """

    root: str = ""
    docbook: bool = False
    chars: int = 0
    text_chars: int = 0
    running_chars: int = 0
    within_text: Counter[str] = field(default_factory=Counter)
    elsewhere: Counter[str] = field(default_factory=Counter)

    @property
    def is_prose(self) -> bool:
        if self.root in _WRITINGS:
            return self.docbook or self.running_chars >= _LEAST_SHARE_OF_WRITINGS * max(1, self.text_chars)
        return self.docbook or self.running_chars >= _LEAST_SHARE * self.chars

    @property
    def inline(self) -> frozenset[str]:
        """The elements that stand within running text more often than not, such as <emphasis>."""
        return frozenset(name for name, count in self.within_text.items() if count > self.elsewhere[name])

    def close(self, element: _Element) -> None:
        places = self.within_text if element.words else self.elsewhere
        for name in element.children:
            places[name] += 1
        self.text_chars += element.chars
        if element.words >= _RUNNING_WORDS:
            self.running_chars += element.chars


def _survey(text: str) -> _Survey:
    survey = _Survey(chars=len(text) - sum(map(text.count, " \t\n")))
    open_elements: list[_Element] = []
    for event in events(text):
        match event:
            case Start():
                if not open_elements:
                    survey.root = event.local
                    spaces = (value for name, value in event.attributes.items() if name.startswith("xmlns"))
                    survey.docbook |= any("docbook" in space.lower() for space in spaces)
                else:
                    open_elements[-1].children.append(event.local)
                open_elements.append(_Element(event.local))
            case End():
                survey.close(open_elements.pop())
            case Text() if open_elements and (written := event.text.strip()):
                open_elements[-1].words += written.count(" ") + 1
                open_elements[-1].chars += len(written) - written.count(" ")
            case Doctype():
                survey.docbook |= "docbook" in event.public.lower()
    return survey
