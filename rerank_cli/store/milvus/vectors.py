"""Vectors by the hashes of their texts: what is encoded once is not encoded again, in whichever index it comes up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from rerank_cli.store.milvus.engine import Engine, as_list, in_pieces, listed
from rerank_cli.store.milvus.rows import hash_id
from rerank_cli.store.milvus.schema import ALIVE, Names, make_vectors, vectors_ending

if TYPE_CHECKING:
    from rerank_cli.arrays import Vectors


class KeptVectors:
    """The vectors that an index keeps of one encoder. What another index of the database has, it takes over."""

    def __init__(self, engine: Engine, names: Names, fingerprint: str) -> None:
        self._engine = engine
        self._names = names
        self._fingerprint = fingerprint
        self._own = names.vectors(fingerprint)
        self._known: set[str] = set()
        self._others: list[str] = []
        self.dimensions = 0
        ending = vectors_ending(fingerprint)
        for name in engine.collections():
            if name.endswith(ending):
                self._ready(name)

    def _ready(self, name: str) -> None:
        if name != self._own and not self._engine.indexes_of(name):  # another process is making it, or was killed
            return
        dimensions = int(self._engine.fields_of(name)["vector"]["params"]["dim"])
        if name == self._own:
            self.dimensions = dimensions
            make_vectors(self._engine, name, dimensions=dimensions)
        else:
            self._others.append(name)

    def missing(self, text_hashes: Iterable[bytes]) -> list[bytes]:
        """Those of *text_hashes* that no vector is kept for, in their order, each once."""
        asked = {hash_id(text_hash): text_hash for text_hash in text_hashes}
        for some in in_pieces([name for name in asked if name not in self._known]):
            self._look_for(some)
        return [text_hash for name, text_hash in asked.items() if name not in self._known]

    def _look_for(self, ids: Sequence[str]) -> None:
        if self.dimensions:
            self._known.update(row["id"] for row in self._engine.by_ids(self._own, ids, []))
        for other in self._others:
            if wanted := [each for each in ids if each not in self._known]:
                rows = [
                    {"id": row["id"], "vector": row["vector"]} for row in self._engine.by_ids(other, wanted, ["vector"])
                ]
                self._keep(rows)

    def keep(self, text_hashes: Sequence[bytes], vectors: Vectors) -> None:
        """Keep *vectors* under *text_hashes* at once."""
        rows = zip(map(hash_id, text_hashes), map(as_list, vectors), strict=True)
        self._keep([{"id": name, "vector": vector} for name, vector in rows])

    def _keep(self, rows: Sequence[dict[str, Any]]) -> None:
        if not rows:
            return
        if not self.dimensions:
            self.dimensions = len(rows[0]["vector"])
            make_vectors(self._engine, self._own, dimensions=self.dimensions)
        self._engine.upsert(self._own, rows)
        self._known.update(row["id"] for row in rows)

    def read(self, ids: Iterable[str]) -> dict[str, list[float]]:
        """The vectors called *ids*, as far as there are any."""
        asked = list(dict.fromkeys(ids))
        if not asked or not self.dimensions:
            return {}
        return {row["id"]: row["vector"] for row in self._engine.by_ids(self._own, asked, ["vector"])}

    def unused(self, passages: str) -> Iterator[list[str]]:
        """The ids of those vectors that no passage in the collection *passages* has, some at a time."""
        if not self.dimensions:
            return
        ids = [row["id"] for row in self._engine.rows(self._own, 'id != ""', ["id"])]
        for some in in_pieces(ids):
            expression = f"died == {ALIVE} and text_hash in {listed(some)}"
            used = {row["text_hash"] for row in self._engine.rows(passages, expression, ["text_hash"])}
            if unused := [each for each in some if each not in used]:
                yield unused

    def drop(self, ids: Sequence[str]) -> None:
        """Give up the vectors called *ids*."""
        self._engine.delete(self._own, f"id in {listed(ids)}")
        self._known.difference_update(ids)
