"""What a shell expects of what finds things: files alone, lines for editors, colours, and a word on nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.cli.conftest import Cli, assert_one_line, on_a_terminal, write_files

CHEAP = ("--no-rerank", "--retriever", "lexical")
QUERY = ("query", "radiator", "pressure", *CHEAP)
COLOR = re.compile(r"\x1b\[[0-9;]*3[0-9][0-9;]*m")


def test_the_files_alone_are_what_format_paths_prints(indexed: Path, cli: Cli) -> None:
    paths = cli(*QUERY, "--format", "paths").out
    assert "heating/radiators.md\n" in paths
    assert cli(*QUERY, "-l").out == cli(*QUERY, "--files-with-matches", "--format", "paths").out == paths


def test_names_that_end_with_nul_are_as_they_are(indexed: Path, cli: Cli) -> None:
    names = cli(*QUERY, "-0").out.split("\0")
    assert names.pop() == ""
    assert {"[b]odd\n\x1b[31m\u202e.md", "heating/radiators.md", "my notes.txt"} <= set(names)
    assert all((indexed / name).is_file() for name in names)


@pytest.mark.parametrize("flag", ["-l", "-0"])
def test_files_alone_in_another_format_are_refused(indexed: Path, cli: Cli, flag: str) -> None:
    assert_one_line(cli(*QUERY, flag, "--format", "json"), "--format json", "more than files")


def test_an_editor_reads_the_line_of_each_hit(indexed: Path, cli: Cli) -> None:
    hits = cli(*QUERY, "--format", "json").json["results"][0]["hits"]
    lines = cli(*QUERY, "--format", "vimgrep").lines
    assert len(lines) == len(hits)
    for line, hit in zip(lines, hits, strict=True):
        if hit["path"].isprintable():
            path, number, column, text = line.split(":", 3)
            assert (path, int(number), column) == (hit["path"], hit["first_line"], "1")
            assert text.split()[0] in hit["text"]


def test_a_place_that_is_no_line_stands_before_the_text_for_an_editor(
    tmp_path: Path, model_cache: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    subtitles = "1\n00:00:01,000 --> 00:00:04,000\nMind the radiator.\n\n"
    monkeypatch.chdir(write_files(tmp_path, {"film.srt": subtitles}))
    assert cli("index", ".", "--quiet").code == 0
    assert cli(*QUERY, "--format", "vimgrep").out == "film.srt:1:1:00:00:01-00:00:04: Mind the radiator.\n"


BREAD = ("query", "sourdough starter", *CHEAP, "--top-n", "1")


def test_a_hit_is_shown_whole_and_with_its_neighbours(indexed: Path, cli: Cli) -> None:
    (alone,) = cli(*BREAD, "--format", "json").json["results"][0]["hits"]
    (hit,) = cli(*BREAD, "--format", "json", "-C", "1").json["results"][0]["hits"]
    assert "before" not in alone and {**alone, "before": hit["before"], "after": hit["after"]} == hit
    ((before,), after) = hit["before"], hit["after"]
    assert before["text"].startswith("Knead the dough") and before["place"]["last"] < hit["place"]["first"]
    assert after == []
    for format in ("table", "plain"):
        shown = " ".join(cli(*BREAD, "--format", format, "-C", "1").out.split())
        assert "let it rise overnight. Feed the sourdough starter with rye flour every morning." in shown
        assert "Knead" not in cli(*BREAD, "--format", format, "-C", "0").out


def test_so_many_lines_are_around_a_hit_whatever_passages_they_are_of(
    tmp_path: Path, model_cache: Path, cli: Cli
) -> None:
    lines = [f"- Step {number} of the valve." for number in range(100)]
    lines[50] = "- Read the gauge."
    write_files(tmp_path / "docs", {"a.md": "\n".join(lines) + "\n"})
    assert cli("index", tmp_path / "docs", "--quiet", "--index", "steps", "--passage-tokens", "32").code == 0
    query = ("query", "read the gauge", *CHEAP, "--index", "steps", "--top-n", "1", "--format", "json", "-C")
    for count in (0, 1, 7, 200):
        (hit,) = cli(*query, str(count)).json["results"][0]["hits"]
        first, last = hit["first_line"] - 1, hit["last_line"]
        before, after = ("\n".join(each["text"] for each in hit[side]).splitlines() for side in ("before", "after"))
        assert before == lines[max(0, first - count) : first]
        assert after == lines[last : last + count]


def test_what_is_around_a_hit_needs_a_format_with_room(indexed: Path, cli: Cli) -> None:
    for format in ("tsv", "vimgrep", "paths", "trec", "context"):
        assert_one_line(cli(*QUERY, "-C", "2", "--format", format), f"--format {format}", "-C")


@pytest.mark.parametrize(
    ("environment", "flag", "is_coloured"),
    [
        ({}, "auto", False),
        ({}, "always", True),
        ({"NO_COLOR": "1"}, "always", True),
        ({"TERM": "dumb"}, "always", True),
        ({"FORCE_COLOR": "1"}, "auto", True),
        ({"FORCE_COLOR": "1"}, "never", False),
        ({"CLICOLOR_FORCE": "1"}, "auto", True),
        ({"CLICOLOR_FORCE": "0"}, "auto", False),
        ({"CLICOLOR_FORCE": "1", "NO_COLOR": "1"}, "auto", False),
    ],
)
def test_colours_in_a_pipe_follow_the_flag_and_then_the_environment(
    indexed: Path,
    cli: Cli,
    monkeypatch: pytest.MonkeyPatch,
    environment: dict[str, str],
    flag: str,
    is_coloured: bool,
) -> None:
    monkeypatch.delenv("NO_COLOR")
    for name, value in {"TERM": "xterm-256color", **environment}.items():
        monkeypatch.setenv(name, value)
    shown = cli(*QUERY, "--format", "table", "--color", flag).out
    assert bool(COLOR.search(shown)) == is_coloured
    if flag == "never":
        assert "\x1b" not in shown


def test_a_terminal_gets_no_colours_where_they_are_not_wanted(indexed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert COLOR.search(on_a_terminal(*QUERY))
    assert "\x1b" not in on_a_terminal(*QUERY, "--color", "never", "--quiet")
    monkeypatch.setenv("CLICOLOR", "0")
    assert not COLOR.search(on_a_terminal(*QUERY))


@pytest.mark.parametrize("format", ["plain", "paths", "vimgrep", "tsv", "trec"])
def test_a_terminal_is_told_that_nothing_was_found_where_the_output_does_not_say_it(indexed: Path, format: str) -> None:
    shown = on_a_terminal("query", "zzzz", *CHEAP, "--format", format, code=1)
    assert shown.endswith("rerank-cli: nothing found\r\n")
    assert "nothing found" not in on_a_terminal("query", "zzzz", *CHEAP, "--format", format, "--quiet", code=1)


def test_a_terminal_is_told_that_nothing_is_similar(indexed: Path) -> None:
    itself = ("similar", "garden/slugs.txt", "--path", "garden/slugs.txt", *CHEAP, "--format", "paths")
    assert on_a_terminal(*itself, code=1).endswith("rerank-cli: nothing found\r\n")


def test_a_terminal_is_told_that_the_index_is_behind_where_a_candidate_changed(
    tmp_path: Path, model_cache: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(write_files(tmp_path, {"a.md": "The radiator is cold.\n", "b.md": "The radiator hums.\n"}))
    assert cli("index", ".", "--quiet").code == 0
    query = ("query", "cold radiator", *CHEAP, "--top-n", "1")
    assert "changed" not in on_a_terminal(*query, "-l")
    (tmp_path / "b.md").write_text("The radiator hums at night.\n")
    assert "1 file that may answer changed since; bring the index up to date:" in on_a_terminal(*query, "-l")
    assert "bring the index up to date" in on_a_terminal(*query)
    assert cli(*query, "-l").err == ""
