"""After any sequence of changes, an updated index answers as a fresh one of the same folder does."""

from __future__ import annotations

import json
import os
import re
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rerank_cli.indexing import IndexSettings, update_index
from rerank_cli.ports import FieldRule, Filter, Index
from rerank_cli.records import Retriever, Rules, VectorSearch
from rerank_cli.search import Searcher, SearchSettings
from rerank_cli.store import open_reader, open_writer
from rerank_cli.store import search as store_search
from rerank_cli.store.search import GRAPH
from tests.fakes import FakeEncoder, FakeReranker

WORDS = "brake chain pedal wheel spoke river water stone".split()  # of one length
NAMES = ["a.md", "b.md", "sub/a.md", "sub/deep/c.txt", "d.rst", "e.html", "f.py", "g.jsonl", "h.csv", "[b]i\n.md"]
QUERIES = ("brake chain", "river water stone", "pedal", "the spoke of the wheel")
RETRIEVERS: tuple[Retriever, ...] = ("hybrid", "dense", "lexical")

OLD = 1_600_000_000
FILTERS = [
    *(Filter(fields=(FieldRule("tag", "brake"),)), Filter(fields=(FieldRule("tag", "r*", differs=True),))),
    *(Filter(since=OLD + 300), Filter(until=OLD + 300), Filter(extensions=("md",))),
]

# Few words, so that texts repeat, vectors are shared and scores tie.
TEXTS = st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(" ".join), min_size=1, max_size=4)
NUMBERS = st.integers(0, 9)

CHANGES = st.one_of(
    st.tuples(st.just("write"), NUMBERS, TEXTS),
    st.tuples(st.just("write"), NUMBERS, TEXTS),
    st.tuples(st.just("rewrite in the same size and time"), NUMBERS, st.permutations(WORDS)),
    st.tuples(st.just("move"), NUMBERS, NUMBERS),
    st.tuples(st.just("copy"), NUMBERS, NUMBERS),
    st.tuples(st.just("remove"), NUMBERS, st.none()),
    st.tuples(st.just("touch"), NUMBERS, st.none()),
    st.tuples(st.just("touch to an older time"), NUMBERS, st.none()),
)


def as_file(name: str, texts: list[str]) -> str:
    """*texts* in the format that *name* promises."""
    kind = name.rpartition(".")[2]
    if kind == "jsonl":
        records = (
            {"_id": f"r{n}", "title": text, "text": text, "tag": text.split()[0]} for n, text in enumerate(texts)
        )
        return "".join(json.dumps(record) + "\n" for record in records)
    if kind == "csv":
        return "id,text\n" + "".join(f"{n},{text}\n" for n, text in enumerate(texts))
    if kind == "html":
        return "<h1>Page</h1>" + "".join(f"<h2>{text}</h2>\n<p>{text} {text}</p>\n" for text in texts)
    if kind == "py":
        return "".join(f"def f{n}():\n    return '{text}'\n\n\n" for n, text in enumerate(texts))
    if kind == "rst":
        return "".join(f"{text}\n{'=' * len(text)}\n\n{text} {text}\n\n" for text in texts)
    front = f"---\ntags: [{', '.join(texts[0].split())}]\n---\n" if kind == "md" else ""
    return front + "".join(f"# {text}\n\n{text} and {texts[0]}\n\n" for text in texts)


def change(docs: Path, step: tuple[str, int, object]) -> None:
    """Do *step* where it can be done."""
    kind, number, what = step
    name = NAMES[number]
    place = docs / name
    if kind == "write":
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(as_file(name, what))
    elif not place.exists():
        return
    elif kind == "rewrite in the same size and time":
        stamp = place.stat().st_mtime_ns
        swapped = dict(zip(WORDS, what, strict=True))
        place.write_text(re.sub("|".join(WORDS), lambda word: swapped[word[0]], place.read_text()))
        if stamp > time.time_ns() - 10**9:  # an older stamp cannot come back by writing
            os.utime(place, ns=(stamp, stamp))
    elif kind == "remove":
        place.unlink()
    elif kind == "touch":
        os.utime(place)
    elif kind == "touch to an older time":
        os.utime(place, (OLD + number * 100, OLD + number * 100))
    else:
        target = docs / NAMES[what]
        target.parent.mkdir(parents=True, exist_ok=True)
        if kind == "move":
            place.rename(target)
        elif target != place:
            target.write_bytes(place.read_bytes())


def update(docs: Path, index_folder: Path, encoder: FakeEncoder, *, search: VectorSearch = "auto"):
    rules = IndexSettings(encoder="fake", passage_tokens=20, rules=Rules())
    with open_writer(index_folder, wait_s=0, search=search) as writer:
        return update_index(docs, writer=writer, encoder=encoder, settings=rules, allow_shrink=True)


def answers(index_folder: Path) -> list[object]:
    """What `answers_of` an index on the disk says."""
    with open_reader(index_folder) as index:
        return answers_of(index)


def answers_of(index: Index) -> list[object]:
    """Everything that both stages say, but for the ids that are the index's own."""
    found: list[object] = []
    for retriever in RETRIEVERS:
        how = SearchSettings(
            retriever=retriever, top_k=7, fusion="linear", fusion_weight=0.4, reranks=True, per_document=2
        )
        searcher = Searcher(index, encoder=FakeEncoder(), reranker=FakeReranker(), settings=how)
        for query in QUERIES:
            result = searcher.search(query)
            found.extend(
                (
                    retriever,
                    query,
                    (hit.rank, hit.order_score, hit.logit, hit.reranker_rank),
                    (candidate.rank, candidate.score, candidate.lists),
                    (stored.document_id, stored.path, stored.title, stored.passage),
                )
                for hit in result.hits
                for candidate in [hit.candidate]
                for stored in [candidate.stored]
            )
    for within in FILTERS:
        ranking = index.search_lexical(WORDS, 1000, within=within)
        stored = index.read([passage for passage, _ in ranking])
        found.append([(stored[each].path, stored[each].passage, score) for each, score in ranking])
    found.append(index.field_counts())
    return found


def failures(summary) -> list[tuple[str, str]]:
    return [(file.path, file.reason) for file in summary.failed]


@settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.lists(st.lists(CHANGES, min_size=1, max_size=6), min_size=2, max_size=5))
def test_an_updated_index_answers_as_a_rebuilt_one(batches: list[list[tuple[str, int, object]]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        docs, updated, fresh = Path(folder, "docs"), Path(folder, "updated"), Path(folder, "fresh")
        (docs / "always").mkdir(parents=True)
        (docs / "always" / "there.md").write_text("brake chain\n")
        encoder = FakeEncoder()
        summary = update(docs, updated, encoder)
        for batch in batches:
            for step in batch:
                change(docs, step)
            summary = update(docs, updated, encoder)
        anew = update(docs, fresh, FakeEncoder())
        assert answers(updated) == answers(fresh)
        assert (summary.documents, summary.passages) == (anew.documents, anew.passages)
        assert failures(summary) == failures(anew)
        assert update(docs, updated, FakeEncoder(fails_after=0)).up_to_date


PAGES = [f"{folder}{name}.html" for folder in ("site/", "site/deep/") for name in "abcdef"]
FURNITURE = st.lists(st.sampled_from(["<div>water stone</div>", "<div>the spoke</div>"]), unique=True)
SITES = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(PAGES), FURNITURE, FURNITURE, st.permutations(WORDS)),
        st.tuples(st.sampled_from(PAGES), st.none(), st.none(), st.none()),
    ),
    min_size=1,
    max_size=4,
)


def as_page(top: list[str], words: list[str], bottom: list[str]) -> str:
    own = " ".join(words)
    return f"{''.join(top)}<h1>{words[0]}</h1><p>{own} {own} {own}</p>{''.join(bottom)}"


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.lists(SITES, min_size=2, max_size=5))
def test_what_pages_repeat_is_left_out_of_an_updated_index_as_of_a_rebuilt_one(
    batches: list[list[tuple[str, list[str], list[str], list[str]]]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        docs, updated, fresh = Path(folder, "docs"), Path(folder, "updated"), Path(folder, "fresh")
        (docs / "site" / "deep").mkdir(parents=True)
        for number, name in enumerate(PAGES[:9]):
            words = [*WORDS[number % 8 :], *WORDS[: number % 8]]
            (docs / name).write_text(as_page(["<div>water stone</div>"], words, ["<div>the spoke</div>"]))
        update(docs, updated, FakeEncoder())
        for batch in batches:
            for name, top, bottom, words in batch:
                if top is not None:
                    (docs / name).write_text(as_page(top, words, bottom))
                else:
                    (docs / name).unlink(missing_ok=True)
            (docs / "always.md").write_text("brake chain")
            summary = update(docs, updated, FakeEncoder())
        anew = update(docs, fresh, FakeEncoder())
        assert answers(updated) == answers(fresh)
        assert (summary.documents, summary.passages) == (anew.documents, anew.passages)
        assert update(docs, updated, FakeEncoder(fails_after=0)).up_to_date


def nearest(index_folder: Path, depth: int) -> list[dict[tuple[str, str, int], float]]:
    """By query, the *depth* nearest passages with their cosines."""
    found = []
    with open_reader(index_folder) as index:
        for query in QUERIES:
            ranking = index.search_dense(FakeEncoder().encode_queries([query])[0], depth)
            stored = index.read([passage for passage, _ in ranking])
            rows = [(stored[passage], score) for passage, score in ranking]
            found.append({(each.path, each.document_id, each.passage.ordinal): score for each, score in rows})
    return found


@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.lists(st.lists(CHANGES, min_size=1, max_size=6), min_size=2, max_size=5), st.sampled_from([0, 3, 1000]))
def test_a_graph_and_the_rows_beside_it_never_lag(batches: list[list[tuple[str, int, object]]], beside: int) -> None:
    """However many rows are scanned beside the graph before it is written again."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patched:
        patched.setattr(store_search, "LEAST_BESIDE", beside)
        docs, updated, fresh = Path(folder, "docs"), Path(folder, "updated"), Path(folder, "fresh")
        (docs / "always").mkdir(parents=True)
        (docs / "always" / "there.md").write_text("brake chain\n")
        update(docs, updated, FakeEncoder(), search="hnsw")
        for number, batch in enumerate(batches):
            for step in batch:
                change(docs, step)
            update(docs, updated, FakeEncoder(), search="hnsw")
            anew = fresh / str(number)
            update(docs, anew, FakeEncoder())
            for found, expected in zip(nearest(updated, 1000), nearest(anew, 1000), strict=True):
                assert found == pytest.approx(expected, abs=1e-6)  # a graph's differ from a scan's in the last bits
            for found, expected in zip(nearest(updated, 3), nearest(anew, 3), strict=True):
                assert list(found.values()) == pytest.approx(list(expected.values()), abs=1e-6)
        with open_reader(updated) as index:
            assert index.manifest.search == GRAPH
        assert update(docs, updated, FakeEncoder(fails_after=0), search="hnsw").up_to_date


def test_a_file_that_gives_anothers_document_id_is_the_same_in_either_order(tmp_path: Path) -> None:
    """`g.jsonl#r0` is the id of a record, and may be the name of a file."""
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "g.jsonl#r0").write_text("brake\n")
    update(docs, tmp_path / "updated", FakeEncoder())
    (docs / "g.jsonl").write_text(as_file("g.jsonl", ["brake", "chain"]))
    update(docs, tmp_path / "updated", FakeEncoder())
    update(docs, tmp_path / "fresh", FakeEncoder())
    assert answers(tmp_path / "updated") == answers(tmp_path / "fresh")
    (docs / "g.jsonl").unlink()
    assert update(docs, tmp_path / "updated", FakeEncoder()).failed == ()


@pytest.mark.parametrize("name", NAMES)
def test_every_format_is_found_at_its_own_lines(tmp_path: Path, name: str) -> None:
    """A guard on the test above: each of its files really has passages."""
    (tmp_path / "docs" / name).parent.mkdir(parents=True)
    (tmp_path / "docs" / name).write_text(as_file(name, ["brake chain", "river"]))
    update(tmp_path / "docs", tmp_path / "index", FakeEncoder())
    found = answers(tmp_path / "index")
    assert any("river" in answer[-1][-1].model_text for answer in found if isinstance(answer, tuple))
