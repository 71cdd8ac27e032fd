"""Read LaTeX: its paragraphs as plain text, under its sections."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from rerank_cli.corpus.read.markup import Row, linked, put_table
from rerank_cli.corpus.read.outline import Outline
from rerank_cli.records import Document, Reading

_TOKEN = re.compile(
    r"(?P<comment>%[^\n]*)"
    r"|(?P<paragraph>\n[ \t]*(?:\n[ \t]*)+)|(?P<line>\n[ \t]*)"
    r"|\\(?P<environment>begin|end)\s*\{(?P<name>[^{}\n]{1,50})\}"
    r"|\\(?:verb\*?|lstinline(?:\[[^\]\n]*\])?)(?P<fence>[^\w\s*{])(?P<verbatim>[^\n]*?)(?P=fence)"
    r"|(?P<math>\$\$(?>(?:[^$\\]|\\.){1,2000})\$\$|\$(?>(?:[^$\\]|\\.){1,2000})\$"
    r"|\\\((?>(?:[^\\]|\\[^()]){0,2000})\\\)|\\\[(?>(?:[^\\]|\\[^\[\]]){0,2000})\\\])"
    r"|\\(?P<accent>['`^\"~=.cvuH])(?:\{\\?(?P<under>[A-Za-z])\}|(?<![cvuH])\\?(?P<next>[A-Za-z]))"
    r"|\\(?P<command>[A-Za-z@]+)\*?[ \t]*|\\(?P<sign>.)"
    r"|(?P<open>\{)|(?P<close>\})|(?P<quote>``|'')|(?P<dash>---?)|(?P<space>[~&])"
    r"|(?P<text>[^\\{}$%~\n&`'-]+|.)",
    re.DOTALL,
)
_OPTION = re.compile(r"[ \t]*\[(?P<text>[^\[\]]{0,500})\]")
_NEXT_GROUP = re.compile(r"[ \t]*\n?[ \t]*\{")
_DEFINED = re.compile(r"[ \t]*\\[A-Za-z@]+(?:#\d)*")
_HIGHLIGHTED = re.compile(r"\\[A-Za-z]+Tok\{|\}|\\(?:(?P<sign>[^A-Za-z])|textbackslash\{(?P<backslash>\}))")
_PREAMBLE = re.compile(r"\\(?P<command>title|subtitle|author|date|keywords)\s*(?:\[[^\[\]]{0,500}\])?\s*\{")
_SECTIONS = ("part", "chapter", "section", "subsection", "subsubsection", "paragraph", "subparagraph")
_FRAME = len(_SECTIONS) + 1

# What stands in the groups behind these is no text: how many groups.
_DROPPED = {
    **dict.fromkeys(
        "label ref eqref pageref autoref cref Cref nameref vref input include subfile bibliography bibliographystyle"
        " addbibresource usepackage documentclass pagestyle thispagestyle pagenumbering vspace hspace includegraphics"
        " index color phantom vphantom hphantom todo bibitem newpage hypersetup geometry tikzset lstset graphicspath"
        " hyphenation hypertarget pdfbookmark usetikzlibrary cellcolor rowcolor columncolor linespread".split(),
        1,
    ),
    **dict.fromkeys("textcolor colorbox fontsize parbox raisebox rule resizebox fontfamily multirow".split(), 1),
    **dict.fromkeys("setlength addtolength setcounter addtocounter multicolumn definecolor cmidrule".split(), 2),
    **dict.fromkeys(
        "newcommand renewcommand providecommand newenvironment renewenvironment DeclareMathOperator newtheorem"
        " newlength newcounter addcontentsline def".split(),
        9,
    ),
}
_DROPPED |= {"definecolor": 3, "addcontentsline": 3, "multirow": 2, "resizebox": 2, "fontsize": 2, "rule": 2}
_DROPPED |= {"indexsee": 2, "indexseealso": 2}
_CITES_OR_INDEXES = re.compile(r"^(?:[A-Za-z]*cite[a-z]*|index[a-z]*)$")  # books have commands of their own for both

_VERBATIM = frozenset(("verbatim", "Verbatim", "lstlisting", "minted", "alltt", "Highlighting", "BVerbatim"))
_MATH = frozenset(
    name + star
    for name in ("equation", "align", "gather", "multline", "eqnarray", "displaymath", "math", "alignat", "flalign")
    for star in ("", "*")
)
_UNSEEN = frozenset(("comment", "filecontents", "tikzpicture", "pgfpicture", "picture", "filecontents*"))
_TABLES = frozenset(("tabular", "tabular*", "tabularx", "longtable", "tabulary", "supertabular", "tblr"))
_WITH_ARGUMENT = {"minipage": 1, "multicols": 1, "thebibliography": 1, "wrapfigure": 2, "adjustbox": 1, "columns": 0}
_WITH_ARGUMENT |= {"column": 1, "subfigure": 1, "subtable": 1, "list": 2, "adjustwidth": 2, "spacing": 1}
_LISTS = frozenset(("itemize", "enumerate", "description", "compactitem", "compactenum", "tasks", "list"))

_NAMED = (
    "ldots=… dots=… textellipsis=… LaTeX=LaTeX TeX=TeX textbackslash=\\ textasciitilde=~ textasciicircum=^ "
    "textgreater=> textless=< textbar=| textquotesingle=' textunderscore=_ S=§ P=¶ ss=ß o=ø O=Ø ae=æ AE=Æ aa=å AA=Å "
    "l=ł L=Ł i=i oe=œ OE=Œ copyright=© pounds=£ euro=€ textdegree=° textendash=– textemdash=— textbullet=• "  # noqa: RUF001
    "textregistered=® texttrademark=™ textquotedblleft=\" textquotedblright=\" textquoteleft=' textquoteright=' "
    "rightarrow=→ textrightarrow=→ checkmark=✓ lbrack=[ rbrack=]"
)
_CHARACTERS = dict(each.split("=", 1) for each in _NAMED.split())
_CHARACTERS |= {"quad": " ", "qquad": " ", "space": " ", "newline": "\n", "tabularnewline": "\n", "and": ", "}
_SIGNS = {",": " ", ";": " ", ":": " ", " ": " ", "\n": "\n", "\\": "\n", "/": "", "-": "", "!": "", "@": "", "*": ""}
_ACCENTS = {"'": "\u0301", "`": "\u0300", "^": "\u0302", '"': "\u0308", "~": "\u0303", "=": "\u0304", ".": "\u0307"}
_ACCENTS |= {"c": "\u0327", "v": "\u030c", "u": "\u0306", "H": "\u030b"}

_RULE = re.compile(r"\\(?:hline|midrule|endhead|endfirsthead|cmidrule)\b")
_REPEATED_HEAD = re.compile(r"\\endfirsthead.*?\\endhead\b", re.DOTALL)
_CELL_END = re.compile(r"(?<!\\)(?:\\\\)*(?P<cell>&)|(?P<row>\\\\(?!\\)|\\tabularnewline\b)")
_MAX_FRONT_CHARS = 5000

# It stood before a reference that is left out.
_BLANK_BEFORE_STOP = re.compile(r" (?=[.,;:?!](?: |$))")


def read(text: str, path: str) -> Reading:
    """A single document; its title is that of `\\title`."""
    begin = text.find("\\begin{document}")
    start = max(begin, 0)
    outline = Outline()
    title = ""
    for found in _PREAMBLE.finditer(text, 0, start):
        line = text.count("\n", 0, found.end()) + 1
        inner = _group(text[found.end() : min(start, found.end() + _MAX_FRONT_CHARS)])
        said = _flat(inner)
        if found["command"] == "title":
            title = title or said
        elif found["command"] != "date":
            outline.block(said, line, line + inner.count("\n"))
    end = text.find("\\end{document}", start)
    body = _Text(outline, text[start : end if end >= 0 else len(text)], text.count("\n", 0, start) + 1)
    body.parse()
    return Reading((Document(path, title or body.title, outline.blocks()),))


def _group(text: str) -> str:
    """*text* up to where the group that it begins in is closed, or its first paragraph if it never is."""
    depth = 1
    for found in re.finditer(r"\\.|[{}]", text, re.DOTALL):
        depth += {"{": 1, "}": -1}.get(found[0], 0)
        if not depth:
            return text[: found.start()]
    return text.partition("\n\n")[0]


def _flat(text: str) -> str:
    """What *text* says, in one line."""
    outline = Outline()
    _Text(outline, text, 1).parse()
    return " ".join(" ".join(block.text.split()) for block in outline.blocks())


@dataclass(slots=True)
class _Group:
    """An open group: what becomes of its text when it is closed, and the text so far."""

    closing: Callable[[str], None] | None
    parts: list[str] = field(default_factory=list)
    line: int = 0


class _Text:
    """Walks the text token by token. Unknown commands fall away and their groups are text."""

    def __init__(self, outline: Outline, text: str, line: int) -> None:
        self.title = ""
        self._outline = outline
        self._text = text
        self._at = 0
        self._line = line
        self._first = line  # where the present paragraph begins
        self._groups = [_Group(None)]
        self._marker = ""
        self._lists: list[tuple[str, int]] = []
        self._missing: set[str] = set()  # environments whose end is not to come

    def parse(self) -> None:
        while self._at < len(self._text):
            found = _TOKEN.match(self._text, self._at)
            assert found is not None
            self._at = found.end()
            self._take(found)
            self._line += found[0].count("\n")
        self._end_paragraph()

    def _take(self, found: re.Match[str]) -> None:
        match found.lastgroup:
            case "paragraph":
                self._end_paragraph()
            case "line":
                self._say("\n")
            case "name":
                self._environment(found["environment"], found["name"])
            case "verbatim" | "math" | "text":
                self._say(found[found.lastgroup])
            case "under" | "next":
                letter = found["under"] or found["next"]
                self._say(unicodedata.normalize("NFC", letter + _ACCENTS[found["accent"]]))
            case "command":
                self._command(found["command"])
            case "sign":
                self._say(_SIGNS.get(found["sign"], found["sign"]))
            case "open":
                self._open(None)
            case "close":
                self._close()
            case "quote":
                self._say('"')
            case "dash":
                self._say("—" if len(found[0]) == 3 else "–")  # noqa: RUF001
            case "space":
                self._say(" ")

    def _say(self, text: str) -> None:
        group = self._groups[-1]
        if len(self._groups) == 1 and not group.parts:
            if not text.strip():
                return
            self._first = self._line
        group.parts.append(text)

    def _open(self, closing: Callable[[str], None] | None) -> None:
        self._groups.append(_Group(closing, line=self._line))

    def _close(self) -> None:
        if len(self._groups) == 1:
            return
        group = self._groups.pop()
        text = "".join(group.parts)
        if group.closing:
            group.closing(text)
        else:
            self._say(text)

    def _end_paragraph(self) -> None:
        while len(self._groups) > 1:
            self._close()
        text = "".join(self._groups[0].parts)
        self._groups[0].parts.clear()
        lines = [_BLANK_BEFORE_STOP.sub("", " ".join(line.split())) for line in text.split("\n")]
        while lines and not lines[-1]:
            lines.pop()
        if not lines:
            return
        marker, self._marker = self._marker, ""
        last = self._first + text.rstrip().count("\n")
        self._outline.block(marker + "\n".join(line for line in lines if line), self._first, min(last, self._line))

    def _with_group(self, closing: Callable[[str], None]) -> None:
        """Let *closing* have the text of the group that follows, if one does."""
        if found := _NEXT_GROUP.match(self._text, self._at):
            self._line += found[0].count("\n")
            self._at = found.end()
            self._open(closing)

    def _drop(self, count: int) -> None:
        self._option()
        if count > 1 and (defined := _DEFINED.match(self._text, self._at)):
            self._at = defined.end()
            count -= 1
        if count:
            self._with_group(lambda _: self._drop(count - 1))

    def _option(self) -> str:
        """The text of the brackets that follow, if they do."""
        if found := _OPTION.match(self._text, self._at):
            self._at = found.end()
            self._line += found[0].count("\n")
            return found["text"]
        return ""

    def _command(self, name: str) -> None:
        if name == "item":
            self._item()
        elif name in _SECTIONS or name in ("frametitle", "addchap", "addsec"):
            self._end_paragraph()
            self._option()
            level = _SECTIONS.index(name) + 1 if name in _SECTIONS else _FRAME
            self._heading(level)
        elif name in ("title", "subtitle", "author", "caption"):
            self._option()
            self._with_group(lambda text: self._block_of(name, text))
        elif name in _DROPPED or _CITES_OR_INDEXES.match(name):
            self._drop(_DROPPED.get(name, 1))
        elif name == "href":
            self._with_group(lambda url: self._with_group(lambda text: self._say(linked(text, url))))
        elif name in ("footnote", "footnotetext", "thanks"):
            self._option()
            self._with_group(lambda text: self._say(f" ({text.strip()})"))
        elif name == "par":
            self._end_paragraph()
        elif name in _CHARACTERS:
            self._say(_CHARACTERS[name])
        else:
            self._option()

    def _heading(self, level: int) -> None:
        line = self._line
        self._with_group(lambda text: self._outline.heading(level, text, line, max(line, self._line)))

    def _block_of(self, name: str, text: str) -> None:
        """Put a caption, or what stands above a document, as a block of its own."""
        said = " ".join(text.split())
        if name == "title" and not self.title:
            self.title = said
        else:
            self._outline.block(said, self._line - text.count("\n"), self._line)

    def _item(self) -> None:
        self._end_paragraph()
        term = _flat(self._option())
        kind, count = self._lists.pop() if self._lists else ("itemize", 0)
        self._lists.append((kind, count + 1))
        if term:
            self._say(f"{term}: ")
        self._marker = "" if term else f"{count + 1}. " if "enum" in kind else "- "

    def _environment(self, which: str, name: str) -> None:
        self._end_paragraph()
        if which == "end":
            if name in _LISTS and self._lists:
                self._lists.pop()
                self._marker = ""
            return
        if name in _VERBATIM or name in _MATH or name in _UNSEEN or name in _TABLES:
            self._whole(name)
        elif name in _LISTS:
            self._lists.append((name, 0))
            self._option()
        elif name == "frame":
            self._option()
            self._heading(_FRAME)
        else:
            self._drop(_WITH_ARGUMENT.get(name, 0))

    def _whole(self, name: str) -> None:
        """An environment up to its end, as a whole; without an end it is text."""
        closing = f"\\end{{{name}}}"
        end = -1 if name in self._missing else self._text.find(closing, self._at)
        if end < 0:
            self._missing.add(name)
            return
        inner = self._text[self._at : end]
        if name in _TABLES:
            rows, heads = _table(inner, self._line)
            put_table(self._outline, rows, heads=heads, last=self._line + inner.count("\n"))
        elif name in _MATH:
            self._outline.block(inner, self._line, self._line + inner.count("\n"))
        elif name in _VERBATIM:
            code = inner.partition("\n")[2]  # after its options
            code = _HIGHLIGHTED.sub(_unhighlighted, code) if name == "Highlighting" else code
            self._outline.verbatim(code.rstrip(), self._line + 1)
        self._at = end + len(closing)
        self._line += inner.count("\n")


def _unhighlighted(found: re.Match[str]) -> str:
    """Of a sign in code that pandoc has coloured, what it stands for."""
    return found["sign"] or "\\" * bool(found["backslash"])


def _table(inner: str, line: int) -> tuple[list[Row], int]:
    """The rows of a table and how many are its header, which stands above the first rule below a row."""
    inner = _REPEATED_HEAD.sub(lambda found: "\\endhead" + "\n" * found[0].count("\n"), inner)
    inner = _without_arguments(inner)
    rows: list[Row] = []
    heads: int | None = None
    for number, part in _rows(inner, line):
        rule = _RULE.search(part)
        if rule and rows and heads is None:
            heads = len(rows)
        cells = tuple(_flat(cell) for cell in _cells(_RULE.sub("", part)))
        if any(cells):
            rows.append(Row(number, cells))
    return rows, heads or 0


def _without_arguments(inner: str) -> str:
    """The inside of a table without the groups that tell its columns and its width."""
    at = 0
    while found := re.compile(r"\s*(?:\[[^\]]{0,100}\]|\{)").match(inner, at):
        at = found.end()
        if found[0].endswith("{"):
            at += len(_group(inner[at : at + _MAX_FRONT_CHARS])) + 1
    return "\n" * inner.count("\n", 0, at) + inner[at:]


def _rows(inner: str, line: int) -> Iterator[tuple[int, str]]:
    """The parts that a double backslash ends, and the lines where they begin."""
    seen = 0
    ends = [(found.start(), found.end()) for found in _CELL_END.finditer(inner) if found["row"]]
    for start, end in (*ends, (len(inner), len(inner))):
        part = inner[seen:start]
        blank = len(part) - len(_RULES_ABOVE.sub("", part, count=1))
        yield line + inner.count("\n", seen, seen + blank), part
        line += inner.count("\n", seen, end)
        seen = end


_RULES_ABOVE = re.compile(r"^(?:\s|\\[a-zA-Z]+(?:\[[^\]]*\]|\{[^{}]*\}|\([^)]*\))*(?=\s)|%[^\n]*\n)*")


def _cells(part: str) -> Iterator[str]:
    seen = 0
    for found in _CELL_END.finditer(part):
        if found["cell"]:
            yield part[seen : found.start("cell")]
            seen = found.end()
    yield part[seen:]
