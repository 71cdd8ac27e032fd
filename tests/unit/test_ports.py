"""The ports are enough: all that is built on them runs over an index that is none of ours, with the same answers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from rerank_cli import IndexMismatch, IndexSummary, Library, UsageError, open_library
from rerank_cli.evaluation.inputs.collection import Collection, JudgedQuery
from rerank_cli.ports import Index, IndexWriter
from rerank_cli.records import Candidate
from rerank_cli.training.mining import mine_index
from tests.conftest import Plant
from tests.fakes import FakeEncoder, FakeReranker
from tests.memory_index import Memory, MemoryIndex, MemoryWriter

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
    """A memory and the local store, over one folder."""

    def __init__(self, docs: Path, index_folder: Path, memory: Memory, opened: ExitStack) -> None:
        self._docs = docs
        self._memory = memory
        self._opened = opened
        self.encoder = FakeEncoder()
        self.local = opened.enter_context(self._library(index=index_folder))
        self.memory: Library | None = None

    def _library(self, **options: Any) -> Library:
        return open_library(self._docs, encoder=self.encoder, reranker=FakeReranker(), passage_tokens=32, **options)

    def update(self, **flags: Any) -> tuple[IndexSummary, IndexSummary]:
        local = self.local.update(**flags)
        if self._memory.generation is None:
            with self._library() as first:
                memory = first.update(writer=MemoryWriter(self._memory), **flags)
            self.memory = self._opened.enter_context(self._library(index=MemoryIndex(self._memory)))
        else:
            assert self.memory is not None
            memory = self.memory.update(writer=MemoryWriter(self._memory), **flags)
        return local, memory


@pytest.fixture
def both(docs: Path, index_folder: Path, plant: Plant) -> Iterator[Both]:
    plant(FILES)
    with ExitStack() as opened:
        yield Both(docs, index_folder, Memory(), opened)


def libraries(both: Both) -> tuple[Library, Library]:
    assert both.memory is not None
    return both.local, both.memory


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
    local, memory = libraries(both)
    for query in QUERIES:
        for options in ({}, {"retriever": "dense"}, {"retriever": "lexical"}, {"paths": "*.txt"}, {"top_k": 2}):
            wanted, found = (library.search(query, **options) for library in (local, memory))
            assert told(found.candidates) == told(wanted.candidates), (query, options)
            assert [hit.text for hit in found.hits] == [hit.text for hit in wanted.hits]
    for options in FILTERS:
        wanted, found = (library.search("wet tyre oil", **options) for library in (local, memory))
        assert told(found.candidates) == told(wanted.candidates), options
        assert wanted.candidates, options


def test_the_ports_are_met(both: Both) -> None:
    reader: type[Index] = MemoryIndex
    writer: type[IndexWriter] = MemoryWriter
    assert (reader, writer) == (MemoryIndex, MemoryWriter)


def test_an_index_of_ones_own_gives_the_same_candidates(both: Both) -> None:
    local, memory = both.update()
    assert counted(local) == counted(memory)
    check_answers_agree(both)


def test_it_follows_what_is_changed_added_renamed_and_removed(both: Both, docs: Path, plant: Plant) -> None:
    both.update()
    (docs / "garden/slugs.txt").rename(docs / "garden/snails.txt")
    (docs / "bikes/chain.md").unlink()
    plant({"bikes/brakes.md": "# Stopping\n\nA brake that is dry makes no noise.\n", "new.txt": "Wet lettuce.\n"})
    encoded = len(both.encoder.encoded)
    local, memory = both.update()
    assert counted(local) == counted(memory)
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
    local, memory = (library.evaluate(queries=queries, qrels=qrels) for library in libraries(both))
    assert local.stages is not None and memory.stages is not None
    assert memory.stages.first.by_query == local.stages.first.by_query
    assert memory.stages.final.by_query == local.stages.final.by_query
    assert memory.collection_fingerprint == local.collection_fingerprint


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
    local, memory = (
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
    assert local.groups and [(group.query, group.passages) for group in memory.groups] == [
        (group.query, group.passages) for group in local.groups
    ]
    assert memory.questions == local.questions
    assert memory.left_out == local.left_out


def test_status_and_staleness_need_no_disk_of_the_indexs_own(both: Both, docs: Path) -> None:
    both.update()
    (docs / "garden/twin.txt").unlink()
    local, memory = (library.status() for library in libraries(both))
    assert memory.changes == local.changes and memory.changes is not None
    assert memory.changes.removed == ("garden/twin.txt",)
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
    with (
        open_library(index=library.index, encoder=FakeEncoder(fingerprint="another")) as other,
        pytest.raises(IndexMismatch, match="memory: made with the encoder fake-encoder") as raised,
    ):
        other.search("oil")
    assert "update memory anew" in raised.value.remedy
