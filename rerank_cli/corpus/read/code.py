"""Read source code and configuration: blocks between blank lines, under the definitions around them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from rerank_cli.corpus.read.code_tree import Definition, definitions
from rerank_cli.corpus.read.encoded import without_encoded
from rerank_cli.records import Block, Document, Reading, at_lines

_MODIFIERS = (
    r"(?:(?:export|default|declare|public|private|protected|internal|static|abstract|final|async|unsafe|const|virtual"
    r"|inline|override|sealed|open|data|partial|local|pub(?:\([^)]*\))?|extern(?:\s+\"C\")?)\s+)*"
)

# A simple pattern on purpose: a definition it does not know costs a heading, and nothing else.
_DEFINITION = re.compile(
    r"^[ \t]*" + _MODIFIERS + r"(?P<label>"
    r"(?:class|def|defmodule|fn|fun|func|function\*?|impl|struct|interface|enum|union|trait|protocol|extension"
    r"|module|mod|namespace|object|record|message|service)\b\s*(?:\([^()]*\)\s*|<[^<>]*>\s*)?"
    r"[A-Za-z_$](?:[\w$.]|::)*(?:(?:<[^<>]*>)?\s+for\s+\w(?:\w|::)*)?"
    r"|(?i:create\s+(?:or\s+replace\s+)?(?:table|view|function|procedure|trigger|index|type)"
    r"\s+(?:if\s+not\s+exists\s+)?[\w.\"`]+)"
    r"|type\s+\w+(?=\s+(?:struct|interface)\b)"
    r"|(?:const|let|var)\s+[\w$]+(?=\s*=\s*(?:async\s*)?(?:function\b|\([^()]*\)\s*=>|[\w$]+\s*=>))"
    r"|\[{1,2}[A-Za-z][\w. -]*\]{1,2}(?=\s*$)"  # a table of TOML, a section of INI
    r"|[A-Za-z_][\w-]*\s*\(\)(?=\s*\{)"  # a function of the shell
    r")"
)

# A function of C and its kin has no keyword: a type or two, a name, arguments, and an opening brace.
_C_FUNCTION = re.compile(
    r"^[ \t]*(?!(?:if|for|while|switch|catch|return|else|do|new|throw|case|using|foreach|lock|with)\b)"
    r"(?:[\w<>\[\],.:&*?]+[ \t]+){1,6}[*&]*(?P<label>[A-Za-z_~][\w:~]*)[ \t]*\([^;={}]*\)[^;=(){}]*\{[ \t]*$"
)

# Longer lines are generated, and no definition is worth the time to look for one in them.
_MAX_DEFINITION_CHARS = 400

# What stands right above a definition and belongs to it: decorators, attributes, comments.
_LEAD = re.compile(r"^\s*(?:@|#|//|/\*|\*|--|;|template\s*<)")

# A line that ends a body stands as far left as the line that began it, and still belongs to it.
_CLOSING = re.compile(r"^\s*(?:[)\]}]|end\b|fi\b|esac\b|done\b)")

_TAB_COLUMNS = 4

# Definitions in each other beyond this are made to break what reads them: every block carries its trail.
_MAX_TRAIL = 50


def read(text: str, path: str) -> Reading:
    """A single document without a title."""
    text = without_encoded(text)
    lines = text.split("\n")
    found = definitions(text, path)
    blocks = _blocks(lines) if found is None else _parsed_blocks(lines, found)
    return Reading((Document(path, "", tuple(blocks)),))


def _parsed_blocks(lines: list[str], found: list[Definition]) -> Iterator[Block]:
    """Blocks under the definitions that a grammar found around them."""
    starts = {definition.first for definition in found}
    ahead = sorted(found, key=lambda definition: (definition.first, -definition.last))[::-1]
    around: list[Definition] = []
    for start, end in _segments(lines, lambda number: number in starts):
        at = _after_lead(lines, start, end)
        while ahead and ahead[-1].first <= at:
            while around and around[-1].last < ahead[-1].first:
                around.pop()
            around.append(ahead.pop())
        while around and around[-1].last < at:
            around.pop()
        trail = dict.fromkeys(definition.label for definition in around[:_MAX_TRAIL])
        yield _block(lines, start, end, tuple(trail))


def _blocks(lines: list[str]) -> Iterator[Block]:
    trail: list[tuple[int, str]] = []
    for start, end in _segments(lines, lambda number: bool(_label(lines[number]))):
        indent = _indent(lines[start])
        inside = indent + 1 if _CLOSING.match(lines[start]) else indent
        while trail and trail[-1][0] >= inside:
            trail.pop()
        label = _label(lines[_after_lead(lines, start, end)])
        if label:
            trail.append((indent, label))
        headings = tuple(label for _, label in trail)
        yield _block(lines, start, end, headings)


def _block(lines: list[str], start: int, end: int, headings: tuple[str, ...]) -> Block:
    return Block("\n".join(line.rstrip() for line in lines[start:end]), at_lines(start + 1, end), headings)


def _segments(lines: list[str], defines: Callable[[int], bool]) -> Iterator[tuple[int, int]]:
    """The runs of lines between blank lines, cut before each definition and what leads up to it."""
    start = None
    lead = 0  # where the comments and decorators right above the present line begin
    for number, line in enumerate([*lines, ""]):
        if not line.strip():
            if start is not None:
                yield start, number
            start = None
        elif start is None:
            start = lead = number
        elif lead > start and defines(number):
            yield start, lead
            start = lead
        if start is not None and not _LEAD.match(line):
            lead = number + 1


def _after_lead(lines: list[str], start: int, end: int) -> int:
    """The first line of the segment that is neither comment nor decorator; its last if all are."""
    return next((number for number in range(start, end) if not _LEAD.match(lines[number])), end - 1)


def _label(line: str) -> str:
    if len(line) > _MAX_DEFINITION_CHARS:
        return ""
    found = _DEFINITION.match(line) or _C_FUNCTION.match(line)
    return " ".join(found["label"].split()) if found else ""


def _indent(line: str) -> int:
    expanded = line.expandtabs(_TAB_COLUMNS)
    return len(expanded) - len(expanded.lstrip())
