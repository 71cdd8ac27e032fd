"""Git's patterns, matched without trying every way to share a path among many wildcards.

A folder's own ignore file may hold a pattern such as `*a*a*a*a*a*b`, on which a plain regular expression takes years.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

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


def within_root(glob: str, *, root: Path, here: Path) -> str:
    """What *glob* means to one who stands *here*, as a pattern within *root*.

    Without a slash but at its end it matches at any depth, as git has it. With one it begins where one stands, if that
    is in or above *root*, unless it begins with a slash: then in *root*, or it is an absolute path into it.
    """
    sign, pattern = ("!", glob[1:]) if glob.startswith("!") else ("", glob)
    if "/" not in pattern.rstrip("/") and pattern.rstrip("/") not in (".", ".."):
        return glob
    if pattern.startswith("/"):
        below = _below(pattern, _escaped(root))
        return glob if below is None else f"{sign}/{below}"
    below = _below(_joined(_escaped(here), pattern), _escaped(root))
    return glob if below is None else f"{sign}/{below}"


def check_each_matches(globs: Sequence[str], paths: Iterable[str], *, asked: Sequence[str], remedy: str) -> None:
    """Make sure that each of *globs* matches any of *paths*; what is *asked* is how the user wrote each.

    One that takes back what others match need not.

    Raises:
        UsageError: one of them matches nothing.
    """
    known = list(paths)
    for glob, written in zip(globs, asked, strict=True):
        if not glob.startswith("!") and not any(map(any_glob([glob]), known)):
            raise UsageError(f"--path: {written!r} matches no file of the index", remedy=remedy)


def _joined(folder: str, pattern: str) -> str:
    """*pattern* behind *folder*, its dots resolved; a slash at its end stays."""
    return os.path.normpath(f"{folder.rstrip('/')}/{pattern}") + ("/" if pattern.endswith("/") else "")


def _below(pattern: str, folder: str) -> str | None:
    """What of *pattern* is below *folder*; None where it leads elsewhere."""
    start = folder.rstrip("/") + "/"
    if pattern.rstrip("/") == folder.rstrip("/"):
        return "**"
    return pattern.removeprefix(start) if pattern.startswith(start) else None


def _escaped(folder: Path) -> str:
    """*folder* as a pattern that matches it alone."""
    return re.sub(r"([\\*?\[\]])", r"\\\1", str(folder))
