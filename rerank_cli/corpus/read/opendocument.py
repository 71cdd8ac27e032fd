"""What the OpenDocument formats ODT, ODP and ODS have in common: where their text is, and a title."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from xml.etree.ElementTree import Element

from rerank_cli.corpus.read.charts import Chart
from rerank_cli.corpus.read.errors import Unreadable
from rerank_cli.corpus.read.ooxml import believable, fields_among
from rerank_cli.corpus.read.package import Package, beside, number, value
from rerank_cli.corpus.read.pictures import said_of_picture
from rerank_cli.fields import Fields

_CONTENT = "content.xml"
_MANIFEST = "META-INF/manifest.xml"

# What stands within text and is none of it: comments, old versions, descriptions of pictures, how a word is pronounced.
NO_TEXT = frozenset(
    (
        *("annotation", "annotation-end", "tracked-changes", "forms", "title", "desc", "ruby-text", "event-listeners"),
        *("sequence-decls", "variable-decls", "user-field-decls", "note-citation", "script", "object", "meta-data"),
    )
)

# What is a paragraph of its own, also where it stands in the middle of another, such as in a text box.
PARAGRAPHS = frozenset(("p", "h", "list", "table"))

# How many blanks one element may stand for.
_MAX_BLANKS = 100


def open_document(content: bytes) -> Package:
    """The package of *content*. Raises Unreadable, also where it takes a password."""
    package = Package(content)
    if any(each.tag == "encryption-data" for each in package.tree_if_any(_MANIFEST).iter()):
        raise Unreadable("encrypted: needs a password")
    return package


def pieces(package: Package, kind: str, *opened: str) -> Iterator[Element]:
    """The pieces of the body, which is a *kind* such as "text", and of what else is *opened*; before them, styles.

    Raises Unreadable where the body is none of that kind.
    """
    found = False
    for piece in package.pieces(_CONTENT, frozenset(("document-content", "body", kind, *opened))):
        found = found or piece.tag == kind
        yield piece
    if not found:
        raise Unreadable(f"holds no {kind}, which its name promises")


def title_of(package: Package) -> str:
    """The title among the properties, unless a program wrote it that knew none."""
    tree = package.tree_if_any("meta.xml")
    return believable(next((each.text or "" for each in tree.iter() if each.tag == "title"), ""))


def fields_of(package: Package) -> Fields:
    """What the properties say of the whole, as those of Office files are read."""
    try:
        return fields_among(package.tree_if_any("meta.xml").iter())
    except Unreadable:
        return ()


def text_of(element: Element) -> str:
    """All text in *element*, the paragraphs in it on lines of their own."""
    return clean("".join(_texts(element)))


def comment_of(annotation: Element) -> str:
    """What a comment says, without who wrote it and when."""
    return " ".join(text_of(each) for each in annotation if each.tag in PARAGRAPHS)


def said_in(frame: Element) -> str:
    """What a picture in *frame* says of itself."""
    return said_of_picture("".join(each.itertext()) for each in frame if each.tag in ("title", "desc"))


def clean(text: str) -> str:
    """*text* without white space that nobody sees."""
    lines = (" ".join(line.split()) for line in text.split("\n"))
    return "\n".join(line for line in lines if line)


def _texts(element: Element) -> Iterable[str]:
    if element.tag in NO_TEXT:
        return
    yield blank(element)
    yield (element.text or "").replace("\n", " ")
    for child in element:
        yield from _texts(child)
        yield (child.tail or "").replace("\n", " ")
    if element.tag in PARAGRAPHS:
        yield "\n"


def blank(element: Element) -> str:
    """The white space that *element* stands for, if it is one of those."""
    match element.tag:
        case "s":
            return " " * number(value(element, "c"), 1, most=_MAX_BLANKS)
        case "tab":
            return " "
        case "line-break":
            return "\n"
    return ""


def table_rows(table: Element) -> Iterator[list[Element]]:
    """The cells of each row of *table*; of cells that were merged only the one that shows."""
    for child in table:
        if child.tag == "table-row":
            yield [cell for cell in child if cell.tag == "table-cell"]
        elif child.tag in ("table-header-rows", "table-rows", "table-row-group"):
            yield from table_rows(child)


def embedded(package: Package, element: Element) -> Element:
    """The content of what *element*, an `object` in a frame, stands for, such as a chart or a formula."""
    return package.tree_beside(f"{beside('', value(element, 'href'))}/{_CONTENT}")


def chart_of(content: Element) -> Chart | None:
    """The chart that *content* of something embedded is; None where it is something else."""
    chart = content.find("body/chart/chart")
    if chart is None:
        return None
    titles = [text for each in chart.iter() if each.tag in ("title", "subtitle") if (text := _one_line(each))]
    rows = [[_one_line(cell) for cell in row] for table in chart.iter("table") for row in table_rows(table)]
    return Chart.of(titles, rows)


def formula_of(content: Element) -> str:
    """The formula that *content* of something embedded is, as it was typed; nothing where it is none."""
    if content.tag != "math":
        return ""
    typed = next((each for each in content.iter() if each.tag == "annotation"), content)
    return " ".join(part for text in typed.itertext() if (part := " ".join(text.split())))


def _one_line(element: Element) -> str:
    return " ".join(text for each in element if (text := text_of(each).replace("\n", " ")))
