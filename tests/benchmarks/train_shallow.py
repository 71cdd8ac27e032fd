#!/usr/bin/env python3
"""Cut a trained reranker down to fewer layers and train it on: `train_shallow.py PAIRS_DIR RERANKER OUTPUT_DIR LAYERS`.

Keeps LAYERS (3 or 4) of six layers, evenly spread with the first and the last, as DistilBERT was made (Sanh et al.,
2019), and goes on with groups that the six-layer reranker was not trained on. Shows what a smaller model trades: see
the model card. Needs the extra `train`.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from train_builtin import STAGES, WINDOW, groups_of

from rerank_cli.models.catalogue import find_model
from rerank_cli.models.torch import load_cross_encoder
from rerank_cli.models.train import save_half_precision, train_reranker

KEPT = {3: (0, 2, 5), 4: (0, 2, 3, 5)}
STAGE = replace(STAGES[-1], first=56_480, last=60_960)


def main() -> None:
    pairs_folder, reranker, output = map(Path, sys.argv[1:4])
    model = load_cross_encoder(find_model(str(reranker), "reranker"))
    layers: Any = model[0]
    encoder = layers.model.encoder
    encoder.layer = encoder.layer.__class__(encoder.layer[number] for number in KEPT[int(sys.argv[4])])
    layers.model.config.num_hidden_layers = len(encoder.layer)
    checkpoints = output.with_name(f"{output.name}.checkpoints")
    fit = replace(STAGE.fit, warmup_steps=0)
    train_reranker(
        groups_of(STAGE, pairs_folder), model=model, checkpoints=checkpoints, fit=fit, resume=checkpoints.exists()
    )
    save_half_precision(model, output, window=WINDOW)


if __name__ == "__main__":
    main()
