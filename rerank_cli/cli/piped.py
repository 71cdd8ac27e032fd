"""Records from a pipe: lines, what grep prints, JSON lines, or what stands between NULs. Each is kept as it came."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal, NamedTuple

from rerank_cli.characters import whole_characters
from rerank_cli.errors import InputError, UsageError, in_words
from rerank_cli.files import json_object, json_record
from rerank_cli.words import STEERING, plain

Input = Literal["auto", "lines", "grep", "jsonl"]
"""What a record is: a line, what grep found (path:line:text), or a JSON object with a text. auto tells by itself."""

MOST_BYTES = 500_000_000
"""All records are held until the last is read, since the last may be the best."""

_LOOKED_AT = 100
"""So many records tell what all of them are."""

_MOST = 0.9
"""The share of them that must have a place before the text: grep writes a word of its own now and then."""

_PLACE = re.compile(r"(?:.{1,4096}?[:\0])?\d+:(?:\d+:)?")
_CONTEXT = re.compile(r"(?:.{1,4096}?[-\0])?\d+-(?:\d+-)?")
"""What stands before a line that was found, and before one that grep shows around it: path, line, column."""

_TIME = re.compile(r"(?:^|[\sT\[(])\d\d?:\d\d(?::\d\d)?\b")
"""What a line of a log begins with: no place, though it reads like one."""

_GAP = "--"
"""What stands between what grep found here and there, when it shows the lines around it."""

_MARK = b"\xef\xbb\xbf"
"""What some programs write before a text to say that it is UTF-8; it is no part of a record."""

_REMEDY = 'write an object with a "text" on each line, or score whole lines with --input lines'


class Record(NamedTuple):
    """A record as it came, without the sign that ends it, and what of it is read."""

    content: bytes
    text: str


class Ranked(NamedTuple):
    """Which record it is, what the reranker says of it, and for a file where its best passage stands."""

    number: int
    score: float
    logit: float
    place: str = ""


@dataclass(frozen=True, slots=True)
class Records:
    """The records of one stream, in their order. `end` ends each, `gap` is between two, `inner` parts their lines."""

    kind: Input
    records: Sequence[Record]
    end: bytes
    gap: bytes = b""
    inner: bytes = b""

    def written(self, ranked: Iterable[Ranked], *, scores: bool) -> Iterator[bytes]:
        """The records that are *ranked*, in that order and as they came, or each with its score."""
        for place, each in enumerate(ranked):
            if place and self.gap:
                yield self.gap
            content = self.records[each.number].content
            yield (self._with_score(content, each) if scores else content) + self.end

    def _with_score(self, content: bytes, ranked: Ranked) -> bytes:
        """As two more fields of an object; else in front, of each line that grep shows, and behind it the place."""
        if self.kind == "jsonl":
            return _with_fields(content, score=ranked.score, logit=ranked.logit)
        lines = content.split(self.inner) if self.inner else [content]
        behind = f"\t{ranked.place}".encode() if ranked.place else b""
        return self.inner.join(f"{ranked.score:.4f}\t".encode() + line + behind for line in lines)


def piped_bytes() -> bytes:
    """All that stdin has.

    Raises:
        UsageError: it is a terminal, or has too much.
        InputError: it cannot be read.
    """
    if sys.stdin.isatty():
        raise UsageError("nothing is piped in", remedy='as in: grep -rn timeout | rerank-cli rerank "why it stops"')
    try:
        content = sys.stdin.buffer.read(MOST_BYTES + 1)
    except OSError as error:
        raise InputError(f"stdin: cannot be read ({in_words(error)})", remedy="check where it comes from") from error
    if len(content) > MOST_BYTES:
        raise UsageError(f"stdin: has more than {MOST_BYTES // 1_000_000} MB", remedy="narrow it down, as with grep")
    return content


def read_records(content: bytes, *, kind: Input, null: bool) -> Records:
    """The records in *content*: its lines, or with *null* what stands between NULs. Blank ones are none.

    Raises:
        InputError: a record of JSON lines is no object with a text.
    """
    end = b"\0" if null else b"\n"
    numbered = [
        (number, part) for number, part in enumerate(content.removeprefix(_MARK).split(end), start=1) if part.strip()
    ]
    parts = [part for _, part in numbered]
    kind = _kind_of([_text(part) for part in parts[:_LOOKED_AT]]) if kind == "auto" else kind
    if kind == "grep":
        return _found_by_grep(parts, end)
    if kind == "jsonl":
        return Records(kind, [Record(part, _text_of_object(part, number)) for number, part in numbered], end)
    return Records(kind, [Record(part, _text(part)) for part in parts], end)


def read_names(content: bytes, *, null: bool) -> Records:
    """The names of files in *content*: a line each, or with *null* what stands between NULs, taken to the byte."""
    if null:
        return Records("lines", [Record(part, os.fsdecode(part)) for part in content.split(b"\0") if part], b"\0")
    parts = [part for part in content.split(b"\n") if part.strip()]
    return Records("lines", [Record(part, _name(part)) for part in parts], b"\n")


def _name(line: bytes) -> str:
    return STEERING.sub("", os.fsdecode(line)).removesuffix("\r")


def _text(part: bytes) -> str:
    return plain(part.decode("utf-8", errors="replace")).strip()


def _kind_of(texts: Sequence[str]) -> Input:
    """What records that begin with *texts* are; whatever is neither grep's nor JSON is a line."""
    if texts and texts[0].startswith("{") and any(map(_has_text, texts)):
        return "jsonl"
    lines = [text for text in texts if text != _GAP]
    found = [_end_of(_PLACE, text) > 0 for text in lines]
    placed = sum(is_found or _end_of(_CONTEXT, text) > 0 for is_found, text in zip(found, lines, strict=True))
    return "grep" if any(found) and placed >= _MOST * len(lines) else "lines"


# grep and ripgrep


def _found_by_grep(parts: Sequence[bytes], end: bytes) -> Records:
    """Each line; or, where lines around it are shown, all between two gaps, which are read and printed as one."""
    pairs = [(part, _text(part)) for part in parts]
    if all(text != _GAP for _, text in pairs):
        return Records("grep", [Record(part, _behind_place(text)) for part, text in pairs], end)
    records = []
    for is_gap, group in groupby(pairs, key=lambda pair: pair[1] == _GAP):
        if not is_gap:
            lines = list(group)
            text = "\n".join(_behind_place(text) for _, text in lines)
            records.append(Record(end.join(part for part, _ in lines), text))
    return Records("grep", records, end, gap=_GAP.encode() + end, inner=end)


def _behind_place(text: str) -> str:
    return text[_end_of(_PLACE, text) or _end_of(_CONTEXT, text) :].strip()


def _end_of(place: re.Pattern[str], text: str) -> int:
    """Where the *place* ends that *text* begins with; 0 if there is none, or it is a time."""
    found = place.match(text)
    if found is None:
        return 0
    time = _TIME.search(text, 0, found.end() + len("00:00"))
    return 0 if time and time.start() < found.end() < time.end() else found.end()


# JSON lines


def _has_text(line: str) -> bool:
    try:
        return isinstance(json_object(line).get("text"), str)
    except ValueError:
        return False


def _text_of_object(line: bytes, number: int) -> str:
    where = f"stdin:{number}"
    text = json_record(line.decode("utf-8", errors="replace"), where=where, remedy=_REMEDY).get("text")
    if not isinstance(text, str):
        raise InputError(f'{where}: has no "text"', remedy=_REMEDY)
    return whole_characters(text)


def _with_fields(line: bytes, **fields: float) -> bytes:
    """The object with *fields* at its end and all else as it was written; where it has one, with that changed."""
    record = json_object(line.decode("utf-8", errors="replace"))
    if record.keys() & fields.keys():
        return json.dumps({**record, **fields}, ensure_ascii=False).encode("utf-8", errors="backslashreplace")
    body = line.rstrip()
    return body[:-1].rstrip() + b", " + json.dumps(fields)[1:].encode() + line[len(body) :]
