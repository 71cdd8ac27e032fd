from __future__ import annotations

import itertools
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from rerank_cli.errors import Busy, IndexMissing, InputError
from rerank_cli.records import Passage, Vectors
from rerank_cli.stamps import Stamp
from rerank_cli.store import (
    Changes,
    FileState,
    IndexReader,
    IndexWriter,
    Manifest,
    NewDocument,
    NewFile,
    ann,
    open_reader,
    open_writer,
)
from rerank_cli.store.layout import FORMAT_VERSION

DIMENSIONS = 8

MANIFEST = Manifest(
    format_version=FORMAT_VERSION,
    generation=0,
    root="/docs",
    encoder="fake",
    encoder_fingerprint="fake",
    dimensions=DIMENSIONS,
    passage_tokens=40,
    reader_version=1,
    rules={},
    updated_at="",
    exact=True,
    vector_count=0,
    vectors_size_bytes=0,
)


def vector_of(text: str) -> Vectors:
    vector = np.random.default_rng(list(text.encode())).normal(size=DIMENSIONS)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def commit(writer: IndexWriter, written: dict[str, list[str]], *, removed: tuple[str, ...] = ()) -> None:
    """Write files of one document each, whose passages are the given texts."""
    texts = list(dict.fromkeys(itertools.chain.from_iterable(written.values())))
    if texts:
        writer.keep_vectors("fake", [text.encode() for text in texts], np.stack([vector_of(text) for text in texts]))
    files = [
        NewFile(
            FileState(path, stamp=Stamp(1, 1, 1, 1), content_hash=b"x", reader="text", failure=None),
            (
                NewDocument(
                    path,
                    title=path,
                    passages=tuple(Passage(n, n + 1, n + 1, (), text) for n, text in enumerate(passages)),
                    text_hashes=tuple(text.encode() for text in passages),
                ),
            ),
        )
        for path, passages in written.items()
    ]
    writer.commit(Changes(tuple(files), removed), MANIFEST)


def found(reader: IndexReader, text: str, depth: int = 100) -> list[str]:
    passages = reader.search_dense(vector_of(text), depth)
    stored = reader.read([passage for passage, _ in passages])
    return [stored[passage].passage.text for passage, _ in passages]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "index"
    with open_writer(folder, wait_s=0) as writer:
        commit(writer, {"a.md": ["apples", "pears"], "b.md": ["plums"]})
    return folder


def vector_files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("vectors*"))


def test_a_reader_sees_its_generation_until_it_closes(folder: Path) -> None:
    with open_reader(folder) as reader:
        before = found(reader, "plums")
        with open_writer(folder, wait_s=0) as writer:
            commit(writer, {"c.md": ["cherries"]}, removed=("b.md",))
        assert found(reader, "plums") == before
        assert reader.counts().documents == 2
        assert len(reader.search_lexical(["plums"], 5)) == 1
    with open_reader(folder) as reader:
        assert set(found(reader, "plums")) == {"apples", "pears", "cherries"}
        assert reader.search_lexical(["plums"], 5) == []


def test_a_reader_that_loads_its_vectors_after_a_commit_still_sees_its_generation(folder: Path) -> None:
    with open_writer(folder, wait_s=0) as writer:  # of a run that was killed
        writer.keep_vectors("fake", [b"stray"], vector_of("stray")[None])
    queries = [vector_of("plums"), vector_of("stray")]
    with open_reader(folder) as sooner:
        expected = [sooner.search_dense(query, 1) for query in queries]
    with open_reader(folder) as reader:
        with open_writer(folder, wait_s=0) as writer:
            commit(writer, {"c.md": ["cherries"]}, removed=("b.md",))
        assert vector_files(folder) == ["vectors-2.hnsw"]
        assert [reader.search_dense(query, 1) for query in queries] == expected


def test_a_reader_is_not_held_up_by_an_unfinished_commit(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def look_in_between(self: IndexWriter, manifest: Manifest) -> None:
        with open_reader(folder) as reader:
            seen.append((reader.manifest.generation, sorted(found(reader, "plums"))))
        raise KeyboardInterrupt

    monkeypatch.setattr(IndexWriter, "_write_manifest", look_in_between)
    with pytest.raises(KeyboardInterrupt), open_writer(folder, wait_s=0) as writer:
        commit(writer, {"c.md": ["cherries"]})
    assert seen == [(1, ["apples", "pears", "plums"])]


def test_old_vector_files_and_what_a_killed_run_left_go_away(folder: Path) -> None:
    (folder / "vectors-7.hnsw.partial").write_bytes(b"left over")
    with open_writer(folder, wait_s=0) as writer:
        commit(writer, {"c.md": ["cherries"]})
    assert vector_files(folder) == ["vectors-2.hnsw"]


def test_a_failed_commit_changes_nothing(folder: Path) -> None:
    with pytest.raises(ValueError, match="shorter"), open_writer(folder, wait_s=0) as writer:
        passage = Passage(0, 1, 1, (), "cherries")
        state = FileState("a.md", stamp=Stamp(1, 1, 1, 1), content_hash=b"x", reader="text", failure=None)
        broken = NewFile(state, (NewDocument("a.md", "a.md", passages=(passage,), text_hashes=()),))
        writer.commit(Changes((broken,), ("b.md",)), MANIFEST)
    with open_reader(folder) as reader:
        assert reader.manifest.generation == 1
        assert set(found(reader, "plums")) == {"apples", "pears", "plums"}


def test_vectors_of_no_passage_do_not_outlive_a_commit(folder: Path) -> None:
    with open_writer(folder, wait_s=0) as writer:
        assert writer.missing_vectors("fake", [b"plums"]) == []
        commit(writer, {}, removed=("b.md",))
        assert writer.missing_vectors("fake", [b"plums", b"plums"]) == [b"plums"]


def test_vectors_are_kept_for_one_encoder(folder: Path) -> None:
    with open_writer(folder, wait_s=0) as writer:
        assert writer.missing_vectors("another", [b"plums"]) == [b"plums"]


def test_a_vector_that_is_no_number_is_refused(folder: Path) -> None:
    with open_writer(folder, wait_s=0) as writer, pytest.raises(InputError, match="not finite"):
        writer.keep_vectors("fake", [b"x"], np.full((1, DIMENSIONS), np.nan, np.float32))


def test_a_second_writer_gets_busy_when_its_wait_runs_out(folder: Path) -> None:
    with (
        open_writer(folder, wait_s=0),
        pytest.raises(Busy, match="another process"),
        open_writer(folder, wait_s=0.15),
    ):
        pass
    with open_writer(folder, wait_s=0):
        pass


def test_a_writer_that_waited_for_a_first_run_that_failed_makes_a_sound_index(tmp_path: Path) -> None:
    """The failed one took folder and lock away, and the lock waited for would guard nothing."""
    with ThreadPoolExecutor(2) as pool:

        def write(name: str) -> None:
            with open_writer(tmp_path / "index", wait_s=10) as writer:
                commit(writer, {name: [name]})
                time.sleep(0.3)

        with pytest.raises(ValueError, match="fails"), open_writer(tmp_path / "index", wait_s=0):
            waiting = [pool.submit(write, name) for name in ("a.md", "b.md")]
            time.sleep(0.3)
            raise ValueError("the first run fails")
        for future in waiting:
            future.result()
    with open_reader(tmp_path / "index") as reader:
        assert reader.manifest.generation == 2
        assert set(found(reader, "a.md")) == {"a.md", "b.md"}


def test_a_first_run_that_fails_after_its_first_vectors_keeps_them(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="fails"), open_writer(tmp_path, wait_s=0) as writer:
        writer.keep_vectors("fake", [b"plums"], vector_of("plums")[None])
        raise ValueError("the first run fails")
    with open_writer(tmp_path, wait_s=0) as writer:
        assert writer.missing_vectors("fake", [b"plums"]) == []


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


def test_two_documents_may_have_one_id_in_two_files(folder: Path) -> None:
    state = FileState("z.jsonl", stamp=Stamp(1, 1, 1, 1), content_hash=b"x", reader="jsonl", failure=None)
    document = NewDocument("a.md", "a.md", (Passage(0, 1, 1, (), "apples"),), (b"apples",))
    with open_writer(folder, wait_s=0) as writer:
        writer.commit(Changes((NewFile(state, (document,)),)), MANIFEST)
    with open_reader(folder) as reader:
        ranking = reader.search_dense(vector_of("apples"), 2)
        stored = reader.read([passage for passage, _ in ranking])
        assert [stored[passage].path for passage, _ in ranking] == ["a.md", "z.jsonl"]


def test_among_many_equal_scores_the_first_documents_are_taken(tmp_path: Path) -> None:
    """More of them than the list is deep, and those that come first in order written last."""
    with open_writer(tmp_path / "index", wait_s=0) as writer:
        commit(writer, {f"{n:02}.md": ["plums"] for n in reversed(range(60))})
    with open_reader(tmp_path / "index") as reader:
        for ranking in (reader.search_lexical(["plums"], 3), reader.search_dense(vector_of("plums"), 3)):
            stored = reader.read([passage for passage, _ in ranking])
            assert [stored[passage].path for passage, _ in ranking] == ["00.md", "01.md", "02.md"]


def test_headings_come_back_on_one_line_each(folder: Path) -> None:
    state = FileState("h.md", stamp=Stamp(1, 1, 1, 1), content_hash=b"x", reader="text", failure=None)
    passage = Passage(0, 1, 1, ("Fruit\nand  more", "Apples"), "apples")
    with open_writer(folder, wait_s=0) as writer:
        writer.commit(Changes((NewFile(state, (NewDocument("h.md", "h", (passage,), (b"apples",)),)),)), MANIFEST)
    with open_reader(folder) as reader:
        (stored,) = (each for each in reader.scan() if each.path == "h.md")
        assert stored.passage.headings == ("Fruit and more", "Apples")


def test_more_ids_than_one_statement_takes_are_read(folder: Path) -> None:
    with open_reader(folder) as reader:
        assert len(reader.read(range(25_000))) == 3


# Above the limit of the exact scan


@pytest.fixture
def graph_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "graph"
    with open_writer(folder, wait_s=0, exact_limit=20) as writer:
        commit(writer, {f"{n:03}.md": [f"text {n}", f"more {n}"] for n in range(50)})
        assert writer.manifest is not None
        assert not writer.manifest.exact
    return folder


def test_a_graph_is_amended_and_finds_what_an_exact_index_finds(graph_folder: Path, tmp_path: Path) -> None:
    with open_writer(graph_folder, wait_s=0, exact_limit=20) as writer:
        commit(writer, {"new.md": ["text new"], "001.md": ["text 1", "other 1"]}, removed=("000.md",))
    left = {f"{n:03}.md": [f"text {n}", f"more {n}"] for n in range(2, 50)}
    with open_writer(tmp_path / "exact", wait_s=0) as writer:
        commit(writer, {**left, "new.md": ["text new"], "001.md": ["text 1", "other 1"]})
    with open_reader(graph_folder) as graph, open_reader(tmp_path / "exact") as exact:
        assert not graph.manifest.exact
        for query in ("text 0", "text new", "other 1", "whatever"):
            assert found(graph, query) == found(exact, query)


def test_an_amended_graph_keeps_its_deletions_and_a_much_changed_one_is_compacted(graph_folder: Path) -> None:
    with open_writer(graph_folder, wait_s=0, exact_limit=20) as writer:
        assert writer.manifest is not None
        whole = writer.manifest.vectors_size_bytes
        commit(writer, {}, removed=("000.md",))
        assert writer.manifest.vector_count == 98
        assert writer.manifest.vectors_size_bytes == whole
        commit(writer, {}, removed=tuple(f"{n:03}.md" for n in range(1, 15)))
        assert writer.manifest.vector_count == 70
        assert writer.manifest.vectors_size_bytes < whole
    with open_reader(graph_folder) as reader:
        assert len(found(reader, "text 20", 1000)) == 70


@pytest.mark.parametrize("damage", [b"", b"\xff" * 5000])
def test_a_damaged_graph_is_built_anew_by_the_next_commit(graph_folder: Path, damage: bytes) -> None:
    (graph_folder / "vectors-1.hnsw").write_bytes(damage)
    with open_writer(graph_folder, wait_s=0, exact_limit=20) as writer:
        assert writer.needs_mending()
        commit(writer, {"new.md": ["text new"]})
        assert not writer.needs_mending()
    with open_reader(graph_folder) as reader:
        assert len(found(reader, "text new", 1000)) == 101


def test_a_graph_of_noise_but_the_right_size_is_built_anew_too(graph_folder: Path) -> None:
    path = graph_folder / "vectors-1.hnsw"
    path.write_bytes(b"\xff" * path.stat().st_size)
    with open_writer(graph_folder, wait_s=0, exact_limit=20) as writer:
        commit(writer, {"new.md": ["text new"]})
    with open_reader(graph_folder) as reader:
        assert found(reader, "text new")[0] == "text new"


def test_where_the_graph_runs_dry_the_catalog_is_scanned(graph_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    query = ann.VectorIndex._query

    def run_dry(self: ann.VectorIndex, vector: Vectors, wanted: int) -> tuple[ann.Labels, Vectors]:
        if not self.exact:
            raise ann.GraphExhausted
        return query(self, vector, wanted)

    with open_reader(graph_folder) as reader:
        expected = found(reader, "text 3", 30)
        monkeypatch.setattr(ann.VectorIndex, "_query", run_dry)
        assert found(reader, "text 3", 30) == expected
