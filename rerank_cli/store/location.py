"""Where indexes lie, and which one a command means."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from rerank_cli.errors import IndexMissing, RerankError, UsageError
from rerank_cli.places import expanded
from rerank_cli.store.access import cannot
from rerank_cli.store.anywhere import open_reader
from rerank_cli.store.layout import Layout, default_folder, indexes_folder
from rerank_cli.store.roots import indexed_root

__all__ = [
    "default_folder",
    "find_index",
    "index_called",
    "index_folders",
    "index_made_with",
    "indexes_folder",
    "named_folder",
]


def named_folder(name: str) -> Path:
    """The index called *name*: a path if it holds a separator or begins with a dot, else one of ours."""
    if not name:
        raise UsageError("the index has an empty name", remedy="name one, or leave --index out")
    if os.sep in name or name.startswith((".", "~")):
        return expanded(name).absolute()
    return indexes_folder() / name


def find_index(asked: str | None, *, start: Path) -> Path:
    """The index asked for; else that of the folder around *start*, the nearest and of these the newest; else the only.

    An index that cannot be used is found like any other: opening it says what is wrong with it, where another
    index would answer for the wrong folder.

    Raises:
        IndexMissing: there is none, or there are several and none is nearer than the others.
    """
    if asked is not None:
        return index_called(asked)
    names = _names_of_indexes()
    known = _known_indexes()
    for place in (start, *start.parents):
        here = {folder for folder, root in known.items() if root == place}
        here |= {default_folder(place)} if default_folder(place).name in names else set()
        if here:
            return max(here, key=lambda folder: (_written_at(folder), folder))
    if not known:
        raise IndexMissing("no folder is indexed yet", remedy="make an index: rerank-cli index FOLDER")
    if len(known) == 1:
        return next(iter(known))
    several = ", ".join(f"{folder.name} ({root or 'unreadable'})" for folder, root in known.items())
    raise IndexMissing(f"several folders are indexed: {several}", remedy="choose one with --index NAME")


def others_around(found: Path, *, start: Path) -> list[str]:
    """The names of other indexes that cover *start* beside the one *found* for it."""
    around = {start, *start.parents}
    return [folder.name for folder, root in _known_indexes().items() if root in around and folder != found]


def index_called(asked: str) -> Path:
    """The index called *asked*, or the only one whose name begins so."""
    folder = named_folder(asked)
    if os.sep in asked or asked.startswith((".", "~")) or os.path.lexists(folder):
        return folder
    begun = [name for name in _names_of_indexes() if name.startswith(asked)]
    if len(begun) > 1:
        raise UsageError(f"{asked}: several indexes begin so: {', '.join(begun)}", remedy="write more of the name")
    return indexes_folder() / begun[0] if begun else folder


def _written_at(folder: Path) -> int:
    """When the index was committed last, in nanoseconds; 0 where that cannot be told without its engine."""
    try:
        return Layout(folder).seal.stat().st_mtime_ns
    except OSError:
        return 0  # nobody can say what it holds


def index_made_with(folder: Path, *, encoder_fingerprint: str, passage_tokens: int) -> Path | None:
    """The index of *folder*'s root by this encoder: *folder* itself or a neighbour, the passage size preferred."""
    with open_reader(folder) as reader:
        manifests = {folder: reader.manifest}
    root = Path(manifests[folder].recipe.root)
    for other in (place for place, its_root in _known_indexes().items() if its_root == root and place != folder):
        with suppress(RerankError), open_reader(other) as reader:  # a damaged neighbour is none to choose
            manifests[other] = reader.manifest
    fitting = [
        place for place, manifest in manifests.items() if manifest.recipe.encoder_fingerprint == encoder_fingerprint
    ]
    return min(fitting, key=lambda place: manifests[place].recipe.passage_tokens != passage_tokens, default=None)


def index_folders() -> list[Path]:
    """Every folder in `indexes_folder`: what is an index, was one, or is to become one.

    Raises:
        InputError: they cannot be listed.
    """
    return [folder for name in _names_of_indexes() if (folder := indexes_folder() / name).is_dir()]


def _known_indexes() -> dict[Path, Path | None]:
    """The folder that each index in `indexes_folder` was made of, by name; None where it cannot tell."""
    folders = [indexes_folder() / name for name in _names_of_indexes()]
    return {folder: indexed_root(folder) for folder in folders if _may_hold_index(folder)}


def _names_of_indexes() -> list[str]:
    try:
        return sorted(path.name for path in indexes_folder().iterdir() if not path.name.startswith("."))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise cannot("read", indexes_folder(), error) from error


def _may_hold_index(folder: Path) -> bool:
    """Whether a catalog lies there, or where one is kept else. Where nobody can tell, one is found: opening it says why
    it cannot be used."""
    return any(map(_may_be_there, (Layout(folder).catalog, Layout(folder).elsewhere)))


def _may_be_there(place: Path) -> bool:
    try:
        place.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True
