from __future__ import annotations

import errno
import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

import pytest

from rerank_cli import places
from rerank_cli.errors import InputError
from rerank_cli.retrieval import LIST_DEPTH
from tests.conftest import Plant, Update


def long_records(count: int) -> dict[str, str]:
    text = " ".join(f"word{n}" for n in range(30))
    return {"many.jsonl": "".join(json.dumps({"id": n, "text": f"{text} {n}"}) + "\n" for n in range(count))}


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "disk"
    place.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", place], capture_output=True, check=False)
    if made.returncode:
        pytest.skip("file systems cannot be mounted here")
    yield place
    subprocess.run(["umount", place], check=True)


def test_a_full_disk_leaves_the_old_index_answering(tiny_disk: Path, plant: Plant, update: Update, find) -> None:
    plant({"a.md": "brake\n", "b.md": "chain\n"})
    update(index_folder=tiny_disk / "index")
    plant({"b.md": "something else\n", **long_records(1500)})
    with pytest.raises(InputError, match=r"disk is full|cannot be written") as caught:
        update(index_folder=tiny_disk / "index")
    assert "space" in caught.value.remedy
    assert find("chain", tiny_disk / "index") == ["b.md", "a.md"]


def fill(place: Path) -> None:
    with (place / "filler").open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"x" * 512)


@pytest.mark.parametrize("fails_first", [False, True])
def test_on_a_completely_full_disk_the_index_still_answers(
    tiny_disk: Path, plant: Plant, update: Update, find, fails_first: bool
) -> None:
    plant({"a.md": "brake\n", "b.md": "chain\n"})
    update(index_folder=tiny_disk / "index")
    if fails_first:
        plant(long_records(1500))
        with pytest.raises(InputError):
            update(index_folder=tiny_disk / "index")
    fill(tiny_disk)
    assert find("chain", tiny_disk / "index") == ["b.md", "a.md"]
    with pytest.raises(InputError):
        update(index_folder=tiny_disk / "index", passage_tokens=30)
    assert find("chain", tiny_disk / "index") == ["b.md", "a.md"]


def test_an_index_on_a_read_only_disk_answers(tiny_disk: Path, plant: Plant, update: Update, find) -> None:
    plant({"a.md": "brake\n", "b.md": "chain\n"})
    update(index_folder=tiny_disk / "an index? 100%#1")
    subprocess.run(["mount", "-o", "remount,ro", tiny_disk], check=True)
    assert find("chain", tiny_disk / "an index? 100%#1") == ["b.md", "a.md"]


@pytest.mark.parametrize("limit", [150_000, 500_000])
def test_a_limit_on_file_sizes_leaves_the_old_index_answering(
    limit: int, plant: Plant, update: Update, find, start_indexer
) -> None:
    plant({"a.md": "brake\n", "b.md": "chain\n"})
    update()
    plant({"b.md": "something else\n", **long_records(1500)})
    stdout, _ = start_indexer("--limit", str(limit)).communicate(timeout=60)
    end = json.loads(stdout)
    assert end["error"] == "InputError"
    assert "space" in end["remedy"]
    assert find("chain") == ["b.md", "a.md"]
    update()
    assert len(find("word1")) == LIST_DEPTH


@pytest.mark.parametrize("part", ["vectors", "keys", "graph"])
def test_what_cannot_be_written_leaves_the_old_index_answering(
    plant: Plant, update: Update, find, index_folder: Path, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    plant({"a.md": "brake\n", "b.md": "chain\n"})
    update(search="hnsw")
    plant({"b.md": "something else\n"})
    with monkeypatch.context() as patch:
        if part == "graph":  # which is written anew where the old one is no more
            for graph in index_folder.glob("*.hnsw"):
                graph.rename(index_folder.parent / graph.name)
            patch.setattr("rerank_cli.store.graph.sync", refuse)
        else:
            refuse_to_open(patch, f".{part}")
        with pytest.raises(InputError, match="cannot be written") as caught:
            update(search="hnsw")
    assert "nothing was lost" in caught.value.remedy
    for graph in index_folder.parent.glob("*.hnsw"):
        graph.rename(index_folder / graph.name)
    assert find("chain") == ["b.md", "a.md"]
    update(search="hnsw")
    assert find("something")[0] == "b.md"


def refuse(*_: object) -> NoReturn:
    raise OSError(errno.EIO, os.strerror(errno.EIO))


def refuse_to_open(patch: pytest.MonkeyPatch, ending: str) -> None:
    """No file with this *ending* can be opened to be written."""

    def open_private(path: Path, flags: int) -> int:
        return refuse() if path.name.endswith(ending) else places.open_private(path, flags)

    patch.setattr("rerank_cli.store.vectors.open_private", open_private)


def test_a_file_in_place_of_the_index_folder_is_an_error_of_the_input(
    plant: Plant, update: Update, tmp_path: Path
) -> None:
    plant({"a.md": "brake\n"})
    (tmp_path / "index").write_text("a file\n")
    with pytest.raises(InputError, match="cannot be written"):
        update()


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_an_index_folder_that_may_not_be_written_is_an_error_of_the_input(
    plant: Plant, update: Update, index_folder: Path
) -> None:
    plant({"a.md": "brake\n"})
    index_folder.mkdir(mode=0o500)
    with pytest.raises(InputError, match="cannot be written"):
        update()
