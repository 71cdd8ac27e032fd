"""`similar`: what a path and a place in it mean, and what is printed."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from rerank_cli import open_library
from tests.cli.conftest import Cli, assert_one_line, write_files
from tests.fakes import FakeEncoder, FakeReranker

FILES = {
    "bikes/brakes.md": "# Stopping\n\nThe brake squeals when it is wet.\n\n# Pads\n\nNew pads quieten a brake.\n",
    "bikes/chain.md": "# Chain\n\nOil the chain when it is wet.\n",
    "garden/notes:12": "New pads quieten a brake, and so does lettuce.\n",
    "talk.srt": f"1\n00:00:01,000 --> 00:00:03,000\nA brake is wet{' and cold' * 10}.\n\n"
    f"2\n00:01:20,500 --> 00:01:24,000\nNew pads for a brake{' or two' * 10}.\n",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in an indexed folder."""
    monkeypatch.setattr("rerank_cli.models.loading.open_encoder", lambda *_, **__: FakeEncoder())
    monkeypatch.setattr("rerank_cli.models.loading.open_reranker", lambda *_, **__: FakeReranker())
    folder = write_files(tmp_path / "docs", FILES)
    monkeypatch.chdir(folder)
    with open_library(folder, passage_tokens=32) as library:
        library.update()
    return folder


def asked_with(cli: Cli, passage: str, *more: str) -> str:
    outcome = cli("similar", passage, "-f", "json", *more)
    assert outcome.code == 0, outcome.err
    return str(outcome.json["results"][0]["query"])


def test_other_documents_are_found_in_every_format_of_query(folder: Path, cli: Cli) -> None:
    assert cli("similar", "bikes/brakes.md:7", "-f", "paths", "-n", "1").lines == ["garden/notes:12"]
    rank, _, place, *_ = cli("similar", "bikes/brakes.md:7", "-n", "1").out.split("\t")
    assert (rank, place) == ("1", "garden/notes:12:1")
    hits = json.loads(cli("similar", "bikes/brakes.md:7", "-f", "jsonl").out)["hits"]
    assert {hit["path"] for hit in hits} == {*FILES} - {"bikes/brakes.md"}
    assert {line.split()[0] for line in cli("similar", "bikes/brakes.md:7", "-f", "trec").lines} == {"1"}


def test_trec_has_each_document_once(folder: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RERANK_CLI_PER_DOCUMENT", "2")
    assert len(json.loads(cli("similar", "garden/notes:12", "-f", "jsonl").out)["hits"]) > 3
    assert len(cli("similar", "garden/notes:12", "-f", "trec").lines) == 3


def test_a_path_is_read_from_where_one_stands_through_links_or_as_hits_have_it(
    folder: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = "Stopping. The brake squeals when it is wet. Stopping > Pads. New pads quieten a brake."
    (folder.parent / "link").symlink_to(folder)
    for place, path in (
        (folder, "bikes/brakes.md"),
        (folder / "bikes", "brakes.md"),
        (folder / "garden", "../bikes/brakes.md"),
        (folder / "garden", "bikes/brakes.md"),
        (folder, str(folder / "bikes" / "brakes.md")),
        (folder, "../link/bikes/brakes.md"),
    ):
        monkeypatch.chdir(place)
        assert asked_with(cli, path) == whole, (place, path)


def test_the_index_is_that_of_the_file_wherever_one_stands(
    folder: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    other = write_files(tmp_path / "other", {"slugs.md": "Slugs eat lettuce.\n"})
    cli("index", other, "-q")
    monkeypatch.chdir(tmp_path)
    assert cli("similar", "docs/bikes/brakes.md:7", "-f", "paths", "-n", "1").lines == ["docs/garden/notes:12"]
    monkeypatch.chdir(other)
    place = str(folder / "bikes" / "brakes.md")
    assert cli("similar", place, "-f", "paths", "-n", "1").lines == [str(folder / "garden" / "notes:12")]


def test_a_place_is_a_line_several_or_a_time(folder: Path, cli: Cli) -> None:
    assert asked_with(cli, "bikes/brakes.md:7") == "Stopping > Pads. New pads quieten a brake."
    assert asked_with(cli, "bikes/brakes.md:1-7").count("brake") == 2
    assert "New pads" in asked_with(cli, "talk.srt:00:01:20")
    assert "wet" in asked_with(cli, "talk.srt:0:00:02")


def test_a_line_of_a_heading_is_the_text_below_it(folder: Path, cli: Cli) -> None:
    assert asked_with(cli, "bikes/brakes.md:5") == "Stopping > Pads. New pads quieten a brake."


def test_of_several_indexes_the_passage_is_in_any(folder: Path, cli: Cli, tmp_path: Path) -> None:
    other = write_files(tmp_path / "other", {"pads.md": "New pads quieten a brake.\n"})
    with open_library(other, passage_tokens=32) as library:
        library.update()
    cli("index", folder, "--index", "one", "-q")
    cli("index", other, "--index", "two", "-q")
    place = str(other / "pads.md")
    outcome = cli("similar", place, "--index", "one", "--index", "two", "-f", "paths", "-n", "1")
    assert outcome.lines == ["garden/notes:12"], outcome.err


def test_a_name_that_ends_like_a_place_is_a_name(folder: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "lettuce" in asked_with(cli, "garden/notes:12")
    assert "lettuce" in asked_with(cli, "garden/notes:12:1")
    monkeypatch.chdir(folder / "bikes")
    assert "lettuce" in asked_with(cli, "garden/notes:12")


@pytest.mark.parametrize(
    ("passage", "parts"),
    [
        ("bikes/brakes.md:90", ["bikes/brakes.md: nothing stands at line 90", "the nearest text stands at line 7"]),
        ("talk.srt:09:00:00", ["nothing stands at 09:00:00", "the nearest text stands at 00:01:20-00:01:24"]),
        ("talk.srt:00:00:30", ["nothing stands at 00:00:30", "the nearest text stands at 00:00:01-00:00:03"]),
        ("gone.md:3", ["gone.md: not in the index", "rerank-cli index"]),
        ("gone.md", ["gone.md: not in the index", "rerank-cli index"]),
        ("bikes/brakes.md:7-3", ["from 7 to 3"]),
        ("bikes/brakes.md:99999999999999999999", ["not in the index"]),
        ("", ["not in the index"]),
        ("\udcff.md:3", ["not in the index"]),
    ],
)
def test_what_is_not_there_ends_with_2_and_one_line(folder: Path, cli: Cli, passage: str, parts: list[str]) -> None:
    outcome = cli("similar", passage)
    assert outcome.code == 2
    assert_one_line(outcome, *parts)


def test_options_narrow_it_as_they_narrow_a_query(folder: Path, cli: Cli) -> None:
    assert cli("similar", "bikes/brakes.md", "--path", "*.srt", "-f", "paths").lines == ["talk.srt"]
    outcome = cli("similar", "bikes/brakes.md", "--min-score", "0.9999")
    assert (outcome.code, outcome.out) == (1, "")
    outcome = cli("similar", "bikes/brakes.md", "--ext", "pdf")
    assert outcome.code == 2 and "pdf" in outcome.err
    assert cli("similar", "bikes/brakes.md", "-f", "context").code == 2


def test_lines_that_may_have_moved_are_told(folder: Path, cli: Cli) -> None:
    os.utime(folder / "bikes/brakes.md", (1_700_000_000, 1_700_000_000))
    assert cli("similar", "bikes/brakes.md").err == "", "its content is the same"
    (folder / "bikes/brakes.md").write_text("# New\n")
    outcome = cli("similar", "bikes/brakes.md")
    assert outcome.code == 0 and outcome.err.startswith("rerank-cli: bikes/brakes.md is gone or changed")
    assert cli("similar", "bikes/brakes.md", "--quiet").err == ""
