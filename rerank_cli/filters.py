"""Filters as people and programs write them, and what they say of a file by its path."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import TypedDict

from rerank_cli.dates import ago, span_of
from rerank_cli.errors import UsageError
from rerank_cli.fields import MOST_VALUE_CHARS, alike, folded
from rerank_cli.globs import any_glob
from rerank_cli.ports import FieldRule, Filter, Index

PACKED_ENDINGS = (".gz", ".bz2", ".xz", ".lzma", ".tgz", ".tbz2", ".txz")
"""What the name of a packed file has behind that of the file in it."""

MOST_SHOWN = 20
"""Keys that an error names."""

LAST_SECOND = 2**53
"""Later is no date of anything, and a store need not hold such a number."""

Moment = str | date | int
"""`2026-01-31`, `30d`, a date, a point in time, or seconds since 1970."""


class FilterOptions(TypedDict, total=False):
    """Which documents to search: all that is given must hold.

    `paths` and `not_paths` are gitignore patterns within the documents, `extensions` such as `pdf`. `since` and `until`
    are dates, both included, or how long ago. Each of `where` is `key=value`, `key!=value` or `key`.
    """

    paths: str | Sequence[str]
    not_paths: str | Sequence[str]
    extensions: str | Sequence[str]
    since: Moment | None
    until: Moment | None
    where: str | Sequence[str]


def filter_of(options: FilterOptions, *, now: datetime | None = None) -> Filter:
    """The filter that *options* are; what lies so long ago is counted from *now*.

    Raises:
        UsageError: one of them says nothing.
    """
    now = now or datetime.now(UTC)
    within = Filter(
        paths=_several(options.get("paths", ())),
        not_paths=_several(options.get("not_paths", ())),
        extensions=tuple(extension for each in _several(options.get("extensions", ())) for extension in _listed(each)),
        since=_second(options.get("since"), now, flag="--since", ends=False),
        until=_second(options.get("until"), now, flag="--until", ends=True),
        fields=tuple(map(_rule, _several(options.get("where", ())))),
    )
    any_glob(within.paths)
    any_glob(within.not_paths, flag="--not-path")
    return within


def file_test(within: Filter) -> Callable[[str], bool]:
    """A test of paths by what *within* says of files.

    Raises:
        UsageError: one of its patterns is none.
    """
    wanted = any_glob(within.paths) if within.paths else None
    unwanted = any_glob(within.not_paths, flag="--not-path") if within.not_paths else None
    endings = tuple(f".{extension}" for extension in within.extensions)

    def accepts(path: str) -> bool:
        if endings and not ends_in(path, endings):
            return False
        return (wanted is None or wanted(path)) and (unwanted is None or not unwanted(path))

    return accepts


def ends_in(path: str, endings: tuple[str, ...]) -> bool:
    """Whether the name at the end of *path* has one of *endings*, or the name of what is packed in it has."""
    name = path[path.rfind("/") + 2 :].casefold()  # a dot at the beginning hides a file
    packed = next((ending for ending in PACKED_ENDINGS if name.endswith(ending)), "")
    return name.endswith(endings) or name.removesuffix(packed).endswith(endings)


def check_extensions(within: Filter, paths: Iterable[str]) -> None:
    """Make sure that some of *paths* have each extension of *within*.

    Raises:
        UsageError: one of them is none of theirs.
    """
    known = list(paths) if within.extensions else []
    for extension in within.extensions:
        if not any(ends_in(path, (f".{extension}",)) for path in known):
            raise UsageError(f"--ext: no file of the index ends in .{extension}", remedy="name another, or drop it")


def check_keys(within: Filter, index: Index) -> None:
    """Make sure that documents of *index* have fields of each key of *within*.

    Raises:
        UsageError: no document has one of them.
    """
    for rule in within.fields:
        if not index.has_fields(alike(rule.key)):
            known = index.field_counts()
            commonest = ", ".join(commonest_first(known)[:MOST_SHOWN])
            more = f" and {len(known) - MOST_SHOWN} more" if len(known) > MOST_SHOWN else ""
            raise UsageError(
                f"--where: no document has the field {rule.key!r}",
                remedy=f"there are {commonest}{more}" if known else "none has any field",
            )


def commonest_first(counts: Mapping[str, int]) -> list[str]:
    """The keys of *counts*, those first that most documents have."""
    return sorted(counts, key=lambda key: (-counts[key], key))


def _several(given: str | Sequence[str]) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)


def _listed(written: str) -> list[str]:
    """The extensions in *written*, such as `pdf,.MD`."""
    found = [each.strip().removeprefix("*").removeprefix(".").casefold() for each in written.split(",")]
    if not all(found) or "/" in written:
        raise UsageError(f"--ext: {written!r} is no extension", remedy="write it as in pdf or pdf,md")
    return found


def _second(written: Moment | None, now: datetime, *, flag: str, ends: bool) -> int | None:
    """The first second of *written*, or the first one after it where it *ends* something."""
    if isinstance(written, datetime):
        return int(written.timestamp() if written.tzinfo else written.replace(tzinfo=UTC).timestamp())
    if written is None:
        return None
    if isinstance(written, int):
        if abs(written) > LAST_SECOND:
            raise UsageError(f"{flag}: {written} is no date", remedy="give seconds since 1970")
        return written
    text = written.isoformat() if isinstance(written, date) else written
    before = ago(text, now)
    if before is not None:
        return before
    span = span_of(text)
    if span is None:
        raise UsageError(
            f"{flag}: {text!r} is no date", remedy="write it as in 2026-01-31, or how long ago: 12h, 30d, 2w, 6m, 1y"
        )
    return span[ends]


def _rule(written: str) -> FieldRule:
    """`key=value`, `key!=value`, or `key` for any value."""
    key, is_compared, value = written.partition("=")
    differs = key.endswith("!")
    rule = FieldRule(folded(key.removesuffix("!")), " ".join(value.split()) if is_compared else "*", differs)
    if len(rule.value) > MOST_VALUE_CHARS:
        raise UsageError(
            f"--where: no field has a value of more than {MOST_VALUE_CHARS} letters",
            remedy=f"end it with *, as in {rule.key}={rule.value[:10]}*",
        )
    if not rule.key or not rule.value or (differs and not is_compared):
        raise UsageError(f"--where: {written!r} says nothing", remedy="write key=value, key!=value or key")
    return rule
