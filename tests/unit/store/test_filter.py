"""A list within a filter is the whole list with what the filter leaves out taken away."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rerank_cli.fields import Fields
from rerank_cli.filters import FilterOptions, filter_of
from rerank_cli.ports import EVERYTHING, FieldRule, Filter, NewFile, Ranking
from rerank_cli.records import VectorSearch
from rerank_cli.store import open_reader, open_writer
from rerank_cli.store.reader import IndexReader
from rerank_cli.store.search import SCAN
from tests.memory_index import accepts
from tests.unit.store.texts import commit_files, new_file, vector_of

WORDS = "brake chain pedal wheel spoke river water stone".split()
FOLDERS = ["a", "b", "c/d"]
COUNT = 120
ALL = 10_000


def fields_of(n: int) -> Fields:
    """Some have tags under either key, some a date of their own, some nothing."""
    tags = [("tags" if n % 2 else "tag", tag) for tag, often in (("Hive", 3), ("honey", 4)) if not n % often]
    dates = [("date", "2026-01-31")] if not n % 7 else [("updated", "1999-05-01")] if not n % 11 else []
    others = [("author", f"Ann {'Smith' if n % 2 else 'Jones'}")] if not n % 5 else [("title", "[draft]")]
    return (*tags, *dates, *others, *([("colour", "red" if n % 3 else "blue")] if n % 4 else []))


FILES: dict[str, NewFile] = {
    path: new_file(
        path,
        [f"{WORDS[n % 8]} {WORDS[n % 7]}", f"{WORDS[n % 5]} {n}"],
        fields=fields_of(n),
        modified_at=n * 24 * 3600,
    )
    for n in range(COUNT)
    for path in [f"{FOLDERS[n % 3]}/{n:03}.{'md' if n % 5 else 'txt'}"]
}


@pytest.fixture(scope="module", params=["exact", "hnsw", "rows beside the graph"])
def reader(request: pytest.FixtureRequest) -> Iterator[IndexReader]:
    """Few texts for many passages, so that scores tie; of some of them the file is gone."""
    files = list(FILES.values())
    gone = new_file("gone.md", ["brake"], fields=(("tag", "hive"), ("gone", "yes")))
    kind: VectorSearch = "exact" if request.param == "exact" else "hnsw"
    first = files[:80] if request.param == "rows beside the graph" else files
    with tempfile.TemporaryDirectory() as folder:
        for written, removed in (([*first, gone], ()), (files, ("gone.md",))):
            with open_writer(Path(folder), wait_s=0, search=kind) as writer:
                commit_files(writer, written, removed=removed)
        with open_reader(Path(folder)) as reader:
            assert reader.counts().passages == 2 * COUNT
            assert (reader.manifest.search == SCAN) == (kind == "exact")
            yield reader


def taken_away(reader: IndexReader, ranking: Ranking, within: Filter, depth: int) -> list[tuple[str, int, float]]:
    stored = reader.read([passage for passage, _ in ranking])
    rows = [(stored[passage].path, stored[passage].passage.ordinal, score) for passage, score in ranking]
    return [row for row in rows if is_accepted(within, row[0])][:depth]


def is_accepted(within: Filter, path: str) -> bool:
    return accepts(within, FILES[path].state, FILES[path].documents[0], path=path)


PATTERNS = ["*.md", "*.txt", "a/", "c/", "c/d/*", "00*", "*1*", "b/0[0-3]*", "nothing", "*", "a/000.txt", "!*.md"]
RULES = [
    *("tag=hive", "tags=HIVE", "tag!=hive", "tag", "tag=h*", "author=ann*", "author=ann ?mith", "colour=red", "colour"),
    *("colour!=red", "title=[*", "tag=nothing", "tag!=nothing"),
]
DATES = ["1970-01-02", "1970-02", "2026-01-31", "2026-02-01T00:00:01Z", "1999"]
FILTERS = (
    st.fixed_dictionaries(
        {},
        optional={
            "paths": st.lists(st.sampled_from(PATTERNS), min_size=1, max_size=3),
            "not_paths": st.lists(st.sampled_from(PATTERNS[:-1]), min_size=1, max_size=2),
            "extensions": st.sampled_from(["md", "txt,md", "TXT", "pdf"]),
            "since": st.sampled_from(DATES),
            "until": st.sampled_from(DATES),
            "where": st.lists(st.sampled_from(RULES), min_size=1, max_size=2),
        },
    )
    .map(lambda options: filter_of(FilterOptions(**options)))
    .filter(bool)
)  # type: ignore[typeddict-item]


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
            stored = reader.read([passage for passage, _ in ranking]).values()
            assert ranking and all(is_accepted(within, each.path) for each in stored)


@settings(max_examples=40, deadline=None)
@given(within=FILTERS)
def test_the_documents_within_a_filter_are_those_that_it_says(reader: IndexReader, within: Filter) -> None:
    assert reader.has_documents([*FILES, "gone.md"], within=within) == {
        path for path in FILES if is_accepted(within, path)
    }


def test_keys_are_those_of_documents_that_are_there(reader: IndexReader) -> None:
    expected = Counter(key for file in FILES.values() for key in {key for key, _ in file.documents[0].fields})
    assert reader.field_counts() == expected
    assert reader.has_fields(["tag", "tags", "gone", "nothing"]) == {"tag", "tags"}


def test_a_filter_that_no_option_makes_is_no_filter_of_sql(reader: IndexReader) -> None:
    """Values of a program's own are values, whatever is in them."""
    for value in ("' OR 1 --", "x" * 100_000, "*" * 40 + "z", "\x00", "\ud800"):
        assert reader.search_lexical(["brake"], 5, within=Filter(fields=(FieldRule("tag", value),))) == []
