"""Read plain text: paragraphs between blank lines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from rerank_cli.corpus.read.encoded import without_encoded
from rerank_cli.records import Block, Document, Reading, at_lines

# One match a run of lines that are not blank. It gives nothing back, and so keeps no note of each line.
_PARAGRAPH = re.compile(r"^[^\n]*\S(?s:.*?)(?=\n[^\S\n]*(?:\n|\Z)|\Z)", re.MULTILINE)


def read(text: str, path: str) -> Reading:
    """A single document without a title."""
    return Reading((Document(path, "", tuple(paragraphs(without_encoded(text)))),))


def paragraphs(text: str, first_line: int = 1) -> Iterator[Block]:
    """The paragraphs of *text*, which begins on *first_line*."""
    line, seen = first_line, 0
    for found in _PARAGRAPH.finditer(text):
        line += text.count("\n", seen, found.start())
        seen = found.start()
        yield Block(found[0].rstrip(), at_lines(line, line + found[0].count("\n")))


def title_of(path: str) -> str:
    """A title for a document without one: `bleed-radiators.txt` is about "bleed radiators"."""
    stem = PurePosixPath(path).stem
    return " ".join(re.split(r"[-_\s]+", stem)).strip() or stem
