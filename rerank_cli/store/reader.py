"""One generation of an index, opened to be searched and read."""

from __future__ import annotations

import math
import sqlite3
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from io import BufferedReader
from itertools import takewhile
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from rerank_cli.errors import IndexDamaged
from rerank_cli.ports import EVERYTHING, Counts, FileState, Filter, Manifest, Origin, PassageId, Ranking, Rarity
from rerank_cli.records import StoredPassage
from rerank_cli.store.catalog import telling
from rerank_cli.store.documents import field_counts
from rerank_cli.store.files import counts_of, file_states
from rerank_cli.store.layout import Layout
from rerank_cli.store.listed import rows_of
from rerank_cli.store.manifest import Generation
from rerank_cli.store.origins import MOST_KNOWN, Known, Origins
from rerank_cli.store.passages import SELECT, passage_of, stored_passages
from rerank_cli.store.pinned import TEXT_BYTES, PinnedVectors
from rerank_cli.store.remedies import index_command, rebuild_remedy

if TYPE_CHECKING:
    from rerank_cli.arrays import Vectors
    from rerank_cli.store.graph import Graph
    from rerank_cli.store.nearest import GraphSearch, Scan
    from rerank_cli.store.vectors import Rows, Scores, VectorReader

BM25 = "bm25(3.0, 1.0, 1.0)"
"""A word in a heading counts three times: headings name what a passage is about (Robertson et al., 2004, BM25F)."""

WORDS = "SELECT rowid, -rank FROM words WHERE words MATCH ? AND rank MATCH ? ORDER BY rank"
WORDS_WITHIN = (
    "SELECT rowid, -rank FROM words WHERE words MATCH ? AND rank MATCH ?"
    " AND +rowid IN (SELECT id FROM temp.accepted) ORDER BY rank"
)

WEIGHED = (
    "SELECT words.rowid, sum(weight * -rank) AS score FROM temp.asked CROSS JOIN words WHERE words MATCH word"
    " AND rank MATCH ? GROUP BY words.rowid ORDER BY score DESC"
)
WEIGHED_WITHIN = WEIGHED.replace("GROUP", "AND +words.rowid IN (SELECT id FROM temp.accepted) GROUP")
"""BM25 is a sum over the words of a query, so each word can be searched by itself and weighed anew."""

HOLDING = (
    "SELECT document_id FROM documents WHERE EXISTS"
    " (SELECT 1 FROM passages JOIN temp.accepted USING (id) WHERE document = documents.id) AND document_id IN"
)
"""Documents of which a filter lets a passage through."""

SPARE = 16
"""A list is read so much further than asked for: most often that shows whether it ends within a tie."""

FEW = 4
"""Passages that a filter lets through are scored one by one where they are fewer than a part so small of all; else all
rows are, which is quicker for each."""


class Snapshot(NamedTuple):
    """A generation as it was opened: nothing that is committed or removed since changes what can be read from it."""

    layout: Layout
    connection: sqlite3.Connection
    generation: Generation
    vectors: PinnedVectors
    graph: BufferedReader | None

    def __enter__(self) -> Snapshot:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.connection.close()
        if self.graph is not None:
            self.graph.close()


class IndexReader:
    """The `Index` on this disk. Use it as a context manager."""

    def __init__(self, snapshot: Snapshot, reopen: Callable[[], Snapshot]) -> None:
        self._snapshot = snapshot
        self._reopen = reopen
        self._passages: dict[int, list[int]] = {}
        self._origins = Origins()
        self._accepted: tuple[Filter, frozenset[int]] | None = None
        self._rests = False

    def __enter__(self) -> IndexReader:
        return self

    def __exit__(self, *_: object) -> None:
        self._snapshot.close()

    @property
    def folder(self) -> Path:
        """Where the index lies."""
        return self._snapshot.layout.folder

    @property
    def name(self) -> str:
        return str(self.folder)

    @property
    def manifest(self) -> Manifest:
        return self._snapshot.generation.manifest

    def update_command(self, *, rebuild: bool = False) -> str:
        return index_command(self.folder, rebuild=rebuild)

    def rest(self) -> None:
        """Hold nothing of the index until `wake`, such as while a person is waited for.

        A snapshot that is held keeps SQLite from folding back the log of whoever writes, which would grow without end.
        """
        self._snapshot.close()
        self._rests = True

    def wake(self) -> None:
        """Go on with the newest generation after a `rest`. Ids of passages may have been given out again by then.

        Raises:
            RerankError: what `open_reader` would end with.
        """
        if not self._rests:
            return
        self._snapshot = self._reopen()
        self._rests = False
        self._accepted = None
        self._passages = {}
        self._origins = Origins()
        for opened in ("_graph", "_vectors"):
            self.__dict__.pop(opened, None)

    def search_dense(self, vector: Vectors, depth: int, *, within: Filter = EVERYTHING, exact: bool = False) -> Ranking:
        if not self._snapshot.generation.vectors.rows:
            return []
        from rerank_cli.store.nearest import GraphSearch, Scan

        vectors = self._vectors
        if within and FEW * len(self._accept(within)) < len(vectors):
            return self._cut(self._scored(vector, depth), depth)
        if within or self._snapshot.graph is None or exact:
            return self._nearest(Scan(vectors.cosines(vector)), depth, within)
        from rerank_cli.store.graph import GraphExhausted

        try:
            return self._nearest(GraphSearch(self._graph, vectors, vector), depth, within)
        except GraphExhausted:
            return self._nearest(Scan(vectors.cosines(vector)), depth, within)

    def search_lexical(
        self, words: Sequence[str], depth: int, *, within: Filter = EVERYTHING, rarity: Rarity | None = None
    ) -> Ranking:
        """The *depth* passages with the best BM25 for any of *words*.

        FTS5's: k1 = 1.2, b = 0.75; a word in a heading counts three times.
        """
        if not words:
            return []
        if within:
            self._accept(within)
        if rarity is None:
            query, asked = WORDS_WITHIN if within else WORDS, [" OR ".join(map(_phrase, words))]
        else:
            query, asked = WEIGHED_WITHIN if within else WEIGHED, []
            self._weigh(words, rarity)
        with self._guard():
            best_first = self._snapshot.connection.execute(query, (*asked, BM25))
            return self._cut(_with_ties(best_first, depth), depth)

    def rarity(self, words: Collection[str]) -> Rarity:
        def count(query: str, *values: str) -> int:
            return int(self._snapshot.connection.execute(query, values).fetchone()[0])

        with self._guard():
            return Rarity(
                count("SELECT count(*) FROM passages"),
                {word: count("SELECT count(*) FROM words WHERE words MATCH ?", _phrase(word)) for word in words},
            )

    def _weigh(self, words: Sequence[str], rarity: Rarity) -> None:
        """Put *words* into `temp.asked` with what makes of FTS5's weight for each that of *rarity*."""
        own = self.rarity(words)
        weights = [(_phrase(word), _weight(rarity, word) / _weight(own, word)) for word in words]
        connection = self._snapshot.connection
        connection.execute("CREATE TEMP TABLE IF NOT EXISTS asked (word TEXT, weight REAL)")
        connection.execute("DELETE FROM temp.asked")
        connection.executemany("INSERT INTO temp.asked VALUES (?, ?)", weights)

    def opening_cosines(self, vector: Vectors, passage_ids: Collection[PassageId]) -> dict[PassageId, float]:
        known = self._known_of(passage_ids)
        openings = list({known[passage].opening: None for passage in passage_ids})
        cosines = dict(zip(openings, self._cosines_of_texts(vector, openings).tolist(), strict=True))
        return {passage: cosines[known[passage].opening] for passage in passage_ids}

    def read(self, passage_ids: Collection[PassageId]) -> dict[PassageId, StoredPassage]:
        rows = self._select(f"{SELECT} WHERE passages.id IN", list(passage_ids))
        catalog = self._snapshot.layout.catalog
        return {row[0]: passage_of(row, catalog) for row in rows}

    def origins(self, passage_ids: Collection[PassageId]) -> dict[PassageId, Origin]:
        """Where each of *passage_ids* comes from.

        Raises:
            IndexDamaged: a list brought a passage that is not there.
        """
        known = self._known_of(passage_ids)
        return {passage: known[passage].origin for passage in passage_ids}

    def _known_of(self, passage_ids: Collection[PassageId]) -> Mapping[PassageId, Known]:
        known = self._origins.of(passage_ids, select=self._select)
        if not all(passage in known for passage in passage_ids):
            raise self._contradiction()
        return known

    def read_file(self, path: str, *, first: int | None = None, last: int | None = None) -> Iterator[StoredPassage]:
        within = "" if first is None else " AND last >= ?"
        within += "" if last is None else " AND first <= ?"
        bounds = [bound for bound in (first, last) if bound is not None]
        with self._guard():
            query = f"{SELECT} WHERE path = ?{within} ORDER BY documents.id, ordinal"
            catalog = self._snapshot.layout.catalog
            for row in self._snapshot.connection.execute(query, (path, *bounds)):
                yield passage_of(row, catalog)

    def scan(self) -> Iterator[StoredPassage]:
        with self._guard():
            yield from stored_passages(self._snapshot.connection, self._snapshot.layout.catalog)

    def files(self) -> dict[str, FileState]:
        with self._guard():
            return file_states(self._snapshot.connection)

    def file_states(self, paths: Collection[str]) -> dict[str, FileState]:
        with self._guard():
            return file_states(self._snapshot.connection, list(paths))

    def has_documents(self, document_ids: Collection[str], *, within: Filter = EVERYTHING) -> frozenset[str]:
        if within:
            self._accept(within)
        query = HOLDING if within else "SELECT document_id FROM documents WHERE document_id IN"
        return frozenset(row[0] for row in self._select(query, list(document_ids)))

    def has_fields(self, keys: Collection[str]) -> frozenset[str]:
        query = "SELECT EXISTS (SELECT 1 FROM fields WHERE key = ?)"
        with self._guard():
            return frozenset(key for key in keys if self._snapshot.connection.execute(query, (key,)).fetchone()[0])

    def field_counts(self) -> dict[str, int]:
        with self._guard():
            return field_counts(self._snapshot.connection)

    def counts(self) -> Counts:
        with self._guard():
            return counts_of(self._snapshot.layout, self._snapshot.connection)

    @cached_property
    def _vectors(self) -> VectorReader:
        from rerank_cli.store.vectors import VectorReader

        return VectorReader(self._snapshot.vectors)

    @cached_property
    def _graph(self) -> Graph:
        from rerank_cli.store.graph import load_graph

        snapshot = self._snapshot
        assert snapshot.graph is not None and snapshot.generation.graph is not None
        return load_graph(snapshot.graph, snapshot.generation.graph, dimensions=self.manifest.recipe.dimensions)

    def _nearest(self, search: Scan | GraphSearch, depth: int, within: Filter) -> Ranking:
        """The *depth* passages of the best rows: of some there are several, of others none any more."""
        accepted = self._accept(within) if within else None
        wanted = min(search.total, depth + SPARE)
        while True:
            rows, scores = search.best(wanted)
            passages = self._passages_of(rows)
            ranking: Ranking = [
                (passage, score)
                for row, score in zip(rows.tolist(), scores.tolist(), strict=True)
                for passage in passages[row]
                if accepted is None or passage in accepted
            ]
            is_enough = len(ranking) >= depth and scores[-1] < ranking[depth - 1][1]
            if is_enough or wanted == search.total:
                return self._cut(ranking, depth)
            wanted = min(search.total, wanted * 2)

    def _scored(self, vector: Vectors, depth: int) -> Ranking:
        """Of the accepted passages the best *depth*, and whatever ties with the last of them, with their cosines."""
        from rerank_cli.store.nearest import places_of_best

        with self._guard():
            passages = self._snapshot.connection.execute(
                "SELECT passages.id, text_hash FROM temp.accepted JOIN passages USING (id)"
            ).fetchall()
        scores = self._cosines_of_texts(vector, [text_hash for _, text_hash in passages])
        return [(passages[place][0], float(scores[place])) for place in places_of_best(scores, depth)]

    def _cosines_of_texts(self, vector: Vectors, text_hashes: Sequence[bytes]) -> Scores:
        """The cosine of *vector* with that of each text.

        Raises:
            IndexDamaged: a text has none, or is none.
        """
        if not all(isinstance(text_hash, bytes) and len(text_hash) == TEXT_BYTES for text_hash in text_hashes):
            raise self._contradiction()
        return self._vectors.cosines_of(vector, self._vectors.rows_of(text_hashes))

    def _accept(self, within: Filter) -> frozenset[int]:
        """The ids of the passages *within*, which lie in `temp.accepted` until another filter comes."""
        if self._accepted is not None and self._accepted[0] == within:
            return self._accepted[1]
        from rerank_cli.store.accepted import accept

        with self._guard():
            ids = accept(self._snapshot.connection, within, self._snapshot.layout.catalog)
        self._accepted = (within, ids)
        return ids

    def _passages_of(self, rows: Rows) -> dict[int, list[int]]:
        """The passages of each row of the vectors, looked up once for all queries."""
        wanted = rows.tolist()
        new = [row for row in wanted if row not in self._passages]
        if len(self._passages) + len(new) > MOST_KNOWN:
            self._passages, new = {}, wanted
        texts = dict(zip(self._vectors.texts(new), new, strict=True))
        self._passages.update((row, []) for row in new)
        for passage, text_hash in self._select("SELECT id, text_hash FROM passages WHERE text_hash IN", list(texts)):
            if text_hash not in texts:  # a damaged index of SQLite's answers without a look at the row
                raise self._contradiction()
            self._passages[texts[text_hash]].append(passage)
        return self._passages

    def _cut(self, scored: Iterable[tuple[PassageId, float]], depth: int) -> Ranking:
        """Best first; ties in the order of document and ordinal, so that ids given by chance decide nothing."""
        ranking = sorted(scored, key=itemgetter(1), reverse=True)
        if len(ranking) > depth:
            last = ranking[depth - 1][1]
            ranking = [row for row in ranking if row[1] >= last]
        alike = Counter(map(itemgetter(1), ranking))
        if len(alike) == len(ranking):
            return ranking[:depth]
        tied = [row for row in ranking if alike[row[1]] > 1]
        origins = self.origins([passage for passage, _ in tied])
        tied.sort(key=lambda row: origins[row[0]])
        alone = [row for row in ranking if alike[row[1]] == 1]
        return sorted([*tied, *alone], key=itemgetter(1), reverse=True)[:depth]

    def _select(self, query: str, values: Sequence[object]) -> list[tuple[Any, ...]]:
        """What *query*, which ends with IN, selects for all *values*, however many."""
        with self._guard():
            return rows_of(self._snapshot.connection, query, values)

    def _contradiction(self) -> IndexDamaged:
        catalog = self._snapshot.layout.catalog
        return IndexDamaged(f"{catalog}: its tables contradict each other", remedy=rebuild_remedy(self.folder))

    @contextmanager
    def _guard(self) -> Iterator[None]:
        with telling(self._snapshot.layout.catalog, self._snapshot.connection):
            yield


def _with_ties(best_first: sqlite3.Cursor, depth: int) -> Ranking:
    """The first *depth* rows, and whatever ties with the last of them. No more are read: SQLite has sorted all."""
    ranking: Ranking = best_first.fetchmany(depth)
    if len(ranking) == depth:
        last = ranking[-1][1]
        ranking += takewhile(lambda row: row[1] >= last, best_first)
    return ranking


def _phrase(word: str) -> str:
    """*word* as FTS5 searches it, whatever it is."""
    return '"{}"'.format(word.replace('"', '""'))


def _weight(rarity: Rarity, word: str) -> float:
    """What FTS5's BM25 gives a word for its rarity: that of Robertson and Spärck Jones (1976), and never 0 or less."""
    holding = rarity.holding[word]
    return max(1e-6, math.log((rarity.passages - holding + 0.5) / (holding + 0.5)))
