"""The filters that commands take: checked as they were typed, and put as the index knows its files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from rerank_cli.ports import EVERYTHING, Filter, Index

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class AskedFilter:
    """What the flags say: `within` has their globs as they were typed, `where` the rules."""

    within: Filter = EVERYTHING
    where: tuple[str, ...] = ()
    parameters: Mapping[str, object] = field(default_factory=lambda: _parameters(EVERYTHING, ()))


def asked_filter(
    *,
    path: Sequence[str] | None,
    not_path: Sequence[str] | None,
    ext: Sequence[str] | None,
    since: str | None,
    until: str | None,
    where: Sequence[str] | None,
) -> AskedFilter:
    """The filter that flags add up to: what is wrong is told before anything is loaded, and as it was written.

    Raises:
        UsageError: one of them says nothing.
    """
    if not (path or not_path or ext or since or until or where):
        return AskedFilter()
    from rerank_cli.filters import filter_of  # which few queries need

    within = filter_of(
        {
            "paths": path or (),
            "not_paths": not_path or (),
            "extensions": ext or (),
            "since": since,
            "until": until,
            "where": where or (),
        }
    )
    return AskedFilter(within, tuple(where or ()), _parameters(within, where or ()))


def _parameters(within: Filter, where: Sequence[str]) -> Mapping[str, object]:
    """The filter as machine formats tell it; times are points in time, whatever was typed."""
    from rerank_cli.dates import iso

    return {
        "path": list(within.paths),
        "not_path": list(within.not_paths),
        "ext": list(within.extensions),
        "since": None if within.since is None else iso(within.since),
        "until": None if within.until is None else iso(within.until),
        "where": list(where),
    }


def filter_within(asked: AskedFilter, index: Index, *, here: Path) -> Filter:
    """What is *asked* by one who stands *here*, as a filter of *index*.

    Raises:
        UsageError: a glob, an extension or a key is that of no file or document of the index.
    """
    within = asked.within
    if not within:
        return within
    from rerank_cli.filters import check_extensions, check_keys
    from rerank_cli.freshness import folder_of
    from rerank_cli.globs import check_each_matches, within_root

    root = folder_of(Path(index.manifest.recipe.root))
    paths, not_paths = (
        tuple(within_root(glob, root=root, here=here) for glob in globs) for globs in (within.paths, within.not_paths)
    )
    known = index.files() if within.paths or within.extensions else {}
    remedy = f"a glob with a slash is read from {here}, or behind a first slash from {root}"
    check_each_matches(paths, known, asked=within.paths, remedy=remedy)
    check_extensions(within, known)
    check_keys(within, index)
    return within._replace(paths=paths, not_paths=not_paths)
