"""A file is hashed once for each of its states, and what was put back to its old time is another state."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from rerank_cli import stamps
from rerank_cli.models.hashes import file_hashes
from rerank_cli.places import cache_folder


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two files that count as settled at once."""
    monkeypatch.setattr(stamps, "SETTLED_NS", 0)
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(name.encode() * 100)
    return tmp_path


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_file_is_read_once_while_its_state_is_the_same(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = file_hashes(folder, ["a", "b"])
    assert first == {name: sha256(folder / name) for name in ("a", "b")}
    monkeypatch.setattr(hashlib, "file_digest", None)
    assert file_hashes(folder, ["a", "b"]) == first


def test_a_change_that_keeps_size_and_time_is_seen(folder: Path) -> None:
    before, stamp = file_hashes(folder, ["a"]), (folder / "a").stat()
    (folder / "a").write_bytes(b"b" * 100)
    os.utime(folder / "a", ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert file_hashes(folder, ["a"]) == {"a": sha256(folder / "a")} != before


def test_two_files_that_change_places_are_seen(folder: Path) -> None:
    os.utime(folder / "a", (1, 1))
    os.utime(folder / "b", (1, 1))
    before = file_hashes(folder, ["a", "b"])
    (folder / "a").rename(folder / "c")
    (folder / "b").rename(folder / "a")
    (folder / "c").rename(folder / "b")
    assert file_hashes(folder, ["a", "b"]) == {"a": before["b"], "b": before["a"]}


def test_a_file_that_changed_just_now_is_not_remembered(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stamps, "SETTLED_NS", 10**15)
    file_hashes(folder, ["a"])
    (memory,) = (cache_folder() / "hashes").iterdir() if (cache_folder() / "hashes").exists() else (None,)
    assert memory is None or memory.read_bytes().endswith(b"\n{}")


def test_a_damaged_memory_is_made_again(folder: Path) -> None:
    first = file_hashes(folder, ["a"])
    (memory,) = (cache_folder() / "hashes").iterdir()
    whole = memory.read_bytes()
    other = whole.replace(first["a"].encode(), b"0" * 64)
    for content in (b"", b"{", whole[:-1], whole + b" ", other, b"\xff" * 100):
        memory.write_bytes(content)
        assert file_hashes(folder, ["a"]) == first
        assert memory.read_bytes() == whole


def test_a_missing_file_is_an_error(folder: Path) -> None:
    with pytest.raises(FileNotFoundError):
        file_hashes(folder, ["a", "none"])
