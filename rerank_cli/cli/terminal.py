"""Foreign text on its way to a terminal or a line of output: nothing in it may steer either."""

from __future__ import annotations

import sys
import unicodedata

CONTROL_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Controls, invisible format characters (right-to-left overrides among them), surrogates, line and
paragraph separators."""


def printable(text: str) -> str:
    r"""*text* on one line, with each control character written as an escape such as \n or \x1b."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escape(letter) if unicodedata.category(letter) in CONTROL_CATEGORIES else letter for letter in text)


def say(message: str) -> None:
    """Write one line to stderr."""
    print(printable(message), file=sys.stderr)


def _escape(letter: str) -> str:
    return letter.encode("unicode_escape").decode("ascii")
