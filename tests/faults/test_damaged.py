from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from rerank_cli.errors import IndexDamaged, IndexMismatch, IndexMissing, RerankError
from rerank_cli.store import IndexWriter, open_reader
from tests.conftest import Plant, Update
from tests.fakes import FakeEncoder


@pytest.fixture
def index(plant: Plant, update: Update, index_folder: Path, encoder: FakeEncoder) -> Path:
    plant({f"{n:03}.md": f"brake number {n}\n" * 20 for n in range(100)})
    update()
    encoder.encoded.clear()
    return index_folder


def manifest_says(index: Path, key: str, value: str) -> None:
    with closing(sqlite3.connect(index / "catalog.sqlite")) as connection, connection:
        connection.execute("UPDATE manifest SET value = ? WHERE key = ?", (value, key))


def lose_vectors(index: Path) -> None:
    (index / "vectors-1.hnsw").unlink()


def cut_vectors(index: Path) -> None:
    path = index / "vectors-1.hnsw"
    path.write_bytes(path.read_bytes()[:-1])


@pytest.mark.parametrize("damage", [lose_vectors, cut_vectors])
def test_lost_vectors_are_told_when_the_index_is_opened(index: Path, docs: Path, damage) -> None:
    damage(index)
    with pytest.raises(IndexDamaged) as caught:
        open_reader(index)
    assert caught.value.remedy == f"mend it: rerank-cli index {docs} --index {index}"


@pytest.mark.parametrize("damage", [lose_vectors, cut_vectors])
def test_lost_vectors_are_mended_without_a_model(
    index: Path, docs: Path, update: Update, find, encoder: FakeEncoder, damage
) -> None:
    expected = find("brake number 7")
    damage(index)
    with pytest.raises(IndexDamaged) as caught:
        find("brake number 7")
    assert caught.value.remedy == f"mend it: rerank-cli index {docs} --index {index}"
    assert update().generation == 2
    assert encoder.encoded == []
    assert find("brake number 7") == expected


def empty_catalog(index: Path) -> None:
    (index / "catalog.sqlite").write_bytes(b"no database at all, but long enough to be taken for one" * 100)


def drop_a_table(index: Path) -> None:
    with closing(sqlite3.connect(index / "catalog.sqlite")) as connection:
        connection.execute("DROP TABLE manifest")


def garble_the_manifest(index: Path) -> None:
    manifest_says(index, "dimensions", "{")


def cut_the_manifest(index: Path) -> None:
    with closing(sqlite3.connect(index / "catalog.sqlite")) as connection, connection:
        connection.execute("DELETE FROM manifest WHERE key = 'dimensions'")


@pytest.mark.parametrize("damage", [empty_catalog, drop_a_table, garble_the_manifest, cut_the_manifest])
def test_a_broken_catalog_is_damage_that_a_rebuild_mends(index: Path, update: Update, find, damage) -> None:
    expected = find("brake number 7")
    damage(index)
    for attempt in (lambda: find("brake number 7"), update):
        with pytest.raises(IndexDamaged) as caught:
            attempt()
        assert "--rebuild" in caught.value.remedy
    update(rebuild=True)
    assert find("brake number 7") == expected


def test_pages_lost_in_the_middle_of_the_catalog_are_damage_that_a_rebuild_mends(
    index: Path, update: Update, plant: Plant, find
) -> None:
    expected = find("brake number 7")
    path = index / "catalog.sqlite"
    content = path.read_bytes()
    path.write_bytes(content[: 4096 * 3] + b"\xff" * (len(content) - 4096 * 4) + content[-4096:])
    for attempt in (lambda: find("brake number 7"), lambda: update(passage_tokens=30)):
        with pytest.raises(IndexDamaged) as caught:
            attempt()
        assert "--rebuild" in caught.value.remedy
    update(rebuild=True)
    assert find("brake number 7") == expected


def test_another_format_version_is_a_mismatch_that_a_rebuild_mends(index: Path, update: Update, find) -> None:
    manifest_says(index, "format_version", "99")
    for attempt in (lambda: find("brake"), update):
        with pytest.raises(IndexMismatch, match="index format 99, this program reads") as caught:
            attempt()
        assert "--rebuild" in caught.value.remedy
    update(rebuild=True)
    assert len(find("brake")) == 100


def test_a_folder_without_an_index_is_missing_and_gets_none_by_looking(tmp_path: Path) -> None:
    with pytest.raises(IndexMissing) as caught:
        open_reader(tmp_path / "nowhere")
    assert "rerank-cli index FOLDER" in caught.value.remedy
    assert not (tmp_path / "nowhere").exists()


def test_every_error_is_one_line(index: Path, update: Update, find) -> None:
    empty_catalog(index)
    with pytest.raises(RerankError) as caught:
        find("brake")
    assert len(str(caught.value).splitlines()) == 1
    assert len(caught.value.remedy.splitlines()) == 1


def contents(index: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in index.iterdir()}


@pytest.mark.parametrize("fails_while", ["encoding", "committing"])
def test_a_rebuild_that_fails_leaves_the_index_of_another_format(
    index: Path, update: Update, find, plant: Plant, monkeypatch: pytest.MonkeyPatch, fails_while: str
) -> None:
    manifest_says(index, "format_version", "99")
    before = contents(index)
    with monkeypatch.context() as patch:
        if fails_while == "committing":
            patch.setattr(IndexWriter, "_write_manifest", break_down)
        with pytest.raises(RuntimeError, match="broke down"):
            update(rebuild=True, encoder=FakeEncoder(fails_after=0 if fails_while == "encoding" else None))
    assert contents(index) == before
    with pytest.raises(IndexMismatch, match="index format 99"):
        find("brake")
    update(rebuild=True)
    assert len(find("brake")) == 100
    assert sorted(path.name for path in index.iterdir()) == ["catalog.sqlite", "vectors-1.hnsw", "write.lock"]


def break_down(*_: object) -> None:
    raise RuntimeError("the disk broke down")


def test_a_rebuild_killed_midway_is_finished_by_the_next_run(
    index: Path, update: Update, find, start_indexer, survived
) -> None:
    manifest_says(index, "format_version", "99")
    process = start_indexer("--rebuild", "--stop-before-commit")
    assert process.stdout.readline() == "stopped\n"
    process.kill()
    process.wait()
    survived("kills", 1)
    assert update().encoded == 0
    assert len(find("brake")) == 100
    assert sorted(path.name for path in index.iterdir()) == ["catalog.sqlite", "vectors-1.hnsw", "write.lock"]


def test_a_schema_whose_words_are_no_text_is_damage(plant: Plant, update: Update, index_folder: Path) -> None:
    """SQLite quotes them in its message, which Python's sqlite3 then cannot read."""
    plant({"a.md": "brake\n"})
    update()
    catalog = index_folder / "catalog.sqlite"
    content = catalog.read_bytes()
    assert b"tablefilesfiles" in content and b"CREATE TABLE files" in content
    content = content.replace(b"tablefilesfiles", b"table\x9fi\xffesfiles")
    catalog.write_bytes(content.replace(b"CREATE TABLE files", b"CREATE TABLE (iles"))
    with pytest.raises(IndexDamaged) as caught, open_reader(index_folder):
        pass
    assert "garbled" in str(caught.value) or "malformed" in str(caught.value)
    assert "--rebuild" in caught.value.remedy
