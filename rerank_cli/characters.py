"""Characters that need care: joiners, which belong to words, controls, and the text and ids that come from JSON."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

JOINERS = "\u00ad\u200c\u200d"
"""Signs that belong to words (soft hyphen, the joiners of Persian and of emoji) and steer nothing, though Unicode has
them among the controls of format."""

CONTROL_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Controls, invisible format characters (right-to-left overrides among them), surrogates, line and
paragraph separators."""


def whole_characters(text: str) -> str:
    """*text* with a sign in the place of each half of a surrogate pair.

    JSON can write one alone, which no file, database or tokenizer takes.
    """
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def named_id(record: Mapping[str, object], *keys: str) -> str | None:
    """What stands under the first of *keys* that *record* has, as an id; None if that is none: blank, true, a list."""
    found = next((record[key] for key in keys if key in record), None)
    is_id = isinstance(found, str | int) and not isinstance(found, bool) and str(found).strip()
    return whole_characters(str(found).strip()) if is_id else None


def printable(text: str) -> str:
    r"""*text* on one line, with each control character written as an escape such as \n or \x1b."""
    if text.isprintable():
        return text
    return "".join(_escape(letter) if steers(letter) else letter for letter in text)


def steers(letter: str) -> bool:
    """Whether *letter* would do something to a terminal or a line rather than be shown in it."""
    return unicodedata.category(letter) in CONTROL_CATEGORIES and letter not in JOINERS


def _escape(letter: str) -> str:
    return letter.encode("unicode_escape").decode("ascii")
