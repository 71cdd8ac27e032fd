from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from rerank_cli.corpus.discover import discover
from rerank_cli.errors import InputError, UsageError
from rerank_cli.indexing import IndexSummary
from rerank_cli.records import Progress, Rules, SkippedFile
from tests.conftest import Plant, Update
from tests.fakes import FakeEncoder


def failures(summary: IndexSummary) -> dict[str, str]:
    return {file.path: file.reason for file in summary.failed}


def test_a_line_that_is_no_json_is_told_and_costs_nothing_else(plant: Plant, update: Update, find) -> None:
    plant({"a.md": "brake\n", "bad.jsonl": '{"text": "brake"}\nbrake\n', "good.jsonl": '{"text": "brake"}\n'})
    summary = update()
    assert failures(summary) == {}
    (noted,) = summary.noted
    assert (noted.path, len(noted.notes)) == ("bad.jsonl", 1)
    assert noted.notes[0].startswith("line 2: left out: not valid JSON")
    assert sorted(find("brake")) == ["a.md", "bad.jsonl#line-1", "good.jsonl#line-1"]


def test_what_failed_is_told_again_but_not_read_again(plant: Plant, update: Update) -> None:
    plant({"a.md": "brake\n", "bad.jsonl": "brake\n"})
    first, second = update(), update()
    assert failures(second) == failures(first)
    assert second.up_to_date
    assert second.generation == 1


def test_a_file_that_could_not_be_read_is_left_out_once_it_is_known_for_no_text(
    plant: Plant, update: Update, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant({"a.md": "brake\n", "~$a.docx": "owner\n"})
    with monkeypatch.context() as patch:
        patch.setattr("rerank_cli.corpus.discover.not_worth_by_name", lambda path: "")
        assert failures(update()).keys() == {"~$a.docx"}
    summary = update()
    assert (summary.failed, [file.path for file in summary.skipped]) == ((), ["~$a.docx"])


def test_a_mended_file_is_indexed(plant: Plant, update: Update, find) -> None:
    plant({"a.md": "chain\n", "bad.jsonl": "brake\n"})
    update()
    plant({"bad.jsonl": '{"text": "brake"}\n'})
    assert update().failed == ()
    assert find("brake")[0] == "bad.jsonl#line-1"


def test_a_file_that_breaks_leaves_the_index(plant: Plant, update: Update, find) -> None:
    plant({"a.md": "chain\n", "log.jsonl": '{"text": "brake"}\n'})
    update()
    plant({"log.jsonl": "broken\n"})
    assert failures(update()).keys() == {"log.jsonl"}
    assert find("brake") == ["a.md"]


def test_one_id_twice_in_a_file_is_told_and_both_records_are_kept(plant: Plant, update: Update, find) -> None:
    plant({"twice.jsonl": '{"id": 1, "text": "brake"}\n{"id": 1, "text": "brake"}\n'})
    (noted,) = update().noted
    assert noted.notes == ("line 2: id '1' stood above already; it is called '1@line-2' here",)
    assert sorted(find("brake")) == ["twice.jsonl#1", "twice.jsonl#1@line-2"]


def test_a_file_that_goes_while_it_is_read_is_reported_and_the_rest_indexed(
    docs: Path, plant: Plant, update: Update, find
) -> None:
    plant({"a.md": "brake\n", "b.md": "brake brake\n", "c.md": "brake chain\n"})

    def take_away(progress: Progress) -> None:
        if progress.stage == "read":
            (docs / "b.md").unlink(missing_ok=True)

    summary = update(listener=take_away)
    assert failures(summary) == {"b.md": "cannot be read: No such file or directory"}
    assert sorted(find("brake")) == ["a.md", "c.md"]
    assert update().failed == ()


def test_a_file_that_could_not_be_read_is_tried_again_though_its_stamp_is_the_same(
    docs: Path, plant: Plant, update: Update, find
) -> None:
    plant({"a.md": "brake\n", "b.md": "chain\n"})

    def hide(progress: Progress) -> None:
        if progress.stage == "read" and (docs / "b.md").exists():
            (docs / "b.md").rename(docs.parent / "hidden")

    assert failures(update(listener=hide)).keys() == {"b.md"}
    (docs.parent / "hidden").rename(docs / "b.md")
    assert update().failed == ()
    assert find("chain")[0] == "b.md"


def test_an_emptied_folder_is_taken_for_an_unmounted_disk(docs: Path, plant: Plant, update: Update, find) -> None:
    plant({"a.md": "brake\n", "b.md": "chain\n"})
    update()
    for path in docs.iterdir():
        path.unlink()
    with pytest.raises(InputError, match="is the disk mounted") as caught:
        update()
    assert "--allow-shrink" in caught.value.remedy
    assert find("brake") == ["a.md", "b.md"]
    with pytest.raises(InputError, match="is the disk mounted"):
        update(rebuild=True)
    assert update(allow_shrink=True).removed == 2
    assert find("brake") == []


def test_a_vanished_folder_removes_nothing(docs: Path, plant: Plant, update: Update, find) -> None:
    plant({"a.md": "brake\n"})
    update()
    docs.rename(docs.parent / "elsewhere")
    with pytest.raises(InputError, match="no such folder"):
        update(allow_shrink=True)
    assert find("brake") == ["a.md"]


def test_a_folder_that_never_held_a_file_is_no_corpus(update: Update) -> None:
    with pytest.raises(InputError, match="no file to index") as caught:
        update()
    assert "--dry-run" in caught.value.remedy


def test_a_file_that_becomes_a_pipe_before_it_is_read_fails_alone(
    plant: Plant, update: Update, docs: Path, find
) -> None:
    plant({"a.md": "brake\n", "b.md": "chain\n"})

    def swap(progress: object) -> None:
        if not (docs / "b.md").is_fifo():
            (docs / "b.md").unlink()
            os.mkfifo(docs / "b.md")

    summary = update(listener=swap)
    assert [(file.path, file.reason) for file in summary.failed] == [("b.md", "cannot be read: not a regular file")]
    assert find("brake") == ["a.md"]


def test_a_file_that_grows_without_end_fails_alone(docs: Path, plant: Plant, update: Update, find) -> None:
    plant({"a.md": "brake\n", "b.md": "chain\n"})

    def grow(progress: Progress) -> None:
        os.truncate(docs / "b.md", 20_000_000_000)

    summary = update(listener=grow)
    assert failures(summary) == {"b.md": "cannot be read: has grown too large"}
    assert find("brake") == ["a.md"]


# What cannot be read now, but could before


@pytest.fixture
def deny(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    """Refuse to list the folder, or to read the file, at this path from now on."""

    def deny(denied: Path) -> None:
        monkeypatch.setattr(os, "open", refusing(os.open, denied))

    def refusing(real: Callable[..., object], denied: Path) -> Callable[..., object]:
        def refuse(path: str | Path, *arguments: object, **options: object) -> object:
            if Path(path) == denied:
                raise PermissionError(errno.EACCES, "Permission denied")
            return real(path, *arguments, **options)

        return refuse

    return deny


@pytest.mark.parametrize("denied", ["sub", "sub/b.md"])
def test_what_cannot_be_listed_or_opened_now_is_not_taken_for_removed(
    docs: Path, plant: Plant, update: Update, find, deny, denied: str
) -> None:
    plant({"a.md": "brake\n", "sub/b.md": "chain\n", "subway.md": "wheel\n"})
    update()
    (docs / "subway.md").unlink()
    deny(docs / denied)
    summary = update()
    assert (summary.removed, summary.changed) == (1, 0)
    assert [path.rstrip("/") for path in failures(summary)] == [denied]
    assert find("chain") == ["sub/b.md", "a.md"]


def test_a_changed_file_whose_read_fails_keeps_what_was_read_before(
    docs: Path, plant: Plant, update: Update, find
) -> None:
    plant({"a.md": "brake\n", "b.md": "chain\n"})
    update()
    plant({"b.md": "a new saddle\n"})

    def hide(progress: Progress) -> None:
        if progress.stage == "read":
            (docs / "b.md").rename(docs.parent / "hidden")

    summary = update(listener=hide)
    assert failures(summary) == {"b.md": "cannot be read: No such file or directory"}
    assert (summary.changed, summary.generation, summary.up_to_date) == (0, 1, True)
    assert find("chain") == ["b.md", "a.md"]
    (docs.parent / "hidden").rename(docs / "b.md")
    assert update().changed == 1
    assert find("saddle")[0] == "b.md"


def test_a_file_that_missed_a_new_passage_size_is_split_when_it_can_be_read_again(
    docs: Path, plant: Plant, update: Update, find, deny, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant({"a.md": "brake\n", "sub/b.md": "One short sentence here. Another short sentence there. " * 5})
    whole = update().passages
    deny(docs / "sub")
    assert update(passage_tokens=16).passages == whole
    monkeypatch.undo()
    assert update(passage_tokens=16).passages > whole
    assert update(passage_tokens=16).up_to_date


def test_a_rebuild_with_another_encoder_gives_up_what_cannot_be_read(
    docs: Path, plant: Plant, update: Update, deny, index_folder: Path
) -> None:
    """Its vectors are the old encoder's, and mixing both would make nonsense of either."""
    plant({"a.md": "brake\n", "sub/b.md": "chain\n"})
    update()
    deny(docs / "sub")
    summary = update(encoder=FakeEncoder(fingerprint="another", dimensions=16), rebuild=True)
    assert (summary.removed, summary.documents, len(summary.failed)) == (1, 1, 1)


# A folder without text


def test_a_folder_whose_files_hold_no_text_is_no_corpus(plant: Plant, update: Update, index_folder: Path) -> None:
    plant({"empty.md": "", "blank.txt": " \n\n"})
    with pytest.raises(InputError, match="no text in any of 2 files") as caught:
        update()
    assert "--allow-shrink" in caught.value.remedy
    assert not index_folder.exists()
    assert update(allow_shrink=True).passages == 0


def test_an_index_whose_files_all_lose_their_text_stays(plant: Plant, update: Update, find) -> None:
    plant({"a.md": "brake\n", "b.md": "chain\n"})
    update()
    plant({"a.md": "", "b.md": ""})
    with pytest.raises(InputError, match="no text"):
        update()
    assert find("chain") == ["b.md", "a.md"]
    assert update(allow_shrink=True).passages == 0


def test_where_no_file_can_be_read_the_first_reason_is_told(plant: Plant, update: Update) -> None:
    plant({"bad.jsonl": "brake\n"})
    with pytest.raises(InputError, match=r"no text in any of 1 file \(bad.jsonl: line 1"):
        update()


# A first run that failed


def test_a_first_run_that_fails_leaves_no_index_behind(
    docs: Path, plant: Plant, update: Update, index_folder: Path
) -> None:
    with pytest.raises(InputError, match="no file to index"):
        update()
    assert not index_folder.exists()
    with pytest.raises(InputError, match="no such folder"):
        update(docs / "gone")
    assert not index_folder.exists()
    plant({"a.md": "brake\n"})
    with pytest.raises(UsageError):
        update(passage_tokens=1000)
    assert not index_folder.exists()


def test_a_folder_that_was_there_before_a_failed_first_run_stays_as_it_was(update: Update, index_folder: Path) -> None:
    index_folder.mkdir()
    (index_folder / "note.txt").write_text("mine\n")
    with pytest.raises(InputError, match="no file to index"):
        update()
    assert [path.name for path in index_folder.iterdir()] == ["note.txt"]


# An index inside the folder it is made of


@pytest.mark.parametrize("place", ["idx", "sub/idx"])
def test_an_index_inside_its_folder_does_not_index_itself(docs: Path, plant: Plant, update: Update, place: str) -> None:
    plant({"a.md": "brake\n", "sub/b.md": "chain\n"})
    first = update(index_folder=docs / place)
    again = update(index_folder=docs / place)
    assert (first.documents, again.documents, again.up_to_date) == (2, 2, True)
    assert discover(docs, Rules(), index_folder=docs / place).skipped == (
        SkippedFile(f"{place}/", "the index itself", "rule"),
    )
