"""How well a model orders held-out queries: nDCG@10, by the same code as `eval`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rerank_cli.arrays import Vectors
from rerank_cli.evaluation.figures.measures import figures_of, parse_measure, relevant_documents
from rerank_cli.evaluation.inputs.runs import Ranked
from rerank_cli.models.calibration import Calibration
from rerank_cli.models.torch import BATCH, pair_logits, prompt_for
from rerank_cli.records import Listener, Progress, ignore_progress
from rerank_cli.reranking import evidence
from rerank_cli.retrieval import COSINE_SCALE
from rerank_cli.training.platt import fit_calibration

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder, SentenceTransformer

MEASURE = "nDCG@10"


@dataclass(frozen=True, slots=True)
class Question:
    """A held-out query, its candidates as (document, passage), and the grades of its judged documents.

    Candidates of equal scores keep their order, so it must not favour what is relevant.
    """

    text: str
    candidates: tuple[tuple[str, str], ...]
    grades: Mapping[str, int]


def reranker_quality(
    model: CrossEncoder, questions: Sequence[Question], *, listener: Listener = ignore_progress
) -> float:
    """Mean nDCG@10 of the order in which *model* puts each question's candidates."""
    rankings = []
    for number, question in enumerate(questions, start=1):
        scores = pair_logits(model, question.text, [passage for _, passage in question.candidates])
        rankings.append(_documents(question.candidates, scores))
        listener(Progress("validate", number, len(questions)))
    return _quality(questions, rankings)


def calibrate(
    model: CrossEncoder, questions: Sequence[Question], *, listener: Listener = ignore_progress
) -> Calibration | None:
    """The calibration of *model* on the documents among each question's candidates, each by its best passage.

    None where they do not show that a higher logit means a relevant document.
    """
    logits: list[float] = []
    relevant: list[bool] = []
    for number, question in enumerate(questions, start=1):
        best: dict[str, float] = {}
        scores = pair_logits(model, question.text, [passage for _, passage in question.candidates])
        for (document, _), logit in zip(question.candidates, scores, strict=True):
            best[document] = max(best.get(document, float(logit)), float(logit))
        logits.extend(best.values())
        relevant.extend(document in relevant_documents(question.grades) for document in best)
        listener(Progress("calibrate", number, len(questions)))
    if len(set(relevant)) == 1:
        return None
    calibration = fit_calibration(logits, relevant)
    return calibration if calibration.slope > 0 else None


def encoder_quality(
    model: SentenceTransformer, questions: Sequence[Question], *, listener: Listener = ignore_progress
) -> float:
    """Mean nDCG@10 of every question over the candidates of them all, by the cosine of *model*'s vectors."""
    pool = list(dict.fromkeys(candidate for question in questions for candidate in question.candidates))
    passages = [passage for _, passage in pool]
    prompt = prompt_for(model, "document", "passage", "corpus")
    vectors = []
    for start in range(0, len(passages), 8 * BATCH):
        vectors.append(_vectors(model, passages[start : start + 8 * BATCH], prompt))
        listener(Progress("validate", min(start + 8 * BATCH, len(passages)), len(passages)))
    asked = _vectors(model, [question.text for question in questions], prompt_for(model, "query"))
    cosines = asked @ np.concatenate(vectors).T
    return _quality(questions, [_documents(pool, COSINE_SCALE * row) for row in cosines])


def _vectors(model: SentenceTransformer, texts: list[str], prompt: str) -> Vectors:
    vectors: Any = model.encode(
        texts, prompt=prompt, batch_size=BATCH, normalize_embeddings=True, show_progress_bar=False
    )
    return np.asarray(vectors, dtype=np.float32)


def _documents(candidates: Sequence[tuple[str, str]], logits: NDArray[np.float32]) -> tuple[str, ...]:
    """The documents in the order of their evidence; none where a model that went astray gives no numbers."""
    if not np.isfinite(logits).all():
        return ()
    passages: dict[str, list[float]] = {}
    for place in np.argsort(-logits, kind="stable"):
        passages.setdefault(candidates[place][0], []).append(float(logits[place]))
    return tuple(sorted(passages, key=lambda document: -evidence(passages[document])))


def _quality(questions: Sequence[Question], rankings: Sequence[tuple[str, ...]]) -> float:
    qrels = {str(number): question.grades for number, question in enumerate(questions)}
    run = {str(number): Ranked(documents) for number, documents in enumerate(rankings)}
    return figures_of([parse_measure(MEASURE)], qrels, run).overall[MEASURE]
