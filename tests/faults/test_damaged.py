from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from rerank_cli.errors import IndexDamaged, IndexMismatch, IndexMissing, RerankError
from rerank_cli.search import Searcher, SearchSettings
from rerank_cli.store import open_reader
from rerank_cli.store.health import check_health
from rerank_cli.store.seal import read_seal, seal_of, write_seal
from tests.conftest import Plant, Update
from tests.fakes import FakeEncoder, FakeReranker
from tests.faults.conftest import LONG

PLACES = range(0, 96, 1 if LONG else 4)
"""Bytes at the beginning of a file that are changed: a graph has numbers of four and eight bytes there."""


@pytest.fixture
def index(plant: Plant, update: Update, index_folder: Path, encoder: FakeEncoder) -> Path:
    plant({f"{n:03}.md": f"brake number {n}\n" * 20 for n in range(100)})
    update()
    encoder.encoded.clear()
    return index_folder


def manifest_says(index: Path, key: str, value: str) -> None:
    """As another program would have it: with a seal that fits."""
    with closing(sqlite3.connect(index / "catalog.sqlite")) as connection, connection:
        connection.execute("UPDATE manifest SET value = ? WHERE key = ?", (value, key))
    seal_again(index)


def seal_again(index: Path) -> None:
    seal = read_seal(index / "catalog.seal")
    assert seal is not None
    anew = seal_of(index / "catalog.sqlite", root=seal.root, generation=seal.generation)
    write_seal(index / "catalog.seal", anew)


def names_in(index: Path) -> list[str]:
    """The names of its files, without what tells encoders apart."""
    return sorted(path.name.partition("-")[2] or path.name for path in index.iterdir())


SOUND = ["64-1.keys", "64-1.vectors", "catalog.seal", "catalog.sqlite", "write.lock"]


def file_of(index: Path, ending: str) -> Path:
    (path,) = index.glob(f"*{ending}")
    return path


def lose_vectors(index: Path) -> None:
    file_of(index, ".vectors").unlink()


def lose_keys(index: Path) -> None:
    file_of(index, ".keys").unlink()


def cut_vectors(index: Path) -> None:
    path = file_of(index, ".vectors")
    path.write_bytes(path.read_bytes()[:-1])


def cut_keys(index: Path) -> None:
    path = file_of(index, ".keys")
    path.write_bytes(path.read_bytes()[:-1])


LOST = {lose_vectors: 100, lose_keys: 100, cut_vectors: 1, cut_keys: 1}
"""How many vectors each takes: what is left of the files is sound."""


@pytest.mark.parametrize("damage", LOST)
def test_lost_vectors_are_told_when_the_index_is_opened(index: Path, docs: Path, damage) -> None:
    damage(index)
    with pytest.raises(IndexDamaged) as caught:
        open_reader(index)
    assert caught.value.remedy == f"mend it: rerank-cli index {docs} --index {index}"


@pytest.mark.parametrize("damage", LOST)
def test_lost_vectors_alone_are_encoded_again(
    index: Path, docs: Path, update: Update, find, encoder: FakeEncoder, damage
) -> None:
    expected = find("brake number 7")
    damage(index)
    with pytest.raises(IndexDamaged) as caught:
        find("brake number 7")
    assert caught.value.remedy == f"mend it: rerank-cli index {docs} --index {index}"
    assert update().generation == 2
    assert len(encoder.encoded) == LOST[damage]
    assert find("brake number 7") == expected


def test_a_lost_graph_is_made_again_without_a_model(
    index: Path, docs: Path, update: Update, find, encoder: FakeEncoder
) -> None:
    update(search="hnsw")
    expected = find("brake number 7")
    file_of(index, ".hnsw").unlink()
    with pytest.raises(IndexDamaged) as caught:
        find("brake number 7")
    assert caught.value.remedy == f"mend it: rerank-cli index {docs} --index {index}"
    assert update(search="hnsw").generation == 3
    assert encoder.encoded == []
    assert find("brake number 7") == expected


def empty_catalog(index: Path) -> None:
    (index / "catalog.sqlite").write_bytes(b"no database at all, but long enough to be taken for one" * 100)


def drop_a_table(index: Path) -> None:
    with closing(sqlite3.connect(index / "catalog.sqlite")) as connection:
        connection.execute("DROP TABLE manifest")


def garble_the_manifest(index: Path) -> None:
    manifest_says(index, "recipe", "{")


def cut_the_manifest(index: Path) -> None:
    with closing(sqlite3.connect(index / "catalog.sqlite")) as connection, connection:
        connection.execute("DELETE FROM manifest WHERE key = 'recipe'")
    seal_again(index)


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
    plant({"new.md": "saddle\n"})
    before = contents(index)
    with monkeypatch.context() as patch:
        if fails_while == "committing":
            patch.setattr("rerank_cli.store.writer.write_generation", break_down)
        with pytest.raises(RuntimeError, match="broke down"):
            update(rebuild=True, encoder=FakeEncoder(fails_after=0 if fails_while == "encoding" else None))
    after = contents(index)
    assert all(after[name].startswith(content) for name, content in before.items() if name != "write.lock")
    with pytest.raises(IndexMismatch, match="index format 99"):
        find("brake")
    update(rebuild=True)
    assert len(find("brake")) == 101
    assert names_in(index) == SOUND


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
    assert names_in(index) == SOUND


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


# Bytes of the files beside the catalog


@pytest.fixture(params=["exact", "hnsw"])
def of_either_kind(request: pytest.FixtureRequest, plant: Plant, update: Update, index_folder: Path) -> str:
    """An index of 100 documents, searched by a scan or by a graph."""
    plant({f"{n:03}.md": f"brake number {n}\n" for n in range(100)})
    update(search=request.param)
    return request.param


def test_any_byte_changed_at_the_beginning_of_a_file_is_told_by_all_and_mended_as_told(
    of_either_kind: str, index_folder: Path, docs: Path, update: Update, find, encoder: FakeEncoder, survived
) -> None:
    """hnswlib would read beyond its links and crash where a graph says that it is entered elsewhere."""
    expected = find("brake number 7")
    encoder.encoded.clear()
    ending = ".vectors" if of_either_kind == "exact" else ".hnsw"
    for place in PLACES:
        path = file_of(index_folder, ending)
        content = bytearray(path.read_bytes())
        content[place] ^= 0x5A
        path.write_bytes(content)
        health = check_health(index_folder)
        with pytest.raises(IndexDamaged) as caught:
            find("brake number 7")
        assert health.failure is not None and health.failure.remedy == caught.value.remedy, place
        assert caught.value.remedy == f"mend it: rerank-cli index {docs} --index {index_folder}"
        update(search=of_either_kind)
        assert check_health(index_folder).failure is None, place
        assert find("brake number 7") == expected, place
    assert len(encoder.encoded) == (len(PLACES) if of_either_kind == "exact" else 0)
    survived("changed bytes at the beginning of vectors and graphs", len(PLACES))


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
    (index / "catalog.seal").unlink()
    with pytest.raises(IndexDamaged) as caught:
        open_reader(index)
    assert caught.value.remedy == f"build it anew: rerank-cli index --rebuild FOLDER --index {index}"
