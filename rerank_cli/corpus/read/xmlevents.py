"""What stands in an XML text, in order and with its lines; nothing outside the text is ever opened."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from html import unescape
from typing import NamedTuple
from xml.parsers import expat

# So that only little of what was parsed waits to be taken.
_STEP_CHARS = 500_000

# A name that stands for a long text, or for other names, can make a small file a huge one.
_MOST_ENTITY_CHARS = 1000
_MOST_EXPANDED_CHARS = 1_000_000
_ENTITY = re.compile(r"&(?!#|amp;|lt;|gt;|quot;|apos;)|%\w")

# It says how the bytes were encoded, and may not stand below a blank line.
_DECLARATION = re.compile(r"\A\s*<\?xml\b[^>]*\?>")


class BrokenXml(Exception):
    """The text is no XML from some line on; what the parser says of it."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: no well-formed XML ({reason})")


# Tuples, since there are hundreds of thousands of them.
class Start(NamedTuple):
    """The beginning of an element; `local` is its name without the prefix."""

    line: int
    name: str
    local: str
    attributes: Mapping[str, str]


class End(NamedTuple):
    """The end of an element."""

    line: int
    name: str
    local: str


class Text(NamedTuple):
    """A piece of text, which begins on `line`: no more than one line of it."""

    line: int
    text: str


class Doctype(NamedTuple):
    """The declaration of what kind of document this is."""

    line: int
    public: str


Event = Start | End | Text | Doctype


def events(text: str) -> Iterator[Event]:
    """All that *text* holds but comments and instructions. Raises BrokenXml, after what precedes the fault."""
    text = _DECLARATION.sub(lambda found: "\n" * found[0].count("\n"), text.removeprefix("\ufeff"), count=1)
    if not text.strip():
        return
    parsing = _Parsing()
    for start in range(0, len(text), _STEP_CHARS):
        fault = parsing.feed(text[start : start + _STEP_CHARS], last=start + _STEP_CHARS >= len(text))
        yield from parsing.found
        parsing.found.clear()
        if fault:
            raise fault


class _Parsing:
    def __init__(self) -> None:
        self.found: list[Event] = []
        self._entities: dict[str, str] = {}
        self._expanded_chars = 0
        self._parser = parser = expat.ParserCreate()
        parser.UseForeignDTD(True)  # so that a name it does not know, such as &nbsp;, is no fault
        parser.DefaultHandler = lambda _: None  # without it the parser expands names itself
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = self._doctype
        parser.EntityDeclHandler = self._declared
        parser.SkippedEntityHandler = self._skipped
        parser.ExternalEntityRefHandler = lambda *_: 1  # it is not opened

    def feed(self, text: str, *, last: bool) -> BrokenXml | None:
        try:
            self._parser.Parse(text, last)
        except BrokenXml as fault:
            return fault
        except expat.ExpatError as error:
            return BrokenXml(error.lineno, expat.ErrorString(error.code))
        except UnicodeError:
            return BrokenXml(self._parser.CurrentLineNumber, "half a character")
        return None

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self.found.append(Start(self._parser.CurrentLineNumber, name, name.rpartition(":")[2], attributes))

    def _end(self, name: str) -> None:
        self.found.append(End(self._parser.CurrentLineNumber, name, name.rpartition(":")[2]))

    def _text(self, text: str) -> None:
        self.found.append(Text(self._parser.CurrentLineNumber, text))

    def _doctype(self, name: str, system: str | None, public: str | None, _: bool) -> None:
        self.found.append(Doctype(self._parser.CurrentLineNumber, public or system or ""))

    def _declared(self, name: str, _: bool, value: str | None, *where: str | None) -> None:
        if value is None:
            return
        if len(value) > _MOST_ENTITY_CHARS or _ENTITY.search(value):
            raise BrokenXml(self._parser.CurrentLineNumber, "a name stands for a long text or for other names")
        self._entities.setdefault(name, value)

    def _skipped(self, name: str, is_parameter: bool) -> None:
        value = unescape(self._entities.get(name, f"&{name};"))
        self._expanded_chars += len(value)
        if not is_parameter and self._expanded_chars <= _MOST_EXPANDED_CHARS:
            self._text(" ".join(value.split("\n")))
