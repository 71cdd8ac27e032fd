"""Read Org line by line: its paragraphs as plain text, under its headlines."""

from __future__ import annotations

import re
from dataclasses import replace

from rerank_cli.corpus.read.front_matter import NAMES, SENTENCES, leading_block
from rerank_cli.corpus.read.markup import (
    Line,
    Row,
    dedented,
    keeping_lines,
    linked,
    numbered,
    put_table,
    put_verbatim,
)
from rerank_cli.corpus.read.outline import Outline
from rerank_cli.fields import fields_in
from rerank_cli.records import Document, Reading

_HEADLINE = re.compile(r"^(?P<stars>\*{1,50})[ \t]+(?P<title>.*)$")
_TAGS = re.compile(r"(?:^|[ \t]+):(?P<tags>[^\s:]+(?::[^\s:]+)*):$")
_PRIORITY = re.compile(r"^\[#\w\][ \t]*")
_COOKIE = re.compile(r"[ \t]*\[(?:\d*%|\d*/\d*)\]")
_KEYWORD = re.compile(r"^[ \t]*#\+(?P<name>\w+)(?:\[[^\]]*\])?:[ \t]*(?P<value>.*)$")
_BEGIN = re.compile(r"^[ \t]*#\+begin_(?P<name>\w+)", re.IGNORECASE)
_COMMENT = re.compile(r"^[ \t]*#(?:[ \t]|\+|$)")
_DRAWER = re.compile(r"^[ \t]*:(?P<name>[\w-]+):$")
_FIXED = re.compile(r"^[ \t]*:(?:[ \t]|$)")
_ROW = re.compile(r"^[ \t]*\|")
_RULE = re.compile(r"^[ \t]*(?:-{5,}|\|-[-+|]*)$")
_ITEM = re.compile(r"^(?P<indent>[ \t]*)(?P<marker>[-+]|(?<=[ \t])\*|(?:\d+|[A-Za-z])[.)])[ \t]+(?P<text>\S.*)$")
_TERM = re.compile(r"^(?P<term>[^\n]*\S)[ \t]+::(?=[ \t]|$)[ \t]*")

_STATES = frozenset(("TODO", "DONE"))
_VERBATIM = frozenset(("src", "example", "verse"))
_UNSEEN = frozenset(("export", "comment"))
_UNSEEN_DRAWERS = frozenset(("properties", "logbook"))
_FIELDS = {
    **{name: name for name in ("author", "date", "email", "category", "keywords", "language", "created", "subtitle")},
    "filetags": "tags",
    "roam_tags": "tags",
    "hugo_tags": "tags",
    "last_modified": "modified",
}

# `:NAME: value` in a drawer; Org-roam's names have it in front, and their values words in quotation marks.
_PROPERTY = re.compile(r"^[ \t]*:(?P<name>[\w-]+)\+?:[ \t]+(?P<value>\S.*)$")
_VALUE = re.compile(r"\"([^\"]+)\"|([^\s\":]+)")

# A mark begins after one of these signs and ends before one of those, as Org has it.
_BEFORE, _AFTER = r"(?:(?<=[-\s({'\"])|^)", r"(?=[-\s.,;:!?'\")}\[]|$)"

# Without bounds an opening that is never closed costs a search through the rest of the paragraph.
_INLINE = re.compile(
    r"\[\[(?P<target>[^\[\]]{1,1000})\](?:\[(?P<text>[^\[\]]{1,1000})\])?\]"
    r"|\[fn:(?P<note>[\w-]{0,50})\]|\[fn:[\w-]{0,50}:(?P<said>[^\[\]]{1,1000})\]"
    r"|<<<?(?P<anchor>[^<>\n]{1,200})>>>?"
    r"|<(?P<time>\d{4}-\d\d-\d\d[^<>\n]{0,50})>"
    r"|@@\w+:[^@]{0,500}@@"
    r"|\{\{\{\w+\((?P<macro>[^{}()]{0,500})\)\}\}\}"
    r"|\bsrc_\w+(?:\[[^\[\]]{0,100}\])?\{(?P<source>[^{}]{0,500})\}"
    r"|(?<=\S)[_^]\{(?P<script>[^{}]{0,200})\}"
    rf"|{_BEFORE}(?:=(?P<verbatim>[^\s=](?:[^=]{{0,500}}[^\s=])?)=|~(?P<code>[^\s~](?:[^~]{{0,500}}[^\s~])?)~"
    r"|\*(?P<strong>[^\s*](?:[^*]{0,500}[^\s*])?)\*|/(?P<emphasis>[^\s/](?:[^/]{0,500}[^\s/])?)/"
    r"|_(?P<under>[^\s_](?:[^_]{0,500}[^\s_])?)_|\+(?P<struck>[^\s+](?:[^+]{0,500}[^\s+])?)\+)"
    rf"{_AFTER}"
    r"|\\\\$",
    re.MULTILINE,
)
_VERBATIM_MARKS = ("verbatim", "code", "source", "time")

# Of these links only the text says something: they lead to a headline or an anchor of some file.
_WITHIN = re.compile(r"^(?:id:|#|\*)")


def read(text: str, path: str) -> Reading:
    """A single document; its title is that of `#+TITLE`."""
    parser = _Parser(numbered(text))
    parser.parse()
    title, blocks = " ".join(parser.title), parser.outline.blocks()
    lines = (min(parser.said_at, default=1), max(parser.said_at, default=1))
    leading = leading_block(parser.sentences, parser.names, title, blocks, lines=lines)
    return Reading((Document(path, title, (*([leading] if leading else []), *blocks), tuple(parser.fields)),))


class _Parser:
    def __init__(self, lines: list[Line]) -> None:
        self.outline = Outline()
        self.title: list[str] = []
        self.fields: list[tuple[str, str]] = []
        self.sentences: list[str] = []
        self.names: list[str] = []
        self.said_at: list[int] = []  # the lines that say them
        self._has_headline = False
        self._lines = lines
        self._unclosed: dict[str, int] = {}  # for what closes a block, up to where it is known to be missing
        self._states = {state for line in lines for state in _told_states(line)} | _STATES

    def parse(self) -> None:
        at = 0
        while at < len(self._lines):
            at = self._element(at)

    def _element(self, at: int) -> int:
        """Read what begins at *at* and give the place after it."""
        line = self._lines[at]
        text = line.text
        if not text or (_RULE.match(text) and not _ROW.match(text)):
            return at + 1
        if found := _HEADLINE.match(text):
            return self._headline(found, at)
        if found := _BEGIN.match(text):
            return self._begun(found["name"].lower(), at)
        if found := _KEYWORD.match(text):
            self._keyword(found["name"].lower(), found["value"], line.number)
            return at + 1
        if _COMMENT.match(text):
            return at + 1
        if found := _DRAWER.match(text):
            return self._drawer(found["name"].lower(), at)
        if _FIXED.match(text):
            return self._fixed(at)
        if _ROW.match(text):
            return self._table(at)
        if found := _ITEM.match(text):
            return self._paragraph(at, _marker(found["marker"]), found["text"])
        return self._paragraph(at, "", text.strip())

    def _headline(self, found: re.Match[str], at: int) -> int:
        level, number = len(found["stars"]), self._lines[at].number
        title = found["title"].strip()
        tagged = _TAGS.search(title)
        title = title[: tagged.start()] if tagged else title
        state, _, rest = title.partition(" ")
        title = _COOKIE.sub("", _PRIORITY.sub("", rest.strip() if state in self._states else title))
        if title.split(" ", 1)[0] == "COMMENT":
            return self._after_subtree(level, at)
        self.outline.heading(level, self._plain(title), number, number)
        self._has_headline = True
        if tagged:
            self.outline.block(f"Tags: {', '.join(tagged['tags'].split(':'))}", number, number)
        return at + 1

    def _after_subtree(self, level: int, at: int) -> int:
        self.outline.close(level)
        headlines = ((n, _HEADLINE.match(self._lines[n].text)) for n in range(at + 1, len(self._lines)))
        return next((n for n, found in headlines if found and len(found["stars"]) <= level), len(self._lines))

    def _begun(self, name: str, at: int) -> int:
        """A block up to its end; one without an end is none, and what stands in it is text."""
        if name not in _VERBATIM and name not in _UNSEEN:
            return at + 1
        end = self._first(at, f"#+end_{name}")
        if end is None:
            return at + 1
        if name in _VERBATIM:
            inner = [replace(line, text=_unescaped(line.text)) for line in self._lines[at + 1 : end]]
            put_verbatim(self.outline, dedented(inner))
        return end + 1

    def _first(self, at: int, closing: str) -> int | None:
        """The first line below *at* that is *closing*, in the same section."""
        if at < self._unclosed.get(closing, 0):
            return None
        n = at
        for n in range(at + 1, len(self._lines)):
            text = self._lines[n].text
            if text.strip().lower() == closing:
                return n
            if _HEADLINE.match(text):
                break
        self._unclosed[closing] = n
        return None

    def _keyword(self, name: str, value: str, number: int) -> None:
        if name in _FIELDS:
            said = ",".join(value.split(":")) if name == "filetags" else value
            self.fields += fields_in(self._plain(said), _FIELDS[name])
        value = self._plain(value.strip())
        if name == "title":
            self.title.append(value)
        elif name in SENTENCES:
            self.sentences.append(value)
        elif name in ("author", "keywords", "filetags"):
            names = re.split("[:,]" if name == "filetags" else ",", value)
            self.names += [each.strip() for each in names if each.strip()]
        elif name == "caption":
            self.outline.block(value, number, number)
            return
        else:
            return
        self.said_at.append(number)

    def _drawer(self, name: str, at: int) -> int:
        if name not in _UNSEEN_DRAWERS:
            return at + 1
        end = self._first(at, ":end:")
        if end is None:
            return at + 1
        for line in self._lines[at + 1 : end] if name == "properties" else ():
            self._property(line)
        return end + 1

    def _property(self, line: Line) -> None:
        """What a property says of the file, or of the section that it stands in; most are for programs."""
        found = _PROPERTY.match(line.text)
        name = found["name"].lower().removeprefix("roam_") if found else ""
        if not found or name not in (*SENTENCES, *NAMES):
            return
        value = self._plain(found["value"].strip())
        named = [] if name in SENTENCES else [one or other for one, other in _VALUE.findall(value)]
        if self._has_headline:
            self.outline.block(", ".join(named) or value, line.number, line.number, leads=True)
        elif named:
            self.names += named
        else:
            self.sentences.append(value)
        self.said_at.append(line.number)

    def _fixed(self, at: int) -> int:
        end = self._run(at, _FIXED)
        put_verbatim(self.outline, [replace(line, text=line.text.strip()[2:]) for line in self._lines[at:end]])
        return end

    def _table(self, at: int) -> int:
        end = self._run(at, _ROW)
        lines = self._lines[at:end]
        rows = [_row(line) for line in lines if not _RULE.match(line.text)]
        rules = [line.number for line in lines if _RULE.match(line.text) and rows and line.number > rows[0].number]
        heads = sum(row.number < rules[0] for row in rows) if rules else 0
        told = (Row(row.number, tuple(self._plain(cell) for cell in row.cells)) for row in rows)
        put_table(self.outline, told, heads=heads if heads < len(rows) else 0)
        return end

    def _run(self, at: int, kind: re.Pattern[str]) -> int:
        """Where the lines of a *kind* end that begin at *at*."""
        return next((n for n in range(at, len(self._lines)) if not kind.match(self._lines[n].text)), len(self._lines))

    def _paragraph(self, at: int, marker: str, first: str) -> int:
        """Lines up to the next blank one, or to what begins something else."""
        end = at + 1
        while end < len(self._lines) and self._lines[end].text and not _begins(self._lines[end].text):
            end += 1
        text = "\n".join([first, *(line.text.strip() for line in self._lines[at + 1 : end])])
        if marker == "- ":
            text = _TERM.sub(r"\g<term>: ", text, count=1)
        self.outline.block(marker + self._plain(text), self._lines[at].number, self._lines[end - 1].number)
        return end

    def _plain(self, text: str) -> str:
        return _INLINE.sub(self._words, text)

    def _words(self, found: re.Match[str]) -> str:
        """The words of a piece of markup, and as many line ends as it has."""
        return keeping_lines(found, self._said(found))

    def _said(self, found: re.Match[str]) -> str:
        if found["target"]:
            return self._link(found["target"], found["text"] or "")
        if found["note"]:
            return f"[{found['note']}]"
        if found["said"]:
            return f" ({self._plain(found['said']).strip()})"
        kind = found.lastgroup or ""
        text = found[kind] if kind else ""
        return text if kind in _VERBATIM_MARKS else self._plain(text) if text else ""

    def _link(self, target: str, text: str) -> str:
        target = target.partition("::")[0].removeprefix("file:")
        if _WITHIN.match(target):
            return self._plain(text) or _WITHIN.sub("", target)
        return linked(self._plain(text), target)


def _told_states(line: Line) -> list[str]:
    """The states that a line like `#+TODO: OPEN(o) | CLOSED(c)` gives to headlines."""
    found = _KEYWORD.match(line.text)
    if not found or found["name"].upper() not in ("TODO", "SEQ_TODO", "TYP_TODO"):
        return []
    return [state.partition("(")[0] for state in found["value"].split() if state != "|"]


def _begins(text: str) -> bool:
    """Whether a line within a paragraph begins something else."""
    return any(
        sign.match(text) for sign in (_HEADLINE, _BEGIN, _KEYWORD, _COMMENT, _DRAWER, _FIXED, _ROW, _ITEM, _RULE)
    )


def _marker(marker: str) -> str:
    return f"{marker} " if marker[0].isalnum() else "- "


def _unescaped(text: str) -> str:
    """A line of code as it is meant: Org puts a comma before what else were a headline or a keyword."""
    bare = text.lstrip()
    return text.replace(",", "", 1) if bare.startswith((",*", ",#+", ",,")) else text


def _row(line: Line) -> Row:
    return Row(line.number, tuple(cell.strip() for cell in line.text.strip().strip("|").split("|")))
