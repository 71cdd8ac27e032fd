"""The ports are enough: all that is built on them runs over an index that is none of ours, with the same answers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from rerank_cli import IndexMismatch, IndexSummary, Library, UsageError, open_library
from rerank_cli.evaluation.inputs.collection import Collection, JudgedQuery
from rerank_cli.ports import Index, IndexWriter
from rerank_cli.records import Candidate, Retriever
from rerank_cli.training.mining import mine_index
from tests.conftest import Plant
from tests.fakes import FakeEncoder, FakeReranker
from tests.memory_index import MemoryIndex, MemoryWriter
from tests.stores.kinds import EVERY_KIND, Store, store_maker

FILES = {
    "bikes/brakes.md": "# Stopping\n\nThe brake squeals when it is wet.\n\n# Pads\n\nNew pads quieten a brake.\n",
    "bikes/chain.md": "# Chain\n\nOil the chain, then wipe it. Oil costs little.\n",
    "garden/slugs.txt": "Slugs eat the lettuce at night.\n",
    "garden/twin.txt": "Slugs eat the lettuce at night.\n",
    "records.jsonl": '{"_id": "r1", "text": "Pump the tyre.", "tag": "air", "date": "2026-01-31"}\n'
    '{"_id": "r2", "text": "A tyre on wet grass.", "tag": "grass"}\n',
    "log.md": "---\ntags: [air, oil]\n---\n\nWet brake, dry chain.\n",
}
FILTERS = (
    *({"where": rule} for rule in ("tag=AIR", "tag!=air", "tags", "tag=gr*", ["tag=air", "tag=oil"])),
    *({"since": "2026"}, {"until": "2025"}, {"extensions": "md,txt"}, {"not_paths": ["*.jsonl", "garden/"]}),
)
QUERIES = ("wet brake", "oil", "slugs eat lettuce", "tyre", "what squeals at night", "pads")


class Both:
    """The local store and another one, over one folder."""

    def __init__(self, docs: Path, index_folder: Path, store: Store, opened: ExitStack) -> None:
        self._docs = docs
        self._store = store
        self._opened = opened
        self.counts_words_alike = store.counts_words_alike
        self.encoder = FakeEncoder()
        self.local = opened.enter_context(self._library(index=index_folder))
        self.other: Library | None = None

    def _library(self, **options: Any) -> Library:
        return open_library(self._docs, encoder=self.encoder, reranker=FakeReranker(), passage_tokens=32, **options)

    def update(self, **flags: Any) -> tuple[IndexSummary, IndexSummary]:
        local = self.local.update(**flags)
        with self._store.writer() as writer:
            if self.other is None:
                with self._library() as first:
                    other = first.update(writer=writer, **flags)
            else:
                other = self.other.update(writer=writer, **flags)
        if self.other is None:
            index = self._opened.enter_context(self._store.reader())
            self.other = self._opened.enter_context(self._library(index=index))
        self.other.refresh()
        return local, other


@pytest.fixture(params=[kind for kind in EVERY_KIND if kind != "local"])
def both(request: pytest.FixtureRequest, docs: Path, index_folder: Path, plant: Plant) -> Iterator[Both]:
    plant(FILES)
    with ExitStack() as opened:
        yield Both(docs, index_folder, store_maker(request.param, request)(), opened)


def libraries(both: Both) -> tuple[Library, Library]:
    assert both.other is not None
    return both.local, both.other


def told(candidates: tuple[Candidate, ...]) -> list[object]:
    """All that a candidate says but the id, which is each index's own."""
    return [
        (
            each.stored.document_id,
            each.stored.path,
            each.stored.passage,
            each.rank,
            pytest.approx(each.score, abs=1e-4),
            {name: (listed.rank, pytest.approx(listed.score, abs=1e-4)) for name, listed in each.lists.items()},
            pytest.approx(each.opening_score, abs=1e-5),
        )
        for each in candidates
    ]


def counted(summary: IndexSummary) -> dict[str, object]:
    names = ("added", "changed", "removed", "unchanged", "files", "documents", "passages", "kept", "up_to_date")
    return {name: getattr(summary, name) for name in names}


def check_answers_agree(both: Both) -> None:
    for query in QUERIES:
        for options in ({}, {"retriever": "dense"}, {"retriever": "lexical"}, {"paths": "*.txt"}, {"top_k": 2}):
            check_answer_agrees(both, query, options)
    for options in FILTERS:
        assert check_answer_agrees(both, "wet tyre oil", options), options


def check_answer_agrees(both: Both, query: str, options: dict[str, Any]) -> bool:
    """Whether anything was found. Where words are counted in another way, the order is that of the vectors alone."""
    lexical = options.get("retriever") == "lexical"
    asked = options if both.counts_words_alike or lexical else {**options, "retriever": "dense"}
    wanted, found = (library.search(query, **asked) for library in libraries(both))
    if both.counts_words_alike or not lexical:
        assert told(found.candidates) == told(wanted.candidates), (query, options)
        assert [hit.text for hit in found.hits] == [hit.text for hit in wanted.hits]
    else:
        passages = [{each.stored.passage for each in result.candidates} for result in (wanted, found)]
        assert passages[0] == passages[1], (query, options)
    return bool(wanted.candidates)


def test_the_ports_are_met(both: Both) -> None:
    reader: type[Index] = MemoryIndex
    writer: type[IndexWriter] = MemoryWriter
    assert (reader, writer) == (MemoryIndex, MemoryWriter)


def test_an_index_of_ones_own_gives_the_same_candidates(both: Both) -> None:
    local, other = both.update()
    assert counted(local) == counted(other)
    check_answers_agree(both)


def test_it_follows_what_is_changed_added_renamed_and_removed(both: Both, docs: Path, plant: Plant) -> None:
    both.update()
    (docs / "garden/slugs.txt").rename(docs / "garden/snails.txt")
    (docs / "bikes/chain.md").unlink()
    plant({"bikes/brakes.md": "# Stopping\n\nA brake that is dry makes no noise.\n", "new.txt": "Wet lettuce.\n"})
    encoded = len(both.encoder.encoded)
    local, other = both.update()
    assert counted(local) == counted(other)
    assert len(both.encoder.encoded) == encoded + 2 * 2, "what was renamed is encoded by neither"
    check_answers_agree(both)
    again = both.update()
    assert [summary.up_to_date for summary in again] == [True, True]
    both.update(prune=True)
    check_answers_agree(both)


def test_a_file_is_read_the_same_way_whole_and_in_part(both: Both) -> None:
    both.update()

    def read(library: Library, path: str, part: dict[str, int]) -> list[object]:
        return [(each.document_id, each.path, each.passage) for each in library.index.read_file(path, **part)]

    local, memory = libraries(both)
    for part in ({}, {"first": 2, "last": 5}, {"first": 3}, {"last": 1}, {"first": 90, "last": 99}):
        told = {path: read(local, path, part) for path in (*FILES, "gone.md")}
        assert {path: read(memory, path, part) for path in told} == told
        assert part or {path for path, passages in told.items() if passages} == {*FILES}


def test_evaluation_gives_the_same_figures(both: Both) -> None:
    both.update()
    qrels = {"1": {"bikes/brakes.md": 1}, "2": {"garden/twin.txt": 1}, "3": {"r2": 1}}
    queries = {"1": "wet brake", "2": "night slugs", "3": "tyre grass"}
    retriever: Retriever = "hybrid" if both.counts_words_alike else "dense"
    local, other = (library.evaluate(queries=queries, qrels=qrels, retriever=retriever) for library in libraries(both))
    assert local.stages is not None and other.stages is not None
    assert other.stages.first.by_query == local.stages.first.by_query
    assert other.stages.final.by_query == local.stages.final.by_query
    assert other.collection_fingerprint == local.collection_fingerprint


@pytest.mark.parametrize("both", ["memory"], indirect=True)  # negatives are mined by the order of both lists
def test_training_mines_the_same_groups(both: Both, plant: Plant) -> None:
    topics = (
        "boiler",
        "kettle",
        "ferry",
        "chisel",
        "wasp",
        "piano",
        "radio",
        "violin",
        "tram",
        "bread",
        "lamp",
        "sofa",
    )
    parts = ("lid", "box")
    names = [f"{topic} {part}" for topic in topics for part in parts]
    plant({f"{name}.txt": f"the {name} is on shelf {number}\n" for number, name in enumerate(names)})
    both.update()
    collection = Collection(
        tuple(JudgedQuery(name, f"where is the {name}") for name in names), {name: {f"{name}.txt": 1} for name in names}
    )
    local, other = (
        mine_index(
            collection,
            library.index,
            encoder=both.encoder,
            top_k=20,
            negatives=3,
            teacher_share=0.0,
            share=0.25,
            seed=3,
        )
        for library in libraries(both)
    )
    assert local.groups and [(group.query, group.passages) for group in other.groups] == [
        (group.query, group.passages) for group in local.groups
    ]
    assert other.questions == local.questions
    assert other.left_out == local.left_out


def test_status_and_staleness_need_no_disk_of_the_indexs_own(both: Both, docs: Path) -> None:
    both.update()
    (docs / "garden/twin.txt").unlink()
    local, other = (library.status() for library in libraries(both))
    assert other.changes == local.changes and other.changes is not None
    assert other.changes.removed == ("garden/twin.txt",)
    _, library = libraries(both)
    hits = library.search("slugs eat lettuce", rerank=False).hits
    assert library.stale_files(hits) == {"garden/twin.txt": "gone"}


def test_it_is_changed_by_its_own_writer_alone(both: Both) -> None:
    both.update()
    _, library = libraries(both)
    with pytest.raises(UsageError, match="changed by its own writer"):
        library.update()


def test_a_mismatch_names_the_index_and_its_own_command(both: Both, docs: Path) -> None:
    both.update()
    _, library = libraries(both)
    index = library.index
    with (
        open_library(index=index, encoder=FakeEncoder(fingerprint="another")) as other,
        pytest.raises(IndexMismatch, match=f"^{re.escape(index.name)}: made with the encoder fake-encoder") as raised,
    ):
        other.search("oil")
    assert index.update_command(rebuild=True) in raised.value.remedy
