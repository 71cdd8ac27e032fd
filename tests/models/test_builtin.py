"""The models that ship, as they ship."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from rerank_cli.models.catalogue import BUILTIN_ENCODER, BUILTIN_RERANKER, Kind, find_model
from rerank_cli.models.compiled import GRAPH_NAME
from rerank_cli.models.loading import open_encoder, open_reranker, prepare
from rerank_cli.models.onnx import _Runtime
from rerank_cli.models.probe import PROBE_PASSAGES, PROBE_QUERIES
from rerank_cli.models.torch import TorchEncoder, TorchReranker
from tests.benchmarks.floor import products

pytestmark = pytest.mark.usefixtures("model_cache")


def test_both_compile_to_int8_and_agree_with_the_original() -> None:
    assert prepare(find_model(BUILTIN_ENCODER, "encoder")).precision == "int8"
    assert prepare(find_model(BUILTIN_RERANKER, "reranker")).precision == "int8"


@pytest.mark.parametrize(("name", "kind"), [(BUILTIN_ENCODER, "encoder"), (BUILTIN_RERANKER, "reranker")])
def test_the_products_of_a_compiled_form_are_those_of_its_layers(name: str, kind: Kind) -> None:
    graph = prepare(find_model(name, kind)).folder / GRAPH_NAME
    layers, width = 6, 384
    assert products(graph, [100]) >= layers * (100 * 12 * width * width + 2 * 100 * 100 * width)
    assert products(graph, [100]) <= 1.1 * layers * (100 * 12 * width * width + 2 * 100 * 100 * width)


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


@pytest.mark.parametrize(
    "query",
    ["how do I remove rust from a pan? " * 60, "問" * 450, "rust-pan," * 115],
    ids=["words", "Chinese", "glued"],
)
def test_both_runtimes_answer_a_query_of_many_pieces_without_cutting_a_passage(query: str) -> None:
    source = find_model(BUILTIN_RERANKER, "reranker")
    passages = [f"{PROBE_PASSAGES[0]} {'word ' * 150}"]
    both = open_reranker(BUILTIN_RERANKER), TorchReranker(source, device="cpu")
    scores = [reranker.score_pairs(query, passages) for reranker in both]
    assert scores[0].pieces == scores[1].pieces > 3
    assert scores[0].truncated == scores[1].truncated == 0
    assert scores[0].logits == pytest.approx(scores[1].logits, abs=0.6)


def test_the_encoder_reads_2000_words_and_a_giant_word_to_the_end() -> None:
    encoder = open_encoder(BUILTIN_ENCODER)
    for long in ("rust in the pan " * 490, "rust-pan-" * 500):
        vectors = encoder.encode_queries([long, f"{long}{'ferry-sunday-weather-' * 200}"])
        assert np.linalg.norm(vectors, axis=1) == pytest.approx(1.0, abs=1e-4)
        assert vectors[0] @ vectors[1] < 0.995


def test_sentence_transformers_loads_the_shipped_reranker_as_its_card_says() -> None:
    folder = find_model(BUILTIN_RERANKER, "reranker").folder
    card = (folder / "README.md").read_text(encoding="utf-8")
    snippet = card.split("```python\n")[1].split("```")[0]
    assert str(folder).endswith("rerank_cli/models/builtin/rerank-minilm-l6")
    told: dict[str, Any] = {}
    exec(snippet.replace('"rerank_cli/models/builtin/rerank-minilm-l6"', repr(str(folder))), told)
    query, passages = PROBE_QUERIES[0], PROBE_PASSAGES[:3]
    got = told["model"].predict([(query, passage) for passage in passages], activation_fn=torch.nn.Identity())
    wanted = TorchReranker(find_model(BUILTIN_RERANKER, "reranker"), device="cpu").score_pairs(query, passages).logits
    assert got == pytest.approx(wanted, abs=1e-4)


def test_no_residual_sum_is_fused_with_its_normalization(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a CPU that takes onnxruntime several times as long."""
    plain = onnxruntime.SessionOptions

    def telling() -> onnxruntime.SessionOptions:
        options = plain()
        options.optimized_model_filepath = str(tmp_path / "run.onnx")
        return options

    prepare(find_model(BUILTIN_RERANKER, "reranker"))
    monkeypatch.setattr(onnxruntime, "SessionOptions", telling)
    open_reranker(BUILTIN_RERANKER).score_pairs(PROBE_QUERIES[0], PROBE_PASSAGES[:1])
    kinds = [node.op_type for node in onnx.load(str(tmp_path / "run.onnx"), load_external_data=False).graph.node]
    assert "SkipLayerNormalization" not in kinds and kinds.count("LayerNormalization") == 13


def test_no_memory_is_laid_out_for_each_length_of_a_text() -> None:
    """Each layout stays, and several threads together make the process tens of megabytes larger with them."""
    session = _Runtime(prepare(find_model(BUILTIN_RERANKER, "reranker")))._session
    assert not session.get_session_options().enable_mem_pattern
