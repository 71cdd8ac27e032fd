"""Where indexes lie, and which one a command means."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from rerank_cli.errors import IndexMissing, RerankError, UsageError
from rerank_cli.store.index import open_reader
from rerank_cli.store.layout import Layout

MAX_READABLE = 50
"""Letters of a folder's name in the name of its index: at four bytes each, they fit a file name."""


def indexes_folder() -> Path:
    """The folder of all indexes that no path was given for: `$XDG_DATA_HOME/rerank-cli/indexes`."""
    base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(base) / "rerank-cli" / "indexes"


def default_folder(root: Path) -> Path:
    """The index of *root* that no other name was given to; two roots of one name do not share it."""
    digest = hashlib.sha256(os.fsencode(root)).hexdigest()[:8]
    readable = "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in root.name) or "root"
    return indexes_folder() / f"{readable[:MAX_READABLE]}-{digest}"


def named_folder(name: str) -> Path:
    """The index called *name*: a path if it holds a separator or begins with a dot, else one of ours."""
    if not name:
        raise UsageError("the index has an empty name", remedy="name one, or leave --index out")
    if os.sep in name or name.startswith((".", "~")):
        return Path(name).expanduser().absolute()
    return indexes_folder() / name


def find_index(asked: str | None, *, start: Path) -> Path:
    """The index asked for; else that of the folder around *start*, the nearest; else the only one.

    Raises:
        IndexMissing: there is none, or there are several and none is nearer than the others.
        UnusableIndex: none of those that are here can be used.
    """
    if asked is not None:
        return named_folder(asked)
    known, unusable = _known_indexes()
    if unusable and not known:
        raise unusable[0]
    if not known:
        raise IndexMissing("no folder is indexed yet", remedy="make an index: rerank-cli index FOLDER")
    around = [(root, folder) for folder, root in known if start == root or root in start.parents]
    if around:
        return max(around, key=lambda pair: len(pair[0].parts))[1]
    if len(known) == 1:
        return known[0][0]
    names = ", ".join(f"{folder.name} ({root})" for folder, root in known)
    raise IndexMissing(f"several folders are indexed: {names}", remedy="choose one with --index NAME")


def index_made_with(folder: Path, *, encoder_fingerprint: str, passage_tokens: int) -> Path | None:
    """The index of *folder*'s root by this encoder: *folder* itself or a neighbour, the passage size preferred."""
    with open_reader(folder) as reader:
        root = Path(reader.manifest.root)
    fitting = []
    for place in dict.fromkeys([folder, *(other for other, its_root in _known_indexes()[0] if its_root == root)]):
        with open_reader(place) as reader:
            if reader.manifest.encoder_fingerprint == encoder_fingerprint:
                fitting.append((reader.manifest.passage_tokens != passage_tokens, place))
    return min(fitting, key=lambda pair: pair[0])[1] if fitting else None


def _known_indexes() -> tuple[list[tuple[Path, Path]], list[RerankError]]:
    """(index folder, indexed root) of every usable index in `indexes_folder`, by name; why each other is not."""
    found, unusable = [], []
    for catalog in sorted(indexes_folder().glob(f"*/{Layout(Path()).catalog.name}")):
        try:
            with open_reader(catalog.parent) as reader:
                found.append((catalog.parent, Path(reader.manifest.root)))
        except RerankError as error:
            unusable.append(error)  # a damaged neighbour must not keep a sound index from being found
    return found, unusable
