"""Read Textile: its blocks as plain text, under its headings."""

from __future__ import annotations

import re
from dataclasses import replace

from rerank_cli.corpus.read.markup import Line, Row, keeping_lines, linked, numbered, put_table, put_verbatim
from rerank_cli.corpus.read.outline import Outline
from rerank_cli.records import Document, Reading

_LOOKS = r"(?:\([^()\n]{0,100}\)|\{[^{}\n]{0,100}\}|\[[\w-]{0,20}\]|[<>=()-]{0,4}){0,4}"
_BLOCK = re.compile(
    rf"^(?P<name>h[1-6]|p|bq|bc|pre|notextile|fn\d+|###){_LOOKS}\.(?P<goes_on>\.)?(?::\S+)? +(?P<text>.*)$"
)
_ITEM = re.compile(rf"^(?P<marker>[*#]{{1,10}}){_LOOKS} +(?P<text>\S.*)$|^- +(?P<term>\S.*?) *:= *(?P<said>.*)$")
_ROW = re.compile(r"^(?:[\w{}():;,.=<>^~/\\-]*\. *)?\|.*\|$")
_CELL = re.compile(r"^(?P<looks>(?:_|[<>=^~]|\\\d+|/\d+|\{[^{}]*\}|\([^()]*\))*)\. ")
_TABLE_LOOKS = re.compile(r"^table[^|]{0,200}\.$")
_VERBATIM = frozenset(("bc", "pre", "notextile"))
_PRE = re.compile(r"^<pre\b[^>]{0,100}>(?:<code\b[^>]{0,100}>)?")
_PRE_END = re.compile(r"(?:</code>)?</pre>")

_PHRASES = "|".join(
    rf"(?<![\w{re.escape(sign)}]){re.escape(mark)}{_LOOKS}(?P<{name}>[^\s{re.escape(sign)}]"
    rf"(?:[^{re.escape(sign)}\n]{{0,500}}[^\s{re.escape(sign)}])?){re.escape(mark)}(?![\w{re.escape(sign)}])"
    for name, mark, sign in (
        *(("strong2", "**", "*"), ("strong", "*", "*"), ("emphasis2", "__", "_"), ("emphasis", "_", "_")),
        *(("cited", "??", "?"), ("deleted", "-", "-"), ("added", "+", "+"), ("span", "%", "%"), ("above", "^", "^")),
    )
)
_INLINE = re.compile(
    r"(?<!\w)@(?P<code>[^@\n]{1,500})@"
    r"|(?<![\w])\"(?:\([^()\n]{0,100}\))?(?P<text>[^\"\n]{1,500}?)(?:\([^()\n]{1,200}\))?\":(?P<target>[^\s\"<>|]{1,1000}?)"
    r"(?=[.,;:!?)\]]*(?:\s|$|\|))"
    r"|!(?:[<>=])?(?P<image>[^\s!()\n]{1,500}\.\w{2,5})(?:\((?P<alt>[^()\n]{0,300})\))?!(?::\S{1,500})?"
    r"|==(?P<raw>[^=\n]{1,500})=="
    r"|(?P<html></?[a-zA-Z][\w-]*(?:\s[^<>]{0,300})?/?>)"
    rf"|{_PHRASES}",
)


def read(text: str, path: str) -> Reading:
    """A single document; its title is its first heading, if that is the only one of level 1."""
    lines = numbered(text)
    outline = Outline()
    tops: list[str] = []
    at = 0
    while at < len(lines):
        at = _block(lines, at, outline, tops)
    return Reading((Document(path, tops[0] if len(tops) == 1 else "", outline.blocks()),))


def _block(lines: list[Line], at: int, outline: Outline, tops: list[str]) -> int:
    """Read what begins at *at* and give the place after it."""
    line = lines[at]
    if not line.text or _TABLE_LOOKS.match(line.text):
        return at + 1
    if found := _PRE.match(line.text):
        return _pre(lines, at, found.end(), outline)
    if found := _BLOCK.match(line.text):
        end = _run(lines, at, goes_on=bool(found["goes_on"]))
        inner = [replace(line, text=found["text"]), *lines[at + 1 : end]]
        if found["name"] == "###":
            return end
        if found["name"] in _VERBATIM:
            put_verbatim(outline, inner)
        elif found["name"][0] == "h":
            heading = _plain(" ".join(each.text for each in inner))
            tops.extend([heading] * (found["name"] == "h1"))
            outline.heading(int(found["name"][1]), heading, line.number, lines[end - 1].number)
        else:
            note = f"[{found['name'][2:]}] " if found["name"].startswith("fn") else ""
            outline.block(note + _plain("\n".join(each.text for each in inner)), line.number, lines[end - 1].number)
        return end
    if _ROW.match(line.text):
        end = next((n for n in range(at, len(lines)) if not _ROW.match(lines[n].text)), len(lines))
        _table(lines[at:end], outline)
        return end
    return _list(lines, at, outline) if _ITEM.match(line.text) else _paragraph(lines, at, outline)


def _run(lines: list[Line], at: int, *, goes_on: bool = False) -> int:
    """Where the block ends: at a blank line, or where it goes on beyond these, at the next block."""
    if goes_on:
        return next((n for n in range(at + 1, len(lines)) if _BLOCK.match(lines[n].text)), len(lines))
    return next((n for n in range(at + 1, len(lines)) if not lines[n].text), len(lines))


def _pre(lines: list[Line], at: int, begins: int, outline: Outline) -> int:
    end = next((n for n in range(at, len(lines)) if _PRE_END.search(lines[n].text)), len(lines) - 1)
    inner = [replace(lines[at], text=lines[at].text[begins:]), *lines[at + 1 : end + 1]]
    put_verbatim(outline, [replace(line, text=_PRE_END.sub("", line.text)) for line in inner])
    return end + 1


def _table(lines: list[Line], outline: Outline) -> None:
    rows: list[Row] = []
    heads = 0
    for line in lines:
        cells = [cell.strip() for cell in line.text[line.text.index("|") + 1 : -1].split("|")]
        looks = [_CELL.match(f"{cell} ") for cell in cells]
        if not rows:
            heads = int(all(found and "_" in found["looks"] for found in looks))
        rows.append(Row(line.number, tuple(_plain(_CELL.sub("", f"{cell} ").strip()) for cell in cells)))
    put_table(outline, rows, heads=heads)


def _list(lines: list[Line], at: int, outline: Outline) -> int:
    """Items up to a blank line; those with numbers are counted, in each depth by themselves."""
    counts: list[int] = []
    end = _run(lines, at)
    while at < end:
        found = _ITEM.match(lines[at].text)
        after = next((n for n in range(at + 1, end) if _ITEM.match(lines[n].text)), end)
        rest = [line.text for line in lines[at + 1 : after]]
        if found and found["term"]:
            marker, first = f"{_plain(found['term'])}: ", found["said"].removesuffix("=:")
        else:
            depth = len(found["marker"]) if found else 1
            counts = [*counts[:depth], *[0] * (depth - len(counts))]
            counts[-1] += 1
            marker = f"{counts[-1]}. " if found and found["marker"].endswith("#") else "- "
            first = found["text"] if found else lines[at].text
        outline.block(marker + _plain("\n".join([first, *rest])), lines[at].number, lines[after - 1].number)
        at = after
    return end


def _paragraph(lines: list[Line], at: int, outline: Outline) -> int:
    end = _run(lines, at)
    text = _plain("\n".join(line.text for line in lines[at:end]))
    outline.block(text, lines[at].number, lines[end - 1].number)
    return end


def _plain(text: str) -> str:
    return _INLINE.sub(_words, text)


def _words(found: re.Match[str]) -> str:
    """The words of a piece of markup, and as many line ends as it has."""
    if found["target"]:
        return linked(_plain(found["text"].strip()), found["target"])
    if found["image"]:
        return linked(found["alt"] or "", found["image"])
    if found["html"]:
        return keeping_lines(found, "")
    kind = found.lastgroup or ""
    return found[kind] if kind in ("code", "raw") else _plain(found[kind])
