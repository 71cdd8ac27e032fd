"""What people and shells read and write as a path is relative to where they stand, in or outside the indexed folder."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import Cli, assert_one_line, write_files

LEXICAL = ("--retriever", "lexical", "--no-rerank")
WORDS = ("query", "radiator", *LEXICAL)


def paths(cli: Cli, *more: str) -> list[str]:
    return cli(*WORDS, "-f", "paths", *more).lines


@pytest.fixture
def manual(tmp_path: Path, model_cache: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An indexed manual of three pages that all speak of radiators; one stands in docs/api of it."""
    files = ("docs/api/v1/old.md", "docs/api/v2/new.md", "v2/guide.md")
    root = write_files(tmp_path / "manual", {path: f"The radiator of {path}.\n" for path in files})
    assert cli("index", root, "--quiet").code == 0
    monkeypatch.chdir(root / "docs" / "api")
    return root


# What is printed


def test_a_shell_can_open_each_path_from_a_folder_within_the_indexed_one(manual: Path, cli: Cli) -> None:
    printed = paths(cli)
    assert sorted(printed) == [str(manual / "v2/guide.md"), "v1/old.md", "v2/new.md"]
    done = subprocess.run(["cat", *printed], capture_output=True, text=True, check=True)
    assert done.stdout.count("The radiator of ") == 3


def test_from_above_the_indexed_folder_a_path_leads_into_it(
    manual: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(manual.parent)
    assert "manual/v2/guide.md" in paths(cli)


def test_from_elsewhere_a_path_is_absolute(manual: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    (manual.parent / "elsewhere").mkdir()
    monkeypatch.chdir(manual.parent / "elsewhere")
    assert str(manual / "v2/guide.md") in paths(cli)


@pytest.mark.parametrize("format", ["plain", "table"])
def test_what_people_read_is_relative_to_where_they_stand(
    manual: Path, cli: Cli, format: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    words = cli(*WORDS, "-f", format).out.replace("\t", " ").split()
    assert {"v1/old.md:1", "v2/new.md:1", f"{manual}/v2/guide.md:1"} <= set(words)


def test_programs_read_the_path_in_the_root_and_the_location(manual: Path, cli: Cli) -> None:
    hits = cli(*WORDS, "-f", "json").json["results"][0]["hits"]
    assert {hit["path"]: hit["location"] for hit in hits} == {hit["path"]: str(manual / hit["path"]) for hit in hits}
    assert json.loads(cli(*WORDS, "-f", "jsonl").out)["hits"] == hits
    header, *lines = (line.split("\t") for line in cli(*WORDS, "-f", "tsv").lines)
    rows = [dict(zip(header, line, strict=True)) for line in lines]
    assert [(row["path"], row["location"]) for row in rows] == [(hit["path"], hit["location"]) for hit in hits]
    assert {line.split(" ")[2] for line in cli(*WORDS, "-f", "trec").lines} == {hit["document"] for hit in hits}


def test_a_file_that_was_indexed_alone_has_its_own_place(
    tmp_path: Path, model_cache: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_files(tmp_path / "one", {"notes.md": "A radiator.\n", "other/x.md": "x\n"})
    monkeypatch.chdir(tmp_path / "one")
    assert cli("index", "notes.md", "--quiet").code == 0
    assert paths(cli) == ["notes.md"]
    monkeypatch.chdir(tmp_path / "one" / "other")
    assert paths(cli) == [str(tmp_path / "one" / "notes.md")]
    hit = cli(*WORDS, "-f", "json").json["results"][0]["hits"][0]
    assert (hit["path"], hit["location"]) == ("notes.md", str(tmp_path / "one" / "notes.md"))


def test_a_name_that_looks_like_an_option_is_none_to_a_shell(
    tmp_path: Path, model_cache: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(write_files(tmp_path / "odd", {"-n.md": "A radiator.\n"}))
    assert cli("index", ".", "--quiet").code == 0
    assert paths(cli) == ["./-n.md"]
    assert subprocess.run(["cat", *paths(cli)], capture_output=True, text=True, check=True).stdout == "A radiator.\n"


def test_a_line_break_in_a_name_makes_no_second_line(
    tmp_path: Path, model_cache: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(write_files(tmp_path / "odd", {"a\nb.md": "A radiator.\n"}))
    assert cli("index", ".", "--quiet").code == 0
    assert paths(cli) == [r"a\nb.md"]
    assert cli(*WORDS, "-f", "json").json["results"][0]["hits"][0]["location"] == str(Path.cwd() / "a\nb.md")


# What is asked for by --path


@pytest.mark.parametrize(
    ("glob", "found"),
    [
        ("v2/*", ["docs/api/v2/new.md"]),
        ("./v2/", ["docs/api/v2/new.md"]),
        ("v2/", ["docs/api/v2/new.md", "v2/guide.md"]),
        ("*.md", ["docs/api/v1/old.md", "docs/api/v2/new.md", "v2/guide.md"]),
        ("./", ["docs/api/v1/old.md", "docs/api/v2/new.md"]),
        ("../api/v1/*", ["docs/api/v1/old.md"]),
        ("../../v2/*", ["v2/guide.md"]),
        ("/v2/*", ["v2/guide.md"]),
        ("{root}/v2/*", ["v2/guide.md"]),
        ("{root}/docs", ["docs/api/v1/old.md", "docs/api/v2/new.md"]),
        ("{root}", ["docs/api/v1/old.md", "docs/api/v2/new.md", "v2/guide.md"]),
    ],
)
def test_a_glob_is_read_from_where_one_stands(manual: Path, cli: Cli, glob: str, found: list[str]) -> None:
    asked = glob.replace("{root}", str(manual))
    record = cli(*WORDS, "-f", "json", "--path", asked).json
    assert sorted(hit["path"] for hit in record["results"][0]["hits"]) == found
    assert record["parameters"]["path"] == [asked]


def test_a_printed_path_can_be_asked_for(manual: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in (manual, manual / "docs/api", manual.parent, Path("/")):
        monkeypatch.chdir(folder)
        for path in paths(cli, "--index", manual_index(cli)):
            assert paths(cli, "--index", manual_index(cli), "--path", path if "/" in path else f"./{path}") == [path]


def manual_index(cli: Cli) -> str:
    return str(cli("status", "--json").json["index"])


def test_a_folder_whose_name_is_a_pattern_is_taken_as_it_is(
    tmp_path: Path, model_cache: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write_files(tmp_path / "odd", {"[ab]/x/y.md": "A radiator.\n", "a/x/y.md": "Another radiator.\n"})
    assert cli("index", root, "--quiet").code == 0
    monkeypatch.chdir(root / "[ab]")
    assert paths(cli, "--path", "x/*") == ["x/y.md"]


def test_a_glob_takes_back_what_another_one_matches(manual: Path, cli: Cli) -> None:
    left = paths(cli, "--path", "*.md", "--path", "!v2/*")
    assert sorted(left) == sorted([str(manual / "v2/guide.md"), "v1/old.md"])


@pytest.mark.parametrize("glob", ["nowhere/", "docs/api/v2/*", "../../../elsewhere/*", "/docs/*.txt"])
def test_a_glob_that_matches_no_file_of_the_index_is_told(manual: Path, cli: Cli, glob: str) -> None:
    outcome = cli(*WORDS, "--path", "v1/*", "--path", glob)
    assert outcome.code == 2
    assert_one_line(outcome, f"--path: {glob!r} matches no file of the index", str(manual))
