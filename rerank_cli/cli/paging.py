"""Shows what is longer than the terminal in a pager, as git does."""

from __future__ import annotations

import io
import os
import re
import shutil
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TextIO

AUTO, NONE = "auto", "none"
"""The two words that `pager` may be in place of a command."""

_NO_PAGERS = ("", "cat")
_NOT_SHOWN = re.compile(r"\x1b(?:\[[0-9;]*m|\]8;[^\x1b]*\x1b\\)")
_NOT_RUN = (126, 127)
"""What a shell ends with where it cannot run a command."""


def pager_command(wanted: str, environment: Mapping[str, str]) -> str | None:
    """The command of the pager *wanted*; None where there is to be none, and for a terminal that only prints."""
    if wanted == NONE or environment.get("TERM", "dumb") == "dumb":
        return None
    if wanted == AUTO:
        wanted = environment.get("PAGER", "less" if shutil.which("less") else "")
    return None if wanted.strip() in _NO_PAGERS else wanted


def give_to(shows: Callable[[str, str], bool]) -> None:
    """Have *shows* run pagers from now on, for a process that is not at the terminal itself."""
    global show  # noqa: PLW0603 - a process has one terminal
    show = shows


@contextmanager
def paged(wanted: str) -> Iterator[TextIO]:
    """Where to write an answer: to stdout, or if that is a terminal, to what shows it when it is whole."""
    command = pager_command(wanted, os.environ) if sys.stdout.isatty() else None
    if command is None:
        yield sys.stdout
        return
    page = _Page()
    yield page
    text = page.getvalue()
    if _lines_shown(text, shutil.get_terminal_size().columns) < shutil.get_terminal_size().lines or not show(
        command, text
    ):
        sys.stdout.write(text)
        sys.stdout.flush()


class _Page(io.StringIO):
    """What will be shown on a terminal."""

    def isatty(self) -> bool:
        return True


def _lines_shown(text: str, columns: int) -> int:
    """The lines that *text* takes on a terminal of so many *columns*."""
    widths = (len(_NOT_SHOWN.sub("", line)) for line in text.splitlines())
    return sum(max(1, -(-width // columns)) for width in widths)


def shown_by(command: str, text: str) -> bool:
    """Whether the pager took *text*. How much of it was read, and how the pager was left, is nobody's business."""
    import subprocess  # which few answers need

    environment = {"LESS": "FRX", "LV": "-c", **os.environ}
    process = subprocess.Popen(command, shell=True, stdin=subprocess.PIPE, env=environment)  # noqa: S602 - the user's
    deaf = signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt is for the pager, which takes no text for it
    try:
        process.communicate(text.encode("utf-8", errors="backslashreplace"))
    finally:
        signal.signal(signal.SIGINT, deaf)
    return process.returncode not in _NOT_RUN


show: Callable[[str, str], bool] = shown_by
"""What runs a pager."""
