#!/usr/bin/env python3
"""Write the pairs of technical questions that the built-in reranker is trained on after those of builtin_pairs.py.

    python tests/benchmarks/technical_pairs.py PAIRS_DIR OUTPUT.jsonl [--count 7500] [--encoder MODEL]

PAIRS_DIR holds `NAME.jsonl.gz` files of {"query", "positive", "title"?}. A third of the passages carry the heading of
their own section behind the title, as indexed passages do. Negatives are what a search of one documentation tree
meets: sections of the same page, what the question's words or its vector bring from all pages, and for a fifth of the
technical questions a list of headings that repeat its words, often with the question itself among them.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from builtin_pairs import varied
from numpy.typing import NDArray

from rerank_cli.config import Settings
from rerank_cli.models.loading import open_encoder
from rerank_cli.ports import Encoder
from rerank_cli.records import with_headings
from rerank_cli.training.mining import BM25, Mining

SIZES = {
    "tech_ms_faq": 1100,
    "tech_ms_support": 800,
    "tech_ms_symptoms": 270,
    "tech_ms_trouble": 500,
    "tech_docs_questions": 1300,
    "tech_docs_tasks": 900,
    "tech_docs_trouble": 500,
    "tech_faq_classic": 700,
    "tech_faq_datatalks": 250,
    "tech_interview": 250,
    "tech_rules": 600,
    "tech_til": 300,
    "squad": 500,
    "nq": 700,
    "bioasq": 200,
    "fairytaleqa": 100,
    "squadshifts_amazon_reviews": 100,
    "squadshifts_reddit": 120,
    "squadshifts_new_wiki": 80,
    "healthver": 120,
    "arxiv_title_abstract": 150,
    "policyqa": 60,
    "tldr_pages": 120,
    "docs_cpp": 80,
    "docs_symfony": 150,
    "docs_aws_ec2": 100,
    "docs_owasp": 100,
}
"""Questions asked of each set. A quarter are of the older sets, so that what they taught is not forgotten."""

OF_NON_COMMERCIAL_TEXTS = re.compile("mattermost|photoprism", re.IGNORECASE)
MAX_WORDS = 190
NEGATIVES = 7
OWN_HEADING_SHARE = 0.35
LIST_SHARE = 0.22
SIBLINGS, OF_EACH_RANKING = 3, 4
NEAR_DUPLICATE = 0.93
"""A passage whose cosine with the answer is higher says the same."""

SEED = 31


@dataclass(frozen=True)
class Section:
    """A passage that answers `query`, with the set that it is of and the title of its page."""

    name: str
    title: str
    query: str
    text: str

    def shown(self, rng: random.Random) -> str:
        """The passage as a model sees it, now and then with the heading of its section."""
        technical = self.name.startswith(("tech_", "docs_", "faq"))
        heading = self.query if rng.random() < OWN_HEADING_SHARE and technical and self.query != self.title else ""
        return with_headings([part for part in (self.title, heading) if part], self.text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--count", type=int, default=7500)
    parser.add_argument("--encoder", default=Settings().encoder)
    arguments = parser.parse_args()
    rng = random.Random(SEED)
    sections = list(read_sections(arguments.folder))
    asked = [place for name in SIZES for place in of_set(sections, name)[: SIZES[name]]]
    rng.shuffle(asked)
    asked = asked[: arguments.count]
    pool = Pool(sections, open_encoder(arguments.encoder))
    written = 0
    with arguments.output.open("w", encoding="utf-8") as file:
        for place in asked:
            record = pair_of(pool, place, rng)
            if record:
                file.write(json.dumps(record, ensure_ascii=False) + "\n")
                written += 1
    print(f"{written} pairs of {len(asked)}")


def read_sections(folder: Path) -> Iterator[Section]:
    """Every fitting passage of the sets in SIZES, each set in an order of its own."""
    for name in sorted(SIZES):
        with gzip.open(folder / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
            rows = [json.loads(line) for line in lines if not OF_NON_COMMERCIAL_TEXTS.search(line)]
        fitting = [row for row in rows if len(row["positive"].split()) <= MAX_WORDS]
        random.Random(f"{SEED} {name}").shuffle(fitting)
        kept = fitting if name.startswith("tech_") else fitting[: 3 * SIZES[name]]
        yield from (Section(name, row.get("title") or "", row["query"], row["positive"]) for row in kept)


def of_set(sections: list[Section], name: str) -> list[int]:
    return [place for place, section in enumerate(sections) if section.name == name]


class Pool:
    """All sections, to be ranked for a query by cosine and by BM25."""

    def __init__(self, sections: list[Section], encoder: Encoder) -> None:
        self.sections = sections
        self._encoder = encoder
        bare = [with_headings((each.title,) if each.title else (), each.text) for each in sections]
        self.vectors = encoder.encode_passages(bare)
        self._bm25 = BM25(bare)
        self.pages: dict[tuple[str, str], list[int]] = defaultdict(list)
        self.answers: dict[str, set[int]] = defaultdict(set)
        for place, section in enumerate(sections):
            if section.title:
                self.pages[section.name, section.title].append(place)
            self.answers[section.query.lower()].add(place)

    def scores(self, query: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Cosine and BM25 of every section, shape (n,) each."""
        cosines = self.vectors @ self._encoder.encode_queries([query])[0]
        return cosines, self._bm25.scores([query])[0]


def pair_of(pool: Pool, positive: int, rng: random.Random) -> dict[str, object] | None:
    """The pair with its negatives and the first stage's scores for a teacher; None where negatives are too few."""
    section = pool.sections[positive]
    query = varied(section.query, section.name, rng)
    cosines, bm25 = pool.scores(query)
    by_cosine, by_words = np.argsort(-cosines)[:60].tolist(), np.argsort(-bm25)[:60].tolist()
    limit = cosines[positive] * Mining().ceiling + Mining().slack
    near = pool.vectors @ pool.vectors[positive]
    answers = pool.answers[section.query.lower()]
    chosen: list[int] = []

    def take(places: Iterable[int], wanted: int) -> None:
        for place in places:
            differs = place not in chosen and place not in answers and near[place] < NEAR_DUPLICATE
            if wanted and differs and cosines[place] <= limit:
                chosen.append(place)
                wanted -= 1

    page = pool.pages.get((section.name, section.title), [])
    take(sorted(page, key=lambda place: -cosines[place] - 0.01 * bm25[place]), SIBLINGS)
    take((place for place in by_words[:12] if bm25[place] > 0), OF_EACH_RANKING)
    take(by_cosine[:12], OF_EACH_RANKING)
    near_ones = chosen[:NEGATIVES]
    rng.shuffle(near_ones)
    far = sorted({*by_cosine, *by_words})
    rng.shuffle(far)
    take(far, NEGATIVES)
    others = [place for place in chosen if place not in near_ones]
    lists = []
    if rng.random() < LIST_SHARE and section.name.startswith(("tech_", "docs_")):
        lists = [heading_list(pool, section, [*by_words[:5], *by_cosine[:5]], rng)]
    places = [*near_ones[:4], *others, *near_ones[4:]][: NEGATIVES - len(lists)]
    texts = [section.shown(rng), *lists, *(pool.sections[place].shown(rng) for place in places)]
    if len(set(texts)) < NEGATIVES + 1:
        return None
    teacher = [float(cosines[place] / 0.05 + 0.1 * bm25[place]) for place in (positive, *places)]
    scores = [teacher[0], *([min(teacher)] * len(lists)), *teacher[1:]]
    return {"query": query, "positive": texts[0], "negatives": texts[1:], "scores": [round(x, 3) for x in scores]}


def heading_list(pool: Pool, section: Section, places: list[int], rng: random.Random) -> str:
    """A table of contents: headings of the nearest sections, and half of the time the question among them."""
    headings = dict.fromkeys(pool.sections[place].query.strip(" .") for place in places)
    headings.pop(section.query.strip(" ."), None)
    listed = list(headings)[:7]
    if rng.random() < 0.5:
        listed.append(section.query.strip(" ."))
    rng.shuffle(listed)
    title = rng.choice([section.title, "Contents", "See also", pool.sections[places[0]].title])
    return with_headings((title,) if title else (), rng.choice(["; ", " - ", ". ", "\n"]).join(listed) + ".")


if __name__ == "__main__":
    main()
