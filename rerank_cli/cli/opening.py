"""Opens a file at a place: in the user's editor where it is text, else in what the desktop has for it."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from rerank_cli.cli.terminal import printable, say
from rerank_cli.errors import InputError, in_words
from rerank_cli.records import Place

_PLUS_LINE = ("vi", "vim", "nvim", "gvim", "nano", "emacs", "emacsclient")
_GOTO = ("code", "code-insiders", "codium", "cursor")
_DEFAULT = "vi"

_OPENERS = ("xdg-open", "open")
"""What opens a file by its kind, on Linux and on macOS."""


def open_at(location: Path, place: Place) -> None:
    """Open the file at *location*, and wait for an editor that does so itself. Where to look there is told.

    Raises:
        InputError: there is nothing that opens it, or it failed.
    """
    if place.unit != "line":
        say(f"rerank-cli: {location}: {place}")
    is_text = place.unit == "line" or _is_text(location)
    command = editor_command(os.environ, location, place) if is_text else _opener_command(location)
    try:
        code = subprocess.run(command, check=False).returncode  # noqa: S603 - the user's own editor
    except OSError as error:
        raise InputError(
            f"{printable(command[0])}: cannot be started ({in_words(error)})", remedy="name an editor in VISUAL"
        ) from error
    if code:
        raise InputError(f"{printable(command[0])}: ended with {code}", remedy=f"open it yourself: {location}")


def editor_command(environment: Mapping[str, str], location: Path, place: Place) -> Sequence[str]:
    """The user's editor with the file, and with the line in the words of the editor, if it is known and there is one.

    Raises:
        InputError: what names the editor is no command.
    """
    named = environment.get("VISUAL") or environment.get("EDITOR") or _DEFAULT
    try:
        editor = shlex.split(named) or [_DEFAULT]
    except ValueError as error:
        raise InputError(f"{named}: is no command ({in_words(error)})", remedy="check VISUAL and EDITOR") from error
    name = Path(editor[0]).name
    if place.unit == "line" and name in _PLUS_LINE:
        return [*editor, f"+{place.first}", str(location)]
    if place.unit == "line" and name in _GOTO:
        return [*editor, "-g", f"{location}:{place.first}"]
    return [*editor, str(location)]


def _opener_command(location: Path) -> Sequence[str]:
    opener = next(filter(None, map(shutil.which, _OPENERS)), None)
    if opener is None:
        raise InputError(f"{location}: is no text, and nothing here opens it", remedy="install xdg-open")
    return [opener, str(location)]


def _is_text(location: Path) -> bool:
    """Whether files of such a name are read as text."""
    from rerank_cli.corpus.read.formats import format_of

    return not format_of(location.name).binary
