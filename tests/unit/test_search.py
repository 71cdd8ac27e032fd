from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rerank_cli.config import Settings
from rerank_cli.errors import IndexMismatch, ModelError, UsageError
from rerank_cli.ports import PairScores
from rerank_cli.search import MAX_QUERY_LETTERS, MAX_QUERY_WORDS, Searcher, SearchSettings, check_query, search_settings
from rerank_cli.store import open_reader
from tests.conftest import Plant, Update
from tests.fakes import FakeEncoder, FakeReranker

SETTINGS = SearchSettings(retriever="hybrid", top_k=100, fusion="none", fusion_weight=0.5, reranks=True, per_document=1)

FILES = {
    "brakes.md": "# Brakes\n\nThe brake squeals when it is wet.\n\n# Pads\n\nNew pads quieten a brake that squeals.\n",
    "chain.md": "# Chain\n\nOil the chain, then wipe it.\n",
    "tyres.md": "# Tyres\n\nA tyre that is soft wears out.\n",
}


@pytest.fixture
def indexed(plant: Plant, update: Update) -> None:
    plant(FILES)
    update(passage_tokens=16)


def test_every_candidate_is_reranked_whole_with_its_headings(
    indexed: None, index_folder: Path, encoder: FakeEncoder, reranker: FakeReranker
) -> None:
    with open_reader(index_folder) as index:
        result = Searcher(index, encoder=encoder, reranker=reranker, settings=SETTINGS).search("chain oil")
    assert reranker.pairs == [("chain oil", candidate.stored.passage.model_text) for candidate in result.candidates]
    assert "Chain. Oil the chain, then wipe it." in [passage for _, passage in reranker.pairs]
    assert result.hits[0].candidate.stored.path == "chain.md"


def test_hits_are_candidates_and_one_of_each_document(
    indexed: None, index_folder: Path, encoder: FakeEncoder, reranker: FakeReranker
) -> None:
    with open_reader(index_folder) as index:
        result = Searcher(index, encoder=encoder, reranker=reranker, settings=SETTINGS).search("brake squeals")
    assert {hit.candidate for hit in result.hits} <= set(result.candidates)
    documents = [hit.candidate.stored.document_id for hit in result.hits]
    assert documents[0] == "brakes.md"
    assert sorted(documents) == sorted(FILES)


def test_the_reranker_is_not_asked_where_nothing_was_found(
    indexed: None, index_folder: Path, reranker: FakeReranker
) -> None:
    settings = replace(SETTINGS, retriever="lexical")
    with open_reader(index_folder) as index:
        result = Searcher(index, encoder=None, reranker=reranker, settings=settings).search("zeppelin")
    assert (result.candidates, result.hits, reranker.pairs) == ((), (), [])


def test_the_second_stage_can_be_left_out(indexed: None, index_folder: Path, encoder: FakeEncoder) -> None:
    settings = replace(SETTINGS, reranks=False, per_document=9)
    with open_reader(index_folder) as index:
        result = Searcher(index, encoder=encoder, reranker=None, settings=settings).search("brake")
    assert tuple(hit.candidate for hit in result.hits) == result.candidates
    assert all(hit.logit is None for hit in result.hits)


def test_encoder_reranker_and_reader_have_one_text_of_a_passage(
    plant: Plant, update: Update, index_folder: Path, encoder: FakeEncoder, reranker: FakeReranker
) -> None:
    plant({"crank.md": "# Bottom  bracket\xa0and   crank\n\nGrease it.\n\n## Tools \u2003 for it\n\nA spanner.\n"})
    update(passage_tokens=16)
    with open_reader(index_folder) as index:
        result = Searcher(index, encoder=encoder, reranker=reranker, settings=SETTINGS).search("crank")
    read = {candidate.stored.passage.model_text for candidate in result.candidates}
    assert set(encoder.encoded) == {passage for _, passage in reranker.pairs} == read


class PiecemealReranker(FakeReranker):
    """Stands for one that asks each query in three pieces."""

    def score_pairs(self, query: str, passages: Sequence[str]) -> PairScores:
        return super().score_pairs(query, passages)._replace(pieces=3)


def test_a_result_tells_in_how_many_pieces_its_query_was_asked(
    indexed: None, index_folder: Path, encoder: FakeEncoder, reranker: FakeReranker
) -> None:
    with open_reader(index_folder) as index:
        for second_stage, pieces in ((PiecemealReranker(), 3), (reranker, 1)):
            searcher = Searcher(index, encoder=encoder, reranker=second_stage, settings=SETTINGS)
            assert searcher.search("brake").pieces == pieces


class LostReranker(FakeReranker):
    def score_pairs(self, query: str, passages: Sequence[str]) -> PairScores:
        return super().score_pairs(query, passages)._replace(logits=np.full(len(passages), np.nan, dtype=np.float32))


def test_a_callers_reranker_that_gives_no_numbers_is_an_error_and_no_order(
    indexed: None, index_folder: Path, encoder: FakeEncoder
) -> None:
    with open_reader(index_folder) as index:
        searcher = Searcher(index, encoder=encoder, reranker=LostReranker(), settings=SETTINGS)
        with pytest.raises(ModelError, match="not finite"):
            searcher.search("brake")


class ForgetfulReranker(FakeReranker):
    def score_pairs(self, query: str, passages: Sequence[str]) -> PairScores:
        return super().score_pairs(query, passages[:-1])


@pytest.mark.parametrize("enough_for", [None, 1])
def test_a_callers_reranker_that_leaves_a_passage_out_is_an_error_and_no_order(
    indexed: None, index_folder: Path, encoder: FakeEncoder, enough_for: int | None
) -> None:
    with open_reader(index_folder) as index:
        settings = replace(SETTINGS, enough_for=enough_for)
        searcher = Searcher(index, encoder=encoder, reranker=ForgetfulReranker(), settings=settings)
        with pytest.raises(ModelError, match="scores"):
            searcher.search("brake")


def test_a_limit_for_scores_has_every_candidate_read() -> None:
    asked = Settings(top_k="auto", top_n=5)
    assert search_settings(asked).enough_for == 5
    assert search_settings(replace(asked, min_score=0.2)).enough_for is None


def test_another_encoder_than_the_indexs_is_refused(indexed: None, index_folder: Path) -> None:
    with open_reader(index_folder) as index, pytest.raises(IndexMismatch, match="made with the encoder") as caught:
        Searcher(index, encoder=FakeEncoder(fingerprint="another"), reranker=None, settings=SETTINGS)
    assert "--rebuild" in caught.value.remedy


def test_the_same_query_gets_the_same_answer(
    indexed: None, index_folder: Path, encoder: FakeEncoder, reranker: FakeReranker
) -> None:
    with open_reader(index_folder) as index:
        searcher = Searcher(index, encoder=encoder, reranker=reranker, settings=SETTINGS)
        first, second = searcher.search("brake pads"), searcher.search("  brake \n pads ")
    assert (first.query, first.candidates, first.hits) == (second.query, second.candidates, second.hits)


@pytest.mark.parametrize("query", ["", " \t\n"])
def test_an_empty_query_is_refused(query: str) -> None:
    with pytest.raises(UsageError, match="empty"):
        check_query(query)


def test_a_pasted_document_is_no_query() -> None:
    assert check_query("word " * MAX_QUERY_WORDS) == " ".join(["word"] * MAX_QUERY_WORDS)
    with pytest.raises(UsageError, match="2001 words, at most 2000"):
        check_query("word " * (MAX_QUERY_WORDS + 1))


def test_a_pasted_file_without_blanks_is_no_query_and_a_word_of_20000_letters_is_one() -> None:
    assert check_query("x" * 20_000) == "x" * 20_000
    with pytest.raises(UsageError, match="100001 letters, at most 100000"):
        check_query("x" * (MAX_QUERY_LETTERS + 1))


def test_a_query_with_bytes_that_are_no_text_is_searched_all_the_same(
    indexed: None, index_folder: Path, encoder: FakeEncoder, reranker: FakeReranker
) -> None:
    with open_reader(index_folder) as index:
        result = Searcher(index, encoder=encoder, reranker=reranker, settings=SETTINGS).search("oil \udcff chain")
    assert result.query == "oil ? chain"
    assert result.hits[0].candidate.stored.path == "chain.md"


class SlowReranker(FakeReranker):
    """Takes a second for each passage, by a clock of its own."""

    now_s = 0.0

    def score_pairs(self, query: str, passages: Sequence[str]) -> PairScores:
        self.now_s += len(passages)
        return super().score_pairs(query, passages)


@pytest.fixture
def many(plant: Plant, update: Update) -> None:
    plant({f"{number:02}.md": f"brake {'lever ' * (number % 7)} {number}\n" for number in range(40)})
    update()


@pytest.mark.parametrize(("budget_s", "expected"), [(0.001, 8), (8.0, 8), (20.0, 20), (40.0, 40), (1000.0, 40)])
def test_as_many_of_the_best_candidates_are_reranked_as_there_is_time_for(
    many: None, index_folder: Path, monkeypatch: pytest.MonkeyPatch, budget_s: float, expected: int
) -> None:
    reranker = SlowReranker()
    monkeypatch.setattr("rerank_cli.search.time.perf_counter", lambda: reranker.now_s)
    with open_reader(index_folder) as index:
        settings = replace(SETTINGS, budget_s=budget_s)
        result = Searcher(index, encoder=FakeEncoder(), reranker=reranker, settings=settings).search("brake lever")
    assert result.reranked == expected
    assert result.partial == (expected < 40)
    read = [candidate.stored.passage.model_text for candidate in result.candidates[:expected]]
    assert [passage for _, passage in reranker.pairs] == read
    ranks = [hit.candidate.rank for hit in result.hits]
    assert sorted(ranks) == [candidate.rank for candidate in result.candidates]
    assert {hit.candidate.rank for hit in result.hits[:expected]} == set(range(1, expected + 1))
    assert [hit.score is None for hit in result.hits] == [False] * expected + [True] * (40 - expected)
    unread = [hit.candidate.score for hit in result.hits[expected:]]
    assert unread == sorted(unread, reverse=True)
    assert [hit.order_score for hit in result.hits] == sorted((hit.order_score for hit in result.hits), reverse=True)


def test_with_time_enough_a_budget_changes_no_answer(many: None, index_folder: Path) -> None:
    with open_reader(index_folder) as index:
        whole, in_time = (
            Searcher(
                index, encoder=FakeEncoder(), reranker=FakeReranker(), settings=replace(SETTINGS, budget_s=budget_s)
            ).search("brake lever")
            for budget_s in (None, 1000.0)
        )
    assert replace(in_time, timings=whole.timings) == whole


def test_candidates_are_read_until_the_rest_can_hardly_enter_what_is_shown(
    plant: Plant, update: Update, index_folder: Path
) -> None:
    plant({f"{number:02}.md": f"brake {'filler ' * number}\n" for number in range(60)})
    update()
    with open_reader(index_folder) as index:
        whole, stopped = (
            Searcher(
                index,
                encoder=FakeEncoder(),
                reranker=FakeReranker(),
                settings=replace(SETTINGS, fusion="linear", retriever="lexical", enough_for=enough_for),
            ).search("brake")
            for enough_for in (None, 1)
        )
    assert whole.reranked == 60
    assert stopped.reranked < 60
    assert not stopped.partial
    assert stopped.hits[0] == whole.hits[0]
    assert [hit.score is None for hit in stopped.hits] == [False] * stopped.reranked + [True] * (60 - stopped.reranked)
