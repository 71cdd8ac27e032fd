"""Git's patterns, matched without trying every way to share a path among many wildcards.

A folder's own ignore file may hold a pattern such as `*a*a*a*a*a*b`, on which a plain regular expression takes years.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from pathspec import GitIgnoreSpec
from pathspec.patterns.gitignore.base import GitIgnorePatternError
from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

from rerank_cli.errors import UsageError

# How pathspec writes `*`, a `**` between two names, and the one that every pattern without a slash begins with.
_STAR = "[^/]*"
_DEEP = "(?:/.+)?/"
_ANYWHERE = "^(?:.+/)?"

_FEW = 2
"""So many wildcards cost no more than the square of a path's length."""


def git_pattern(glob: str) -> GitIgnoreSpecPattern:
    """The pattern that *glob* is in a .gitignore file.

    Raises:
        GitIgnorePatternError: it is none.
    """
    pattern = GitIgnoreSpecPattern(glob)
    if pattern.regex is not None:
        written = pattern.regex.pattern
        assert isinstance(written, str)
        if written.count(_STAR) + written.count(_DEEP) > _FEW:
            pattern.regex = re.compile(_committed(written), pattern.regex.flags)
    return pattern


def _committed(regex: str) -> str:
    """*regex*, which commits itself to the first place where what follows a wildcard stands.

    A later place leaves less room for the rest, so that it cannot match where the first one does not. Only the last
    wildcard of a name, and the last `**`, may have to look further.
    """
    *stretches, last = regex.split(_DEEP)
    if not stretches:
        return _committed_name(last)
    first, *middle = map(_committed_name, stretches)
    name = first.removeprefix(_ANYWHERE)
    first = f"{first}(?=/)" if name == first else f"^(?>(?:.+?/)??{name}(?=/))"
    return first + "".join(f"(?>(?:/.+?)??/{name}(?=/))" for name in middle) + _DEEP + _committed_name(last)


def _committed_name(regex: str) -> str:
    before, *after = regex.split(_STAR)
    if not after:
        return before
    return before + "".join(f"(?>[^/]*?{text})" for text in after[:-1]) + _STAR + after[-1]


def any_glob(globs: Sequence[str], *, flag: str = "--path") -> Callable[[str], bool]:
    """A test of paths by gitignore patterns, any of which may match.

    Raises:
        UsageError: one of *globs* is none, or can match nothing; it was given by *flag*.
    """
    remedy = "write it as in a .gitignore file"
    try:
        patterns = [git_pattern(glob) for glob in globs]
    except GitIgnorePatternError as error:
        raise UsageError(f"{flag}: {error}", remedy=remedy) from error
    for glob, pattern in zip(globs, patterns, strict=True):
        if pattern.regex is None:
            raise UsageError(f"{flag}: {glob!r} matches nothing", remedy=remedy)
    return GitIgnoreSpec(patterns).match_file
