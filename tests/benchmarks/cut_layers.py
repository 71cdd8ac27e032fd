#!/usr/bin/env python3
"""Cut a reranker down to 3 or 4 of its six layers: `cut_layers.py RERANKER OUTPUT_DIR LAYERS`.

The layers kept are evenly spread, with the first and the last, as DistilBERT was made (Sanh et al., 2019). The result
orders badly until it is trained on: `rerank-cli train --base OUTPUT_DIR …`.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from rerank_cli.models.catalogue import find_model
from rerank_cli.models.torch import load_cross_encoder
from rerank_cli.training.model_folder import save_half_precision

KEPT = {3: (0, 2, 5), 4: (0, 2, 3, 5)}


def main() -> None:
    reranker, output, layers = sys.argv[1:]
    model = load_cross_encoder(find_model(reranker, "reranker"))
    transformer: Any = model[0]
    encoder = transformer.model.encoder
    encoder.layer = encoder.layer.__class__(encoder.layer[number] for number in KEPT[int(layers)])
    transformer.model.config.num_hidden_layers = len(encoder.layer)
    save_half_precision(model, Path(output), window=transformer.max_seq_length)


if __name__ == "__main__":
    main()
