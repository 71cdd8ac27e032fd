"""Records from a pipe: lines, matches of grep, JSON lines, or what stands between NULs. Each is kept as it came."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rerank_cli.characters import whole_characters
from rerank_cli.errors import InputError, UsageError, in_words
from rerank_cli.files import json_object
from rerank_cli.words import plain

Input = Literal["auto", "lines", "grep", "jsonl"]
"""What a record is: a line, a match of grep's (path:line:text), or a JSON object with a text. auto tells by itself."""

MOST_BYTES = 500_000_000
"""All records are held until the last is read, since the last may be the best."""

MOST_LETTERS = 20_000
"""Of a text, for the reranker: what lies beyond is far outside its window and would only take time."""

# A path, a line, perhaps a column, and the text. Around a match, grep -C writes dashes in place of the colons.
_MATCH = re.compile(
    r"(?P<path>[^\n]*?[^\s:])(?P<mark>[:-])(?P<line>[0-9]+)(?P=mark)(?:[0-9]+:)?(?P<text>.*)", re.DOTALL
)
_BETWEEN_GROUPS = "--"

_FEW = 1000
"""So many records tell what all of them are."""


@dataclass(frozen=True, slots=True)
class Record:
    """What came, without the sign that ends it, and what of it is read."""

    content: bytes
    text: str
    is_object: bool = False

    def scored(self, score: float, logit: float) -> bytes:
        """The record with its score: as two more fields of a JSON object, else in front and with a tab."""
        if not self.is_object:
            return f"{score:.4f}\t".encode() + self.content
        fields = {**json_object(self.content.decode("utf-8", errors="replace")), "score": score, "logit": logit}
        return json.dumps(fields, ensure_ascii=False).encode("utf-8", errors="backslashreplace")


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


def records_of(content: bytes, *, kind: Input, null: bool) -> list[Record]:
    """The records in *content*: its lines, or with *null* what stands between NULs. Empty ones are none.

    Raises:
        UsageError: one of them is not of its *kind*.
    """
    parts = parts_of(content, null=null)
    texts = [plain(part.decode("utf-8", errors="replace")).strip("\r\n") for part in parts]
    kind = _kind_of(texts[:_FEW]) if kind == "auto" else kind
    pairs = zip(parts, texts, strict=True)
    if kind == "grep":
        return [Record(part, _behind_its_place(text)) for part, text in pairs if text != _BETWEEN_GROUPS]
    if kind == "jsonl":
        return [Record(part, _text_in(text, at), is_object=True) for at, (part, text) in enumerate(pairs, start=1)]
    return [Record(part, text[:MOST_LETTERS]) for part, text in pairs]


def parts_of(content: bytes, *, null: bool) -> list[bytes]:
    """The lines of *content*, or with *null* what stands between NULs; empty ones are none."""
    return [part for part in content.split(b"\0" if null else b"\n") if part.strip()]


def _kind_of(texts: Sequence[str]) -> Input:
    """What records that begin with *texts* are; whatever is neither grep's nor JSON is a line."""
    if texts and all(text.lstrip().startswith("{") for text in texts):
        try:
            return "jsonl" if isinstance(json_object(texts[0]).get("text"), str) else "lines"
        except ValueError:
            return "lines"
    matches = [_MATCH.fullmatch(text) for text in texts if text != _BETWEEN_GROUPS]
    has_match = any(match is not None and match["mark"] == ":" for match in matches)
    return "grep" if has_match and None not in matches else "lines"


def _behind_its_place(text: str) -> str:
    """What grep found, or all of a line that does not tell where."""
    match = _MATCH.fullmatch(text)
    return (match["text"] if match else text)[:MOST_LETTERS]


def _text_in(line: str, number: int) -> str:
    try:
        text = json_object(line).get("text")
    except ValueError as error:
        raise UsageError(f"stdin:{number}: {error}", remedy="say what it is with --input") from error
    if not isinstance(text, str):
        raise UsageError(f"stdin:{number}: has no text", remedy='write objects with a field "text", or name --input')
    return whole_characters(text)[:MOST_LETTERS]
