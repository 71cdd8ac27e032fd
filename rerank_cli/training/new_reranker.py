"""Makes a reranker of a sentence encoder: its layers, and a head that begins with what they know."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rerank_cli.models.probe import PROBE_PASSAGES, PROBE_QUERIES
from rerank_cli.models.torch import pair_logits, weights_in_float32

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder

FIRST_LOGIT = -5.0
"""What a new cross-encoder gives on average, as most candidates do not answer: logits begin near log-odds."""


def new_cross_encoder(base: Path, *, device: str = "cpu") -> CrossEncoder:
    """A cross-encoder over *base*'s layers, with its window, that ends with `LateInteraction`, or with mean pooling.

    The former, which begins with what the sentence encoder knows, needs token types. Mean pooling, a tanh
    layer that starts as the identity, and one logit keep more of it than a fresh head on the CLS token would.
    """
    import torch
    from sentence_transformers import CrossEncoder
    from sentence_transformers.base.modules import Dense, Transformer
    from sentence_transformers.sentence_transformer.modules import Pooling

    from rerank_cli.models.interaction import LateInteraction

    transformer = Transformer(str(base), model_kwargs=weights_in_float32(device))
    width = transformer.get_embedding_dimension()
    if _tells_texts_apart(transformer):
        body: list[Any] = [LateInteraction(width)]
    else:
        body = [Pooling(width), Dense(width, width, activation_function=torch.nn.Tanh())]
        body[-1].linear.load_state_dict({"weight": torch.eye(width), "bias": torch.zeros(width)})
    width = body[-1].get_embedding_dimension()
    score = Dense(width, 1, activation_function=torch.nn.Identity(), module_output_name="scores")
    model: CrossEncoder = CrossEncoder(modules=[transformer, *body, score], device=device, local_files_only=True)
    with torch.no_grad():
        score.linear.weight.normal_(std=0.02)
        if isinstance(body[-1], LateInteraction):
            score.linear.weight[0, -1] = 1.0
        score.linear.bias.zero_()
        logits = np.concatenate([pair_logits(model, query, PROBE_PASSAGES) for query in PROBE_QUERIES])
        score.linear.bias.fill_(FIRST_LOGIT - float(logits.mean()))
    return model


def _tells_texts_apart(transformer: Any) -> bool:
    """Whether it reads token types that are 0 for the query and 1 for the passage."""
    types = transformer.tokenizer(PROBE_QUERIES[0], PROBE_PASSAGES[0]).get("token_type_ids", [])
    return sorted(set(types)) == [0, 1] and getattr(transformer.model.config, "type_vocab_size", 0) > 1
