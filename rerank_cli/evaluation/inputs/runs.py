"""Rankings of documents, and TREC run files in and out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from rerank_cli.files import write_text
from rerank_cli.trec import read_scores, run_lines, trec_id, trec_order


@dataclass(frozen=True, slots=True)
class Ranked:
    """What a query brought: documents best first, each once, and those that a reader is handed something of.

    `contexts` holds the latter by the tokens that the reader takes, `scores` what orders the documents; a run that was
    read from a file has neither, nor one that is only measured.
    """

    documents: tuple[str, ...]
    contexts: Mapping[int, frozenset[str]] = field(default_factory=dict, hash=False)
    scores: tuple[float, ...] = ()


Run = Mapping[str, Ranked]
"""What each query brought, by the query's id."""


def read_run(path: Path) -> dict[str, Ranked]:
    """A TREC run, ordered as trec_eval orders it.

    Raises:
        InputError: as `read_scores`.
    """
    return {query: Ranked(trec_order(scores)) for query, scores in read_scores(path).items()}


def write_run(path: Path, run: Run) -> None:
    """Write *run* to *path*.

    Raises:
        InputError: it cannot be written.
    """
    lines = (
        line
        for query, ranked in run.items()
        for line in run_lines(query, zip(ranked.documents, ranked.scores, strict=True))
    )
    write_text(path, "".join(lines))


def spelled(run: Run, spellings: Mapping[str, str]) -> dict[str, Ranked]:
    """*run* with the documents that *spellings* renames under their other ids."""
    return {query: _renamed(ranked, spellings) for query, ranked in run.items()}


def with_known_ids(run: Run, *, queries: Iterable[str], documents: Iterable[str]) -> dict[str, Ranked]:
    """*run* with the ids of the judgements in place of their percent-encoded forms."""
    asked = {trec_id(name): name for name in queries}
    known = {trec_id(name): name for name in documents}
    return {asked.get(query, query): _renamed(ranked, known) for query, ranked in run.items()}


def _renamed(ranked: Ranked, names: Mapping[str, str]) -> Ranked:
    """*ranked* without its contexts, its documents under the other *names* that they have."""
    return replace(ranked, documents=tuple(names.get(name, name) for name in ranked.documents), contexts={})
