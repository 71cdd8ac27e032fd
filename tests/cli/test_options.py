"""What a setting may hold and what it does is said once, and its option, variable and file agree on it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from rerank_cli.cli.app import app
from rerank_cli.cli.options import own, own_variables, setting
from rerank_cli.config import HELP, KINDS, flag_of, variable_of
from tests.cli.conftest import Cli, assert_one_line


def options(command: Any = None) -> Iterator[Any]:
    """Every option of every command."""
    command = command or typer.main.get_command(app)
    yield from (parameter for parameter in command.params if parameter.opts[0].startswith("-"))
    for child in getattr(command, "commands", {}).values():
        yield from options(child)


SETTINGS = [option for option in options() if option.name in HELP and not (option.name == "encoder" and option.is_flag)]


@pytest.mark.parametrize("key", HELP)
def test_an_option_of_a_setting_says_what_the_setting_says(key: str) -> None:
    named = [option for option in SETTINGS if option.name == key]
    assert named, "every setting has a flag"
    for option in named:
        assert flag_of(key) in option.opts
        assert HELP[key].removesuffix(".") in option.help or key == "top_k"
        if KINDS[key].form == "value":
            assert KINDS[key].allowed in option.help
        if KINDS[key].form == "choice":
            assert KINDS[key].allowed.removeprefix("one of ").split(", ") == option.metavar.split("|")


@pytest.mark.parametrize("option", SETTINGS, ids=lambda option: str(option.name))
def test_the_variable_of_a_setting_is_read_where_its_origin_is_known(option: Any) -> None:
    assert option.envvar is None
    assert variable_of(option.name) not in own_variables()


def test_an_option_that_is_no_setting_has_the_variable_of_its_name() -> None:
    assert own("--dry-run", "List.").envvar == "RERANK_CLI_DRY_RUN"
    assert "RERANK_CLI_DRY_RUN" in own_variables()
    assert setting("top_n", "-n", meaning="Rows.").help == "Rows (a whole number of 1 or more)."


def test_the_variable_of_another_command_is_known_and_one_of_none_is_not() -> None:
    command = [sys.executable, "-m", "rerank_cli", "config"]
    for name, code in (("RERANK_CLI_DRY_RUN", 0), ("RERANK_CLI_FORCE", 0), ("RERANK_CLI_DRY_RUM", 2)):
        done = subprocess.run(command, env={**os.environ, name: "1"}, capture_output=True, text=True, check=False)
        assert done.returncode == code, (name, done.stderr)
    assert "did you mean RERANK_CLI_DRY_RUN?" in done.stderr


@pytest.mark.parametrize(
    ("key", "value"),
    [("top_k", "ten"), ("fusion_weight", "2"), ("device", "tpu"), ("wait_s", "")],
)
def test_a_wrong_value_is_told_alike_whether_a_flag_a_variable_or_a_file_has_it(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str, value: str
) -> None:
    command = ("index", tmp_path) if key == "wait_s" else ("query", "x")
    allowed = KINDS[key].allowed
    outcome = cli(*command, flag_of(key), value)
    assert outcome.code == 2
    assert_one_line(outcome, f"{flag_of(key)} is {value!r}; allowed: {allowed}")
    (tmp_path / "named.yaml").write_text(f"{key}: '{value}'\n")
    assert_one_line(cli(*command, "--config", tmp_path / "named.yaml"), f"{key} is {value!r}; allowed: {allowed}")
    if value:
        monkeypatch.setenv(variable_of(key), value)
        assert_one_line(cli(*command), f"{variable_of(key)} is {value!r}; allowed: {allowed}")


def test_a_limit_of_a_file_can_be_lifted_by_a_flag(indexed: Path, tmp_path: Path, cli: Cli) -> None:
    (tmp_path / "named.yaml").write_text("min_score: 2\n")
    ask = ("query", "cold radiator", "--config", tmp_path / "named.yaml")
    assert (cli(*ask).code, cli(*ask, "--min-score", "null").code) == (1, 0)
