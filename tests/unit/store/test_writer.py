from __future__ import annotations

import json
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from rerank_cli.errors import Busy, IndexDamaged, IndexMissing, ModelError
from rerank_cli.ports import Changes
from rerank_cli.store import open_reader, open_writer
from rerank_cli.store.layout import Layout
from tests.clocks import IdleClock, WatchedClock
from tests.unit.store.texts import DIMENSIONS, RECIPE, commit, found, hash_of, keep, new_file, vector_of


def test_a_failed_commit_changes_nothing(folder: Path) -> None:
    """A passage without a vector is no passage of an index."""
    with pytest.raises(AssertionError, match="has a vector"), open_writer(folder, wait_s=0) as writer:
        keep(writer, ["cherries"])
        writer.stage(new_file("a.md", ["cherries", "grapes"]), key="")
        writer.commit(Changes(("a.md",), ("b.md",)), RECIPE)
    with open_reader(folder) as reader:
        assert reader.manifest.generation == 1
        assert set(found(reader, "plums")) == {"apples", "pears", "plums"}


def test_a_writer_goes_on_after_a_commit_that_failed(folder: Path) -> None:
    with open_writer(folder, wait_s=0) as writer:
        writer.stage(new_file("c.md", ["cherries"]), key="")
        with pytest.raises(AssertionError, match="has a vector"):
            writer.commit(Changes(("c.md",)), RECIPE, prune=True)
        commit(writer, {"c.md": ["cherries"]})
    with open_reader(folder) as reader:
        assert reader.manifest.generation == 2
        assert set(found(reader, "plums")) == {"apples", "pears", "plums", "cherries"}


def test_a_file_takes_the_place_of_what_stood_under_its_path(folder: Path) -> None:
    with open_writer(folder, wait_s=0) as writer:
        commit(writer, {"a.md": ["quinces"]})
        assert writer.document_counts() == {"a.md": 1, "b.md": 1}
        assert writer.documents_in(["a.md", "gone.md"]) == {"a.md": {"a.md"}, "gone.md": set()}
    with open_reader(folder) as reader:
        assert set(found(reader, "plums")) == {"quinces", "plums"}


def test_what_a_file_was_found_like_is_remembered_without_a_generation(folder: Path) -> None:
    with open_writer(folder, wait_s=0) as writer:
        state = writer.files()["a.md"]._replace(content_hash=b"y", failure="cannot be read")
        writer.touch([state])
        writer.keep_mounts(["disk"])
        writer.keep_told({"a.md": "cannot be read"})
    with open_writer(folder, wait_s=0) as writer:
        assert writer.files()["a.md"] == state
        assert (writer.mounts(), writer.told()) == (("disk",), {"a.md": "cannot be read"})
        assert writer.manifest is not None and writer.manifest.generation == 1
    with open_reader(folder) as reader:
        assert set(found(reader, "plums")) == {"apples", "pears", "plums"}


def test_another_recipe_needs_a_commit_and_the_same_one_does_not(folder: Path) -> None:
    with open_writer(folder, wait_s=0) as writer:
        assert not writer.needs_commit(RECIPE)
        assert writer.needs_commit(RECIPE._replace(passage_tokens=41))
    with open_writer(folder, wait_s=0, search="hnsw") as writer:
        assert writer.needs_commit(RECIPE)


# Vectors that a writer keeps


def test_vectors_are_kept_for_one_encoder(folder: Path) -> None:
    with open_writer(folder, wait_s=0) as writer:
        assert writer.missing_vectors("fake", [hash_of("plums")]) == []
        assert writer.missing_vectors("another", [hash_of("plums")] * 2) == [hash_of("plums")]


def test_a_vector_outlives_the_passages_that_had_it(folder: Path) -> None:
    with open_writer(folder, wait_s=0) as writer:
        commit(writer, {}, removed=("b.md",))
    with open_writer(folder, wait_s=0) as writer:
        assert writer.missing_vectors("fake", [hash_of("plums")]) == []


@pytest.mark.parametrize(
    "vectors",
    [
        np.full((1, DIMENSIONS), np.nan, np.float32),
        np.full((1, DIMENSIONS), np.inf, np.float32),
        np.ones((1, DIMENSIONS + 1), np.float32),
        np.ones((2, DIMENSIONS), np.float32),
        np.ones(DIMENSIONS, np.float32),
    ],
)
def test_what_is_no_vector_of_the_index_is_refused(folder: Path, vectors: np.ndarray) -> None:
    with open_writer(folder, wait_s=0) as writer:
        with pytest.raises(ModelError, match="gave no 1 vectors of 8 finite numbers"):
            writer.keep_vectors("fake", [hash_of("x")], vectors)
        assert writer.missing_vectors("fake", [hash_of("x")]) == [hash_of("x")]


def test_a_killed_commit_leaves_the_vectors_of_its_texts(folder: Path) -> None:
    with pytest.raises(KeyboardInterrupt), open_writer(folder, wait_s=0) as writer:
        keep(writer, ["cherries"])
        raise KeyboardInterrupt
    with open_writer(folder, wait_s=0) as writer:
        assert writer.missing_vectors("fake", [hash_of("cherries")]) == []


# Who may write, and what is left of a first run


def test_a_second_writer_gets_busy_when_its_wait_runs_out(folder: Path, idle_clock: IdleClock) -> None:
    with (
        open_writer(folder, wait_s=0),
        pytest.raises(Busy, match="another process"),
        open_writer(folder, wait_s=5),
    ):
        pass
    assert 5 <= idle_clock.now_s < 6
    with open_writer(folder, wait_s=0):
        pass


def test_a_writer_that_waited_for_a_first_run_that_failed_makes_a_sound_index(
    tmp_path: Path, watched_clock: WatchedClock
) -> None:
    """The failed one took folder and lock away, and the lock waited for would guard nothing."""
    written: list[str] = []
    with ThreadPoolExecutor(2) as pool:

        def write(name: str) -> None:
            with open_writer(tmp_path / "index", wait_s=300) as writer:
                commit(writer, {name: [name]})
                written.append(name)
                if len(written) == 1:
                    watched_clock.until_others_wait(1)

        with pytest.raises(ValueError, match="fails"), open_writer(tmp_path / "index", wait_s=0):
            waiting = [pool.submit(write, name) for name in ("a.md", "b.md")]
            watched_clock.until_others_wait(2)
            raise ValueError("the first run fails")
        for future in waiting:
            future.result()
    with open_reader(tmp_path / "index") as reader:
        assert reader.manifest.generation == 2
        assert set(found(reader, "a.md")) == {"a.md", "b.md"}


def test_nothing_is_left_of_a_first_run_that_fails_before_its_first_vector(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="fails"), open_writer(tmp_path / "index", wait_s=0) as writer:
        writer.stage(new_file("a.md", ["apples"]), key="")
        raise ValueError("the first run fails")
    assert not (tmp_path / "index").exists()


def test_a_first_run_that_fails_after_its_first_vectors_keeps_them(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="fails"), open_writer(tmp_path, wait_s=0) as writer:
        keep(writer, ["plums"])
        raise ValueError("the first run fails")
    with open_writer(tmp_path, wait_s=0) as writer:
        assert writer.missing_vectors("fake", [hash_of("plums")]) == []


def test_a_first_run_that_fails_after_its_commit_stays(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="fails"), open_writer(tmp_path, wait_s=0) as writer:
        commit(writer, {})
        raise ValueError("what comes after fails")
    with open_reader(tmp_path) as reader:
        assert reader.manifest.generation == 1


def test_no_index_and_an_unfinished_first_run_are_missing(tmp_path: Path) -> None:
    with pytest.raises(IndexMissing, match="no index here"):
        open_reader(tmp_path)
    (tmp_path / "catalog.sqlite").touch()  # a first run killed before it had made its tables
    with pytest.raises(IndexMissing, match="not finished"):
        open_reader(tmp_path)
    with open_writer(tmp_path, wait_s=0) as writer:
        assert writer.manifest is None
        with pytest.raises(IndexMissing, match="not finished"):
            open_reader(tmp_path)


# What killed runs and older generations left


def test_what_killed_runs_left_goes_with_the_next_run(folder: Path) -> None:
    layout = Layout(folder)
    names = ["graph-7.hnsw.partial", "graph-3.hnsw", "vectors-1.hnsw", "staging"]
    for name in names:
        (folder / name).write_bytes(b"left over")
    with open_writer(folder, wait_s=0) as writer:
        commit(writer, {"c.md": ["cherries"]})
    assert not any((folder / name).exists() for name in names)
    assert [path.suffix for path in layout.vectors()] == [".keys", ".vectors"]


def test_a_second_pair_of_vectors_that_a_killed_rewrite_left_goes(folder: Path) -> None:
    for path in Layout(folder).vectors():
        path.with_name(path.name.replace("-1.", "-2.")).write_bytes(b"")
    with open_writer(folder, wait_s=0) as writer:
        commit(writer, {"c.md": ["cherries"]})
    assert len(Layout(folder).vectors()) == 2
    with open_reader(folder) as reader:
        assert len(found(reader, "plums")) == 4


def test_other_encoders_vectors_stay_until_a_commit_prunes(folder: Path) -> None:
    with open_writer(folder, wait_s=0) as writer:
        keep(writer, ["plums"], fingerprint="another")
        commit(writer, {"c.md": ["cherries"]})
    with open_writer(folder, wait_s=0) as writer:
        assert writer.missing_vectors("another", [hash_of("plums")]) == []
        writer.commit(Changes(), RECIPE, prune=True)
    assert len(Layout(folder).vectors()) == 2
    with open_writer(folder, wait_s=0) as writer:
        assert writer.missing_vectors("another", [hash_of("plums")]) == [hash_of("plums")]
        assert writer.missing_vectors("fake", [hash_of("plums"), hash_of("cherries")]) == []


# What is lost is made again


@pytest.mark.parametrize("ending", ["vectors", "keys"])
def test_a_lost_part_of_the_vectors_is_told_and_its_texts_are_to_be_encoded_again(folder: Path, ending: str) -> None:
    next(folder.glob(f"*.{ending}")).unlink()
    with pytest.raises(IndexDamaged, match="is missing"):
        open_reader(folder)
    with open_writer(folder, wait_s=0) as writer:
        assert writer.needs_commit(RECIPE)
        lost = dict(writer.lost_texts("fake"))
        assert set(lost.values()) == {"apples", "pears", "plums"}
        writer.keep_vectors("fake", list(lost), np.stack([vector_of(text) for text in lost.values()]))
        writer.commit(Changes(), RECIPE)
        assert not writer.needs_commit(RECIPE)
    with open_reader(folder) as reader:
        assert found(reader, "plums")[0] == "plums"


def test_of_a_damaged_row_only_its_own_text_is_encoded_again(folder: Path) -> None:
    matrix = next(folder.glob("*.vectors"))
    content = bytearray(matrix.read_bytes())
    content[4 * DIMENSIONS + 3] ^= 1
    matrix.write_bytes(content)
    with open_writer(folder, wait_s=0) as writer:
        assert [text for _, text in writer.lost_texts("fake")] == ["pears"]


def test_nothing_is_lost_of_a_sound_index(folder: Path) -> None:
    with open_writer(folder, wait_s=0) as writer:
        assert list(writer.lost_texts("fake")) == []


@pytest.mark.parametrize("damaged", [[], ["pears"]])
def test_vectors_that_an_older_program_did_not_count_as_a_whole_are_looked_at_one_by_one(
    folder: Path, damaged: list[str]
) -> None:
    if damaged:
        matrix = next(folder.glob("*.vectors"))
        content = bytearray(matrix.read_bytes())
        content[4 * DIMENSIONS + 3] ^= 1
        matrix.write_bytes(content)
    with open_writer(folder, wait_s=0) as writer:
        assert writer.generation is not None
        writer.generation = writer.generation._replace(vectors=writer.generation.vectors._replace(matrix_crc32=None))
        assert [text for _, text in writer.lost_texts("fake")] == damaged
        assert writer.needs_commit(RECIPE) == bool(damaged)


def test_older_programs_of_the_format_understand_what_is_said_of_vectors(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "catalog.sqlite")) as connection:
        said = dict(connection.execute("SELECT key, value FROM manifest"))
    assert json.loads(said["vectors"]).keys() == {"name", "rows", "keys_crc32"}


def test_what_a_run_that_was_killed_while_it_mended_has_encoded_is_not_encoded_again(folder: Path) -> None:
    next(folder.glob("*.vectors")).unlink()
    with pytest.raises(KeyboardInterrupt), open_writer(folder, wait_s=0) as writer:
        keep(writer, ["plums"])
        raise KeyboardInterrupt
    with open_writer(folder, wait_s=0) as writer:
        assert {text for _, text in writer.lost_texts("fake")} == {"apples", "pears"}
