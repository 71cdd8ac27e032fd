"""Filters as expressions that Milvus searches within.

Extensions, dates, fields and plain patterns are expressions of their own. What else git's patterns say, no expression
can: `*` stops at a slash there. Such a pattern is matched with the list of files, which is kept in the engine, and the
files that it takes are named, so many in a search that each expression stays small. A value with a wildcard is matched
in the same way with the values that its key has. Passages never come here for a filter.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from rerank_cli.fields import alike, folded
from rerank_cli.filters import file_test
from rerank_cli.ports import FieldRule, Filter
from rerank_cli.store.milvus.engine import in_pieces, listed
from rerank_cli.store.milvus.rows import field_value

PATHS_AT_ONCE = 2_000
"""Files that an expression names."""

NOTHING = "born < 0"
"""What holds for no row."""

_WILD = re.compile(r"[*?\[\]\\]")
_ENDING = re.compile(r"\*(\.[^*?\[\]\\/]+)(/?)")

Paths = Callable[[], Iterable[str]]
Values = Callable[[Sequence[str]], Iterable[str]]


def expressions_of(within: Filter, *, paths: Paths, values: Values) -> list[str]:
    """Expressions of which one holds for each passage *within*; several are searched one after another.

    *paths* gives all files of the index, and *values* what documents have for any of some keys; they are asked only
    where an expression cannot say what is meant.

    Raises:
        UsageError: a pattern of the filter is none.
    """
    both = " and ".join(f"({part})" for part in _parts(within, values))
    plain = _of_files(within)
    if plain is not None:
        return [" and ".join(filter(None, (both, plain)))]
    return [" and ".join(filter(None, (both, piece))) for piece in _named_files(within, paths)]


def _parts(within: Filter, values: Values) -> Iterable[str]:
    if within.extensions:
        yield f"array_contains_any(endings, {listed(within.extensions)})"
    if within.since is not None:
        yield f"second >= {within.since}"
    if within.until is not None:
        yield f"second < {within.until}"
    for rule in within.fields:
        yield _rule(rule, values)


def _rule(rule: FieldRule, values: Values) -> str:
    keys, value = alike(rule.key), folded(rule.value)
    if value == "*":
        wanted = [field_value(key) for key in keys]
    elif "*" in value or "?" in value:
        pattern = re.compile(".*".join(map(_with_marks, value.split("*"))), re.DOTALL)
        fitting = [found for found in values(keys) if pattern.fullmatch(found)]
        wanted = [field_value(key, found) for key in keys for found in fitting]
    else:
        wanted = [field_value(key, value) for key in keys]
    holds = f"array_contains_any(fields, {listed(wanted)})" if wanted else NOTHING
    return f"not ({holds})" if rule.differs else holds


def _with_marks(text: str) -> str:
    return ".".join(map(re.escape, text.split("?")))


def _of_files(within: Filter) -> str | None:
    """What *within* says of files by patterns, where plain expressions can say it."""
    if within.base and (within.paths or within.not_paths):
        return None
    said = [_plain(pattern) for pattern in (*within.paths, *within.not_paths)]
    if None in said:
        return None
    wanted, unwanted = said[: len(within.paths)], said[len(within.paths) :]
    parts = [f"array_contains_any(places, {listed(_flat(wanted))})"] if wanted else []
    parts += [f"not (array_contains_any(places, {listed(_flat(unwanted))}))"] if unwanted else []
    return " and ".join(parts)


def _flat(said: Sequence[list[str] | None]) -> list[str]:
    return [place for places in said if places for place in places]


def _plain(pattern: str) -> list[str] | None:
    """The places (see `places_of`) of what *pattern* means; None where it has wildcards that no place has."""
    if (ending := _ENDING.fullmatch(pattern)) is not None:
        return [f"*{ending[1]}/"] if ending[2] else [f"*{ending[1]}", f"*{ending[1]}/"]
    name = pattern.rstrip("/")
    if not name or name != name.strip() or name.startswith(("!", "#")) or _WILD.search(name) or "//" in pattern:
        return None
    place = f"/{name.lstrip('/')}" if "/" in name else name
    return [f"{place}/"] if pattern.endswith("/") else [place, f"{place}/"]


def _named_files(within: Filter, paths: Paths) -> list[str]:
    """Expressions that name the files which *within* lets through, or those which it does not where they are fewer."""
    accepts = file_test(replace(within, extensions=()))
    accepted: list[str] = []
    rejected: list[str] = []
    for path in paths():
        (accepted if accepts(within.base + path) else rejected).append(path)
    if not rejected:
        return [""]
    if len(rejected) <= PATHS_AT_ONCE and len(rejected) < len(accepted):
        return [f"path not in {listed(rejected)}"]
    return [f"path in {listed(piece)}" for piece in in_pieces(accepted, PATHS_AT_ONCE)]
