"""Names, renames and removes whole indexes, and tells which are of no use any more."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rerank_cli.errors import IndexMissing, InputError, UsageError, in_words
from rerank_cli.locks import locked
from rerank_cli.ports import Changes
from rerank_cli.store.elsewhere import Elsewhere, read_elsewhere, remember_elsewhere
from rerank_cli.store.layout import Layout, indexes_folder
from rerank_cli.store.opening import open_writer

REMOVED = ".removed-"
"""Stands before the name of an index while its files go: what a killed process leaves of it is no index any more."""


def rename_index(folder: Path, name: str) -> Path:
    """Give the index in *folder* another *name*; where it lies then.

    Raises:
        UsageError: *name* is none, or is taken.
        Busy: a process is writing the index.
    """
    renamed = _new_folder(name)
    with _held(folder), _told(folder):
        folder.rename(renamed)
    return renamed


def add_index(name: str, address: str) -> None:
    """Remember under *name* the index that is kept at *address*.

    Raises:
        UsageError: *name* is none, or is taken, or *address* is none.
        UnusableIndex: there is no index at *address*, or it cannot be used.
        InputError: it cannot be reached.
    """
    from rerank_cli.store.milvus import opening as in_milvus
    from rerank_cli.store.milvus.address import parse_address

    folder = _new_folder(name)
    where = parse_address(address, collection=name)
    with in_milvus.open_reader(where, folder) as index:
        root = index.manifest.recipe.root
    remember_elsewhere(folder, Elsewhere(str(where), root))


def _new_folder(name: str) -> Path:
    """Where an index called *name* would lie, of which there is none yet."""
    if os.sep in name or name.startswith((".", "~")) or not name.strip() or "\0" in name:
        raise UsageError(f"{name!r} is no name of an index", remedy="choose one without a slash or a dot in front")
    folder = indexes_folder() / name
    if os.path.lexists(folder):
        raise UsageError(f"there is an index called {name} already", remedy="choose another name, or remove that one")
    return folder


def remove_index(folder: Path) -> None:
    """Remove the index in *folder*.

    Raises:
        Busy: a process is writing it.
        InputError: it cannot be removed.
    """
    with _held(folder), _told(folder):
        going = folder.with_name(f"{REMOVED}{folder.name}")
        shutil.rmtree(going, ignore_errors=True)  # of a process that was killed
        folder.rename(going)
        shutil.rmtree(going)


def remove_leftovers() -> None:
    """Remove what killed processes left of indexes that they were to remove."""
    for leftover in indexes_folder().glob(f"{REMOVED}*"):
        with _told(leftover):
            shutil.rmtree(leftover)


def drop_unused_vectors(folder: Path, *, dry_run: bool) -> int:
    """Write the vectors of the index in *folder* anew without those that no passage uses; the bytes that this saves.

    An index that is kept elsewhere is left alone: `index --prune` does it there.
    """
    if read_elsewhere(folder) is not None:
        return 0
    with open_writer(folder, wait_s=0, search=None) as writer:
        saved = writer.unused_vector_bytes()
        if saved and writer.manifest is not None and not dry_run:
            writer.commit(Changes(), writer.manifest.recipe, prune=True)
    return saved


def has_gone(root: Path) -> bool:
    """Whether what was indexed at *root* is gone, and not out of sight: an unmounted disk leaves an empty folder."""
    try:
        return not os.path.lexists(root) and any(root.parent.iterdir())
    except OSError:
        return False


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Hold the lock of the index in *folder*, which must be one of ours."""
    if folder.parent != indexes_folder() or not folder.is_dir():
        raise IndexMissing(f"{folder}: is no index among those in {indexes_folder()}", remedy="rerank-cli indexes")
    with locked(Layout(folder).lock, busy=f"{folder}: is being written", remedy="try again when that has ended"):
        yield


@contextmanager
def _told(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputError(f"{folder}: cannot be changed ({in_words(error)})", remedy="check its permissions") from error
