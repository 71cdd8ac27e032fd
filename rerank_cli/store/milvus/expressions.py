"""Filters as expressions that Milvus searches within.

Extensions, dates, fields and plain patterns are expressions of their own. What else git's patterns say, no expression
can: `*` stops at a slash there. Such a pattern is matched with the list of files, which is kept in the engine, and the
files that it takes are named, so many in a search that each expression stays small. A value with a wildcard is matched
in the same way with the values that its key has, but for one that ends in `*`. Passages never come here for a filter.

What is written between `%` is plain: `_`, which stands for any letter there, and what escapes it are not used, since
the embedded form and a server differ in that. The embedded form is quick with this, and slow with fields of arrays.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from rerank_cli.errors import UsageError
from rerank_cli.fields import alike, folded
from rerank_cli.filters import file_test
from rerank_cli.ports import FieldRule, Filter
from rerank_cli.store.milvus.engine import in_pieces, listed, quoted
from rerank_cli.store.milvus.rows import field_mark

NEW_LINE, TAB = "\n", "\t"
"""What stands around a key in the text of a row's fields."""

PATHS_AT_ONCE = 2_000
"""Files that an expression names."""

NOTHING = "born < 0"
"""What holds for no row."""

_PLAIN = r"[^*?\[\]\\%_!#\"\s/]+"
_ENDING = re.compile(rf"\*(\.{_PLAIN})(/?)")
_PLACE = re.compile(rf"(/?)({_PLAIN}(?:/{_PLAIN})*)(/?)")
_UNSAFE = re.compile(r"[%_\\]")
_START = re.compile(r"([^*?%_\\]*)\*")

MOST_VALUES = 1_000
"""Values that a wildcard may stand for."""

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
    if within.extensions and not _UNSAFE.search("".join(within.extensions)):
        endings = [quoted(f"%.{extension}") for extension in within.extensions]
        yield _any(f"{name} like {ending}" for ending in endings for name in ("name", "unpacked"))
    if within.since is not None:
        yield f"second >= {within.since}"
    if within.until is not None:
        yield f"second < {within.until}"
    for rule in within.fields:
        holds = _rule(rule, values)
        yield f"not ({holds})" if rule.differs else holds


def _rule(rule: FieldRule, values: Values) -> str:
    keys, value = alike(rule.key), folded(rule.value)
    if value == "*":
        return _marked(field_mark(key) for key in keys)
    if "*" not in value and "?" not in value:
        return _marked(field_mark(key, value) for key in keys)
    if (start := _START.fullmatch(value)) is not None and not any(map(_UNSAFE.search, keys)):
        return _any(f"fields like {quoted(f'%{NEW_LINE}{key}{TAB}{start[1]}%')}" for key in keys)
    pattern = re.compile(".*".join(map(_with_marks, value.split("*"))), re.DOTALL)
    fitting = [found for found in values(keys) if pattern.fullmatch(found)]
    if len(fitting) > MOST_VALUES:
        raise UsageError(
            f"--where: {rule.key}={rule.value} fits {len(fitting)} values", remedy="write more of the value"
        )
    return _marked(field_mark(key, found) for key in keys for found in fitting)


def _marked(marks: Iterable[str]) -> str:
    return _any(f"marks like {quoted(f'%{mark}%')}" for mark in marks)


def _any(conditions: Iterable[str]) -> str:
    return " or ".join(conditions) or NOTHING


def _with_marks(text: str) -> str:
    return ".".join(map(re.escape, text.split("?")))


def _of_files(within: Filter) -> str | None:
    """What *within* says of files by patterns, where plain expressions can say it."""
    if (within.base and (within.paths or within.not_paths)) or _UNSAFE.search("".join(within.extensions)):
        return None
    wanted, unwanted = ([_plain(glob) for glob in globs] for globs in (within.paths, within.not_paths))
    if None in wanted or None in unwanted:
        return None
    parts = [f"({_any(filter(None, wanted))})"] if wanted else []
    parts += [f"not ({_any(filter(None, unwanted))})"] if unwanted else []
    return " and ".join(parts)


def _plain(glob: str) -> str | None:
    """The condition that *glob* is, if it is a name, a path, or an ending behind `*`; None where it is not."""
    if (ending := _ENDING.fullmatch(glob)) is not None:
        conditions = [f"path like {quoted(f'%{ending[1]}/%')}"]
        return _any(conditions if ending[2] else [f"path like {quoted(f'%{ending[1]}')}", *conditions])
    if (place := _PLACE.fullmatch(glob)) is None:
        return None
    is_anchored, name, only_folders = place[1] or "/" in place[2], place[2], place[3]
    conditions = [f"path like {quoted(f'{name}/%')}"]
    conditions += [] if is_anchored else [f"path like {quoted(f'%/{name}/%')}"]
    if not only_folders:
        conditions += [f"path == {quoted(name)}"]
        conditions += [] if is_anchored else [f"path like {quoted(f'%/{name}')}"]
    return _any(conditions)


def _named_files(within: Filter, paths: Paths) -> list[str]:
    """Expressions that name the files which *within* lets through, or those which it does not where they are fewer."""
    accepts = file_test(within)
    accepted: list[str] = []
    rejected: list[str] = []
    for path in paths():
        (accepted if accepts(within.base + path) else rejected).append(path)
    if not rejected:
        return [""]
    if len(rejected) <= PATHS_AT_ONCE and len(rejected) < len(accepted):
        return [f"path not in {listed(rejected)}"]
    return [f"path in {listed(piece)}" for piece in in_pieces(accepted, PATHS_AT_ONCE)]
