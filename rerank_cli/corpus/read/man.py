"""Read manual pages and other texts of roff: their paragraphs as plain text, under their headings."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rerank_cli.corpus.read import plain
from rerank_cli.corpus.read.escapes import arguments, unescaped
from rerank_cli.corpus.read.markup import Line, Row, linked, numbered, put_table
from rerank_cli.corpus.read.mdoc import LINES, Words
from rerank_cli.corpus.read.outline import Outline
from rerank_cli.records import Document, Reading

# What no text but one of roff has: a page without any, such as a log that was put away as its first, is plain.
_SIGN = re.compile(r"^[.'][ \t]*(?:TH|SH|Dt|Sh|TL|NH|LP|PP|so)(?:[ \t]|$)", re.MULTILINE)
_MDOC = re.compile(r"^\.[ \t]*(?:Dd|Dt|Sh)(?:[ \t]|$)", re.MULTILINE)

_CONTROL = re.compile(r"^[.'][ \t]*(?P<name>\\?[^\s\\\"]+|\\[\"#]|)[ \t]*(?P<rest>.*)$")
_BULLET = re.compile(r"^(?:[•*o+·□○–—-]|\d+\.?|\(?\w\))$")  # noqa: RUF001

_JOINED = frozenset(("BR", "RB", "BI", "IB", "IR", "RI"))
_SPACED = frozenset(("B", "I", "SM", "SB", "R", "CW", "BX", "UL"))
_ENDS_PARAGRAPH = frozenset(
    "PP LP P HP RS RE sp Sp bp Pp Lp SY YS QP QS QE KS KE DE XP AB AE AI Bk Ek ce".split(),
)
_VERBATIM = {"nf": "fi", "EX": "EE", "Vb": "Ve", "DS": "DE", "Bd": "Ed", "EQ": "EN"}
_UNSEEN = {"de": "..", "de1": "..", "am": "..", "ig": "..", "PS": ".PE", "GS": ".GE"}
_NAMED_LISTS = frozenset(("-bullet", "-dash", "-hyphen", "-enum", "-item"))


def read(text: str, path: str) -> Reading:
    """A single document; its title is its name and section, such as "ls(1)"."""
    if not _SIGN.search(text):
        return plain.read(text, path)
    page = _Page(numbered(text), mdoc=_MDOC.search(text) is not None)
    page.parse()
    return Reading((Document(path, page.title, page.outline.blocks()),))


class _Page:
    """Takes line after line. The lines of a paragraph are gathered until something ends it."""

    def __init__(self, lines: list[Line], *, mdoc: bool) -> None:
        self.outline = Outline()
        self.title = ""
        self._lines = lines
        self._mdoc = mdoc
        self._name = ""  # what the page is about
        self._strings: dict[str, str] = {}
        self._defined: set[str] = set()
        self._gathered: list[Line] = []
        self._marker = ""  # the bullet or number that belongs to the next line
        self._breaks = False  # whether the next line begins a line of its own
        self._tag_next = False  # whether the next line is what a paragraph explains
        self._heading: list[Line] | None = None  # the lines so far of a heading that goes on, and its level
        self._level = 1
        self._headed = False  # whether there was one: what stands above tells roff what to do
        self._verbatim = ""  # the macro that ends the verbatim block
        self._targets: list[str] = []  # of the links that are open
        self._lists: list[str] = []  # the kinds of the lists of mdoc that are open
        self._counts: list[int] = []
        self._skipped = 0  # how many braces are open of a condition that does not hold
        self._missing: set[str] = set()  # what closes something and is not to come
        self._else = False  # whether the other case of a condition holds

    def parse(self) -> None:
        at = 0
        while at < len(self._lines):
            at = self._take(at)
        self._end_paragraph()
        self._end_heading()

    def _take(self, at: int) -> int:
        line = self._lines[at]
        if self._skipped:
            self._skipped = max(0, self._skipped + line.text.count("\\{") - line.text.count("\\}"))
            return at + 1
        control = _CONTROL.match(line.text)
        if control:
            return self._control(control["name"], control["rest"], at)
        text = unescaped(line.text.removesuffix("\\c"), self._strings)
        if text.strip():
            self._text(text, line.number)
        elif self._verbatim:
            self._gathered.append(Line(line.number, ""))
        else:
            self._end_paragraph()
        return at + 1

    def _text(self, text: str, number: int) -> None:
        if self._heading is not None:
            self._heading.append(Line(number, text))
            if self._mdoc or self._level < 0:
                self._end_heading()
            return
        if self._tag_next:
            self._tag_next = False
            self._tag(text, number)
            return
        if not self._verbatim:
            breaks = "\n" if self._breaks or text[:1].isspace() else ""
            text = breaks + self._marker + text.strip()
            self._breaks, self._marker = False, ""
        self._gathered.append(Line(number, text))

    def _tag(self, text: str, number: int) -> None:
        if _BULLET.match(text.strip()):
            self._marker = f"{text.strip()} " if text.strip()[-1] in ".)" or text.strip().isdecimal() else "- "
        else:
            self._text(text, number)
            self._breaks = True

    def _control(self, name: str, rest: str, at: int) -> int:
        number = self._lines[at].number
        if name in ("if", "ie", "el", "while"):
            return self._condition(name, rest, at)
        if name in _UNSEEN:
            if name in ("de", "de1") and not rest.startswith("IX"):  # which marks words of an index in pages from POD
                self._defined.add(rest.partition(" ")[0])
            return self._after(at, _UNSEEN[name])
        if name == "TS":
            self._end_paragraph()
            return self._table(at)
        if name in ("ds", "as"):
            key, _, value = rest.partition(" ")
            self._strings[key] = unescaped(value.removeprefix('"'), self._strings)[:1000]
        elif not name.startswith("\\"):
            words = [unescaped(word, self._strings) for word in arguments(rest)]
            self._macro(name, words, number)
        return at + 1

    def _after(self, at: int, closing: str) -> int:
        """The place after the line that is *closing*, or after this one if there is none."""
        if closing not in self._missing:
            for n in range(at + 1, len(self._lines)):
                if self._lines[n].text.startswith(closing):
                    return n + 1
            self._missing.add(closing)
        return at + 1

    def _condition(self, name: str, rest: str, at: int) -> int:
        """Of the conditions only those hold that ask for a terminal: `n`."""
        if name == "el":
            holds, body = self._else, rest
        else:
            asked, _, body = rest.partition(" ")
            holds = asked.startswith("n") and not asked.startswith("nr")
            self._else = not holds
        opened = body.count("\\{") - body.count("\\}")
        if not holds:
            self._skipped = max(0, opened)
            return at + 1
        inner = _CONTROL.match(body.replace("\\{", "").strip())
        if inner and inner["name"] and inner["name"] not in ("if", "ie", "el", "while", *_UNSEEN, "TS"):
            return self._control(inner["name"], inner["rest"], at)
        return at + 1

    def _macro(self, name: str, words: list[str], number: int) -> None:  # noqa: PLR0912
        if self._verbatim and name == self._verbatim:
            self._end_verbatim()
        elif name in ("TH", "Dt"):
            self._name = words[0] if words else ""
            self.title = f"{self._name}({words[1]})" if len(words) > 1 and words[1] else self._name
            self._name = self._name.lower()
        elif name in ("SH", "SS", "Sh", "Ss", "NH", "TL", "SH*", "SS*"):
            self._begin_heading(name, words, number)
        elif name in ("TP", "TQ"):
            if name == "TP":
                self._end_paragraph()
            self._tag_next = True
        elif name == "IP":
            self._end_paragraph()
            if words and words[0]:
                self._tag(words[0], number)
        elif name in _VERBATIM and (name != "Bd" or {"-literal", "-unfilled"} & {*words}):
            self._end_paragraph()
            self._verbatim = _VERBATIM[name]
        elif name in ("UR", "MT"):
            self._end_heading()
            self._targets.append(words[0] if words else "")
            self._gathered.append(Line(number, ""))
        elif name in ("UE", "ME"):
            self._end_link(words, number)
        elif name in _JOINED:
            self._text("".join(words), number)
        elif name == "br":
            self._breaks = bool(self._gathered)
        elif name in _SPACED or (name in self._defined and self._headed):
            if words:
                self._text(" ".join(words), number)
        elif name == "OP":
            self._text(f"[{' '.join(words)}]", number)
        elif name == "SY":
            self._end_paragraph()
            self._text(" ".join(words), number)
        elif self._mdoc:
            self._mdoc_macro(name, words, number)
        elif name in _ENDS_PARAGRAPH:
            self._end_paragraph()

    def _mdoc_macro(self, name: str, words: list[str], number: int) -> None:
        if name in ("Bd", "Ed", "Bl", "El", "It", "D1", "Dl", "Rs", "Re", *_ENDS_PARAGRAPH):
            self._end_paragraph()
        if name == "Bl":
            self._lists.append(words[0] if words else "")
            self._counts.append(0)
        elif name == "El" and self._lists:
            self._lists.pop()
            self._counts.pop()
        elif name == "It":
            self._item(words, number)
        elif name == "Ex":
            who = words[1] if len(words) > 1 else self._name
            self._text(f"The {who} utility exits 0 on success, and >0 if an error occurs.", number)
        elif name in LINES:
            if name == "Nm" and words and not self._gathered:
                self._name = words[0]
            self._text(Words(self._name).say([name, *words]), number)

    def _item(self, words: list[str], number: int) -> None:
        kind = self._lists[-1] if self._lists else ""
        if kind in _NAMED_LISTS:
            if self._counts:
                self._counts[-1] += 1
            self._marker = f"{self._counts[-1]}. " if kind == "-enum" else "- "
        elif words:
            said = Words(self._name).say(["No", *words])
            self._text(said, number)
            self._breaks = True

    def _begin_heading(self, name: str, words: list[str], number: int) -> None:
        self._end_paragraph()
        self._end_heading()
        self._end_verbatim()
        self._tag_next, self._marker = False, ""
        self._level = 2 if name in ("SS", "Ss") else 1
        if name == "NH" and words:
            self._level = int(words[0]) if words[0].isdecimal() and len(words[0]) == 1 else 1
            words = []
        if name == "TL":
            self._level = 0
        said = Words(self._name).say(["No", *words]) if self._mdoc else " ".join(words)
        self._heading, self._headed = [Line(number, said)], True
        if words:
            self._end_heading()

    def _end_heading(self) -> None:
        """Put the heading that was begun; in a page of manual macros it has one line, else all up to a macro."""
        lines, self._heading = self._heading, None
        if lines is None:
            return
        text = " ".join(line.text for line in lines)
        if self._level == 0:
            self.title = self.title or " ".join(text.split())
        self.outline.heading(max(1, self._level), text, lines[0].number, lines[-1].number)

    def _end_link(self, words: list[str], number: int) -> None:
        """Put the target of the link after its text, and what follows it without a blank."""
        target = self._targets.pop() if self._targets else ""
        said = self._gathered[-1].text if self._gathered else ""
        self._text(f"({target})" if said and linked(said, target) != said else "" if said else target, number)
        if words and self._gathered:
            last = self._gathered.pop()
            self._gathered.append(Line(last.number, last.text + words[0]))

    def _end_verbatim(self) -> None:
        self._end_paragraph()
        self._verbatim = ""

    def _end_paragraph(self) -> None:
        if self._heading is not None:
            self._end_heading()
        lines, self._gathered = [line for line in self._gathered if line.text or self._verbatim], []
        self._breaks = False
        if lines:
            text = ("\n" if self._verbatim else " ").join(line.text for line in lines)
            self.outline.block(text.replace(" \n", "\n"), lines[0].number, lines[-1].number)

    def _table(self, at: int) -> int:
        """A table of tbl: options, the format of its rows, and from the line after them the rows."""
        end = self._after(at, ".TE") - 1
        lines = self._lines[at + 1 : end]
        separator = "\t"
        if lines and lines[0].text.endswith(";"):
            told = re.search(r"tab ?\((.)\)", lines[0].text)
            separator = told[1] if told else separator
            lines = lines[1:]
        begins = next((n + 1 for n, line in enumerate(lines) if line.text.endswith(".")), 0)
        rows, heads = [], 0
        for row in _rows(lines[begins:], separator):
            if row.cells:
                rows.append(Row(row.number, tuple(unescaped(cell, self._strings) for cell in row.cells)))
            elif len(rows) == 1:
                heads = 1
        put_table(self.outline, rows, heads=heads, last=lines[-1].number if lines else 0)
        return max(end, at) + 1


def _rows(lines: list[Line], separator: str) -> Iterator[Row]:
    """The rows of a table, and one without cells for each rule. A cell of several lines stands in `T{` and `T}`."""
    cells: list[str] = []
    number, in_cell = 0, False
    for line in lines:
        text = line.text
        if in_cell:
            if not text.startswith("T}"):
                control = _CONTROL.match(text)
                cells[-1] += " " + (" ".join(arguments(control["rest"])) if control else text)
                continue
            cells += text[2:].split(separator)[1:]
        elif _CONTROL.match(text):
            continue
        elif text in ("_", "=", ""):
            yield Row(line.number, ())
            continue
        else:
            number, cells = line.number, text.split(separator)
        in_cell = bool(cells) and cells[-1] == "T{"
        if in_cell:
            cells[-1] = ""
        else:
            yield Row(number, tuple(cells))
