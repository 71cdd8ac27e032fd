"""The parts of a mail: their headers and bodies, decoded as well as can be.

Mails are written by thousands of programs and mended by none, so nothing here raises. The library's own parser takes a
time that grows with the square of how deeply parts are nested, and for its newer policy odd headers are errors.
"""

from __future__ import annotations

import binascii
import codecs
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.message import Message
from email.utils import collapse_rfc2231_value

from rerank_cli.characters import whole_characters
from rerank_cli.corpus.read.decode import decode
from rerank_cli.corpus.read.errors import Unreadable

# A longer header is no text; reading its parameters takes a time that grows with the square of its length.
_MOST_HEADER_CHARS = 10_000

_HEADER = re.compile(rb"[!-9;-~]{1,100}[ \t]*:")
_FOLD = re.compile(rb"\n[ \t]+")

# `=?charset?q?text?=`; blanks between two of them are none of the text.
_WORD = r"=\?[^?\s]{1,60}\?[bBqQ]\?[^?]*+\?="
_WORDS = re.compile(rf"{_WORD}(?>(?:\s*+{_WORD})*)")
_WORD_PARTS = re.compile(r"=\?([^?*\s]{1,60})(?:\*[^?\s]*+)?\?([bBqQ])\?([^?]*+)\?=")

_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]+")

# They are no character sets, or take a time that grows with the square of the text.
_NO_CHARSETS = frozenset(("idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem"))

# What mails mean that name none, or one that is not theirs.
_WESTERN = "cp1252"


@dataclass(frozen=True, slots=True)
class Part:
    """A mail or a part of one. `headers` are by their names in small letters, `kind` is such as `text/plain`."""

    headers: Mapping[str, str]
    kind: str
    parameters: Mapping[str, str]
    body: bytes

    def header(self, name: str) -> str:
        """The decoded value of the header *name*, on one line; empty where there is none."""
        return " ".join(decoded_words(self.headers.get(name, "")).split())

    @property
    def disposition(self) -> str:
        return self.headers.get("content-disposition", "").partition(";")[0].strip().lower()

    @property
    def filename(self) -> str:
        _, parameters = _parameters(self.headers.get("content-disposition", ""))
        name = parameters.get("filename") or self.parameters.get("name", "")
        return " ".join(decoded_words(name).split())

    def parts(self) -> Iterator[Part]:
        """Those of a body that has several."""
        boundary = self.parameters.get("boundary", "").rstrip()
        if not boundary:
            return
        delimiter = re.compile(rb"^--" + re.escape(boundary.encode()) + rb"(--)?[ \t]*(?:\n|\Z)", re.MULTILINE)
        default = "message/rfc822" if self.kind == "multipart/digest" else "text/plain"
        begin = None
        for found in delimiter.finditer(self.body):
            if begin is not None:
                yield part_of(self.body[begin : found.start()].removesuffix(b"\n"), default)
            if found[1]:
                return
            begin = found.end()
        if begin is not None:  # cut off
            yield part_of(self.body[begin:], default)

    def content(self) -> bytes:
        """The body as it was before it was encoded for the way."""
        match self.headers.get("content-transfer-encoding", "").strip().lower():
            case "base64":
                return _from_base64(self.body)
            case "quoted-printable":
                return binascii.a2b_qp(self.body)
        return self.body

    def text(self) -> str:
        """The content as text, every line end a newline."""
        charset = self.parameters.get("charset", "")
        text = decoded(self.content(), charset) if charset else _guessed(self.content())
        return text.replace("\r\n", "\n").replace("\r", "\n")


def part_of(content: bytes, default: str = "text/plain") -> Part:
    """The part that *content*, whose line ends are newlines, holds; of *default* kind if it names none."""
    if content.startswith(b"\n"):
        head, body = b"", content[1:]
    elif _HEADER.match(content):
        head, _, body = content.partition(b"\n\n")
    else:
        head, body = b"", content
    headers: dict[str, str] = {}
    for line in _FOLD.sub(b" ", head).split(b"\n"):
        name, colon, value = line.partition(b":")
        if colon:
            headers.setdefault(decoded(name).strip().lower(), decoded(value[:_MOST_HEADER_CHARS]).strip())
    kind, parameters = _parameters(headers.get("content-type", default))
    return Part(headers, kind if "/" in kind else default, parameters, body)


def _parameters(value: str) -> tuple[str, dict[str, str]]:
    """The value of a header before its parameters, in small letters, and these."""
    message = Message()
    message["Content-Type"] = value.replace("\n", " ")
    try:
        (kind, _), *found = message.get_params([("", "")])
        return kind.strip().lower(), {name.lower(): collapse_rfc2231_value(value) for name, value in found}
    except (ValueError, LookupError, TypeError):
        return value.partition(";")[0].strip().lower(), {}


def decoded_words(value: str) -> str:
    """*value*, of a header, with its encoded words decoded."""
    return _WORDS.sub(_decoded_run, value)


def _decoded_run(run: re.Match[str]) -> str:
    """A character may be torn between two words of one charset."""
    pieces: list[tuple[str, bytes]] = []
    for charset, encoding, text in _WORD_PARTS.findall(run[0]):
        written = text.encode("utf-8", "replace")
        content = binascii.a2b_qp(written, header=True) if encoding in "qQ" else _from_base64(written)
        if pieces and pieces[-1][0] == charset.lower():
            content = pieces.pop()[1] + content
        pieces.append((charset.lower(), content))
    return "".join(decoded(content, charset) for charset, content in pieces)


def _from_base64(text: bytes) -> bytes:
    """What *text* encodes, whatever stands between its characters and however it ends."""
    clean = _NOT_BASE64.sub(b"", text)
    if len(clean) % 4 == 1:
        clean = clean[:-1]
    return binascii.a2b_base64(clean + b"=" * (-len(clean) % 4))


def decoded(content: bytes, charset: str = "") -> str:
    """The text of *content*: in *charset*, else in UTF-8, else with signs for what is not valid.

    Any bytes are valid in the western sets, so that they are believed only of what is not UTF-8.
    """
    named = _codec(charset)
    for name in ("utf-8", named) if named == _WESTERN else (named, "utf-8"):
        try:
            return whole_characters(content.decode(name))
        except ValueError:
            continue
    return whole_characters(content.decode(_WESTERN if named in ("ascii", "utf-8") else named, "replace"))


def _guessed(content: bytes) -> str:
    try:
        return decode(content).text
    except Unreadable:
        return decoded(content)


def _codec(charset: str) -> str:
    """The codec of *charset*, or UTF-8 where it is none of text."""
    try:
        name = codecs.lookup(charset.strip().strip("\"'")).name
        b" ".decode(name, "replace")  # which tells those that are not for text
    except (LookupError, ValueError):
        return "utf-8"
    if name == "iso8859-1":  # as browsers have it
        return _WESTERN
    return "utf-8" if name in _NO_CHARSETS else name
