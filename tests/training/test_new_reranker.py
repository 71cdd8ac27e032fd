from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from rerank_cli.models.catalogue import BUILTIN_ENCODER, find_model
from rerank_cli.models.probe import PROBE_PASSAGES, PROBE_QUERIES
from rerank_cli.models.torch import pair_logits
from rerank_cli.training.model_folder import carries_code
from rerank_cli.training.new_reranker import new_cross_encoder
from tests.tiny_models import rewrite_json


def test_a_new_cross_encoder_orders_before_any_training_and_its_logits_are_low() -> None:
    model = new_cross_encoder(find_model(BUILTIN_ENCODER, "encoder").folder, device="cpu")
    logits = np.stack([pair_logits(model, query, PROBE_PASSAGES) for query in PROBE_QUERIES])
    assert logits.mean() == pytest.approx(-5.0, abs=0.01)
    answered = zip(logits, ([0], [2], [4], [6, 9]), strict=True)
    assert np.mean([row[answers].mean() - row.mean() for row, answers in answered]) > 1.0


def without_token_types(base: Path) -> None:
    rewrite_json(base / "tokenizer_config.json", model_input_names=["input_ids", "attention_mask"])


def with_equal_token_types(base: Path) -> None:
    rewrite_json(base / "tokenizer_config.json", tokenizer_class="PreTrainedTokenizerFast")
    template = json.loads((base / "tokenizer.json").read_text(encoding="utf-8"))["post_processor"]
    for part in template["pair"]:
        next(iter(part.values()))["type_id"] = 0
    rewrite_json(base / "tokenizer.json", post_processor=template)


@pytest.mark.parametrize("spoil", [without_token_types, with_equal_token_types])
def test_a_base_whose_token_types_tell_nothing_gets_a_plain_head(tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    base = tmp_path / "base"
    shutil.copytree(find_model(BUILTIN_ENCODER, "encoder").folder, base)
    spoil(base)
    model = new_cross_encoder(base, device="cpu")
    assert [type(module).__name__ for module in model] == ["Transformer", "Pooling", "Dense", "Dense"]
    assert not carries_code(model)
    logits = np.stack([pair_logits(model, query, PROBE_PASSAGES) for query in PROBE_QUERIES])
    assert logits.mean() == pytest.approx(-5.0, abs=0.01)


def test_a_new_cross_encoder_reads_as_much_as_its_base() -> None:
    base = find_model(BUILTIN_ENCODER, "encoder").folder
    assert new_cross_encoder(base, device="cpu").max_seq_length == 512
