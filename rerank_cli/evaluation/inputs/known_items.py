"""Known-item queries: a starting set for people without judgements, drawn from the documents themselves."""

from __future__ import annotations

import json
import math
import random
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rerank_cli.errors import InputError, UsageError, in_words
from rerank_cli.files import write_text
from rerank_cli.ports import Index
from rerank_cli.records import StoredPassage
from rerank_cli.retrieval import query_words
from rerank_cli.trec import QRELS_HEADER, qrels_line

Kind = Literal["known-item heading", "known-item sentence"]

WARNING = (
    "known-item queries use the documents' own words and know of one relevant document each: they show what is broken "
    "and compare settings, but favour lexical search and say little of how real questions fare; judge some: eval judge"
)

SENTENCE_WORDS = range(5, 26)
"""Shorter sentences name nothing, longer ones are no queries."""

LARGEST_SHARE = 0.5
"""Of its passage a sentence may make up so much at most: a whole passage finds itself."""

HEADING_WORDS = 2
TELLING_WORDS = 4
"""A heading, and a sentence, have at least so many words that are no stop words."""

BREAKS = re.compile(r"(?<=[.!?])\s+|\n\s*\n|\n(?=\s*(?:[-*•]|[0-9]+[.)])\s)")
"""Between sentences, paragraphs and items of a list; a line that is merely wrapped goes on."""

MARKER = re.compile(r"^\s*(?:[-*•]|[0-9]+[.)])\s+")


@dataclass(frozen=True, slots=True)
class KnownItem:
    """A query that was drawn from *document*, which alone is known to answer it."""

    id: str
    text: str
    kind: Kind
    document: str


def draw_known_items(index: Index, *, count: int, seed: int) -> tuple[KnownItem, ...]:
    """At most *count* queries, one a document, headings and sentences in turn.

    Raises:
        InputError: no document has a telling heading or sentence.
    """
    passages = _by_document(index.scan())
    frequency = Counter(word for stored in passages.values() for word in _words_of(stored))
    headings = _telling_headings(passages)
    names = sorted(passages)
    random.Random(seed).shuffle(names)
    items: list[KnownItem] = []
    for name in names:
        if len(items) == count:
            break
        sentence = _distinctive_sentence(passages[name], frequency, documents=len(passages))
        offers: list[tuple[Kind, str | None]] = [
            ("known-item heading", headings.get(name)),
            ("known-item sentence", sentence),
        ]
        for kind, text in offers if len(items) % 2 == 0 else reversed(offers):
            if text is not None:
                items.append(KnownItem(f"known-{len(items) + 1:03}", text, kind, name))
                break
    if not items:
        raise InputError(f"{index.name}: no heading or sentence that tells a document apart", remedy="index more text")
    return tuple(items)


def write_known_items(folder: Path, items: Sequence[KnownItem]) -> None:
    """Write `queries.jsonl` and `qrels.tsv` into *folder*.

    Raises:
        UsageError: there are queries already.
        InputError: the folder cannot be written to.
    """
    queries, qrels = folder / "queries.jsonl", folder / "qrels.tsv"
    for path in (queries, qrels):
        if path.exists():
            raise UsageError(f"{path}: is there already", remedy="name another folder with --out, or remove it")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder}: cannot be made ({in_words(error)})", remedy="name another with --out") from error
    rows = [{"_id": item.id, "text": item.text, "kind": item.kind} for item in items]
    write_text(queries, "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows))
    judged = "".join(qrels_line(item.id, item.document, 1) for item in items)
    write_text(qrels, QRELS_HEADER + judged)


def _by_document(passages: Iterable[StoredPassage]) -> dict[str, list[StoredPassage]]:
    found: dict[str, list[StoredPassage]] = {}
    for stored in sorted(passages, key=lambda each: (each.document_id, each.path, each.passage.ordinal)):
        found.setdefault(stored.document_id, []).append(stored)
    return found


def _words_of(passages: Sequence[StoredPassage]) -> set[str]:
    return {word for stored in passages for word in query_words(stored.passage.text)}


def _telling_headings(passages: Mapping[str, Sequence[StoredPassage]]) -> dict[str, str]:
    """A heading for each document that has one which no other document has: its deepest, longest one."""
    holders: dict[str, set[str]] = {}
    for name, each in passages.items():
        for stored in each:
            for heading in stored.passage.headings:
                holders.setdefault(heading.casefold(), set()).add(name)
    chosen = {}
    for name, each in passages.items():
        own = [
            heading
            for stored in each
            for heading in stored.passage.headings[-1:]
            if len(holders[heading.casefold()]) == 1 and len(query_words(heading)) >= HEADING_WORDS
        ]
        if own:
            chosen[name] = max(own, key=lambda heading: (len(query_words(heading)), heading))
    return chosen


def _distinctive_sentence(passages: Sequence[StoredPassage], frequency: Counter[str], *, documents: int) -> str | None:
    """The sentence whose words are rarest in other documents: the highest mean of log(documents / with the word)."""
    best, best_weight = None, -math.inf
    for stored in passages:
        longest = LARGEST_SHARE * len(stored.passage.text.split())
        for piece in BREAKS.split(stored.passage.text):
            words = MARKER.sub("", piece).split()
            telling = query_words(" ".join(words))
            if len(words) not in SENTENCE_WORDS or len(words) > longest or len(telling) < TELLING_WORDS:
                continue
            weight = sum(math.log(documents / max(1, frequency[word])) for word in telling) / len(telling)
            if weight > best_weight:
                best, best_weight = " ".join(words), weight
    return best
