"""Foreign text on its way to a terminal or a line of output: nothing in it may steer either."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

from rerank_cli.characters import printable
from rerank_cli.errors import RerankError

if TYPE_CHECKING:
    from rich.console import Console

    from rerank_cli.config import Color

__all__ = ["console", "counted", "give_up", "middle_left_out", "printable", "say", "tell"]


def counted(number: object, noun: str) -> str:
    """*number* and *noun*, the latter in the plural where that is right."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def middle_left_out(path: str, width: int) -> str:
    """*path* in at most *width* letters: what is too much of its middle gives way to …; its last names stay."""
    if len(path) <= width:
        return path
    end = path[-(width - 1) :]
    names = end.split("/", 1)
    kept = f"/{names[1]}" if len(names) == 2 and names[1] else end
    room = width - 1 - len(kept)
    return f"{path[:room]}…{kept}" if room > 0 else f"…{kept}"


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


def console(stream: TextIO, color: Color = "auto") -> Console:
    """Rich's console on *stream*, as the whole program wants it: no emoji, and no colours of its own finding."""
    from rich.console import Console

    class PlainConsole(Console):
        def on_broken_pipe(self) -> NoReturn:
            """Raise again: Rich would end the program with 1, which means that nothing was found."""
            raise BrokenPipeError

    return PlainConsole(file=stream, highlight=False, emoji=False, **_colors(color, os.environ))


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
