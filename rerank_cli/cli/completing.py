"""What may end a command line that is still being typed."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from typer.core import TyperArgument, TyperGroup, TyperOption
from typer.main import get_command

from rerank_cli.config import FILE_KEYS

NAMES_OF_FILES = FILE_KEYS | {"index", "indexes", "base"}
"""Parameters that take other words, and files too."""


@dataclass(frozen=True, slots=True)
class Ending:
    """A word that may stand at the end, and what it means in a few words, if that is to be told."""

    word: str
    meaning: str = ""


@dataclass(frozen=True, slots=True)
class Endings:
    """What may end a line: these words, or the files that begin so, in place of the last word, which is `typed`.

    `are_quoted` where a quote is still open.
    """

    typed: str
    words: Sequence[Ending]
    are_files: bool = False
    are_quoted: bool = False


def endings_of(line: str) -> Endings:
    """What may end *line*, which begins with the program and ends at the cursor."""
    from rerank_cli.cli.app import app

    words, is_quoted = _typed(line)
    *typed, last = words[1:] or [""]
    place = _place(get_command(app), typed)
    if place.takes is None and last.startswith("-") and not place.is_behind_options:
        flag, has_value, value = last.partition("=")
        option = _option(place.command, flag)
        if not has_value or option is None:
            return Endings(last, sorted(_options(place, last), key=lambda ending: ending.word), are_quoted=is_quoted)
        found, takes_files = _values(option, value)
        found = [Ending(f"{flag}={ending.word}", ending.meaning) for ending in found]
    elif place.takes is not None:
        found, takes_files = _values(place.takes, last)
    else:
        found, takes_files = _words_of(place, last)
    return Endings(last, found, are_files=takes_files and not found, are_quoted=is_quoted)


def _typed(line: str) -> tuple[list[str], bool]:
    """The words of *line*, the last of them the one at the cursor, and whether a quote is still open there."""
    lexer = shlex.shlex(line, posix=True)
    lexer.whitespace_split = True
    lexer.commenters = ""
    words: list[str] = []
    try:
        words.extend(lexer)
    except ValueError:  # the line ends within quotes, or behind a backslash
        return [*words, lexer.token], not line.endswith("\\")
    is_between = line[-1:].isspace() and not line.endswith("\\ ")
    return ([*words, ""] if is_between else words), False


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a line stands: within which command, which flags it has, and after how many arguments.

    `takes` is the option whose value comes next.
    """

    command: Any
    flags: frozenset[str] = frozenset()
    arguments: int = 0
    takes: Any = None
    is_behind_options: bool = False


def _place(command: Any, typed: Sequence[str]) -> _Place:
    """Where a line stands after the words that were *typed* behind the program."""
    place = _Place(command)
    for word in typed:
        if place.takes is not None:
            place = _Place(place.command, place.flags, place.arguments)
        elif word == "--" and not place.is_behind_options:
            place = _Place(place.command, place.flags, place.arguments, is_behind_options=True)
        elif word.startswith("-") and len(word) > 1 and not place.is_behind_options:
            flag, has_value, _ = word.partition("=")
            option = _option(place.command, flag)
            takes = None if option is None or option.is_flag or has_value or _may_do_without(option) else option
            place = _Place(place.command, place.flags | {flag}, place.arguments, takes)
        elif isinstance(place.command, TyperGroup) and word in place.command.commands:
            place = _Place(place.command.commands[word])
        else:
            place = _Place(place.command, place.flags, place.arguments + 1, None, place.is_behind_options)
    return place


def _option(command: Any, flag: str) -> Any:
    """The option of *command* that has this *flag*; None where there is none."""
    options = (each for each in command.params if isinstance(each, TyperOption))
    return next((each for each in options if flag in (*each.opts, *each.secondary_opts)), None)


def _may_do_without(option: Any) -> bool:
    """Whether *option* need not have a value: help shows it in brackets."""
    return str(option.metavar).startswith("[")


def _options(place: _Place, begun: str) -> Iterator[Ending]:
    """The flags that begin so: of an option that may be given once, none if it was."""
    for option in place.command.params:
        if isinstance(option, TyperOption) and not option.hidden:
            flags = [flag for flag in (*option.opts, *option.secondary_opts) if flag.startswith("-")]
            if option.multiple or place.flags.isdisjoint(flags):
                yield from (Ending(flag, _first_words(option.help)) for flag in flags if flag.startswith(begun))
    yield from (Ending(flag, "Show the help.") for flag in ("-h", "--help") if flag.startswith(begun))


def _words_of(place: _Place, begun: str) -> tuple[list[Ending], bool]:
    """The commands or the arguments that begin so; and whether files may."""
    if isinstance(place.command, TyperGroup):
        found = [Ending(name, meaning) for name, meaning in _commands(place.command) if name.startswith(begun)]
        return found, getattr(place.command, "takes_folder", False)
    arguments = [each for each in place.command.params if isinstance(each, TyperArgument)]
    if not arguments or (place.arguments >= len(arguments) and arguments[-1].nargs != -1):
        return [], False
    return _values(arguments[min(place.arguments, len(arguments) - 1)], begun)


def _commands(group: Any) -> Iterator[tuple[str, str]]:
    """The commands of *group* and what each does; those of the program are not loaded for that."""
    from rerank_cli.cli.commands import COMMANDS, CommandGroup

    if isinstance(group, CommandGroup):
        yield from COMMANDS.items()
    else:
        yield from ((name, command.get_short_help_str()) for name, command in group.commands.items())


def _values(parameter: Any, begun: str) -> tuple[list[Ending], bool]:
    """The values of *parameter* that begin so; and whether files may."""
    takes_files = parameter.type.name in ("path", "file", "directory") or parameter.name in NAMES_OF_FILES
    return [Ending(each.value, each.help or "") for each in parameter.shell_complete(None, begun)], takes_files


def _first_words(text: str | None) -> str:
    """The first sentence, on one line."""
    return " ".join((text or "").split()).partition(". ")[0]
