from __future__ import annotations

from pathlib import Path

import pytest

from rerank_cli.arrays import Vectors
from rerank_cli.ports import Changes
from rerank_cli.store import open_reader, open_writer, search
from rerank_cli.store.graph import Graph, GraphExhausted
from rerank_cli.store.layout import Layout
from rerank_cli.store.search import GRAPH, SCAN, search_kind
from tests.unit.store.texts import RECIPE, commit, found, vector_of

COUNT = 50


@pytest.fixture
def graph_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "graph"
    with open_writer(folder, wait_s=0, search="hnsw") as writer:
        commit(writer, {f"{n:03}.md": [f"text {n}", f"more {n}"] for n in range(COUNT)})
        assert writer.manifest is not None and writer.manifest.search == GRAPH
    return folder


def graphs(folder: Path) -> list[str]:
    return [path.name for path in Layout(folder).graphs()]


def test_a_scan_it_is_unless_a_graph_is_asked_for() -> None:
    for rows in (0, 1, 10**7):
        assert search_kind("auto", rows=rows)[0] == SCAN
        assert search_kind("exact", rows=rows) == (SCAN, "as the setting vectors says")
    assert search_kind("hnsw", rows=1) == (GRAPH, "as the setting vectors says")
    assert search_kind("hnsw", rows=0) == (SCAN, "there is no vector yet")


def test_few_new_rows_are_scanned_beside_the_graph_and_found(graph_folder: Path, tmp_path: Path) -> None:
    changed = {"new.md": ["text new"], "001.md": ["text 1", "other 1"]}
    with open_writer(graph_folder, wait_s=0, search="hnsw") as writer:
        commit(writer, changed, removed=("000.md",))
    assert graphs(graph_folder) == ["graph-1.hnsw"]
    left = {f"{n:03}.md": [f"text {n}", f"more {n}"] for n in range(2, COUNT)}
    with open_writer(tmp_path / "exact", wait_s=0) as writer:
        commit(writer, {**left, **changed})
    with open_reader(graph_folder) as graph, open_reader(tmp_path / "exact") as exact:
        for query in ("text 0", "text new", "other 1", "whatever"):
            assert found(graph, query) == found(exact, query)


def test_a_graph_is_written_again_when_many_rows_came(graph_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "LEAST_BESIDE", 1)
    with open_writer(graph_folder, wait_s=0, search="hnsw") as writer:
        commit(writer, {f"n{n}.md": [f"new {n}"] for n in range(10)})  # a tenth of the rows in the graph
    assert graphs(graph_folder) == ["graph-1.hnsw"]
    with open_writer(graph_folder, wait_s=0, search="hnsw") as writer:
        commit(writer, {"one more.md": ["one more"]})
    assert graphs(graph_folder) == ["graph-3.hnsw"]
    with open_reader(graph_folder) as reader:
        assert len(found(reader, "one more", 1000)) == 2 * COUNT + 11


def test_a_grown_graph_finds_what_one_of_all_rows_finds(graph_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "LEAST_BESIDE", 0)
    monkeypatch.setattr(search, "BESIDE_SHARE", 0)
    with open_writer(graph_folder, wait_s=0, search="hnsw") as writer:
        commit(writer, {f"n{n}.md": [f"new {n}"] for n in range(30)})
    with open_reader(graph_folder) as reader:
        for query in ("new 3", "text 3", "whatever"):
            exact = reader.search_dense(vector_of(query), 20, exact=True)
            ranking = reader.search_dense(vector_of(query), 20)
            assert [passage for passage, _ in ranking] == [passage for passage, _ in exact]
            assert [score for _, score in ranking] == pytest.approx([score for _, score in exact], abs=1e-6)


@pytest.mark.parametrize("damage", [b"", b"\xff" * 5000])
def test_a_damaged_graph_is_built_anew_though_nothing_else_changed(graph_folder: Path, damage: bytes) -> None:
    (graph_folder / "graph-1.hnsw").write_bytes(damage)
    with open_writer(graph_folder, wait_s=0, search="hnsw") as writer:
        assert writer.needs_commit(RECIPE)
        commit(writer, {})
        assert not writer.needs_commit(RECIPE)
    assert graphs(graph_folder) == ["graph-2.hnsw"]
    with open_reader(graph_folder) as reader:
        assert len(found(reader, "text 3", 1000)) == 2 * COUNT


def test_a_graph_of_noise_but_of_the_right_size_is_built_anew_too(graph_folder: Path) -> None:
    path = graph_folder / "graph-1.hnsw"
    path.write_bytes(b"\xff" * path.stat().st_size)
    with open_writer(graph_folder, wait_s=0, search="hnsw") as writer:
        commit(writer, {"new.md": ["text new"]})
    with open_reader(graph_folder) as reader:
        assert found(reader, "text new")[0] == "text new"


def test_an_index_goes_back_to_a_scan_and_its_graph_goes(graph_folder: Path) -> None:
    with open_writer(graph_folder, wait_s=0) as writer:
        assert writer.needs_commit(RECIPE)
        manifest = writer.commit(Changes(), RECIPE)
        assert (manifest.search, writer.needs_commit(RECIPE)) == (SCAN, False)
    assert graphs(graph_folder) == []
    with open_reader(graph_folder) as reader:
        assert found(reader, "text 3")[0] == "text 3"


def test_another_encoder_gets_a_graph_of_its_own(graph_folder: Path) -> None:
    other = RECIPE._replace(encoder_fingerprint="another")
    with open_writer(graph_folder, wait_s=0, search="hnsw") as writer:
        manifest = writer.commit(Changes(removed=tuple(writer.files())), other)
        assert (manifest.search, manifest.search_reason) == (SCAN, "there is no vector yet")
    assert graphs(graph_folder) == []


def test_where_the_graph_runs_dry_all_rows_are_scanned(graph_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run_dry(self: Graph, vector: Vectors, wanted: int) -> None:
        raise GraphExhausted

    with open_reader(graph_folder) as reader:
        expected = found(reader, "text 3", 30)
    monkeypatch.setattr(Graph, "search", run_dry)
    with open_reader(graph_folder) as reader:
        assert found(reader, "text 3", 30) == expected
