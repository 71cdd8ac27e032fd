"""`indexes`: which there are, renamed, removed and pruned; and several of them in one query."""

from __future__ import annotations

import fcntl
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from rerank_cli.store.housekeeping import REMOVED
from rerank_cli.store.location import index_folders, indexes_folder
from tests.cli.conftest import Cli, assert_one_line, write_files
from tests.fakes import FakeEncoder, FakeReranker


@pytest.fixture(autouse=True)
def fakes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rerank_cli.models.loading.open_encoder", lambda *_, **__: FakeEncoder())
    monkeypatch.setattr("rerank_cli.models.loading.open_reranker", lambda *_, **__: FakeReranker())


@pytest.fixture
def two(tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with `notes` and `work`, each indexed under its name, and here."""
    write_files(tmp_path, {"notes/gas.md": "Shut the gas valve.\n", "work/gas.md": "The gas bill is paid.\n"})
    for name in ("notes", "work"):
        assert cli("index", tmp_path / name, "--index", name).code == 0
    monkeypatch.chdir(tmp_path)
    yield tmp_path


def names() -> list[str]:
    return [folder.name for folder in index_folders()]


def test_the_list_tells_of_each_index(two: Path, cli: Cli) -> None:
    (two / "work/new.md").write_text("New.\n", encoding="utf-8")
    listed = cli("indexes", "--json").json["indexes"]
    assert [(each["name"], each["root"], each["documents"]) for each in listed] == [
        ("notes", str(two / "notes"), 1),
        ("work", str(two / "work"), 1),
    ]
    assert [each["since"]["added"] for each in listed] == [[], ["new.md"]]
    table = cli("indexes").out
    assert "nothing has changed since; encoder all-MiniLM-L6-v2" in table
    assert "1 added since; encoder all-MiniLM-L6-v2" in table


def test_an_index_that_cannot_be_used_is_listed_with_the_reason(two: Path, cli: Cli) -> None:
    (indexes_folder() / "notes/catalog.sqlite").write_bytes(b"no database" * 1000)
    (damaged, sound) = cli("indexes", "--json").json["indexes"]
    assert damaged["root"] == str(two / "notes")
    assert "catalog.sqlite" in damaged["failure"]
    assert sound["failure"] is None


def test_no_index_at_all_is_told(cli: Cli) -> None:
    assert "no folder is indexed yet" in cli("indexes").err
    assert cli("indexes", "--json").json == {"indexes": []}


def test_a_renamed_index_answers_under_its_new_name_and_in_its_folder(
    two: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cli("indexes", "rename", "no", "diary").code == 0
    assert names() == ["diary", "work"]
    assert cli("query", "valve", "--index", "diary", "-f", "paths").lines == ["notes/gas.md"]
    monkeypatch.chdir(two / "notes")
    assert cli("query", "valve", "-f", "paths").lines == ["gas.md"]


@pytest.mark.parametrize("name", ["work", "a/b", ".hidden", " ", "~x"])
def test_a_name_that_is_taken_or_is_none_is_refused(two: Path, cli: Cli, name: str) -> None:
    refused = cli("indexes", "rename", "notes", name)
    assert refused.code == 2
    assert_one_line(refused)
    assert names() == ["notes", "work"]


def test_a_removed_index_is_gone_and_its_documents_stay(two: Path, cli: Cli) -> None:
    assert cli("indexes", "remove", "notes").code == 0
    assert names() == ["work"]
    assert (two / "notes/gas.md").is_file()
    assert cli("indexes", "remove", "notes").code == 3


@pytest.mark.parametrize("command", [("remove", "notes"), ("rename", "notes", "diary")])
def test_an_index_that_is_being_written_stays_as_it_is(two: Path, cli: Cli, command: tuple[str, ...]) -> None:
    with (indexes_folder() / "notes/write.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert cli("indexes", *command).code == 75
    assert names() == ["notes", "work"]


def test_no_folder_but_an_index_of_ours_is_removed(two: Path, cli: Cli) -> None:
    for place in (two / "notes", Path("..")):
        assert cli("indexes", "remove", f"{place}/").code == 3
    assert (two / "notes/gas.md").is_file()


def test_pruning_removes_indexes_of_folders_that_are_gone(two: Path, cli: Cli) -> None:
    shutil.rmtree(two / "notes")
    assert "is gone" in cli("indexes", "prune", "--dry-run").out
    assert names() == ["notes", "work"]
    assert f"notes: {two / 'notes'} is gone" in cli("indexes", "prune").out
    assert names() == ["work"]


def test_pruning_keeps_the_index_of_a_folder_that_may_be_on_a_lost_disk(two: Path, cli: Cli) -> None:
    for name in ("notes", "work"):
        shutil.rmtree(two / name)
    for other in two.iterdir():  # now the mount point is empty
        shutil.rmtree(other) if other.is_dir() else other.unlink()
    (two / "sub").mkdir()
    (two / "sub").rmdir()
    assert cli("indexes", "prune").code == 0
    assert names() == ["notes", "work"]


def test_pruning_tells_of_an_index_that_cannot_be_used_and_goes_on(two: Path, cli: Cli) -> None:
    (indexes_folder() / "notes/catalog.sqlite").write_bytes(b"no database" * 1000)
    shutil.rmtree(two / "work")
    outcome = cli("indexes", "prune")
    assert outcome.code == 3
    assert outcome.err.count("\n") == 1 and "rerank-cli index --rebuild" in outcome.err
    assert names() == ["notes"]


@pytest.mark.parametrize("kind", ["exact", "hnsw"])
def test_pruning_drops_vectors_that_nothing_uses_and_changes_nothing_else(two: Path, cli: Cli, kind: str) -> None:
    made = ("--index", "work", "--passage-tokens", "32", "--vectors", kind)
    (two / "work/long.md").write_text("\n\n".join(f"Paragraph {n} of it." for n in range(400)), encoding="utf-8")
    cli("index", two / "work", *made)
    (two / "work/long.md").unlink()
    cli("index", two / "work", *made, "--allow-shrink")
    vectors = next((indexes_folder() / "work").glob("*.vectors")).stat().st_size
    told = cli("indexes", "prune", "--dry-run").out
    assert told.startswith("work: ") and told.endswith(" MB of vectors that nothing used\n")
    assert next((indexes_folder() / "work").glob("*.vectors")).stat().st_size == vectors
    before = cli("status", "--index", "work", "--json").json
    assert cli("indexes", "prune").out == told
    assert next((indexes_folder() / "work").glob("*.vectors")).stat().st_size < vectors
    assert cli("query", "bill", "--index", "work", "-f", "paths").lines == ["work/gas.md"]
    after = cli("status", "--index", "work", "--json").json
    assert after["search"] == before["search"]
    assert cli("indexes", "prune").out == ""
    assert cli("status", "--index", "work", "--json").json["generation"] == after["generation"]


def test_what_a_killed_process_left_of_an_index_is_none_and_goes(two: Path, cli: Cli) -> None:
    (indexes_folder() / "notes").rename(indexes_folder() / f"{REMOVED}notes")
    assert names() == ["work"]
    assert cli("indexes", "prune").code == 0
    assert [path.name for path in indexes_folder().iterdir()] == ["work"]


# Several in one query


def test_several_indexes_are_searched_as_one(two: Path, cli: Cli) -> None:
    both = cli("query", "gas", "--index", "notes", "--index", "work", "-f", "json").json
    (result,) = both["results"]
    assert {(hit["path"], hit["location"]) for hit in result["hits"]} == {
        (f"{name}/gas.md", str(two / name / "gas.md")) for name in ("notes", "work")
    }
    assert [index["root"] for index in both["indexes"]] == [str(two / "notes"), str(two / "work")]
    assert cli("query", "gas", "--index", "notes", "--index", "work", "--path", "/work/", "-f", "paths").lines == [
        "work/gas.md"
    ]


def test_a_profile_names_the_indexes(two: Path, cli: Cli, tmp_path: Path) -> None:
    profile = tmp_path / "profile.yaml"
    profile.write_text("indexes: [notes, work]\n", encoding="utf-8")
    assert len(cli("query", "gas", "--config", profile, "-f", "paths").lines) == 2
    assert cli("query", "gas", "--config", profile, "--index", "work", "-f", "paths").lines == ["work/gas.md"]


def test_a_project_names_no_indexes(two: Path, cli: Cli) -> None:
    (two / "rerank.yaml").write_text("indexes: [notes, work]\n", encoding="utf-8")
    assert cli("query", "gas", "--index", "notes", "--index", "work").code == 2


def test_what_several_indexes_share_is_told_and_shown_once(two: Path, cli: Cli) -> None:
    cli("index", two, "--index", "all")
    told = cli("query", "gas", "--index", "all", "--index", "work", "-f", "paths")
    assert sorted(told.lines) == ["notes/gas.md", "work/gas.md"]
    assert told.err == "1 file of several indexes: taken from the first that is named\n"
    assert cli("query", "gas", "--index", "all", "--index", "work", "-q").err == ""


def test_where_several_indexes_cover_a_place_it_is_told_which_answers(
    two: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli("index", two, "--index", "all")
    monkeypatch.chdir(two / "work")
    told = cli("query", "gas", "-f", "jsonl")
    assert told.err == "rerank-cli: work is the nearest of several indexes here; the others: all\n"
    assert [hit["path"] for hit in json.loads(told.out)["hits"]] == ["gas.md"]
