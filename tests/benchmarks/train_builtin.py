#!/usr/bin/env python3
"""Train the built-in reranker as it was trained: `train_builtin.py PAIRS_DIR WORK_DIR OUTPUT_DIR`.

PAIRS_DIR holds `NAME.jsonl.gz` files of {"query", "positive", "title"?}, one for each name in a stage's sizes.
Three stages, each from where the last one ended: a first hour, a long run at a constant rate on other pairs, and
a short one in which the rate falls to 0. Checkpoints go to WORK_DIR; run again, it goes on from the last one.
Needs the extra `train`.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from rerank_cli.models.catalogue import BUILTIN_ENCODER, find_model
from rerank_cli.models.loading import open_encoder
from rerank_cli.models.torch import load_cross_encoder
from rerank_cli.models.train import Fit, Group, new_cross_encoder, save_half_precision, train_reranker
from rerank_cli.retrieval import query_words
from rerank_cli.training.mining import Mining, mine_groups
from rerank_cli.training.pairs import Pair, load_pairs

FIRST_SIZES = {
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

LATER_SIZES = FIRST_SIZES | {
    "squad": 24000,
    "squadshifts_new_wiki": 5000,
    "squadshifts_amazon_reviews": 3500,
    "squadshifts_reddit": 3500,
    "bioasq": 12000,
    "fairytaleqa": 2500,
    "policyqa": 700,
    "qamr": 2000,
    "nq": 4764,
    "healthver": 2441,
    "faq_tex": 464,
    "arxiv_title_abstract": 9000,
    "docs_cpp": 2000,
    "docs_powershell": 2000,
    "docs_symfony": 1500,
    "docs_aws_ec2": 1500,
    "docs_owasp": 1200,
}
"""Natural questions and claims before headings and titles, which are weak evidence of what answers what."""

MAX_WORDS = 125
KEYWORD_SHARE = 0.12
"""Of the questions, those asked by their telling words alone, as many people search."""

NO_QUESTIONS = ("arxiv_title_abstract", "healthver", "tldr_pages", "docs_")
WINDOW = 512


@dataclass(frozen=True)
class Stage:
    """Groups *first* to *last* of those mined from one sample of the pairs."""

    sizes: Mapping[str, int]
    pairs_seed: int
    keyword_share: float
    mining: Mining
    first: int
    last: int
    fit: Fit


LATER_MINING = Mining(bands=((1, 8, 3), (9, 40, 2), (41, 100, 2)), seed=23)
LATER_FIT = Fit(batch_queries=16, learning_rate=1e-4, checkpoint_steps=150)
STAGES = (
    Stage(FIRST_SIZES, 17, 0.0, Mining(), 0, 10_000, Fit()),
    Stage(LATER_SIZES, 18, KEYWORD_SHARE, LATER_MINING, 0, 14_400, replace(LATER_FIT, warmup_steps=60, decays=False)),
    Stage(LATER_SIZES, 18, KEYWORD_SHARE, LATER_MINING, 52_000, 56_480, replace(LATER_FIT, warmup_steps=0)),
)


def main() -> None:
    pairs_folder, work, output = map(Path, sys.argv[1:])
    model = new_cross_encoder(find_model(BUILTIN_ENCODER, "encoder").folder, max_tokens=Fit().max_tokens)
    for number, stage in enumerate(STAGES, start=1):
        trained = work / f"stage-{number}"
        if not trained.exists():
            checkpoints = work / f"checkpoints-{number}"
            groups = groups_of(stage, pairs_folder)
            resume = checkpoints.exists()
            train_reranker(groups, model=model, checkpoints=checkpoints, fit=stage.fit, resume=resume)
            model.save_pretrained(str(trained), create_model_card=False)
        model = load_cross_encoder(find_model(str(trained), "reranker"))
    save_half_precision(model, output, window=WINDOW)


def groups_of(stage: Stage, pairs_folder: Path) -> list[Group]:
    pairs = load_pairs(pairs_folder, sizes=stage.sizes, max_words=MAX_WORDS, seed=stage.pairs_seed)
    if stage.keyword_share:
        rng = random.Random(5)
        pairs = [as_keywords(pair) if asks(pair) and rng.random() < stage.keyword_share else pair for pair in pairs]
    groups = mine_groups(pairs, encoder=open_encoder(BUILTIN_ENCODER), mining=stage.mining)
    if stage.keyword_share:
        random.Random(9).shuffle(groups)
    print(f"{len(pairs)} pairs, {len(groups)} groups, {stage.last - stage.first} of them to train on", flush=True)
    return groups[stage.first : stage.last]


def asks(pair: Pair) -> bool:
    return not pair.source.startswith(NO_QUESTIONS)


def as_keywords(pair: Pair) -> Pair:
    words = query_words(pair.query)
    return replace(pair, query=" ".join(words)) if len(words) > 1 else pair


if __name__ == "__main__":
    main()
