"""Read Markdown: its blocks as plain text, under its headings."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markdown_it.tree import SyntaxTreeNode

from rerank_cli.corpus.read import diagrams, html, myst, rst
from rerank_cli.corpus.read.dialects import extended
from rerank_cli.corpus.read.encoded import without_encoded
from rerank_cli.corpus.read.errors import Unreadable
from rerank_cli.corpus.read.front_matter import front_matter, leading_block
from rerank_cli.corpus.read.outline import Outline
from rerank_cli.corpus.read.targets import Targets
from rerank_cli.corpus.read.template_tags import without_template_tags
from rerank_cli.records import Document, Reading

# Headings in a quotation or a list end with it, so they lie deeper than any of the document itself.
_NESTED = 100

# Beyond its limit the parser drops content without a word; its own limit for CommonMark is 20.
_MAX_NESTING = 200

# What is within a directive is parsed again, and directives in each other deeper than this are made to cost time.
_MAX_DIRECTIVES = 10

# Names that components are imported by, at the top of a page of MDX.
_IMPORT = r"import\b[^;'\"]{0,2000}?['\"][^'\"\n]*+['\"];?"
_EXPORT = r"export\s+(?:const|let|var|default|function)\b.*"
_IMPORTS = re.compile(rf"(?>(?:[ \t]*\n)*)(?>(?:(?:{_IMPORT}|{_EXPORT})[ \t]*(?:\n|\Z)(?>(?:[ \t]*\n)*))+)")

# Each of them may begin a link, for which the parser looks through all that follow. Nobody writes so many.
_BRACKETS = re.compile(r"(?>(?:!?\[){50,})")

_PARSER = extended(MarkdownIt("commonmark", {"maxNesting": _MAX_NESTING}).enable(["table", "strikethrough"]))


def read(text: str, path: str) -> Reading:
    """A single document; its title is in the front matter or its first heading."""
    front = front_matter(text)
    if front:  # blanked rather than cut, so that lines keep their numbers
        text = "\n" * text.count("\n", 0, front.chars) + text[front.chars :]
    imports = _IMPORTS.match(text)
    if imports:
        text = "\n" * imports[0].count("\n") + text[imports.end() :]
    outline = Outline()
    feed(outline, without_encoded(text))
    blocks = outline.blocks()
    title = (front.title if front else "") or outline.title
    leading = leading_block(front.sentences, front.names, title, blocks, lines=(1, front.lines)) if front else None
    fields = front.fields if front else ()
    return Reading((Document(path, title, (*([leading] if leading else []), *blocks), fields),))


def feed(outline: Outline, text: str) -> None:
    """Add what *text*, without front matter, says to *outline*."""
    _walk(SyntaxTreeNode(_blocks(text)).children, outline, nesting=0)


def _blocks(text: str) -> list[Token]:
    """The tokens of *text*, those of inline markup reduced to words: emphasis may nest without limit.

    Raises Unreadable where the parser dropped what is nested too deeply.
    """
    tokens = _PARSER.parse(_BRACKETS.sub(lambda run: "[".ljust(len(run[0])), text))
    words = _Words()
    for token in tokens:
        if token.type in ("blockquote_open", "list_item_open") and token.level >= _MAX_NESTING - 1 and token.map:
            raise Unreadable(f"line {token.map[0] + 1}: nested too deeply")
    return [
        token.copy(content=words.of(token.children or ()), children=None) if token.type == "inline" else token
        for token in tokens
    ]


def _walk(
    nodes: Sequence[SyntaxTreeNode],
    outline: Outline,
    *,
    nesting: int,
    marker: str = "",
    above: int = 0,
    directives: int = 0,
) -> None:
    """Add *nodes* to *outline*. *marker* is the bullet or number that belongs to the first of them.

    *above* them, in so many *directives*, stand lines that their places do not count.
    """
    within = partial(_walk, outline=outline, above=above, directives=directives)
    for node in nodes:
        first_line, last_line = (above + node.map[0] + 1, above + node.map[1]) if node.map else (1, 1)
        match node.type:
            case "heading":
                level = nesting * _NESTED + int(node.tag[1])
                outline.heading(level, node.children[0].content, first_line, last_line)
            case "paragraph":
                outline.block(marker + node.children[0].content, first_line, last_line)
            case "fence":
                content = node.content.removesuffix("\n")
                directive = myst.directive_in(node.info, content, first_line + 1)
                if directive and directives < _MAX_DIRECTIVES:
                    _direct(directive, outline, nesting=nesting + 1, directives=directives + 1)
                else:
                    outline.verbatim(_code(node.info, content), first_line + 1)
            case "code_block":
                outline.verbatim(node.content.removesuffix("\n"), first_line)
            case "html_block":
                html.feed(outline, without_template_tags(node.content), first_line)
            case "table":
                rows = _rows(node)
                outline.block("\n".join([rows[0], "", *rows[1:]]), first_line, last_line, header=rows[0])
            case "blockquote":
                within(node.children, nesting=nesting + 1)
                outline.close((nesting + 1) * _NESTED)
            case "bullet_list" | "ordered_list":
                for item in node.children:
                    within(item.children, nesting=nesting + 1, marker=_marker(node, item))
                    outline.close((nesting + 1) * _NESTED)
        marker = ""


def _code(info: str, content: str) -> str:
    """What a page shows of the *content* of a block of code."""
    language = info.split(maxsplit=1)[0].strip("{}").lower() if info.strip() else ""
    if language in diagrams.QUERIES:
        return ""
    return diagrams.words_of(content) if language in diagrams.LANGUAGES else content


def _direct(directive: myst.Directive, outline: Outline, *, nesting: int, directives: int) -> None:
    """Add what *directive* shows; its headings, and the name of what it describes, end with it."""
    myst.put(outline, directive)
    if not directive.holds_markdown:
        return
    number = directive.argument.number
    if rst.describes(directive.name):
        outline.heading(nesting * _NESTED, directive.shown, number, number)
    else:
        outline.block(_Words().of(_PARSER.parseInline(directive.shown)[0].children or ()), number, number)
    if directive.content:
        text = "\n".join(line.text for line in directive.content)
        nodes = SyntaxTreeNode(_blocks(text)).children
        _walk(nodes, outline, nesting=nesting, above=directive.content[0].number - 1, directives=directives)
    outline.close(nesting * _NESTED)


def _marker(items: SyntaxTreeNode, item: SyntaxTreeNode) -> str:
    return f"{item.info}. " if items.type == "ordered_list" else "- "


def _rows(table: SyntaxTreeNode) -> list[str]:
    """Each row, cells between bars, blank if all of them are; the line of dashes counts as a blank one."""
    rows = (row for part in table.children for row in part.children)
    told = ([cell.children[0].content for cell in row.children] for row in rows)
    return [" | ".join(cells) if any(cells) else "" for cells in told]


class _Words:
    """Makes words of inline markup, in as many lines as it has; where a link leads is told at its first time."""

    def __init__(self) -> None:
        self._targets = Targets()

    def of(self, inline: Sequence[Token]) -> str:
        """The words of *inline*."""
        parts: list[str] = []
        link: Token | None = None
        start = 0
        for token in inline:
            if token.type == "link_open":
                link, start = token, len(parts)
            elif token.type == "link_close" and link:
                if link.info != "auto":
                    parts.append(self._targets.beside("".join(parts[start:]), *_target(link, "href")))
                link = None
            else:
                parts.append(_words(token))
                if token.type == "image":
                    parts.append(self._targets.beside(token.content, *_target(token, "src"), picture=True))
        return "".join(parts)


def _target(token: Token, attribute: str) -> tuple[str, str]:
    return str(token.attrGet(attribute) or ""), str(token.attrGet("title") or "")


def _words(token: Token) -> str:
    match token.type:
        case "text" | "code_inline" | "text_special":
            return token.content.replace("\n", " ")  # from an entity, and no line end of the source
        case "softbreak" | "hardbreak":
            return "\n"
        case "image":
            return token.content
        case "html_inline":
            return "\n" * token.content.count("\n") or (" " if token.content.startswith("<br") else "")
    return ""
