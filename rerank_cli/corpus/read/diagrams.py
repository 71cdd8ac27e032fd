"""Read diagrams that are written as text, Mermaid, PlantUML and Graphviz: the words in them, on their lines."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rerank_cli.corpus.read.outline import Outline
from rerank_cli.records import Document, Reading

LANGUAGES = frozenset(("mermaid", "plantuml", "puml", "uml", "graphviz", "dot", "gv", "digraph", "graph"))
"""What a block of code or a directive with such a diagram is called."""

QUERIES = frozenset(("dataview", "dataviewjs"))
"""What a block is called that a program replaces by what it finds."""

# A line that steers the drawing, or is a remark.
_STEERING = re.compile(
    r"\s*+(?:(?:@(?:start|end)|!)\w.*|%%.*|'.*|//.*|/\*.*\*/|---|[{}\];]*"
    r"|(?:graph|flowchart)(?:-elk)?[ \t]+(?:TB|TD|BT|RL|LR)\b;?|(?:strict )?(?:di)?graph\b[^{]*\{"
    r"|(?:sequence|class|er|state|requirement)Diagram(?:-v2)?|gantt|journey|gitGraph:?|mindmap|timeline|kanban|C4\w+"
    r"|quadrantChart|pie(?: showData)?|[\w-]+-beta"
    r"|(?:style|classDef|linkStyle|click|direction|dateFormat|axisFormat|tickInterval|todayMarker|excludes|autonumber"
    r"|activate|deactivate|skinparam|hide|show|scale|theme|layout)\b.*|class [\w,]+ [\w-]+;?"
    r"|(?:left to right|top to bottom) direction|(?:node|edge|graph)[ \t]*\[.*|(?:rankdir|rank)\b.*"
    r"|end(?:[ \t]?(?:note|if|while|fork|box|rect|split|legend|title))?|start|stop|fork(?: again)?|split(?: again)?)\s*"
)
_KEYWORD = re.compile(
    r"\s*(?:subgraph(?: cluster\w*)?|title|section|participant|actor|[Nn]ote (?:left|right|over|top|bottom)(?: of)?"
    r"|loop|alt|else|opt|par|critical|state|class|component|database|file|node|cloud|package|rectangle|usecase|interface|queue"
    r"|folder|frame|boundary|control|entity|collections|artifact|storage|card)\b"
)

# Of Graphviz only what is shown; the rest says how it looks.
_IS_GRAPHVIZ = re.compile(r"^[ \t]*+(?:strict[ \t]+)?(?:di)?graph\b[^\n{]*\{", re.MULTILINE)
_ATTRIBUTE = re.compile(
    r"\b(?P<key>[A-Za-z_]\w{0,30})[ \t]*=[ \t]*"
    r"(?P<value>\"(?>(?:[^\"\\]++|\\.)*)\"|<<(?>(?:[^>]++|>(?!>))*)>>|[\w.#+-]++)[,;]?"
)
_PORT = re.compile(r"(?<=[\w\"]):\w{1,60}(?=[ \t]*(?:-[->]|[;\[]|$))", re.MULTILINE)
_TAG = re.compile(r"</?\w[^<>\n]{0,200}>|\\[nlr]")

_LABEL = re.compile(
    r"\"([^\"\n]{0,500})\"|[\[({]{1,3}([^\[\](){}\n]{1,500})[\])}]{1,3}|\|([^|\n]{1,500})\||(?<!:):(?!:)[ \t]*(.+)"
)
_STRUCTURE = re.compile(r"[-=.<>|*ox]{2,}|[\[\](){}\"]|->|:")
_ID = re.compile(r"[^\W\d_][\w.]*")
_ALIAS = re.compile(r"\A[ \t]+\w+[ \t]+as\b")
_NAMED = re.compile(
    r"(?:^[ \t]*([A-Za-z_]\w{0,60})[ \t]|\b([A-Za-z_]\w{0,60}))(?=[\[({]{1,3}[^\])}\n])"
    r"|\b(?:as|AS)[ \t]+(\w+)[ \t]*$|\b(\w+)[ \t]+as[ \t]",
    re.MULTILINE,
)


def read(text: str, path: str) -> Reading:
    """A single document without a title."""
    outline = Outline()
    outline.verbatim(words_of(text), 1)
    return Reading((Document(path, "", outline.blocks()),))


def words_of(diagram: str) -> str:
    """The words that *diagram* shows, in as many lines as it has."""
    if _IS_GRAPHVIZ.search(diagram):
        diagram = _ATTRIBUTE.sub(_shown_attribute, _PORT.sub("", diagram))
    named = {name for names in _NAMED.findall(diagram) for name in names if name}
    return "\n".join(" ".join(_words(line, named)) for line in diagram.split("\n"))


def _shown_attribute(found: re.Match[str]) -> str:
    value = found["value"] if found["key"].endswith("label") or found["key"] == "title" else ""
    return value + "\n" * (found[0].count("\n") - value.count("\n"))


def _words(line: str, named: set[str]) -> Iterator[str]:
    """What *line* shows; of what is *named* its label, wherever that stands."""
    if _STEERING.fullmatch(line):
        return
    if keyword := _KEYWORD.match(line):
        line = _ALIAS.sub("", line[keyword.end() :])
    line = _TAG.sub(" ", line)
    if not _STRUCTURE.search(line):
        yield from line.split()
        return
    at = 0
    for label in _LABEL.finditer(line):
        yield from _ids(line[at : label.start()], named)
        yield next(" ".join(group.strip(' ";|').split()) for group in label.groups() if group is not None)
        at = label.end()
    yield from _ids(line[at:], named)


def _ids(structure: str, named: set[str]) -> Iterator[str]:
    return (each for each in _ID.findall(structure) if each not in named and each not in ("as", "x", "o"))
