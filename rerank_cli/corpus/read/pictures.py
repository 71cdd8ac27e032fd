"""What a picture in a document says of itself, without what programs write there."""

from __future__ import annotations

import re
from collections.abc import Iterable
from xml.etree.ElementTree import Element

_BY_PROGRAMS = re.compile(
    r"(?:description automatically generated|description générée automatiquement|automatisch generierte beschreibung"
    r"|descripción generada automáticamente|descrizione generata automaticamente|descrição gerada automaticamente"
    r"|automatisch gegenereerde beschrijving)(?: with \w+ confidence)?\.?|ai-generated content may be incorrect\.?",
    re.IGNORECASE,
)

# The name of the file that it was made of, or where that lay; or just what it is.
_NO_WORDS = re.compile(
    r"\S+\.[a-z]{3,4}|[a-z]:\\.*|\S*[\\/].*\.[a-z]{3,4}|(?:https?|file|cid):\S+"
    r"|(?:picture|image|imagen?|immagine|imagem|photo|grafik|bild|graphic|chart|shape|object)?\s*\d*|chart type: .*",
    re.IGNORECASE,
)


def said_of_picture(texts: Iterable[str]) -> str:
    """The title and the description of a picture, which *texts* are, on one line; nothing of what names a file."""
    lines = (" ".join(_BY_PROGRAMS.sub(" ", text).split()) for text in texts)
    told = dict.fromkeys(line for line in lines if not _NO_WORDS.fullmatch(line))
    return " ".join(told)


def said_within(element: Element) -> str:
    """What the pictures of DrawingML within *element* say of themselves."""
    named = (each for each in element.iter() if each.tag in ("docPr", "cNvPr"))
    return said_of_picture(each.get(name, "") for each in named for name in ("title", "descr"))
