"""Turn the bytes of a file into text with one kind of line end.

What says which encoding it is comes in this order: a mark at the beginning, UTF-8 if it is that but for a few bytes,
the declaration that the text makes, what its letters look like.
"""

from __future__ import annotations

import codecs
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rerank_cli.corpus.read.declared import declared_encoding
from rerank_cli.corpus.read.errors import Unreadable
from rerank_cli.corpus.read.wide_text import wide_encoding

if TYPE_CHECKING:
    from charset_normalizer import CharsetMatch

_UTF8 = "utf-8"
_WESTERN = "cp1252"

# What files are really written in. Among all that Python knows, a short text fits several by chance.
_LIKELY = (
    *(_WESTERN, "cp1250", "iso8859_2", "cp1251", "koi8_r", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257"),
    *("shift_jis", "euc_jp", "gb18030", "big5", "euc_kr"),
)

# charset-normalizer calls the share of improbable characters chaos: 0 to 0.05 for the right encoding of
# running text. Beyond the first limit rarer ones are tried too; within the second, two are equally likely.
_DOUBTFUL_CHAOS = 0.1
_ALIKE_CHAOS = 0.02

# Encodings of Latin letters look alike to it. In the right one, nearly all letters beyond ASCII are of one language.
_LATIN = (_WESTERN, "cp1250", "iso8859_2", "cp1254", "cp1257")
_ALPHABETS = tuple(
    frozenset(letters)
    for letters in (
        *("äöüß", "àâæçèéêëîïôœùûüÿ", "áéíñóúüªº", "ãâàáçéêíóôõúü", "àèéìîòóù", "åäöæøé", "áæðéíóöúýþ", "äõöüšž"),
        *("ąćęłńóśźż", "áäčďéěíĺľňóôřŕšťúůýž", "áéíóöőúüű", "čćđšž", "ăâîşţ", "âçğıîöşü", "ąčęėįšųūž", "āčēģīķļņšūž"),
    )
)
_SIGNS = frozenset("\u00a0–—‘’‚“”„…•€£°§©®™«»·¿¡²³½¼¾×µ‰")  # noqa: RUF001
_SURELY_ONE_LANGUAGE = 0.9
_HARDLY_ONE_LANGUAGE = 0.6

_HALF_CHARACTER = re.compile("[\ud800-\udfff]")

# ISO 2022 writes everything in the bytes of ASCII. Each kind announces its characters with escapes of its own.
_ISO_2022 = (
    (re.compile(rb"\x1b\$\)C"), ("iso2022_kr",)),
    (re.compile(rb"\x1b(?:\$[@B]|\$\([DOPQ]|\(I)"), ("iso2022_jp_2", "iso2022_jp_ext", "iso2022_jp_2004")),
)

_SIGN = "\ufffd"

# Of all bytes beyond ASCII, the share that may be wrong in a text of a known encoding.
_MOST_WRONG = 0.05

# To guess, this many bytes of the lines that are not ASCII are looked at, taken evenly from the whole text.
_SAMPLE_BYTES = 16_000
_FOREIGN_LINE = re.compile(rb"[\x80-\xff][^\r\n]*+")

# Bytes that are not UTF-8 come out of a decoding as these, one for each.
_WRONG_BYTES = re.compile("[\udc80-\udcff]+")
_MOST_LETTERS = 2
_BYTE_OF = 0xDC00
_FIRST_LETTER = 0xC0


@dataclass(frozen=True, slots=True)
class Decoded:
    """The text of a file, every line end a newline; `notes` say for the user what of it could not be decoded."""

    text: str
    notes: tuple[str, ...] = ()


def decode(content: bytes) -> Decoded:
    """The text of *content*, with lines that count as an editor counts them.

    Raises Unreadable where the encoding is not recognized.
    """
    found = _decoded(content)
    return Decoded(found.text.replace("\r\n", "\n").replace("\r", "\n"), found.notes)


def _decoded(content: bytes) -> Decoded:
    if content.startswith(codecs.BOM_UTF8):
        return _nearly_utf8(content.removeprefix(codecs.BOM_UTF8), for_each=0.25) or _guessed(content)
    if encoding := wide_encoding(content):
        wide = _nearly(content, encoding)
        if wide is None:
            raise Unreadable(f"not valid {encoding}, which its first bytes promise")
        return wide
    if content.isascii():
        return _escaped(content) or Decoded(content.decode("ascii"))
    declared = declared_encoding(content)
    if declared and _is_of_ideographs(declared) and not _has_long_characters(content):
        by_declaration = _nearly(content, declared)
        if by_declaration and not by_declaration.notes:
            return by_declaration
    return (
        _nearly_utf8(content)
        or (_as_declared(content, declared) if declared else None)
        or (_nearly_utf8(content, for_each=0.5) if declared == _UTF8 else None)
        or _guessed(content)
    )


def _escaped(content: bytes) -> Decoded | None:
    """*content*, all of it ASCII, if it writes other characters by escapes."""
    if b"\x1b" not in content and b"~{" not in content:
        return None
    declared = declared_encoding(content) or ""
    if declared == "hz" or declared.startswith("iso2022"):
        found = _nearly(content, declared)
        if found:
            return found
    encodings = next((names for escape, names in _ISO_2022 if escape.search(content)), ())
    readings = [reading for name in encodings if (reading := _nearly(content, name))]
    return min(readings, key=lambda reading: len(reading.notes), default=None)


def _is_of_ideographs(encoding: str) -> bool:
    return encoding.startswith(("gb", "big5", "euc", "cp9", "shift_jis", "johab"))


def _has_long_characters(content: bytes) -> bool:
    """Whether there are first bytes of UTF-8's longer characters, which all ideographs are."""
    return re.search(rb"[\xe0-\xf4][\x80-\xbf]{2}", content) is not None


def _as_declared(content: bytes, encoding: str) -> Decoded | None:
    """None where it can hardly be right: it makes controls, which no one writes, or letters of several languages."""
    found = None if encoding.startswith(_UTF8) else _nearly(content, encoding)
    if found is None:
        return None
    if any("\x80" <= letter <= "\x9f" and letter != "\x85" for letter in found.text):
        return None
    if encoding in _LATIN and _share_of_one_language(content, encoding) < _HARDLY_ONE_LANGUAGE:
        return None
    return found


def _nearly(content: bytes, encoding: str) -> Decoded | None:
    """*content* in *encoding*, if it is that but for a few bytes."""
    try:
        return Decoded(content.decode(encoding))
    except UnicodeDecodeError:
        text = content.decode(encoding, "replace")
    wrong = text.count(_SIGN)
    beyond = len(text) if encoding.startswith(("utf-16", "utf-32", "iso2022")) else len(text) - _ascii_letters(text)
    if wrong > max(1, beyond * _MOST_WRONG) or beyond <= 2 * wrong:
        return None
    return Decoded(text, (_told(wrong, encoding.upper(), text.split(_SIGN, 1)[0]),))


def _nearly_utf8(content: bytes, *, for_each: float = 2) -> Decoded | None:
    """*content* as UTF-8, if it is that but for a few bytes.

    Characters of several bytes speak for it: by chance there is hardly one. There must be so many *for_each* fault; one
    is enough in a text that is ASCII for the most part.
    """
    try:
        return Decoded(content.decode(_UTF8))
    except UnicodeDecodeError:
        text = content.decode(_UTF8, "surrogateescape")
    faults = [*_WRONG_BYTES.finditer(text)]
    wrong = sum(fault.end() - fault.start() for fault in faults)
    characters = len(text) - wrong
    evidence = len(content) - wrong - characters  # the bytes that characters have beyond their first
    cut_off = _is_cut_off(content)
    mostly_ascii = len(text) - _ascii_letters(text) < len(text) / 5
    needed = (len(faults) - cut_off) * min(for_each, 1 if mostly_ascii else for_each)
    if not evidence or evidence < needed:
        return None
    end = len(text) if cut_off else -1
    mended = _WRONG_BYTES.sub(lambda fault: _mended(fault[0], at_end=fault.end() == end), text)
    return Decoded(mended, (_told(wrong, "UTF-8", text[: faults[0].start()]),))


def _is_cut_off(content: bytes) -> bool:
    """Whether *content* ends within a character of UTF-8."""
    end = content[-4:]
    for start in range(1, len(end) + 1):
        if end[-start] >= _FIRST_LETTER:
            try:
                return codecs.getincrementaldecoder(_UTF8)().decode(end[-start:]) == ""
            except UnicodeDecodeError:
                return False
    return False


def _mended(wrong: str, *, at_end: bool) -> str:
    """A letter or two of Western Europe, written by a program that knew no UTF-8; else a sign that something was."""
    letters = [ord(each) - _BYTE_OF for each in wrong]
    if at_end or len(letters) > _MOST_LETTERS or min(letters) < _FIRST_LETTER:
        return _SIGN
    return bytes(letters).decode("latin-1")


def _ascii_letters(text: str) -> int:
    return len(text.encode("ascii", "ignore"))


def _told(wrong: int, encoding: str, before: str) -> str:
    line = before.replace("\r\n", "\n").replace("\r", "\n").count("\n") + 1
    if wrong == 1:
        return f"1 byte is not {encoding}, on line {line}"
    return f"{wrong} bytes are not {encoding}, the first on line {line}"


def _guessed(content: bytes) -> Decoded:
    found = _likeliest(content)
    if _HALF_CHARACTER.search(found.text):  # which UTF-7 can write, and no database takes
        raise Unreadable("encoding not recognized")
    return found


def _likeliest(content: bytes) -> Decoded:
    from charset_normalizer import from_bytes  # 30 ms that a folder of UTF-8 never pays

    sample = _sample(content)
    share, latin = max(((_share_of_one_language(sample, name), name) for name in _LATIN), key=lambda one: one[0])
    if share >= _SURELY_ONE_LANGUAGE:
        return _nearly(content, latin) or _mostly_ascii(content)
    matches = from_bytes(sample, cp_isolation=[*_LIKELY])
    best = matches.best()
    if best is None or best.chaos > _DOUBTFUL_CHAOS:
        best = from_bytes(sample).best()
        return (_nearly(content, best.encoding) if best else None) or _mostly_ascii(content)
    limit = best.chaos + _ALIKE_CHAOS
    best = next((match for match in matches if _is_western(match) and match.chaos <= limit), best)
    return _nearly(content, _WESTERN if _is_western(best) else best.encoding) or _mostly_ascii(content)


def _share_of_one_language(content: bytes, encoding: str) -> float:
    """Of all characters beyond ASCII, how many at most the alphabet of one language has; 0 if it is not *encoding*."""
    try:
        foreign = Counter(letter for letter in content.decode(encoding).lower() if letter > "\x7f")
    except UnicodeDecodeError:
        return 0
    signs = sum(times for letter, times in foreign.items() if letter in _SIGNS)
    letters = max(sum(times for each, times in foreign.items() if each in alphabet) for alphabet in _ALPHABETS)
    return (signs + letters) / max(1, foreign.total())


def _sample(content: bytes) -> bytes:
    """The whole of a short text; of a long one, what of its lines is not ASCII, taken evenly from all of it."""
    if len(content) <= _SAMPLE_BYTES:
        return content
    lines = _FOREIGN_LINE.findall(content)
    every = sum(map(len, lines)) // _SAMPLE_BYTES + 1
    return b"\n".join(lines[::every])


def _mostly_ascii(content: bytes) -> Decoded:
    """What no encoding fits is readable still if only few of its bytes are no ASCII."""
    text = content.decode(_WESTERN, "replace")
    foreign = len(content) - _ascii_letters(text)
    if foreign * 20 > len(content):
        mixed = _nearly_utf8(content, for_each=0.25)
        if mixed:
            return mixed
        raise Unreadable("encoding not recognized")
    wrong = [found.start() for found in re.finditer(r"[^\x00-\x7f]", text)]
    return Decoded(text, (_told(len(wrong), "UTF-8", text[: wrong[0]]),) if wrong else ())


def _is_western(match: CharsetMatch) -> bool:
    """A match stands for every encoding that gives the same text."""
    return _WESTERN in match.could_be_from_charset
