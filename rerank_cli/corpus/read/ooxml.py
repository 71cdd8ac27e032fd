"""What the Office formats DOCX, PPTX and XLSX have in common: parts that refer to one another, and a title."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from rerank_cli.corpus.read.errors import Unreadable
from rerank_cli.corpus.read.package import Package, beside, value
from rerank_cli.fields import Fields, fields_in

# What programs write where nobody gave a title: their own words, or the name of some file.
_NO_TITLE = re.compile(
    r"(?:microsoft (?:word|powerpoint|excel)\b.*|powerpoint[ -]pr\w+|(?:document|presentation|slide|book)\s*\d*"
    r"|untitled.*|unbenannt.*|title|no slide title|.*\.[a-z]{3,4})",
    re.IGNORECASE,
)


_FIELDS = {
    **{name: name for name in ("author", "category", "keywords", "subject", "language", "publisher", "status")},
    "creator": "author",
    "keyword": "keywords",
    "initial-creator": "author",
    "contentStatus": "status",
}


@dataclass(frozen=True, slots=True)
class Relation:
    """That a part refers to another: `kind` says as what, `target` is its name."""

    kind: str
    target: str


def relations(package: Package, part: str) -> dict[str, Relation]:
    """What *part* refers to within the file, by the ids that stand in it."""
    folder, name = posixpath.split(part)
    tree = package.tree_if_any(posixpath.join(folder, "_rels", f"{name}.rels"))
    return {
        value(each, "Id"): Relation(value(each, "Type").rpartition("/")[2], beside(part, value(each, "Target")))
        for each in tree
        if value(each, "TargetMode") != "External"
    }


def related(package: Package, part: str, kind: str) -> str:
    """The first part to which *part* refers as *kind*, or nothing."""
    return next((each.target for each in relations(package, part).values() if each.kind == kind), "")


def main_part(package: Package, usual: str) -> str:
    """The part that holds the document, which is nearly always called *usual*. Raises Unreadable where none is."""
    for name in (related(package, "", "officeDocument"), usual):
        if name and name in package:
            return name
    raise Unreadable(f"{usual} is missing in it")


def title_of(package: Package) -> str:
    """The title among the properties, unless a program wrote it that knew none."""
    name = related(package, "", "core-properties") or "docProps/core.xml"
    found = next((each.text or "" for each in package.tree_if_any(name) if each.tag == "title"), "")
    return believable(found)


def fields_of(package: Package) -> Fields:
    """What the properties say of the whole but for its times: a program's template brings times of its own.

    Properties that are damaged are none: the text is there all the same.
    """
    name = related(package, "", "core-properties") or "docProps/core.xml"
    try:
        return fields_among(package.tree_if_any(name).iter())
    except Unreadable:
        return ()


def fields_among(properties: Iterable[Element]) -> Fields:
    """The fields in *properties*, which Dublin Core and OpenDocument call alike."""
    named = ((_FIELDS.get(each.tag), " ".join((each.text or "").split())) for each in properties)
    return tuple(pair for key, text in named if key for pair in fields_in(text, key))


def believable(title: str) -> str:
    """*title* on one line, or nothing where a program wrote it that knew none."""
    line = " ".join(title.split())
    return "" if _NO_TITLE.fullmatch(line) else line
