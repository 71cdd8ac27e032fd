"""What we keep is its owner's alone, whatever the umask and whatever it was before."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from rerank_cli import stamps
from rerank_cli.files import write_text
from rerank_cli.models.hashes import file_hashes
from rerank_cli.places import (
    cache_folder,
    data_folder,
    make_private_file,
    make_private_folder,
    open_private,
    replace_private,
    tighten_tree,
    unfinished_name,
)
from rerank_cli.ports import KeptScore
from rerank_cli.store import open_reader
from rerank_cli.store.location import indexes_folder
from rerank_cli.store.scores import ScoreStore, scores_path
from rerank_cli.training.destination import claim
from tests.conftest import Plant, Update


@pytest.fixture(params=[0o000, 0o022, 0o077], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def loose(folder: Path) -> list[str]:
    """What others than the owner may do something with."""
    return [str(path) for path in (folder, *folder.rglob("*")) if not path.is_symlink() and mode(path) & 0o077]


def loosen(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


def test_what_is_made_is_private(tmp_path: Path, umask: int) -> None:
    make_private_folder(tmp_path / "a" / "b")
    make_private_file(tmp_path / "a" / "file")
    replace_private(tmp_path / "a" / "c" / "whole", b"content")
    with open(tmp_path / "a" / "opened", "w", opener=open_private) as file:
        file.write("text")
    assert loose(tmp_path / "a") == []
    assert {mode(path) for path in (tmp_path / "a").rglob("*")} == {0o700, 0o600}


def test_a_folder_that_is_there_keeps_its_mode_and_a_file_in_its_place_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    make_private_folder(tmp_path)
    assert mode(tmp_path) == 0o755
    make_private_file(tmp_path / "file")
    with pytest.raises(FileExistsError):
        make_private_folder(tmp_path / "file")


def test_tightening_gives_nothing_more_and_follows_no_link(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("another's")
    inside = tmp_path / "folder"
    (inside / "deep").mkdir(parents=True)
    (inside / "deep" / "read-only").write_text("text")
    (inside / "link").symlink_to(outside)
    (inside / "nowhere").symlink_to(tmp_path / "none")
    loosen(inside / "deep")
    (inside / "deep" / "read-only").chmod(0o444)
    outside.chmod(0o644)
    tighten_tree(inside)
    assert loose(inside) == []
    assert (mode(inside / "deep" / "read-only"), mode(outside)) == (0o400, 0o644)


# Where it is used


def test_an_index_is_private_whatever_the_umask_also_beside_a_reader(
    plant: Plant, update: Update, index_folder: Path, umask: int
) -> None:
    plant({"a.md": "brake"})
    update()
    with open_reader(index_folder) as reader:
        plant({"b.md": "chain"})
        update()
        assert {path.name for path in index_folder.iterdir()} >= {"catalog.sqlite-wal", "catalog.sqlite-shm"}
        assert loose(index_folder) == []
        assert reader.counts().files == 1
    assert loose(index_folder) == []


def test_the_next_update_tightens_an_index_that_others_could_read(
    plant: Plant, update: Update, index_folder: Path
) -> None:
    plant({"a.md": "brake"})
    update()
    loosen(index_folder)
    assert update().up_to_date
    assert loose(index_folder) == []


def test_the_folder_of_all_indexes_is_tightened_too(plant: Plant, update: Update) -> None:
    plant({"a.md": "brake"})
    folder = indexes_folder() / "notes"
    update(index_folder=folder)
    assert loose(data_folder()) == []
    loosen(data_folder())
    update(index_folder=folder)
    assert loose(data_folder()) == []


def test_a_folder_that_holds_other_things_keeps_its_mode_and_so_do_they(
    plant: Plant, update: Update, tmp_path: Path
) -> None:
    plant({"a.md": "brake"})
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "photo.jpg").write_text("not ours")
    loosen(folder)
    update(index_folder=folder)
    assert (mode(folder), mode(folder / "photo.jpg")) == (0o755, 0o644)
    assert loose(folder) == [str(folder), str(folder / "photo.jpg")]


def test_a_link_among_the_files_of_an_index_is_not_followed(
    plant: Plant, update: Update, index_folder: Path, tmp_path: Path
) -> None:
    plant({"a.md": "brake"})
    update()
    (tmp_path / "program").write_text("not ours")
    (tmp_path / "program").chmod(0o755)
    (index_folder / "vectors-9.hnsw").symlink_to(tmp_path / "program")
    update()
    assert mode(tmp_path / "program") == 0o755


def test_kept_scores_are_private_and_are_tightened(umask: int) -> None:
    for _ in range(2):
        with ScoreStore(scores_path()) as store:
            store.keep([(b"k" * 16, KeptScore(1.0, 1.0))])
            assert loose(cache_folder()) == []
        scores_path().chmod(0o644)


def test_remembered_hashes_are_private(tmp_path: Path, umask: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stamps, "SETTLED_NS", 0)
    (tmp_path / "model").write_text("weights")
    file_hashes(tmp_path, ["model"])
    assert loose(cache_folder()) == []


def test_what_a_training_keeps_is_private_and_what_it_publishes_obeys_the_umask(tmp_path: Path, umask: int) -> None:
    folder = tmp_path / "made" / "model"
    with claim(folder, resume=False, settings={}) as output:
        output.keep("mined.json", b"texts")
        assert loose(output.checkpoints) == []
    loosen(output.checkpoints)
    with claim(folder, resume=True, settings={}) as output:
        assert loose(output.checkpoints) == []
        output.partial.mkdir()
        (output.partial / "README.md").write_text("card")
        output.publish()
    assert mode(tmp_path / "made") == mode(folder) == 0o777 & ~umask
    assert mode(folder / "README.md") == 0o666 & ~umask


def test_writers_of_one_file_at_once_never_show_a_part_of_it(tmp_path: Path) -> None:
    path, rounds = tmp_path / "file", 200
    failures: list[str] = []
    replace_private(path, b"0" * 100_000)

    def write(digit: int) -> None:
        try:
            for _ in range(rounds):
                replace_private(path, b"%d" % digit * 100_000)
        except OSError as error:
            failures.append(str(error))

    writers = [threading.Thread(target=write, args=[digit]) for digit in range(3)]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        seen = path.read_bytes()
        if len(seen) != 100_000 or len(set(seen)) != 1:
            failures.append(f"torn: {len(seen)} bytes")
    assert failures == []
    assert [place.name for place in tmp_path.iterdir()] == ["file"]


def test_what_cannot_be_put_in_place_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "file").mkdir()
    with pytest.raises(IsADirectoryError):
        replace_private(tmp_path / "file", b"content")
    assert [place.name for place in tmp_path.iterdir()] == ["file"]


def test_what_a_killed_writer_left_goes_with_a_later_write(tmp_path: Path) -> None:
    left, fresh = (tmp_path / unfinished_name() for _ in range(2))
    left.write_bytes(b"half")
    fresh.write_bytes(b"half, and another process is at it")
    os.utime(left, (1_600_000_000, 1_600_000_000))
    replace_private(tmp_path / "file", b"content")
    assert (left.exists(), fresh.exists()) == (False, True)


def test_a_name_as_long_as_a_disk_takes_can_be_written(tmp_path: Path) -> None:
    replace_private(tmp_path / ("n" * 255), b"content")
    write_text(tmp_path / ("m" * 255), "content")
    assert len(list(tmp_path.iterdir())) == 2


def test_what_a_person_asked_for_has_the_modes_of_their_umask(tmp_path: Path, umask: int) -> None:
    write_text(tmp_path / "run", "content")
    assert mode(tmp_path / "run") == 0o666 & ~umask
