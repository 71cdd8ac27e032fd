"""A pair is scored once; what is remembered is what the model gave."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from rerank_cli.errors import ModelError
from rerank_cli.evaluation.asking import remembered_scores
from rerank_cli.evaluation.asking.remembered_scores import RememberingReranker
from rerank_cli.ports import PairScores
from rerank_cli.store.scores import ScoreStore
from tests.fakes import FakeReranker

PASSAGES = ["oil the chain", "mend the tyre", "oil the chain"]


def test_a_second_run_asks_the_model_nothing_and_gets_the_same_scores(tmp_path: Path) -> None:
    first, second = FakeReranker(), FakeReranker()
    with ScoreStore(tmp_path / "scores.sqlite") as store:
        fresh = RememberingReranker(first, cache=store, device="cpu").score_pairs("oil chain", PASSAGES)
    with ScoreStore(tmp_path / "scores.sqlite") as store:
        remembering = RememberingReranker(second, cache=store, device="cpu")
        recalled = remembering.score_pairs("oil chain", PASSAGES)
    assert second.pairs == [] and (remembering.scored, remembering.recalled) == (0, 2)
    assert np.array_equal(fresh.logits, recalled.logits)
    assert np.array_equal(recalled.logits, FakeReranker().score_pairs("oil chain", PASSAGES).logits)


def test_equal_passages_are_scored_once_even_without_a_store() -> None:
    reranker = FakeReranker()
    remembering = RememberingReranker(reranker, cache=None, device="cpu")
    for _ in range(2):
        remembering.score_pairs("oil chain", PASSAGES)
    assert [passage for _, passage in reranker.pairs] == PASSAGES[:2]


class OtherReranker(FakeReranker):
    fingerprint = "other"


def test_another_model_device_query_or_passage_is_another_pair(tmp_path: Path) -> None:
    with ScoreStore(tmp_path / "scores.sqlite") as store:
        RememberingReranker(FakeReranker(), cache=store, device="cpu").score_pairs("oil", PASSAGES)
        for model, device, query, passage in (
            (OtherReranker(), "cpu", "oil", PASSAGES[0]),
            (FakeReranker(), "cuda", "oil", PASSAGES[0]),
            (FakeReranker(), "cpu", "oil chain", PASSAGES[0]),
            (FakeReranker(), "cpu", "oil", "oil the chain."),
        ):
            RememberingReranker(model, cache=store, device=device).score_pairs(query, [passage])
            assert model.pairs == [(query, passage)]


def test_a_model_that_is_compiled_or_run_in_another_way_is_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ScoreStore(tmp_path / "scores.sqlite") as store:
        for version, scored in ((1, 1), (1, 0), (2, 1)):
            monkeypatch.setattr(remembered_scores, "COMPILER_VERSION", version)
            remembering = RememberingReranker(FakeReranker(), cache=store, device="cpu")
            remembering.score_pairs("oil", PASSAGES[:1])
            assert remembering.scored == scored


def test_the_time_of_a_batch_is_shared_by_length_and_remembered(tmp_path: Path) -> None:
    with ScoreStore(tmp_path / "scores.sqlite") as store:
        remembering = RememberingReranker(FakeReranker(), cache=store, device="cpu")
        remembering.score_pairs("oil", ["x" * 7, "x" * 17])
        short, long = remembering.elapsed_s("oil", ["x" * 7, "x" * 17])
        assert long == pytest.approx(2 * short) and short > 0
        again = RememberingReranker(FakeReranker(), cache=store, device="cpu")
        again.score_pairs("oil", ["x" * 17])
        assert again.elapsed_s("oil", ["x" * 17]) == [long]


def test_a_row_that_is_no_score_is_scored_again(tmp_path: Path) -> None:
    path, reranker = tmp_path / "scores.sqlite", FakeReranker()
    with ScoreStore(path) as store:
        RememberingReranker(reranker, cache=store, device="cpu").score_pairs("oil", PASSAGES)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE scores SET logit = NULL")
    with ScoreStore(path) as store:
        again = RememberingReranker(reranker, cache=store, device="cpu").score_pairs("oil", PASSAGES)
    assert np.isfinite(again.logits).all() and len(reranker.pairs) == 4


class UnfitReranker(FakeReranker):
    """Gives numbers that a caller's own model might."""

    def __init__(self, logits: list[float]) -> None:
        super().__init__()
        self._logits = logits

    def score_pairs(self, query: str, passages: Sequence[str]) -> PairScores:
        return PairScores(np.array(self._logits, dtype=np.float32), truncated=0)


@pytest.mark.parametrize("logits", [[1.0, np.nan], [1.0, np.inf], [1.0], [1.0, 2.0, 3.0]])
def test_scores_that_order_nothing_are_an_error_and_are_not_kept(tmp_path: Path, logits: list[float]) -> None:
    with ScoreStore(tmp_path / "scores.sqlite") as store:
        with pytest.raises(ModelError, match="fake-reranker gave"):
            RememberingReranker(UnfitReranker(logits), cache=store, device="cpu").score_pairs("oil", PASSAGES)
        remembering = RememberingReranker(FakeReranker(), cache=store, device="cpu")
        remembering.score_pairs("oil", PASSAGES)
        assert (remembering.scored, remembering.recalled) == (2, 0)
