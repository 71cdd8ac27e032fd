"""Read POD, Perl's documentation: its paragraphs as plain text, under its headings."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from rerank_cli.corpus.read import plain
from rerank_cli.corpus.read.markup import linked
from rerank_cli.corpus.read.outline import Outline
from rerank_cli.corpus.read.text import paragraphs
from rerank_cli.records import Block, Document, Reading

_COMMAND = re.compile(r"^=(?P<name>[a-zA-Z]\w*)[ \t]*(?P<rest>.*)", re.DOTALL)
_ANY_COMMAND = re.compile(r"^=(?:pod|head[1-6]|over|item|begin|for|encoding)\b", re.MULTILINE)
_BULLET = re.compile(r"^(?:(?P<bullet>[*o-])|(?P<number>\d+)\.?)(?:\s+|$)")
_NAME = re.compile(r"^(?P<name>.{1,200}?)\s+-{1,2}\s", re.DOTALL)
_ADDRESS = re.compile(r"^[a-z]+:[^:\s]")
_TOKEN = re.compile(r"(?P<letter>[A-Z])(?P<open><+)(?=\s)|(?P<simple>[A-Z])<|(?P<blank>\s*)(?P<close>>+)")
_CHARACTERS = {"sol": "/", "verbar": "|", "lchevron": "«", "rchevron": "»"}
_MAX_NESTING = 50
_SHOWN = ("text", "pod", ":text", ":pod")


def read(text: str, path: str) -> Reading:
    """A single document; its title is the name that stands under NAME."""
    if not _ANY_COMMAND.search(text):
        return plain.read(text, path)
    outline = Outline()
    title = ""
    heading, marker = "", ""
    for block in _shown(text):
        first, last = block.place.first, block.place.last
        command = _COMMAND.match(block.text)
        if not command and block.text[0] in " \t":
            outline.verbatim(_dedented(block.text), first)
        elif not command:
            said = _plain(block.text)
            if heading.upper() == "NAME" and not title and (named := _NAME.match(said)):
                title = " ".join(named["name"].split())
            outline.block(marker + said, first, last)
            marker = ""
        elif command["name"].startswith("head"):
            heading = _plain(command["rest"])
            outline.heading(int(command["name"][4:] or 1), heading, first, last)
        elif command["name"] == "item":
            marker, said = _item(command["rest"])
            outline.block(marker + said if said else "", first, last)
            marker = "" if said else marker
    return Reading((Document(path, title, outline.blocks()),))


def _shown(text: str) -> Iterator[Block]:
    """The paragraphs that a reader sees, commands among them: not code, and nothing for other formats."""
    in_pod, hidden = False, ""
    for block in paragraphs(text):
        command = _COMMAND.match(block.text)
        name = command["name"] if command else ""
        target = command["rest"].split()[:1] if command else []
        if hidden:
            hidden = "" if name == "end" else hidden
        elif name == "cut":
            in_pod = False
        elif name == "begin" and target and target[0] not in _SHOWN:
            hidden = target[0]
        elif name in ("pod", "over", "back", "begin", "end", "encoding", "for"):
            in_pod = True
        elif name.startswith("head") and not (name[4:].isdecimal() and 0 < int(name[4:]) < 7):
            continue
        elif in_pod or name:
            in_pod = True
            yield block


def _item(rest: str) -> tuple[str, str]:
    """The bullet or number of an item, and what it says."""
    found = _BULLET.match(rest)
    if not found:
        return "", _plain(rest)
    return "- " if found["bullet"] else f"{found['number']}. ", _plain(rest[found.end() :])


def _dedented(text: str) -> str:
    lines = text.expandtabs(8).split("\n")
    columns = min(len(line) - len(line.lstrip()) for line in lines)
    return "\n".join(line[columns:] for line in lines)


def _plain(text: str) -> str:
    """The words of *text*; codes like `B<bold>` may stand in each other, and in more than one pair of brackets."""
    open_codes: list[tuple[str, int, list[str]]] = [("", 0, [])]
    seen = 0

    def close() -> None:
        letter, _, parts = open_codes.pop()
        open_codes[-1][2].append(_said(letter, "".join(parts)))

    for found in _TOKEN.finditer(text):
        open_codes[-1][2].append(text[seen : found.start()])
        seen = found.end()
        if found["close"] is None:
            if len(open_codes) > _MAX_NESTING:
                open_codes[-1][2].append(found[0])
            else:
                open_codes.append((found["letter"] or found["simple"], len(found["open"] or "<"), []))
            continue
        width, blank, brackets = open_codes[-1][1], found["blank"], len(found["close"])
        if width > 1 and blank and brackets >= width:
            close()
            blank, brackets = "", brackets - width
        open_codes[-1][2].append(blank)
        while brackets and open_codes[-1][1] == 1:
            close()
            brackets -= 1
        open_codes[-1][2].append(">" * brackets)
    open_codes[-1][2].append(text[seen:])
    while len(open_codes) > 1:
        close()
    return "".join(open_codes[0][2])


def _said(letter: str, text: str) -> str:
    match letter:
        case "E":
            return _character(text)
        case "X" | "Z":
            return "\n" * text.count("\n")
        case "L":
            return _link(text)
        case "B" | "I" | "C" | "F" | "S":
            return text if text.count("\n") else text.strip(" ")
    return f"{letter}<{text}>"


def _character(name: str) -> str:
    if name in _CHARACTERS:
        return _CHARACTERS[name]
    code = name.lower().lstrip("0")
    is_hex = code.startswith("x")
    number = f"#{code}" if code[:1].isdecimal() or is_hex else name
    return html.unescape(f"&{number};")[:10] if len(name) < 20 else ""


def _link(text: str) -> str:
    said, bar, target = text.rpartition("|")
    if bar:
        return linked(said, target) if _ADDRESS.match(target) else said
    if _ADDRESS.match(target):
        return target
    page, slash, section = target.partition("/")
    section = section.strip('"')
    return f'"{section}" in {page}' if page and slash else f'"{section}"' if slash else page
