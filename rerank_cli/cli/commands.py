"""The commands of the program, each of which is loaded when it is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from functools import cache
from importlib import import_module
from typing import Any, cast

import typer

COMMANDS = {
    "index": "Make an index of FOLDER, or bring it up to date.",
    "query": "Search an index in both stages.",
    "similar": "Find what is like a file or a passage.",
    "rerank": "Order what is piped in by how well it answers.",
    "status": "Show what is indexed and what has changed since.",
    "indexes": "List the indexes; add, rename or remove them.",
    "doctor": "Check what index and query rest on.",
    "config": "Print every setting and where it comes from.",
    "train": "Fit a reranker or an encoder to your documents.",
    "models": "List the models that are here; compile them ahead.",
    "eval": "Measure whether reranking helps here, and its cost.",
    "mcp": "Answer the language models of MCP clients.",
    "serve": "Answer searches over HTTP.",
    "warm": "Keep models loaded for queries.",
    "completion": "Print the script that completes in your shell.",
    "man": "Print the manual page.",
}
"""What each command does, by its name. Its module has the same name, and a function `run`, or an `app` of commands."""


class CommandGroup(typer.core.TyperGroup):
    """The program. To list its commands takes none of them."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = cast("MutableMapping[str, Any]", _Loaded())  # nothing adds one

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """List them as Typer does, which would load each for what it does."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


class _Loaded(Mapping[str, Any]):
    """Every command by its name."""

    def __getitem__(self, name: str) -> Any:
        return load(name) if name in COMMANDS else COMMANDS[name]

    def __iter__(self) -> Iterator[str]:
        return iter(COMMANDS)

    def __len__(self) -> int:
        return len(COMMANDS)


@cache
def load(name: str) -> Any:
    """The command of this name, made of its module."""
    module = import_module(f"{__package__}.{name}")
    app = getattr(module, "app", None)
    if app is None:
        app = typer.Typer(add_completion=False, rich_markup_mode=None)
        app.command(name, cls=getattr(module, "Command", None))(module.run)
    command = typer.main.get_command(app)
    command.name = name
    return command
