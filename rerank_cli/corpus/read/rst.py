"""Read reStructuredText line by line: its paragraphs as plain text, under its section titles."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from rerank_cli.corpus.read.outline import Outline
from rerank_cli.records import Document, Reading

_ADORNMENT = re.compile(r"^([!-/:-@\[-`{-~])\1*$")
_DIRECTIVE = re.compile(r"^\.\. +(?:\|[^|]+\| +)?(?P<name>[\w.+-]+(?::[\w.+-]+)*) ?::(?: +(?P<argument>.*)|$)")
_FOOTNOTE = re.compile(r"^\.\. +(?=\[[^\]]+\] )")
_SUBSTITUTION = re.compile(r"^\.\. \|(?P<name>[^|\n]+)\| replace:: *(?P<text>.*)$", re.MULTILINE)
_OPTION = re.compile(r"^:[\w -]+:(?: |$)")
_ALT = re.compile(r"^:alt: +(?P<text>.+)$")
_ITEM = re.compile(r"^(?P<marker>[-*+•‣]|\(?(?:\d+|[A-Za-z]|#)[.)]) +(?=\S)")
_TABLE_EDGE = re.compile(r"^(?:\+[-=]+(?:\+[-=]+)*\+|=+(?: +=+)+)$")

# Without bounds an opening that is never closed costs a search through the rest of the paragraph.
_INLINE = re.compile(
    r"``(?P<literal>.{1,500}?)``"
    r"|:[\w+.-]{1,50}(?::[\w+.-]{1,50}){0,3}:`(?P<role>[^`]+)`"
    r"|`(?P<phrase>[^`]+)`_{0,2}"
    r"|\*\*(?P<strong>\S(?:.{0,500}?\S)?)\*\*"
    r"|(?<![\w*])\*(?P<emphasis>[^\s*](?:[^*]*[^\s*])?)\*(?!\w)"
    r"|(?<!\w)\|(?P<substitution>[^|\s](?:[^|\n]*[^|\s])?)\|_{0,2}(?!\w)"
    r"|\b(?P<reference>[A-Za-z0-9](?:[\w.-]{0,100}[A-Za-z0-9])?)__?(?!\w)"
    r"|\\(?P<escaped>.?)",
    re.DOTALL,
)
_TARGET = re.compile(r"(?<!\s)\s*<[^<>]+>$")

# Their content is shown as it stands.
_VERBATIM = frozenset(
    (
        "code",
        "code-block",
        "sourcecode",
        "parsed-literal",
        "math",
        "prompt",
        "console",
        "doctest",
        "testcode",
    )
)

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
        "rst-class",
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
        "graphviz",
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
}

# Headings of descriptions lie deeper than those of sections, and end with their body.
_NESTED = 100

# Deeper than any person writes, and far from the end of Python's stack; below it, all are paragraphs.
_MAX_DEPTH = 50

# A substitution of substitutions can grow without end; one that is longer stays a name.
_MAX_SUBSTITUTED_CHARS = 1000

_TAB_COLUMNS = 8  # as docutils has it


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    text: str

    @property
    def indent(self) -> int:
        return len(self.text) - len(self.text.lstrip(" "))


_Lines = Sequence[_Line]


def read(text: str, path: str) -> Reading:
    """A single document; its title is its first section title."""
    lines = [
        _Line(number, line.expandtabs(_TAB_COLUMNS).rstrip()) for number, line in enumerate(text.split("\n"), start=1)
    ]
    outline = Outline()
    _Parser(outline, {m["name"]: m["text"] for m in _SUBSTITUTION.finditer(text)}).body(lines, depth=0)
    blocks = outline.blocks()
    return Reading((Document(path, outline.title, blocks),))


class _Parser:
    """Walks lines whose common indentation is taken off; `depth` counts how often it was."""

    def __init__(self, outline: Outline, substitutions: dict[str, str]) -> None:
        self._outline = outline
        self._substitutions = substitutions
        self._substituted: dict[str, str] = {}
        self._styles: list[str] = []  # of section adornments, by first appearance: the outermost first
        self._marker = ""  # the bullet or number that belongs to the next paragraph

    def body(self, lines: _Lines, *, depth: int) -> None:
        at = 0
        while at < len(lines):
            at = self._element(lines, at, depth)

    def _element(self, lines: _Lines, at: int, depth: int) -> int:
        """Read what begins at *at* and give the place after it."""
        text = lines[at].text
        if not text or text.startswith("__ ") or (len(text) >= 4 and _ADORNMENT.match(text) and depth):
            return at + 1
        if depth == 0 and (end := self._section(lines, at)):
            return end
        if len(text) >= 4 and _ADORNMENT.match(text):  # a transition between sections
            return at + 1
        if depth >= _MAX_DEPTH:
            return self._paragraph(lines, at)
        if text == ".." or text.startswith(".. "):
            end = _end_of_body(lines, at + 1)
            self._explicit(lines[at], lines[at + 1 : end], depth)
            return end
        if _TABLE_EDGE.match(text):
            return self._table(lines, at)
        if text.startswith(" "):  # a quotation, or the body of a definition
            end = _end_of_body(lines, at)
            self.body(_dedented(lines[at:end]), depth=depth + 1)
            return end
        if _is_item(lines, at):
            return self._item(lines, at, depth)
        return self._paragraph(lines, at)

    def _section(self, lines: _Lines, at: int) -> int:
        first, *rest = (line.text for line in lines[at : at + 3])
        if _ADORNMENT.match(first):
            if len(rest) == 2 and rest[1] == first and rest[0] and not _ADORNMENT.match(rest[0]):
                return self._title(first[0] * 2, rest[0], lines, at, at + 3)
            return 0
        # From four characters on, docutils lets an underline fall short of its title.
        if rest and not first.startswith(" ") and _ADORNMENT.match(rest[0]) and len(rest[0]) >= min(4, len(first)):
            return self._title(rest[0][0], first, lines, at, at + 2)
        return 0

    def _title(self, style: str, text: str, lines: _Lines, at: int, end: int) -> int:
        if style not in self._styles:
            self._styles.append(style)
        level = self._styles.index(style) + 1
        self._outline.heading(level, self._plain(text), lines[at].number, lines[end - 1].number)
        return end

    def _explicit(self, head: _Line, body: _Lines, depth: int) -> None:
        """A directive or a footnote; comments, targets and substitutions show nothing themselves."""
        if footnote := _FOOTNOTE.match(head.text):
            self.body([replace(head, text=head.text[footnote.end() :]), *_dedented(body)], depth=depth + 1)
        elif directive := _DIRECTIVE.match(head.text):
            argument = replace(head, text=(directive["argument"] or "").strip())
            self._directive(directive["name"].lower(), argument, _dedented(body), depth)

    def _directive(self, name: str, argument: _Line, body: list[_Line], depth: int) -> None:
        content = _without_options(body)
        if name in _UNSEEN:
            return
        if name in _VERBATIM:
            self._verbatim(content)
        elif name in ("image", "figure"):
            end = _first_blank(body)
            alts = [replace(line, text=found["text"]) for line in body[:end] if (found := _ALT.match(line.text))]
            self.body([*alts, *_dedented(body[end:])], depth=depth + 1)
        elif _DESCRIBES.match(name):
            self._description(argument, content, depth)
        else:
            spoken = replace(argument, text=_SPOKEN.get(name, "") + argument.text)
            self.body([spoken, *content], depth=depth + 1)

    def _description(self, argument: _Line, content: list[_Line], depth: int) -> None:
        end = _first_blank(content)
        signatures = [argument, *content[:end]]
        title = ", ".join(line.text.strip() for line in signatures if line.text)
        self._outline.heading(_NESTED + depth, title, argument.number, signatures[-1].number)
        self.body(content[end:], depth=depth + 1)
        self._outline.close(_NESTED + depth)

    def _table(self, lines: _Lines, at: int) -> int:
        """The rows as they are; edges become blank lines: a model would read every dash of them."""
        end = at + 1
        if lines[at].text.startswith("+"):
            while end < len(lines) and lines[end].text.startswith(("+", "|")):
                end += 1
        else:  # the rows of a simple table may have blank lines between them
            while end < len(lines) and not _closes_table(lines, end - 1, opened=at):
                end += 1
        rows = ["" if _TABLE_EDGE.match(line.text) else self._plain(line.text) for line in lines[at:end]]
        self._outline.verbatim("\n".join(rows), lines[at].number)
        return end

    def _item(self, lines: _Lines, at: int, depth: int) -> int:
        found = _ITEM.match(lines[at].text)
        assert found is not None
        end = _end_of_body(lines, at + 1)
        marker = found["marker"]
        self._marker = "- " if marker in "-*+•‣" else f"{marker} "
        first = replace(lines[at], text=lines[at].text[found.end() :])
        self.body([first, *_dedented(lines[at + 1 : end])], depth=depth + 1)
        self._marker = ""
        return end

    def _paragraph(self, lines: _Lines, at: int) -> int:
        end = at
        while end < len(lines) and lines[end].text and (end == at or not lines[end].text.startswith(" ")):
            if end > at and _is_item(lines, end) and self._marker:
                break
            end += 1
        text = "\n".join(line.text for line in lines[at:end])
        if text.startswith(">>> "):
            self._outline.verbatim(text, lines[at].number)
            return end
        marker, self._marker = self._marker, ""
        announces = text.endswith("::")
        if announces:
            text = text.removesuffix("::") if text.endswith((" ::", "\n::")) or text == "::" else text[:-1]
        if text.strip():
            self._outline.block(marker + self._plain(text), lines[at].number, lines[end - 1].number)
        return self._literal(lines, end) if announces else end

    def _literal(self, lines: _Lines, at: int) -> int:
        end = _end_of_body(lines, at)
        self._verbatim(_dedented(lines[at:end]))
        return end

    def _verbatim(self, lines: _Lines) -> None:
        if lines:
            self._outline.verbatim("\n".join(line.text for line in lines), lines[0].number)

    def _plain(self, text: str) -> str:
        return _INLINE.sub(self._words, text)

    def _words(self, found: re.Match[str]) -> str:
        """The words of a piece of markup, and as many line ends as it has."""
        kind, text = found.lastgroup or "", found[found.lastgroup or 0]
        if kind in ("role", "phrase"):
            text = _TARGET.sub("", text) or text
        if kind == "role":
            text = text.rpartition(".")[2] if text.startswith("~") else text.lstrip("!.")
        elif kind == "substitution" and text in self._substitutions:
            text = self._substitution(text)
        elif kind == "escaped":
            text = text.strip(" ")
        return text + "\n" * (found[0].count("\n") - text.count("\n"))

    def _substitution(self, name: str) -> str:
        """What *name* stands for; inside itself it stands for its own name."""
        if name not in self._substituted:
            self._substituted[name] = name
            text = self._plain(self._substitutions[name])
            if len(text) <= _MAX_SUBSTITUTED_CHARS:
                self._substituted[name] = text
        return self._substituted[name]


def _end_of_body(lines: _Lines, at: int) -> int:
    """Where the indented lines from *at* on end."""
    return next((n for n in range(at, len(lines)) if lines[n].text and not lines[n].indent), len(lines))


def _dedented(lines: _Lines) -> list[_Line]:
    columns = min((line.indent for line in lines if line.text), default=0)
    return [replace(line, text=line.text[columns:]) for line in lines]


def _first_blank(lines: _Lines) -> int:
    return next((at for at, line in enumerate(lines) if not line.text), len(lines))


def _without_options(body: list[_Line]) -> list[_Line]:
    """The body less the options that stand before its first blank line."""
    end = _first_blank(body)
    first = next((at for at in range(end) if _OPTION.match(body[at].text)), end)
    return body[:first] + _dedented(body[end:])


def _is_item(lines: _Lines, at: int) -> bool:
    """A line like "A. Smith wrote" is no item if the next one goes on at its margin."""
    if not _ITEM.match(lines[at].text):
        return False
    after = lines[at + 1].text if at + 1 < len(lines) else ""
    return not after or after.startswith(" ") or _ITEM.match(after) is not None


def _closes_table(lines: _Lines, at: int, *, opened: int) -> bool:
    return at > opened and _TABLE_EDGE.match(lines[at].text) is not None and not lines[at + 1].text
