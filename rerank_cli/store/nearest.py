"""The rows of the vectors that are nearest to a query, by a scan of all or by a graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rerank_cli.arrays import Vectors
from rerank_cli.store.vectors import Rows, Scores, VectorReader

if TYPE_CHECKING:
    from rerank_cli.store.graph import Graph


class Scan:
    """All rows by their *scores*."""

    def __init__(self, scores: Scores) -> None:
        self._scores = scores
        self.total = len(scores)

    def best(self, wanted: int) -> tuple[Rows, Scores]:
        """The *wanted* best rows, best first."""
        near = np.argpartition(-self._scores, wanted - 1)[:wanted]
        rows = near[np.argsort(-self._scores[near], kind="stable")]
        return rows, self._scores[rows]


class GraphSearch:
    """The rows of a graph, and beside them every row that came since it was written."""

    def __init__(self, graph: Graph, vectors: VectorReader, vector: Vectors) -> None:
        self._graph = graph
        self._vector = vector
        self._newest = vectors.cosines(vector, start=len(graph))
        self.total = len(vectors)

    def best(self, wanted: int) -> tuple[Rows, Scores]:
        """The *wanted* best rows, best first, as far as the graph finds them.

        Raises:
            GraphExhausted: it reaches too few.
        """
        found, cosines = self._graph.search(self._vector, wanted)
        rows = np.concatenate([found, np.arange(len(self._graph), self.total)])
        scores = np.concatenate([cosines, self._newest])
        order = np.argsort(-scores, kind="stable")[:wanted]
        return rows[order], scores[order]


def places_of_best(scores: Scores, count: int) -> list[int]:
    """The places of the best *count* of *scores*, and of whatever ties with the last of them, in their order."""
    least = np.partition(scores, -count)[-count] if len(scores) > count else -np.inf
    places: list[int] = np.flatnonzero(scores >= least).tolist()
    return places
