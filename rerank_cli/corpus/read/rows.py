"""Read files of records: a document from each line of JSONL, each row of CSV or TSV."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from rerank_cli.characters import whole_characters
from rerank_cli.corpus.read.errors import Unreadable
from rerank_cli.corpus.read.text import paragraphs
from rerank_cli.files import json_object
from rerank_cli.records import Document, Reading, at_lines

_QUOTED = re.compile(r'"[^"]*"')

_Row = tuple[int, int, list[str]]  # its first line, its last line, its cells


@dataclass(frozen=True, slots=True)
class _Record:
    """A record as it stands in the file; `id` is empty where it has none."""

    id: str
    title: str
    text: str
    first_line: int
    last_line: int


def read_jsonl(text: str, path: str) -> Reading:
    """One JSON object a line, with `_id` or `id`, perhaps `title`, and `text` or other strings."""
    return _documents(_json_records(text))


def read_csv(text: str, path: str) -> Reading:
    """A header, then one record a row, with the columns that a JSON object would have as keys.

    A comma, a semicolon or a tab between the cells, whichever the header has most of.
    """
    header = _QUOTED.sub("", next((line for line in text.split("\n") if line.strip()), ""))
    return _documents(_table_records(text, delimiter=max(",;\t", key=header.count)))


def read_tsv(text: str, path: str) -> Reading:
    """As CSV, with tabs; where the quotes do not add up, they belong to the text."""
    return _documents(_table_records(text, delimiter="\t"))


def _documents(records: Iterable[_Record]) -> Reading:
    documents = []
    lines: dict[str, int] = {}
    for record in records:
        id = record.id or f"line-{record.first_line}"
        if id in lines:
            raise Unreadable(f"id {id!r} stands on line {lines[id]} and again on line {record.first_line}")
        lines[id] = record.first_line
        documents.append(_document(id, record))
    return Reading(tuple(documents))


def _document(id: str, record: _Record) -> Document:
    """A title without a text is all there is to find, so it is the text."""
    blocks = paragraphs(record.text or record.title)
    whole = tuple(replace(block, place=at_lines(record.first_line, record.last_line)) for block in blocks)
    return Document(id, record.title, whole)


def _json_records(text: str) -> Iterator[_Record]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        fields = _json_object(line, number)
        id = next((str(fields[key]) for key in ("_id", "id") if _is_scalar(fields.get(key))), "")
        title = _text_field(fields, "title", number)
        body = _text_field(fields, "text", number) if "text" in fields else _other_strings(fields)
        yield _Record(whole_characters(id), whole_characters(title), whole_characters(body), number, number)


def _json_object(line: str, number: int) -> dict[str, object]:
    try:
        return json_object(line)
    except ValueError as error:
        raise Unreadable(f"line {number}: {error}") from error


def _other_strings(fields: dict[str, object]) -> str:
    others = (value for key, value in fields.items() if key not in ("_id", "id", "title"))
    return "\n".join(value for value in others if isinstance(value, str) and value.strip())


def _is_scalar(value: object) -> bool:
    return isinstance(value, (str, int, float)) and not isinstance(value, bool)


def _text_field(fields: dict[str, object], key: str, number: int) -> str:
    """The text under *key*, that of a list of strings in paragraphs; empty where there is none."""
    value = fields.get(key)
    if value is None:
        return ""
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return "\n\n".join(value).strip()
    if not _is_scalar(value):
        raise Unreadable(f"line {number}: {key!r} is neither a text nor a list of texts")
    return str(value).strip()


def _table_records(text: str, *, delimiter: str) -> Iterator[_Record]:
    rows = _rows(text, delimiter)
    _, _, header = next(rows, (0, 0, []))
    names = [name.strip() for name in header]
    for first_line, last_line, cells in rows:
        if len(cells) > len(names):
            raise Unreadable(f"line {first_line}: {len(cells)} cells under a header of {len(names)}")
        yield _table_record(list(zip(names, cells, strict=False)), first_line, last_line)


def _table_record(cells: list[tuple[str, str]], first_line: int, last_line: int) -> _Record:
    named = {name.casefold(): cell.strip() for name, cell in reversed(cells)}
    id = named.get("_id") or named.get("id") or ""
    others = [
        f"{name}: {cell.strip()}" if name else cell.strip()
        for name, cell in cells
        if name.casefold() not in ("_id", "id", "title") and cell.strip()
    ]
    body = named["text"] if "text" in named else "\n".join(others)
    return _Record(id, named.get("title", ""), body, first_line, last_line)


def _rows(text: str, delimiter: str) -> Iterator[_Row]:
    """Each row that has any cells. Files with tabs are seldom quoted: their texts have no tabs to hide."""
    # The limit is there for untrusted streams; this text is in memory already, and no cell is longer.
    csv.field_size_limit(max(csv.field_size_limit(), len(text)))
    if delimiter != "\t":
        return _parsed_rows(text, delimiter, csv.QUOTE_MINIMAL)
    try:
        return iter(list(_parsed_rows(text, delimiter, csv.QUOTE_MINIMAL)))
    except Unreadable:
        return _parsed_rows(text, delimiter, csv.QUOTE_NONE)


def _parsed_rows(text: str, delimiter: str, quoting: Literal[0, 3]) -> Iterator[_Row]:
    reader = csv.reader(io.StringIO(text, newline="\n"), delimiter=delimiter, quoting=quoting, strict=True)
    first_line = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield first_line, reader.line_num, cells
            first_line = reader.line_num + 1
    except csv.Error as error:
        raise Unreadable(f"line {first_line}: {error}") from error
