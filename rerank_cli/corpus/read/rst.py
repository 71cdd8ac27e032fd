"""Read reStructuredText line by line: its paragraphs as plain text, under its section titles."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from rerank_cli.corpus.read import diagrams, rst_tables
from rerank_cli.corpus.read.markup import (
    Line,
    Lines,
    Row,
    dedented,
    keeping_lines,
    linked,
    numbered,
    put_table,
    put_verbatim,
)
from rerank_cli.corpus.read.outline import Outline
from rerank_cli.corpus.read.rst_tables import Cells
from rerank_cli.fields import fields_in
from rerank_cli.records import Document, Reading

_ADORNMENT = re.compile(r"^([!-/:-@\[-`{-~])\1*$")
_DIRECTIVE = re.compile(r"^\.\. +(?:\|[^|]+\| +)?(?P<name>[\w.+-]+(?::[\w.+-]+)*) ?::(?: +(?P<argument>.*)|$)")
_FOOTNOTE = re.compile(r"^\.\. +(?=\[[^\]]+\](?: |$))")
_SUBSTITUTION = re.compile(r"^\.\. \|(?P<name>[^|\n]+)\| replace:: *(?P<text>.*)$", re.MULTILINE)
_LINK = re.compile(r"^\.\. _(?P<quote>`?)(?P<name>[^`\n]{1,200}?)(?P=quote): +(?P<target>\S+)$", re.MULTILINE)
_OPTION = re.compile(r"^:(?P<name>[\w -]+):(?: +(?P<text>.*)|$)")
_LINE_BLOCK = re.compile(r"^\|(?: +|$)")
_METADATA = re.compile(r"^:(?:orphan|tocdepth|nocomments|nosearch|no-?search|allow-?comments):")
_ITEM = re.compile(r"^(?P<marker>[-*+•‣]|\(?(?:\d+|[A-Za-z]|#)[.)]) +(?=\S)")

# Without bounds an opening that is never closed costs a search through the rest of the paragraph.
_INLINE = re.compile(
    r"``(?P<literal>.{1,500}?)``(?!`)"
    r"|:[\w+.-]{1,50}(?::[\w+.-]{1,50}){0,3}:`(?P<role>[^`]+)`"
    r"|`(?P<phrase>[^`]+)`_{0,2}"
    r"|\*\*(?P<strong>\S(?:.{0,500}?\S)?)\*\*"
    r"|(?<![\w*])\*(?P<emphasis>[^\s*](?:[^*]*[^\s*])?)\*(?!\w)"
    r"|(?<!\w)\|(?P<substitution>[^|\s](?:[^|\n]*[^|\s])?)\|_{0,2}(?!\w)"
    r"|\[(?P<note>[#*]?[\w.-]{0,50})\]_(?!\w)"
    r"|\b(?P<reference>[A-Za-z0-9](?:[\w.-]{0,100}[A-Za-z0-9])?)__?(?!\w)"
    r"|\\(?P<escaped>.?)",
    re.DOTALL,
)
_TARGET = re.compile(r"(?<!\s)\s*<(?P<target>[^<>]+)>$")

# Their content is shown as it stands.
_VERBATIM = frozenset(
    (
        "code",
        "code-block",
        "code-cell",
        "sourcecode",
        "parsed-literal",
        "math",
        "prompt",
        "console",
        "doctest",
        "testcode",
        "testoutput",
        "productionlist",
        "ipython",
        "plot",
        *("click:example", "click:run"),
    )
)

# What stands behind the name of these is shown too.
_SHOWN_ARGUMENT = frozenset(("math", "productionlist"))

# What stands behind the name of these is a condition, a class or a count, and no text.
_HIDDEN_ARGUMENT = frozenset(
    (
        *("only", "ifconfig", "ifconfig-lang", "ifeval", "container", "class", "rst-class", "cssclass", "compound"),
        *("highlights", "epigraph", "pull-quote", "hlist", "grid", "tab-set", "tabs", "acks"),
    )
)

_TABLES = {"csv-table": rst_tables.from_csv, "list-table": rst_tables.from_list, "flat-table": rst_tables.from_list}

# Of these a reader of the page sees nothing, or nothing that is written in this file.
_UNSEEN = frozenset(
    (
        "toctree",
        "include",
        "literalinclude",
        "currentmodule",
        "module",
        "py:module",
        "py:currentmodule",
        "automodule",
        "program",
        "highlight",
        "index",
        "contents",
        "meta",
        "raw",
        "role",
        "default-role",
        "sectnum",
        "header",
        "footer",
        "tabularcolumns",
        "sectionauthor",
        "codeauthor",
        "testsetup",
        "testcleanup",
        *("inheritance-diagram", "todo", "todolist", "title"),
        *("default-domain", "highlightlang", "bibliography"),
        "replace",
        "unicode",
        "date",
    )
)

# What is described has its signature as a heading: "Default: None" says little without the name above it.
_DESCRIBES = re.compile(
    r"^(?:\w+:)?(?:auto)?(?:function|class|method|attribute|data|exception|staticmethod|classmethod|decorator"
    r"|decoratormethod|property|option|cmdoption|envvar|confval|setting|describe|object|directive|macro|type"
    r"|struct|enum|member|var)$"
)

# The words that the page shows before the number.
_SPOKEN = {
    "versionadded": "Added in version ",
    "versionchanged": "Changed in version ",
    "deprecated": "Deprecated since version ",
    "versionremoved": "Removed in version ",
    "availability": "Availability: ",
}

# Headings of descriptions lie deeper than those of sections, and end with their body.
_NESTED = 100

# Deeper than any person writes, and far from the end of Python's stack; below it, all are paragraphs.
_MAX_DEPTH = 50

# A substitution of substitutions can grow without end; one that is longer stays a name.
_MAX_SUBSTITUTED_CHARS = 1000

# Fields of a page stand at its beginning.
_MOST_HEAD_LINES = 100

_TAB_COLUMNS = 8  # as docutils has it


def read(text: str, path: str) -> Reading:
    """A single document; its title is its first section title."""
    lines = numbered(text, tab_columns=_TAB_COLUMNS)
    outline = Outline()
    _Parser(outline, _Names(text)).body(lines, depth=0)
    blocks = outline.blocks()
    return Reading((Document(path, outline.title, blocks, tuple(_said(lines))),))


def _said(lines: Lines) -> Iterator[tuple[str, str]]:
    """The fields that a page begins with, below its title if it has one (docutils calls them its bibliography)."""
    waiting = [line.text for line in lines[:_MOST_HEAD_LINES] if line.text and not _ADORNMENT.match(line.text)]
    is_title = bool(waiting) and not _OPTION.match(waiting[0])
    for text in waiting[is_title:]:
        if not (found := _OPTION.match(text)):
            return
        yield from fields_in(found["text"] or "", found["name"])


def feed(outline: Outline, lines: Lines) -> None:
    """Add what *lines*, which stand in another markup and have no sections, say to *outline*."""
    _Parser(outline, _Names("\n".join(line.text for line in lines))).body(lines, depth=1)


def is_directive(name: str) -> bool:
    """Whether *name* is that of a directive that is known here and holds no text."""
    known = (_VERBATIM, _UNSEEN, _TABLES, diagrams.LANGUAGES, ("image", "figure"))
    return any(name in names for names in known)


def describes(name: str) -> bool:
    """Whether the directive *name* describes what stands behind it, such as a function."""
    return _DESCRIBES.match(name) is not None


def shown_argument(name: str, argument: str) -> str:
    """What a page shows of *argument*, which stands behind the *name* of a directive that holds text."""
    return "" if name in _HIDDEN_ARGUMENT else _SPOKEN.get(name, "") + argument


def words_of_role(text: str) -> str:
    """What a page shows of *text*, to which a role gives a meaning."""
    text = _TARGET.sub("", text) or text
    return text.rpartition(".")[2] if text.startswith("~") else text.lstrip("!.")


class _Names:
    """What names stand for anywhere in a page: substitutions, and the targets of links."""

    def __init__(self, text: str) -> None:
        self.substitutions = {found["name"]: found["text"] for found in _SUBSTITUTION.finditer(text)}
        self.substituted: dict[str, str] = {}
        self._targets = {_name(found["name"]): found["target"] for found in _LINK.finditer(text)}

    def linked(self, text: str) -> str:
        """*text*, a name, and its target where it is used first."""
        return linked(text, self._targets.pop(_name(text), ""))


def _name(text: str) -> str:
    return " ".join(text.casefold().split())


class _Parser:
    """Walks lines whose common indentation is taken off; `depth` counts how often it was."""

    def __init__(self, outline: Outline, names: _Names) -> None:
        self._outline = outline
        self._names = names
        self._styles: list[str] = []  # of section adornments, by first appearance: the outermost first
        self._marker = ""  # the bullet or number that belongs to the next paragraph

    def body(self, lines: Lines, *, depth: int) -> None:
        at = 0
        while at < len(lines):
            at = self._element(lines, at, depth)

    def _element(self, lines: Lines, at: int, depth: int) -> int:
        """Read what begins at *at* and give the place after it."""
        text = lines[at].text
        if not text or text.startswith("__ ") or (not depth and _METADATA.match(text)):
            return at + 1
        if len(text) >= 4 and _ADORNMENT.match(text) and depth:
            return at + 1
        if depth == 0 and (end := self._section(lines, at)):
            return end
        if len(text) >= 4 and _ADORNMENT.match(text):  # a transition between sections
            return at + 1
        if depth >= _MAX_DEPTH:
            return self._paragraph(lines, at)
        if text == ".." or text.startswith(".. "):
            if text == ".." and at + 1 < len(lines) and not lines[at + 1].text:
                return at + 1  # an empty comment, which only keeps apart what stands around it
            end = _end_of_body(lines, at + 1)
            self._explicit(lines[at], lines[at + 1 : end], depth)
            return end
        if rst_tables.EDGE.match(text):
            return self._table(lines, at, depth)
        if text.startswith(" "):  # a quotation, or the body of a definition
            end = _end_of_body(lines, at)
            self.body(dedented(lines[at:end]), depth=depth + 1)
            return end
        if _is_item(lines, at):
            return self._item(lines, at, depth)
        return self._paragraph(lines, at)

    def _section(self, lines: Lines, at: int) -> int:
        first, *rest = (line.text for line in lines[at : at + 3])
        if _ADORNMENT.match(first):
            if len(rest) == 2 and rest[1] == first and rest[0] and not _ADORNMENT.match(rest[0]):
                return self._title(first[0] * 2, rest[0], lines, at, at + 3)
            return 0
        # From four characters on, docutils lets an underline fall short of its title.
        if rest and not first.startswith(" ") and _ADORNMENT.match(rest[0]) and len(rest[0]) >= min(4, len(first)):
            return self._title(rest[0][0], first, lines, at, at + 2)
        return 0

    def _title(self, style: str, text: str, lines: Lines, at: int, end: int) -> int:
        if style not in self._styles:
            self._styles.append(style)
        level = self._styles.index(style) + 1
        self._outline.heading(level, self._plain(text), lines[at].number, lines[end - 1].number)
        return end

    def _explicit(self, head: Line, body: Lines, depth: int) -> None:
        """A directive or a footnote; comments, targets and substitutions show nothing themselves."""
        if footnote := _FOOTNOTE.match(head.text):
            self.body([replace(head, text=head.text[footnote.end() :]), *dedented(body)], depth=depth + 1)
        elif directive := _DIRECTIVE.match(head.text):
            argument = replace(head, text=(directive["argument"] or "").strip())
            self._directive(directive["name"].lower(), argument, dedented(body), depth)

    def _directive(self, name: str, argument: Line, body: list[Line], depth: int) -> None:
        content, options = _content(body), _options(body)
        if name in _UNSEEN:
            return
        if name in diagrams.LANGUAGES:
            self.body([options["caption"]] if "caption" in options else [], depth=depth + 1)
            words = diagrams.words_of("\n".join(line.text for line in content)).split("\n")
            put_verbatim(self._outline, [replace(line, text=text) for line, text in zip(content, words, strict=False)])
        elif name in _VERBATIM:
            shown = [argument] if name in _SHOWN_ARGUMENT else [options["caption"]] if "caption" in options else []
            self.body(shown, depth=depth + 1)
            put_verbatim(self._outline, content)
        elif name in ("image", "figure"):
            self._image(argument, options)
            self.body(dedented(body[_first_blank(body) :]), depth=depth + 1)
        elif name in _TABLES:
            self.body([argument], depth=depth + 1)
            self._directed_table(name, content, options, depth)
        elif name in _HIDDEN_ARGUMENT:
            self.body(content, depth=depth + 1)
        elif describes(name):
            self._description(argument, content, depth)
        else:
            spoken = replace(argument, text=shown_argument(name, argument.text))
            self.body([spoken, *content], depth=depth + 1)

    def _image(self, argument: Line, options: dict[str, Line]) -> None:
        """What stands in for it, and its file: the page shows neither to most, and both say what it is."""
        if "alt" in options:
            alt = options["alt"]
            self._outline.block(linked(self._plain(alt.text), argument.text), alt.number, alt.number)

    def _directed_table(self, name: str, content: Lines, options: dict[str, Line], depth: int) -> None:
        try:
            rows, heads = _TABLES[name](content, options)
        except (csv.Error, TypeError, ValueError):  # broken quotes, or a sign that the library takes for none
            put_verbatim(self._outline, content)
        else:
            self._rows(rows, heads, depth, last=max((line.number for line in content if line.text), default=0))

    def _description(self, argument: Line, content: list[Line], depth: int) -> None:
        end = _first_blank(content)
        signatures = [argument, *content[:end]]
        title = ", ".join(line.text.strip() for line in signatures if line.text)
        self._outline.heading(_NESTED + depth, title, argument.number, signatures[-1].number)
        self.body(content[end:], depth=depth + 1)
        self._outline.close(_NESTED + depth)

    def _table(self, lines: Lines, at: int, depth: int) -> int:
        end = at + 1
        if lines[at].text.startswith("+"):
            while end < len(lines) and lines[end].text.startswith(("+", "|")):
                end += 1
        else:  # the rows of a simple table may have blank lines between them
            while end < len(lines) and not _closes_table(lines, end - 1, opened=at):
                end += 1
        self._rows(*rst_tables.drawn(lines[at:end]), depth, last=lines[end - 1].number)
        return end

    def _rows(self, rows: Iterable[Cells], heads: int, depth: int, *, last: int) -> None:
        told = (Row(row.number, tuple(self._inner(cell, depth + 1) for cell in row.cells)) for row in rows)
        put_table(self._outline, told, heads=heads, last=last)

    def _inner(self, lines: Lines, depth: int) -> str:
        """What *lines*, the body of a cell, say."""
        outline = Outline()
        _Parser(outline, self._names).body(lines, depth=depth)
        return " ".join(" ".join((*block.headings, block.text)) for block in outline.blocks())

    def _item(self, lines: Lines, at: int, depth: int) -> int:
        found = _ITEM.match(lines[at].text)
        assert found is not None
        end = _end_of_body(lines, at + 1)
        marker = found["marker"]
        self._marker = "- " if marker in "-*+•‣" else f"{marker} "
        first = replace(lines[at], text=lines[at].text[found.end() :])
        self.body([first, *dedented(lines[at + 1 : end])], depth=depth + 1)
        self._marker = ""
        return end

    def _paragraph(self, lines: Lines, at: int) -> int:
        end = at
        while end < len(lines) and lines[end].text and (end == at or not lines[end].text.startswith(" ")):
            if end > at and _is_item(lines, end) and self._marker:
                break
            if end == at + 1 and len(lines[end].text) >= 4 and _ADORNMENT.match(lines[end].text):
                break  # a title where no section may begin
            end += 1
        text = "\n".join(line.text for line in lines[at:end])
        if text.startswith(">>> "):
            self._outline.verbatim(text, lines[at].number)
            return end
        marker, self._marker = self._marker, ""
        if text.startswith("|"):
            text = "\n".join(_LINE_BLOCK.sub("", line.text) for line in lines[at:end])
        announces = text.endswith("::")
        if announces:
            text = text.removesuffix("::") if text.endswith((" ::", "\n::")) or text == "::" else text[:-1]
        if text.strip():
            self._outline.block(marker + self._plain(text), lines[at].number, lines[end - 1].number)
        return self._literal(lines, end) if announces else end

    def _literal(self, lines: Lines, at: int) -> int:
        end = _end_of_body(lines, at)
        put_verbatim(self._outline, dedented(lines[at:end]))
        return end

    def _plain(self, text: str) -> str:
        return _INLINE.sub(self._words, text)

    def _words(self, found: re.Match[str]) -> str:
        """The words of a piece of markup, and as many line ends as it has."""
        kind, text = found.lastgroup or "", found[found.lastgroup or 0]
        if kind == "role":
            text = words_of_role(text)
        elif kind == "phrase":
            text = self._link(text)
        elif kind == "reference":
            text = self._names.linked(text)
        elif kind == "note":
            text = f"[{text}]"
        elif kind == "substitution" and text in self._names.substitutions:
            text = self._substitution(text)
        elif kind == "escaped":
            text = text.strip(" ")
        return keeping_lines(found, text)

    def _link(self, phrase: str) -> str:
        target = _TARGET.search(phrase)
        if not target:
            return self._names.linked(phrase)
        address = "".join(target["target"].split())
        text = phrase[: target.start()]
        return self._names.linked(text or address) if address.endswith("_") else linked(text, address)

    def _substitution(self, name: str) -> str:
        """What *name* stands for; inside itself it stands for its own name."""
        names = self._names
        if name not in names.substituted:
            names.substituted[name] = name
            text = self._plain(names.substitutions[name])
            if len(text) <= _MAX_SUBSTITUTED_CHARS:
                names.substituted[name] = text
        return names.substituted[name]


def _end_of_body(lines: Lines, at: int) -> int:
    """Where the indented lines from *at* on end."""
    return next((n for n in range(at, len(lines)) if lines[n].text and not lines[n].indent), len(lines))


def _first_blank(lines: Lines) -> int:
    return next((at for at, line in enumerate(lines) if not line.text), len(lines))


def _content(body: list[Line]) -> list[Line]:
    """The body less the options that stand before its first blank line."""
    end = _first_blank(body)
    first = next((at for at in range(end) if _OPTION.match(body[at].text)), end)
    return body[:first] + dedented(body[end:])


def _options(body: list[Line]) -> dict[str, Line]:
    """The options that stand before the first blank line of the body, each on the line where it begins."""
    options: dict[str, Line] = {}
    name = ""
    for line in body[: _first_blank(body)]:
        if found := _OPTION.match(line.text):
            name = found["name"].lower()
            options[name] = replace(line, text=(found["text"] or "").strip())
        elif name:
            options[name] = replace(options[name], text=f"{options[name].text} {line.text.strip()}".strip())
    return options


def _is_item(lines: Lines, at: int) -> bool:
    """A line like "A. Smith wrote" is no item if the next one goes on at its margin."""
    if not _ITEM.match(lines[at].text):
        return False
    after = lines[at + 1].text if at + 1 < len(lines) else ""
    return not after or after.startswith(" ") or _ITEM.match(after) is not None


def _closes_table(lines: Lines, at: int, *, opened: int) -> bool:
    return at > opened and rst_tables.EDGE.match(lines[at].text) is not None and not lines[at + 1].text
