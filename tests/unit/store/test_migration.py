"""Indexes of every format that was ever written are brought over, and nothing is encoded again.

`tests/data` keeps one of each format, made of the same documents with the fake encoder of 8 dimensions and passages of
40 tokens in a folder `/documents`, and what they were found to answer then.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from rerank_cli.errors import IndexDamaged, IndexMismatch, InputError, UnusableIndex
from rerank_cli.records import StoredPassage
from rerank_cli.store import migration, open_reader, open_writer
from rerank_cli.store.health import check_health
from rerank_cli.store.layout import FORMAT_VERSION, Layout
from rerank_cli.store.passages import row_check
from rerank_cli.store.reader import IndexReader
from rerank_cli.store.roots import indexed_root
from rerank_cli.store.seal import read_seal, seal_of, write_seal
from rerank_cli.store.vectors import VectorFiles
from tests.conftest import Update
from tests.fakes import FakeEncoder

DATA = Path(__file__).parents[2] / "data"
HITS = json.loads((DATA / "hits.json").read_text(encoding="utf-8"))
DIMENSIONS = 8

KILLED_AT = """
import os, sys
from pathlib import Path
from rerank_cli.store import migration, open_writer, opening, replaced, writer
room = {"migration": migration, "opening": opening, "replaced": replaced, "writer": writer}[sys.argv[1]]
setattr(room, sys.argv[2], lambda *arguments, **options: os._exit(9))
with open_writer(Path(sys.argv[3]), wait_s=0):
    pass
"""


@pytest.fixture
def idle() -> FakeEncoder:
    """An encoder that breaks down as soon as it is to encode a passage."""
    return FakeEncoder(dimensions=DIMENSIONS, fails_after=0)


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    return shutil.copytree(DATA / "documents", tmp_path / "docs")


@pytest.fixture
def first(tmp_path: Path, docs: Path) -> Path:
    """An index of the first format, of *docs*."""
    folder = shutil.copytree(DATA / "format-1", tmp_path / "index")
    change(folder, "UPDATE manifest SET value = ? WHERE key = 'root'", json.dumps(str(docs)))
    return folder


@pytest.fixture
def second(tmp_path: Path, docs: Path) -> Path:
    """An index of the second format, of *docs*."""
    return sealed("format-2", tmp_path, docs)


@pytest.fixture
def third(tmp_path: Path, docs: Path) -> Path:
    """An index of the third format, of *docs*."""
    return sealed("format-3", tmp_path, docs)


@pytest.fixture
def present(tmp_path: Path, docs: Path) -> Path:
    """An index of the present format, of *docs*."""
    return sealed("format-4", tmp_path, docs)


def sealed(kept: str, tmp_path: Path, docs: Path) -> Path:
    folder = shutil.copytree(DATA / kept, tmp_path / "index")
    change(folder, "UPDATE manifest SET value = json_set(value, '$.root', ?) WHERE key = 'recipe'", str(docs))
    write_seal(folder / "catalog.seal", seal_of(folder / "catalog.sqlite", root=str(docs), generation=1))
    return folder


def change(folder: Path, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(folder / "catalog.sqlite")) as connection, connection:
        connection.execute(statement, values)


def hits(folder: Path) -> dict[str, dict[str, list[list[object]]]]:
    """What the index answers, in the words of `hits.json`."""
    encoder = FakeEncoder(dimensions=DIMENSIONS)
    with open_reader(folder) as reader:
        return {
            query: {
                "dense": told(reader, reader.search_dense(encoder.encode_queries([query])[0], 5)),
                "lexical": told(reader, reader.search_lexical(query.split(), 5)),
            }
            for query in HITS
        }


def told(reader: IndexReader, ranking: list[tuple[object, float]]) -> list[list[object]]:
    stored = reader.read([passage for passage, _ in ranking])
    return [
        [each.path, each.document_id, each.passage.ordinal, round(score, 5)]
        for each, score in ((stored[passage], score) for passage, score in ranking)
    ]


def everything(folder: Path) -> list[StoredPassage]:
    with open_reader(folder) as reader:
        return list(reader.scan())


def test_an_index_of_the_present_format_is_read_as_it_lies(tmp_path: Path) -> None:
    folder = shutil.copytree(DATA / f"format-{FORMAT_VERSION}", tmp_path / "index")
    assert hits(folder) == HITS
    assert check_health(folder, pages=True).failure is None


def test_the_kept_index_of_the_present_format_is_of_the_present_format() -> None:
    """Raise one and keep an index of the other."""
    assert (DATA / f"format-{FORMAT_VERSION}").is_dir()
    assert not (DATA / f"format-{FORMAT_VERSION + 1}").exists()


@pytest.mark.parametrize("format_", ["first", "second", "third", "present"])
def test_an_index_of_any_format_goes_on_and_nothing_is_encoded(
    format_: str, request: pytest.FixtureRequest, update: Update, idle: FakeEncoder
) -> None:
    folder = request.getfixturevalue(format_)
    summary = update(index_folder=folder, encoder=idle)
    assert summary.documents == 7
    assert (summary.added, summary.removed, idle.encoded) == (0, 0, [])
    assert hits(folder) == HITS
    assert check_health(folder, pages=True).failure is None
    assert update(index_folder=folder, encoder=idle).up_to_date


def test_bringing_over_alone_changes_no_answer(first: Path, docs: Path) -> None:
    with open_writer(first, wait_s=0) as writer:
        assert writer.manifest is not None
        assert (writer.manifest.generation, writer.manifest.recipe.root) == (2, str(docs))
        assert writer.files()["broken.jsonl"].failure == "line 1: not valid JSON (Expecting value)"
        assert writer.counts().documents == 7
    assert hits(first) == HITS
    layout = Layout(first)
    assert [layout.old_vectors(), layout.replaced.exists()] == [[], False]
    seal = read_seal(layout.seal)
    assert seal is not None and not seal.broken


def test_places_notes_and_times_of_the_third_format_are_brought_over(third: Path, docs: Path) -> None:
    change(third, "UPDATE files SET notes = 'one' || char(10) || 'two', mtime_ns = 7500000000 WHERE path = 'wheel.md'")
    change(third, "UPDATE passages SET unit = 'page', label = 'x', row_check = ? WHERE id = 1", checked(third, 1))
    write_seal(third / "catalog.seal", seal_of(third / "catalog.sqlite", root=str(docs), generation=1))
    before = passage_rows(third)
    with open_writer(third, wait_s=0) as writer:
        wheel = writer.files()["wheel.md"]
    assert (wheel.notes, wheel.modified_at, wheel.stamp.mtime_ns) == (("one", "two"), 7, 7_500_000_000)
    assert passage_rows(third) == before


def checked(folder: Path, number: int) -> int:
    """The check of a passage once it stands on a page."""
    with closing(sqlite3.connect(folder / "catalog.sqlite")) as connection:
        query = (
            "SELECT document_id, path, title, ordinal, 'page', first, last, 'x', headings, text, text_hash"
            " FROM passages JOIN documents ON documents.id = document WHERE passages.id = ?"
        )
        return row_check(*connection.execute(query, (number,)).fetchone())


def passage_rows(folder: Path) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(folder / "catalog.sqlite")) as connection:
        query = (
            "SELECT document_id, path, title, ordinal, unit, first, last, label, headings, text, parts, row_check"
            " FROM passages JOIN documents ON documents.id = document ORDER BY path, ordinal"
        )
        return connection.execute(query).fetchall()


@pytest.mark.parametrize("column", ["text", "label", "first"])
def test_a_row_of_the_third_format_that_is_not_what_was_written_is_told(third: Path, docs: Path, column: str) -> None:
    change(third, f"UPDATE passages SET {column} = 77 WHERE id = 2")
    write_seal(third / "catalog.seal", seal_of(third / "catalog.sqlite", root=str(docs), generation=1))
    with pytest.raises(IndexDamaged, match="not what was written"), open_writer(third, wait_s=0):
        pass


def test_a_reader_of_an_older_format_is_told_to_bring_it_over(first: Path, docs: Path) -> None:
    with pytest.raises(IndexMismatch, match="index format 1, this program reads 4") as caught:
        open_reader(first)
    command = f"rerank-cli index {docs} --index {first}"
    assert caught.value.remedy == f"bring it over, which encodes nothing: {command}"


def test_an_index_of_a_newer_format_is_left_alone(present: Path) -> None:
    change(present, "UPDATE manifest SET value = '99' WHERE key = 'format_version'")
    with pytest.raises(IndexMismatch, match="index format 99"):
        open_reader(present)
    before = (present / "catalog.sqlite").read_bytes()
    with pytest.raises(IndexMismatch, match="index format 99"), open_writer(present, wait_s=0):
        pass
    assert (present / "catalog.sqlite").read_bytes() == before


def test_an_index_of_the_first_format_from_before_some_columns_is_brought_over(
    first: Path, update: Update, idle: FakeEncoder
) -> None:
    for column in ("ctime_ns", "inode"):
        change(first, f"ALTER TABLE files DROP COLUMN {column}")
    for table in ("mounts", "told"):
        change(first, f"DROP TABLE {table}")
    update(index_folder=first, encoder=idle)
    assert (hits(first), idle.encoded) == (HITS, [])


def test_what_the_user_was_told_and_which_folders_were_mounts_is_brought_over(first: Path) -> None:
    change(first, "UPDATE mounts SET path = 'disk'")
    change(first, "INSERT OR REPLACE INTO told VALUES ('broken.jsonl', 'no record')")
    with open_writer(first, wait_s=0) as writer:
        assert (writer.mounts(), writer.told()) == (("disk",), {"broken.jsonl": "no record"})


@pytest.mark.parametrize("ended", [True, False])
def test_vectors_of_a_run_of_the_first_format_that_was_killed_are_kept(
    first: Path, ended: bool, update: Update, idle: FakeEncoder
) -> None:
    """Of one that has a generation, and of a first run that had none yet."""
    vector = np.eye(DIMENSIONS, dtype="<f4")[0].tobytes()
    change(
        first, "INSERT INTO vectors (fingerprint, text_hash, vector) VALUES ('fake-encoder', ?, ?)", b"s" * 16, vector
    )
    change(first, "INSERT INTO vectors (fingerprint, text_hash, vector) VALUES ('other', ?, ?)", b"o" * 16, vector)
    if not ended:
        for table in ("files", "manifest"):
            change(first, f"DELETE FROM {table}")
        change(first, "DELETE FROM passages")
        change(first, "DELETE FROM documents")
    with open_writer(first, wait_s=0) as writer:
        assert (writer.manifest is not None) == ended
        assert writer.missing_vectors("fake-encoder", [b"s" * 16, b"t" * 16]) == [b"t" * 16]
        assert writer.missing_vectors("other", [b"o" * 16]) == []
    update(index_folder=first, encoder=idle)
    assert hits(first) == HITS


@pytest.mark.parametrize("column", ["text", "first_line", "headings"])
def test_a_row_of_the_second_format_that_is_not_what_was_written_is_told(second: Path, docs: Path, column: str) -> None:
    change(second, f"UPDATE passages SET {column} = 77 WHERE id = 2")
    write_seal(second / "catalog.seal", seal_of(second / "catalog.sqlite", root=str(docs), generation=1))
    with pytest.raises(IndexDamaged, match="not what was written") as caught, open_writer(second, wait_s=0):
        pass
    assert "--rebuild" in caught.value.remedy


def test_an_index_of_the_second_format_that_its_seal_does_not_fit_is_left_alone(second: Path) -> None:
    change(second, "UPDATE files SET reader = 'other' WHERE path = 'wheel.md'")
    before = (second / "catalog.sqlite").read_bytes()
    with pytest.raises(IndexDamaged, match="is not what was written last"), open_writer(second, wait_s=0):
        pass
    assert (second / "catalog.sqlite").read_bytes() == before


# A bring-over that does not come to its end


@pytest.mark.parametrize(
    ("room", "function"),
    [
        ("replaced", "make_private_folder"),
        ("opening", "create_tables"),
        ("opening", "bring_over"),
        ("migration", "check_pages"),
        ("migration", "_copy_files"),
        ("migration", "insert_document"),
        ("migration", "_add"),
        ("migration", "write_generation"),
        ("writer", "LocalWriter"),
        ("opening", "check_whole"),
    ],
)
def test_one_that_is_killed_loses_nothing_and_the_next_run_does_it(
    first: Path, docs: Path, update: Update, idle: FakeEncoder, room: str, function: str
) -> None:
    killed = subprocess.run([sys.executable, "-c", KILLED_AT, room, function, first], check=False)
    assert killed.returncode == 9
    assert indexed_root(first) == docs
    update(index_folder=first, encoder=idle)
    assert (hits(first), idle.encoded) == (HITS, [])
    assert not Layout(first).replaced.exists()
    assert check_health(first, pages=True).failure is None


def test_one_that_is_killed_twice_loses_nothing(first: Path, update: Update, idle: FakeEncoder) -> None:
    for function in ("write_generation", "_copied_from_the_first"):
        subprocess.run([sys.executable, "-c", KILLED_AT, "migration", function, first], check=False)
    update(index_folder=first, encoder=idle)
    assert (hits(first), idle.encoded) == (HITS, [])


def test_who_reads_while_it_is_not_done_is_told_to_run_it_again(first: Path, docs: Path) -> None:
    subprocess.run([sys.executable, "-c", KILLED_AT, "migration", "write_generation", first], check=False)
    with pytest.raises(UnusableIndex) as caught:
        open_reader(first)
    assert f"rerank-cli index {docs} --index {first}" in caught.value.remedy


def test_one_that_fails_puts_the_index_back(first: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = (first / "catalog.sqlite").read_bytes()

    def be_interrupted(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(migration, "write_generation", be_interrupted)
    with pytest.raises(KeyboardInterrupt), open_writer(first, wait_s=0):
        pass
    assert (first / "catalog.sqlite").read_bytes() == before
    assert (first / "vectors-1.hnsw").exists()
    assert not (first / "replaced").exists()


def test_a_full_disk_is_told_and_the_index_put_back(
    first: Path, monkeypatch: pytest.MonkeyPatch, update: Update, idle: FakeEncoder
) -> None:
    def be_full(self: VectorFiles, *arguments: object, **options: object) -> None:
        raise OSError(28, "No space left on device", str(self.matrix))

    with monkeypatch.context() as patched:
        patched.setattr(VectorFiles, "append", be_full)
        with pytest.raises(InputError, match="No space left") as caught, open_writer(first, wait_s=0):
            pass
    assert "nothing was lost" in caught.value.remedy
    update(index_folder=first, encoder=idle)
    assert hits(first) == HITS


# Damage


def garble_a_page(folder: Path) -> None:
    content = (folder / "catalog.sqlite").read_bytes()
    (folder / "catalog.sqlite").write_bytes(content[: 4096 * 4] + b"\xff" * 4096 * 3 + content[4096 * 7 :])


def garble_a_text(folder: Path) -> None:
    content = (folder / "catalog.sqlite").read_bytes()
    (folder / "catalog.sqlite").write_bytes(content.replace(b"squeals", b"squ\xffals"))


def cut_a_vector(folder: Path) -> None:
    change(folder, "UPDATE vectors SET vector = substr(vector, 1, 5) WHERE id = (SELECT max(id) FROM vectors)")


def lose_a_vector(folder: Path) -> None:
    change(folder, "DELETE FROM vectors WHERE id = (SELECT max(id) FROM vectors)")


def spoil_a_vector(folder: Path) -> None:
    nothing = np.full(DIMENSIONS, np.nan, dtype="<f4").tobytes()
    change(folder, "UPDATE vectors SET vector = ? WHERE id = (SELECT max(id) FROM vectors)", nothing)


def lose_the_encoder(folder: Path) -> None:
    change(folder, "DELETE FROM manifest WHERE key = 'encoder'")


@pytest.mark.parametrize(
    "damage", [garble_a_page, garble_a_text, cut_a_vector, lose_a_vector, spoil_a_vector, lose_the_encoder]
)
def test_damage_is_told_and_a_rebuild_makes_the_index_anew(first: Path, docs: Path, update: Update, damage) -> None:
    damage(first)
    before = (first / "catalog.sqlite").read_bytes()
    with pytest.raises(IndexDamaged) as caught, open_writer(first, wait_s=0):
        pass
    assert str(first / "catalog.sqlite") in str(caught.value) and "replaced" not in str(caught.value)
    assert caught.value.remedy == f"build it anew: rerank-cli index --rebuild {docs} --index {first}"
    assert (first / "catalog.sqlite").read_bytes() == before
    update(index_folder=first, encoder=FakeEncoder(dimensions=DIMENSIONS), rebuild=True)
    assert hits(first) == HITS
    assert check_health(first, pages=True).failure is None


def test_a_rebuild_of_a_sound_one_encodes_nothing(first: Path, update: Update, idle: FakeEncoder) -> None:
    update(index_folder=first, encoder=idle, rebuild=True)
    assert (hits(first), idle.encoded) == (HITS, [])
