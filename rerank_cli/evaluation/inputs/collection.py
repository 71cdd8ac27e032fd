"""A collection: queries and the judgements of them, in a folder as BEIR has it or in files that are named."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rerank_cli.errors import InputError, UsageError
from rerank_cli.queries import read_queries
from rerank_cli.trec import read_qrels, trec_id

QUERY_NAMES = ("queries.jsonl", "queries.tsv", "topics.txt")
QRELS_NAMES = ("qrels/test.tsv", "qrels.tsv", "qrels.txt")

Qrels = Mapping[str, Mapping[str, int]]
"""The grade of each judged document by query and document; 1 and above is relevant."""


@dataclass(frozen=True, slots=True)
class JudgedQuery:
    """A query that stands in the judgements."""

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class Collection:
    """The queries to ask, in the order of their file, and their judgements.

    `unjudged` are queries without a judgement, `textless` judged ones that no file gives a text for:
    neither is asked. `spellings` gives the judgements' own id of each document that the index knows by another.
    `outside` are judged documents that a filter leaves out, and `barren` the queries that it leaves nothing to find.
    """

    queries: tuple[JudgedQuery, ...]
    qrels: Qrels
    unjudged: tuple[str, ...] = ()
    textless: tuple[str, ...] = ()
    spellings: Mapping[str, str] = field(default_factory=dict)
    outside: tuple[str, ...] = ()
    barren: tuple[str, ...] = ()

    @property
    def judged_documents(self) -> tuple[str, ...]:
        """Every document that stands in the judgements, each once."""
        return tuple(dict.fromkeys(document for grades in self.qrels.values() for document in grades))

    @property
    def fingerprint(self) -> str:
        """Of the queries that are asked and of their judgements: what two results must share to be compared."""
        content = [[query.id, query.text, sorted(self.qrels[query.id].items())] for query in self.queries]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]


def read_collection(queries: Path, qrels: Path) -> Collection:
    """Read both files and join them by the query's id.

    Raises:
        InputError: a file cannot be read, a line is malformed, or no query is judged.
    """
    texts = {query.id: query.text for query in read_queries(queries)}
    encoded = {trec_id(name): name for name in texts}
    grades = {name if name in texts else encoded.get(name, name): judged for name, judged in read_qrels(qrels).items()}
    asked = tuple(JudgedQuery(name, text) for name, text in texts.items() if name in grades)
    if not asked:
        raise InputError(f"{qrels}: judges none of the queries of {queries}", remedy="check that their ids agree")
    return Collection(
        queries=asked,
        qrels={query.id: grades[query.id] for query in asked},
        unjudged=tuple(name for name in texts if name not in grades),
        textless=tuple(name for name in grades if name not in texts),
    )


def collection_files(root: Path, *, folder: Path | None, queries: Path | None, qrels: Path | None) -> tuple[Path, Path]:
    """The *queries* and the *qrels*; what is not named lies in *folder*, or in the indexed *root*.

    Raises:
        UsageError: there are none.
    """
    place = folder or (root if root.is_dir() else root.parent)
    if folder is None and not (queries and qrels) and None in find_files(place):
        given = queries or qrels
        missing = "--qrels" if queries else "--queries"
        raise UsageError(
            f"{place}: no queries with judgements there",
            remedy=f"add {missing} FILE" if given else "name a folder with --collection, or make one: eval init",
        )
    return queries or queries_in(place), qrels or qrels_in(place)


def find_files(folder: Path) -> tuple[Path | None, Path | None]:
    """The queries and the judgements of a collection's *folder*, each None where it has none."""
    return _first(folder, QUERY_NAMES), _first(folder, QRELS_NAMES)


def queries_in(folder: Path) -> Path:
    """The queries of *folder*, or UsageError if it has none."""
    return _required(folder, QUERY_NAMES, flag="--queries")


def qrels_in(folder: Path) -> Path:
    """The judgements of *folder*, or UsageError if it has none."""
    return _required(folder, QRELS_NAMES, flag="--qrels")


def _required(folder: Path, names: tuple[str, ...], *, flag: str) -> Path:
    found = _first(folder, names)
    if found is None:
        raise UsageError(f"{folder}: no {' or '.join(names)} there", remedy=f"name the file with {flag}")
    return found


def _first(folder: Path, names: tuple[str, ...]) -> Path | None:
    return next((folder / name for name in names if (folder / name).is_file()), None)
