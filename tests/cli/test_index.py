"""`index`: what it says, what it writes, and which index a command means."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import Cli, assert_one_line, write_files

HOUSE = {
    "a.md": "Bleed the radiator.\n",
    "b.txt": "Feed the starter.\n",
    "photo.jpg": "\0\1\2",
    ".hidden.md": "The key is under the mat.\n",
}


@pytest.fixture
def house(tmp_path: Path, model_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to index, with the working directory elsewhere."""
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    return write_files(tmp_path / "house", HOUSE)


def tree(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_the_summary_is_one_line_of_what_changed(house: Path, cli: Cli) -> None:
    first = cli("index", house)
    assert (first.code, first.err) == (0, "")
    assert ": 2 documents, 2 passages (2 added; 2 passages encoded, 0 reused) in " in first.out
    assert first.out.startswith("house-") and first.out.count("\n") == 1
    assert ": 2 documents, 2 passages (up to date) in " in cli("index", house).out
    write_files(house, {"a.md": "Bleed every radiator.\n", "c.md": "Feed the starter.\n"})
    (house / "b.txt").unlink()
    assert "(1 added, 1 changed, 1 removed; 1 passage encoded, 1 reused)" in cli("index", house).out


def test_json_gives_the_counts_and_the_failures(house: Path, cli: Cli) -> None:
    write_files(house, {"bad.jsonl": '{"_id":\n'})
    record = cli("index", house, "--json").json
    assert (record["added"], record["encoded"], record["up_to_date"]) == (3, 2, False)
    assert [failure["path"] for failure in record["failed"]] == ["bad.jsonl"]
    assert Path(record["folder"]).is_dir()
    assert cli("index", house, "--json").json["up_to_date"] is True


def test_quiet_prints_nothing(house: Path, cli: Cli) -> None:
    outcome = cli("index", house, "--quiet")
    assert (outcome.code, outcome.out, outcome.err) == (0, "", "")


def test_dry_run_lists_every_file_with_its_reason_and_writes_nothing(house: Path, cli: Cli) -> None:
    before = tree(house)
    outcome = cli("index", house, "--dry-run")
    kinds = {path: kind for kind, path, *_ in (line.split("\t") for line in outcome.lines)}
    assert kinds == {"a.md": "index", "b.txt": "index", "photo.jpg": "skip", ".hidden.md": "skip"}
    assert all(len(line.split("\t")) == 3 and line.split("\t")[2] for line in outcome.lines if line.startswith("skip"))
    record = cli("index", house, "--dry-run", "--json").json
    assert [file["path"] for file in record["files"]] == ["a.md", "b.txt"]
    assert {file["path"] for file in record["skipped"]} == {"photo.jpg", ".hidden.md"}
    assert tree(house) == before
    assert not Path(os.environ["XDG_DATA_HOME"]).exists()


def test_flags_say_what_is_indexed(house: Path, cli: Cli) -> None:
    def listed(*flags: str) -> list[str]:
        return [line.split("\t")[1] for line in cli("index", house, "--dry-run", *flags).lines if line[:5] == "index"]

    assert listed("--hidden") == [".hidden.md", "a.md", "b.txt"]
    assert listed("--include", "*.md", "--include", "*.rst") == ["a.md"]
    assert listed("--exclude", "a.*") == ["b.txt"]
    assert listed("--max-file-size", "19B") == ["b.txt"]
    write_files(house, {".rerankignore": "b.txt\n"})
    assert listed() == ["a.md"]
    assert listed("--no-ignore") == ["a.md", "b.txt"]


def test_an_emptied_folder_keeps_its_index_unless_allowed(house: Path, cli: Cli) -> None:
    cli("index", house)
    (house / "a.md").unlink()
    (house / "b.txt").unlink()
    assert_one_line(cli("index", house), "is the disk mounted?", "--allow-empty")
    assert "2 documents" in " ".join(cli("status").out.split())
    assert "0 documents, 0 passages (2 removed" in cli("index", house, "--allow-empty").out


# Which index a command means


def test_the_nearest_indexed_folder_around_the_working_directory_is_meant(
    tmp_path: Path, model_cache: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_files(tmp_path, {"outer/a.md": "outer\n", "outer/inner/deep/b.md": "inner\n", "other/c.md": "other\n"})
    for folder in ("outer", "outer/inner", "other"):
        assert cli("index", tmp_path / folder, "--quiet").code == 0
    for folder, meant in (("outer", "outer"), ("outer/inner/deep", "outer/inner"), ("other", "other")):
        monkeypatch.chdir(tmp_path / folder)
        assert cli("status", "--json").json["root"] == str(tmp_path / meant)
    monkeypatch.chdir(tmp_path)
    outcome = cli("status")
    assert outcome.code == 3
    assert_one_line(outcome, "several folders", str(tmp_path / "outer"), str(tmp_path / "other"), "--index NAME")
    shutil.rmtree(Path(os.environ["XDG_DATA_HOME"]) / "rerank-cli" / "indexes")
    cli("index", tmp_path / "other", "--quiet")
    assert cli("status", "--json").json["root"] == str(tmp_path / "other"), "the only one is meant from anywhere"


def test_an_index_is_named_by_flag_or_variable_and_by_path_with_a_slash(
    house: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli("index", house, "--index", "mine", "--quiet")
    cli("index", house, "--index", "./here", "--quiet")
    indexes = Path(os.environ["XDG_DATA_HOME"]) / "rerank-cli" / "indexes"
    assert cli("status", "--index", "mine", "--json").json["index"] == str(indexes / "mine")
    assert cli("status", "--index", "./here", "--json").json["index"] == str(Path.cwd() / "here")
    monkeypatch.setenv("RERANK_CLI_INDEX", "./here")
    assert cli("status", "--json").json["index"] == str(Path.cwd() / "here")
    assert cli("status", "--index", "mine", "--json").json["index"] == str(indexes / "mine")


def test_a_folder_with_the_longest_name_a_disk_takes_is_indexed(tmp_path: Path, model_cache: Path, cli: Cli) -> None:
    name = "é" * 127
    write_files(tmp_path / name, {"a.md": "Bleed the radiator.\n"})
    assert cli("index", tmp_path / name, "--quiet").code == 0
    assert cli("status", "--json").json["root"] == str(tmp_path / name)


def test_an_index_of_another_folder_is_not_overwritten(house: Path, cli: Cli, tmp_path: Path) -> None:
    cli("index", house, "--index", "mine", "--quiet")
    write_files(tmp_path / "barn", {"a.md": "Feed the hens.\n"})
    outcome = cli("index", tmp_path / "barn", "--index", "mine")
    assert outcome.code == 3
    assert_one_line(outcome, f"made from {house}", "--rebuild")
    assert cli("status", "--json").json["root"] == str(house)
