"""Read HTML: its visible text, block by block, under its headings."""

from __future__ import annotations

import re
from collections import Counter

from rerank_cli.corpus.read.outline import Outline
from rerank_cli.corpus.read.tags import Tag, Text, split_tags
from rerank_cli.records import Document, Reading

# What a reader of the page does not see, or sees on every page of the site.
_UNSEEN = frozenset(("script", "style", "nav", "template", "noscript", "svg"))

# Where text begins that no one hides: a forgotten </nav> costs at most what stands before the next of these.
_SURELY_SEEN = frozenset(("body", "main", "article", "h1"))

_HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))

_BLOCKS = _HEADINGS | frozenset(
    (
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "caption",
        "center",
        "dd",
        "details",
        "dialog",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "form",
        "head",
        "header",
        "hr",
        "html",
        "legend",
        "li",
        "main",
        "nav",
        "ol",
        "optgroup",
        "option",
        "p",
        "pre",
        "section",
        "select",
        "summary",
        "table",
        "tbody",
        "tfoot",
        "thead",
        "title",
        "tr",
        "ul",
    )
)

# A line end written as an entity is none of the source, by whose lines everything is counted.
_NEWLINE_ENTITY = re.compile(r"&(?:NewLine;|#0*10(?:;|(?!\d))|#[xX]0*[aA](?:;|(?![\da-fA-F])))")


def read(text: str, path: str) -> Reading:
    """A single document; its title is its <title> or its first heading."""
    outline = Outline()
    title = feed(outline, text, first_line=1)
    blocks = outline.blocks()
    return Reading((Document(path, title or outline.title, blocks),))


def feed(outline: Outline, text: str, first_line: int, *, wraps: bool = False) -> str:
    """Add what *text* shows to *outline* and give its <title>. *first_line* is where *text* begins.

    Its line ends are kept, for places that count lines, but where it *wraps*.
    """
    page = _Page(outline, first_line, wraps=wraps)
    for found in split_tags(_NEWLINE_ENTITY.sub(" ", text)):
        page.take(found)
    page.end_block()
    return page.title


class _Page:
    """Gathers text until a tag ends the block, keeping a newline for each one of the source."""

    def __init__(self, outline: Outline, first_line: int, *, wraps: bool) -> None:
        self.title = ""
        self._wraps = wraps
        self._outline = outline
        self._before = self._first_line = self._line = first_line
        self._gathered: list[str] = []
        self._written = False  # whether anything gathered is more than blank
        self._tag = ""
        self._marker = ""
        self._pre = 0
        self._unseen: list[str] = []  # the open tags that hide text, and how many of them have each name
        self._unseen_names: Counter[str] = Counter()

    def take(self, found: Text | Tag) -> None:
        line = self._before + found.line
        if isinstance(found, Text):
            if not self._unseen:
                self._gather(found.text, line)
            return
        if found.starts:
            self._start(found, line)
        if not found.starts or (found.ends and found.name in _UNSEEN):
            self._end(found.name)  # <svg/> hides nothing; of any other tag HTML itself ignores the slash

    def _start(self, tag: Tag, line: int) -> None:
        if tag.name in _SURELY_SEEN:
            self._unseen.clear()
            self._unseen_names.clear()
        if tag.name in _UNSEEN:
            self.end_block()
            self._unseen.append(tag.name)
            self._unseen_names[tag.name] += 1
        if self._unseen:
            return
        if tag.name in _BLOCKS:
            self._begin_block(tag.name)
        elif tag.name == "br":
            self._gather(" ", line)
        elif tag.name in ("td", "th") and self._written:
            self._gather(" | ", line)
        elif tag.name == "img":
            self._gather(" ".join(tag.attributes().get("alt", "").split()), line)

    def _end(self, tag: str) -> None:
        if self._unseen_names[tag]:
            self._close_unseen(tag)
        elif tag in _BLOCKS and not self._unseen:
            self.end_block()
            if tag == "li":
                self._marker = ""
            elif tag == "pre" and self._pre:
                self._pre -= 1

    def _close_unseen(self, tag: str) -> None:
        """Close the outermost *tag* and what was opened in it."""
        while self._unseen_names[tag]:
            self._unseen_names[self._unseen.pop()] -= 1

    def end_block(self) -> None:
        """Hand over what was gathered; a block whose tag is never closed ends at the next one."""
        text, tag = "".join(self._gathered), self._tag
        written, self._written = self._written, False
        self._gathered.clear()
        if not written:
            return
        self._tag = ""
        if not self._pre:
            lines = [text] if self._wraps else text.split("\n")
            text = "\n".join(" ".join(line.split()) for line in lines)
        if tag == "title":
            self.title = self.title or " ".join(text.split())
        elif tag in _HEADINGS:
            self._outline.heading(int(tag[1]), text, self._first_line, self._line)
        else:
            self._outline.block(self._marked(text), self._first_line, self._line)

    def _begin_block(self, tag: str) -> None:
        self.end_block()
        self._tag = tag
        if tag == "li":
            self._marker = "- "
        elif tag == "pre":
            self._pre += 1

    def _marked(self, text: str) -> str:
        """Put the bullet of a list item before its first word."""
        blank = len(text) - len(text.lstrip())
        marker, self._marker = self._marker, ""
        return text[:blank] + marker + text[blank:]

    def _gather(self, text: str, line: int) -> None:
        """Add *text*, which begins at *line*, after a newline for each line end in the markup since the last one."""
        if not self._gathered:
            self._first_line = self._line = line
        self._gathered.append("\n" * (line - self._line) + text)
        self._written = bool(self._written or text.strip())
        self._line = line + text.count("\n")
