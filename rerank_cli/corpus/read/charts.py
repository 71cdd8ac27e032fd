"""Read the charts and diagrams within documents of Office: what is written on them, and what their figures are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from rerank_cli.corpus.read.ooxml import Relation
from rerank_cli.corpus.read.package import Package, number
from rerank_cli.corpus.read.sheets import shown_number

# A chart of more figures than anybody reads one by one gives its names alone.
_MOST_FIGURES = 500


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart: its `titles`, its own first and those of its axes after it, and its figures.

    `rows` has a row for each category; its first row is the header with the names of the series.
    """

    titles: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, titles: Iterable[str], rows: Sequence[Sequence[str]]) -> Chart:
        """A chart with those that say anything, without its figures if they are more than anybody reads."""
        told = rows
        if sum(map(len, rows)) > _MOST_FIGURES:
            told = [[name for name in rows[0] if name]]
        is_named = len(told) > 1 or any(name for row in told for name in row)
        return cls(tuple(title for title in titles if title), tuple(map(tuple, told)) if is_named else ())


def charts_in(package: Package, element: Element, parts: dict[str, Relation]) -> Iterator[Chart]:
    """The charts that stand within *element*, of a part that refers to *parts*."""
    for each in element.iter("chart"):
        part = _related(each, "id", parts, "chart")
        if part:
            yield _chart(package.tree_beside(part))


def diagrams_in(package: Package, element: Element, parts: dict[str, Relation]) -> Iterator[Element]:
    """The points of the diagrams (SmartArt) that stand within *element*, of a part that refers to *parts*."""
    for each in element.iter("relIds"):
        part = _related(each, "dm", parts, "diagramData")
        if part:
            yield from package.tree_beside(part).iter("pt")


def lines_of(element: Element) -> Iterator[str]:
    """The text of each paragraph of DrawingML within *element*, but for those without any."""
    return filter(None, map(line_of, element.iter("p")))


def line_of(paragraph: Element) -> str:
    """The text of a paragraph of DrawingML, on one line."""
    parts = ((run.text or "") if run.tag == "t" else " " for run in paragraph.iter() if run.tag in ("t", "br", "tab"))
    return " ".join("".join(parts).split())


def _related(element: Element, name: str, parts: dict[str, Relation], kind: str) -> str:
    """The part of that *kind* to which the attribute *name* of *element* refers, or nothing."""
    ending = "}" + name
    id = next((text for key, text in element.attrib.items() if key == name or key.endswith(ending)), "")
    part = parts.get(id)
    return part.target if part and part.kind == kind else ""


def _chart(tree: Element) -> Chart:
    own = tree.find("chart/title")
    others = (title for title in tree.iter("title") if title is not own)
    titles = (" ".join(lines_of(title)) for title in ((own, *others) if own is not None else others))
    return Chart.of(titles, _rows(list(tree.iter("ser"))))


def _rows(series: Sequence[Element]) -> list[tuple[str, ...]]:
    names = [" ".join(_points(each.find("tx")).values()) for each in series]
    values = [_points(_first(each, "val", "yVal")) for each in series]
    categories: dict[int, str] = {}
    for each in series:
        categories = {**_points(_first(each, "cat", "xVal")), **categories}
    places = sorted({place for own in (categories, *values) for place in own})
    return [
        ("", *names),
        *((categories.get(place, ""), *(own.get(place, "") for own in values)) for place in places),
    ]


def _first(series: Element, *tags: str) -> Element | None:
    return next((found for tag in tags if (found := series.find(tag)) is not None), None)


def _points(element: Element | None) -> dict[int, str]:
    """What each point shows, by its place. Of categories in several levels each has those above it, too."""
    if element is None:
        return {}
    levels = list(element.iter("lvl")) or [element]
    found: dict[int, str] = {}
    for level in levels:  # the innermost first; a point of another one holds up to the next of its level
        own = {number(point.get("idx"), 0): _shown(point.findtext("v") or "") for point in level.iter("pt")}
        if level is levels[0]:
            found = own
            continue
        above = ""
        for place in sorted(found.keys() | own.keys()):
            above = own.get(place, above)
            if place in found and above:
                found[place] = f"{above}, {found[place]}"
    return found


def _shown(written: str) -> str:
    try:
        return shown_number(float(written))
    except ValueError:
        return " ".join(written.split())
