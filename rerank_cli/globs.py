"""Git's patterns, as in a .gitignore file, matched without trying every way to share a path among many wildcards.

A folder's own ignore file may hold a pattern such as `*a*a*a*a*a*b`, on which a plain regular expression takes years.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from rerank_cli.errors import UsageError

_DEEP = "**"

# A `**` at the beginning and one between two names, and the same where they take as little as they can.
_ANYWHERE, _ANYWHERE_NEAREST = "(?:.+/)?", "(?:.+?/)??"
_BETWEEN, _BETWEEN_NEAREST = "(?:/.+)?/", "(?:/.+?)??/"

# The classes that git knows, of ASCII alone as there.
_CLASSES = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "blank": r" \t",
    "cntrl": r"\x00-\x1f\x7f",
    "digit": "0-9",
    "graph": r"\x21-\x7e",
    "lower": "a-z",
    "print": r"\x20-\x7e",
    "punct": r"!-/:-@\[-`{-~",
    "space": r" \t-\r",
    "upper": "A-Z",
    "xdigit": "0-9A-Fa-f",
}
_CLASS = re.compile(r"\[:(\w*):\]")


class BrokenPattern(ValueError):
    """What git takes for no pattern."""


class GitPattern(NamedTuple):
    """A line of a .gitignore file. A path that ends in a slash is a folder's."""

    text: str
    include: bool
    itself: re.Pattern[str]
    reached: re.Pattern[str]

    def names(self, path: str) -> bool:
        """Whether it means *path* itself, and not only a folder above it."""
        return self.itself.match(path) is not None

    def reaches(self, path: str) -> bool:
        """Whether it means *path* or a folder above it."""
        return self.reached.match(path) is not None


def git_pattern(glob: str) -> GitPattern | None:
    """The pattern that *glob* is in a .gitignore file; None where it matches nothing, as a comment does.

    Raises:
        BrokenPattern: it is none.
    """
    text = glob if glob.endswith("\\ ") else glob.rstrip()
    if not text.strip("/") or text.startswith("#"):
        return None
    include = not text.startswith("!")
    names = text.removeprefix("!").split("/")
    only_folders = not names[-1]
    if only_folders:
        names.pop()
    if names == [""] or not names:
        raise BrokenPattern(f"Invalid git pattern: {glob!r}")
    if not names[0]:
        names.pop(0)
    elif len(names) == 1:  # without a slash before its end it holds at every depth
        names.insert(0, _DEEP)
    try:
        itself, reached = _regexes(names, only_folders=only_folders)
    except _NeverMatches:
        return None
    except ValueError as error:
        raise BrokenPattern(f"Invalid git pattern: {glob!r}") from error
    return GitPattern(glob, include, re.compile(itself, re.DOTALL), re.compile(reached, re.DOTALL))


def selects(patterns: Sequence[GitPattern], path: str) -> bool:
    """Whether *patterns*, of which the last one that matches decides, take the file *path*.

    One that names the file comes before those that only name a folder above it.
    """
    found = [pattern for pattern in reversed(patterns) if pattern.reaches(path)]
    decides = next((pattern for pattern in found if pattern.names(path)), found[0] if found else None)
    return decides is not None and decides.include


class _NeverMatches(Exception):
    """The pattern is one that git accepts and that no path fits."""


def _regexes(names: list[str], *, only_folders: bool) -> tuple[str, str]:
    """What matches a path that is meant itself, and what matches the beginning of one that is meant or lies below."""
    names = [name for name, run in groupby(names) for name in ([name] if name == _DEEP else run)]
    inside = names[-1] == _DEEP
    if inside:
        names.pop()
    body = _body(names) if names else "(?=.)"
    below = "" if not names else "/"
    if inside and only_folders:
        return rf"{body}{below}.*[^/]/\Z", f"{body}{below}.*[^/]/"
    if inside:
        return rf"{body}{below}.+\Z", f"{body}{below}."
    return (rf"{body}/\Z", f"{body}/") if only_folders else (rf"{body}/?\Z", rf"{body}(?:/|\Z)")


def _body(names: list[str]) -> str:
    """The regular expression of *names*, which commits itself to the first place where what follows a wildcard stands.

    A later place leaves less room for the rest, so that it cannot match where the first one does not. Only the last
    wildcard of a name, and the last `**`, may have to look further.
    """
    anywhere = names[0] == _DEEP
    *stretches, last = ("/".join(map(_name, run)) for deep, run in groupby(names, _DEEP.__eq__) if not deep)
    if not stretches:
        return (_ANYWHERE if anywhere else "") + last
    first, *middle = stretches
    first = f"(?>{_ANYWHERE_NEAREST}{first}(?=/))" if anywhere else f"{first}(?=/)"
    return first + "".join(f"(?>{_BETWEEN_NEAREST}{stretch}(?=/))" for stretch in middle) + _BETWEEN + last


def _name(glob: str) -> str:
    if not glob.strip("*") and glob:
        return "[^/]+"
    between = [""]
    place = 0
    while place < len(glob):
        character = glob[place]
        place += 1
        if character == "*":
            between.append("")
        elif character == "?":
            between[-1] += "[^/]"
        elif character == "[":
            one, place = _bracket(glob, place)
            between[-1] += one
        else:
            if character == "\\":
                if place == len(glob):
                    raise ValueError(glob)
                character = glob[place]
                place += 1
            between[-1] += re.escape(character)
    before, *after = between
    if not after:
        return before
    *firm, last = after
    return before + "".join(f"(?>[^/]*?{text})" for text in firm) + "[^/]*" + last


def _bracket(glob: str, place: int) -> tuple[str, int]:
    """One of the characters between brackets, the first of them at *place*; and the place behind the brackets."""
    inverted = glob[place : place + 1] in ("!", "^")
    place += inverted
    members = ""
    first = place
    while place < len(glob) and (glob[place] != "]" or place == first):
        if named := _CLASS.match(glob, place):
            if named[1] not in _CLASSES:
                raise _NeverMatches
            members += _CLASSES[named[1]]
            place = named.end()
            continue
        low, place = _member(glob, place)
        members += re.escape(low)
        if glob[place : place + 1] == "-" and glob[place + 1 : place + 2] not in ("]", ""):
            high, place = _member(glob, place + 1)
            if low < high:  # git takes the first letter of a range by itself, so that one backwards still has it
                members += f"-{re.escape(high)}"
    if place >= len(glob):
        raise _NeverMatches
    return f"(?!/)[{'^' if inverted else ''}{members}]", place + 1


def _member(glob: str, place: int) -> tuple[str, int]:
    if glob[place] == "\\" and place + 1 < len(glob):
        place += 1
    return glob[place], place + 1


def any_glob(globs: Sequence[str], *, flag: str = "--path") -> Callable[[str], bool]:
    """A test of paths by gitignore patterns, any of which may match.

    Raises:
        UsageError: one of *globs* is none, or can match nothing; it was given by *flag*.
    """
    remedy = "write it as in a .gitignore file"
    patterns = []
    for glob in globs:
        try:
            pattern = git_pattern(glob)
        except BrokenPattern as error:
            raise UsageError(f"{flag}: {error}", remedy=remedy) from error
        if pattern is None:
            raise UsageError(f"{flag}: {glob!r} matches nothing", remedy=remedy)
        patterns.append(pattern)
    return partial(selects, patterns)


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
