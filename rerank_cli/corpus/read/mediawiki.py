"""Read MediaWiki's markup: its blocks as plain text, under its headings."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import replace

from rerank_cli.corpus.read.markup import Line, Row, keeping_lines, linked, numbered, put_table, put_verbatim
from rerank_cli.corpus.read.outline import Outline
from rerank_cli.records import Document, Reading

_HEADING = re.compile(r"^(?P<level>={1,6})(?P<title>[^=\n].*?)(?P=level)\s*$")
_ITEM = re.compile(r"^(?P<marker>[*#:;]{1,20})\s*(?P<text>\S.*)$")
_PRE = re.compile(r"^\s*<(?P<name>pre|syntaxhighlight|source|poem)\b[^<>]{0,200}>")
_NOT_SHOWN = re.compile(r"^(?:category|file|image|[a-z]{2,3}(?:-[a-z]+)?)$", re.IGNORECASE)
_TAG = r"<(?!/?ref\b)/?[a-zA-Z][\w-]*(?:\s[^<>]{0,300})?/?>"
_INLINE = re.compile(
    r"<nowiki>(?P<raw>[^<]{0,1000})</nowiki>"
    r"|<ref(?:\s[^<>/]{0,200})?>(?P<note>[^<>]{0,2000}(?:<(?!/ref)[^<>]{0,200}>[^<>]{0,1000}){0,5})</ref>"
    r"|<ref\s[^<>]{0,200}/>"
    r"|\[\[(?P<page>[^\[\]|\n]{1,300})(?:\|(?P<text>[^\[\]]{0,1000}))?\]\]"
    r"|\[(?P<url>(?:https?:|ftp:|mailto:)?//?[^\s\[\]]{1,1000}|mailto:[^\s\[\]]{1,300})(?:\s+(?P<named>[^\[\]]{1,1000}))?\]"
    r"|\{\{(?P<template>[^{}]{0,2000})\}\}"
    rf"|(?P<tag>{_TAG})|(?P<quotes>'{{2,5}})|(?P<switch>__[A-Z]{{3,30}}__)"
)
_CELL_LOOKS = re.compile(r"^[^|\[\]{}]{0,300}?\w=\s*(?:\"[^\"]*\"|\S+)\s*\|(?!\|)")


def read(text: str, path: str) -> Reading:
    """A single document; the name of the page, its title, is that of the file."""
    lines = numbered(_without_comments(text))
    outline = Outline()
    at = 0
    while at < len(lines):
        at = _block(lines, at, outline)
    return Reading((Document(path, "", outline.blocks()),))


def _without_comments(text: str) -> str:
    """*text* with the line ends of its comments alone."""
    parts, seen = [], 0
    while (start := text.find("<!--", seen)) >= 0 and (end := text.find("-->", start)) >= 0:
        parts += [text[seen:start], "\n" * text.count("\n", start, end)]
        seen = end + len("-->")
    return "".join((*parts, text[seen:]))


def _block(lines: list[Line], at: int, outline: Outline) -> int:
    """Read what begins at *at* and give the place after it."""
    line = lines[at]
    text = line.text
    if not text:
        return at + 1
    if found := _HEADING.match(text):
        outline.heading(len(found["level"]), _plain(found["title"]), line.number, line.number)
        return at + 1
    if found := _PRE.match(text):
        return _pre(lines, at, found, outline)
    if text.lstrip(": ").startswith("{|"):
        return _table(lines, at, outline)
    if found := _ITEM.match(text):
        return _item(lines, at, outline)
    if text[0] in " \t" and text.strip():
        end = next((n for n in range(at, len(lines)) if lines[n].text[:1] not in (" ", "\t")), len(lines))
        put_verbatim(outline, [replace(each, text=_plain(each.text[1:])) for each in lines[at:end]])
        return end
    end = at + 1
    while end < len(lines) and lines[end].text and not _begins(lines[end].text):
        end += 1
    outline.block(_plain("\n".join(each.text for each in lines[at:end])), line.number, lines[end - 1].number)
    return end


def _begins(text: str) -> bool:
    """Whether a line within a paragraph begins something else."""
    return text[0] in "*#;:" or text.startswith("{|") or bool(_HEADING.match(text) or _PRE.match(text))


def _pre(lines: list[Line], at: int, found: re.Match[str], outline: Outline) -> int:
    closing = f"</{found['name']}>"
    end = next((n for n in range(at, len(lines)) if closing in lines[n].text), len(lines) - 1)
    inner = [replace(lines[at], text=lines[at].text[found.end() :]), *lines[at + 1 : end + 1]]
    put_verbatim(outline, [replace(line, text=line.text.split(closing)[0]) for line in inner])
    return end + 1


def _item(lines: list[Line], at: int, outline: Outline) -> int:
    """Items that follow each other; those with numbers are counted, in each depth by themselves."""
    counts: list[int] = []
    while at < len(lines) and (found := _ITEM.match(lines[at].text)):
        depth, kind, text = len(found["marker"]), found["marker"][-1], found["text"]
        counts = [*counts[:depth], *[0] * (depth - len(counts))]
        counts[-1] += 1
        marker = {"*": "- ", "#": f"{counts[-1]}. "}.get(kind, "")
        if kind == ";":
            text = text.replace(" : ", ": ", 1)
        outline.block(marker + _plain(text), lines[at].number, lines[at].number)
        at += 1
    return at


def _table(lines: list[Line], at: int, outline: Outline) -> int:
    end = next((n for n in range(at + 1, len(lines)) if lines[n].text.lstrip().startswith("|}")), len(lines))
    rows: list[Row] = []
    heads = 0
    for row, is_head in _rows(lines[at + 1 : end], outline):
        heads = 1 if is_head and not rows else heads
        rows.append(row)
    put_table(outline, rows, heads=heads, last=lines[end - 1].number)
    return end + 1


def _rows(lines: list[Line], outline: Outline) -> Iterator[tuple[Row, bool]]:
    """The rows, and of each whether all its cells are headers."""
    cells: list[str] = []
    number, is_head = 0, True
    for line in lines:
        text = line.text.strip()
        if text.startswith("|+"):
            outline.block(_plain(_CELL_LOOKS.sub("", text[2:].strip())).strip(), line.number, line.number)
        elif text.startswith("|-"):
            if cells:
                yield Row(number, tuple(cells)), is_head
            cells, is_head = [], True
        elif text[:1] in ("|", "!"):
            number = number if cells else line.number
            is_head = is_head and text[0] == "!"
            parts = re.split(r"\|\||!!", text[1:]) if text[0] == "!" else text[1:].split("||")
            cells += [_plain(_CELL_LOOKS.sub("", part.strip())).strip() for part in parts]
        elif text and cells:
            cells[-1] += " " + _plain(text)
    if cells:
        yield Row(number, tuple(cells)), is_head


def _plain(text: str) -> str:
    said = _INLINE.sub(_words, text)
    return html.unescape(said[:100_000]) if "&" in said else said


def _words(found: re.Match[str]) -> str:
    """The words of a piece of markup, and as many line ends as it has."""
    return keeping_lines(found, _said(found))


def _said(found: re.Match[str]) -> str:
    if found["raw"]:
        return found["raw"]
    if found["note"]:
        return f" ({_plain(found['note'].strip())})"
    if found["url"]:
        return linked(_plain(found["named"] or ""), found["url"])
    if found["page"]:
        return _page(found["page"], found["text"])
    if found["template"]:
        return _template(found["template"])
    return " " if (found["tag"] or "").lower().startswith("<br") else ""


def _page(page: str, text: str | None) -> str:
    """What a link to a page shows; of a picture its caption, of a category nothing."""
    space, colon, _ = page.partition(":")
    if colon and space and _NOT_SHOWN.match(space):
        caption = (text or "").rpartition("|")[2]
        is_picture = space.lower() in ("file", "image")
        return linked(_plain(caption), page.partition(":")[2]) if is_picture and caption else ""
    return _plain(text) if text else page.lstrip(":")


def _template(inner: str) -> str:
    """The values of a template that have no name: what it does with them nobody knows here."""
    name, *values = inner.split("|")
    shown = [value.partition("=")[2] or value if "=" in value else value for value in values]
    return _plain(" ".join(value.strip() for value in shown)) if name.strip() else ""
