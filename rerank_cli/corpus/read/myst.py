"""Read the directives that MyST writes in the fences of Markdown, as reStructuredText has them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import takewhile

from rerank_cli.corpus.read import rst
from rerank_cli.corpus.read.markup import Line, dedented
from rerank_cli.corpus.read.outline import Outline

_INFO = re.compile(r"\{(?P<name>[A-Za-z][\w:.+-]{0,60})\}[ \t]*(?P<argument>.*)")
_OPTION = re.compile(r":[\w-]+:(?: .*)?")

# What these hold is Markdown again. Other names in braces are those of languages, whose code other programs run.
_HOLDS_MARKDOWN = frozenset(
    """
    note tip warning caution danger attention error hint important seealso admonition sidebar topic margin aside
    dropdown details toggle tab-set tab-item tabs tab grid grid-item grid-item-card card glossary rubric only container
    div figure figure-md epigraph pull-quote highlights compound hlist exercise solution theorem proof definition
    versionadded versionchanged versionremoved deprecated
    """.split()
)
_HIDDEN_ARGUMENT = frozenset(("figure", "figure-md", "grid-item", "margin", "glossary", "div", "tab-set", "toggle"))


@dataclass(frozen=True, slots=True)
class Directive:
    """A directive: what stands behind its name, its options, and what it holds, each line with its number."""

    name: str
    argument: Line
    options: list[Line]
    content: list[Line]

    @property
    def holds_markdown(self) -> bool:
        """Whether its content is Markdown; else `put` adds it."""
        return self.name in _HOLDS_MARKDOWN or rst.describes(self.name)

    @property
    def shown(self) -> str:
        """What stands above its content."""
        return "" if self.name in _HIDDEN_ARGUMENT else rst.shown_argument(self.name, self.argument.text)


def is_directive(info: str) -> bool:
    """Whether *info*, at the beginning of a fence, names a directive."""
    found = _INFO.fullmatch(info.strip())
    name = found["name"].lower() if found else ""
    return ":" in name or name in _HOLDS_MARKDOWN or name in ("eval-rst", "code-cell") or rst.is_directive(name)


def directive_in(info: str, content: str, first_line: int) -> Directive | None:
    """The directive in a fence, of which *content* begins on *first_line*; None in one of code."""
    found = _INFO.fullmatch(info.strip())
    if not found or not is_directive(info):
        return None
    lines = [Line(number, line.rstrip()) for number, line in enumerate(content.split("\n"), start=first_line)]
    options = list(takewhile(lambda line: _OPTION.fullmatch(line.text), lines))
    rest = lines[len(options) :]
    if not options and lines[0].text == "---":
        fields = list(takewhile(lambda line: line.text != "---", lines[1:]))
        options = [Line(field.number, f":{field.text}") for field in fields if re.match(r"[\w-]+:", field.text)]
        rest = lines[len(fields) + 2 :]
    return Directive(found["name"].lower(), Line(first_line - 1, found["argument"].strip()), options, rest)


def put(outline: Outline, directive: Directive) -> None:
    """Add what a page shows of *directive* to *outline*, less the Markdown in it."""
    if directive.name == "eval-rst":
        rst.feed(outline, directive.content)
    elif directive.name in ("figure", "figure-md") or not directive.holds_markdown:
        known = directive.name if rst.is_directive(directive.name) else "code-block"
        head = Line(directive.argument.number, f".. {known}:: {directive.argument.text}")
        content = [] if directive.holds_markdown else dedented(directive.content)
        if content:  # which may follow the options at once
            content = [Line(content[0].number - 1, ""), *content]
        body = [Line(line.number, f"   {line.text}".rstrip()) for line in (*directive.options, *content)]
        rst.feed(outline, [head, *body])
