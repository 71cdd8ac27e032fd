"""The models that ship, as they ship."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rerank_cli.models.catalogue import BUILTIN_ENCODER, BUILTIN_RERANKER, find_model
from rerank_cli.models.loading import open_encoder, open_reranker, prepare
from rerank_cli.models.probe import PROBE_PASSAGES, PROBE_QUERIES
from rerank_cli.models.torch import TorchEncoder

pytestmark = pytest.mark.usefixtures("model_cache")


def test_both_compile_to_int8_and_agree_with_the_original() -> None:
    assert prepare(find_model(BUILTIN_ENCODER, "encoder")).precision == "int8"
    assert prepare(find_model(BUILTIN_RERANKER, "reranker")).precision == "int8"


def test_int8_vectors_point_where_torchs_do() -> None:
    texts = [*PROBE_QUERIES, "Ein Satz auf Deutsch.", "x", "word " * 400]
    original = TorchEncoder(find_model(BUILTIN_ENCODER, "encoder"), device="cpu").encode_passages(texts)
    assert (open_encoder(BUILTIN_ENCODER).encode_passages(texts) * original).sum(axis=1).min() >= 0.97


def test_what_answers_a_query_scores_above_what_does_not() -> None:
    reranker = open_reranker(BUILTIN_RERANKER)
    answers = {PROBE_QUERIES[0]: 0, PROBE_QUERIES[1]: 2, PROBE_QUERIES[2]: 4, PROBE_QUERIES[3]: 6}
    for query, answer in answers.items():
        logits = reranker.score_pairs(query, PROBE_PASSAGES).logits
        unrelated = logits[8]
        assert logits[answer] > unrelated
        assert 0.0 < reranker.activate(float(unrelated)) < reranker.activate(float(logits[answer])) < 1.0


def test_the_reranker_reads_512_tokens_of_query_and_passage() -> None:
    scores = open_reranker(BUILTIN_RERANKER).score_pairs("word", ["word " * 508, "word " * 509])
    assert scores.truncated == 1
    assert np.isfinite(scores.logits).all()


def test_the_shipped_reranker_is_a_plain_sentence_transformers_folder() -> None:
    folder = Path(__file__).parents[2] / "rerank_cli" / "models" / "builtin" / BUILTIN_RERANKER
    assert {"config.json", "modules.json", "model.safetensors", "tokenizer.json", "README.md"} <= {
        path.name for path in folder.iterdir()
    }
