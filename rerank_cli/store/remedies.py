"""The commands that bring an index back, as a shell reads them."""

from __future__ import annotations

from pathlib import Path

from rerank_cli.store.access import quoted
from rerank_cli.store.layout import is_default_folder
from rerank_cli.store.roots import indexed_root


def mend_remedy(folder: Path) -> str:
    """What to do about an index whose catalog is sound: what else it has is made again from that."""
    return f"mend it: {index_command(folder)}"


def rebuild_remedy(folder: Path) -> str:
    """What to do about an index whose catalog is not. Its vectors stay: only what they lack is encoded."""
    return f"build it anew: {index_command(folder, rebuild=True)}"


def index_command(folder: Path, *, rebuild: bool = False) -> str:
    """The command that brings the index in *folder* up to date."""
    root = indexed_root(folder)
    words = ["rerank-cli index", *["--rebuild"] * rebuild, "FOLDER" if root is None else quoted(root)]
    if root is None or not is_default_folder(folder, root):
        words += ["--index", quoted(folder)]
    return " ".join(words)
