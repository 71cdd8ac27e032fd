"""One generation of an index in Milvus, opened to be searched and read."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING

from rerank_cli.errors import Busy, IndexDamaged
from rerank_cli.ports import EVERYTHING, Counts, FileState, Filter, Manifest, Origin, PassageId, Ranking, Rarity
from rerank_cli.records import StoredPassage
from rerank_cli.store.milvus.engine import BOUNDED, MOST_FOUND, STRONG, Engine, Row, as_list, in_pieces, listed, quoted
from rerank_cli.store.milvus.expressions import expressions_of
from rerank_cli.store.milvus.files import counts_of, file_states, files_of
from rerank_cli.store.milvus.generation import Generation, current_generation, read_generation
from rerank_cli.store.milvus.rows import DOCUMENT, STORED, field_mark, fields_in, opening_id, stored_passage
from rerank_cli.store.milvus.schema import GRAPH, Names, visible
from rerank_cli.store.milvus.words import query_terms, repeated

if TYPE_CHECKING:
    from rerank_cli.arrays import Vectors

SPARE = 16
"""A list is read so much further than asked for: most often that shows whether it ends within a tie."""

PLACES = 6
"""Digits of a score that are believed: two rows of one text then tie, wherever an engine computes them."""

SETTLED_S = 60.0
"""Bounded reads lag by some seconds (5 unless a server is set up otherwise), and clocks differ by less than a minute:
a generation that is so old is seen whole by them. One that is younger is read with strong consistency."""

PATIENCE_S = 3600.0
"""Rows stay so long after they died, so a reader that is younger need not look whether its own are still there."""

ORIGIN = ("document_id", "ordinal", "path")

IN_VIEW = 3
"""A search of a graph has so many times more vectors in view than it is asked for, as in the local store."""


How = Callable[[int], dict[str, object]]
"""How to search for so many, in Milvus' parameters."""


class MilvusIndex:
    """The `Index` in Milvus. Use it as a context manager."""

    def __init__(self, open_engine: Callable[[], Engine], names: Names, update_command: Callable[[bool], str]) -> None:
        """The index called *names* at its newest generation, over the connection that *open_engine* makes.

        Raises:
            IndexMissing: there is none.
            IndexDamaged: not all of it is there.
        """
        self._open_engine = open_engine
        self._names = names
        self._update_command = update_command
        self._rests = True
        self._whole = 0
        self.wake()

    def __enter__(self) -> MilvusIndex:
        return self

    def __exit__(self, *_: object) -> None:
        self._engine.close()

    @property
    def name(self) -> str:
        return str(self._engine.address)

    @property
    def manifest(self) -> Manifest:
        return self._generation.manifest

    def update_command(self, *, rebuild: bool = False) -> str:
        return self._update_command(rebuild)

    def rest(self) -> None:
        """Let go of an embedded database, which no other process could open; a server has many clients."""
        if self._engine.address.embedded:
            self._engine.close()
            self._rests = True

    def wake(self) -> None:
        """Go on with the newest generation after a `rest`.

        Raises:
            RerankError: what `open_reader` would end with.
        """
        if self._rests:
            self._engine = self._open_engine()
            self._rests = False
        try:
            self._generation = self._newest()
        except BaseException:
            self._engine.close()
            self._rests = True
            raise
        self._passages = self._names.passages(self.manifest.recipe.encoder_fingerprint)
        self._seen = visible(self._generation.stamp)
        self._opened_at = time.monotonic()
        self._origins: dict[PassageId, Origin] = {}
        self._within: tuple[Filter, list[str]] | None = None

    def _newest(self) -> Generation:
        """The newest generation; on a server, all of it can be reached.

        A server whose nodes are gone ends a search with an error. It may be set up to answer in part, and an answer
        does not say so: so what there is of a generation is counted when it is opened.
        """
        generation = current_generation(self._engine, self._names)
        if self._engine.address.embedded or generation.stamp == self._whole:
            return generation
        passages = self._names.passages(generation.manifest.recipe.encoder_fingerprint)
        found = self._engine.count(passages, visible(generation.stamp))
        if found < generation.held.passages:
            raise IndexDamaged(
                f"{self._engine.address}: only {found} of {generation.held.passages} passages can be reached",
                remedy="wait until all nodes of the cluster are back",
            )
        self._whole = generation.stamp
        return generation

    # Search

    def search_dense(self, vector: Vectors, depth: int, *, within: Filter = EVERYTHING, exact: bool = False) -> Ranking:
        """The *depth* passages nearest to *vector*; of a graph, *exact* has as many in view as a server allows."""

        def how(limit: int) -> dict[str, object]:
            view = max(limit, MOST_FOUND if exact else IN_VIEW * limit)
            return {"params": {"ef": view}} if self.manifest.search == GRAPH else {}

        return self._search("vector", as_list(vector), depth, within, how)

    def search_lexical(
        self, words: Sequence[str], depth: int, *, within: Filter = EVERYTHING, rarity: Rarity | None = None
    ) -> Ranking:
        """The *depth* passages with the best BM25 for any of *words*, by Milvus' own function.

        That has its own statistics, and no way to give it others: `rarity` tells none, and so none is ever given.
        """
        terms = query_terms(words)
        if not terms:
            return []
        generation = self._generation
        asked, times = repeated(terms, passages=generation.held.passages, common=generation.common)
        found = self._search("bm25", asked, depth, within, lambda _: {"metric_type": "BM25"})
        return [(passage, score / times) for passage, score in found]

    def rarity(self, words: Collection[str]) -> Rarity | None:
        return None

    def opening_cosines(self, vector: Vectors, passage_ids: Collection[PassageId]) -> dict[PassageId, float]:
        import numpy as np

        openings = {passage: opening_id(str(passage)) for passage in passage_ids}
        wanted = list(dict.fromkeys(openings.values()))
        vectors = {row["id"]: row["vector"] for row in self._engine.by_ids(self._passages, wanted, ["vector"])}
        if len(vectors) < len(wanted):
            raise self._moved_on()
        cosines = (
            dict(zip(vectors, (np.asarray([*vectors.values()], np.float32) @ vector).tolist(), strict=True))
            if vectors
            else {}
        )
        return {passage: cosines[opening] for passage, opening in openings.items()}

    def _search(self, field: str, asked: object, depth: int, within: Filter, how: How) -> Ranking:
        self._check_still_there()
        found: Ranking = []
        for expression in self._expressions(within):
            found += self._best(field, asked, depth, expression, how)
        return self._cut(found, depth)

    def _best(self, field: str, asked: object, depth: int, expression: str, how: How) -> Ranking:
        """The *depth* best for which *expression* holds, and whatever ties with the last of them."""
        wanted = min(depth + SPARE, MOST_FOUND)
        while True:
            rows = self._engine.search(
                self._passages,
                field,
                asked,
                limit=wanted,
                expression=expression,
                fields=ORIGIN,
                consistency_level=self._consistency,
                search_params=how(wanted),
            )
            scored = [self._scored(row, below_zero=field == "bm25") for row in rows]
            is_enough = len(rows) < wanted or len(scored) < depth or scored[-1][1] < scored[depth - 1][1]
            if is_enough or wanted == MOST_FOUND:
                return scored
            wanted = min(MOST_FOUND, wanted * 2)

    def _scored(self, row: Row, *, below_zero: bool) -> tuple[PassageId, float]:
        """A passage and its score: BM25 may come *below_zero*, as the embedded form has it; a server's is above."""
        passage, entity, score = row["id"], row["entity"], row["distance"]
        self._origins[passage] = Origin(entity["document_id"], entity["ordinal"], entity["path"])
        return passage, round(abs(score) if below_zero else score, PLACES)

    def _cut(self, ranking: Ranking, depth: int) -> Ranking:
        """The best *depth*; equal scores in the order of their origins."""
        return sorted(ranking, key=lambda scored: (-scored[1], self._origins[scored[0]]))[:depth]

    @property
    def _consistency(self) -> str:
        return BOUNDED if time.time() - self._generation.committed_at > SETTLED_S else STRONG

    def _check_still_there(self) -> None:
        """Make sure, some time after it was opened, that no later commit has taken away rows of this generation."""
        if time.monotonic() - self._opened_at < PATIENCE_S and not self._engine.address.embedded:
            return
        newest = read_generation(self._engine, self._names)
        if newest is None or newest.cleared > self._generation.stamp:
            raise self._moved_on()

    def _moved_on(self) -> Busy:
        return Busy(f"{self.name}: has been brought up to date, and this generation is gone", remedy="open it again")

    # Filters

    def _expressions(self, within: Filter) -> list[str]:
        if not within:
            return [self._seen]
        if self._within is None or self._within[0] != within:
            found = expressions_of(within, paths=self._paths, values=self._values)
            self._within = (within, [f"{self._seen} and {each}" if each else self._seen for each in found])
        return self._within[1]

    def _paths(self) -> Iterator[str]:
        return (row["path"] for row in files_of(self._engine, self._names, self._generation, ["path"]))

    def _values(self, keys: Sequence[str]) -> set[str]:
        marks = " or ".join(f"marks like {quoted(f'%{field_mark(key)}%')}" for key in keys)
        rows = self._engine.rows(self._passages, f"{self._seen} and ordinal == 0 and ({marks})", ["fields"])
        return {value for row in rows for key, value in fields_in(row["fields"]) if key in keys}

    # Reading

    def read(self, passage_ids: Collection[PassageId]) -> dict[PassageId, StoredPassage]:
        rows = self._engine.by_ids(self._passages, [*map(str, passage_ids)], STORED)
        found = {row["id"]: stored_passage(row) for row in rows}
        if len(found) < len(set(passage_ids)):
            raise self._moved_on()
        return {passage: found[str(passage)] for passage in passage_ids}

    def origins(self, passage_ids: Collection[PassageId]) -> dict[PassageId, Origin]:
        """Where each of *passage_ids* comes from: most often a search has just told."""
        unknown = [str(passage) for passage in passage_ids if passage not in self._origins]
        for row in self._engine.by_ids(self._passages, unknown, ORIGIN):
            self._origins[row["id"]] = Origin(row["document_id"], row["ordinal"], row["path"])
        if not all(passage in self._origins for passage in passage_ids):
            raise self._moved_on()
        return {passage: self._origins[passage] for passage in passage_ids}

    def read_file(self, path: str, *, first: int | None = None, last: int | None = None) -> Iterator[StoredPassage]:
        expression = f"{self._seen} and path in {listed([path])}"
        expression += "" if first is None else f" and last >= {first}"
        expression += "" if last is None else f" and first <= {last}"
        rows = sorted(self._engine.rows(self._passages, expression, STORED), key=lambda row: row["position"])
        yield from map(stored_passage, rows)

    def scan(self) -> Iterator[StoredPassage]:
        """Every passage in the order of their origins. What is held of all at once is where each comes from."""
        rows = self._engine.rows(self._passages, self._seen, ORIGIN)
        ids = [row["id"] for row in sorted(rows, key=lambda row: (row["document_id"], row["ordinal"], row["path"]))]
        for some in in_pieces(ids):
            found = self.read(some)
            yield from (found[passage] for passage in some)

    # Files and documents

    def file_states(self, paths: Collection[str]) -> dict[str, FileState]:
        return file_states(self._engine, self._names, self._generation, list(paths))

    def files(self) -> dict[str, FileState]:
        return file_states(self._engine, self._names, self._generation)

    def has_documents(self, document_ids: Collection[str], *, within: Filter = EVERYTHING) -> frozenset[str]:
        known: set[str] = set()
        for some in in_pieces(list(document_ids)):
            named = f"document_id in {listed(some)}"
            for expression in self._expressions(within):
                rows = self._engine.rows(self._passages, f"{expression} and ordinal == 0 and {named}", ["document_id"])
                known.update(row["document_id"] for row in rows)
            if not within:
                rows = self._engine.rows(self._names.records, f"{self._without_text} and {named}", ["document_id"])
                known.update(row["document_id"] for row in rows)
        return frozenset(known)

    def has_fields(self, keys: Collection[str]) -> frozenset[str]:
        def is_there(key: str) -> bool:
            said = f"marks like {quoted(f'%{field_mark(key)}%')}"
            return any(
                self._engine.query(collection, f"{seen} and {said}", ["id"], limit=1)
                for collection, seen in ((self._passages, self._seen), (self._names.records, self._without_text))
            )

        return frozenset(filter(is_there, keys))

    def field_counts(self) -> dict[str, int]:
        counts: Counter[str] = Counter()
        openings = self._engine.rows(self._passages, f"{self._seen} and ordinal == 0", ["fields"])
        others = self._engine.rows(self._names.records, self._without_text, ["fields"])
        for row in chain(openings, others):
            counts.update({key for key, _ in fields_in(row["fields"])})
        return dict(sorted(counts.items()))

    @property
    def _without_text(self) -> str:
        return f'{self._seen} and kind == "{DOCUMENT}"'

    def counts(self) -> Counts:
        return counts_of(self._engine, self._names, self._generation)
