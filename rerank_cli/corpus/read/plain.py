"""Read text whose name says no more: as reStructuredText where it surely is some, else paragraphs under its titles."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rerank_cli.corpus.read import rst, text
from rerank_cli.corpus.read.encoded import without_encoded
from rerank_cli.corpus.read.outline import Outline
from rerank_cli.records import Document, Reading

# What reStructuredText has, and how surely nothing else: two points beside an underlined title are taken for it.
_SIGNS = (
    (2, re.compile(r"^ *\.\. (?:\|[^|\n]{1,100}\| )?[a-z][\w-]{1,40}(?::[\w-]{1,40}){0,2}::(?: .*)?$", re.MULTILINE)),
    (2, re.compile(r"^\.\. _[^\n]{0,200}:(?: .*)?$", re.MULTILINE)),
    (2, re.compile(r"(?<![\w`]):[a-z][\w-]{1,30}(?::[\w-]{1,30})?:`[^`\n]")),
    (1, re.compile(r"(?<![\w`])``[^`\n]{1,200}``(?![\w`])")),
    (1, re.compile(r"`[^`\n]{1,200}`__?(?!\w)")),
    (1, re.compile(r"^[^\n]*\S ?::\n\n+ +\S", re.MULTILINE)),
)
_ENOUGH = 2

_UNDERLINE = re.compile(r"^(?P<indent>[ \t]*)(?P<line>([=\-~^*+#\"'`.])\3{2,200})[ \t]*$", re.MULTILINE)
_MAX_TITLE_CHARS = 200


@dataclass(frozen=True, slots=True)
class _Title:
    """A line with one below it that underlines it. `start` and `end` are where both stand in the text."""

    text: str
    style: str
    start: int
    end: int
    fits: bool  # the underline is as long as the title, and nothing stands right above it


def read(content: str, path: str) -> Reading:
    """A single document."""
    content = without_encoded(content)
    titles = list(_titles(content))
    if titles and sum(weight for weight, sign in _SIGNS if sign.search(content)) >= _ENOUGH:
        return rst.read(content, path)
    fitting = [title for title in titles if title.fits]
    if len(fitting) < 2 and not (fitting and not content[: fitting[0].start].strip()):
        return text.read(content, path)
    return Reading((_titled(content, path, fitting),))


def _titles(content: str) -> Iterator[_Title]:
    for found in _UNDERLINE.finditer(content):
        above = content[max(0, found.start() - _MAX_TITLE_CHARS) : found.start()].split("\n")
        title = above[-2].rstrip() if len(above) > 1 else ""
        words = title.strip()
        if len(words) < 2 or not any(each.isalnum() for each in words) or (len(above) == 2 and found.start() > 200):
            continue
        over = above[-3].strip() if len(above) > 2 else ""
        fits = not over.strip(found[3]) and abs(len(words) - len(found["line"])) <= 1
        fits = fits and title.startswith(found["indent"] + words[0])
        rows = above[-3:-1] if over else above[-2:-1]
        start = found.start() - sum(len(row) + 1 for row in rows)
        yield _Title(words, f"{bool(over)}{found[3]}", start, found.end(), fits)


def _titled(content: str, path: str, titles: list[_Title]) -> Document:
    """Paragraphs under *titles*. The first is the document's, unless others are underlined like it."""
    outline = Outline()
    styles = list(dict.fromkeys(title.style for title in titles))
    line, seen = 1, 0
    for title in titles:
        _put(outline, content[seen : title.start], line)
        line += content.count("\n", seen, title.start)
        last = line + content.count("\n", title.start, title.end)
        outline.heading(styles.index(title.style) + 1, title.text, line, last)
        line, seen = last, title.end
    _put(outline, content[seen:], line)
    opening, *others = titles
    own = not content[: opening.start].strip() and all(title.style != opening.style for title in others)
    return Document(path, opening.text if own else "", outline.blocks())


def _put(outline: Outline, part: str, first_line: int) -> None:
    for block in text.paragraphs(part, first_line):
        outline.block(block.text, block.place.first, block.place.last)
