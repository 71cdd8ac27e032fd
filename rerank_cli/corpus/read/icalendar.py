"""Read calendars and address books (iCalendar, vCard): a document for each entry and each person."""

from __future__ import annotations

import binascii
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from rerank_cli.corpus.read import html
from rerank_cli.corpus.read.encoded import without_encoded
from rerank_cli.corpus.read.errors import Unreadable
from rerank_cli.corpus.read.mime import decoded
from rerank_cli.corpus.read.outline import Outline
from rerank_cli.corpus.read.pinned import PinnedOutline
from rerank_cli.corpus.read.text import paragraphs
from rerank_cli.records import Document, Reading

_LINE = re.compile(
    r"(?:[\w-]{1,40}\.)?(?P<name>[A-Za-z][A-Za-z0-9-]{0,60}+)(?P<parameters>(?>(?:;[^:;\"]*+(?>(?:\"[^\"]*+\"[^:;\"]*+)*))*)):"
)
_PARAMETER = re.compile(r";(?P<name>[A-Za-z0-9-]{1,60}+)(?>(?:=(?P<value>\"[^\"]*+\"|[^;\"]*+))?)")
_ESCAPED = re.compile(r"\\([\\;,nN:\"])")
_FIELD_END = re.compile(r"(?<!\\);")
_LIST_COMMA = re.compile(r"(?<!\\),")
_DATE = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)(?:T(\d\d):?(\d\d)(?::?\d\d)?(Z?))?")
_MARKUP = re.compile(r"<(?:br|p|div|span|a|b|i|ul|ol|li|html|table)\b[^<>]*>", re.IGNORECASE)
_ID_BLANKS = re.compile(r"\s")

_MOST_ID_CHARS = 250

_ENTRIES = ("VEVENT", "VTODO", "VJOURNAL")
_CARDS = ("VCARD",)

_FIELDS = {
    "CATEGORIES": "categories",
    "STATUS": "status",
    "LOCATION": "location",
    "ORGANIZER": "organizer",
    "ATTENDEE": "attendee",
    "ORG": "organization",
    "ROLE": "role",
    "EMAIL": "email",
    "CLASS": "class",
}
_TEXTS = ("DESCRIPTION", "COMMENT")
_REPEATS = {"DAILY": "every day", "WEEKLY": "every week", "MONTHLY": "every month", "YEARLY": "every year"}


@dataclass(frozen=True, slots=True)
class _Property:
    name: str
    parameters: str
    written: str
    first: int
    last: int

    def parameter(self, name: str) -> str:
        """Its value; vCard 2.1 writes values without their names."""
        for found in _PARAMETER.finditer(self.parameters):
            if found["name"].upper() == name:
                return (found["value"] or "").strip('"')
            if (
                found["value"] is None
                and found["name"].upper() in ("QUOTED-PRINTABLE", "BASE64")
                and name == "ENCODING"
            ):
                return found["name"]
        return ""

    @property
    def raw(self) -> str:
        if self.parameter("ENCODING").upper() != "QUOTED-PRINTABLE":
            return self.written
        content = binascii.a2b_qp(self.written.encode())
        return decoded(content, self.parameter("CHARSET")).replace("\r\n", "\n")

    @property
    def value(self) -> str:
        return _unescaped(self.raw).strip()

    @property
    def fields(self) -> list[str]:
        """The parts of a name, an address or an organization, those that are not empty."""
        return [part for part in (_unescaped(part).strip() for part in _FIELD_END.split(self.raw)) if part]


@dataclass(slots=True)
class _Component:
    """What stands between BEGIN and END, less what is nested in it."""

    kind: str
    first: int
    last: int = 0
    properties: list[_Property] = field(default_factory=list)

    def all(self, name: str) -> list[_Property]:
        return [each for each in self.properties if each.name == name]

    def get(self, name: str) -> _Property | None:
        return next((each for each in self.properties if each.name == name and each.value), None)

    def value(self, name: str) -> str:
        found = self.get(name)
        return found.value if found else ""


def read_calendar(text: str, path: str) -> Reading:
    """A document for each event, task and note in a journal. Raises Unreadable."""
    return _reading(text, _ENTRIES, "VCALENDAR", _entry)


def read_cards(text: str, path: str) -> Reading:
    """A document for each card. Raises Unreadable."""
    return _reading(text, _CARDS, "VCARD", _card)


def _reading(text: str, kinds: Sequence[str], opens: str, fill: Callable[[_Component, Outline], str]) -> Reading:
    if text.strip() and f"BEGIN:{opens}" not in text.upper():
        raise Unreadable(f"no line BEGIN:{opens} in it")
    components = [each for each in _components(text) if each.kind in kinds]
    ids = Counter(map(_id, components))
    documents = []
    for component in components:
        outline = Outline()
        title = fill(component, outline)
        id = _id(component)
        named = id if id and ids[id] == 1 else f"line-{component.first}"
        documents.append(Document(named, title, outline.blocks(), tuple(_said(component))))
    return Reading(tuple(documents))


def _said(component: _Component) -> Iterator[tuple[str, str]]:
    """Its fields; the date of an entry is the day on which it begins, or is due."""
    begins = component.get("DTSTART") or component.get("DUE")
    if begins:
        yield "date", begins.value
    for name, key in _FIELDS.items():
        for found in component.all(name):
            said = [_shown(found)] if name != "CATEGORIES" else _shown(found).split(", ")
            yield from ((key, each) for each in said)


def _id(component: _Component) -> str:
    """Its own; an exception to an event that repeats has that of the event."""
    id = component.value("UID")
    fits = 0 < len(id) <= _MOST_ID_CHARS and not _ID_BLANKS.search(id) and not id.startswith("line-")
    return id if fits and not component.get("RECURRENCE-ID") else ""


def _components(text: str) -> Iterator[_Component]:
    """Each component once it ends; what is cut off ends with the file."""
    open_components: list[_Component] = []
    last = 0
    for found in _properties(text.split("\n")):
        last = found.last
        if found.name == "BEGIN":
            open_components.append(_Component(found.written.strip().upper(), found.first))
        elif found.name == "END" and open_components:
            component = open_components.pop()
            component.last = found.last
            yield component
        elif open_components:
            open_components[-1].properties.append(found)
    for component in open_components:
        component.last = last
        yield component


def _properties(lines: Sequence[str]) -> Iterator[_Property]:
    """The lines, joined where they were folded. A line that begins with no name goes with none."""
    at = 0
    while at < len(lines):
        first = at
        parts = [lines[at]]
        at += 1
        while at < len(lines) and lines[at].startswith((" ", "\t")):
            parts.append(lines[at][1:])
            at += 1
        found = _LINE.match(parts[0] if len(parts) == 1 else "".join(parts))
        if not found:
            continue
        if "QUOTED-PRINTABLE" in found["parameters"].upper():
            while parts[-1].endswith("=") and at < len(lines):
                parts[-1] = parts[-1][:-1]
                parts.append(lines[at])
                at += 1
        whole = "".join(parts)
        yield _Property(found["name"].upper(), found["parameters"], whole[found.end() :], first + 1, at)


def _unescaped(value: str) -> str:
    return _ESCAPED.sub(lambda found: "\n" if found[1] in "nN" else found[1], value)


def _entry(entry: _Component, outline: Outline) -> str:
    title = " ".join(entry.value("SUMMARY").split())
    if title:
        shown = entry.get("SUMMARY")
        assert shown
        outline.heading(1, title, shown.first, shown.last)
    for begins, ends in (("DTSTART", "DTEND"), ("DUE", ""), ("COMPLETED", "")):
        if begun := entry.get(begins):
            told = {"DUE": "due ", "COMPLETED": "completed "}.get(begins, "")
            outline.block(told + _span(begun, entry.get(ends) if ends else None), begun.first, begun.last)
    if rule := entry.get("RRULE"):
        frequency = re.search(r"FREQ=(\w{1,20})", rule.value.upper())
        outline.block(_REPEATS.get(frequency[1], "") if frequency else "", rule.first, rule.last)
    _add_labelled(entry, outline, (("LOCATION", "Location"), ("ORGANIZER", "Organizer"), ("ATTENDEE", "With")))
    for described in (each for name in _TEXTS for each in entry.all(name)):
        _add_text(described, outline)
    _add_labelled(entry, outline, (("CONTACT", "Contact"), ("CATEGORIES", "Categories"), ("URL", "Link")))
    return title


def _card(card: _Component, outline: Outline) -> str:
    name = card.get("FN") or card.get("N") or card.get("ORG") or card.get("EMAIL")
    title = ""
    if name:
        parts = name.fields if name.name in ("N", "ORG") else [name.value]
        if name.name == "N":  # the family's name comes first
            parts = [*parts[1:], *parts[:1]]
        title = " ".join(parts)
        outline.heading(1, title, name.first, name.last)
    labels = (
        *(("NICKNAME", "Nickname"), ("TITLE", "Title"), ("ROLE", "Role"), ("ORG", "Organization"), ("EMAIL", "Email")),
        *(("TEL", "Phone"), ("ADR", "Address"), ("URL", "Link"), ("BDAY", "Born"), ("CATEGORIES", "Categories")),
    )
    _add_labelled(card, outline, labels)
    for note in card.all("NOTE"):
        _add_text(note, outline)
    return " ".join(title.split())


def _add_labelled(component: _Component, outline: Outline, labels: Iterable[tuple[str, str]]) -> None:
    """The values of properties behind words for what they are, each name once."""
    for name, label in labels:
        found = [each for each in component.all(name) if each.value]
        if found:
            shown = dict.fromkeys(filter(None, map(_shown, found)))
            outline.block(f"{label}: {', '.join(shown)}", found[0].first, found[-1].last)


def _shown(found: _Property) -> str:
    match found.name:
        case "ORGANIZER" | "ATTENDEE":
            return found.parameter("CN") or re.sub(r"^mailto:", "", found.value, flags=re.IGNORECASE)
        case "ADR" | "ORG":
            return ", ".join(" ".join(part.split()) for part in found.fields)
        case "CATEGORIES":
            return ", ".join(_unescaped(part).strip() for part in _LIST_COMMA.split(found.raw))
        case "BDAY":
            return _day_and_time(found)
        case "TEL" | "EMAIL":
            return re.sub(r"^(?:tel|mailto):", "", found.value, flags=re.IGNORECASE)
    return " ".join(found.value.split())


def _add_text(found: _Property, outline: Outline) -> None:
    """The paragraphs of a longer text, which some programs write as HTML."""
    text = without_encoded(found.value)
    blocks = tuple(paragraphs(text))
    if _MARKUP.search(text):
        page = PinnedOutline("line")
        html.feed(page, text, 1)
        blocks = page.blocks()
    for block in blocks:
        outline.block(block.text, found.first, found.last)


def _span(begun: _Property, ended: _Property | None) -> str:
    first, last = _day_and_time(begun), _day_and_time(ended) if ended else ""
    if ended and len(last) == len("2026-03-01"):  # the day after the last one
        last = _day_before(last)
    if not last or last == first:
        return first
    return f"{first} to {last[11:] if last[:10] == first[:10] and len(last) > 10 else last}"


def _day_and_time(found: _Property) -> str:
    """As in `2026-03-01 14:00`; what is written otherwise as it is."""
    parts = _DATE.match(found.value)
    if not parts:
        return " ".join(found.value.split())
    year, month, day, hour, minute, utc = parts.groups()
    shown = f"{year}-{month}-{day}"
    return f"{shown} {hour}:{minute}{' UTC' if utc else ''}" if hour else shown


def _day_before(day: str) -> str:
    try:
        return (date.fromisoformat(day) - timedelta(days=1)).isoformat()
    except (ValueError, OverflowError):
        return day
