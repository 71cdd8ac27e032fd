from __future__ import annotations

import errno
import io
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from rerank_cli.arrays import Vectors
from rerank_cli.errors import IndexDamaged
from rerank_cli.store.graph import Graph, GraphExhausted, load_graph, open_graph
from rerank_cli.store.pins import GraphPin

DIMENSIONS = 32
COUNT = 3000


def clustered(count: int, *, seed: int = 0, clusters: int = 40) -> Vectors:
    """Unit vectors in tight clusters, as texts on a few topics give them."""
    random = np.random.default_rng(seed)
    centres = np.random.default_rng(99).normal(size=(clusters, DIMENSIONS))
    vectors = centres[random.integers(clusters, size=count)] + 0.3 * random.normal(size=(count, DIMENSIONS))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def graph_of(vectors: Vectors) -> Graph:
    graph = Graph(dimensions=DIMENSIONS)
    graph.make_room(len(vectors))
    graph.add(vectors)
    return graph


def recall(graph: Graph, vectors: Vectors, *, depth: int = 100, queries: int = 20) -> float:
    shares = []
    for query in clustered(queries, seed=7):
        right = set(np.argsort(-(vectors @ query), kind="stable")[:depth].tolist())
        shares.append(len(right & set(graph.search(query, depth)[0].tolist())) / depth)
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
def vectors() -> Vectors:
    return clustered(COUNT)


@pytest.fixture(scope="module")
def graph(vectors: Vectors) -> Graph:
    """A graph that no test changes."""
    return graph_of(vectors)


def loaded(folder: Path, pin: GraphPin) -> Graph:
    with open_graph(folder, pin) as file:
        return load_graph(file, pin, dimensions=DIMENSIONS)


def test_a_graph_recalls_nearly_what_a_scan_finds(graph: Graph, vectors: Vectors) -> None:
    assert recall(graph, vectors) >= 0.95


def test_a_graph_tells_cosines_best_first(graph: Graph, vectors: Vectors) -> None:
    query = clustered(1, seed=3)[0]
    rows, cosines = graph.search(query, 50)
    assert list(cosines) == sorted(cosines, reverse=True)
    assert cosines.tolist() == pytest.approx((vectors[rows] @ query).tolist(), abs=1e-6)


def test_asking_for_more_than_there_is_gives_all_there_is(graph: Graph) -> None:
    assert len(graph.search(clustered(1)[0], 10_000)[0]) == COUNT


def test_the_same_vectors_give_the_same_graph(graph: Graph, vectors: Vectors, tmp_path: Path) -> None:
    one = graph.save(tmp_path / "one", vectors="name")
    other = graph_of(vectors).save(tmp_path / "other", vectors="name")
    assert (one.size_bytes, one.crc32) == (other.size_bytes, other.crc32)


def test_a_saved_graph_grows_on_after_it_is_loaded(vectors: Vectors, tmp_path: Path) -> None:
    pin = graph_of(vectors[:2500]).save(tmp_path / "graph", vectors="name")
    assert (pin.name, pin.vectors, pin.rows) == ("graph", "name", 2500)
    graph = loaded(tmp_path, pin)
    assert len(graph) == 2500
    graph.make_room(COUNT)
    graph.add(vectors[2500:])
    assert recall(graph, vectors) >= 0.95


def test_a_loaded_graph_answers_as_the_one_that_was_saved(graph: Graph, vectors: Vectors, tmp_path: Path) -> None:
    again = loaded(tmp_path, graph.save(tmp_path / "graph", vectors="name"))
    for query in vectors[:5]:
        for one, other in zip(again.search(query, 100), graph.search(query, 100), strict=True):
            assert one.tolist() == other.tolist()


def test_a_graph_that_cannot_reach_enough_says_so(vectors: Vectors) -> None:
    graph = graph_of(vectors[:100])
    graph._library.mark_deleted(0)  # behind the count's back: now it asks for one more than there is
    with pytest.raises(GraphExhausted):
        graph.search(clustered(1)[0], 100)


def test_a_file_cut_on_a_full_disk_is_never_taken_for_whole(graph: Graph, tmp_path: Path) -> None:
    with no_file_larger_than(200_000), pytest.raises(OSError, match="space") as caught:
        graph.save(tmp_path / "graph", vectors="name")
    assert caught.value.errno == errno.ENOSPC
    assert not (tmp_path / "graph").exists()


@pytest.mark.parametrize("missing_bytes", [1, 10, 100_000])
def test_a_cut_file_is_damage(missing_bytes: int, graph: Graph, tmp_path: Path) -> None:
    pin = graph.save(tmp_path / "graph", vectors="name")
    (tmp_path / "graph").write_bytes((tmp_path / "graph").read_bytes()[:-missing_bytes])
    with pytest.raises(IndexDamaged, match="is not what was written") as caught:
        loaded(tmp_path, pin)
    assert caught.value.remedy == f"mend it: rerank-cli index FOLDER --index {tmp_path}"


def test_one_changed_bit_is_damage(graph: Graph, tmp_path: Path) -> None:
    pin = graph.save(tmp_path / "graph", vectors="name")
    content = bytearray((tmp_path / "graph").read_bytes())
    content[len(content) // 2] ^= 4
    (tmp_path / "graph").write_bytes(content)
    with pytest.raises(IndexDamaged, match="is not what was written"):
        loaded(tmp_path, pin)


def test_a_missing_file_is_damage(graph: Graph, tmp_path: Path) -> None:
    pin = graph.save(tmp_path / "graph", vectors="name")
    (tmp_path / "graph").unlink()
    with pytest.raises(IndexDamaged, match="is missing"):
        loaded(tmp_path, pin)


class Broken(io.BufferedReader):
    """A file on a disk that fails."""

    name = "graph"

    def read(self, size: int | None = -1) -> bytes:
        raise OSError(errno.EIO, "Input/output error")


def test_a_graph_that_cannot_be_read_is_damage_and_no_crash(graph: Graph, tmp_path: Path) -> None:
    pin = graph.save(tmp_path / "graph", vectors="name")
    with (
        Broken(io.FileIO(tmp_path / "graph")) as file,
        pytest.raises(IndexDamaged, match=r"graph: cannot be read \(Input/output error\)"),
    ):
        load_graph(file, pin, dimensions=DIMENSIONS)
