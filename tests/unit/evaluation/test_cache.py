"""A pair is scored once; what is remembered is what the model gave."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from rerank_cli.errors import InputError, ModelError
from rerank_cli.evaluation import cache
from rerank_cli.evaluation.cache import RememberingReranker, scores_path
from rerank_cli.records import PairScores
from rerank_cli.store.scores import PairScore, ScoreStore
from tests.fakes import FakeReranker

PASSAGES = ["oil the chain", "mend the tyre", "oil the chain"]


def test_a_second_run_asks_the_model_nothing_and_gets_the_same_scores(tmp_path: Path) -> None:
    first, second = FakeReranker(), FakeReranker()
    with ScoreStore(tmp_path / "scores.sqlite") as store:
        fresh = RememberingReranker(first, store=store, device="cpu").score_pairs("oil chain", PASSAGES)
    with ScoreStore(tmp_path / "scores.sqlite") as store:
        remembering = RememberingReranker(second, store=store, device="cpu")
        recalled = remembering.score_pairs("oil chain", PASSAGES)
    assert second.pairs == [] and (remembering.scored, remembering.recalled) == (0, 2)
    assert np.array_equal(fresh.logits, recalled.logits)
    assert np.array_equal(recalled.logits, FakeReranker().score_pairs("oil chain", PASSAGES).logits)


def test_equal_passages_are_scored_once_even_without_a_store() -> None:
    reranker = FakeReranker()
    remembering = RememberingReranker(reranker, store=None, device="cpu")
    for _ in range(2):
        remembering.score_pairs("oil chain", PASSAGES)
    assert [passage for _, passage in reranker.pairs] == PASSAGES[:2]


class OtherReranker(FakeReranker):
    fingerprint = "other"


def test_another_model_device_query_or_passage_is_another_pair(tmp_path: Path) -> None:
    with ScoreStore(tmp_path / "scores.sqlite") as store:
        RememberingReranker(FakeReranker(), store=store, device="cpu").score_pairs("oil", PASSAGES)
        for model, device, query, passage in (
            (OtherReranker(), "cpu", "oil", PASSAGES[0]),
            (FakeReranker(), "cuda", "oil", PASSAGES[0]),
            (FakeReranker(), "cpu", "oil chain", PASSAGES[0]),
            (FakeReranker(), "cpu", "oil", "oil the chain."),
        ):
            RememberingReranker(model, store=store, device=device).score_pairs(query, [passage])
            assert model.pairs == [(query, passage)]


def test_a_model_that_is_compiled_or_run_in_another_way_is_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ScoreStore(tmp_path / "scores.sqlite") as store:
        for version, scored in ((1, 1), (1, 0), (2, 1)):
            monkeypatch.setattr(cache, "COMPILER_VERSION", version)
            remembering = RememberingReranker(FakeReranker(), store=store, device="cpu")
            remembering.score_pairs("oil", PASSAGES[:1])
            assert remembering.scored == scored


def test_the_time_of_a_batch_is_shared_by_length_and_remembered(tmp_path: Path) -> None:
    with ScoreStore(tmp_path / "scores.sqlite") as store:
        remembering = RememberingReranker(FakeReranker(), store=store, device="cpu")
        remembering.score_pairs("oil", ["x" * 7, "x" * 17])
        short, long = remembering.elapsed_s("oil", ["x" * 7, "x" * 17])
        assert long == pytest.approx(2 * short) and short > 0
        again = RememberingReranker(FakeReranker(), store=store, device="cpu")
        again.score_pairs("oil", ["x" * 17])
        assert again.elapsed_s("oil", ["x" * 17]) == [long]


WRITER = """
import sys
from pathlib import Path
from rerank_cli.store.scores import PairScore, ScoreStore
with ScoreStore(Path(sys.argv[1])) as store:
    for number in range(200):
        store.keep([(bytes([int(sys.argv[2]), number]) * 8, PairScore(float(number), 0.0))])
"""


def test_two_processes_may_write_at_once(tmp_path: Path) -> None:
    path = tmp_path / "scores.sqlite"
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(path), str(number)]) for number in (1, 2)]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    keys = [bytes([writer, number]) * 8 for writer in (1, 2) for number in range(200)]
    with ScoreStore(path) as store:
        found = store.read([*keys, b"unknown"])
    assert found == {key: PairScore(float(key[1]), 0.0) for key in keys}


def test_a_row_that_is_no_score_is_scored_again(tmp_path: Path) -> None:
    path, reranker = tmp_path / "scores.sqlite", FakeReranker()
    with ScoreStore(path) as store:
        RememberingReranker(reranker, store=store, device="cpu").score_pairs("oil", PASSAGES)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE scores SET logit = NULL")
    with ScoreStore(path) as store:
        again = RememberingReranker(reranker, store=store, device="cpu").score_pairs("oil", PASSAGES)
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
            RememberingReranker(UnfitReranker(logits), store=store, device="cpu").score_pairs("oil", PASSAGES)
        remembering = RememberingReranker(FakeReranker(), store=store, device="cpu")
        remembering.score_pairs("oil", PASSAGES)
        assert (remembering.scored, remembering.recalled) == (2, 0)


def test_a_cache_that_is_no_database_says_how_to_go_on(tmp_path: Path) -> None:
    path = tmp_path / "scores.sqlite"
    path.write_bytes(b"no database at all, but long enough to be looked at" * 40)
    with pytest.raises(InputError, match="scores cannot be kept") as caught:
        ScoreStore(path)
    assert "--no-cache" in caught.value.remedy


def test_a_cache_folder_that_cannot_be_made_says_how_to_go_on(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="scores cannot be kept"):
        ScoreStore(tmp_path / "file" / "scores.sqlite")


def test_scores_lie_in_the_users_cache_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert scores_path() == tmp_path / "rerank-cli" / "scores.sqlite"
