from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from rerank_cli.models.interaction import LateInteraction

QUERY, PASSAGE, PADDING = (1, 0), (1, 1), (0, 0)


def features(states: Any, *kinds: tuple[int, int]) -> dict[str, torch.Tensor]:
    """One text of these token states, each of a kind (attention mask, token type)."""
    mask, types = zip(*kinds, strict=True)
    return {
        "token_embeddings": torch.as_tensor(states, dtype=torch.float32).unsqueeze(0),
        "attention_mask": torch.tensor([mask]),
        "token_type_ids": torch.tensor([types]),
    }


@pytest.fixture
def states() -> np.ndarray[Any, Any]:
    return np.random.default_rng(3).normal(size=(5, 4)).astype(np.float32)


def test_it_begins_as_the_mean_of_each_query_tokens_best_cosine(states: np.ndarray[Any, Any]) -> None:
    given = features(states, QUERY, QUERY, PASSAGE, PASSAGE, PASSAGE)
    output = LateInteraction(4)(given)["sentence_embedding"][0].detach().numpy()
    unit = states / np.linalg.norm(states, axis=1, keepdims=True)
    assert output[-1] == pytest.approx(40 * (unit[:2] @ unit[2:].T).max(axis=1).mean(), rel=1e-5)
    assert output[:-1] == pytest.approx(np.tanh(states.mean(axis=0)), rel=1e-5)


def test_padding_changes_nothing(states: np.ndarray[Any, Any]) -> None:
    head = LateInteraction(4)
    torch.nn.init.normal_(head.importance.weight)
    short = head(features(states[:3], QUERY, PASSAGE, PASSAGE))["sentence_embedding"]
    padded = head(features(states, QUERY, PASSAGE, PASSAGE, PADDING, PADDING))["sentence_embedding"]
    assert padded.detach().numpy() == pytest.approx(short.detach().numpy(), rel=1e-5)


def test_query_tokens_are_weighed_by_their_importance(states: np.ndarray[Any, Any]) -> None:
    head = LateInteraction(4)
    with torch.no_grad():
        head.importance.weight.copy_(1000 * torch.as_tensor(states[1] - states[0]).unsqueeze(0))
    output = head(features(states, QUERY, QUERY, PASSAGE, PASSAGE, PASSAGE))["sentence_embedding"][0, -1].detach()
    unit = states / np.linalg.norm(states, axis=1, keepdims=True)
    assert float(output) == pytest.approx(40 * (unit[1] @ unit[2:].T).max(), rel=1e-4)


def test_states_of_lower_precision_are_read_in_that_of_the_weights(states: np.ndarray[Any, Any]) -> None:
    given = features(states, QUERY, QUERY, PASSAGE, PASSAGE, PASSAGE)
    given["token_embeddings"] = given["token_embeddings"].bfloat16()
    rounded = features(given["token_embeddings"].float()[0], QUERY, QUERY, PASSAGE, PASSAGE, PASSAGE)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        output = LateInteraction(4)(given)["sentence_embedding"]
    assert output.equal(LateInteraction(4)(rounded)["sentence_embedding"])


def test_it_is_read_back_as_it_was_written(tmp_path: Path, states: np.ndarray[Any, Any]) -> None:
    head = LateInteraction(4)
    torch.nn.init.normal_(head.inner.weight)
    head.save(str(tmp_path / "1_LateInteraction"))
    read = LateInteraction.load(str(tmp_path), subfolder="1_LateInteraction")
    given = (QUERY, QUERY, PASSAGE, PASSAGE, PASSAGE)
    outputs = [each(features(states, *given))["sentence_embedding"] for each in (head, read)]
    assert outputs[0].equal(outputs[1])
