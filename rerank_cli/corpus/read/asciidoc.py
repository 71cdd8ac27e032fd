"""Read AsciiDoc line by line: its paragraphs as plain text, under its section titles."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from rerank_cli.corpus.read.front_matter import NAMES, SENTENCES
from rerank_cli.corpus.read.markup import Line, Row, keeping_lines, linked, numbered, put_table, put_verbatim
from rerank_cli.corpus.read.outline import Outline
from rerank_cli.fields import fields_in
from rerank_cli.records import Document, Reading

_SECTION = re.compile(r"^(?P<level>={1,6}|#{1,6}) +(?P<title>\S.*?)(?: +(?P=level))?$")
_UNDERLINE = re.compile(r"^([=\-~^+])\1{2,}$")
_UNDERLINE_LEVELS = "=-~^+"
_ATTRIBUTE = re.compile(r"^:(?P<name>!?\w[\w-]*!?):(?: +(?P<value>.*))?$")
_BLOCK_ATTRIBUTES = re.compile(r"^\[(?:\[.*\]|[\w.#\"'%{,:].*)?\]$")
_BLOCK_TITLE = re.compile(r"^\.(?P<title>[^\s.].*)$")
_MACRO = re.compile(r"^(?P<name>[a-z][\w-]*)::(?P<target>\S.*?|)\[(?P<text>.*)\]$")
_DELIMITER = re.compile(r"^(?:(?P<sign>[-.=*_/+])(?P=sign){3,}|--|```.*|[|,:!]={3,})$")
_BREAK = re.compile(r"^(?:'{3,}|<{3,}|-{3}|- - -|\*{3}|\* \* \*)$")
_ITEM = re.compile(
    r"^[ \t]*(?P<marker>\*{1,6}|-|\.{1,6}|\d+\.|[a-zA-Z]\.|[ivxIVX]+\)|<(?:\d+|\.)>|•)[ \t]+(?P<text>\S.*)$"
)
_TERM = re.compile(r"^[ \t]*(?P<term>[^\s/|].*?)(?P<marker>:{2,4}|;;)(?: +(?P<text>\S.*))?$")
_COMMENT = re.compile(r"^//(?!/)|^(?:ifdef|ifndef|ifeval|endif|include)::\S*\[(?P<text>.*)\]$")

_VERBATIM = ("-", ".", "`")
_VERBATIM_STYLES = frozenset(("source", "listing", "literal", "verse", "stem", "latexmath", "asciimath"))

# What the page says of the document itself.
_AUTHOR = re.compile(r"(?P<name>[^<>:=\[\]]{1,100}?) +<(?P<email>[^<>\s]{1,200})>")
_REVISED = re.compile(r"(?:v?[\w.]{1,30}, *)?(?P<date>\d{4}-\d\d-\d\d)\b")
_SHOWN_ATTRIBUTES = frozenset((*SENTENCES, *NAMES, "author", "authors", "email", "page-description", "page-tags"))

_NAMES_OF_CHARACTERS = "plus asterisk backtick vbar lt gt amp apos quot startsb endsb caret tilde deg"
_CHARACTERS = dict(zip(_NAMES_OF_CHARACTERS.split(), "+*`|<>&'\"[]^~°", strict=True)) | {"nbsp": " ", "empty": ""}

# Without bounds an opening that is never closed costs a search through the rest of the paragraph.
_INLINE = re.compile(
    r"\\(?P<escaped>[*_`#^~+{<\[\\]|https?:)"
    r"|(?:\+\+\+|\$\$)(?P<passed>.{1,500}?)(?:\+\+\+|\$\$)"
    r"|\b(?P<macro>[a-z][\w-]{1,30}):(?P<target>[^\s\[\]:](?:[^\s\[\]]{0,1000})|)\[(?P<label>[^\[\]]{0,1000})\]"
    r"|<<(?P<reference>[^<>]{1,300})>>"
    r"|\[\[[^\[\]\n]{1,200}\]\]"
    r"|\(\(\([^()]{1,300}\)\)\)|\(\((?P<term>[^()]{1,300})\)\)"
    r"|\{(?P<address>\w[\w-]{0,60})\}(?P<within>[^\s\[\]{}]{0,500})\[(?P<name>[^\[\]]{1,500})\]"
    r"|\{(?P<attribute>\w[\w-]{0,60})\}"
    r"|[\"']`(?P<quoted>[^`]{1,500})`[\"']"
    r"|``(?P<mono2>[^`]{1,500})``|(?<![\w`])`(?P<mono>[^\s`](?:[^`]{0,500}[^\s`])?)`(?![\w`])"
    r"|(?:\[[^\[\]\n]{1,100}\])?(?:"
    r"\*\*(?P<strong2>[^*]{1,500})\*\*|(?<![\w*])\*(?P<strong>[^\s*](?:[^*]{0,500}[^\s*])?)\*(?![\w*])"
    r"|__(?P<emphasis2>[^_]{1,500})__|(?<![\w_])_(?P<emphasis>[^\s_](?:[^_]{0,500}[^\s_])?)_(?![\w_])"
    r"|##(?P<marked2>[^#]{1,500})##|(?<![\w#&])#(?P<marked>[^\s#](?:[^#]{0,500}[^\s#])?)#(?![\w#]))"
    r"|\^(?P<above>[^\s^]{1,100})\^|~(?P<below>[^\s~]{1,100})~"
    r"|(?<![\w+])\+(?P<literal>[^\s+](?:[^+]{0,500}[^\s+])?)\+(?![\w+])"
    r"| \+$",
    re.DOTALL | re.MULTILINE,
)
_SHOWN_AS_TEXT = ("kbd", "btn", "pass", "stem", "latexmath", "asciimath", "indexterm2")
_ADDRESSES = ("http", "https", "ftp", "irc")

# What stands before the bar of a cell: how many columns and rows it spans or how often it is repeated, and its looks.
_CELL = re.compile(
    r"(?:(?<=\s)|^)(?P<spec>(?:(?P<times>\d{0,3})(?:\.\d+)?(?P<how>[+*]))?[<^>]?(?:\.[<^>])?[aehlmdsv]?)"
    r"(?<!\\)\|"
    r"|(?<!\\)(?<=\S)\|"
)
_COLUMNS = re.compile(r"cols=(?:\"(?P<quoted>[^\"]*)\"|(?P<bare>[^,\]\s]+))")
_HAS_HEADER = re.compile(r"%[\w%]*header|opt(?:ion)?s=\"?[^\"\]]*\bheader")
_NO_HEADER = re.compile(r"%noheader|opt(?:ion)?s=\"?[^\"\]]*noheader")
_MAX_COLUMNS = 1000

# A cell may be written once for many. Beyond this it is made to fill the memory.
_MAX_TIMES = 10


def read(text: str, path: str) -> Reading:
    """A single document; its title is that of level 0."""
    parser = _Parser(numbered(text))
    parser.parse()
    return Reading((Document(path, parser.title, parser.outline.blocks(), tuple(parser.fields)),))


class _Parser:
    """Walks the lines. Blocks that hold others need no care: their delimiters are passed over."""

    def __init__(self, lines: list[Line]) -> None:
        self.outline = Outline()
        self.title = ""
        self._lines = lines
        self._attributes = dict(_CHARACTERS)
        self._style = ""  # the attributes of the block to come
        self._counts: dict[str, int] = {}  # the items so far of each open list, by its marker
        self._in_header = False
        self.fields: list[tuple[str, str]] = []

    def parse(self) -> None:
        at = 0
        while at < len(self._lines):
            at = self._element(at)

    def _element(self, at: int) -> int:
        """Read what begins at *at* and give the place after it."""
        line = self._lines[at]
        text = line.text
        if not text:
            self._in_header = False
            return at + 1
        if _COMMENT.match(text):
            self._block(_uncommented(line), line.number, line.number)
            return at + 1
        if _BREAK.match(text) or text == "+":
            return at + 1
        if found := _ATTRIBUTE.match(text):
            return self._attribute(found, at)
        if _BLOCK_ATTRIBUTES.match(text):
            self._block_attributes(line)
            return at + 1
        if end := self._section(at):
            return end
        if _DELIMITER.match(text):
            return self._delimited(at)
        if found := _BLOCK_TITLE.match(text):
            self._block(found["title"], line.number, line.number)
            return at + 1
        if found := _MACRO.match(text):
            self._macro(found, line)
            return at + 1
        if found := _ITEM.match(text):
            return self._paragraph(at, self._marker(found["marker"]), found["text"])
        if found := _TERM.match(text):
            return self._term(found, at)
        if text[0] in " \t" or self._verbatim_style:
            return self._verbatim_paragraph(at)
        self._counts.clear()
        return self._paragraph(at, "", text)

    @property
    def _verbatim_style(self) -> bool:
        return re.split(r"[,%#.]", self._style, maxsplit=1)[0].strip() in _VERBATIM_STYLES

    def _attribute(self, found: re.Match[str], at: int) -> int:
        value, end = found["value"] or "", at + 1
        while value.endswith(" \\") and end < len(self._lines):
            value = f"{value[:-2]} {self._lines[end].text.strip()}"
            end += 1
        value = self._plain(value)
        self._attributes.setdefault(found["name"], value[:1000])
        if self._in_header or not self.title:
            self.fields += fields_in(value, found["name"])
        if found["name"] in _SHOWN_ATTRIBUTES:
            self.outline.block(value, self._lines[at].number, self._lines[end - 1].number, leads=True)
        return end

    def _block_attributes(self, line: Line) -> None:
        inner = line.text[1:-1]
        if inner.startswith("["):
            return
        self._style = f"{self._style},{inner}" if self._style else inner
        style, *said = (each.strip().strip('"') for each in inner.split(","))
        if style in ("quote", "verse"):
            self._block(", ".join(each for each in said if each and "=" not in each), line.number, line.number)

    def _section(self, at: int) -> int:
        line = self._lines[at]
        if found := _SECTION.match(line.text):
            return self._heading(len(found["level"]), found["title"], at, at + 1)
        below = self._lines[at + 1].text if at + 1 < len(self._lines) else ""
        if _UNDERLINE.match(below) and abs(len(below) - len(line.text)) <= 1 and line.text[0].isalnum():
            return self._heading(_UNDERLINE_LEVELS.index(below[0]) + 1, line.text, at, at + 2)
        return 0

    def _heading(self, level: int, title: str, at: int, end: int) -> int:
        self._counts.clear()
        self._style = ""
        title = self._plain(title)
        if level == 1 and not self.title:
            self.title = title
            self._in_header = True
            self._signature(end)
        self.outline.heading(level, title, self._lines[at].number, self._lines[end - 1].number)
        return end

    def _signature(self, at: int) -> None:
        """The lines below the title: who wrote this, and when."""
        below = [line.text for line in self._lines[at : at + 2]]
        if below and (found := _AUTHOR.match(below[0])):
            self.fields += [("author", found["name"]), ("email", found["email"])]
            if dated := _REVISED.match(below[-1]):
                self.fields.append(("date", dated["date"]))

    def _delimited(self, at: int) -> int:
        opening = self._lines[at].text
        style, self._style = self._style, "" if opening[0] != "|" else self._style
        if opening.endswith("===") and opening[0] in "|,:!":
            return self._table(at)
        closing = "```" if opening.startswith("```") else opening
        self._style = style
        verbatim = opening != "--" and opening[0] in _VERBATIM
        if not verbatim and opening[0] not in "/+" and not self._verbatim_style:
            self._style = ""
            return at + 1
        end = self._closing(at, closing)
        if verbatim or self._verbatim_style:
            lines = [replace(line, text=_uncommented(line, only_told=True)) for line in self._lines[at + 1 : end]]
            put_verbatim(self.outline, lines)
        self._style = ""
        return end + 1

    def _closing(self, at: int, closing: str) -> int:
        return next((n for n in range(at + 1, len(self._lines)) if self._lines[n].text == closing), len(self._lines))

    def _macro(self, found: re.Match[str], line: Line) -> None:
        shown = ""
        if found["name"] in ("image", "video", "audio"):
            shown = _picture(found["target"], found["text"])
        self._block(shown, line.number, line.number)

    def _marker(self, marker: str) -> str:
        """What stands before an item; the items of a list that numbers itself are counted."""
        if marker[0] in "*-•":
            self._forget_below(marker)
            return "- "
        if marker[0] not in ".<":
            return f"{marker} "
        self._forget_below(marker[0] if marker[0] == "<" else marker)
        key = "<" if marker[0] == "<" else marker
        self._counts[key] += 1
        return f"{marker[1:-1] if marker[1:-1].isdecimal() else self._counts[key]}. "

    def _forget_below(self, marker: str) -> None:
        """End the lists inside the one with *marker*."""
        if marker in self._counts:
            while next(reversed(self._counts)) != marker:
                self._counts.popitem()
        self._counts.setdefault(marker, 0)

    def _term(self, found: re.Match[str], at: int) -> int:
        if found["text"]:
            return self._paragraph(at, f"{self._plain(found['term'])}: ", found["text"])
        number = self._lines[at].number
        self._block(found["term"], number, number)
        after = at + 1
        if after < len(self._lines) and self._lines[after].text[:1] in (" ", "\t") and not self._begins(after):
            return self._paragraph(after, "", self._lines[after].text.strip(), in_list=True)
        return after

    def _paragraph(self, at: int, marker: str, first: str, *, in_list: bool = False) -> int:
        """Lines up to the next blank one, or to what begins something else."""
        end = at + 1
        in_list = in_list or bool(self._counts or marker)
        while end < len(self._lines) and self._lines[end].text and not self._ends(end, in_list):
            end += 1
        self._style = ""
        lines = [_uncommented(line).strip() for line in self._lines[at + 1 : end]]
        text = marker + self._plain("\n".join([first, *lines]))
        self.outline.block(text, self._lines[at].number, self._lines[end - 1].number)
        return end

    def _ends(self, at: int, in_list: bool) -> bool:
        text = self._lines[at].text
        if _DELIMITER.match(text) or _BLOCK_ATTRIBUTES.match(text) or text == "+" or _ATTRIBUTE.match(text):
            return True
        return (in_list and self._begins(at)) or (self._in_header and _ATTRIBUTE.match(text) is not None)

    def _begins(self, at: int) -> bool:
        """Whether an item of a list begins at *at*."""
        text = self._lines[at].text
        return bool(_ITEM.match(text) or _TERM.match(text))

    def _verbatim_paragraph(self, at: int) -> int:
        end = at
        while end < len(self._lines) and self._lines[end].text and not _DELIMITER.match(self._lines[end].text):
            end += 1
        put_verbatim(self.outline, self._lines[at:end])
        self._style = ""
        return end

    def _table(self, at: int) -> int:
        style, self._style = self._style, ""
        end = self._closing(at, self._lines[at].text)
        lines = self._lines[at + 1 : end]
        separator = self._lines[at].text[0]
        if separator == "," or "format=csv" in style.replace('"', ""):
            rows = list(_csv_rows(lines))
        else:
            rows = list(_rows(lines, separator, _columns(style)))
        heads = 1 if _HAS_HEADER.search(style) or (_is_header(lines) and not _NO_HEADER.search(style)) else 0
        told = (Row(row.number, tuple(self._plain(cell) for cell in row.cells)) for row in rows)
        put_table(self.outline, told, heads=heads, last=lines[-1].number if lines else 0)
        return end + 1

    def _block(self, text: str, first: int, last: int) -> None:
        self.outline.block(self._plain(text), first, last)

    def _plain(self, text: str) -> str:
        return _INLINE.sub(self._words, text)

    def _words(self, found: re.Match[str]) -> str:
        """The words of a piece of markup, and as many line ends as it has."""
        return keeping_lines(found, self._said(found))

    def _said(self, found: re.Match[str]) -> str:
        if found["address"]:
            address = self._attributes.get(found["address"], "")
            return linked(self._plain(found["name"]).removesuffix("^"), f"{address}{found['within']}" * bool(address))
        if found["macro"]:
            return self._inline_macro(found["macro"], found["target"], found["label"])
        if found["reference"]:
            return found["reference"].partition(",")[2].strip() or found["reference"].lstrip("#")
        if found["attribute"]:
            return self._attributes.get(found["attribute"], found[0])
        kind = found.lastgroup or ""
        text = found[kind] if kind else ""
        if kind == "quoted":
            return f'"{self._plain(text)}"'
        return text if kind in ("escaped", "passed", "literal") else self._plain(text) if text else ""

    def _inline_macro(self, name: str, target: str, label: str) -> str:
        if name in ("image", "audio", "video"):
            return _picture(target, label)
        if name in _SHOWN_AS_TEXT:
            return label
        if name == "menu":
            return " > ".join(filter(None, (target, *(part.strip() for part in label.split(">")))))
        if name.startswith("footnote"):
            return f" ({self._plain(label)})" if label else ""
        if name in ("indexterm", "icon", "anchor"):
            return ""
        text = self._plain(re.split(r",\s*\w+=|\^$", label)[0].strip('"').removesuffix("^"))
        if name in _ADDRESSES:
            return linked(text, f"{name}:{target}")
        if name in ("link", "mailto"):
            return linked(text, target)
        return target.lstrip("#") if not text or "=" in text else text


def _uncommented(line: Line, *, only_told: bool = False) -> str:
    """The line's text; of what the processor is told, only the text that it includes on a condition."""
    found = _COMMENT.match(line.text)
    if not found or (only_told and found[0] == "//"):
        return line.text
    return found["text"] if line.text.startswith(("ifdef", "ifndef")) else ""


def _picture(target: str, attributes: str) -> str:
    """The text that stands in for a picture, and its file."""
    alt = re.split(r",", attributes)[0].strip().strip('"')
    return linked("" if "=" in alt else alt, target)


@dataclass(frozen=True, slots=True)
class _Cell:
    number: int
    text: str
    columns: int


def _columns(style: str) -> int:
    """How many columns `cols` tells of; 0 where it says nothing."""
    found = _COLUMNS.search(style)
    if not found:
        return 0
    told = found["bare"] if found["quoted"] is None else found["quoted"]
    return min(sum(_times(column) for column in re.split(r"[,;]", told)), _MAX_COLUMNS) if told.strip() else 0


def _times(column: str) -> int:
    times = column.partition("*")[0].strip() if "*" in column else ""
    return int(times) if times.isdecimal() and len(times) < 4 else 1


def _is_header(lines: list[Line]) -> bool:
    """The first line is a header of its own where a blank one follows, and none stands before."""
    return len(lines) > 1 and bool(lines[0].text) and not lines[1].text


def _rows(lines: list[Line], separator: str, columns: int) -> Iterator[Row]:
    """Cells in rows of *columns*, or of as many as stand on the first line with any."""
    cells = list(_cells(lines, separator))
    if not cells:
        return
    columns = columns or sum(cell.columns for cell in cells if cell.number == cells[0].number)
    row: list[_Cell] = []
    filled = 0
    for cell in cells:
        row.append(cell)
        filled += cell.columns
        if filled >= columns:
            yield Row(row[0].number, tuple(each.text for each in row))
            row, filled = [], 0
    if row:
        yield Row(row[0].number, tuple(each.text for each in row))


def _cells(lines: list[Line], separator: str) -> Iterator[_Cell]:
    number, columns, times = 0, 1, 1
    gathered: list[str] = []
    for line in lines:
        text = line.text if separator == "|" else line.text.replace(separator, "|")
        seen = 0
        for found in _CELL.finditer(text):
            gathered.append(text[seen : found.start()])
            if number:
                yield from [_Cell(number, _cell_text(gathered), columns)] * times
            gathered, seen = [], found.end()
            many = int(found["times"] or 1) if found["how"] else 1
            columns, times = (many, 1) if found["how"] == "+" else (1, min(many, _MAX_TIMES))
            number = line.number
        gathered.append(text[seen:])
    if number:
        yield from [_Cell(number, _cell_text(gathered), columns)] * times


def _cell_text(gathered: list[str]) -> str:
    return " ".join(part.strip() for part in gathered if part.strip()).replace("\\|", "|")


def _csv_rows(lines: list[Line]) -> Iterator[Row]:
    reader = csv.reader([f"{line.text}\n" for line in lines], skipinitialspace=True)
    done = 0
    try:
        for cells in reader:
            if cells:
                yield Row(lines[done].number, tuple(cells))
            done = reader.line_num
    except csv.Error:  # a cell that no one wrote by hand
        return
