"""The loss of a reranker: how far its order of a query's passages is from the wanted one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rerank_cli.models.torch import ONLY_PASSAGE_CUT
from rerank_cli.training.groups import POSITIVE

if TYPE_CHECKING:
    import torch
    from sentence_transformers import CrossEncoder

PAIRS_AT_ONCE = 16
GPU_PAIRS_AT_ONCE = 128
"""Of like length, so that little is padded; a GPU is busy only with many."""


def listwise_loss(model: CrossEncoder, *, pointwise_weight: float) -> torch.nn.Module:
    """Cross entropy to the target distribution (ListNet; Cao et al., 2007) + weighted pointwise cross entropy.

    The pointwise part looks at the label alone and keeps logits comparable between queries.
    """
    import torch
    from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

    class ListwiseLoss(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, inputs: Any, labels: Any, **_: Any) -> torch.Tensor:
            queries, passages = inputs
            logits = logits_in_length_order(model, queries, passages)
            target = torch.stack([torch.as_tensor(label) for label in labels]).to(logits)
            hard = torch.zeros_like(logits)
            hard[:, POSITIVE] = 1.0
            pointwise = binary_cross_entropy_with_logits(logits, hard)
            return cross_entropy(logits, target) + pointwise_weight * pointwise

    return ListwiseLoss()


def logits_in_length_order(model: CrossEncoder, queries: Sequence[str], passages: Sequence[Sequence[str]]) -> Any:
    """Logits, shape (queries, passages), of pairs that are run in the order of their lengths."""
    import torch

    pairs = [(query, text) for query, texts in zip(queries, passages, strict=True) for text in texts]
    order = sorted(range(len(pairs)), key=lambda number: sum(map(len, pairs[number])))
    at_once = PAIRS_AT_ONCE if model.device.type == "cpu" else GPU_PAIRS_AT_ONCE
    logits = []
    for start in range(0, len(order), at_once):
        part = [pairs[number] for number in order[start : start + at_once]]
        tokens = model.preprocess(part, processing_kwargs=ONLY_PASSAGE_CUT)
        tokens = {name: value.to(model.device) if hasattr(value, "to") else value for name, value in tokens.items()}
        logits.append(model(tokens)["scores"].view(-1).float())
    restore = torch.as_tensor(np.argsort(order), device=model.device)
    return torch.cat(logits)[restore].view(len(queries), -1)
