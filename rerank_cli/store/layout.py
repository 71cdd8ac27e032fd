"""Every file name of an index, once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

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

    def all_vectors(self) -> list[Path]:
        """Every generation's vectors, and what a killed writer left of one."""
        return sorted(self.folder.glob("vectors-*.hnsw*"))
