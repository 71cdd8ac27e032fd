"""How `eval` reads its arguments: options that take several values, and a folder that needs no flag."""

from __future__ import annotations

from collections.abc import Sequence, Set
from pathlib import Path
from typing import Any

from typer.core import TyperGroup

from rerank_cli.errors import UsageError

LISTS = ("--compare", "--run-in")
"""Options that take every value up to the next option."""


class EvalGroup(TyperGroup):
    """The commands of `eval`, with options that take several values and a folder that needs no flag."""

    takes_folder = True

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """As usual, once `A --compare B C` stands as `--collection A --compare B --compare C`."""
        valued = {flag for option in self.params if not getattr(option, "is_flag", False) for flag in option.opts}
        return super().parse_args(ctx, with_folder(spread(args), valued=valued, commands=set(self.commands)))


def spread(arguments: Sequence[str]) -> list[str]:
    """Repeat an option of `LISTS` before each further value."""
    spaced: list[str] = []
    option = ""
    for place, argument in enumerate(arguments):
        if argument.startswith("-"):
            name = argument.partition("=")[0]
            option = name if name in LISTS else ""
        elif option and arguments[place - 1] != option:
            spaced.append(option)
        spaced.append(argument)
    return spaced


def with_folder(arguments: Sequence[str], *, valued: Set[str], commands: Set[str]) -> list[str]:
    """Put `--collection` before a folder that is no value of an option of *valued*, up to one of *commands*.

    Raises:
        UsageError: what stands there is no folder, or there are two.
    """
    named: list[str] = []
    for place, argument in enumerate(arguments):
        is_value = place > 0 and arguments[place - 1] in valued
        if argument in commands and not is_value:
            return [*named, *arguments[place:]]
        if not argument.startswith("-") and not is_value:
            if not Path(argument).is_dir():
                raise UsageError(
                    f"{argument!r} is no folder",
                    remedy=f"name one with queries and judgements, or {' or '.join(sorted(commands))}",
                )
            named.append("--collection")
        named.append(argument)
    if sum(argument.partition("=")[0] == "--collection" for argument in named) > 1:
        raise UsageError("two folders of queries and judgements were named", remedy="keep one --collection")
    return named
