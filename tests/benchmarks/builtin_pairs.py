#!/usr/bin/env python3
"""Write the pairs that the built-in reranker is trained on: `builtin_pairs.py PAIRS_DIR OUTPUT.jsonl`.

PAIRS_DIR holds `NAME.jsonl.gz` files of {"query", "positive", "title"?}, one for each name in SIZES. Some questions
become keywords, some a need of several sentences, since people and other programs ask in all three ways.
"""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path

from rerank_cli.retrieval import query_words
from rerank_cli.training.pairs import Pair, read_pairs

SIZES = {
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
    "tldr_pages": 1500,
}
"""Natural questions and claims before headings and titles, which are weak evidence of what answers what."""

MAX_WORDS = 125
SEED = 18
KEYWORD_SHARE = 0.12
VERBOSE_SHARE = 0.12
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
    folder, output = map(Path, sys.argv[1:])
    rng = random.Random(5)
    asked = [(varied(pair.query, name, rng), pair.positive) for name, pair in sampled(folder)]
    with output.open("w", encoding="utf-8") as file:
        for query, positive in asked:
            file.write(json.dumps({"query": query, "positive": positive}, ensure_ascii=False) + "\n")
    print(f"{len(asked)} pairs")


def sampled(folder: Path) -> list[tuple[str, Pair]]:
    """Of each set as many pairs as SIZES has it, by the set's name, in an order of their own.

    Positives of more than MAX_WORDS words are left out, not cut: the answer may stand in what would be lost.
    """
    chosen: list[tuple[str, Pair]] = []
    for name in sorted(SIZES):
        fitting = [pair for pair in read_pairs(folder / f"{name}.jsonl.gz") if len(pair.positive.split()) <= MAX_WORDS]
        random.Random(f"{SEED} {name}").shuffle(fitting)
        chosen.extend((name, pair) for pair in fitting[: SIZES[name]])
    random.Random(SEED).shuffle(chosen)
    return chosen


def varied(query: str, name: str, rng: random.Random) -> str:
    """*query* as it is, or its telling words alone, or at length."""
    share, words = rng.random(), query_words(query)
    if share < VERBOSE_SHARE and words:
        sentence = query if query[-1] in ".?!" else f"{query}."
        return rng.choice(VERBOSE).format(query=sentence, words=" ".join(words[:6]))
    keywords = 1.0 - share < KEYWORD_SHARE and not name.startswith(NO_QUESTIONS)
    return " ".join(words) if keywords and len(words) > 1 else query


if __name__ == "__main__":
    main()
