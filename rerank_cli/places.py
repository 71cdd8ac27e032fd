"""Where this user's indexes and caches lie (after the XDG base directory standard), and what `~` stands for."""

from __future__ import annotations

import os
from pathlib import Path

from rerank_cli.errors import InputError


def data_folder() -> Path:
    """Where what the user has made is kept: `$XDG_DATA_HOME/rerank-cli`."""
    return _base("XDG_DATA_HOME", Path(".local", "share")) / "rerank-cli"


def cache_folder() -> Path:
    """Where what can be made again is kept: `$XDG_CACHE_HOME/rerank-cli`."""
    return _base("XDG_CACHE_HOME", Path(".cache")) / "rerank-cli"


def expanded(path: str | Path) -> Path:
    """*path* with `~` and `~user` at its beginning replaced.

    Raises:
        InputError: nobody of that name has a home folder here.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise InputError(f"{path}: there is no such home folder", remedy="check the path") from error


def _base(variable: str, below_home: Path) -> Path:
    """The folder that *variable* names; a relative one counts for nothing, as the standard has it."""
    named = Path(os.environ.get(variable, ""))
    if named.is_absolute():
        return named
    try:
        return Path.home() / below_home
    except RuntimeError as error:  # HOME is not set, and a container's user may have no other
        raise InputError("this user has no home folder", remedy=f"set HOME or {variable}") from error
