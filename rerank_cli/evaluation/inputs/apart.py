"""Queries and judgements stand apart from the documents: those that lie among them would be found."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rerank_cli.errors import UsageError
from rerank_cli.ports import Index


def check_outside(folder: Path, index: Index) -> None:
    """Raise UsageError if the next `index` would take what is written to *folder* for documents."""
    root, place = Path(index.manifest.recipe.root), folder.resolve()
    if not place.is_relative_to(root):
        return
    dotted = any(part.startswith(".") for part in place.relative_to(root).parts)
    if not dotted or index.manifest.recipe.rules.get("hidden"):
        raise UsageError(
            f"{folder}: lies in the indexed folder, where the queries would be found as documents",
            remedy="choose a folder outside it, or one whose name begins with a dot",
        )


def documents_among(files: Sequence[Path], index: Index) -> tuple[Path, ...]:
    """Those of *files*, a collection's own, that *index* has read as documents."""
    root = Path(index.manifest.recipe.root)
    inside = {path: path.resolve() for path in files if path.resolve().is_relative_to(root)}
    names = {path: place.relative_to(root).as_posix() for path, place in inside.items()}
    known = index.file_states(names.values())
    return tuple(path for path, name in names.items() if name in known)
