"""Where indexes lie, and which one a command means."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path

from rerank_cli.errors import IndexMissing, InputError, RerankError, UsageError
from rerank_cli.places import data_folder, expanded
from rerank_cli.store.index import indexed_root, open_reader
from rerank_cli.store.layout import Layout

MAX_READABLE = 50
"""Letters of a folder's name in the name of its index: at four bytes each, they fit a file name."""


def indexes_folder() -> Path:
    """The folder of all indexes that no path was given for: `$XDG_DATA_HOME/rerank-cli/indexes`."""
    return data_folder() / "indexes"


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
        return expanded(name).absolute()
    return indexes_folder() / name


def find_index(asked: str | None, *, start: Path) -> Path:
    """The index asked for; else that of the folder around *start*, the nearest; else the only one.

    An index that cannot be used is found like any other: opening it says what is wrong with it, where another
    index would answer for the wrong folder.

    Raises:
        IndexMissing: there is none, or there are several and none is nearer than the others.
    """
    if asked is not None:
        return named_folder(asked)
    known = _known_indexes()
    for place in (start, *start.parents):
        if (folder := default_folder(place)).is_dir():
            return folder
        for folder, root in known.items():
            if root == place:
                return folder
    if not known:
        raise IndexMissing("no folder is indexed yet", remedy="make an index: rerank-cli index FOLDER")
    if len(known) == 1:
        return next(iter(known))
    names = ", ".join(f"{folder.name} ({root or 'unreadable'})" for folder, root in known.items())
    raise IndexMissing(f"several folders are indexed: {names}", remedy="choose one with --index NAME")


def index_made_with(folder: Path, *, encoder_fingerprint: str, passage_tokens: int) -> Path | None:
    """The index of *folder*'s root by this encoder: *folder* itself or a neighbour, the passage size preferred."""
    with open_reader(folder) as reader:
        manifests = {folder: reader.manifest}
    root = Path(manifests[folder].root)
    for other in (place for place, its_root in _known_indexes().items() if its_root == root and place != folder):
        with suppress(RerankError), open_reader(other) as reader:  # a damaged neighbour is none to choose
            manifests[other] = reader.manifest
    fitting = [place for place, manifest in manifests.items() if manifest.encoder_fingerprint == encoder_fingerprint]
    return min(fitting, key=lambda place: manifests[place].passage_tokens != passage_tokens, default=None)


def index_folders() -> list[Path]:
    """Every folder in `indexes_folder`: what is an index, was one, or is to become one.

    Raises:
        InputError: it cannot be listed.
    """
    place = indexes_folder()
    try:
        return sorted(path for path in place.iterdir() if path.is_dir())
    except FileNotFoundError:
        return []
    except OSError as error:
        raise InputError(f"{place}: cannot be listed ({error.strerror})", remedy="check its permissions") from error


def _known_indexes() -> dict[Path, Path | None]:
    """The folder that each index in `indexes_folder` was made of, by name; None where it cannot tell."""
    catalogs = sorted(indexes_folder().glob(f"*/{Layout(Path()).catalog.name}"))
    return {catalog.parent: indexed_root(catalog.parent) for catalog in catalogs}
