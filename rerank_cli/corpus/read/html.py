"""Read HTML: its visible text, block by block, under its headings."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from rerank_cli.corpus.read.encoded import without_encoded
from rerank_cli.corpus.read.front_matter import leading_block
from rerank_cli.corpus.read.outline import Outline
from rerank_cli.corpus.read.survey import BLOCKS, HEADINGS, Survey, survey
from rerank_cli.corpus.read.tags import Tag, Text, split_tags
from rerank_cli.corpus.read.targets import Targets
from rerank_cli.corpus.read.template_tags import without_template_tags
from rerank_cli.fields import fields_in
from rerank_cli.records import Document, Reading, Unit

# A browser leaves a gap beside these.
_APART = frozenset(("label", "select", "input", "textarea", "button", "option"))

_SKIPS = re.compile(r"\s*(?:skip|jump)\b", re.IGNORECASE)
_WORD = re.compile(r"\w")

# A line end written as an entity is none of the source, by whose lines everything is counted.
_NEWLINE_ENTITY = re.compile(r"&(?:NewLine;|#0*10(?:;|(?!\d))|#[xX]0*[aA](?:;|(?![\da-fA-F])))")


# What a <meta> says to readers, by its name, and the vocabularies of which every word does.
_SAID = (
    *("author", "keywords", "category", "tags", "section", "language", "publisher", "subject", "status", "generator"),
    *("date", "created", "modified", "lastmod", "updated", "published"),
)
_FIELDS = {
    **{name: name for name in _SAID},
    **dict.fromkeys(("last-modified", "revised", "datemodified", "og:updated_time", "modified_time"), "modified"),
    **dict.fromkeys(("datepublished", "publish_date", "pubdate", "published_time"), "published"),
    "creator": "author",
    "news_keywords": "keywords",
    "tag": "tags",
    "og:type": "type",
    "og:site_name": "site",
    "og:locale": "language",
}
_VOCABULARIES = frozenset(("dc", "dcterms", "article"))


def read(text: str, path: str, *, unit: Unit = "line") -> Reading:
    """A single document; its title is its <title> or its first heading. Its places are said to count in *unit*."""
    outline = Outline(unit)
    filled_in = without_template_tags(text)
    page = _read(outline, without_encoded(filled_in), first_line=1, whole=True)
    blocks = outline.blocks()
    if filled_in != text:  # what is left of a template may be signs alone
        blocks = tuple(block for block in blocks if _WORD.search(block.text))
    title = page.title or outline.title
    lines = (min(page.described_at, default=1), max(page.described_at, default=1))
    leading = leading_block(page.sentences[:1], page.names, title, blocks, lines=lines) if page.described_at else None
    return Reading((Document(path, title, (*([leading] if leading else []), *blocks), tuple(page.fields)),))


def feed(outline: Outline, text: str, first_line: int, *, wraps: bool = False) -> None:
    """Add what *text*, a part of a page, shows to *outline*. *first_line* is where it begins.

    Its line ends are kept, for places that count lines, but where it *wraps*.
    """
    _read(outline, text, first_line, whole=False, wraps=wraps)


def _read(outline: Outline, text: str, first_line: int, *, whole: bool, wraps: bool = False) -> _Page:
    text = _NEWLINE_ENTITY.sub(" ", text)
    found = survey(split_tags(text))
    page = _Page(outline, first_line, found, whole=whole, wraps=wraps)
    for ordinal, each in enumerate(split_tags(text)):
        page.take(ordinal, each)
    page.end_table()
    return page


def _field_of(name: str) -> str:
    """The field that a <meta> called *name* gives; empty for what is said to programs alone."""
    vocabulary, _, own = name.rpartition(":" if ":" in name else ".")
    if vocabulary in _VOCABULARIES:
        return _FIELDS.get(own, own)
    return _FIELDS.get(name, "")


@dataclass(slots=True)
class _Row:
    """A row of a table: the text of its cells, its lines, and whether it names the columns."""

    first: int = 0
    last: int = 0
    cells: list[str] = field(default_factory=list)
    names: bool = True

    @property
    def text(self) -> str:
        return " | ".join(self.cells)


class _Page:
    """Gathers text until a tag ends the block, keeping a newline for each one of the source."""

    def __init__(self, outline: Outline, first_line: int, found: Survey, *, whole: bool, wraps: bool) -> None:
        self.title = ""
        self._wraps = wraps
        self.sentences: list[str] = []
        self.names: list[str] = []
        self.described_at: list[int] = []  # the lines that say so
        self.fields: list[tuple[str, str]] = []
        self._outline = outline
        self._survey = found
        self._core = found.core if whole else None
        self._unseen_until = self._kept_until = 0
        self._before = self._first_line = self._line = first_line
        self._gathered: list[str] = []
        self._written = False  # whether anything gathered is more than blank
        self._tag = ""
        self._marker = ""
        self._pre = 0
        self._link: Tag | None = None
        self._link_at = 0
        self._targets = Targets()
        self._rows: list[_Row] | None = None  # of the table that is open
        self._heads = False  # whether its head is

    def take(self, ordinal: int, found: Text | Tag) -> None:
        line = self._before + found.line
        if isinstance(found, Tag) and found.name == "meta" and found.starts:
            self._describe(found, line)
        self._kept_until = max(self._kept_until, self._survey.kept.get(ordinal, 0))
        if ordinal < self._unseen_until or not self._is_core(ordinal):
            return
        if ordinal in self._survey.unseen and isinstance(found, Tag):
            self._unseen_until = self._survey.unseen[ordinal]
            if found.name in BLOCKS and self._rows is None:
                self.end_block()
            elif found.name in _APART:
                self._gather(" ", line)
        elif isinstance(found, Text):
            self._gather(found.text, line)
        elif found.starts:
            self._start(found, line, is_table=ordinal in self._survey.tables)
        else:
            self._end(found.name, line)

    def _is_core(self, ordinal: int) -> bool:
        return self._core is None or self._core[0] <= ordinal <= self._core[1] or ordinal < self._kept_until

    def _describe(self, tag: Tag, line: int) -> None:
        attributes = tag.attributes()
        name = (attributes.get("name") or attributes.get("property", "")).lower()
        content = " ".join(attributes.get("content", "").split())
        if not content:
            return
        if key := _field_of(name or attributes.get("itemprop", "").lower()):
            self.fields += fields_in(content, key)
        if name in ("description", "og:description", "dc.description", "dcterms.description"):
            self.sentences.insert(0 if name == "description" else len(self.sentences), content)
        elif name == "keywords":
            self.names += [each.strip() for each in content.split(",") if each.strip()]
        else:
            return
        self.described_at.append(line)

    def _start(self, tag: Tag, line: int, *, is_table: bool) -> None:
        if tag.name in _APART:
            self._gather(" ", line)
        if self._rows is not None and tag.name != "caption":
            self._start_in_table(tag, line, self._rows)
        elif tag.name in BLOCKS:
            self._begin_block(tag.name)
            if is_table:
                self._rows = []
        elif tag.name in ("td", "th") and self._written:
            self._gather(" | ", line)
        if tag.name == "br":
            self._gather(" ", line)
        elif tag.name == "img":
            attributes = tag.attributes()
            alt = " ".join(attributes.get("alt", "").split())
            told = self._targets.beside(alt, attributes.get("src", ""), attributes.get("title", ""), picture=True)
            self._gather(alt + told if alt or self._tag not in HEADINGS else "", line)
        elif tag.name == "a":
            self._link, self._link_at = tag, len(self._gathered)

    def _start_in_table(self, tag: Tag, line: int, rows: list[_Row]) -> None:
        """Within a row all text is on one line; cells begin where they are said to."""
        if tag.name == "thead":
            self._heads = True
        elif tag.name in ("tbody", "tfoot"):
            self._heads = False
        elif tag.name == "tr":
            self._end_cell()
            rows.append(_Row())
        elif tag.name in ("td", "th"):
            self._end_cell()
            if not rows:
                rows.append(_Row())
            rows[-1].names &= tag.name == "th" or self._heads
            rows[-1].cells.append("")
        elif tag.name in BLOCKS:
            self._gather(" ", line)

    def _end(self, tag: str, line: int) -> None:
        if tag in _APART:
            self._gather(" ", line)
        if tag == "a" and self._link:
            self._end_link(line)
        elif self._rows is not None and tag != "caption":
            self._heads &= tag != "thead"
            if tag == "table":
                self.end_table()
            elif tag in BLOCKS:
                self._gather(" ", line)
        elif tag in BLOCKS:
            self.end_block()
            if tag == "li":
                self._marker = ""
            elif tag == "pre" and self._pre:
                self._pre -= 1

    def _end_link(self, line: int) -> None:
        """Tell where a link leads; one that only leads about the page is no text if it is a sign."""
        link, self._link = self._link, None
        attributes = link.attributes() if link else {}
        target = attributes.get("href", "")
        text = "".join(self._gathered[self._link_at :])
        if target.startswith("#") and (not _WORD.search(text) or _SKIPS.match(text)):
            self._gathered[self._link_at :] = ["\n" * text.count("\n")]
            self._written = any(part.strip() for part in self._gathered)
        elif not self._pre:
            if "//" not in target:  # a section of the same site has made-up names, and a heading that says them better
                target = target.partition("#")[0]
            self._gather(self._targets.beside(text, target, attributes.get("title", "")), line)

    def _end_cell(self) -> None:
        """Put what was gathered into the last cell, or if there is none before the table."""
        if not self._rows or not self._rows[-1].cells:
            self.end_block()
            return
        row, text = self._rows[-1], " ".join("".join(self._gathered).split())
        if text:
            row.first = row.first or self._first_line
            row.last = self._line
        row.cells[-1] = " ".join([*([row.cells[-1]] if row.cells[-1] else []), text])
        self._gathered.clear()
        self._written = False
        self._link_at = 0

    def end_table(self) -> None:
        """Hand over the table that is open, and what stands behind it."""
        if self._rows is not None:
            self._end_cell()
            rows = [row for row in self._rows if row.first]
            self._rows, self._heads = None, False
            if rows:
                self._add_table(rows)
        self.end_block()

    def _add_table(self, rows: list[_Row]) -> None:
        heads = [row.text for row in rows[: next((n for n, row in enumerate(rows) if not row.names), len(rows))]]
        header = "\n".join(heads) if 0 < len(heads) < len(rows) else ""
        self._outline.table([(row.first, row.text) for row in rows], rows[-1].last, header=header)

    def end_block(self) -> None:
        """Hand over what was gathered; a block whose tag is never closed ends at the next one."""
        text, tag = "".join(self._gathered), self._tag
        written, self._written = self._written, False
        self._gathered.clear()
        self._link_at = 0
        if not written:
            return
        self._tag = ""
        if not self._pre:
            lines = [text] if self._wraps else text.split("\n")
            text = "\n".join(" ".join(line.split()) for line in lines)
        if tag == "title":
            self.title = self.title or " ".join(text.split())
        elif tag in HEADINGS:
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
