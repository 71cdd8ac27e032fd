#!/usr/bin/env python3
"""Let rerankers teach: give the pairs of `builtin_pairs.py` the scores of several models and of the first stage mixed.

    python tests/benchmarks/builtin_teacher.py PAIRS.jsonl OUTPUT.jsonl MODEL… [--limit N] [--device cuda]

A passage's score is the mean of the models' log softmax over its query's passages (an ensemble as teacher of one;
Hinton et al., 2015), with a quarter of the first stage's, which knows what the pairs do not show.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from scipy.special import log_softmax

from rerank_cli.models.catalogue import find_model
from rerank_cli.models.torch import ONLY_PASSAGE_CUT, load_cross_encoder

FIRST_STAGE_SHARE = 0.25
AT_ONCE = 512


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pairs", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("models", nargs="+", help="folders or names of rerankers")
    parser.add_argument("--limit", type=int, help="the first so many pairs")
    parser.add_argument("--device", default="cpu")
    arguments = parser.parse_args()
    with arguments.pairs.open(encoding="utf-8") as lines:
        records = [json.loads(line) for _, line in zip(range(arguments.limit or 10**9), lines, strict=False)]
    first_stage = [log_softmax(record["scores"]) for record in records]
    ensemble = np.mean([log_shares(records, name, arguments.device) for name in arguments.models], axis=0)
    mixed = (1 - FIRST_STAGE_SHARE) * ensemble + FIRST_STAGE_SHARE * np.stack(first_stage)
    with arguments.output.open("w", encoding="utf-8") as file:
        for record, scores in zip(records, mixed, strict=True):
            scored = {**record, "scores": [round(float(score), 3) for score in scores]}
            file.write(json.dumps(scored, ensure_ascii=False) + "\n")
    print(f"{len(records)} pairs")


def log_shares(records: list[dict[str, object]], name: str, device: str) -> np.ndarray:
    """The model's log softmax over each record's passages, shape (records, passages)."""
    import torch

    model = load_cross_encoder(find_model(name, "reranker"), device=device)
    model.max_seq_length = 256
    pairs = [(record["query"], passage) for record in records for passage in (record["positive"], *record["negatives"])]
    order = sorted(range(len(pairs)), key=lambda number: -sum(map(len, pairs[number])))
    logits = np.zeros(len(pairs))
    bf16 = torch.autocast(device, dtype=torch.bfloat16, enabled=device == "cuda")
    with torch.inference_mode(), bf16:
        for start in range(0, len(order), AT_ONCE):
            part = order[start : start + AT_ONCE]
            tokens = model.preprocess([pairs[number] for number in part], processing_kwargs=ONLY_PASSAGE_CUT)
            tokens = {key: value.to(device) if hasattr(value, "to") else value for key, value in tokens.items()}
            logits[part] = model(tokens)["scores"].view(-1).float().cpu().numpy()
    return log_softmax(logits.reshape(len(records), -1), axis=1)


if __name__ == "__main__":
    main()
