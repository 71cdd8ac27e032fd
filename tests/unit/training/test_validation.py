from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch

from rerank_cli.records import Progress
from rerank_cli.training.platt import fit_calibration
from rerank_cli.training.validation import Question, calibrate, encoder_quality, reranker_quality
from tests.fakes import FakeEncoder, FakeReranker


class StubCrossEncoder:
    """What sentence-transformers' CrossEncoder is to a validation: scores by a function of query and passage."""

    device = torch.device("cpu")

    def __init__(self, score: Callable[[str, str], float]) -> None:
        self._score = score

    def predict(self, pairs: Sequence[tuple[str, str]], **_: Any) -> np.ndarray:
        return np.array([self._score(query, passage) for query, passage in pairs], dtype=np.float32)


class StubBiEncoder:
    """What sentence-transformers' SentenceTransformer is to a validation; `seen` holds each text with its prompt."""

    default_prompt_name = None

    def __init__(self) -> None:
        self.prompts = {"query": "ask: ", "document": "read: "}
        self.seen: list[str] = []

    def encode(self, texts: Sequence[str], *, prompt: str, **_: Any) -> np.ndarray:
        self.seen.extend(prompt + text for text in texts)
        return FakeEncoder().encode_passages(texts)


def overlap(query: str, passage: str) -> float:
    return float(FakeReranker().score_pairs(query, [passage]).logits[0])


BOILER = Question("boiler valve", (("d1", "garden"), ("d2", "boiler"), ("d3", "boiler valve")), {"d2": 1, "d3": 2})
DOCUMENTS = ("good", "fair", "bad", "worse")
LAMP = Question("lamp", (("d4", "lamp"), ("d5", "garden")), {"d5": 1})


def test_the_quality_is_the_mean_of_graded_ndcg() -> None:
    assert reranker_quality(StubCrossEncoder(overlap), [BOILER]) == pytest.approx(1.0)
    lamp = 1 / math.log2(3)
    assert reranker_quality(StubCrossEncoder(overlap), [BOILER, LAMP]) == pytest.approx((1.0 + lamp) / 2)
    worst = (1 / math.log2(3) + 2 / math.log2(4)) / (2 + 1 / math.log2(3))
    upside_down = StubCrossEncoder(lambda query, passage: -len(set(passage)) if "boiler" in passage else 9.0)
    swapped = StubCrossEncoder(lambda query, passage: {"garden": 9.0, "boiler": 5.0}.get(passage, 1.0))
    assert reranker_quality(swapped, [BOILER]) == pytest.approx(worst)
    assert reranker_quality(upside_down, [BOILER]) < 1.0


def test_a_document_stands_where_its_best_passage_does() -> None:
    passages = (("d1", "garden"), ("d2", "wood"), ("d1", "boiler valve"), ("d2", "boiler"))
    assert reranker_quality(StubCrossEncoder(overlap), [Question("boiler valve", passages, {"d1": 1})]) == 1.0


def test_a_document_that_speaks_of_the_matter_throughout_stands_above_one_with_a_lucky_passage() -> None:
    """As `eval` and `query` have it."""
    passages = (("lucky", "3.1"), ("lucky", "-9.0"), ("throughout", "3.0"), ("throughout", "2.9"))
    model = StubCrossEncoder(lambda _, passage: float(passage))
    assert reranker_quality(model, [Question("q", passages, {"throughout": 1})]) == 1.0


def test_an_encoder_is_judged_by_its_documents_evidence_on_the_scale_of_logits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cosines of .5 and .4 differ by two logits: three passages of the latter do not make up for that."""
    model = StubBiEncoder()

    def at_cosine(texts: Sequence[str], **_: Any) -> np.ndarray:
        cosines = np.array([float(text.split()[0]) for text in texts], dtype=np.float32)
        return np.stack([cosines, np.sqrt(1 - cosines**2)], axis=1)

    monkeypatch.setattr(model, "encode", at_cosine)
    passages = (("far", "0.4 a"), ("far", "0.4 b"), ("far", "0.4 c"), ("near", "0.5"))
    assert encoder_quality(model, [Question("1.0", passages, {"near": 1})]) == 1.0


def test_a_relevant_document_that_no_candidate_is_of_counts_as_lost() -> None:
    absent = Question("boiler", (("d1", "boiler"),), {"d9": 1})
    assert reranker_quality(StubCrossEncoder(overlap), [absent]) == 0.0
    assert reranker_quality(StubCrossEncoder(overlap), [Question("boiler", (), {"d9": 1})]) == 0.0


def test_equal_scores_keep_the_order_of_the_candidates() -> None:
    assert reranker_quality(StubCrossEncoder(lambda query, passage: 0.5), [LAMP]) == pytest.approx(1 / math.log2(3))


def test_a_model_that_gives_no_numbers_is_worth_nothing() -> None:
    assert reranker_quality(StubCrossEncoder(lambda query, passage: math.nan), [BOILER, LAMP]) == 0.0


def test_an_encoder_ranks_the_candidates_of_every_question() -> None:
    near = Question("lamp", (("d5", "lamp stand by the door"),), {"d5": 1})
    other = Question("boiler", (("d6", "lamp"), ("d7", "boiler")), {"d7": 1})
    assert encoder_quality(StubBiEncoder(), [near]) == 1.0
    assert encoder_quality(StubBiEncoder(), [near, other]) == pytest.approx((1 / math.log2(3) + 1.0) / 2)


def test_an_encoder_reads_each_passage_once_and_under_its_prompts() -> None:
    model = StubBiEncoder()
    encoder_quality(model, [BOILER, LAMP, Question("valve", BOILER.candidates, {"d3": 1})])
    passages = ["read: garden", "read: boiler", "read: boiler valve", "read: lamp", "read: garden"]
    assert model.seen == [*passages, "ask: boiler valve", "ask: lamp", "ask: valve"]


def test_validation_tells_how_far_it_is() -> None:
    heard: list[Progress] = []
    reranker_quality(StubCrossEncoder(overlap), [BOILER, LAMP], listener=heard.append)
    encoder_quality(StubBiEncoder(), [BOILER, LAMP], listener=heard.append)
    assert heard == [Progress("validate", 1, 2), Progress("validate", 2, 2), Progress("validate", 5, 5)]


def test_a_calibration_is_fitted_on_documents_by_their_best_passage() -> None:
    passages = (("good", "1.0"), ("good", "-9.0"), ("fair", "0.5"), ("bad", "0.0"), ("bad", "-1.0"), ("worse", "-2.0"))
    grades = [{"good": 1}, {"fair": 1, "worse": 0}, {"bad": 1}, {"good": 2}]
    questions = [Question("q", passages, its_grades) for its_grades in grades]
    fitted = calibrate(StubCrossEncoder(lambda _, passage: float(passage)), questions)
    logits = [1.0, 0.5, 0.0, -2.0] * 4
    relevant = [name in its_grades and its_grades[name] > 0 for its_grades in grades for name in DOCUMENTS]
    assert fitted == fit_calibration(logits, relevant)


@pytest.mark.parametrize("grades", [{}, dict.fromkeys(("d1", "d2", "d3"), 1), {"d1": 1}])
def test_judgements_that_teach_no_calibration_give_none(grades: dict[str, int]) -> None:
    """Nothing is relevant, all is, or the model puts what is relevant last."""
    assert calibrate(StubCrossEncoder(overlap), [Question(BOILER.text, BOILER.candidates, grades)]) is None
