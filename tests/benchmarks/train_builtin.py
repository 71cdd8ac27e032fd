#!/usr/bin/env python3
"""Train the built-in reranker as it was trained: `train_builtin.py PAIRS_DIR WORK_DIR OUTPUT_DIR`.

PAIRS_DIR holds `NAME.jsonl.gz` files of {"query", "positive", "title"?}, one for each name in SIZES. Checkpoints go to
WORK_DIR; run again, it goes on from the last one. Needs the extra `train`.
"""

from __future__ import annotations

import sys
from pathlib import Path

from rerank_cli.models.catalogue import BUILTIN_ENCODER, find_model
from rerank_cli.models.loading import open_encoder
from rerank_cli.models.train import Fit, Mining, load_pairs, mine_groups, save_half_precision, train_reranker

SIZES = {
    "squad": 16000,
    "squadshifts_new_wiki": 3000,
    "squadshifts_amazon_reviews": 2000,
    "squadshifts_reddit": 2000,
    "bioasq": 6000,
    "fairytaleqa": 1500,
    "policyqa": 800,
    "qamr": 1500,
    "nq": 4700,
    "healthver": 2400,
    "faq_tex": 300,
    "arxiv_title_abstract": 6000,
    "docs_cpp": 1500,
    "docs_powershell": 1500,
    "docs_symfony": 1200,
    "docs_aws_ec2": 1200,
    "docs_owasp": 900,
    "tldr_pages": 1500,
}
"""Natural questions and claims before headings and titles, which are weak evidence of what answers what."""

MAX_WORDS = 125
GROUPS = 10_000
SEED = 17
WINDOW = 512


def main() -> None:
    pairs_folder, work, output = map(Path, sys.argv[1:])
    pairs = load_pairs(pairs_folder, sizes=SIZES, max_words=MAX_WORDS, seed=SEED)
    groups = mine_groups(pairs, encoder=open_encoder(BUILTIN_ENCODER), mining=Mining())
    print(f"{len(pairs)} pairs, {len(groups)} groups, {GROUPS} of them to train on", flush=True)
    base = find_model(BUILTIN_ENCODER, "encoder").folder
    model = train_reranker(groups[:GROUPS], base=base, checkpoints=work, fit=Fit(), resume=work.exists())
    save_half_precision(model, output, window=WINDOW)


if __name__ == "__main__":
    main()
