"""The pager on a terminal."""

from __future__ import annotations

from pathlib import Path

import pytest

from rerank_cli.cli.paging import pager_command
from tests.cli.conftest import Cli, assert_one_line, on_a_terminal

TERMINAL = {"TERM": "xterm"}
QUERY = ("query", "radiator pressure", "--no-rerank", "--retriever", "lexical")
MARK = "sed s/^/paged:/"


@pytest.mark.parametrize(
    ("wanted", "environment", "command"),
    [
        ("auto", {"PAGER": "more -s"}, "more -s"),
        ("auto", {"PAGER": ""}, None),
        ("auto", {"PAGER": "cat"}, None),
        ("less -S", {"PAGER": "more"}, "less -S"),
        ("none", {"PAGER": "more"}, None),
        ("cat", {"PAGER": "more"}, None),
        ("less", {"TERM": "dumb"}, None),
    ],
)
def test_the_pager_is_the_one_that_is_named(wanted: str, environment: dict[str, str], command: str | None) -> None:
    assert pager_command(wanted, {**TERMINAL, **environment}) == command


def test_without_a_name_it_is_less_where_there_is_less(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert pager_command("auto", TERMINAL) is None
    (tmp_path / "less").touch(mode=0o755)
    assert pager_command("auto", TERMINAL) == "less"


@pytest.mark.parametrize(("lines", "is_paged"), [("5", True), ("100", False)])
def test_an_answer_longer_than_the_terminal_is_paged(
    indexed: Path, monkeypatch: pytest.MonkeyPatch, lines: str, is_paged: bool
) -> None:
    monkeypatch.setenv("PAGER", MARK)
    monkeypatch.setenv("LINES", lines)
    shown = on_a_terminal(*QUERY)
    assert "heating/radiators.md" in shown
    assert ("paged:" in shown) == is_paged


def test_our_variable_outweighs_that_of_all_programs(indexed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RERANK_CLI_PAGER", MARK)
    monkeypatch.setenv("LINES", "5")
    assert "paged:" in on_a_terminal(*QUERY)
    assert "paged:" not in on_a_terminal(*QUERY, "--no-pager")


def test_neither_several_answers_nor_a_pipe_are_paged(
    indexed: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("RERANK_CLI_PAGER", MARK)
    monkeypatch.setenv("LINES", "2")
    (tmp_path / "queries").write_text("1\tradiator\n2\tpressure\n")
    assert "paged:" not in on_a_terminal("query", "--queries", tmp_path / "queries", *QUERY[2:])
    assert "paged:" not in cli(*QUERY).out


def test_a_pager_that_is_left_at_once_is_no_failure(indexed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAGER", "true")
    monkeypatch.setenv("LINES", "2")
    assert on_a_terminal(*QUERY, "--quiet") == ""


def test_where_the_pager_is_missing_the_answer_is_shown_all_the_same(
    indexed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAGER", "no-such-pager")
    monkeypatch.setenv("LINES", "2")
    assert "heating/radiators.md" in on_a_terminal(*QUERY)


def test_a_pager_and_none_cannot_both_be_wanted(indexed: Path, cli: Cli) -> None:
    for command in (QUERY, ("similar", "heating/boiler.md")):
        assert_one_line(cli(*command, "--pager", "less", "--no-pager"), "--pager and --no-pager")
