"""A list within a filter is the whole list with what the filter leaves out taken away."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rerank_cli.globs import any_glob
from rerank_cli.ports import EVERYTHING, Filter, Ranking
from rerank_cli.records import VectorSearch
from rerank_cli.store import open_reader, open_writer
from rerank_cli.store.reader import IndexReader
from rerank_cli.store.search import SCAN
from tests.unit.store.texts import commit, vector_of

WORDS = "brake chain pedal wheel spoke river water stone".split()
FOLDERS = ["a", "b", "c/d"]
COUNT = 120
ALL = 10_000


@pytest.fixture(scope="module", params=["exact", "hnsw", "rows beside the graph"])
def reader(request: pytest.FixtureRequest) -> Iterator[IndexReader]:
    """Few texts for many passages, so that scores tie; of some of them the file is gone."""
    files = {
        f"{FOLDERS[n % 3]}/{n:03}.{'md' if n % 5 else 'txt'}": [f"{WORDS[n % 8]} {WORDS[n % 7]}", f"{WORDS[n % 5]} {n}"]
        for n in range(COUNT)
    }
    kind: VectorSearch = "exact" if request.param == "exact" else "hnsw"
    first = dict(list(files.items())[:80]) if request.param == "rows beside the graph" else files
    with tempfile.TemporaryDirectory() as folder:
        for written, removed in ((first | {"gone.md": ["brake"]}, ()), (files, ("gone.md",))):
            with open_writer(Path(folder), wait_s=0, search=kind) as writer:
                commit(writer, written, removed=removed)
        with open_reader(Path(folder)) as reader:
            assert reader.counts().passages == 2 * COUNT
            assert (reader.manifest.search == SCAN) == (kind == "exact")
            yield reader


def taken_away(reader: IndexReader, ranking: Ranking, within: Filter, depth: int) -> list[tuple[str, int, float]]:
    stored = reader.read([passage for passage, _ in ranking])
    accepts = any_glob(within.paths) if within else lambda path: True
    rows = [(stored[passage].path, stored[passage].passage.ordinal, score) for passage, score in ranking]
    return [row for row in rows if accepts(row[0])][:depth]


PATTERNS = ["*.md", "*.txt", "a/", "c/", "c/d/*", "00*", "*1*", "b/0[0-3]*", "nothing", "*", "a/000.txt", "!*.md"]
FILTERS = st.lists(st.sampled_from(PATTERNS), min_size=1, max_size=3).map(tuple).map(Filter)


@settings(max_examples=40)
@given(within=FILTERS, text=st.sampled_from(["brake brake", "chain 7", "anything"]), depth=st.integers(1, 60))
def test_the_nearest_within_a_filter_are_those_of_the_whole_list(
    reader: IndexReader, within: Filter, text: str, depth: int
) -> None:
    whole = reader.search_dense(vector_of(text), ALL, exact=True)
    for exact in (True, False):
        ranking = reader.search_dense(vector_of(text), depth, within=within, exact=exact)
        assert taken_away(reader, ranking, EVERYTHING, ALL) == taken_away(reader, whole, within, depth)


@settings(max_examples=40)
@given(within=FILTERS, words=st.lists(st.sampled_from([*WORDS, "7", "unknown"]), max_size=3), depth=st.integers(1, 60))
def test_the_best_by_words_within_a_filter_are_those_of_the_whole_list(
    reader: IndexReader, within: Filter, words: list[str], depth: int
) -> None:
    whole = reader.search_lexical(words, ALL)
    ranking = reader.search_lexical(words, depth, within=within)
    assert taken_away(reader, ranking, EVERYTHING, ALL) == taken_away(reader, whole, within, depth)


def test_one_filter_after_another_gives_each_its_own(reader: IndexReader) -> None:
    few, most = Filter(("a/000.txt",)), Filter(("*.md",))
    for within in (few, most, few, EVERYTHING, most):
        for ranking in (
            reader.search_dense(vector_of("brake"), 50, within=within),
            reader.search_lexical(["brake"], 50, within=within),
        ):
            accepts = any_glob(within.paths) if within else lambda path: True
            assert ranking and all(accepts(stored.path) for stored in reader.read([p for p, _ in ranking]).values())
