"""Foreign text on its way to a terminal or a line of output: nothing in it may steer either."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

from rerank_cli.cells import wrapped
from rerank_cli.characters import printable
from rerank_cli.errors import RerankError

if TYPE_CHECKING:
    from rich.console import Console

    from rerank_cli.config import Color

__all__ = ["console", "counted", "fitted", "give_up", "printable", "say", "tell", "told", "width_of"]

COMMAND = re.compile(r"(?<=: )(?:rerank-cli|pip|mv|rm|chmod|sudo) .*")
"""The command in what is to do."""

LEAST_WIDTH = 20
"""Columns for which lines are made: in fewer nothing can be read."""


def counted(number: object, noun: str) -> str:
    """*number* and *noun*, the latter in the plural where that is right."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def width_of(stream: TextIO) -> int | None:
    """The columns of the terminal that *stream* is; None where it is none, and lines may be as long as they are."""
    return max(LEAST_WIDTH, shutil.get_terminal_size().columns) if stream.isatty() else None


def fitted(line: str, stream: TextIO) -> list[str]:
    """*line* as *stream* gets it: broken between words on a terminal, elsewhere whole."""
    width, shown = width_of(stream), printable(line)
    return [shown] if width is None else wrapped(shown, width, indent="  ")


def told(message: str, width: int | None) -> list[str]:
    """*message* whole, or in lines for a terminal of *width* columns, with nothing left out.

    A command at its end stands on a line of its own, as long as it is: in pieces it could not be copied.
    """
    shown = printable(message)
    if width is None:
        return [shown]
    command = COMMAND.search(shown)
    words = shown[: command.start() if command else None].rstrip()
    return wrapped(words, width, indent="  ", shortens=False) + ([f"  {command.group()}"] if command else [])


def say(message: str) -> None:
    """Write a line to stderr. One that takes nothing stops no work and changes no exit code."""
    try:
        for line in told(message, width_of(sys.stderr)):
            print(line, file=sys.stderr, flush=True)
    except OSError:
        give_up(sys.stderr)


def give_up(stream: TextIO) -> None:
    """Send what goes to *stream*, which takes nothing more, nowhere: Python's own flush at the end fails otherwise."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def tell(error: RerankError, *, where: str = "") -> None:
    """Write what went wrong, where, and what to do, as one line to stderr."""
    say(f"rerank-cli: {where}{error}" + (f"; {error.remedy}" if error.remedy else ""))


def console(stream: TextIO, color: Color = "auto") -> Console:
    """Rich's console on *stream*, as the whole program wants it: no emoji, and no colours of its own finding."""
    from rich.console import Console
    from rich.theme import Theme

    class PlainConsole(Console):
        def on_broken_pipe(self) -> NoReturn:
            """Raise again: Rich would end the program with 1, which means that nothing was found."""
            raise BrokenPipeError

    legible = Theme({"progress.remaining": "none"})  # it would be cyan, which white paper swallows
    colors = _colors(color, os.environ)
    return PlainConsole(file=stream, highlight=False, emoji=False, theme=legible, **colors)


def _colors(color: Color, environment: Mapping[str, str]) -> dict[str, Any]:
    """What Rich has to be told: of `auto` it knows NO_COLOR and FORCE_COLOR by itself, but not CLICOLOR."""
    if color == "never":
        return {"color_system": None}
    if color == "always":
        is_dumb = environment.get("TERM", "") in ("dumb", "unknown")
        return {"force_terminal": True, "no_color": False, "color_system": "standard" if is_dumb else "auto"}
    if environment.get("CLICOLOR_FORCE", "0") != "0":
        return {"force_terminal": True}
    return {"no_color": True} if environment.get("CLICOLOR") == "0" else {}
