"""What a document says of itself beside its text: keys with values, how these are kept and compared, and its date."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, time
from itertools import islice

from rerank_cli.characters import whole_characters
from rerank_cli.dates import span_of

Fields = tuple[tuple[str, str], ...]
"""Pairs of a key, in small letters, and a value. A key with several values stands in several pairs."""

# What is more, or longer, is data or text, and no field that somebody filters by.
MOST_FIELDS = 100
MOST_KEY_CHARS = 60
MOST_VALUE_CHARS = 200

# Values that are looked at: an alias of YAML can stand for more of them than any memory holds.
_MOST_LEAVES = 1000

_ALIKE = (("tag", "tags"), ("author", "authors"), ("category", "categories"), ("keyword", "keywords"))
"""Keys that mean the same: documents of one folder have either."""

LISTS = frozenset(("tag", "tags", "category", "categories", "keyword", "keywords"))
"""Keys whose value is a list, also where it is one text with commas."""

DATES = frozenset(
    (
        *("date", "created", "issued", "published", "publishdate", "publisheddate", "publishedtime", "pubdate"),
        *("datepublished", "datecreated", "createdtime", "postdate"),
        *("updated", "lastmod", "modified", "lastmodified", "lastupdated", "lastupdate", "updatedtime", "modifiedtime"),
        *("datemodified", "dateupdated", "updateddate", "modifieddate", "revised", "revdate"),
    )
)
"""Keys whose values are dates of the document, without what stands between their words."""


def kept_fields(pairs: Iterable[tuple[str, str]]) -> Fields:
    """*pairs* as they are kept: each once, on one line, without those that are too long or say nothing."""
    found: dict[tuple[str, str], None] = {}
    for key, value in pairs:
        pair = (folded(key), " ".join(whole_characters(value).split()))
        if pair[0] and pair[1] and len(pair[0]) <= MOST_KEY_CHARS and len(pair[1]) <= MOST_VALUE_CHARS:
            found[pair] = None
            if len(found) == MOST_FIELDS:
                break
    return tuple(found)


def fields_in(value: object, key: str = "") -> Iterator[tuple[str, str]]:
    """A pair for each text, number, truth value and date in *value*; nested keys are joined by a dot.

    Of what may be a list, such as tags, a text with commas is one.
    """
    waiting: list[tuple[str, object]] = [(key, value)]
    for _ in range(_MOST_LEAVES):
        if not waiting:
            return
        key, value = waiting.pop()
        if isinstance(value, Mapping):
            below = islice(value.items(), MOST_FIELDS)
            named = [(f"{key}.{name}" if key else f"{name}", each) for name, each in below]
            waiting += reversed([(name, each) for name, each in named if len(name) <= MOST_KEY_CHARS])
        elif isinstance(value, list | tuple):
            waiting += reversed([(key, each) for each in islice(value, MOST_FIELDS)])
        elif text := _text(value):
            yield from ((key, each) for each in _listed(key, text))


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, date | datetime | time):
        return value.isoformat()
    return str(value).strip() if isinstance(value, str | int | float) else ""


def _listed(key: str, text: str) -> list[str]:
    """The values in *text*; Obsidian and Org write a tag with signs about it."""
    if folded(key).rpartition(".")[2] not in LISTS:
        return [text]
    return [each for part in re.split("[,;]", text) if (each := part.strip().lstrip("#").strip())]


def folded(text: str) -> str:
    """*text* as it is compared: without regard to case, to kinds of blanks, and to how an accent is written."""
    return " ".join(unicodedata.normalize("NFC", whole_characters(text)).casefold().split())


def alike(key: str) -> tuple[str, ...]:
    """The keys that mean what *key* does."""
    own = folded(key)
    return next((keys for keys in _ALIKE if own in keys), (own,))


def date_of(fields: Fields) -> int | None:
    """The latest of the dates among *fields*, in seconds since 1970 in UTC; None where there is none."""
    spans = (span_of(value) for key, value in fields if _is_date(key))
    return max((span[0] for span in spans if span), default=None)


def _is_date(key: str) -> bool:
    return "".join(letter for letter in key if letter.isalnum()) in DATES
