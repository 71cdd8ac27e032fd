"""A hit in an editor."""

from __future__ import annotations

from pathlib import Path

import pytest

from rerank_cli.cli.opening import editor_command, open_at
from rerank_cli.cli.query import with_number
from rerank_cli.errors import InputError
from rerank_cli.records import Place, at_lines
from tests.cli.conftest import Cli, assert_one_line

FILE = Path("/docs/a b.md")
QUERY = ("query", "lettuce slugs", "radiator", "--no-rerank", "--retriever", "lexical")


@pytest.mark.parametrize(
    ("environment", "command"),
    [
        ({}, ["vi", "+7", "/docs/a b.md"]),
        ({"VISUAL": "", "EDITOR": " "}, ["vi", "+7", "/docs/a b.md"]),
        ({"EDITOR": "nano"}, ["nano", "+7", "/docs/a b.md"]),
        ({"EDITOR": "nano", "VISUAL": "/usr/bin/nvim -R"}, ["/usr/bin/nvim", "-R", "+7", "/docs/a b.md"]),
        ({"EDITOR": "emacs -nw"}, ["emacs", "-nw", "+7", "/docs/a b.md"]),
        ({"EDITOR": "code --wait"}, ["code", "--wait", "-g", "/docs/a b.md:7"]),
        ({"EDITOR": "'my editor' -x"}, ["my editor", "-x", "/docs/a b.md"]),
    ],
)
def test_an_editor_gets_the_line_in_its_own_words(environment: dict[str, str], command: list[str]) -> None:
    assert editor_command(environment, FILE, at_lines(7, 9)) == command


def test_a_place_that_is_no_line_is_no_line_for_an_editor() -> None:
    assert editor_command({"EDITOR": "vim"}, FILE, Place("message", 7, 7)) == ["vim", "/docs/a b.md"]


def test_an_editor_that_is_no_command_is_told() -> None:
    with pytest.raises(InputError, match="'vim: is no command"):
        editor_command({"EDITOR": "'vim"}, FILE, at_lines(1, 1))


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What `vim` and `xdg-open`, which are alone here, write their arguments to."""
    for name in ("vim", "xdg-open"):
        program = tmp_path / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(f'#!/bin/sh\necho {name} "$@" >> {tmp_path}/opened\n')
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("EDITOR", "vim")
    return tmp_path / "opened"


@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        (["--open", *QUERY[1:]], "garden/slugs.txt"),
        ([*QUERY[1:], "--open"], "garden/slugs.txt"),
        ([*QUERY[1:], "--open=1"], "garden/slugs.txt"),
        (["--open", "2", *QUERY[1:]], "heating/radiators.md"),
    ],
)
def test_the_best_hit_is_opened_or_the_one_of_a_number(
    indexed: Path, cli: Cli, opened: Path, arguments: list[str], path: str
) -> None:
    outcome = cli("query", *arguments)
    assert (outcome.code, outcome.out, outcome.err) == (0, "", "")
    program, line, location = opened.read_text().split()
    assert (program, location) == ("vim", str(indexed / path)) and line.startswith("+")


def test_open_takes_no_word_of_the_question_for_its_number() -> None:
    assert with_number(["--open", "three", "little"], "--open") == ["--open=1", "three", "little"]
    assert with_number(["pigs", "--open"], "--open") == ["pigs", "--open=1"]
    assert with_number(["--open", "3", "--", "--open"], "--open") == ["--open", "3", "--", "--open"]


def test_a_file_of_pages_is_opened_by_the_desktop_and_its_page_told(
    opened: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_at(Path("/docs/pump.pdf"), Place("page", 12, 12))
    assert opened.read_text() == "xdg-open /docs/pump.pdf\n"
    assert capsys.readouterr().err == "rerank-cli: /docs/pump.pdf: p. 12\n"
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match="nothing here opens it"):
        open_at(Path("/docs/pump.pdf"), Place("page", 12, 12))


def test_what_cannot_be_opened_is_told_in_one_line(
    indexed: Path, cli: Cli, opened: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert_one_line(cli(*QUERY, "--open", "99"), "--open 99", "hits")
    assert_one_line(cli("query", "-", "--open", stdin="lettuce\n"), "--open needs one question")
    assert_one_line(cli("query", "zzz", *QUERY[3:], "--open"), "nothing found")
    monkeypatch.setenv("EDITOR", "no-such-editor")
    assert_one_line(cli(*QUERY, "--open"), "no-such-editor", "VISUAL")
    monkeypatch.setenv("EDITOR", "false")
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    assert_one_line(cli(*QUERY, "--open"), "false: ended with 1")
    assert not opened.exists()


def test_a_hit_that_is_gone_is_not_opened_and_one_that_changed_is_told(
    tmp_path: Path, model_cache: Path, cli: Cli, opened: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "docs").mkdir()
    monkeypatch.chdir(tmp_path / "docs")
    note = tmp_path / "docs" / "note.md"
    note.write_text("Slugs eat the lettuce.\n")
    assert cli("index", ".", "--quiet").code == 0
    note.write_text("# Slugs\n\nSlugs eat the lettuce at night.\n")
    assert "changed since it was indexed" in cli(*QUERY, "--open").err
    note.unlink()
    outcome = cli(*QUERY, "--open")
    assert_one_line(outcome, "is gone", "rerank-cli index")
    assert outcome.code == 4
    assert opened.read_text().count("\n") == 1
