"""One suite over the port: every store finds the same, follows the same changes, and survives the same accidents."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from random import Random

import pytest

from rerank_cli.indexing import IndexSettings, IndexSummary, update_index
from rerank_cli.ports import EVERYTHING, FieldRule, Filter, Index
from rerank_cli.records import Rules, StoredPassage
from tests.conftest import Plant
from tests.fakes import FakeEncoder
from tests.integration.test_update_equals_rebuild import NAMES, WORDS, answers_of, change
from tests.stores.kinds import NewStore, OnDisk, Store

FILES = {
    "bikes/brakes.md": "# Stopping\n\nThe brake squeals when it is wet.\n\n# Pads\n\nNew pads quieten a brake.\n",
    "bikes/chain.md": "# Chain\n\nOil the chain, then wipe it. Oil costs little.\n",
    "bikes/parts.d/rim.md": "The rim is true.\n",
    "garden/slugs.txt": "Slugs eat the lettuce at night.\n",
    "garden/twin.txt": "Slugs eat the lettuce at night.\n",
    "garden/100%_[a].txt": 'A "quoted" lettuce \\ and\ttabs.\n',
    "garden/two\nlines.d/x_y.TXT": "It lies below.\n",
    "garden/line\nend.m_": "A line ends in a name.\n",
    "stage.md": "---\nstage_a: in_progress\n---\n\nOf a tyre.\n",
    "records.jsonl": '{"_id": "r1", "text": "Pump the tyre.", "tag": "air", "date": "2026-01-31"}\n'
    '{"_id": "r2", "text": "A tyre on wet grass.", "tag": "grass"}\n'
    '{"_id": "r3", "text": "", "title": "", "tag": "nothing"}\n',
    "log.md": "---\ntags: [air, oil]\n---\n\nWet brake, dry chain.\n",
}

SETTINGS = IndexSettings(encoder="fake", passage_tokens=40, rules=Rules())

FILTERS = (
    *(Filter(paths=(glob,)) for glob in ("garden/", "*.txt", "bikes/*.md", "/bikes", "b*s/**", "parts.d", "*.d/")),
    *(Filter(not_paths=(glob,)) for glob in ("garden/", "*.md", "*[[]a].txt", "/log.md")),
    *(Filter(paths=("*.md", "!log.md")), Filter(paths=("g*/",), not_paths=("twin.txt",))),
    *(Filter(extensions=("md",)), Filter(extensions=("jsonl", "txt")), Filter(extensions=("d",))),
    *(Filter(extensions=("x_", "m_")), Filter(paths=("x_y*",)), Filter(paths=("lines.d",))),
    *(Filter(since=1_700_000_000), Filter(until=1_700_000_000), Filter(since=1_600_000_002, until=1_600_000_004)),
    *(Filter(fields=(FieldRule("tag", value),)) for value in ("air", "AIR", "gr*", "?il", "*")),
    *(Filter(fields=(FieldRule("tag", value, differs=True),)) for value in ("air", "gr*", "nobody*")),
    *(Filter(fields=(FieldRule("stage_a", value),)) for value in ("in_progress", "in_*", "in?pro*", "in*ss", "i*")),
    *(Filter(fields=(FieldRule("tags", "air"), FieldRule("tags", "oil"))), Filter(fields=(FieldRule("author"),))),
    *(Filter(paths=("/shelf/garden/",), base="shelf/"), Filter(not_paths=("shelf/*/*.txt",), base="shelf/")),
)


def update(root: Path, store: Store, encoder: FakeEncoder | None = None, **flags: bool) -> IndexSummary:
    with store.writer() as writer:
        return update_index(
            root, writer=writer, encoder=encoder or FakeEncoder(), settings=SETTINGS, allow_shrink=True, **flags
        )


def passages_found(index: Index, query: str, *, within: Filter = EVERYTHING, depth: int = 50) -> list[object]:
    """By dense search: what was found, with its score."""
    ranking = index.search_dense(FakeEncoder().encode_queries([query])[0], depth, within=within)
    stored = index.read([passage for passage, _ in ranking])
    return [(told(stored[passage]), pytest.approx(score, abs=1e-4)) for passage, score in ranking]


def words_found(index: Index, words: Collection[str], *, within: Filter = EVERYTHING) -> set[object]:
    """By lexical search: which passages have any of the words."""
    ranking = index.search_lexical(list(words), 50, within=within)
    assert [score for _, score in ranking] == sorted((score for _, score in ranking), reverse=True)
    return {told(stored) for stored in index.read([passage for passage, _ in ranking]).values()}


def told(stored: StoredPassage) -> tuple[object, ...]:
    return (stored.document_id, stored.path, stored.title, stored.passage)


@pytest.fixture
def wanted(docs: Path, plant: Plant, tmp_path: Path) -> Iterator[Index]:
    """What the local store has of the same documents."""
    plant(FILES)
    local = OnDisk(tmp_path / "wanted")
    update(docs, local)
    with local.reader() as index:
        yield index


def test_it_finds_what_the_local_store_does_within_any_filter(wanted: Index, docs: Path, new_store: NewStore) -> None:
    store = new_store()
    update(docs, store)
    with store.reader() as index:
        for within in (EVERYTHING, *FILTERS):
            query = "wet tyre oil slugs"
            assert passages_found(index, query, within=within) == passages_found(wanted, query, within=within), within
            words = query.split()
            assert words_found(index, words, within=within) == words_found(wanted, words, within=within), within
        assert index.manifest.recipe == wanted.manifest.recipe


def test_words_are_stemmed_and_counted_in_headings_as_by_the_local_store(
    docs: Path, plant: Plant, in_milvus: NewStore
) -> None:
    plant(
        {"a.md": "The brakes squealed; naïve snake_case in parseHeader.\n", "b.md": "# Brake\n\nA page of its own.\n"}
    )
    store = in_milvus()
    update(docs, store)
    with store.reader() as index:
        for word in ("braking", "squeal", "naive", "snake", "parse"):
            assert words_found(index, [word]), word
        best, _ = index.search_lexical(["brake"], 2)
        assert index.origins([best[0]])[best[0]].path == "b.md"


def test_bm25_is_the_local_stores_but_for_how_finely_a_weight_is_told(
    docs: Path, plant: Plant, in_milvus: NewStore, tmp_path: Path
) -> None:
    names = {
        f"{number}.md": f"# Page of {WORDS[number % 8]}\n\n{' '.join(WORDS[: number % 5 + 1])} and more.\n"
        for number in range(40)
    }
    plant({**names, "rare.md": "# A lever\n\nA lever and a page of a brake.\n"})
    local, store = OnDisk(tmp_path / "local"), in_milvus()
    update(docs, local)
    update(docs, store)
    with local.reader() as wanted, store.reader() as index:
        for query in (["lever", "brake"], ["page", "wheel", "stone"], ["river"]):
            scores = []
            for each in (wanted, index):
                ranking = each.search_lexical(query, 50)
                origins = each.origins([passage for passage, _ in ranking])
                scores.append({origins[passage]: score for passage, score in ranking})
            assert scores[1] == pytest.approx(scores[0], abs=0.01), query


def test_it_says_of_files_and_documents_what_the_local_store_does(
    wanted: Index, docs: Path, new_store: NewStore
) -> None:
    store = new_store()
    update(docs, store)
    names = ["bikes/brakes.md", "records.jsonl#r1", "records.jsonl#r3", "nobody"]
    with store.reader() as index:
        assert index.files() == wanted.files()
        assert index.file_states(["log.md", "nobody"]) == wanted.file_states(["log.md", "nobody"])
        assert index.field_counts() == wanted.field_counts()
        assert index.has_fields(["tag", "date", "nobody"]) == wanted.has_fields(["tag", "date", "nobody"])
        assert index.has_documents(names) == wanted.has_documents(names)
        for within in FILTERS:
            assert index.has_documents(names, within=within) == wanted.has_documents(names, within=within), within
        for field in ("files", "failed_files", "documents", "passages"):
            assert getattr(index.counts(), field) == getattr(wanted.counts(), field)
        assert list(map(told, index.scan())) == list(map(told, wanted.scan()))
        brakes = list(map(told, index.read_file("bikes/brakes.md", first=5)))
        assert brakes == list(map(told, wanted.read_file("bikes/brakes.md", first=5))) and len(brakes) == 1


def test_equal_scores_stand_in_the_order_of_their_origins(docs: Path, plant: Plant, new_store: NewStore) -> None:
    """Also where a list ends among them."""
    names = [f"{letter}.txt" for letter in "hbfdaceg"]
    plant(dict.fromkeys(names, "the same brake\n"))
    store = new_store()
    update(docs, store)
    with store.reader() as index:
        for depth in (3, 8):
            for ranking in (
                index.search_dense(FakeEncoder().encode_queries(["brake"])[0], depth),
                index.search_lexical(["brake"], depth),
            ):
                origins = index.origins([passage for passage, _ in ranking])
                assert [origins[passage].path for passage, _ in ranking] == sorted(names)[:depth]


def test_the_cosine_of_an_opening_is_that_of_its_documents_first_passage(
    wanted: Index, docs: Path, new_store: NewStore
) -> None:
    store = new_store()
    update(docs, store)
    vector = FakeEncoder().encode_queries(["pads of a brake"])[0]

    def openings(index: Index) -> dict[object, object]:
        passages = [passage for passage, _ in index.search_dense(vector, 50)]
        stored, cosines = index.read(passages), index.opening_cosines(vector, passages)
        return {told(stored[each]): pytest.approx(cosines[each], abs=1e-5) for each in passages}

    with store.reader() as index:
        assert openings(index) == openings(wanted)
        assert index.opening_cosines(vector, []) == {}


def steps(random: Random) -> list[tuple[str, int, object]]:
    """Changes of a folder as the properties of `test_update_equals_rebuild` draw them."""
    kinds = ("write", "write", "rewrite in the same size and time", "move", "copy", "remove", "touch to an older time")

    def what(kind: str) -> object:
        if kind == "write":
            return [" ".join(random.choices(WORDS, k=random.randint(1, 3))) for _ in range(random.randint(1, 4))]
        return random.sample(WORDS, len(WORDS)) if kind.startswith("rewrite") else random.randrange(len(NAMES))

    chosen = random.choices(kinds, k=random.randint(2, 6))
    return [(kind, random.randrange(len(NAMES)), what(kind)) for kind in chosen]


def test_an_updated_index_answers_as_a_rebuilt_one(docs: Path, new_store: NewStore) -> None:
    """As in the property over the local store, to the last digit, over one series of changes."""
    random, updated = Random(16), new_store()
    for number in range(6):
        (docs / "always.md").write_text(f"brake chain {number}\n")
        for step in steps(random):
            change(docs, step)
        summary, fresh = update(docs, updated), new_store()
        anew = update(docs, fresh)
        with updated.reader() as index, fresh.reader() as rebuilt:
            assert answers_of(index) == answers_of(rebuilt), number
        assert (summary.documents, summary.passages) == (anew.documents, anew.passages)
        assert update(docs, updated, FakeEncoder(fails_after=0)).up_to_date


def test_what_did_not_change_is_not_encoded_again(docs: Path, plant: Plant, new_store: NewStore) -> None:
    plant(FILES)
    store = new_store()
    update(docs, store)
    (docs / "garden/slugs.txt").rename(docs / "garden/snails.txt")
    plant({"bikes/chain.md": "# Chain\n\nOil the chain, then wipe it. Oil costs little.\n\nAnd wax it.\n"})
    encoder = FakeEncoder()
    summary = update(docs, store, encoder)
    assert (summary.added, summary.changed, summary.removed) == (1, 1, 1)
    assert len(encoder.encoded) == 1
    assert update(docs, store, FakeEncoder(fails_after=0)).up_to_date


def test_a_run_that_fails_leaves_the_old_generation_and_its_vectors(
    docs: Path, plant: Plant, new_store: NewStore
) -> None:
    plant(FILES)
    store = new_store()
    first = update(docs, store)
    plant({"new.txt": "a spoke\n", "log.md": "a hub\n"})
    with store.writer() as writer, pytest.raises(OSError, match="killed"):
        commit = writer.commit

        def fail(*_: object, **__: object) -> None:
            raise OSError("killed")

        writer.commit = fail
        update_index(docs, writer=writer, encoder=FakeEncoder(), settings=SETTINGS)
    del commit
    with store.reader() as index:
        assert index.manifest.generation == first.generation
        assert "new.txt" not in index.files()
    encoder = FakeEncoder(fails_after=0)
    assert update(docs, store, encoder).reused == 2


def test_a_prune_drops_vectors_of_texts_that_are_gone(docs: Path, plant: Plant, new_store: NewStore) -> None:
    plant({"a.txt": "brake\n", "b.txt": "chain\n"})
    store = new_store()
    update(docs, store)
    plant({"a.txt": "pedal\n"})
    update(docs, store, prune=True)
    plant({"a.txt": "brake\n"})
    encoder = FakeEncoder()
    update(docs, store, encoder)
    assert encoder.encoded == ["brake"]


def test_what_is_remembered_beside_a_generation_comes_back(docs: Path, plant: Plant, new_store: NewStore) -> None:
    plant({"a.txt": "brake\n"})
    store = new_store()
    update(docs, store)
    with store.writer() as writer:
        writer.keep_mounts(["a", "b/c"])
        writer.keep_told({"x.pdf": "is broken", "y.pdf": "too"})
    with store.writer() as writer:
        assert (writer.mounts(), writer.told()) == (("a", "b/c"), {"x.pdf": "is broken", "y.pdf": "too"})
        writer.keep_mounts(["b/c"])
        writer.keep_told({"y.pdf": "now else"})
        assert (writer.mounts(), writer.told()) == (("b/c",), {"y.pdf": "now else"})
