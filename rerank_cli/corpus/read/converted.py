"""Read what a command of the user's printed of a file: HTML by its headings, all else as plain text.

Its lines are none of the file's, so places count paragraphs.
"""

from __future__ import annotations

import re
from dataclasses import replace

from rerank_cli.corpus.read import html
from rerank_cli.corpus.read import text as plain
from rerank_cli.records import Block, Document, Place, Reading

_HTML = re.compile(r"\s*(?:<\?xml[^>]*>\s*)?<(?:!doctype\s+html|html)\b", re.IGNORECASE)


def read(text: str, path: str) -> Reading:
    """A single document."""
    reading = html.read(text, path, unit="paragraph") if _HTML.match(text) else plain.read(text, path)
    return reading._replace(documents=tuple(map(_in_paragraphs, reading.documents)))


def _in_paragraphs(document: Document) -> Document:
    blocks = tuple(_in_paragraph(block, number) for number, block in enumerate(document.blocks, start=1))
    return document._replace(blocks=blocks)


def _in_paragraph(block: Block, number: int) -> Block:
    return replace(block, place=Place("paragraph", number, number), heading_at=None)
