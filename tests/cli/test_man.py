"""The manual page, and the examples that it shares with every --help."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from rerank_cli.cli.app import app
from rerank_cli.cli.man import EXIT_CODES, examples_of
from rerank_cli.cli.options import configured, given
from tests.cli.conftest import Cli


def commands(command: Any, *trail: str) -> Iterator[tuple[str, Any]]:
    """Every command with its full name, groups included."""
    yield " ".join(trail), command
    for name, child in getattr(command, "commands", {}).items():
        yield from commands(child, *trail, name)


ALL = dict(commands(typer.main.get_command(app), "rerank-cli"))
EXAMPLES = [(name, example) for name, command in ALL.items() for example in examples_of(command)]


@pytest.fixture
def page(cli: Cli, tmp_path: Path) -> Path:
    """The page in a file."""
    path = tmp_path / "rerank-cli.1"
    path.write_text(cli("man").out)
    return path


def printed_by(*command: str | Path) -> str:
    """All that *command* says, without the signs by which a terminal shows bold letters."""
    if shutil.which(str(command[0])) is None:
        pytest.skip(f"there is no {command[0]} here")
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return re.sub(r"\x1b\[\d*m|.\x08", "", done.stdout)


@pytest.mark.parametrize("checker", [("mandoc", "-T", "lint"), ("groff", "-ww", "-man", "-z")])
def test_checkers_of_manual_pages_have_nothing_to_say(page: Path, checker: tuple[str, ...]) -> None:
    assert printed_by(*checker, page) == ""


def test_the_page_has_every_command_option_and_example(page: Path) -> None:
    shown = " ".join(printed_by("groff", "-man", "-Tutf8", "-P-c", "-rLL=400n", page).replace("\u2010", "-").split())
    for name, command in ALL.items():
        for parameter in command.params if name != "rerank-cli" else ():
            for flag in (*parameter.opts, *parameter.secondary_opts):
                assert flag.strip() in shown, (name, flag)
    for _, example in EXAMPLES:
        assert example in shown
    assert "NAME rerank-cli - search a folder" in shown
    assert "Read files by what a command prints of them, as in '.doc=antiword {}'." in shown


def test_the_page_and_the_readme_say_the_same_of_exit_codes() -> None:
    readme = Path(__file__).parents[2] / "rerank_cli" / "cli" / "README.md"
    rows = re.findall(r"^\| ([\d, ]+) \| (.*) \|$", readme.read_text(encoding="utf-8"), re.M)
    assert {code: meaning.replace("`", "") for code, meaning in rows} == EXIT_CODES


@pytest.mark.parametrize("name", ALL)
def test_every_command_has_an_example_of_itself(name: str) -> None:
    examples = examples_of(ALL[name])
    assert examples and all(name in example for example in examples)


@pytest.mark.parametrize("example", [example for _, example in EXAMPLES])
def test_every_example_is_understood(example: str) -> None:
    assert [understood(call) for call in calls_in(example)]


def calls_in(example: str) -> Iterator[list[str]]:
    """What stands behind each `rerank-cli` of a line for a shell."""
    lexer = shlex.shlex(example, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words, ends = list(lexer), re.compile(r"[|<>()&;]+")
    for at, word in enumerate(words):
        if word == "rerank-cli":
            behind = words[at + 1 :]
            yield behind[: next((place for place, each in enumerate(behind) if ends.fullmatch(each)), None)]


def understood(arguments: list[str]) -> str:
    """The command that *arguments* call; an error where that is none, or they are wrong for it."""
    context = typer.main.get_command(app).make_context("rerank-cli", list(arguments))
    while rest := [*context._protected_args, *context.args]:
        name, command, rest = context.command.resolve_command(context, rest)
        context = command.make_context(name, rest, parent=context)
    settings = {key: value for key, value in given(context.params).items() if value not in (None, ())}
    configured(Path(), None, {} if context.info_name == "train" else settings)  # whose --encoder is another
    return str(context.info_name)
