from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rerank_cli.doctor.findings import Finding
from rerank_cli.doctor.storage import LEAST_COMPILE_SHARE, permissions, room_for_indexes, room_for_models
from rerank_cli.models.catalogue import ModelSource
from rerank_cli.models.compiled import ModelState


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 8 MB."""
    place = tmp_path / "disk"
    place.mkdir(mode=0o700)
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m,mode=700", "tmpfs", place], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip("file systems cannot be mounted here")
    yield place
    subprocess.run(["umount", place], check=True)


def index_of(folder: Path, *, vectors_bytes: int, catalog_bytes: int) -> Path:
    folder.mkdir(parents=True)
    (folder / "0123456789abcdef-8-1.vectors").write_bytes(bytes(vectors_bytes))
    (folder / "catalog.sqlite").write_bytes(bytes(catalog_bytes))
    return folder


@pytest.mark.parametrize(
    ("vectors_bytes", "catalog_bytes", "status"),
    [(0, 1_000_000, "ok"), (2_500_000, 2_500_000, "warn"), (5_000_000, 2_500_000, "FAIL")],
)
def test_a_disk_is_measured_by_what_an_update_writes(
    small_disk: Path, vectors_bytes: int, catalog_bytes: int, status: str
) -> None:
    index = index_of(small_disk / "index", vectors_bytes=vectors_bytes, catalog_bytes=catalog_bytes)
    (finding,) = room_for_indexes(small_disk, [index])
    assert (finding.status, finding.exit_code) == (status, 4 if status == "FAIL" else 0)
    assert " MB free" in finding.message


def test_a_disk_without_room_for_another_file_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.statvfs(tmp_path)
    full = os.statvfs_result((*real[:7], 0, *real[8:]))
    monkeypatch.setattr(os, "statvfs", lambda place: full)
    (finding,) = room_for_indexes(tmp_path, [])
    if not real.f_files:
        pytest.skip("this file system does not count its files")
    assert (finding.status, finding.message) == ("FAIL", "holds as many files as it can")


def test_the_room_of_a_folder_that_is_not_there_yet_is_that_of_the_one_above(tmp_path: Path) -> None:
    (finding,) = room_for_indexes(tmp_path / "not" / "yet", [])
    assert (finding.status, finding.subject) == ("ok", str(tmp_path / "not" / "yet"))


def test_models_that_are_to_be_compiled_need_room(small_disk: Path, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "model.safetensors").write_bytes(bytes(9_000_000 // LEAST_COMPILE_SHARE))
    source = ModelSource("mine", "reranker", tmp_path / "model", "folder", "f" * 32)
    (finding,) = room_for_models(small_disk, [ModelState("mine", "reranker", source, None, None, "")])
    assert (finding.status, finding.exit_code) == ("FAIL", 4)
    assert "compiling the models writes 9 MB or more" in finding.message
    (finding,) = room_for_models(small_disk, [])
    assert finding.status == "ok"


# Permissions


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """A folder that is as private as it should be."""
    place = tmp_path / "kept"
    (place / "index").mkdir(parents=True)
    for folder in (place, place / "index"):
        folder.chmod(0o700)
    (place / "index" / "catalog.sqlite").write_bytes(b"")
    (place / "index" / "catalog.sqlite").chmod(0o600)
    return place


def look(place: Path, *, must_write: bool = True) -> list[Finding]:
    return list(permissions(place, must_write=must_write))


def test_what_is_private_and_writable_is_well(kept: Path) -> None:
    (finding,) = look(kept)
    assert (finding.status, finding.message) == ("ok", "private, and may be written")


@pytest.mark.parametrize(
    ("loose", "mode"), [("", 0o750), ("index", 0o701), ("index/catalog.sqlite", 0o640), ("index/catalog.sqlite", 0o602)]
)
def test_what_others_may_look_into_is_a_warning_and_the_remedy_mends_it(kept: Path, loose: str, mode: int) -> None:
    (kept / loose).chmod(mode)
    (finding,) = look(kept)
    assert finding.status == "warn"
    assert finding.message == f"others may look into {kept / loose}"
    subprocess.run(finding.remedy, shell=True, check=True)
    assert [finding.status for finding in look(kept)] == ["ok"]


def test_a_link_is_no_concern(kept: Path, tmp_path: Path) -> None:
    (kept / "link").symlink_to(tmp_path)
    (kept / "lost").symlink_to(tmp_path / "nowhere")
    assert [finding.status for finding in look(kept)] == ["ok"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_belongs_to_another_user_is_a_warning(kept: Path) -> None:
    os.chown(kept / "index" / "catalog.sqlite", 4321, -1)
    (finding,) = look(kept)
    assert finding.status == "warn"
    assert "belongs to user 4321, not to root" in finding.message
    assert finding.remedy == f"sudo chown -R 0 {kept}"


def test_a_folder_that_is_not_there_yet_can_be_made_or_not(tmp_path: Path) -> None:
    (finding,) = look(tmp_path / "a" / "b")
    assert (finding.status, finding.message) == ("ok", "is made by the first run")
    (tmp_path / "file").write_text("")
    (finding,) = look(tmp_path / "file" / "b")
    assert (finding.status, finding.exit_code) == ("FAIL", 4)


def test_a_file_in_the_place_of_the_folder_fails(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (finding,) = look(tmp_path / "file")
    assert (finding.status, finding.remedy) == ("FAIL", "move it away")


@pytest.mark.parametrize(("must_write", "status"), [(True, "FAIL"), (False, "warn")])
def test_a_read_only_disk_is_a_failure_where_something_must_be_written(
    small_disk: Path, must_write: bool, status: str
) -> None:
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    (finding,) = look(small_disk, must_write=must_write)
    assert (finding.status, finding.exit_code) == (status, 4 if must_write else 0)
    assert "lies on a disk that is read-only" in finding.message


def test_what_may_be_written_is_asked_for_the_user_that_we_act_as(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a program runs with another user's rights, these decide what an index can write."""
    asked: list[bool] = []

    def access(place: object, mode: int, *, effective_ids: bool = False) -> bool:
        asked.append(effective_ids)
        return True

    monkeypatch.setattr(os, "access", access)
    monkeypatch.setattr(os, "supports_effective_ids", {access})
    (tmp_path / "file").touch()
    list(permissions(tmp_path, must_write=True))
    list(permissions(tmp_path / "new", must_write=True))
    assert asked and all(asked)


# Beside another process, which takes away what was just listed


def test_a_file_of_a_model_that_went_meanwhile_has_no_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "rglob", lambda folder, _: iter([folder / "gone.safetensors"]))
    source = ModelSource("m", "encoder", tmp_path, "local", "f")
    (finding,) = room_for_models(tmp_path, [ModelState("m", "encoder", source, None, None, "")])
    assert finding.status == "ok"


def test_a_file_or_folder_that_went_meanwhile_is_not_one_that_may_not_be_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "places").mkdir(mode=0o700)
    (tmp_path / "places" / "going").write_bytes(b"")
    (tmp_path / "places" / "going").chmod(0o600)

    def walk(place: Path, *, onerror: Callable[[OSError], None]) -> Iterator[tuple[str, list[str], list[str]]]:
        onerror(FileNotFoundError(2, "No such file or directory", str(place / "replaced.partial")))
        yield str(place), [], ["going", "gone"]

    def may(path: Path, mode: int) -> bool:
        if path.name == "going":
            path.unlink(missing_ok=True)
        return path.exists()

    monkeypatch.setattr("rerank_cli.doctor.storage.os.walk", walk)
    monkeypatch.setattr("rerank_cli.doctor.storage.may", may)
    (finding,) = permissions(tmp_path / "places", must_write=True)
    assert (finding.status, finding.message) == ("ok", "private, and may be written")
