"""Queries from a file, the same for every command: JSONL, lines of id<TAB>text, or TREC topics."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rerank_cli.characters import named_id, whole_characters
from rerank_cli.errors import InputError
from rerank_cli.files import json_record, numbered_lines

ID_KEYS = ("_id", "query_id", "query-id", "id")
"""What published files call a query's id; the first that a record has counts."""

TEXT_KEYS = ("text", "query")

SHAPE = 'write {"_id": …, "text": …}, id<TAB>text, or TREC topics'

CLOSE = "close each <top> with </top>"


@dataclass(frozen=True, slots=True)
class Query:
    """A query, the id that machine formats print, and where it was read, as errors begin: `file:line: `."""

    id: str
    text: str
    origin: str = ""


def read_queries(path: Path) -> tuple[Query, ...]:
    """The queries of *path*, at least one, each id once, in their order.

    Raises:
        InputError: the file cannot be read, holds none, a line is malformed, or an id stands twice.
    """
    lines = list(numbered_lines(path))
    is_topics = bool(lines) and _opens(lines[0][1])
    queries: dict[str, Query] = {}
    for query in _topics(path, lines) if is_topics else _lines(path, lines):
        if query.id in queries:
            raise InputError(f"{query.origin}the query {query.id!r} stands twice", remedy="give each query its own id")
        queries[query.id] = query
    if not queries:
        raise InputError(f"{path}: holds no query", remedy=SHAPE)
    return tuple(queries.values())


# A query a line


def _lines(path: Path, lines: list[tuple[int, str]]) -> Iterator[Query]:
    for number, line in lines:
        where = f"{path}:{number}"
        name, text = _json_query(line, where) if line.lstrip().startswith("{") else _columns(line, where)
        yield Query(name, text, origin=f"{where}: ")


def _columns(line: str, where: str) -> tuple[str, str]:
    name, _, text = line.partition("\t")
    if not name.strip() or not text.strip():
        raise InputError(f"{where}: not id<TAB>text", remedy="put a tab between the id and the query")
    return name.strip(), text.strip()


def _json_query(line: str, where: str) -> tuple[str, str]:
    record = json_record(line, where=where, remedy=SHAPE)
    name = named_id(record, *ID_KEYS)
    text = next((record[key] for key in TEXT_KEYS if key in record), None)
    if name is None or not isinstance(text, str) or not text.strip():
        raise InputError(f"{where}: not a query with _id and text", remedy=SHAPE)
    return name, whole_characters(text)


# TREC topics


def _topics(path: Path, lines: list[tuple[int, str]]) -> Iterator[Query]:
    """The number and the title of each `<top>`; description and narrative are left aside."""
    start, topic = 0, ""
    for number, line in lines:
        if _opens(line) and topic:
            raise InputError(f"{path}:{number}: the <top> of line {start} is still open", remedy=CLOSE)
        if not _opens(line) and not topic:
            raise InputError(f"{path}:{number}: stands outside a <top>", remedy=CLOSE)
        start, topic = (start, f"{topic}\n{line}") if topic else (number, line)
        if "</top>" in line.lower():
            yield _topic(topic, f"{path}:{start}: ")
            topic = ""
    if topic:
        raise InputError(f"{path}:{start}: this <top> is not closed", remedy=CLOSE)


def _opens(line: str) -> bool:
    return line.lstrip().lower().startswith("<top>")


def _topic(topic: str, origin: str) -> Query:
    number = re.search(r"<num>\s*(?:Number:)?\s*([^\s<]+)", topic, re.IGNORECASE)
    title = re.search(r"<title>\s*(?:Topic:)?\s*([^<]*)", topic, re.IGNORECASE)
    text = " ".join(title[1].split()) if title else ""
    if not number or not text:
        raise InputError(f"{origin}a topic without <num> or <title>", remedy="each <top> needs both")
    return Query(number[1], text, origin)
