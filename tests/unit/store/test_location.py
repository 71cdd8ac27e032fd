from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from rerank_cli.errors import IndexDamaged, IndexMismatch, IndexMissing, UnusableIndex, UsageError
from rerank_cli.store import open_reader
from rerank_cli.store.location import default_folder, find_index, indexes_folder, others_around
from rerank_cli.store.seal import read_seal, seal_of, write_seal
from tests.conftest import Update

Make = Callable[..., Path]


@pytest.fixture
def make(tmp_path: Path, update: Update) -> Make:
    """Index a folder of this test by its name, in the default place or under another name; where the index lies."""

    def make(name: str, *, named: str | None = None) -> Path:
        root = tmp_path / name
        root.mkdir(parents=True, exist_ok=True)
        (root / "a.md").write_text("brake\n")
        folder = indexes_folder() / named if named else default_folder(root)
        update(root, index_folder=folder)
        return folder

    return make


def break_catalog(index: Path) -> None:
    (index / "catalog.sqlite").write_bytes(b"this is no database" * 100)


def lose_catalog(index: Path) -> None:
    (index / "catalog.sqlite").unlink()


def lose_vectors(index: Path) -> None:
    next(index.glob("*.vectors")).unlink()


def make_another_format(index: Path) -> None:
    """As a newer program would leave it, its seal included."""
    with closing(sqlite3.connect(index / "catalog.sqlite")) as connection, connection:
        connection.execute("UPDATE manifest SET value = '99' WHERE key = 'format_version'")
    seal = read_seal(index / "catalog.seal")
    assert seal is not None
    write_seal(index / "catalog.seal", seal_of(index / "catalog.sqlite", root=seal.root, generation=seal.generation))


def test_the_nearest_enclosing_folders_index_is_found(make: Make, tmp_path: Path) -> None:
    outer, inner, named = make("a"), make("a/b/c"), make("a/x", named="mine")
    (tmp_path / "a" / "b" / "c" / "d").mkdir()
    for place, index in (("a", outer), ("a/b", outer), ("a/b/c/d", inner), ("a/x", named)):
        assert find_index(None, start=tmp_path / place) == index


def test_of_several_indexes_of_a_folder_the_newest_answers(make: Make, tmp_path: Path) -> None:
    outer, default, named = make("a"), make("a/b"), make("a/b", named="mine")
    for newest, older in ((default, named), (named, default)):
        os.utime(older / "catalog.seal", ns=(1, 1))
        os.utime(newest / "catalog.seal", ns=(2, 2))
        assert find_index(None, start=tmp_path / "a" / "b") == newest
        assert set(others_around(newest, start=tmp_path / "a" / "b")) == {older.name, outer.name}
    assert others_around(outer, start=tmp_path / "a") == []


def test_an_index_is_named_by_a_beginning_that_no_other_has(make: Make, tmp_path: Path) -> None:
    notes, _ = make("a", named="notes"), make("b", named="novels")
    assert find_index("not", start=tmp_path) == notes
    with pytest.raises(UsageError, match="no: several indexes begin so: notes, novels"):
        find_index("no", start=tmp_path)
    exact = make("c", named="no")
    assert find_index("no", start=tmp_path) == exact
    assert find_index("x", start=tmp_path) == indexes_folder() / "x"


@pytest.mark.parametrize(
    ("damage", "error"),
    [
        (break_catalog, IndexDamaged),
        (lose_catalog, IndexDamaged),
        (lose_vectors, IndexDamaged),
        (make_another_format, IndexMismatch),
    ],
)
def test_in_a_folder_whose_own_index_is_unusable_no_other_answers(
    make: Make, tmp_path: Path, damage: Callable[[Path], None], error: type[UnusableIndex]
) -> None:
    make("outer"), make("elsewhere")
    own = make("outer/own")
    damage(own)
    assert find_index(None, start=tmp_path / "outer" / "own") == own
    with pytest.raises(error):
        open_reader(own)


@pytest.mark.parametrize("damage", [lose_vectors, make_another_format])
def test_an_unusable_index_of_another_name_is_still_that_of_its_folder(
    make: Make, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    make("outer"), make("elsewhere")
    own = make("outer/own", named="mine")
    damage(own)
    assert find_index(None, start=tmp_path / "outer" / "own") == own


@pytest.mark.parametrize("damage", [break_catalog, lose_vectors, make_another_format])
def test_an_unusable_index_does_not_make_another_the_only_one(
    make: Make, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    sound, broken = make("sound"), make("broken")
    damage(broken)
    with pytest.raises(IndexMissing, match="several folders are indexed") as caught:
        find_index(None, start=tmp_path)
    assert sound.name in str(caught.value) and broken.name in str(caught.value)
    assert "--index NAME" in caught.value.remedy


def test_the_only_index_there_is_is_found_from_anywhere(make: Make, tmp_path: Path) -> None:
    with pytest.raises(IndexMissing, match="no folder is indexed yet"):
        find_index(None, start=tmp_path)
    index = make("sound")
    assert find_index(None, start=tmp_path) == index
