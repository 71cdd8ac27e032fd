"""What is missing all at once is more likely out of sight than deleted."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rerank_cli.errors import TooMuchGone
from rerank_cli.indexing import IndexSummary
from rerank_cli.records import Rules
from rerank_cli.store import open_reader
from tests.conftest import Plant, Update
from tests.fakes import FakeEncoder

COUNT = 40
FILES = {f"notes/{number:02}.md": f"note number {number}\n" for number in range(COUNT)}


@pytest.fixture(autouse=True)
def counted(survived: Callable[[str, int], None]) -> Iterator[None]:
    yield
    survived("disappearances", 1)


@pytest.fixture
def indexed(plant: Plant, update: Update, encoder: FakeEncoder) -> IndexSummary:
    plant(FILES)
    summary = update()
    encoder.encoded.clear()
    return summary


def documents(index_folder: Path) -> set[str]:
    with open_reader(index_folder) as index:
        return set({stored.document_id for stored in index.scan()})


def take_away(docs: Path, count: int) -> None:
    """Move the first *count* notes out of sight."""
    away = docs.parent / "away"
    away.mkdir()
    for path in sorted(FILES)[:count]:
        (docs / path).rename(away / Path(path).name)


def bring_back(docs: Path) -> None:
    for path in (docs.parent / "away").iterdir():
        path.rename(docs / "notes" / path.name)


def test_where_most_documents_are_gone_they_stay_and_what_is_new_comes_in(
    indexed: IndexSummary, plant: Plant, docs: Path, update: Update, index_folder: Path
) -> None:
    take_away(docs, COUNT - 1)
    plant({"new.md": "something new\n"})
    summary = update()
    assert (summary.added, summary.removed, len(summary.kept)) == (1, 0, COUNT - 1)
    assert summary.doubt == "39 of 40 documents would be lost, more than 50%"
    assert documents(index_folder) == {*FILES, "new.md"}


def test_what_comes_back_is_not_encoded_again(
    indexed: IndexSummary, docs: Path, update: Update, encoder: FakeEncoder
) -> None:
    take_away(docs, COUNT - 1)
    for _ in range(2):
        assert update().doubt
    bring_back(docs)
    summary = update()
    assert (summary.doubt, summary.kept, summary.up_to_date, encoder.encoded) == ("", (), True, [])


def test_a_folder_left_with_a_placeholder_alone_keeps_its_documents(
    indexed: IndexSummary, plant: Plant, docs: Path, update: Update, index_folder: Path
) -> None:
    take_away(docs, COUNT)
    plant({"THIS DISK IS NOT MOUNTED.txt": "mount it\n"})
    assert update().doubt
    assert documents(index_folder) > {*FILES}


def test_an_empty_folder_is_refused_whatever_its_index_held(
    indexed: IndexSummary, docs: Path, update: Update, index_folder: Path
) -> None:
    shutil.rmtree(docs / "notes")
    with pytest.raises(TooMuchGone, match="is the disk mounted"):
        update()
    assert documents(index_folder) == {*FILES}


@pytest.mark.parametrize(("gone", "is_doubted"), [(10, False), (20, False), (21, True)])
def test_up_to_half_of_the_documents_may_go_at_once(
    indexed: IndexSummary, docs: Path, update: Update, gone: int, is_doubted: bool
) -> None:
    take_away(docs, gone)
    assert bool(update().doubt) is is_doubted


def test_ten_documents_may_go_whatever_their_share(plant: Plant, docs: Path, update: Update) -> None:
    plant({path: FILES[path] for path in sorted(FILES)[:11]})
    update()
    take_away(docs, 10)
    assert update().removed == 10


def test_the_share_that_may_go_is_the_users_to_set(indexed: IndexSummary, docs: Path, update: Update) -> None:
    take_away(docs, 15)
    assert update(max_shrink=0.3).doubt
    assert update(max_shrink=0.4).removed == 15


def test_a_run_that_may_shrink_takes_it_at_its_word(
    indexed: IndexSummary, docs: Path, update: Update, index_folder: Path
) -> None:
    take_away(docs, COUNT - 1)
    assert update().doubt
    summary = update(allow_shrink=True)
    assert (summary.doubt, summary.removed, len(documents(index_folder))) == ("", COUNT - 1, 1)


def test_files_that_moved_are_not_gone(indexed: IndexSummary, docs: Path, update: Update, index_folder: Path) -> None:
    (docs / "notes").rename(docs / "archive")
    summary = update()
    assert (summary.doubt, summary.removed, summary.added) == ("", COUNT, COUNT)
    assert documents(index_folder) == {path.replace("notes", "archive") for path in FILES}


def test_what_the_users_rules_leave_out_is_not_gone(indexed: IndexSummary, update: Update) -> None:
    summary = update(rules=Rules(exclude=("notes/0*", "notes/1*", "notes/2*")))
    assert (summary.doubt, summary.removed) == ("", 30)


def test_files_that_are_emptied_or_turn_into_something_else_are_gone_too(
    indexed: IndexSummary, docs: Path, update: Update, index_folder: Path
) -> None:
    for path in sorted(FILES)[:15]:
        (docs / path).write_text("")
    for path in sorted(FILES)[15:30]:
        (docs / path).write_bytes(b"\0\1\2")
    for path in sorted(FILES)[30:35]:
        (docs / path).unlink()
        (docs / path).symlink_to("nowhere")
    summary = update()
    assert "35 of 40" in summary.doubt
    assert len(summary.kept) == 35
    assert documents(index_folder) == {*FILES}


def test_a_file_of_records_that_loses_most_of_them_keeps_them(plant: Plant, update: Update, index_folder: Path) -> None:
    lines = [f'{{"id": {number}, "text": "record number {number}"}}\n' for number in range(COUNT)]
    plant({"all.jsonl": "".join(lines), "a.md": "a note\n"})
    update()
    plant({"all.jsonl": "".join(lines[:5]), "a.md": "a new note\n"})
    summary = update()
    assert (summary.kept, summary.changed) == (("all.jsonl",), 1)
    assert len(documents(index_folder)) == COUNT + 1
    plant({"all.jsonl": "".join(lines[:25])})
    assert update().doubt == ""
    assert len(documents(index_folder)) == 26


def test_a_file_whose_records_are_all_replaced_keeps_those_it_had(
    plant: Plant, update: Update, encoder: FakeEncoder, index_folder: Path
) -> None:
    def lines(word: str) -> str:
        return "".join(f'{{"id": "{word}{number}", "text": "{word} number {number}"}}\n' for number in range(COUNT))

    plant({"all.jsonl": lines("old")})
    update()
    plant({"all.jsonl": lines("new")})
    assert update().kept == ("all.jsonl",)
    encoder.encoded.clear()
    plant({"all.jsonl": lines("old")})
    assert (update().doubt, encoder.encoded) == ("", [])


def test_a_broken_line_of_records_costs_its_own_record_and_is_told(
    plant: Plant, update: Update, index_folder: Path
) -> None:
    lines = [f'{{"id": {number}, "text": "record number {number}"}}\n' for number in range(COUNT)]
    plant({"all.jsonl": "".join(lines)})
    update()
    plant({"all.jsonl": "".join(lines)[:-5]})
    summary = update()
    (noted,) = summary.noted
    assert (summary.kept, summary.failed, noted.path) == ((), (), "all.jsonl")
    assert noted.notes[0].startswith("line 40: left out: not valid JSON")
    assert len(documents(index_folder)) == COUNT - 1


def test_a_file_of_records_that_breaks_off_early_keeps_them_and_is_told(
    plant: Plant, update: Update, index_folder: Path
) -> None:
    lines = [f'{{"id": {number}, "text": "record number {number}"}}\n' for number in range(COUNT)]
    plant({"all.jsonl": "".join(lines)})
    update()
    plant({"all.jsonl": "".join(lines[:9])})
    summary = update()
    assert summary.kept == ("all.jsonl",)
    assert summary.doubt
    assert len(documents(index_folder)) == COUNT


def test_a_rebuild_keeps_what_is_missing_and_refuses_where_it_could_not(
    indexed: IndexSummary, docs: Path, update: Update, index_folder: Path, encoder: FakeEncoder
) -> None:
    take_away(docs, COUNT - 1)
    assert len(update(rebuild=True).kept) == COUNT - 1
    another = FakeEncoder(fingerprint="another", dimensions=16)
    with pytest.raises(TooMuchGone, match="nothing was rebuilt"):
        update(encoder=another, rebuild=True)
    assert documents(index_folder) == {*FILES}
    bring_back(docs)
    assert (update().doubt, encoder.encoded) == ("", [])


def test_what_missed_a_new_passage_size_is_split_when_it_comes_back(
    plant: Plant, docs: Path, update: Update, index_folder: Path
) -> None:
    plant(dict.fromkeys(FILES, "One short sentence here. Another short sentence there. " * 5))
    whole = update().passages
    take_away(docs, COUNT - 1)
    assert update(passage_tokens=16).doubt
    bring_back(docs)
    assert update(passage_tokens=16).passages > whole


# Mount points


@pytest.fixture
def disk(tmp_path: Path, docs: Path) -> Iterator[Callable[[str], None]]:
    """Mount a disk at this path within `docs`: disk("photos"); it keeps what is written to it."""
    (tmp_path / "disk").mkdir()
    mounted: list[Path] = []

    def mount(path: str) -> None:
        point = docs / path
        point.mkdir(exist_ok=True)
        done = subprocess.run(
            ["mount", "--bind", tmp_path / "disk", point], capture_output=True, text=True, check=False
        )
        if done.returncode:
            pytest.skip(f"nothing can be mounted here: {done.stderr.strip()}")
        mounted.append(point)

    yield mount
    for point in reversed(mounted):
        subprocess.run(["umount", point], capture_output=True, check=False)


def test_a_lost_mount_point_keeps_its_few_documents(
    plant: Plant, docs: Path, update: Update, disk, index_folder: Path, encoder: FakeEncoder
) -> None:
    disk("a disk\\of mine")
    plant({**FILES, "a disk\\of mine/beach.md": "the beach\n"})
    update()
    encoder.encoded.clear()
    subprocess.run(["umount", docs / "a disk\\of mine"], check=True)
    for _ in range(2):
        summary = update()
        assert summary.doubt == "a disk\\of mine was a mount point and is none any more, and 1 file of it is missing"
        assert (summary.kept, summary.removed) == (("a disk\\of mine/beach.md",), 0)
    disk("a disk\\of mine")
    assert (update().doubt, encoder.encoded) == ("", [])
    assert "a disk\\of mine/beach.md" in documents(index_folder)


def test_a_disk_that_is_mounted_where_a_placeholder_lay_is_taken_in(
    plant: Plant, docs: Path, update: Update, disk, index_folder: Path
) -> None:
    plant({**FILES, "photos/NOT MOUNTED.txt": "mount it\n"})
    update()
    disk("photos")
    plant({"photos/beach.md": "the beach\n"})
    summary = update()
    assert (summary.doubt, summary.added, summary.removed) == ("", 1, 1)


def test_an_unmounted_root_that_holds_a_few_files_keeps_its_documents(
    plant: Plant, docs: Path, update: Update, disk, index_folder: Path
) -> None:
    plant({"readme.md": "mount the disk\n"})
    disk("")
    plant({"a.md": "brake\n", "b.md": "chain\n"})
    update()
    subprocess.run(["umount", docs], check=True)
    assert update().doubt == "the folder was a mount point and is none any more, and 2 files of it are missing"
    assert documents(index_folder) == {"a.md", "b.md", "readme.md"}


def test_a_root_below_a_lost_mount_point_keeps_its_documents(
    plant: Plant, docs: Path, update: Update, disk, index_folder: Path
) -> None:
    disk("usb")
    plant({"usb/notes/a.md": "brake\n", "usb/notes/b.md": "chain\n"})
    update(docs / "usb" / "notes")
    subprocess.run(["umount", docs / "usb"], check=True)
    plant({"usb/notes/a.md": "brake\n"})
    summary = update(docs / "usb" / "notes")
    assert summary.doubt == f"{docs}/usb was a mount point and is none any more, and 1 file of it is missing"
    assert documents(index_folder) == {"a.md", "b.md"}


def test_a_lost_mount_point_that_a_new_rule_leaves_out_is_not_missed(
    plant: Plant, docs: Path, update: Update, disk
) -> None:
    disk("usb")
    plant({"a.md": "brake\n", "usb/notes/b.md": "chain\n"})
    update()
    subprocess.run(["umount", docs / "usb"], check=True)
    assert update().doubt
    summary = update(rules=Rules(exclude=("usb/",)))
    assert (summary.doubt, summary.removed) == ("", 1)


def test_a_mount_point_whose_files_all_moved_into_the_folder_is_forgotten(
    plant: Plant, docs: Path, update: Update, disk, tmp_path: Path
) -> None:
    disk("photos")
    plant({"a.md": "brake\n", "photos/beach.md": "the beach\n"})
    update()
    subprocess.run(["umount", docs / "photos"], check=True)
    plant({"photos/beach.md": "the beach\n"})
    assert update().doubt == ""
    (docs / "photos" / "beach.md").unlink()
    assert (update().doubt, update().documents) == ("", 1)
