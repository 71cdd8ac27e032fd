"""README.md tells of every command and of every option."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from rerank_cli.cli.app import app
from rerank_cli.config import HELP, OTHER_VARIABLES

README = Path(__file__).parents[2] / "README.md"


def commands(command: Any, trail: tuple[str, ...] = ("rerank-cli",)) -> Iterator[tuple[str, Any]]:
    """Every command with its full name, groups included."""
    yield " ".join(trail), command
    for name, child in getattr(command, "commands", {}).items():
        yield from commands(child, (*trail, name))


ALL = dict(commands(typer.main.get_command(app)))
LONG_OPTIONS = sorted(
    {
        (name, option)
        for name, command in ALL.items()
        for parameter in command.params
        for option in [*parameter.opts, *parameter.secondary_opts]
        if option.startswith("--")
    }
)


def test_the_program_is_read_whole() -> None:
    assert {"rerank-cli query", "rerank-cli models prepare"} <= set(ALL)
    assert ("rerank-cli query", "--top-k") in LONG_OPTIONS
    assert ("rerank-cli models prepare", "--force") in LONG_OPTIONS


@pytest.mark.parametrize("name", ALL)
def test_the_readme_tells_of_every_command(name: str) -> None:
    assert re.search(rf"{re.escape(name)}(?![\w-])", README.read_text(encoding="utf-8"))


@pytest.mark.parametrize(("name", "option"), LONG_OPTIONS)
def test_the_readme_tells_of_every_option(name: str, option: str) -> None:
    assert re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", README.read_text(encoding="utf-8")), name


@pytest.mark.parametrize("name", ALL)
def test_the_readme_shows_the_help_as_it_is(name: str) -> None:
    environment = {**os.environ, "COLUMNS": "100"}
    command = [sys.executable, "-m", "rerank_cli", *name.split()[1:], "--help"]
    printed = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
    shown = "\n".join(line.rstrip() for line in printed.replace("python -m rerank_cli", "rerank-cli").splitlines())
    assert f"$ {name} --help\n{shown.rstrip()}\n```" in README.read_text(encoding="utf-8")


def test_the_lines_of_python_run_as_they_stand(model_cache: Path, tmp_path: Path) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```$", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert len(blocks) == 1
    shutil.copytree(README.parent / "sample_docs", tmp_path / "sample_docs")
    command = [sys.executable, "-c", *blocks]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    *hits, reranked, measured = done.stdout.splitlines()
    assert len(hits) == 3 and hits[0].split()[1].startswith("safety/")
    assert reranked.startswith("(1, 0) ")
    assert 0.5 < float(measured) < 1


def test_every_flag_has_a_variable() -> None:
    flags = {
        parameter.name: parameter.envvar
        for command in ALL.values()
        for parameter in command.params
        if parameter.opts[0].startswith("-") and parameter.name not in ("version", "help")
    }
    assert {name for name, variable in flags.items() if not variable} <= set(HELP)
    assert {variable for variable in flags.values() if variable} == OTHER_VARIABLES
