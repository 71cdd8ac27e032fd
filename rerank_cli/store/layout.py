"""Every file name of an index, once."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from rerank_cli.places import data_folder, tighten, tighten_tree

FORMAT_VERSION = 1
"""Raise it when an older program would misread what a newer one writes."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The files of the index in `folder`."""

    folder: Path

    @property
    def catalog(self) -> Path:
        return self.folder / "catalog.sqlite"

    @property
    def lock(self) -> Path:
        return self.folder / "write.lock"

    def vectors(self, generation: int) -> Path:
        return self.folder / f"vectors-{generation}.hnsw"

    @property
    def replaced(self) -> Path:
        """Where the files of an unreadable index wait until the one that replaces it is complete."""
        return self.folder / "replaced"

    def index_files(self) -> list[Path]:
        """The catalog, the files that SQLite keeps beside it, and every generation's vectors."""
        return [*sorted(self.folder.glob(f"{self.catalog.name}*")), *self.all_vectors()]

    def tighten(self) -> None:
        """Keep what an older program wrote from other users; the folder too, where it holds nothing but the index."""
        ours = {self.lock, self.replaced, *self.index_files()}
        tighten(ours)
        tighten_tree(self.replaced)
        if ours.issuperset(self.folder.iterdir()):
            tighten([Path(os.path.realpath(self.folder))])
        home = data_folder()
        tighten(place for place in self.folder.parents if place.is_relative_to(home))

    def all_vectors(self) -> list[Path]:
        """Every generation's vectors, and what a killed writer left of one."""
        return sorted(self.folder.glob("vectors-*.hnsw*"))
