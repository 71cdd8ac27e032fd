"""Read Markdown: its blocks as plain text, under its headings."""

from __future__ import annotations

import re
from collections.abc import Sequence

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markdown_it.tree import SyntaxTreeNode

from rerank_cli.corpus.read import html
from rerank_cli.corpus.read.errors import Unreadable
from rerank_cli.corpus.read.outline import Outline
from rerank_cli.records import Document, Reading

# YAML between dashes or TOML between plus signs. A key must follow at once: a lone rule is no front matter.
_FRONT_MATTER = re.compile(
    r"\A(?P<fence>---|\+\+\+)[ \t]*\n(?=[\w\"'-]+[ \t]*[:=]|#)(?P<fields>.*?)^(?P=fence)[ \t]*(?:\n|\Z)",
    re.DOTALL | re.MULTILINE,
)
_TITLE_FIELD = re.compile(r"^title[ \t]*[:=][ \t]*(?P<title>\S.*?)[ \t]*$", re.MULTILINE | re.IGNORECASE)

# Headings in a quotation or a list end with it, so they lie deeper than any of the document itself.
_NESTED = 100

# Beyond its limit the parser drops content without a word; its own limit for CommonMark is 20.
_MAX_NESTING = 200

_PARSER = MarkdownIt("commonmark", {"maxNesting": _MAX_NESTING}).enable(["table", "strikethrough"])


def read(text: str, path: str) -> Reading:
    """A single document; its title is in the front matter or its first heading."""
    front = _FRONT_MATTER.match(text)
    if front:  # blanked rather than cut, so that lines keep their numbers
        text = "\n" * front[0].count("\n") + text[front.end() :]
    outline = Outline()
    feed(outline, text)
    blocks = outline.blocks()
    title = _title_field(front["fields"]) if front else ""
    return Reading((Document(path, title or outline.title, blocks),))


def feed(outline: Outline, text: str) -> None:
    """Add what *text*, without front matter, says to *outline*."""
    _walk(SyntaxTreeNode(_blocks(text)).children, outline, nesting=0)


def _blocks(text: str) -> list[Token]:
    """The tokens of *text*, those of inline markup reduced to words: emphasis may nest without limit.

    Raises Unreadable where the parser dropped what is nested too deeply.
    """
    tokens = _PARSER.parse(text)
    for token in tokens:
        if token.type in ("blockquote_open", "list_item_open") and token.level >= _MAX_NESTING - 1 and token.map:
            raise Unreadable(f"line {token.map[0] + 1}: nested too deeply")
    return [
        token.copy(content=_plain(token.children or ()), children=None) if token.type == "inline" else token
        for token in tokens
    ]


def _title_field(fields: str) -> str:
    found = _TITLE_FIELD.search(fields)
    return found["title"].strip("\"'").strip() if found else ""


def _walk(nodes: Sequence[SyntaxTreeNode], outline: Outline, *, nesting: int, marker: str = "") -> None:
    """Add *nodes* to *outline*. *marker* is the bullet or number that belongs to the first of them."""
    for node in nodes:
        first_line, last_line = (node.map[0] + 1, node.map[1]) if node.map else (1, 1)
        match node.type:
            case "heading":
                level = nesting * _NESTED + int(node.tag[1])
                outline.heading(level, node.children[0].content, first_line, last_line)
            case "paragraph":
                outline.block(marker + node.children[0].content, first_line, last_line)
            case "fence":
                outline.verbatim(node.content.removesuffix("\n"), first_line + 1)
            case "code_block":
                outline.verbatim(node.content.removesuffix("\n"), first_line)
            case "html_block":
                html.feed(outline, node.content, first_line)
            case "table":
                outline.block(_table(node), first_line, last_line)
            case "blockquote":
                _walk(node.children, outline, nesting=nesting + 1)
                outline.close((nesting + 1) * _NESTED)
            case "bullet_list" | "ordered_list":
                for item in node.children:
                    _walk(item.children, outline, nesting=nesting + 1, marker=_marker(node, item))
                    outline.close((nesting + 1) * _NESTED)
        marker = ""


def _marker(items: SyntaxTreeNode, item: SyntaxTreeNode) -> str:
    return f"{item.info}. " if items.type == "ordered_list" else "- "


def _table(table: SyntaxTreeNode) -> str:
    """The rows, cells between bars; the line of dashes stays as a blank one, so that lines still count."""
    rows = [
        " | ".join(cell.children[0].content for cell in row.children)
        for part in table.children
        for row in part.children
    ]
    return "\n".join([rows[0], "", *rows[1:]])


def _plain(inline: Sequence[Token]) -> str:
    """The words of *inline* in as many lines as they have in the source."""
    return "".join(_words(token) for token in inline)


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
