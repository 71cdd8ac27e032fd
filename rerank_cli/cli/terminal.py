"""Foreign text on its way to a terminal or a line of output: nothing in it may steer either."""

from __future__ import annotations

import os
import sys
import unicodedata
from typing import TYPE_CHECKING, NoReturn, TextIO

from rerank_cli.characters import JOINERS
from rerank_cli.errors import RerankError

if TYPE_CHECKING:
    from rich.console import Console

CONTROL_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Controls, invisible format characters (right-to-left overrides among them), surrogates, line and
paragraph separators."""


def printable(text: str) -> str:
    r"""*text* on one line, with each control character written as an escape such as \n or \x1b."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escape(letter) if steers(letter) else letter for letter in text)


def steers(letter: str) -> bool:
    """Whether *letter* would do something to a terminal or a line rather than be shown in it."""
    return unicodedata.category(letter) in CONTROL_CATEGORIES and letter not in JOINERS


def counted(number: object, noun: str) -> str:
    """*number* and *noun*, the latter in the plural where that is right."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def say(message: str) -> None:
    """Write one line to stderr. One that takes nothing stops no work and changes no exit code."""
    try:
        print(printable(message), file=sys.stderr, flush=True)
    except OSError:
        give_up(sys.stderr)


def give_up(stream: TextIO) -> None:
    """Send what goes to *stream*, which takes nothing more, nowhere: Python's own flush at the end fails otherwise."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def tell(error: RerankError, *, where: str = "") -> None:
    """Write what went wrong, where, and what to do, as one line to stderr."""
    say(f"rerank-cli: {where}{error}" + (f"; {error.remedy}" if error.remedy else ""))


def console(stream: TextIO) -> Console:
    """Rich's console on *stream*, as the whole program wants it: no colours or emoji of its own finding."""
    from rich.console import Console

    class PlainConsole(Console):
        def on_broken_pipe(self) -> NoReturn:
            """Raise again: Rich would end the program with 1, which means that nothing was found."""
            raise BrokenPipeError

    return PlainConsole(file=stream, highlight=False, emoji=False)


def _escape(letter: str) -> str:
    return letter.encode("unicode_escape").decode("ascii")
