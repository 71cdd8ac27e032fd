"""Rankings of documents, and TREC run files in and out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from rerank_cli.errors import InputError
from rerank_cli.files import numbered_lines, write_text

TAG = "rerank-cli"
"""The last column of the runs that are ours."""

JOINERS = "\u00ad\u200c\u200d"
"""Signs that belong to words (soft hyphen, the joiners of Persian and of emoji), though they are not printable."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """What a query brought: documents best first, each once, and the passages that a reader is handed.

    `passages` holds (document id, tokens) best first; a run that was read from a file has none.
    """

    documents: tuple[str, ...]
    passages: tuple[tuple[str, int], ...] = ()


Run = Mapping[str, Ranked]
"""What each query brought, by the query's id."""


def read_run(path: Path) -> dict[str, Ranked]:
    """A TREC run: `query Q0 document rank score tag`, ordered as trec_eval orders it.

    trec_eval pays no heed to the rank: it sorts by the score in 32 bits and puts the larger document id
    first where two are equal.

    Raises:
        InputError: a line that is none of a run, or a document that stands twice.
    """
    scores: dict[str, dict[str, float]] = {}
    for number, line in numbered_lines(path):
        query, document, score = _row(line, f"{path}:{number}")
        if document in scores.setdefault(query, {}):
            raise InputError(
                f"{path}:{number}: {document!r} stands twice for the query {query!r}", remedy="keep its best line"
            )
        scores[query][document] = score
    if not scores:
        raise InputError(f"{path}: holds no run", remedy="give lines of: query Q0 document rank score tag")
    return {query: Ranked(trec_order(rows)) for query, rows in scores.items()}


def _row(line: str, where: str) -> tuple[str, str, float]:
    fields = line.split()
    shape = "write: query Q0 document rank score tag"
    if len(fields) != 6:
        raise InputError(f"{where}: {len(fields)} columns where a run has 6", remedy=shape)
    query, _, document, _, score, _ = fields
    try:
        value = float(score)
    except ValueError as error:
        raise InputError(f"{where}: the score {score!r} is no number", remedy=shape) from error
    if math.isnan(value):
        raise InputError(f"{where}: the score is no number", remedy=shape)
    return query, document, value


def trec_order(scores: Mapping[str, float]) -> tuple[str, ...]:
    """Documents in trec_eval's order: by 32-bit score, the larger id first where two are equal."""
    return tuple(sorted(scores, key=lambda document: (float32(scores[document]), document.encode()), reverse=True))


def run_lines(run: Run) -> Iterator[str]:
    """*run* as a TREC run file; every score is the document's rank counted from the end, so none tie."""
    for query, ranked in run.items():
        for rank, document in enumerate(ranked.documents, start=1):
            yield f"{trec_id(query)} Q0 {trec_id(document)} {rank} {len(ranked.documents) - rank + 1} {TAG}\n"


def write_run(path: Path, run: Run) -> None:
    """Write *run* to *path*.

    Raises:
        InputError: it cannot be written.
    """
    write_text(path, "".join(run_lines(run)))


def trec_id(name: str) -> str:
    """*name* as it stands in the judgements, but for what would break a line of a run: that is percent-encoded."""
    kept = {letter for letter in name if letter in JOINERS or (letter.isprintable() and not letter.isspace())}
    return "".join(letter if letter in kept else _percent_encoded(letter) for letter in name)


def _percent_encoded(letter: str) -> str:
    """A byte that is no text as itself, another half of a surrogate pair as UTF-8 would have it."""
    escapes = "surrogateescape" if "\udc80" <= letter <= "\udcff" else "surrogatepass"
    return quote(letter, safe="", errors=escapes)


def tsv_id(name: str) -> str:
    """*name* as a column between tabs: blanks may stay, but a tab or a line break has all of it encoded."""
    return name if name.isprintable() else trec_id(name)


def spelled(run: Run, spellings: Mapping[str, str]) -> dict[str, Ranked]:
    """*run* with the documents that *spellings* renames under their other ids."""
    return {
        query: Ranked(tuple(spellings.get(document, document) for document in ranked.documents))
        for query, ranked in run.items()
    }


def with_known_ids(run: Run, *, queries: Iterable[str], documents: Iterable[str]) -> dict[str, Ranked]:
    """*run* with the ids of the judgements in place of their percent-encoded forms."""
    asked = {trec_id(name): name for name in queries}
    known = {trec_id(name): name for name in documents}
    return {
        asked.get(query, query): Ranked(tuple(known.get(document, document) for document in ranked.documents))
        for query, ranked in run.items()
    }


def float32(value: float) -> float:
    """*value* as trec_eval holds it; too large a one is infinite."""
    import numpy as np

    with np.errstate(over="ignore"):
        return float(np.float32(value))
