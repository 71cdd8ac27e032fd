"""Several indexes searched as one find what an index of the folder around them would."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from rerank_cli import IndexMismatch, UsageError, open_library
from rerank_cli.joint import JointIndex
from rerank_cli.library import Library
from rerank_cli.ports import Filter, Index
from rerank_cli.records import StoredPassage
from tests.conftest import Plant
from tests.fakes import FakeEncoder, FakeReranker
from tests.memory_index import Memory, MemoryIndex, MemoryWriter

FILES = {
    "bikes/brakes.md": "# Stopping\n\nThe brake squeals when it is wet.\n\n# Pads\n\nNew pads quieten a brake.\n",
    "bikes/old/chain.md": "# Chain\n\nOil the chain, then wipe it. Oil costs little.\n",
    "bikes/records.jsonl": '{"_id": "r1", "text": "Pump the tyre."}\n{"_id": "r2", "text": "A tyre on wet grass."}\n',
    "garden/slugs.txt": "Slugs eat the lettuce at night, when it is wet.\n",
    "garden/brakes.md": "# A hedge\n\nA hedge of thorns is a brake for the wind.\n",
}
QUERIES = ("wet brake", "oil", "slugs eat lettuce", "tyre", "what squeals at night", "pads")


class Indexes:
    """Indexes of folders below one, made when they are asked for."""

    def __init__(self, docs: Path, opened: ExitStack) -> None:
        self._docs = docs
        self._opened = opened

    def of(self, path: str = "", *, encoder: FakeEncoder | None = None) -> Index:
        memory = Memory()
        with open_library(self._docs / path, encoder=encoder or FakeEncoder(), passage_tokens=32) as library:
            library.update(writer=MemoryWriter(memory))
        return MemoryIndex(memory)

    def library(self, index: Index) -> Library:
        return self._opened.enter_context(open_library(index=index, encoder=FakeEncoder(), reranker=FakeReranker()))


@pytest.fixture
def indexes(docs: Path, plant: Plant) -> Iterator[Indexes]:
    plant(FILES)
    with ExitStack() as opened:
        yield Indexes(docs, opened)


def said(stored: StoredPassage) -> tuple[str, str, str]:
    return stored.document_id, stored.path, stored.passage.text


@pytest.mark.parametrize("query", QUERIES)
def test_dense_lists_are_those_of_one_index(indexes: Indexes, query: str) -> None:
    whole, joint = indexes.of(), JointIndex([indexes.of("bikes"), indexes.of("garden")])
    vector = FakeEncoder().encode_queries([query])[0]
    for depth in (1, 3, 100):
        found, expected = joint.search_dense(vector, depth), whole.search_dense(vector, depth)
        assert [score for _, score in found] == pytest.approx([score for _, score in expected])
        assert [said(joint.read([passage])[passage]) for passage, _ in found] == [
            said(whole.read([passage])[passage]) for passage, _ in expected
        ]


def test_a_word_is_as_rare_as_it_is_among_all(indexes: Indexes, plant: Plant) -> None:
    plant({f"bikes/{number}.txt": f"Tyre number {number}.\n" for number in range(6)})
    plant({"garden/tyre.txt": "Tyre of swings.\n", "garden/water.txt": "Hose with holes.\n"})
    whole, joint = indexes.of(), JointIndex([indexes.of("garden"), indexes.of("bikes")])
    words = ["hose", "tyre"]
    assert joint.rarity(words) == whole.rarity(words)
    (best, _), *_ = joint.search_lexical(words, 10)
    assert joint.origins([best])[best].path == "garden/water.txt"


@pytest.mark.parametrize("query", QUERIES)
def test_the_same_hits_lie_at_the_same_paths(indexes: Indexes, query: str) -> None:
    whole = indexes.library(indexes.of()).search(query).hits
    both = indexes.library(JointIndex([indexes.of("garden"), indexes.of("bikes")])).search(query).hits
    assert {(hit.document_id, hit.path, hit.score) for hit in both} == {
        (hit.document_id, hit.path, hit.score) for hit in whole
    }


def test_a_filter_is_read_from_the_folder_around_all(indexes: Indexes) -> None:
    joint = JointIndex([indexes.of("bikes"), indexes.of("garden")])
    found = joint.search_lexical(["wet", "brake"], 10, within=Filter(("/garden/",)))
    assert {joint.origins([passage])[passage].path for passage, _ in found} == {"garden/slugs.txt", "garden/brakes.md"}


def test_what_is_read_of_it_is_what_one_index_has(indexes: Indexes) -> None:
    whole, joint = indexes.of(), JointIndex([indexes.of("bikes"), indexes.of("garden")])
    assert sorted(map(said, joint.scan())) == sorted(map(said, whole.scan()))
    assert joint.files().keys() == whole.files().keys()
    assert joint.file_states(["garden/slugs.txt", "slugs.txt"]).keys() == {"garden/slugs.txt"}
    assert joint.counts().passages == whole.counts().passages
    assert joint.manifest.recipe.root == whole.manifest.recipe.root
    known = {document for document, _, _ in map(said, whole.scan())}
    assert joint.has_documents(known | {"slugs.txt", "r1", "bikes/none"}) == known


def test_a_file_of_several_indexes_is_found_once_and_told(indexes: Indexes) -> None:
    joint = JointIndex([indexes.of("bikes"), indexes.of(), indexes.of("bikes/old")])
    assert sorted(map(said, joint.scan())) == sorted(map(said, indexes.of().scan()))
    vector = FakeEncoder().encode_queries(["wet brake"])[0]
    found = [said(joint.read([passage])[passage]) for passage, _ in joint.search_dense(vector, 100)]
    assert len(found) == len(set(found)) == indexes.of().counts().passages
    assert joint.shared_files() == 4


def test_records_keep_their_ids_unless_two_files_have_the_same(indexes: Indexes, docs: Path) -> None:
    (docs / "one.jsonl").write_text('{"_id": "a", "text": "Wet."}\n{"_id": "b", "text": "Dry."}\n', encoding="utf-8")
    (docs / "two.jsonl").write_text('{"_id": "b", "text": "Cold."}\n{"_id": "c", "text": "Hot."}\n', encoding="utf-8")
    joint = JointIndex([indexes.of("one.jsonl"), indexes.of("two.jsonl")])
    known = {"a", "one.jsonl#b", "two.jsonl#b", "c"}
    assert {stored.document_id for stored in joint.scan()} == known
    assert joint.has_documents({*known, "b", "one.jsonl#a"}) == known


def test_indexes_of_two_encoders_are_not_searched_together(indexes: Indexes) -> None:
    with pytest.raises(IndexMismatch, match="vectors of two encoders cannot be compared"):
        JointIndex([indexes.of("bikes"), indexes.of("garden", encoder=FakeEncoder(fingerprint="other"))])


def test_a_library_of_several_indexes_searches_and_changes_nothing(docs: Path, plant: Plant, tmp_path: Path) -> None:
    plant(FILES)
    places = [tmp_path / "bikes", tmp_path / "garden"]
    for place in places:
        with open_library(docs / place.name, index=place, encoder=FakeEncoder(), passage_tokens=32) as one:
            one.update()
    with open_library(index=places, encoder=FakeEncoder(), reranker=FakeReranker()) as library:
        assert library.search("slugs").hits[0].path == "garden/slugs.txt"
        assert library.stale_files(library.search("slugs").hits) == {}
        (docs / "garden/slugs.txt").unlink()
        assert library.stale_files(library.search("slugs").hits)["garden/slugs.txt"] == "gone"
        for forbidden in (library.update, library.status, library.find_files):
            with pytest.raises(UsageError, match="several indexes are only searched"):
                forbidden()
