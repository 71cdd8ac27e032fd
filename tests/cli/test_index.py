"""`index`: what it says, what it writes, and which index a command means."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from rerank_cli.corpus.read.formats import FORMATS, Format
from rerank_cli.records import Block, Document, Place, Reading
from tests.cli.conftest import Cli, assert_one_line, write_files

HOUSE = {
    "a.md": "Bleed the radiator.\n",
    "b.txt": "Feed the starter.\n",
    "photo.jpg": "\0\1\2",
    ".hidden.md": "The key is under the mat.\n",
}


@pytest.fixture
def house(tmp_path: Path, builtin_compiled: Path, model_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to index, with the working directory elsewhere."""
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    return write_files(tmp_path / "house", HOUSE)


def tree(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_the_summary_is_one_line_of_what_changed(house: Path, cli: Cli) -> None:
    first = cli("index", house)
    assert (first.code, first.err) == (0, "")
    assert ": 2 files, 2 documents, 2 passages (2 files added; 2 passages encoded, 0 reused) in " in first.out
    assert first.out.startswith("house-") and first.out.count("\n") == 1
    assert ": 2 files, 2 documents, 2 passages (up to date) in " in cli("index", house).out
    write_files(house, {"a.md": "Bleed every radiator.\n", "c.md": "Feed the starter.\n"})
    (house / "b.txt").unlink()
    assert "(1 file added, 1 changed, 1 removed; 1 passage encoded, 1 reused)" in cli("index", house).out


def test_json_gives_the_counts_and_the_failures(house: Path, cli: Cli) -> None:
    write_files(house, {"bad.jsonl": '{"_id":\n'})
    record = cli("index", house, "--json").json
    assert (record["added"], record["encoded"], record["up_to_date"]) == (3, 2, False)
    assert [failure["path"] for failure in record["failed"]] == record["newly_failed"] == ["bad.jsonl"]
    assert (record["skipped"], record["skipped_by_cause"]) == (2, {"binary": 1, "hidden": 1})
    assert record["unread_formats"] == {"jpg": 1}
    assert Path(record["folder"]).is_dir()
    assert cli("index", house, "--json").json["up_to_date"] is True


def test_what_of_a_file_could_not_be_read_is_told_when_it_is_read(
    house: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_half(text: str, path: str) -> Reading:
        document = Document(path, "", (Block("half", Place("page", 2, 2)),))
        return Reading((document,), ("page 1 holds no text: scanned?",))

    monkeypatch.setitem(sys.modules, "rerank_cli.corpus.read.half", SimpleNamespace(read=read_half))
    monkeypatch.setitem(FORMATS, ".half", Format("half", 1, "half"))
    write_files(house, {"a.half": "x"})
    outcome = cli("index", house)
    assert outcome.err == "rerank-cli: a.half: page 1 holds no text: scanned?\n"
    assert "; 1 file read in part" in outcome.out
    again = cli("index", house)
    assert (again.err, "in part" in again.out) == ("", False)
    (house / "a.half").write_text("y")
    assert cli("index", house, "--json").json["noted"] == [
        {"path": "a.half", "notes": ["page 1 holds no text: scanned?"]}
    ]


def test_the_summary_tells_in_few_words_what_was_not_read(house: Path, cli: Cli) -> None:
    binary = dict.fromkeys(("1.mp4", "2.mp4", "3.MP4", "x.avi", "y.avi", "noext", "z.png"), "\x00")
    write_files(house, {**binary, "bad.jsonl": "no json\n", "long.txt": "word " * 50})
    (house / "nowhere.md").symlink_to("gone.md")
    outcome = cli("index", house, "--max-file-size", "200B")
    assert outcome.out.strip().endswith(
        "; 1 file could not be read"
        "; 10 files not read: 3 mp4, 2 avi, 1 jpg, …, 1 too large, 1 link (--dry-run lists them)"
    )
    record = cli("index", house, "--max-file-size", "200B", "--json").json
    assert record["skipped_by_cause"] == {"binary": 8, "hidden": 1, "link": 1, "too large": 1}


def test_the_summary_tells_of_pages_that_were_read_without_what_they_repeat(house: Path, cli: Cli) -> None:
    text = "It says what nobody else says about the number {}. " * 4
    write_files(house, {f"{n}.html": f"<div>Acme</div><p>{text.format(n, n, n, n)}</p>" for n in range(5)})
    assert "; 4 pages read without what most pages of their folder repeat; " in cli("index", house).out


def test_cron_is_told_of_a_bad_file_once_and_again_when_it_changes(house: Path, cli: Cli) -> None:
    def told() -> str:
        outcome = cli("index", house, "--quiet")
        assert (outcome.code, outcome.out) == (0, "")
        return outcome.err

    write_files(house, {"bad.jsonl": "no json\n"})
    assert cli("index", house, "--json").json["newly_failed"] == ["bad.jsonl"]
    assert told().startswith("rerank-cli: bad.jsonl: line 1")
    assert told() == ""
    assert "bad.jsonl" in cli("index", house).err, "a person is told each time"
    assert cli("status", "--json").json["unreadable"].keys() == {"bad.jsonl"}
    assert cli("index", house, "--quiet", "--strict").err == ""
    assert cli("index", house, "--quiet", "--strict").code == 5
    write_files(house, {"bad.jsonl": "still none\n", "worse.jsonl": "none\n"})
    assert told().count("\n") == 2
    assert told() == ""
    write_files(house, {"bad.jsonl": '{"text": "mended"}\n'})
    assert told() == ""
    write_files(house, {"bad.jsonl": "no json\n"})
    assert cli("index", house, "--json").json["newly_failed"] == ["bad.jsonl"]
    assert told().startswith("rerank-cli: bad.jsonl: line 1")


def test_a_damaged_row_counts_in_each_strict_run_and_is_told_in_the_first(house: Path, cli: Cli) -> None:
    write_files(house, {"log.jsonl": '{"text": "pumped"}\n{"text":\n{"text": "oiled"}\n'})
    first = cli("index", house, "--quiet", "--strict")
    fault, verdict = first.err.splitlines()
    assert fault.startswith("rerank-cli: log.jsonl: line 2: left out")
    assert (first.code, verdict) == (5, "rerank-cli: 1 file damaged; see --json for each reason")
    assert (cli("index", house, "--quiet", "--strict").err, cli("index", house, "--strict").code) == ("", 5)
    assert cli("index", house, "--json").json["damaged"] == ["log.jsonl"]
    write_files(house, {"log.jsonl": '{"text": "pumped"}\n'})
    assert cli("index", house, "--quiet", "--strict").code == 0


def test_what_is_no_damage_is_told_once_to_cron_and_passes_a_strict_run(house: Path, cli: Cli) -> None:
    write_files(house, {"log.jsonl": '{"id": 1, "text": "pumped"}\n{"id": 1, "text": "oiled"}\n'})
    first = cli("index", house, "--quiet", "--strict")
    assert (first.code, first.err.count("\n")) == (0, 1)
    assert first.err.startswith("rerank-cli: log.jsonl: line 2: id '1' stood above already")
    assert cli("index", house, "--quiet", "--strict").err == ""


def test_where_too_much_is_gone_the_rest_is_done_and_the_code_is_4(house: Path, cli: Cli) -> None:
    write_files(house, {f"many/{number}.md": f"note {number}\n" for number in range(30)})
    cli("index", house, "--quiet")
    shutil.move(house / "many", house.parent / "away")
    write_files(house, {"new.md": "new\n"})
    outcome = cli("index", house)
    assert outcome.code == 4
    assert "33 files, 33 documents, 33 passages (1 file added, 30 kept though missing;" in outcome.out
    assert outcome.err == (
        f"rerank-cli: {house}: 30 of 32 documents would be lost, more than 50%; they stay in the index, "
        "and all else is up to date; mount the disk, or pass --allow-shrink if they are really gone\n"
    )
    quiet = cli("index", house, "--quiet")
    assert (quiet.code, quiet.out, quiet.err) == (4, "", outcome.err.replace("30 of 32", "30 of 33"))
    record = json.loads(cli("index", house, "--json").out)
    assert len(record["kept"]) == 30 and record["doubt"].startswith("30 of 33")
    assert cli("index", house, "--max-shrink", "0.95").code == 0
    assert "3 files, 3 documents" in cli("index", house).out


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
    assert_one_line(cli("index", house), "is the disk mounted?", "--allow-shrink")
    assert "2 documents" in " ".join(cli("status").out.split())
    assert "0 documents, 0 passages (2 files removed" in cli("index", house, "--allow-shrink").out


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


def test_vectors_says_how_they_are_searched(house: Path, cli: Cli) -> None:
    def search() -> str:
        return str(cli("status", "--json").json["search"])

    cli("index", house, "--vectors", "hnsw", "--quiet")
    assert search() == "HNSW graph"
    assert cli("query", "bleed the radiator", "-f", "paths", "-n", "1", "--no-rerank").lines == [str(house / "a.md")]
    write_files(house, {"rerank.yaml": "vectors: exact\n"})
    cli("index", house, "--quiet")
    assert search() == "exact scan"
    outcome = cli("index", house, "--vectors", "annoy")
    assert outcome.code == 2
    assert_one_line(outcome, "--vectors is 'annoy'", "auto, exact, hnsw")


@pytest.mark.parametrize(("flags", "encoded"), [((), 0), (("--prune",), 1)])
def test_prune_drops_the_vectors_of_texts_that_are_gone(
    house: Path, cli: Cli, flags: tuple[str, ...], encoded: int
) -> None:
    cli("index", house, "--quiet")
    (house / "b.txt").unlink()
    assert cli("index", house, "--quiet", *flags).code == 0
    write_files(house, HOUSE)
    record = cli("index", house, "--json").json
    assert (record["added"], record["encoded"]) == (1, encoded)
