"""Read files of records: a document from each line of JSONL, each row of CSV or TSV."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import chain, repeat

from rerank_cli.characters import whole_characters
from rerank_cli.corpus.read.encoded import without_encoded
from rerank_cli.corpus.read.errors import Unreadable
from rerank_cli.corpus.read.leaves import is_id, leaves, scalar
from rerank_cli.corpus.read.table import Row, Table, read_table, read_tabs
from rerank_cli.corpus.read.text import paragraphs
from rerank_cli.fields import Fields, fields_in, kept_fields
from rerank_cli.files import json_object
from rerank_cli.records import Document, Reading, at_lines

_ID_KEYS = ("_id", "id")
_NO_FIELDS = frozenset((*_ID_KEYS, "title", "text"))

# So many lines that are wrong are told one by one, the others by their number.
_MOST_TOLD = 5

_BETWEEN_OBJECTS = re.compile(r"[\s,]*")


@dataclass(frozen=True, slots=True)
class _Record:
    """A record as it stands in the file; `id` is empty where it has none."""

    id: str
    title: str
    text: str
    first_line: int
    last_line: int
    fields: Fields = ()


@dataclass(slots=True)
class _Records:
    """The records of a file, and what is to be told of the lines that are not in order."""

    good: list[_Record] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    damaged: bool = False
    again: Counter[str] = field(default_factory=Counter)

    def fault(self, line: int, what: str) -> None:
        self.faults.append(f"line {line}: {what}")

    def reading(self) -> Reading:
        """The documents. Raises Unreadable where there is nothing but faults."""
        if self.faults and not self.good:
            raise Unreadable(self.faults[0])
        documents: dict[str, Document] = {}
        for record in self.good:
            id = self._own_id(record, documents)
            documents[id] = _document(id, record)
        more = len(self.faults) - _MOST_TOLD
        told = [*self.faults[:_MOST_TOLD], *([f"{more} more such lines"] if more > 0 else [])]
        return Reading(tuple(documents.values()), tuple(told), self.damaged)

    def _own_id(self, record: _Record, taken: dict[str, Document]) -> str:
        """Of records with the same id, all but the first have their line in it."""
        id = record.id or f"line-{record.first_line}"
        if id not in taken:
            return id
        own = at_line = f"{id}@line-{record.first_line}"
        while own in taken:
            self.again[at_line] += 1
            own = f"{at_line}-{self.again[at_line]}"
        if record.id:
            self.fault(record.first_line, f"id {id!r} stood above already; it is called {own!r} here")
        return own


def read_jsonl(text: str, path: str) -> Reading:
    """One JSON object a line, with `_id` or `id`, perhaps `title` and `text`; what else it holds stands below."""
    records = _Records()
    for number, line in enumerate(text.split("\n"), start=1):
        try:
            records.good += [_json_record(each, number) for each in _json_objects(line)]
        except ValueError as error:
            records.fault(number, f"left out: {error}")
            records.damaged = True
    return records.reading()


def read_csv(text: str, path: str) -> Reading:
    """A header, then one record a row, with the columns that a JSON object would have as keys."""
    return _table_reading(read_table(text))


def read_tsv(text: str, path: str) -> Reading:
    """As CSV, with tabs; where the quotes do not add up, they belong to the text."""
    return _table_reading(read_tabs(text))


def _document(id: str, record: _Record) -> Document:
    """A title without a text is all there is to find, so it is the text."""
    blocks = paragraphs(without_encoded(record.text or record.title))
    whole = tuple(replace(block, place=at_lines(record.first_line, record.last_line)) for block in blocks)
    return Document(id, record.title, whole, record.fields)


def _json_objects(line: str) -> Iterator[dict[str, object]]:
    """The objects of *line*, nearly always one. They may be members of a list that is written one a line.

    Raises ValueError where there is anything else.
    """
    line = line.strip().lstrip("\x1e")  # which announces a record in JSON text sequences
    if not line or line in ("[", "]", "],"):
        return
    try:
        yield json_object(line)
    except ValueError:
        if not line.endswith((",", "}")) or not line.startswith("{"):
            raise
        objects = [*_adjoining_objects(line)]
        if not objects:
            raise
        yield from objects


def _adjoining_objects(line: str) -> Iterator[dict[str, object]]:
    """The objects that stand one after the other on *line*; none if there is anything else."""
    decoder = json.JSONDecoder()
    found = []
    at = 0
    try:
        while at < len(line):
            each, at = decoder.raw_decode(line, at)
            if not isinstance(each, dict):
                return
            found.append(each)
            gap = _BETWEEN_OBJECTS.match(line, at)
            at = gap.end() if gap else at
    except (ValueError, RecursionError):
        return
    yield from found


def _json_record(fields: dict[str, object], number: int) -> _Record:
    id = next((scalar(fields[key]) for key in _ID_KEYS if _is_id(fields.get(key))), "")
    title = _whole_text(fields.get("title")) or ""
    body = _whole_text(fields.get("text"))
    said = kept_fields(pair for key, value in fields.items() if key not in _NO_FIELDS for pair in fields_in(value, key))
    used = {*_ID_KEYS, *(["title"] if title else []), *(["text"] if body is not None else [])}
    others = {key: value for key, value in fields.items() if key not in used}
    if body is None:
        body = "\n\n".join(leaves(others.pop("text", None)))
    alone = [value for value in others.values() if value not in (None, "", [], {})]
    only = _whole_text(alone[0]) if len(alone) == 1 and not body else None
    text = only or _with_others(body, leaves(others))
    return _Record(whole_characters(id), whole_characters(title), whole_characters(text), number, number, said)


def _is_id(value: object) -> bool:
    return isinstance(value, (str, int, float)) and not isinstance(value, bool)


def _whole_text(value: object) -> str | None:
    """*value* as a text, a list of texts as paragraphs; None where it is something else."""
    if isinstance(value, list) and value and all(isinstance(part, str) for part in value):
        return "\n\n".join(value).strip()
    return str(value).strip() if _is_id(value) else None


def _with_others(body: str, others: Iterator[str]) -> str:
    below = "\n".join(others)
    return f"{body}\n\n{below}" if body and below else body or below


def _table_reading(table: Table) -> Reading:
    records = _Records(damaged=table.damaged)
    for line, what in table.faults:
        records.fault(line, what)
    records.good += [
        _Record("", "", ", ".join(cell.strip() for cell in cells if cell.strip()), first_line, last_line)
        for first_line, last_line, cells in table.above
    ]
    records.good += [_table_record(table.names, row) for row in table.rows]
    return records.reading()


def _table_record(names: tuple[str, ...], row: Row) -> _Record:
    first_line, last_line, cells = row
    columns = [(name, cell.strip()) for name, cell in zip(chain(names, repeat("")), cells, strict=False)]
    named = {name.casefold(): cell for name, cell in reversed(columns)}
    id = next((named[key] for key in _ID_KEYS if named.get(key)), "")
    others = (
        f"{name}: {cell}" if name else cell
        for name, cell in columns
        if cell and name.casefold() not in ("title", "text") and not is_id(name)
    )
    said = kept_fields(pair for name, cell in columns if _is_field(name) for pair in fields_in(cell, name))
    return _Record(id, named.get("title", ""), _with_others(named.get("text", ""), others), first_line, last_line, said)


def _is_field(name: str) -> bool:
    return bool(name) and name.casefold() not in _NO_FIELDS
