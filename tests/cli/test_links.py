"""Links to hits on a terminal."""

from __future__ import annotations

from pathlib import Path

import pytest

from rerank_cli.cli.links import follows_links, link_to
from rerank_cli.records import Place, at_lines
from tests.cli.conftest import Cli, on_a_terminal


@pytest.mark.parametrize(
    ("place", "pattern", "address"),
    [
        (at_lines(7, 9), "file", "file:///docs/a%20b%23.md"),
        (Place("page", 12, 13), "file", "file:///docs/a%20b%23.md#page=12"),
        (at_lines(7, 9), "vscode://file/{path}:{line}", "vscode://file//docs/a%20b%23.md:7"),
        (Place("page", 12, 12), "x://{path}:{line}?p={page}", "x:///docs/a%20b%23.md:1?p=12"),
        (at_lines(7, 9), "none", ""),
    ],
)
def test_a_link_opens_the_file_at_the_place(place: Place, pattern: str, address: str) -> None:
    assert link_to(Path("/docs/a b#.md"), place, pattern) == address


@pytest.mark.parametrize(("terminal", "follows"), [("xterm-256color", True), ("dumb", False), ("linux", False)])
def test_a_terminal_that_cannot_follow_links_gets_none(terminal: str, follows: bool) -> None:
    assert follows_links({"TERM": terminal}) == follows


@pytest.mark.parametrize(("link", "address"), [("file", "file://"), ("edit://{path}:{line}", "edit://"), ("none", "")])
def test_the_table_on_a_terminal_has_the_links_that_the_setting_says(indexed: Path, link: str, address: str) -> None:
    shown = on_a_terminal("query", "cold radiator", "--no-rerank", "--retriever", "lexical", "--link", link)
    assert ("\x1b]8;" in shown) == bool(address)
    assert not address or f";{address}{indexed}/heating/radiators.md" in shown


def test_no_link_goes_into_a_pipe(indexed: Path, cli: Cli) -> None:
    assert "\x1b" not in cli("query", "cold radiator", "--no-rerank", "--format", "table").out
