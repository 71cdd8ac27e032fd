from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from rerank_cli.errors import IndexDamaged, IndexMismatch, IndexMissing, RerankError
from rerank_cli.search import Searcher, SearchSettings
from rerank_cli.store import IndexWriter, ann, check_health, open_reader, open_writer
from tests.conftest import Plant, Update
from tests.fakes import FakeEncoder, FakeReranker


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


# What a vector file says of itself


@pytest.fixture(params=["flat", "graph"])
def of_either_kind(request: pytest.FixtureRequest, plant: Plant, update: Update, index_folder: Path, monkeypatch):
    """An index of 100 documents, with its vectors in a flat file or in a graph."""
    if request.param == "graph":
        monkeypatch.setitem(open_writer.__wrapped__.__kwdefaults__, "exact_limit", 20)
    plant({f"{n:03}.md": f"brake number {n}\n" for n in range(100)})
    update()
    with open_reader(index_folder) as reader:
        assert reader.manifest.exact == (request.param == "flat")
    return index_folder


def test_a_vector_file_with_any_byte_of_its_head_changed_is_told_by_all_and_mended_as_told(
    of_either_kind: Path, docs: Path, update: Update, find, encoder: FakeEncoder, survived
) -> None:
    expected = find("brake number 7")
    with open_reader(of_either_kind) as reader:
        head_bytes = ann.FLAT_HEAD_BYTES if reader.manifest.exact else ann.GRAPH_HEAD.size
    encoder.encoded.clear()
    for place in range(head_bytes):
        (path,) = of_either_kind.glob("vectors-*.hnsw")
        content = bytearray(path.read_bytes())
        content[place] ^= 0x5A
        path.write_bytes(content)
        health = check_health(of_either_kind)
        try:
            answer = find("brake number 7")
        except IndexDamaged as error:
            assert health.failure is not None and health.failure.remedy == error.remedy, place
            assert error.remedy == f"mend it: rerank-cli index {docs} --index {of_either_kind}"
        else:  # such as the effort of the next build, which no query needs
            assert answer == expected and health.failure is None, place
        update()
        assert check_health(of_either_kind).failure is None, place
        assert find("brake number 7") == expected, place
    assert encoder.encoded == []
    survived("changed heads of vectors", head_bytes)


@pytest.mark.parametrize("level", [0, 1, 2, 7])
def test_a_graph_that_is_entered_where_it_does_not_reach_is_damage(tmp_path: Path, level: int) -> None:
    """hnswlib would read beyond its links and crash."""
    vectors = np.eye(64, dtype=np.float32)
    graph = ann.build(np.arange(64), vectors, exact_limit=0)
    size_bytes = graph.save(tmp_path / "graph")
    content = bytearray((tmp_path / "graph").read_bytes())
    right = int.from_bytes(content[48:52], "little")
    content[48:52] = level.to_bytes(4, "little")
    (tmp_path / "graph").write_bytes(content)
    with ann.open_saved(tmp_path / "graph", size_bytes=size_bytes) as file:
        if level == right:
            ann.check_opened(file, dimensions=64, count=64, exact=False)
        else:
            with pytest.raises(IndexDamaged, match="is no file of these vectors"):
                ann.check_opened(file, dimensions=64, count=64, exact=False)


# Remedies


def test_the_index_that_a_remedy_names_is_the_one_it_is_about(
    index: Path, docs: Path, update: Update, reranker: FakeReranker
) -> None:
    """Also where the index has a name of its own, and where the path of its documents has a blank in it."""
    spaced = docs.with_name("my docs")
    docs.rename(spaced)
    update(spaced, rebuild=True)
    command = f"rerank-cli index --rebuild '{spaced}' --index {index}"
    other = FakeEncoder(fingerprint="another")
    with pytest.raises(IndexMismatch) as caught:
        update(spaced, encoder=other)
    assert caught.value.remedy == f"encode it anew: {command}"
    settings = SearchSettings(
        retriever="hybrid", top_k=9, fusion="none", fusion_weight=1.0, reranks=True, per_document=1
    )
    with open_reader(index) as reader, pytest.raises(IndexMismatch) as caught:
        Searcher(reader, encoder=other, reranker=reranker, settings=settings)
    assert caught.value.remedy == f"name that one with --encoder, or run: {command}"


def test_where_nobody_can_tell_what_an_index_was_made_of_its_remedy_still_names_it(index: Path) -> None:
    empty_catalog(index)
    with pytest.raises(IndexDamaged) as caught:
        open_reader(index)
    assert caught.value.remedy == f"build it anew: rerank-cli index --rebuild FOLDER --index {index}"
