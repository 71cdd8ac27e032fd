"""Read RTF: headings, paragraphs, lists, tables, notes and comments.

Places count the paragraphs that have text, from 1, as they come; a row of a table counts as one. Notes and comments
follow their paragraph and have its place. Pictures, headers, footers and what was deleted are left out.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field, replace

from rerank_cli.corpus.read.errors import Unreadable
from rerank_cli.corpus.read.numbering import BULLET
from rerank_cli.corpus.read.ooxml import believable
from rerank_cli.corpus.read.paragraphs import Paragraphs
from rerank_cli.records import Document, Reading

_MARK = b"{\\rtf"

# A control word with its number and the blank that ends it, a byte as \'hex, a control symbol, a brace, or text.
_TOKEN = re.compile(
    rb"\\(?:([a-zA-Z]{1,32})(-?\d{1,10})? ?|'([0-9a-fA-F]{2})|(.))|([{}])|[\r\n]+|([^\\{}\r\n]+)", re.DOTALL
)

# Groups that hold no text of the document. Those that begin with \* may all be left out by who does not know them.
_NO_TEXT = frozenset(
    (
        *("fonttbl", "colortbl", "filetbl", "listtable", "listoverridetable", "revtbl", "rsidtbl", "generator"),
        *("header", "headerl", "headerr", "headerf", "footer", "footerl", "footerr", "footerf", "template"),
        *("ftnsep", "ftnsepc", "aftnsep", "aftnsepc", "atnid", "atnauthor", "fldinst", "xe", "tc"),
        *("pict", "nonshppict", "object", "themedata", "datastore", "bkmkstart", "bkmkend", "sp", "shprslt"),
        *("pntxta", "pntxtb", "leveltext", "levelnumbers", "listname"),
    )
)
_KNOWN_STARRED = frozenset(("footnote", "annotation", "shpinst", "shptxt", "listtext", "pntext"))

_SYMBOLS = {
    "tab": " ", "emspace": " ", "enspace": " ", "qmspace": " ", "line": "\n", "bullet": "\u2022",
    "emdash": "\u2014", "endash": "\u2013",
    "lquote": "\u2018", "rquote": "\u2019", "ldblquote": "\u201c", "rdblquote": "\u201d",
}  # fmt: skip
_CONTROL_SYMBOLS = {b"~": " ", b"_": "-", b"\\": "\\", b"{": "{", b"}": "}", b"\t": " "}
_PARAGRAPH_ENDS = frozenset(("par", "sect", "page", "column"))

_CHARSETS = {
    0: "cp1252", 77: "mac_roman", 128: "cp932", 129: "cp949", 134: "gb18030", 136: "cp950", 161: "cp1253",
    162: "cp1254", 163: "cp1258", 177: "cp1255", 178: "cp1256", 186: "cp1257", 204: "cp1251", 222: "cp874",
    238: "cp1250", 255: "cp437",
}  # fmt: skip
_SETS = {"ansi": "cp1252", "mac": "mac_roman", "pc": "cp437", "pca": "cp850"}

_HEADING_STYLE = re.compile(r"heading (\d)", re.IGNORECASE)
_NO_LEVEL = 9


@dataclass(slots=True, frozen=True)
class _State:
    """What a group inherits and its end takes back.

    `kind` says where its text goes: text, note, comment, mark (of a list item), style, title, font, or nowhere.
    """

    kind: str = "text"
    encoding: str = ""
    skips: int = 1  # how many characters stand behind one in Unicode for programs that have none
    hidden: bool = False


@dataclass(slots=True)
class _Paragraph:
    """What is known of the paragraph that is being read."""

    text: list[str] = field(default_factory=list)
    mark: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    style: int = 0
    level: int = _NO_LEVEL
    in_table: bool = False


def read(content: bytes, path: str) -> Reading:
    """A single document; its title is what has the style of titles, else its first heading, else its properties'."""
    if not content.lstrip().startswith(_MARK):
        raise Unreadable("no RTF, as its name promises" if content.strip() else "empty")
    reader = _Reader()
    at = 0
    while token := _TOKEN.search(content, at):
        reader.take(token)
        at = token.end() + _bytes_behind(token)
    reader.end()
    blocks = reader.paragraphs.outline.blocks()
    title = reader.paragraphs.title or reader.paragraphs.outline.title or believable("".join(reader.title))
    return Reading((Document(path, title, blocks),))


def _bytes_behind(token: re.Match[bytes]) -> int:
    """How many bytes stand behind *token* that are no text, whatever they look like."""
    return max(0, int(token[2] or 0)) if token[1] == b"bin" else 0


class _Reader:
    """Reads tokens from first to last."""

    def __init__(self) -> None:
        self.paragraphs = Paragraphs()
        self.title: list[str] = []
        self._state = _State()
        self._outer: list[_State] = []
        self._encoding = "cp1252"
        self._fonts: dict[int, str] = {}
        self._font = 0
        self._styles: dict[int, str] = {}
        self._style = 0
        self._style_name: list[str] = []
        self._bytes = bytearray()  # of characters that may take more than one
        self._half = 0  # the first half of a character beyond the first 65,536
        self._skip = 0
        self._starred = False
        self._begins = False  # whether a group has just begun
        self._paragraph = _Paragraph()
        self._note: list[str] = []
        self._notes = 0
        self._cells: list[str] = []
        self._rows: list[list[str]] = []
        self._row_notes: list[str] = []

    def take(self, token: re.Match[bytes]) -> None:
        word, count, byte, symbol, brace, text = token.groups()
        if byte is not None:
            if self._skip:
                self._skip -= 1
            else:
                self._bytes += bytes.fromhex(byte.decode())
            return
        if text is not None:
            skipped = min(self._skip, len(text))
            self._skip -= skipped
            self._bytes += text[skipped:]
            return
        if word is None and symbol is None and brace is None:
            return
        self._flush()
        if brace == b"{":
            self._outer.append(self._state)
            self._begins, self._skip = True, 0
        elif brace == b"}":
            self._end_group()
        elif word is not None:
            self._word(word.decode(), None if count is None else int(count))
        elif symbol == b"*":
            self._starred = True
        elif symbol in (b"\n", b"\r"):
            self._end_paragraph()
        else:
            self._add(_CONTROL_SYMBOLS.get(symbol, ""))

    def _flush(self) -> None:
        if self._bytes:
            self._add(self._bytes.decode(self._state.encoding or self._encoding, "replace"))
            self._bytes.clear()

    def _add(self, text: str) -> None:
        if not text or self._state.hidden:
            return
        self._begins = False
        match self._state.kind:
            case "text":
                self._paragraph.text.append(text)
            case "note" | "comment":
                self._note.append(text)
            case "mark":
                self._paragraph.mark.append(text)
            case "title":
                self.title.append(text)
            case "style":
                self._style_name.append(text)

    def _end_group(self) -> None:
        if not self._outer:
            return
        before, self._state = self._state.kind, self._outer.pop()
        self._begins, self._starred, self._skip = False, False, 0
        if before == "note" and self._state.kind != "note":
            self._notes += 1
            mark = f"[{self._notes}]"
            self._paragraph.text.append(mark)
            self._paragraph.notes.append(f"{mark} {''.join(self._note)}")
            self._note = []
        elif before == "comment" and self._state.kind == "text":
            self._paragraph.notes.append("".join(self._note))
            self._note = []
        elif before == "style":
            self._styles[self._style] = "".join(self._style_name).strip().rstrip(";").strip()
            self._style_name, self._style = [], 0

    def _word(self, word: str, count: int | None) -> None:  # noqa: PLR0912 - a case for each word
        if self._begins:
            self._begin_group(word)
        self._begins = self._starred = False
        match word:
            case "u":
                self._unicode((count or 0) & 0xFFFF)
            case "uc":
                self._state = replace(self._state, skips=max(0, min(count or 0, 100)))
            case "ansi" | "mac" | "pc" | "pca":
                self._encoding = _SETS[word]
            case "ansicpg":
                self._encoding = _known(f"cp{count}") or self._encoding
            case "f":
                self._font = count or 0
                self._state = replace(self._state, encoding=self._fonts.get(self._font, ""))
            case "fcharset" if self._state.kind == "font":
                self._fonts[self._font] = _CHARSETS.get(count or 0, "")
            case "s" if self._state.kind == "style":
                self._style = count or 0
            case "s":
                self._paragraph.style = count or 0
            case "outlinelevel":
                self._paragraph.level = _NO_LEVEL if count is None else max(0, count)
            case "pard":
                self._paragraph.style, self._paragraph.level, self._paragraph.in_table = 0, _NO_LEVEL, False
            case "intbl":
                self._paragraph.in_table = True
            case "v" | "deleted":
                self._state = replace(self._state, hidden=count != 0)
            case "plain":
                self._state = replace(self._state, hidden=False, encoding="")
            case "cell" | "nestcell":
                self._end_cell()
            case "row" | "nestrow":
                self._end_row()
            case word if word in _PARAGRAPH_ENDS:
                self._end_paragraph()
            case word if word in _SYMBOLS:
                self._add(_SYMBOLS[word])

    def _begin_group(self, word: str) -> None:
        """Where the text of the group that *word* begins goes."""
        kind = self._state.kind
        if word in _NO_TEXT or (self._starred and word not in _KNOWN_STARRED):
            kind = "font" if word == "fonttbl" else ""
        elif word == "info" or kind == "info":
            kind = "title" if word == "title" else "info"
        elif word == "stylesheet":
            kind = "styles"
        elif kind == "styles":
            kind = "style"
        elif word == "footnote":
            kind = "note"
        elif word == "annotation":
            kind = "comment" if kind == "text" else kind
        elif word in ("listtext", "pntext"):
            kind = "mark" if kind == "text" else ""
        self._state = replace(self._state, kind=kind)

    def _unicode(self, code: int) -> None:
        self._skip = self._state.skips
        if 0xD800 <= code < 0xDC00:
            self._half = code
        elif 0xDC00 <= code < 0xE000:
            if self._half:
                self._add(chr(0x10000 + ((self._half - 0xD800) << 10) + code - 0xDC00))
            self._half = 0
        else:
            self._add(chr(code))

    def _end_paragraph(self) -> None:
        if self._state.kind != "text":
            self._add(" ")
            return
        if self._paragraph.in_table:
            self._paragraph.text.append(" ")
            return
        self._end_table()
        self._write()

    def _write(self) -> None:
        paragraph, before = self._paragraph, self._paragraph
        text = _clean("".join(paragraph.text))
        if text:
            text = _mark("".join(paragraph.mark)) + re.sub("^\u2022 ", BULLET, text)
            level = self._level(paragraph)
            if level is None:
                self.paragraphs.add(text)
            else:
                self.paragraphs.heading(level, text)
        for note in paragraph.notes:
            self.paragraphs.note(note)
        self._paragraph = _Paragraph(style=before.style, level=before.level, in_table=before.in_table)

    def _level(self, paragraph: _Paragraph) -> int | None:
        name = self._styles.get(paragraph.style, "")
        if name.casefold() == "title":
            return 0
        if paragraph.level < _NO_LEVEL:
            return paragraph.level + 1
        found = _HEADING_STYLE.fullmatch(name)
        return max(1, int(found[1])) if found else None

    def _end_cell(self) -> None:
        paragraph = self._paragraph
        self._cells.append(_mark("".join(paragraph.mark)) + _clean("".join(paragraph.text)))
        self._row_notes += paragraph.notes
        self._paragraph = _Paragraph(style=paragraph.style, level=paragraph.level, in_table=paragraph.in_table)

    def _end_row(self) -> None:
        if self._cells:
            self._rows.append(self._cells)
            self._cells = []
        self._paragraph.in_table = False

    def _end_table(self) -> None:
        self._end_row_of_one()
        rows, self._rows = self._rows, []
        notes, self._row_notes = self._row_notes, []
        if rows and all(len(row) < 2 for row in rows):  # a frame around text
            for row in rows:
                self.paragraphs.add(row[0])
        else:
            self.paragraphs.table(rows)
        for note in notes:
            self.paragraphs.note(note)

    def _end_row_of_one(self) -> None:
        if self._cells:
            self._rows.append(self._cells)
            self._cells = []

    def end(self) -> None:
        """What stands at the end without the word that ends a paragraph."""
        self._flush()
        self._state = _State()
        self._end_table()
        self._write()


def _clean(text: str) -> str:
    return "\n".join(" ".join(line.split()) for line in text.split("\n")).strip()


def _mark(text: str) -> str:
    """The mark of a list item: a bullet, whatever it looks like, or its number."""
    line = " ".join(text.split())
    if not line:
        return ""
    return f"{line} " if any(character.isalnum() and character.isascii() for character in line) else BULLET


def _known(encoding: str) -> str:
    try:
        return codecs.lookup(encoding).name
    except LookupError:
        return ""
