"""What a request asks for: its JSON, checked, as a record."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, NoReturn, cast

from rerank_cli.characters import named_id, whole_characters
from rerank_cli.errors import UsageError
from rerank_cli.filters import FilterOptions
from rerank_cli.library import QueryOptions, SearchOptions
from rerank_cli.search import check_query

MOST_QUERY_LETTERS = 1000
"""A longer question is asked in many pieces, so that even a few passages of it would take others their time."""

MOST_TEXTS = 1000
MOST_TEXT_LETTERS = 20_000

LISTS = ("paths", "not_paths", "extensions", "where")
MOST_PATTERNS = 20
MOST_PATTERN_LETTERS = 200

SEARCH_KEYS = frozenset({"query", "query_id", *SearchOptions.__annotations__, *FilterOptions.__annotations__})
RERANK_KEYS = frozenset({"query", "texts", "top_n", "budget"})


@dataclass(frozen=True, slots=True)
class AskedSearch:
    """A search. `budget_s` is None where the request has none."""

    query: str
    query_id: str
    budget_s: object
    options: QueryOptions


@dataclass(frozen=True, slots=True)
class AskedRerank:
    """Texts to be ordered, of which the best `top_n` are wanted, or all."""

    query: str
    texts: tuple[str, ...]
    top_n: int | None
    budget_s: object


def search_of(body: bytes) -> AskedSearch:
    """The search that *body* asks for; values of options are checked where it is done.

    Raises:
        UsageError: it is no JSON, lacks a query, or has what no search has.
    """
    record = _record(body, known=SEARCH_KEYS)
    options = {key: value for key, value in record.items() if key not in ("query", "query_id", "budget")}
    for key in LISTS:
        _check_patterns(key, options.get(key, ()))
    for key in ("since", "until"):
        if not isinstance(options.get(key), str | int | None) or isinstance(options.get(key), bool):
            raise _wrong(key, "a date, or how long ago")
    if isinstance(options.get("top_n"), int) and options["top_n"] > MOST_TEXTS:
        raise _wrong("top_n", f"at most {MOST_TEXTS}")
    query_id = named_id(record, "query_id") if "query_id" in record else "1"
    if query_id is None:
        raise _wrong("query_id", "a text or a number")
    return AskedSearch(_query(record), query_id, record.get("budget"), cast("QueryOptions", options))


def rerank_of(body: bytes) -> AskedRerank:
    """What *body* asks to be reranked.

    Raises:
        UsageError: it is no JSON, lacks a query or texts, or has what no such request has.
    """
    record = _record(body, known=RERANK_KEYS)
    texts, top_n = record.get("texts"), record.get("top_n")
    if not isinstance(texts, list) or not texts or len(texts) > MOST_TEXTS:
        raise _wrong("texts", f"a list of 1 to {MOST_TEXTS} texts")
    for text in texts:
        if not isinstance(text, str) or len(text) > MOST_TEXT_LETTERS:
            raise _wrong("texts", f"texts of at most {MOST_TEXT_LETTERS} letters")
    if top_n is not None and (type(top_n) is not int or top_n < 1):
        raise _wrong("top_n", "a whole number of 1 or more")
    return AskedRerank(_query(record), tuple(texts), top_n, record.get("budget"))


def _record(body: bytes, *, known: frozenset[str]) -> Mapping[str, Any]:
    """The object in *body*, which has no keys but those that are *known*."""
    try:
        record = json.loads(body.decode("utf-8"), parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise UsageError("the body is no JSON", remedy='send an object such as {"query": "smell of gas"}') from error
    if not isinstance(record, dict):
        raise UsageError("the body is no JSON object", remedy='send one such as {"query": "smell of gas"}')
    for key in record:
        if key not in known:
            like = get_close_matches(key, known, n=1)
            shown = whole_characters(key[:40])
            raise UsageError(
                f"unknown key {shown!r}",
                remedy=f"did you mean {like[0]}?" if like else f"known: {', '.join(sorted(known))}",
            )
    return {key: _whole(value) for key, value in record.items()}


def _whole(value: Any) -> Any:
    """*value* with no half of a surrogate pair in its texts."""
    if isinstance(value, list):
        return [_whole(each) if isinstance(each, str) else each for each in value]
    return whole_characters(value) if isinstance(value, str) else value


def _no_number(word: str) -> NoReturn:
    raise ValueError(word)


def _query(record: Mapping[str, Any]) -> str:
    query = record.get("query")
    if not isinstance(query, str):
        raise _wrong("query", "a text")
    if len(query) > MOST_QUERY_LETTERS:
        raise _wrong("query", f"at most {MOST_QUERY_LETTERS} letters long here")
    return check_query(query)


def _check_patterns(key: str, given: object) -> None:
    listed = (given,) if isinstance(given, str) else given
    if not isinstance(listed, list | tuple) or len(listed) > MOST_PATTERNS:
        raise _wrong(key, f"a text, or at most {MOST_PATTERNS} of them")
    if not all(isinstance(each, str) and len(each) <= MOST_PATTERN_LETTERS for each in listed):
        raise _wrong(key, f"texts of at most {MOST_PATTERN_LETTERS} letters")


def _wrong(key: str, allowed: str) -> UsageError:
    return UsageError(f"{key} is not what it may be", remedy=f"allowed: {allowed}")
