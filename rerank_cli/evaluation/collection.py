"""Queries and judgements: BEIR folders, TREC topics and qrels, plain TSV and JSONL."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rerank_cli.characters import named_id
from rerank_cli.errors import InputError, UsageError
from rerank_cli.files import json_record, numbered_lines
from rerank_cli.trec import read_qrels, trec_id

QUERY_NAMES = ("queries.jsonl", "queries.tsv", "topics.txt")
QRELS_NAMES = ("qrels/test.tsv", "qrels.tsv", "qrels.txt")

QUERY_SHAPE = 'write {"_id": …, "text": …}, id<TAB>text, or TREC topics'
CLOSE = "close each <top> with </top>"

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
    """

    queries: tuple[JudgedQuery, ...]
    qrels: Qrels
    unjudged: tuple[str, ...] = ()
    textless: tuple[str, ...] = ()
    spellings: Mapping[str, str] = field(default_factory=dict)

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
    texts = read_queries(queries)
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


# Queries


def read_queries(path: Path) -> dict[str, str]:
    """The text of each query by its id, in the order of the file: JSONL, TREC topics or TSV.

    Raises:
        InputError: the file cannot be read, holds none, or a line is malformed.
    """
    lines = list(numbered_lines(path))
    if lines and lines[0][1].lstrip().lower().startswith("<top>"):
        parsed = _topics(path, lines)
    else:
        parsed = [(number, *_query(line, f"{path}:{number}")) for number, line in lines]
    texts: dict[str, str] = {}
    for number, name, text in parsed:
        if name in texts:
            raise InputError(f"{path}:{number}: the query {name!r} stands twice", remedy="give each query its own id")
        texts[name] = text
    if not texts:
        raise InputError(f"{path}: holds no query", remedy=QUERY_SHAPE)
    return texts


def _query(line: str, where: str) -> tuple[str, str]:
    if not line.lstrip().startswith("{"):
        name, _, text = line.partition("\t")
        if not name.strip() or not text.strip():
            raise InputError(f"{where}: not id<TAB>text", remedy="put a tab between the id and the query")
        return name.strip(), text.strip()
    record = json_record(line, where=where)
    found, content = named_id(record, "_id", "query_id", "id"), record.get("text", record.get("query"))
    if found is None or not isinstance(content, str) or not content.strip():
        raise InputError(f"{where}: not a query with _id and text", remedy=QUERY_SHAPE)
    return found, content


def _topics(path: Path, lines: list[tuple[int, str]]) -> list[tuple[int, str, str]]:
    """TREC topics: the number and the title of each `<top>`; description and narrative are left aside."""
    parsed: list[tuple[int, str, str]] = []
    start, topic = 0, ""
    for number, line in lines:
        opened = line.lstrip().lower().startswith("<top>")
        if opened and topic:
            raise InputError(f"{path}:{number}: the <top> of line {start} is still open", remedy=CLOSE)
        if not opened and not topic:
            raise InputError(f"{path}:{number}: stands outside a <top>", remedy=CLOSE)
        start, topic = (number, line) if opened else (start, f"{topic}\n{line}")
        if "</top>" in line.lower():
            parsed.append((start, *_topic(topic, f"{path}:{start}")))
            topic = ""
    if topic:
        raise InputError(f"{path}:{start}: this <top> is not closed", remedy=CLOSE)
    return parsed


def _topic(topic: str, where: str) -> tuple[str, str]:
    number = re.search(r"<num>\s*(?:Number:)?\s*([^\s<]+)", topic, re.IGNORECASE)
    title = re.search(r"<title>\s*(?:Topic:)?\s*([^<]*)", topic, re.IGNORECASE)
    text = " ".join(title[1].split()) if title else ""
    if not number or not text:
        raise InputError(f"{where}: a topic without <num> or <title>", remedy="each <top> needs both")
    return number[1], text
