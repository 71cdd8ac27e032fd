"""Tell text in UTF-16 and UTF-32, which is full of NUL bytes, from what is no text."""

from __future__ import annotations

import codecs

# UTF-32 first: its little-endian mark begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

_LOOKED_AT = 8 * 1024

# Of every second byte so many are NUL in a text of mostly Latin letters, and of the others none.
_MOST_ARE_NUL = 0.5
_SHORTEST = 8

# What of the others no text has; a few of these are page breaks and the like.
_CONTROLS = bytes((*range(1, 9), *range(14, 32), 127))
_MOST_CONTROLS = 0.01


def wide_encoding(content: bytes) -> str | None:
    """Which of these encodings *content* has, by the mark that it begins with, or else by where NUL bytes stand.

    Without a mark, UTF-16 alone is known, and only where most letters are Latin.
    """
    marked = next((name for mark, name in _MARKS if content.startswith(mark)), None)
    if marked or b"\0" not in content[:_LOOKED_AT]:
        return marked
    start = content[: _LOOKED_AT & ~1]
    if len(start) < _SHORTEST:
        return None
    for name, letters, others in (("utf-16-le", start[::2], start[1::2]), ("utf-16-be", start[1::2], start[::2])):
        controls = len(letters) - len(letters.translate(None, _CONTROLS))
        is_text = b"\0" not in letters and controls <= _MOST_CONTROLS * len(letters)
        if is_text and others.count(0) >= _MOST_ARE_NUL * len(others) and _decodes(start, name):
            return name
    return None


def _decodes(start: bytes, encoding: str) -> bool:
    try:
        codecs.getincrementaldecoder(encoding)().decode(start)
    except UnicodeDecodeError:
        return False
    return True
