"""The commands that bring an index back, as a shell reads them."""

from __future__ import annotations

import itertools
import os
import shlex
from pathlib import Path

from rerank_cli.errors import IndexDamaged
from rerank_cli.store.layout import is_default_folder, is_ours
from rerank_cli.store.roots import indexed_root


def mend_remedy(folder: Path) -> str:
    """What to do about an index whose catalog is sound: what else it has is made again from that."""
    return f"mend it: {index_command(folder)}"


def rebuild_remedy(folder: Path) -> str:
    """What to do about an index whose catalog is not. Its vectors stay: only what they lack is encoded."""
    return f"build it anew: {index_command(folder, rebuild=True)}"


def in_the_way(place: Path, what: str = "a folder stands where a file belongs") -> IndexDamaged:
    """That something stands where *place* of an index belongs. It may be somebody's: it is moved, never removed."""
    return IndexDamaged(f"{place}: {what}", remedy=move_away(place))


def move_away(place: Path) -> str:
    """The command that moves what stands at *place* of an index to a name that nothing has, and goes on."""
    names = (place.with_name(f"{place.name}.moved-{number}") for number in itertools.count(1))
    free = next(name for name in names if not os.path.lexists(name))
    return f"move it away: mv {quoted(place)} {quoted(free)} && {index_command(place.parent)}"


def quoted(place: Path) -> str:
    """*place* as a shell reads it."""
    return shlex.quote(str(place))


def index_command(folder: Path, *, rebuild: bool = False) -> str:
    """The command that brings the index in *folder* up to date."""
    root = indexed_root(folder)
    words = ["rerank-cli index", *["--rebuild"] * rebuild, "FOLDER" if root is None else quoted(root)]
    if root is None or not is_default_folder(folder, root):
        words += ["--index", shlex.quote(_called(folder))]
    return " ".join(words)


def _called(folder: Path) -> str:
    """What `--index` takes for *folder*: its name if it is one of ours, which is short, else its path."""
    is_name = is_ours(folder) and not folder.name.startswith((".", "~", "-"))
    return folder.name if is_name else str(folder)
