"""Turn the bytes of a file into text with one kind of line end."""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING

from rerank_cli.corpus.read.errors import Unreadable

if TYPE_CHECKING:
    from charset_normalizer import CharsetMatch

# UTF-32 first: its little-endian mark begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

_WESTERN = "cp1252"

# What files are really written in. Among all that Python knows, a short text fits several by chance.
_LIKELY = (
    *(_WESTERN, "cp1250", "cp1251", "koi8_r", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257"),
    *("shift_jis", "euc_jp", "gb18030", "big5", "euc_kr"),
)

# charset-normalizer calls the share of improbable characters chaos: 0 to 0.05 for the right encoding of
# running text. Beyond the first limit rarer ones are tried too; within the second, two are equally likely.
_DOUBTFUL_CHAOS = 0.1
_ALIKE_CHAOS = 0.02

# Languages that look just as clean in cp1252 as in their own encoding, and what only they write.
_OWN_LETTERS = {
    "Croatian": "čćđšž",
    "Czech": "ěřů",
    "Hungarian": "ő",
    "Polish": "ąęłśż",
    "Romanian": "ţ",
    "Slovak": "čľť",
    "Slovene": "č",
    "Turkish": "ğış",
}

_HALF_CHARACTER = re.compile("[\ud800-\udfff]")


def decode(content: bytes) -> str:
    """The text of *content*, every line end a newline, so that lines count as an editor counts them.

    Raises Unreadable where the encoding is not recognized.
    """
    return _decoded(content).replace("\r\n", "\n").replace("\r", "\n")


def _decoded(content: bytes) -> str:
    encoding = next((name for mark, name in _MARKS if content.startswith(mark)), None)
    if encoding:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError as error:
            raise Unreadable(f"not valid {encoding}, which its first bytes promise") from error
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return _guessed(content)


def _guessed(content: bytes) -> str:
    text = _likeliest(content)
    if _HALF_CHARACTER.search(text):  # which UTF-7 can write, and no database takes
        raise Unreadable("encoding not recognized")
    return text


def _likeliest(content: bytes) -> str:
    from charset_normalizer import from_bytes  # 30 ms that a folder of UTF-8 never pays

    matches = from_bytes(content, cp_isolation=[*_LIKELY])
    best = matches.best()
    if best is None or best.chaos > _DOUBTFUL_CHAOS:
        best = from_bytes(content).best()
        if best is None:
            raise Unreadable("encoding not recognized")
        return str(best)
    own_letters = _OWN_LETTERS.get(best.language, "")
    if not any(letter in str(best) for letter in own_letters):
        limit = best.chaos + _ALIKE_CHAOS
        best = next((match for match in matches if _is_western(match) and match.chaos <= limit), best)
    return content.decode(_WESTERN) if _is_western(best) else str(best)


def _is_western(match: CharsetMatch) -> bool:
    """A match stands for every encoding that gives the same text."""
    return _WESTERN in match.could_be_from_charset
