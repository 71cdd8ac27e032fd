"""Read HTML: its visible text, block by block, under its headings."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from html.parser import HTMLParser

from rerank_cli.corpus.read.outline import Outline
from rerank_cli.records import Document

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

# Python refuses to read a number of some thousand digits. Eight are beyond all characters already.
_LONG_REFERENCE = re.compile(r"&#(?=\d{8})0*+(\d*+)")

# To learn that a tag or a comment never ends, the parser reads the whole rest of the page. After so many characters
# it takes for markup only what ends before the next angle bracket, and all else for text.
_MAX_UNENDED_CHARS = 2_000_000
_SURELY_ENDED = re.compile(
    r"""</?[a-zA-Z](?:[^<>"']|"[^<>"]*"|'[^<>']*')*+>|<!--[^<>]*-->|<(?:!(?!--)|\?|/(?![a-zA-Z]))[^<>]*>"""
)


def read(text: str, path: str) -> tuple[Document, ...]:
    """A single document; its title is its <title> or its first heading."""
    outline = Outline()
    title = feed(outline, text, first_line=1)
    blocks = outline.blocks()
    return (Document(path, title or outline.title, blocks),)


def feed(outline: Outline, text: str, first_line: int) -> str:
    """Add what *text* shows to *outline* and give its <title>. *first_line* is where *text* begins."""
    page = _Page(outline, first_line)
    text = _NEWLINE_ENTITY.sub(" ", text)
    page.feed(_LONG_REFERENCE.sub(lambda found: f"&#{found[1][:8] or 0}", text))
    page.close()
    page.end_block()
    return page.title


class _Page(HTMLParser):
    """Gathers text until a tag ends the block, keeping a newline for each one of the source."""

    def __init__(self, outline: Outline, first_line: int) -> None:
        super().__init__(convert_charrefs=True)
        self.title = ""
        self._outline = outline
        self._lines_before = first_line - 1
        self._gathered: list[str] = []
        self._written = False  # whether anything gathered is more than blank
        self._first_line = self._line = first_line
        self._tag = ""
        self._marker = ""
        self._pre = 0
        self._unseen: list[str] = []  # the open tags that hide text, and how many of them have each name
        self._unseen_names: Counter[str] = Counter()
        self._unended_chars = 0

    def parse_starttag(self, i: int) -> int:
        return self._parsed(super().parse_starttag, i)

    def parse_endtag(self, i: int) -> int:
        return self._parsed(super().parse_endtag, i)

    def parse_comment(self, i: int, report: bool = True) -> int:
        return self._parsed(super().parse_comment, i)

    def parse_pi(self, i: int) -> int:
        return self._parsed(super().parse_pi, i)

    def parse_html_declaration(self, i: int) -> int:
        """As a browser, take `<![` for a comment up to the next `>`; the library gives up at `<![0]`."""
        opens_section = self.rawdata.startswith("<![", i)
        return self._parsed(self.parse_bogus_comment if opens_section else super().parse_html_declaration, i)

    def _parsed(self, parse: Callable[[int], int], at: int) -> int:
        if self._unended_chars >= _MAX_UNENDED_CHARS and not _SURELY_ENDED.match(self.rawdata, at):
            self.handle_data("<")
            return at + 1
        end = parse(at)
        if end < 0:
            self._unended_chars += len(self.rawdata) - at
        return end

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SURELY_SEEN:
            self._unseen.clear()
            self._unseen_names.clear()
        if tag in _UNSEEN:
            self.end_block()
            self._unseen.append(tag)
            self._unseen_names[tag] += 1
        if self._unseen:
            return
        if tag in _BLOCKS:
            self._begin_block(tag)
        elif tag == "br":
            self._gather(" ")
        elif tag in ("td", "th") and self._written:
            self._gather(" | ")
        elif tag == "img":
            self._gather(" ".join((dict(attrs).get("alt") or "").split()))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag in _UNSEEN:  # <svg/> hides nothing; of any other tag HTML itself ignores the slash
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
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

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self._gather(data)

    def end_block(self) -> None:
        """Hand over what was gathered; a block whose tag is never closed ends at the next one."""
        text, tag = "".join(self._gathered), self._tag
        written, self._written = self._written, False
        self._gathered.clear()
        if not written:
            return
        self._tag = ""
        if not self._pre:
            text = "\n".join(" ".join(line.split()) for line in text.split("\n"))
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

    def _gather(self, text: str) -> None:
        """Add *text*, after a newline for each line end in the markup since the last one."""
        here = self._lines_before + self.getpos()[0]
        if not self._gathered:
            self._first_line = self._line = here
        self._gathered.append("\n" * (here - self._line) + text)
        self._written = bool(self._written or text.strip())
        self._line = here + text.count("\n")
