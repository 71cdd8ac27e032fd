#!/usr/bin/env python3
"""Write the pairs that the built-in reranker is trained on.

    python tests/benchmarks/builtin_pairs.py PAIRS_DIR OUTPUT.jsonl [--encoder MODEL] [--device cuda]

PAIRS_DIR holds `NAME.jsonl.gz` files of {"query", "positive", "title"?}, one for each name in SIZES. Some questions
become keywords, some a need of several sentences and some lose their mark, since people and other programs ask in all
these ways. Each pair is given negatives by `rerank_cli.training.mining`, and the first stage's scores of all.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import random
import sys
from dataclasses import replace
from pathlib import Path

from rerank_cli.config import Settings
from rerank_cli.models.loading import open_encoder
from rerank_cli.records import Progress
from rerank_cli.retrieval import query_words
from rerank_cli.training.mining import Mining, mine_groups, spread_bands
from rerank_cli.training.pairs import Pair, read_pairs

SIZES = {
    "squad": 48000,
    "squadshifts_new_wiki": 6100,
    "squadshifts_amazon_reviews": 6200,
    "squadshifts_reddit": 6300,
    "bioasq": 13000,
    "fairytaleqa": 3600,
    "policyqa": 900,
    "qamr": 3000,
    "nq": 12000,
    "healthver": 2441,
    "faq_tex": 82,
    "qmsum": 60,
    "arxiv_title_abstract": 16000,
    "docs_cpp": 3000,
    "docs_powershell": 3000,
    "docs_symfony": 2100,
    "docs_aws_ec2": 1700,
    "docs_owasp": 1900,
    "tldr_pages": 3000,
}
"""Natural questions and claims before headings and titles, which are weak evidence of what answers what.

Natural Questions, the only real web searches, are taken almost three times each, varied anew.
"""

MAX_WORDS = 150
NEGATIVES = 11
SEED = 18
KEYWORD_SHARE = 0.12
VERBOSE_SHARE = 0.10
UNMARKED_SHARE = 0.4
NO_QUESTIONS = ("arxiv_title_abstract", "healthver", "tldr_pages", "docs_")

VERBOSE = (
    "I am interested in the following. {query} I would like to see documents that deal with {words} in particular.",
    "{query} Any information on {words} would be of interest.",
    "I am looking for material about {words}. {query}",
    "What is known about the following? {query} Related topics, such as {words}, are also relevant.",
    "I would be pleased to receive anything about {words}. My question is this: {query}",
    "{query} Please give some background too, for example on {words}.",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--encoder", default=Settings().encoder)
    parser.add_argument("--device", default="cpu")
    arguments = parser.parse_args()
    rng = random.Random(5)
    chosen = sampled(arguments.folder)
    sets = {pair.query: name for name, pair in chosen}
    # A share of 1 makes of the target what the first stage alone would have it.
    mining = Mining(bands=spread_bands(NEGATIVES), teacher_share=1.0)
    encoder = open_encoder(arguments.encoder, device=arguments.device)
    groups = mine_groups(
        [pair for _, pair in chosen], encoder=encoder, mining=mining, device=arguments.device, listener=tell
    )
    with arguments.output.open("w", encoding="utf-8") as file:
        for group in groups:
            positive, *negatives = group.passages
            scores = [round(math.log(max(share, 1e-6)), 3) for share in group.target]
            query = varied(group.query, sets[group.query], rng)
            record = {"query": query, "positive": positive, "negatives": negatives, "scores": scores}
            file.write(json.dumps(record, ensure_ascii=False) + "\n")
    print(f"{len(groups)} pairs of {len(chosen)}")


def tell(progress: Progress) -> None:
    if progress.done % 5120 == 0:
        print(progress, file=sys.stderr, flush=True)


def sampled(folder: Path) -> list[tuple[str, Pair]]:
    """Of each set as many pairs as SIZES has it, by the set's name, in an order of their own.

    Positives of more than MAX_WORDS words are left out, not cut: the answer may stand in what would be lost. Of an
    abstract any part will do for its title.
    """
    chosen: list[tuple[str, Pair]] = []
    for name in sorted(SIZES):
        pairs = list(read_pairs(folder / f"{name}.jsonl.gz"))
        if name == "arxiv_title_abstract":
            pairs = [replace(pair, positive=" ".join(pair.positive.split()[:MAX_WORDS])) for pair in pairs]
        fitting = [pair for pair in pairs if len(pair.positive.split()) <= MAX_WORDS]
        random.Random(f"{SEED} {name}").shuffle(fitting)
        chosen.extend((name, pair) for pair in itertools.islice(itertools.cycle(fitting), SIZES[name]))
    random.Random(SEED).shuffle(chosen)
    return chosen


def varied(query: str, name: str, rng: random.Random) -> str:
    """*query* as it is, or without its mark, or its telling words alone, or at length."""
    share, words = rng.random(), query_words(query)
    if share < VERBOSE_SHARE and words:
        sentence = query if query[-1] in ".?!" else f"{query}."
        return rng.choice(VERBOSE).format(query=sentence, words=" ".join(words[:6]))
    keywords = 1.0 - share < KEYWORD_SHARE and not name.startswith(NO_QUESTIONS)
    if keywords and len(words) > 1:
        return " ".join(words)
    return (query.rstrip("? ") or query) if rng.random() < UNMARKED_SHARE else query


if __name__ == "__main__":
    main()
