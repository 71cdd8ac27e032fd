from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from rerank_cli.models.catalogue import find_model
from rerank_cli.models.torch import load_cross_encoder, pair_logits
from rerank_cli.training.listwise import logits_in_length_order


def test_of_a_pair_that_is_too_long_the_passage_is_cut_in_training_too(tiny_reranker: Path) -> None:
    """The window is 64 tokens; what counts as the longer half would else lose its end."""
    model = load_cross_encoder(find_model(str(tiny_reranker), "reranker"))
    query, passages = "salt " * 44 + "iron", ["water oil " * 30, "rust pan"]
    with torch.no_grad():
        logits = logits_in_length_order(model, [query], [passages]).numpy()
    assert logits[0] == pytest.approx(pair_logits(model, query, passages), abs=1e-5)
    with torch.no_grad():
        other = logits_in_length_order(model, ["salt " * 44 + "bread"], [passages]).numpy()
    assert np.abs(other - logits).min() > 1e-4
