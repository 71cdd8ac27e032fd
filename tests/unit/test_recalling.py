from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rerank_cli.errors import ModelError
from rerank_cli.ports import PairScores
from rerank_cli.serve.recalling import LastScores, RecallingReranker
from tests.fakes import FakeReranker

TEXTS = ["gas", "the gas valve", "a boat", "gas \ud800", "", "gas"]


def test_a_pair_is_read_once_whoever_asks() -> None:
    reranker, scores = FakeReranker(), LastScores()
    first, second = RecallingReranker(reranker, scores), RecallingReranker(reranker, scores)
    assert first.score_pairs("gas valve", ["gas", "boat"]).recalled == 0
    found = second.score_pairs("gas valve", ["valve", "boat", "gas"])
    assert found.recalled == 2
    assert reranker.pairs[2:] == [("gas valve", "valve")]
    assert found.logits.tolist() == FakeReranker().score_pairs("gas valve", ["valve", "boat", "gas"]).logits.tolist()
    assert second.score_pairs("gas", ["boat"]).recalled == 0  # another query
    assert second.score_pairs("gas", []).logits.shape == (0,)


def test_the_border_between_query_and_passage_counts() -> None:
    recalling = RecallingReranker(FakeReranker(), LastScores())
    recalling.score_pairs("gas", ["valve boat"])
    assert recalling.score_pairs("gas valve", ["boat"]).recalled == 0


@given(
    asked=st.lists(st.tuples(st.sampled_from(["gas", "gas valve", "boat"]), st.lists(st.sampled_from(TEXTS)))),
    places=st.integers(1, 8),
)
def test_scores_are_the_reranker_s_however_few_are_remembered(asked: list[tuple[str, list[str]]], places: int) -> None:
    recalling = RecallingReranker(FakeReranker(), LastScores(places))
    for query, texts in asked:
        expected = FakeReranker().score_pairs(query, texts).logits
        assert recalling.score_pairs(query, texts).logits.tolist() == expected.tolist()


class Telling(FakeReranker):
    """Says of its scores what it is told to."""

    def __init__(self, *, truncated: int = 0, pieces: int = 1, lost: int = 0) -> None:
        super().__init__()
        self._truncated, self._pieces, self._lost = truncated, pieces, lost

    def score_pairs(self, query: str, passages: Sequence[str]) -> PairScores:
        logits = super().score_pairs(query, passages[self._lost :]).logits
        return PairScores(logits, truncated=self._truncated, pieces=self._pieces)


@pytest.mark.parametrize("reranker", [Telling(truncated=1), Telling(pieces=2)])
def test_what_was_cut_is_told_each_time(reranker: Telling) -> None:
    recalling = RecallingReranker(reranker, LastScores())
    said = [recalling.score_pairs("gas", ["gas", "valve"]) for _ in range(2)]
    assert [(each.truncated, each.pieces) for each in said] == [(reranker._truncated, reranker._pieces)] * 2


def test_a_reranker_that_loses_a_passage_is_found_out() -> None:
    with pytest.raises(ModelError, match="for 2 passages"):
        RecallingReranker(Telling(lost=1), LastScores()).score_pairs("gas", ["gas", "valve"])


def test_the_table_never_grows() -> None:
    scores = LastScores(16)
    size = scores._rows.nbytes
    recalling = RecallingReranker(FakeReranker(), scores)
    for query in range(50):
        recalling.score_pairs(f"gas {query}", ["gas", "valve"])
    assert scores._rows.nbytes == size
    assert np.isfinite(scores._rows["logit"]).all()
