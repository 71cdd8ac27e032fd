"""Turn the bytes of a file into text with one kind of line end."""

from __future__ import annotations

import codecs

from rerank_cli.corpus.read.errors import Unreadable

# UTF-32 first: its little-endian mark begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


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
    from charset_normalizer import from_bytes  # 30 ms that a folder of UTF-8 never pays

    best = from_bytes(content).best()
    if best is None:
        raise Unreadable("encoding not recognized")
    return str(best)
