"""Read mail: messages under their subjects, with who wrote them to whom, and below what is attached to them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import partial
from itertools import takewhile

from rerank_cli.corpus.read import html
from rerank_cli.corpus.read.attachments import is_readable, read_attachment
from rerank_cli.corpus.read.encoded import without_encoded
from rerank_cli.corpus.read.errors import Unreadable
from rerank_cli.corpus.read.mime import Part, part_of
from rerank_cli.corpus.read.pinned import PinnedOutline
from rerank_cli.corpus.read.text import paragraphs
from rerank_cli.corpus.read.wide_text import wide_encoding
from rerank_cli.records import Document, Reading

_SHOWN_HEADERS = ("From", "To", "Cc", "Newsgroups", "Date")
_MOST_SHOWN_CHARS = 2000

# Someone in a header: a name, an address, or both. The library's own reader of them gives up where brackets nest.
_PERSON = re.compile(
    r"\s*+(?:\"(?P<quoted>(?>(?:[^\"\\]++|\\.)*))\"|(?P<name>[^\"<>,;:()]*+))\s*+(?>(?:<(?P<address>[^<>,\s]*+)>)?)[^,;:]*+(?:[,;:]|\Z)"
)

# No mail of a person has more of either.
_MOST_DEPTH = 20
_MOST_PARTS = 1000
_MOST_ATTACHED = 100

# So many attachments that are not read, or in part, are told one by one, the others by their number.
_MOST_TOLD = 10

_MOST_ID_CHARS = 250

# Headings of a mail that is forwarded lie above all of its text; those of HTML have the levels 1 to 6.
_FORWARDED = -100
_ATTACHED = -50

# Where a message begins in a mailbox: its sender, which some programs do not keep, its date, and then a header.
# Sentences may begin with "From" too.
_MESSAGE = re.compile(
    rb"(?:^From [^\n]{0,250}?\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)\b[^\n]*\d\d:\d\d[^\n]*|(?:\A|(?<=\n\n))From(?: -)? *)\n"
    rb"(?=>?[!-9;-~]{1,100}[ \t]*:|>From )",
    re.MULTILINE,
)
_ESCAPED_FROM = re.compile(rb"^>(?=>*From )", re.MULTILINE)

# Signatures are for programs, and so is what wraps a signed text.
_SIGNATURES = frozenset(
    ("application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature", "text/rfc822-headers")
)
_SEALED = frozenset(("application/pkcs7-mime", "application/x-pkcs7-mime", "application/pgp-encrypted"))
_SIGNED_TEXT = re.compile(r"^-----BEGIN PGP SIGNED MESSAGE-----[ \t]*\n(?:[A-Z][\w-]*:[^\n]*\n)*", re.MULTILINE)
_ESCAPED_DASH = re.compile(r"^- (?=-)", re.MULTILINE)
_ARMOUR = re.compile(r"^-----BEGIN PGP (SIGNATURE|MESSAGE|PUBLIC KEY BLOCK)-----", re.MULTILINE)

# A file that is written into the text, as it was done before MIME.
_UUENCODED = re.compile(r"^begin [0-7]{3,4} ([^\n]{1,200})\n(?>(?:[!-`][ -`]{0,90}\n)*)(?:[ `]?\n)?end$", re.MULTILINE)

# What stands in place of a text in mails that are HTML alone: it says so, and little more.
_STUB_SHARE = 5
_STUB_WORDS = 60


def read_eml(content: bytes, path: str, *, attached: bool = True) -> Reading:
    """A single document with the message; its title is the subject. What is *attached* is read too."""
    content = _with_newlines(content).lstrip(b"\n")
    if found := _MESSAGE.match(content):
        content = content[found.end() :]
    letter = _Letter(number=1, part=part_of(content), attached=attached)
    return Reading((letter.document(path),), tuple(_notes([letter])))


def read_emlx(content: bytes, path: str, *, attached: bool = True) -> Reading:
    """As Apple's Mail keeps a message: its length, the message, and a list of properties. Raises Unreadable."""
    length, _, rest = content.lstrip().partition(b"\n")
    if not re.fullmatch(rb"\d{1,12}\s*", length):
        raise Unreadable("no mail of Apple's Mail: it does not begin with its length")
    return read_eml(rest[: int(length)], path, attached=attached)


def read_mbox(content: bytes, path: str, *, attached: bool = True) -> Reading:
    """A document for each message; its id is that of the message, if no other has it. Raises Unreadable."""
    letters = [
        _Letter(number, part_of(_ESCAPED_FROM.sub(b"", message)), attached=attached)
        for number, message in enumerate(_messages(_with_newlines(content)), start=1)
    ]
    if not letters and content.strip():
        raise Unreadable("no mailbox: no line in it begins a message")
    ids = Counter(letter.id for letter in letters)
    named = (letter.id if letter.id and ids[letter.id] == 1 else f"message-{letter.number}" for letter in letters)
    documents = [letter.document(id) for id, letter in zip(named, letters, strict=True)]
    return Reading(tuple(documents), tuple(_notes(letters)))


read_eml_alone = partial(read_eml, attached=False)
read_emlx_alone = partial(read_emlx, attached=False)
read_mbox_alone = partial(read_mbox, attached=False)


def _with_newlines(content: bytes) -> bytes:
    if encoding := wide_encoding(content):
        content = content.decode(encoding, "replace").encode()
    return content.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def _messages(content: bytes) -> Iterator[bytes]:
    begins = list(_MESSAGE.finditer(content))
    ends = [found.start() for found in begins[1:]]
    for found, end in zip(begins, [*ends, len(content)], strict=False):
        yield content[found.end() : end]


def _notes(letters: Sequence[_Letter]) -> Iterator[str]:
    sealed, cut = sum(letter.sealed for letter in letters), sum(letter.cut for letter in letters)
    if sealed:
        yield f"{_share(sealed, letters)}encrypted, or signed in a form that is not read"
    if cut:
        yield f"{_share(cut, letters)}not read to the end: more than {_MOST_PARTS:,} parts, or nested too deeply"
    where = "message {}: " if len(letters) > 1 else ""
    faults = [f"{where.format(letter.number)}{fault}" for letter in letters for fault in letter.faults]
    yield from faults[:_MOST_TOLD]
    if len(faults) > _MOST_TOLD:
        yield f"{len(faults) - _MOST_TOLD} more such attachments"


def _share(count: int, letters: Sequence[_Letter]) -> str:
    return f"{count} of {len(letters)} messages: " if len(letters) > 1 else ""


class _Letter:
    """A message. `sealed`, `cut` and `faults`, those of attachments, tell once it is a document what of it could not
    be read."""

    def __init__(self, number: int, part: Part, *, attached: bool) -> None:
        self.number = number
        self.faults: list[str] = []
        self.sealed = False
        self.cut = False
        self._part = part
        self._parts = 0
        self._outline = PinnedOutline("message")
        self._outline.at = number
        self._reads_attached = attached
        self._attached: list[str] = []
        self._attached_count = 0

    @property
    def id(self) -> str:
        """The message's own id; empty where that is none that could be meant as one."""
        id = self._part.header("message-id").strip("<>")
        return id if "@" in id and " " not in id and len(id) <= _MOST_ID_CHARS else ""

    def document(self, id: str) -> Document:
        self._outline.label = _day(self._part)
        self._outline.block(_shown_headers(self._part), leads=True)
        self._add(self._part, depth=0)
        self._outline.close(_FORWARDED)
        self._outline.block("\n".join(f"Attachment: {name}" for name in dict.fromkeys(self._attached)))
        return Document(id, self._part.header("subject"), self._outline.blocks(), tuple(_fields(self._part)))

    def _add(self, part: Part, depth: int) -> None:
        self._parts += 1
        if depth > _MOST_DEPTH or self._parts > _MOST_PARTS:
            self.cut = True
        elif part.kind in _SIGNATURES:
            return
        elif part.kind == "multipart/encrypted" or part.kind in _SEALED:
            self.sealed = True
        elif part.kind.startswith("multipart/") and (parts := self._several(part, depth)):
            for each in parts:
                self._add(each, depth + 1)
        elif part.kind == "message/rfc822":
            self._add_forwarded(part, depth)
        elif part.disposition == "attachment" or not _is_text(part):
            self._attach(part)
        elif part.kind == "text/html":
            html.feed(self._outline, without_encoded(part.text()), 1)
            self._outline.close(1)
        else:
            self._add_text(_unflowed(part))

    def _several(self, part: Part, depth: int) -> list[Part]:
        """Those parts that are to be read; none where it has none, and is read as text."""
        parts: list[Part] = []
        for each in part.parts():
            if len(parts) == _MOST_PARTS:
                self.cut = True
                break
            parts.append(each)
        match part.kind:
            case "multipart/alternative":
                return _best(parts, depth)
            case "multipart/signed":
                return parts[:1]
            case "multipart/related":  # pictures within the page
                return [each for each in parts if "content-id" not in each.headers or _is_text(each)] or parts[:1]
        return parts

    def _add_forwarded(self, part: Part, depth: int) -> None:
        content = part.content() if "content-transfer-encoding" in part.headers else part.body
        forwarded = part_of(_with_newlines(content).lstrip(b"\n"))
        level = _FORWARDED + depth
        self._outline.heading(level, forwarded.header("subject") or "Forwarded message")
        self._outline.block(_shown_headers(forwarded))
        self._add(forwarded, depth + 1)
        self._outline.close(level)

    def _attach(self, part: Part) -> None:
        if not part.filename:
            return
        self._attached.append(part.filename)
        if not self._reads_attached or not is_readable(part):
            return
        self._attached_count += 1
        if self._attached_count > _MOST_ATTACHED:
            self.faults.append(f"{part.filename}: not read: {_MOST_ATTACHED} attachments of the message are")
            return
        try:
            reading = read_attachment(part)
        except Unreadable as error:
            self.faults.append(f"{part.filename}: {error}")
        else:
            self.faults += [f"{part.filename}: {note}" for note in reading.notes]
            self._add_documents(part.filename, reading.documents)

    def _add_documents(self, name: str, documents: Sequence[Document]) -> None:
        """Put all text of *documents* under *name*, and there under its own headings."""
        for document in documents:
            above: tuple[str, ...] = ()
            for block in document.blocks:
                trail = (name, *block.headings)
                alike = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(above, trail, strict=False)))
                self._outline.close(_ATTACHED + alike)
                for depth, heading in enumerate(trail[alike:], start=alike):
                    self._outline.heading(_ATTACHED + depth, heading)
                self._outline.block(block.text, header=block.header)
                above = trail
        self._outline.close(_ATTACHED)

    def _add_text(self, text: str) -> None:
        text = _UUENCODED.sub(lambda found: f"Attachment: {found[1]}", text)
        for block in paragraphs(without_encoded(self._without_armour(text))):
            self._outline.block(block.text)

    def _without_armour(self, text: str) -> str:
        """*text* without signatures, keys and what is encrypted in it."""
        if "-----BEGIN PGP " not in text:
            return text
        opened = _SIGNED_TEXT.sub("", text)
        if opened != text:
            opened = _ESCAPED_DASH.sub("", opened)
        kept = []
        place = 0
        for found in _ARMOUR.finditer(opened):
            if found.start() < place:
                continue
            self.sealed = self.sealed or found[1] == "MESSAGE"
            kept.append(opened[place : found.start()])
            ending = f"-----END PGP {found[1]}-----"
            end = opened.find(ending, found.end())
            place = end + len(ending) if end >= 0 else len(opened)
        return "".join([*kept, opened[place:]])


def _is_text(part: Part) -> bool:
    if part.kind in ("text/calendar", "text/rtf", "text/css", "text/vcard", "text/x-vcard", "text/directory"):
        return False
    return part.kind.startswith(("text/", "multipart/")) or part.kind in (
        "message/delivery-status",
        "message/disposition-notification",
    )


def _best(parts: list[Part], depth: int) -> list[Part]:
    """Of several forms of one text the plain one, unless it only tells that there is another."""
    plain = next((part for part in parts if part.kind == "text/plain" and part.text().strip()), None)
    rich = next((part for part in parts if _html_of(part, depth)), None)
    if plain is None or rich is None:
        chosen = plain or rich or next((part for part in parts if part.kind.startswith("multipart/")), None)
        return [chosen] if chosen else parts[:1]
    words = len(plain.text().split())
    is_stub = words < _STUB_WORDS and words * _STUB_SHARE < _words_of_html(_html_of(rich, depth))
    return [rich if is_stub else plain]


def _html_of(part: Part, depth: int) -> Part | None:
    """The page that *part* is, or has among what is related to it."""
    if part.kind == "text/html":
        return part
    if part.kind in ("multipart/related", "multipart/mixed") and depth < _MOST_DEPTH:
        return next((each for each in part.parts() if each.kind == "text/html"), None)
    return None


def _words_of_html(part: Part | None) -> int:
    outline = PinnedOutline("message")
    if part:
        html.feed(outline, without_encoded(part.text()), 1)
    return sum(len(block.text.split()) for block in outline.blocks())


def _shown_headers(part: Part) -> str:
    shown = ((name, part.header(name.lower())[:_MOST_SHOWN_CHARS]) for name in _SHOWN_HEADERS)
    return "\n".join(f"{name}: {value}" for name, value in shown if value)


def _fields(part: Part) -> Iterator[tuple[str, str]]:
    """Who wrote to whom, each by name and by address, about what and when."""
    if written := _written_at(part):
        yield "date", written.isoformat()
    yield "subject", part.header("subject")
    for name in ("from", "to", "cc"):
        for person in _PERSON.finditer(part.header(name)[:_MOST_SHOWN_CHARS]):
            yield name, (person["quoted"] or person["name"] or "").replace("\\", "").strip()
            yield name, person["address"] or ""
    for group in part.header("newsgroups").split(","):
        yield "newsgroups", group
    yield "list", part.header("list-id").rpartition("<")[2].rstrip(">")


def _day(part: Part) -> str:
    """The day that the message was written on, where it was written; empty where it does not say so."""
    written = _written_at(part)
    return written.date().isoformat() if written else ""


def _written_at(part: Part) -> datetime | None:
    try:
        return parsedate_to_datetime(part.header("date")[:100])
    except (ValueError, TypeError, LookupError, OverflowError, AttributeError):
        return None


def _unflowed(part: Part) -> str:
    """The text of *part*, its lines joined to paragraphs where it says that they were broken for the way (RFC 3676)."""
    text = part.text()
    if part.parameters.get("format", "").lower() != "flowed":
        return text
    deletes_blank = part.parameters.get("delsp", "").lower() == "yes"
    pieces: list[str] = []
    open_depth = -1  # how deeply the line above is quoted, if it goes on
    for line in text.split("\n"):
        words = line.lstrip(">")
        depth = len(line) - len(words)
        words = words.removeprefix(" ")  # which kept it from being taken for something else
        goes_on = words.endswith(" ") and words != "-- "
        if depth != open_depth or words == "-- ":
            pieces.append(f"\n{'>' * depth} " if depth else "\n")
        pieces.append(words[:-1] if goes_on and deletes_blank else words)
        open_depth = depth if goes_on else -1
    return "".join(pieces).removeprefix("\n")
