"""Every file name of an index, once, and the folder that an index of no other name has."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from rerank_cli.errors import InputError
from rerank_cli.places import data_folder, tighten, tighten_tree
from rerank_cli.regular import size_of
from rerank_cli.store.pins import NAME

FORMAT_VERSION = 4
"""Raise it when an older program would misread what a newer one writes."""

MAX_READABLE = 50
"""Letters of a folder's name in the name of its index: at four bytes each, they fit a file name."""


# Strings, which are compiled when they are first needed.
CATALOG = r"catalog\.(seal|sqlite(-wal|-shm|-journal)?)"
GRAPH = r"graph-[0-9]+\.hnsw(\.partial)?"
VECTORS = rf"{NAME.pattern}\.(vectors|keys)"
OLD_VECTORS = r"vectors-[0-9]+\.hnsw(\.partial)?"


def indexes_folder() -> Path:
    """The folder of all indexes that no path was given for: `$XDG_DATA_HOME/rerank-cli/indexes`."""
    return data_folder() / "indexes"


def default_folder(root: Path) -> Path:
    """The index of *root* that no other name was given to; two roots of one name do not share it."""
    import hashlib  # which takes 2 ms to load

    digest = hashlib.sha256(os.fsencode(root)).hexdigest()[:8]
    readable = "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in root.name) or "root"
    return indexes_folder() / f"{readable[:MAX_READABLE]}-{digest}"


def is_default_folder(folder: Path, root: Path) -> bool:
    """Whether *folder* is the `default_folder` of *root*; without a home folder there is none."""
    try:
        return folder == default_folder(root)
    except InputError:
        return False


def is_ours(folder: Path) -> bool:
    """Whether *folder* lies in `indexes_folder`, where its name is enough; without a home folder there is none."""
    try:
        return folder.parent == indexes_folder()
    except InputError:
        return False


class Layout(NamedTuple):
    """The files of the index in `folder`."""

    folder: Path

    @property
    def catalog(self) -> Path:
        return self.folder / "catalog.sqlite"

    @property
    def lock(self) -> Path:
        return self.folder / "write.lock"

    @property
    def seal(self) -> Path:
        return self.folder / "catalog.seal"

    @property
    def staging(self) -> Path:
        return self.folder / "staging"

    @property
    def elsewhere(self) -> Path:
        """What says that the index is kept elsewhere, and where."""
        return self.folder / "elsewhere.json"

    def graph(self, generation: int) -> Path:
        return self.folder / f"graph-{generation}.hnsw"

    @property
    def replaced(self) -> Path:
        """Where the files of an unreadable index wait until the one that replaces it is complete."""
        return self.folder / "replaced"

    @property
    def replaced_partly(self) -> Path:
        """`replaced` while files are still being moved there."""
        return self.folder / "replaced.partial"

    def index_files(self) -> list[Path]:
        """The catalog, the files that SQLite keeps beside it, its seal, and what is made of it.

        Vectors are not among them: they belong to texts, whatever becomes of the catalog.
        """
        return [*self._called(CATALOG), *self.graphs(), *self.old_vectors()]

    def owns(self, path: Path) -> bool:
        """Whether *path* has the name of a file or folder of the index, also where it is something else."""
        names = {self.lock, self.staging, self.replaced, self.replaced_partly}
        patterns = (CATALOG, GRAPH, VECTORS, OLD_VECTORS)
        return path in names or any(re.fullmatch(pattern, path.name) for pattern in patterns)

    def tighten(self) -> None:
        """Keep what an older program wrote from other users; the folder too, where it holds nothing but the index."""
        ours = {self.lock, self.replaced, self.staging, *self.index_files(), *self.vectors()}
        tighten(ours)
        tighten_tree(self.replaced)
        if ours.issuperset(self.folder.iterdir()):
            tighten([Path(os.path.realpath(self.folder))])
        with suppress(InputError):  # without a home folder, nothing above the index is ours
            home = data_folder()
            tighten(place for place in self.folder.parents if place.is_relative_to(home))

    def graphs(self) -> list[Path]:
        """Every graph, and what a killed writer left of one."""
        return self._called(GRAPH)

    def vectors(self) -> list[Path]:
        """The two files of every encoder's vectors."""
        return self._called(VECTORS)

    def old_vectors(self) -> list[Path]:
        """What the first format kept of each generation, and what a killed writer left of one."""
        return self._called(OLD_VECTORS)

    def size_bytes(self) -> int:
        """Of all its files; one that goes meanwhile counts for nothing."""
        return sum(size_of(path, follow_symlinks=False) for path in self._places())

    def _called(self, pattern: str) -> list[Path]:
        """What is called so in full: what the user moved away has a name of its own."""
        return [path for path in self._places() if re.fullmatch(pattern, path.name)]

    def _places(self) -> list[Path]:
        try:
            return sorted(self.folder.iterdir())
        except FileNotFoundError:  # another process took the whole index away
            return []
