from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from rerank_cli.errors import IndexDamaged
from rerank_cli.store import open_reader, open_writer
from rerank_cli.store.layout import Layout
from rerank_cli.store.seal import Seal, fits, read_seal, seal_of, write_seal
from tests.conftest import Plant, Update
from tests.unit.store.texts import commit, commit_files, found, hash_of, new_file


def sealed(folder: Path) -> Seal:
    seal = read_seal(folder / "catalog.seal")
    assert seal is not None
    return seal


def test_a_seal_is_read_as_it_was_written(tmp_path: Path) -> None:
    seal = Seal("/with \n lines/über", 7, broken=True, size_bytes=5, crc32=6)
    write_seal(tmp_path / "seal", seal)
    assert read_seal(tmp_path / "seal") == seal


@pytest.mark.parametrize("change", [b"", b"x", b"{}\n00000000", b'{"root": 1}\n%08x', b"\xff\n\n"])
def test_what_is_no_seal_is_none(tmp_path: Path, change: bytes) -> None:
    (tmp_path / "seal").write_bytes(change)
    assert read_seal(tmp_path / "seal") is None


def test_no_byte_of_a_seal_may_change(tmp_path: Path) -> None:
    write_seal(tmp_path / "seal", Seal("/docs", 7, broken=False, size_bytes=5, crc32=6))
    content = (tmp_path / "seal").read_bytes()
    for place in range(len(content)):
        changed = bytearray(content)
        changed[place] ^= 1
        (tmp_path / "seal").write_bytes(changed)
        assert read_seal(tmp_path / "seal") is None, place


def test_a_seal_fits_the_file_that_it_was_made_of_alone(tmp_path: Path) -> None:
    (tmp_path / "catalog").write_bytes(b"apples")
    seal = seal_of(tmp_path / "catalog", root="/docs", generation=1)
    assert fits(seal, tmp_path / "catalog")
    for other in (b"applet", b"apple", b"apples!"):
        (tmp_path / "catalog").write_bytes(other)
        assert not fits(seal, tmp_path / "catalog")


def test_a_run_that_ended_leaves_a_whole_seal(folder: Path) -> None:
    seal = sealed(folder)
    assert (seal.root, seal.generation, seal.broken) == ("/docs", 1, False)
    assert fits(seal, folder / "catalog.sqlite")


def test_the_seal_is_broken_while_a_writer_is_at_work(folder: Path) -> None:
    with open_writer(folder, wait_s=0) as writer:
        assert not sealed(folder).broken
        commit(writer, {"c.md": ["cherries"]})
        assert sealed(folder).broken
        with open_reader(folder) as reader:
            assert "cherries" in found(reader, "plums")
    assert not sealed(folder).broken


def test_while_a_reader_holds_an_older_generation_the_seal_stays_broken_and_the_next_run_sets_it(folder: Path) -> None:
    with open_reader(folder) as reader:
        reader.counts()
        with open_writer(folder, wait_s=0) as writer:
            commit(writer, {"c.md": ["cherries"]})
        assert sealed(folder).broken
        with open_reader(folder) as newer:
            assert "cherries" in found(newer, "plums")
    with open_writer(folder, wait_s=0):
        pass
    assert not sealed(folder).broken
    assert fits(sealed(folder), folder / "catalog.sqlite")


def test_a_catalog_that_differs_from_its_seal_is_damage(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "catalog.sqlite")) as connection, connection:
        connection.execute("UPDATE documents SET title = 'Fruit'")
    with pytest.raises(IndexDamaged, match="is not what was written last") as caught:
        open_reader(folder)
    assert caught.value.remedy == f"build it anew: rerank-cli index --rebuild /docs --index {folder}"


def test_an_older_catalog_in_the_place_of_the_newest_is_damage(folder: Path) -> None:
    older = (folder / "catalog.sqlite").read_bytes()
    with open_writer(folder, wait_s=0) as writer:
        commit(writer, {"c.md": ["cherries"]})
    (folder / "catalog.sqlite").write_bytes(older)
    with pytest.raises(IndexDamaged, match="is not what was written last"):
        open_reader(folder)


def test_a_lost_catalog_is_damage_where_its_seal_knows_of_it(folder: Path) -> None:
    (folder / "catalog.sqlite").unlink()
    with pytest.raises(IndexDamaged, match="is missing") as caught:
        open_reader(folder)
    assert caught.value.remedy == f"build it anew: rerank-cli index --rebuild /docs --index {folder}"


def test_a_lost_seal_is_told_and_the_next_run_sets_it_where_the_catalog_is_sound(folder: Path) -> None:
    before = sealed(folder)
    (folder / "catalog.seal").unlink()
    with pytest.raises(IndexDamaged, match="is missing") as caught:
        open_reader(folder)
    assert caught.value.remedy == f"mend it: rerank-cli index /docs --index {folder}"
    with open_writer(folder, wait_s=0):
        pass
    assert sealed(folder) == before


def test_a_catalog_whose_words_differ_is_never_sealed(folder: Path) -> None:
    """The seal is lost, and what SQLite keeps of the words contradicts the passages."""
    (folder / "catalog.seal").unlink()
    with closing(sqlite3.connect(folder / "catalog.sqlite")) as connection, connection:
        connection.execute("DELETE FROM words_data WHERE id > 10")
    with pytest.raises(IndexDamaged), open_writer(folder, wait_s=0):
        pass
    assert not (folder / "catalog.seal").exists()


def test_a_changed_passage_is_never_sealed(folder: Path) -> None:
    """SQLite takes it for sound: only the passage's own check knows."""
    (folder / "catalog.seal").unlink()
    with closing(sqlite3.connect(folder / "catalog.sqlite")) as connection, connection:
        connection.execute("UPDATE passages SET first = 99 WHERE text = 'pears'")
    with pytest.raises(IndexDamaged, match="is not what was written"), open_writer(folder, wait_s=0):
        pass
    assert not (folder / "catalog.seal").exists()


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE fields SET value = 'wax'",
        "DELETE FROM fields",
        "INSERT INTO fields SELECT 'tag', 'wax', id FROM documents",
        "UPDATE documents SET dated = 0",
    ],
)
def test_what_a_document_says_of_itself_is_never_sealed_once_it_is_changed(tmp_path: Path, change: str) -> None:
    folder = tmp_path / "told"
    with open_writer(folder, wait_s=0) as writer:
        commit_files(writer, [new_file("a.md", ["apples"], fields=(("tag", "hive"), ("date", "2026-01-31")))])
    (folder / "catalog.seal").unlink()
    with closing(sqlite3.connect(folder / "catalog.sqlite")) as connection, connection:
        connection.execute(change)
    with pytest.raises(IndexDamaged, match="document 1 is not what was written"), open_writer(folder, wait_s=0):
        pass
    assert not (folder / "catalog.seal").exists()


def test_tables_that_contradict_each_other_are_told_where_the_seal_is_broken(folder: Path) -> None:
    """The hash of a text stands with its passage and in the index of them, where a search would miss it."""
    layout = Layout(folder)
    write_seal(layout.seal, sealed(folder)._replace(broken=True))
    content = layout.catalog.read_bytes()
    places = [match.start() for match in re.finditer(re.escape(hash_of("pears")), content)]
    assert len(places) == 2
    for place in places:
        changed = bytearray(content)
        changed[place] ^= 1
        layout.catalog.write_bytes(changed)
        with pytest.raises(IndexDamaged, match=r"catalog\.sqlite") as caught:
            open_reader(folder)
        assert "--rebuild" in caught.value.remedy
    layout.catalog.write_bytes(content)
    with open_reader(folder) as reader:
        assert found(reader, "pears")[0] == "pears"


def test_a_generation_number_is_never_given_out_twice(folder: Path) -> None:
    """The seal remembers the newest where the catalog is lost."""
    with open_writer(folder, wait_s=0) as writer:
        commit(writer, {"c.md": ["cherries"]})
    (folder / "catalog.sqlite").unlink()
    with open_writer(folder, wait_s=0) as writer:
        commit(writer, {"c.md": ["cherries"]})
        assert writer.manifest is not None and writer.manifest.generation == 3


USE_AND_LEAVE = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
connection.execute("SELECT count(*) FROM passages").fetchone()
connection.close()
"""


def test_a_process_that_leaves_does_not_take_itself_for_the_last_one_while_a_reader_is_there(
    plant: Plant, update: Update, index_folder: Path
) -> None:
    """The last one folds SQLite's log back and removes it, under the feet of whoever still reads."""
    plant({"a.md": "Bleed the radiator.\n"})
    update()
    catalog = Layout(index_folder).catalog
    log = catalog.with_name(f"{catalog.name}-wal")
    with open_reader(index_folder), open_reader(index_folder):
        assert log.exists()
        subprocess.run([sys.executable, "-c", USE_AND_LEAVE, str(catalog)], check=True, timeout=60)
        assert log.exists()
