from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rerank_cli.errors import ModelError, UsageError
from rerank_cli.indexing import IndexSettings, update_index
from rerank_cli.ports import Filter
from rerank_cli.records import Candidate, Retriever, Rules
from rerank_cli.retrieval import CROWDING, dense_list, fused_scores, lexical_list, query_words, retrieve
from rerank_cli.store import open_reader, open_writer
from tests.conftest import Plant, Update
from tests.fakes import FakeEncoder

RETRIEVERS: tuple[Retriever, ...] = ("hybrid", "dense", "lexical")

WORDS = "brake chain pedal saddle tyre wheel spoke pump".split()


@pytest.fixture
def many(plant: Plant, update: Update) -> None:
    """Documents of few words, so that many score the same."""
    plant({f"{n:03}.md": f"{WORDS[n % 8]} {WORDS[n % 7]} {WORDS[n % 3]}\n" for n in range(120)})
    update()


@pytest.fixture
def search(index_folder: Path, encoder: FakeEncoder):
    def search(
        query: str, retriever: Retriever = "hybrid", top_k: int = 100, **options: object
    ) -> tuple[Candidate, ...]:
        with open_reader(index_folder) as index:
            return retrieve(index, query, encoder=encoder, retriever=retriever, top_k=top_k, **options)

    return search


def paths(candidates: tuple[Candidate, ...]) -> list[str]:
    return [candidate.stored.path for candidate in candidates]


@pytest.mark.parametrize("retriever", RETRIEVERS)
def test_a_smaller_top_k_gives_the_head_of_a_larger_one(many: None, search, retriever: Retriever) -> None:
    whole = search("brake chain wheel", retriever, 1000)
    assert len(whole) > 60
    for top_k in (1, 2, 7, 50, len(whole)):
        assert search("brake chain wheel", retriever, top_k) == whole[:top_k]


@pytest.mark.parametrize("retriever", RETRIEVERS)
def test_what_is_left_out_takes_no_place_in_a_list_and_no_share_of_the_best_score(
    many: None, search, index_folder: Path, retriever: Retriever
) -> None:
    whole = search("brake chain pedal", retriever, 40, list_depth=40)
    left_out = [candidate.stored.id for candidate in whole[:30]]
    others = search("brake chain pedal", retriever, 20, list_depth=20, without=left_out)
    assert len(others) == 20 and not {each.stored.id for each in others} & {*left_out}
    assert {listed.rank for each in others for listed in each.lists.values()} == {*range(1, 21)}
    best = max((each.lists["lexical"].score for each in others if "lexical" in each.lists), default=0)
    if retriever == "lexical":
        assert others[0].score == pytest.approx(6 * best / max(1, best))


@pytest.mark.parametrize("retriever", RETRIEVERS)
def test_candidates_of_one_passage_a_document_are_numbered_in_the_order_of_their_scores(
    many: None, search, retriever: Retriever
) -> None:
    candidates = search("brake chain", retriever)
    assert [candidate.rank for candidate in candidates] == list(range(1, len(candidates) + 1))
    scores = [candidate.score for candidate in candidates]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("retriever", RETRIEVERS)
def test_ties_stand_in_the_order_of_documents_whatever_was_indexed_first(
    plant: Plant, update: Update, search, retriever: Retriever
) -> None:
    for name in ("m", "z", "a", "q"):
        plant({f"{name}.md": "the same words about brakes\n"})
        update()
    for top_k in (1, 2, 3, 4):
        assert paths(search("brakes", retriever, top_k)) == ["a.md", "m.md", "q.md", "z.md"][:top_k]


@pytest.mark.parametrize("retriever", RETRIEVERS)
def test_a_path_filter_acts_before_the_cut(many: None, search, retriever: Retriever) -> None:
    whole = search("brake chain", retriever, 1000)
    last = whole[-1].stored.path
    filtered = search("brake chain", retriever, 1, within=Filter((f"/{last}",)))
    assert paths(filtered) == [last]


@pytest.mark.parametrize("retriever", RETRIEVERS)
def test_a_path_filter_changes_no_order(many: None, search, retriever: Retriever) -> None:
    whole = paths(search("brake chain", retriever, 1000))
    even = paths(search("brake chain", retriever, 1000, within=Filter(("*[02468].md",))))
    if retriever == "hybrid":  # BM25 is relative to the best within the filter
        assert sorted(even) == sorted(path for path in whole if int(path[:3]) % 2 == 0)
    else:
        assert even == [path for path in whole if int(path[:3]) % 2 == 0]


@pytest.mark.parametrize("retriever", RETRIEVERS)
def test_a_filter_that_takes_nothing_brings_nothing(many: None, search, retriever: Retriever) -> None:
    assert search("brake", retriever, within=Filter(("none.md",))) == ()


@pytest.mark.parametrize("retriever", RETRIEVERS)
def test_a_removed_document_is_never_a_candidate(
    plant: Plant, update: Update, docs: Path, search, retriever: Retriever
) -> None:
    plant({"a.md": "brakes squeal\n", "b.md": "brakes fade\n", "copy of a.md": "brakes squeal\n"})
    update()
    (docs / "a.md").unlink()
    update()
    assert "a.md" not in paths(search("brakes squeal", retriever))
    assert "copy of a.md" in paths(search("brakes squeal", retriever))


def test_both_lists_fuse_by_their_scores_by_hand() -> None:
    dense, lexical = [(1, 0.75), (2, 0.5), (3, 0.25)], [(2, 8.0), (4, 2.0)]
    openings = {1: 0.5, 2: 0.25, 3: 0.0, 4: -0.25}
    assert fused_scores([dense_list(dense), lexical_list(lexical, 1000)], openings) == {
        1: 20 * 0.75 + 3 * 0.5,
        2: 20 * 0.5 + 3 * 0.25 + 6,
        3: 20 * 0.25,
        4: 20 * 0.25 - 3 * 0.25 + 6 * 2 / 8,
    }


def test_a_passage_that_a_full_list_lacks_has_the_score_of_its_end() -> None:
    dense, lexical = [(1, 0.75), (2, 0.5)], [(2, 8.0), (3, 6.0)]
    assert fused_scores([dense_list(dense), lexical_list(lexical, 2)], {}) == {
        1: 15.0 + 4.5,
        2: 10.0 + 6.0,
        3: 10.0 + 4.5,
    }


def test_words_that_stand_in_every_passage_tell_nothing() -> None:
    """FTS5 gives them a BM25 of about 0.000001, which must not become a whole share of the best."""
    assert fused_scores([lexical_list([(1, 2e-6), (2, 1e-6)], 1000)], {}) == pytest.approx({1: 0.0, 2: 0.0}, abs=1e-4)


def test_candidates_carry_the_fused_score_of_their_places(plant: Plant, update: Update, search) -> None:
    plant({"a.md": "brake lever\n", "b.md": "brake\n", "c.md": "lever of something else entirely\n"})
    update()
    candidates = {candidate.stored.path: candidate for candidate in search("brake lever")}
    best = max(1.0, *(candidate.lists["lexical"].score for candidate in candidates.values()))
    for candidate in candidates.values():
        assert candidate.opening_score == pytest.approx(candidate.lists["dense"].score)
        expected = (
            20 * candidate.lists["dense"].score
            + 3 * candidate.opening_score
            + 6 * candidate.lists["lexical"].score / best
        )
        assert candidate.score == pytest.approx(expected)
    assert candidates["a.md"].lists["dense"].score == pytest.approx(1.0)


def test_of_two_equal_passages_the_one_in_a_document_on_the_matter_stands_first(
    plant: Plant, update: Update, search
) -> None:
    tail = f"# Setting it\n\nTurn the screw by a quarter. {'And so on. ' * 12}\n"
    plant({"a.md": f"{'Garden flowers. ' * 12}\n\n{tail}", "z.md": f"{'Brake levers. ' * 12}\n\n{tail}"})
    update()
    found = [each for each in search("brake screw") if "screw" in each.stored.passage.text]
    assert [each.stored.path for each in found] == ["z.md", "a.md"]
    assert found[0].lists["dense"].score == found[1].lists["dense"].score
    assert found[0].opening_score > found[1].opening_score


def test_a_word_in_a_heading_counts_more_than_one_in_the_text(plant: Plant, update: Update, search) -> None:
    plant({"text.md": "# Pump\n\nbrake\n", "title.md": "# Brake\n\npump\n"})
    update()
    assert paths(search("brake", "lexical")) == ["title.md", "text.md"]


def test_one_document_does_not_crowd_out_the_others(plant: Plant, update: Update, search) -> None:
    """Each passage of the long document is better than the only one of the short document."""
    parts = "\n\n".join(f"# part {n}\n\nbrake chain {n}" for n in range(40))
    plant({"long.md": parts, "short.md": "brake pump wheel\n"})
    update()
    found = search("brake chain", top_k=1000)
    assert len(found) > 15
    assert min(found, key=lambda candidate: candidate.score).stored.path == "short.md"
    assert paths(found).index("short.md") < len(found) - 1


def test_each_better_passage_of_its_document_lowers_a_claim(plant: Plant, update: Update, search) -> None:
    plant({f"{name}.md": "\n\n".join(f"# {name}{n}\n\nbrake {'chain ' * n}" for n in range(6)) for name in "ab"})
    update()
    found = search("brake chain", top_k=1000)
    seen: dict[str, int] = {}
    for candidate in sorted(found, key=lambda candidate: -candidate.score):
        seen[candidate.stored.id] = sum(
            other.stored.path == candidate.stored.path and other.score > candidate.score for other in found
        )
    claims = [candidate.score - CROWDING * seen[candidate.stored.id] for candidate in found]
    assert claims == sorted(claims, reverse=True)


def test_fewer_candidates_are_the_first_of_more_though_one_document_has_the_best(
    plant: Plant, update: Update, search
) -> None:
    """Its thirty passages stand above all others by their score, and most of them below these by their claim."""
    long = "\n\n".join(f"# part {n}\n\nbrake chain {n}" for n in range(30))
    others = {f"{n}.md": f"brake wheel{n}\n" for n in range(9)} | {f"g{n}.md": f"garden {n}\n" for n in range(90)}
    plant({"long.md": long} | others)
    update()
    whole = [candidate.stored for candidate in search("brake chain", "lexical", top_k=1000)]
    assert "0.md" in [stored.path for stored in whole[:20]]
    for top_k in range(1, len(whole)):
        assert [candidate.stored for candidate in search("brake chain", "lexical", top_k=top_k)] == whole[:top_k]


def test_a_candidate_of_one_list_alone_lacks_the_other(plant: Plant, update: Update, search) -> None:
    plant({"a.md": "brake\n", "b.md": "garden\n"})
    update()
    (first, second) = search("brake")
    assert (first.stored.path, first.lists["lexical"].rank) == ("a.md", 1)
    assert "lexical" not in second.lists
    assert second.score == 20 * second.lists["dense"].score + 3 * second.opening_score


def test_words_alone_need_no_encoder(plant: Plant, update: Update, index_folder: Path) -> None:
    plant({"a.md": "brake\n"})
    update()
    with open_reader(index_folder) as index:
        assert len(retrieve(index, "brake", encoder=None, retriever="lexical", top_k=5)) == 1


@pytest.mark.parametrize("top_k", [0, -1, 1001])
def test_a_top_k_out_of_range_is_refused(many: None, search, top_k: int) -> None:
    with pytest.raises(UsageError, match="top_k"):
        search("brake", "dense", top_k)


@pytest.mark.parametrize(
    "query",
    [
        'say "brake"',
        "brake AND OR NOT chain",
        "NEAR(brake chain, 2)",
        "brake*",
        "^brake",
        "headings:brake",
        "-brake +chain",
        "brake's {chain} (pedal",
        "the of and",
        "?!… --- ***",
        "_",
        "_ __ ___",
        '"',
        "\x00brake",
        "brake\ud800",
        " ".join(f"word{n}" for n in range(2000)),
        "x" * 20_000,
        "車" * 7000,
        ".".join(f"w{n}" for n in range(5000)),
        "кирпич 車輪 zwölf",
    ],
)
def test_no_query_is_an_error_of_the_lexical_index(many: None, search, query: str) -> None:
    search(query, "lexical")


@pytest.mark.parametrize("query", ["brake AND", "brake*", 'NOT "brake"', "headings:brake"])
def test_operators_are_words_like_any_other(many: None, search, query: str) -> None:
    assert paths(search(query, "lexical")) == paths(search("brake", "lexical"))


def test_a_word_is_found_among_2000_others(many: None, search) -> None:
    others = " ".join(f"word{n}" for n in range(1000))
    assert paths(search(f"{others} brake {others}", "lexical")) == paths(search("brake", "lexical"))


def test_only_punctuation_finds_nothing_by_words(many: None, search) -> None:
    assert search("?! ...", "lexical") == ()


def test_stop_words_are_looked_for_where_there_is_nothing_else(plant: Plant, update: Update, search) -> None:
    plant({"hamlet.md": "to be or not to be\n", "other.md": "brake\n"})
    update()
    assert paths(search("To be, or not to be?", "lexical")) == ["hamlet.md"]
    assert query_words("To be, or not to be?") == ["to", "be", "or", "not"]
    assert query_words("How do I oil the chain") == ["oil", "chain"]


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("Straße", "straße"),
        ("Straße", "STRAẞE"),
        ("café", "cafe"),
        ("café", "cafe\u0301"),
        ("e\u0301te\u0301", "été"),
        ("été", "e\u0301te\u0301"),
        ("ΟΔΟΣ", "οδος"),
        ("brakes", "braking"),
    ],
)
def test_a_word_is_found_however_it_is_written(plant: Plant, update: Update, search, text: str, query: str) -> None:
    plant({"a.md": f"{text}\n", "b.md": "something else\n"})
    update()
    assert paths(search(query, "lexical")) == ["a.md"]


def test_headings_count_as_words_of_the_passage(plant: Plant, update: Update, search) -> None:
    plant({"a.md": "# Brakes\n\nOil nothing here.\n", "b.md": "something else\n"})
    update()
    assert paths(search("brakes", "lexical")) == ["a.md"]


def test_an_emptied_index_has_no_candidates(docs: Path, plant: Plant, update: Update, search) -> None:
    plant({"a.md": "brake\n"})
    update()
    (docs / "a.md").unlink()
    update(allow_shrink=True)
    assert [search("brake", retriever) for retriever in RETRIEVERS] == [(), (), ()]


def test_an_index_of_files_without_a_word_has_no_candidates(tmp_path: Path, encoder: FakeEncoder) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "empty.md").touch()
    settings = IndexSettings(encoder="fake", passage_tokens=40, rules=Rules())
    with open_writer(tmp_path / "i", wait_s=0) as writer:
        update_index(tmp_path / "docs", writer=writer, encoder=encoder, settings=settings, allow_shrink=True)
    with open_reader(tmp_path / "i") as index:
        assert retrieve(index, "brake", encoder=encoder, retriever="hybrid", top_k=5) == ()


@pytest.mark.parametrize("answer", [np.full((1, 64), np.nan), np.ones((1, 63)), np.ones((2, 64))])
def test_an_encoder_that_gives_no_vector_for_a_query_is_an_error_that_names_it(
    many: None, index_folder: Path, encoder: FakeEncoder, monkeypatch: pytest.MonkeyPatch, answer: np.ndarray
) -> None:
    monkeypatch.setattr(encoder, "encode_queries", lambda texts: answer.astype(np.float32))
    told = "fake-encoder: the encoder gave no vector"
    with open_reader(index_folder) as index, pytest.raises(ModelError, match=told):
        retrieve(index, "brake", encoder=encoder, retriever="dense", top_k=5)
