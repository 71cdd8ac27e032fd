from __future__ import annotations

import errno
import io
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from rerank_cli.errors import IndexDamaged
from rerank_cli.records import Vectors
from rerank_cli.store import ann

DIMENSIONS = 32


def clustered(count: int, *, seed: int = 0, clusters: int = 40) -> Vectors:
    """Unit vectors in tight clusters, as texts on a few topics give them."""
    random = np.random.default_rng(seed)
    centres = np.random.default_rng(99).normal(size=(clusters, DIMENSIONS))
    vectors = centres[random.integers(clusters, size=count)] + 0.3 * random.normal(size=(count, DIMENSIONS))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def nearest_by_numpy(vectors: Vectors, query: Vectors, depth: int) -> list[int]:
    return [int(label) for label in np.argsort(-(vectors @ query), kind="stable")[:depth]]


def recall(index: ann.VectorIndex, vectors: dict[int, Vectors], *, depth: int = 100, queries: int = 20) -> float:
    labels, matrix = list(vectors), np.stack(list(vectors.values()))
    shares = []
    for query in clustered(queries, seed=7):
        right = {labels[place] for place in nearest_by_numpy(matrix, query, depth)}
        found = {label for label, _ in index.search(query, depth)[:depth]}
        shares.append(len(right & found) / depth)
    return float(np.mean(shares))


@contextmanager
def no_file_larger_than(size_bytes: int) -> Iterator[None]:
    """As a full disk: hnswlib's writes fail beyond *size_bytes*."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture(scope="module")
def graph_vectors() -> Vectors:
    return clustered(3000)


@pytest.fixture
def graph(graph_vectors: Vectors) -> ann.VectorIndex:
    return ann.build(np.arange(len(graph_vectors)), graph_vectors, exact_limit=0)


def test_an_exact_search_gives_the_order_of_numpy() -> None:
    vectors = clustered(500)
    index = ann.build(np.arange(500), vectors)
    assert index.exact
    for query in clustered(5, seed=1):
        found = index.search(query, 50)
        assert [label for label, _ in found] == nearest_by_numpy(vectors, query, 50)
        assert [score for _, score in found] == pytest.approx([float(vectors[n] @ query) for n, _ in found], abs=1e-6)


def test_a_search_brings_whatever_ties_with_the_last_place() -> None:
    vectors = np.repeat(np.eye(DIMENSIONS, dtype=np.float32)[:2], 60, axis=0)
    index = ann.build(np.arange(120), vectors)
    assert {label for label, _ in index.search(vectors[0], 3)} == set(range(60))


def test_the_limit_decides_between_scan_and_graph() -> None:
    vectors = clustered(10)
    assert ann.build(np.arange(10), vectors, exact_limit=10).exact
    assert not ann.build(np.arange(10), vectors, exact_limit=9).exact


def test_asking_for_more_than_there_is_gives_all_there_is(graph: ann.VectorIndex) -> None:
    assert len(ann.build(np.arange(3), clustered(3)).search(clustered(1)[0], 100)) == 3
    assert len(graph.search(clustered(1)[0], 10_000)) == len(graph)


def test_an_empty_index_finds_nothing() -> None:
    assert ann.build(np.arange(0), np.zeros((0, DIMENSIONS), np.float32)).search(clustered(1)[0], 5) == []


def test_a_graph_recalls_nearly_what_the_exact_scan_finds(graph: ann.VectorIndex, graph_vectors: Vectors) -> None:
    assert recall(graph, dict(enumerate(graph_vectors))) >= 0.95


def test_the_same_vectors_give_the_same_graph(graph: ann.VectorIndex, graph_vectors: Vectors, tmp_path: Path) -> None:
    graph.save(tmp_path / "one")
    ann.build(np.arange(3000), graph_vectors, exact_limit=0).save(tmp_path / "other")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()


def test_an_amended_graph_finds_what_was_added_and_never_what_was_removed(
    graph: ann.VectorIndex, graph_vectors: Vectors
) -> None:
    removed, added = np.arange(0, 300), clustered(200, seed=3)
    labels = np.arange(5000, 5200)
    assert graph.amend(removed=removed, labels=labels, vectors=added, exact_limit=0)
    alive = {n: vector for n, vector in enumerate(graph_vectors) if n >= 300} | dict(zip(labels, added, strict=True))
    assert len(graph) == len(alive)
    assert recall(graph, alive) >= 0.95
    for query in graph_vectors[:20]:
        assert {label for label, _ in graph.search(query, 1000)} <= alive.keys()


def test_an_amended_graph_is_the_same_after_saving_and_loading(
    graph: ann.VectorIndex, graph_vectors: Vectors, tmp_path: Path
) -> None:
    graph.amend(removed=np.arange(100), labels=np.arange(9000, 9010), vectors=clustered(10, seed=5), exact_limit=0)
    size_bytes = graph.save(tmp_path / "graph")
    loaded = ann.load(tmp_path / "graph", dimensions=DIMENSIONS, count=len(graph), exact=False, size_bytes=size_bytes)
    for query in graph_vectors[:5]:
        assert loaded.search(query, 100) == graph.search(query, 100)


def test_a_graph_with_many_deletions_is_to_be_built_anew(graph: ann.VectorIndex) -> None:
    nothing = np.zeros((0, DIMENSIONS), np.float32)
    assert not graph.amend(removed=np.arange(700), labels=np.arange(0), vectors=nothing, exact_limit=0)


def test_deletions_of_several_amendments_add_up(graph: ann.VectorIndex) -> None:
    nothing = np.zeros((0, DIMENSIONS), np.float32)
    assert graph.amend(removed=np.arange(400), labels=np.arange(0), vectors=nothing, exact_limit=0)
    assert not graph.amend(removed=np.arange(400, 700), labels=np.arange(0), vectors=nothing, exact_limit=0)


def test_a_graph_that_falls_below_the_limit_becomes_a_scan(graph: ann.VectorIndex) -> None:
    nothing = np.zeros((0, DIMENSIONS), np.float32)
    assert not graph.amend(removed=np.arange(10), labels=np.arange(0), vectors=nothing, exact_limit=2990)


def test_a_graph_that_cannot_reach_enough_says_so(graph: ann.VectorIndex) -> None:
    graph._library.mark_deleted(0)  # behind the count's back: now it asks for one more than there is
    with pytest.raises(ann.GraphExhausted):
        graph.search(clustered(1)[0], 3000)


@pytest.mark.parametrize("exact_limit", [0, 3000])
def test_a_file_cut_on_a_full_disk_is_never_taken_for_whole(
    exact_limit: int, graph_vectors: Vectors, tmp_path: Path
) -> None:
    index = ann.build(np.arange(3000), graph_vectors, exact_limit=exact_limit)
    with no_file_larger_than(200_000), pytest.raises(OSError, match="space") as caught:
        index.save(tmp_path / "vectors")
    assert caught.value.errno == errno.ENOSPC


@pytest.mark.parametrize("exact_limit", [0, 3000])
@pytest.mark.parametrize("missing_bytes", [1, 10, 100_000])
def test_a_cut_file_is_damage(exact_limit: int, missing_bytes: int, graph_vectors: Vectors, tmp_path: Path) -> None:
    path = tmp_path / "vectors"
    size_bytes = ann.build(np.arange(3000), graph_vectors, exact_limit=exact_limit).save(path)
    path.write_bytes(path.read_bytes()[:-missing_bytes])
    with pytest.raises(IndexDamaged, match="in place of") as caught:
        ann.load(path, dimensions=DIMENSIONS, count=3000, exact=exact_limit > 0, size_bytes=size_bytes)
    assert caught.value.remedy == f"mend it: rerank-cli index FOLDER --index {tmp_path}"


@pytest.mark.parametrize("exact", [True, False])
def test_a_file_of_noise_is_damage(exact: bool, tmp_path: Path) -> None:
    (tmp_path / "vectors").write_bytes(b"\xff" * 10_000)
    with pytest.raises(IndexDamaged):
        ann.load(tmp_path / "vectors", dimensions=DIMENSIONS, count=10, exact=exact, size_bytes=10_000)


class Broken(io.BufferedReader):
    """A file on a disk that fails."""

    name = "graph"

    def readinto(self, buffer: object) -> int:
        raise OSError(errno.EIO, "Input/output error")


def test_a_graph_that_cannot_be_read_is_damage_and_no_crash(tmp_path: Path, graph_vectors: Vectors) -> None:
    graph = ann.build(np.arange(50), graph_vectors[:50], exact_limit=10)
    graph.save(tmp_path / "graph")
    with Broken(io.FileIO(tmp_path / "graph")) as file, pytest.raises(IndexDamaged, match="graph: Input/output error"):
        ann.load_opened(file, dimensions=graph_vectors.shape[1], count=50, exact=False)
