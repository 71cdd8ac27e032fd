"""Whether what lies on the disk is still what was read: a file, and all that an index was made of."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from rerank_cli.ports import FileState, Recipe
from rerank_cli.records import FoundFile, Rules
from rerank_cli.regular import open_regular
from rerank_cli.stamps import Stamp, is_settled, stamp_of

if TYPE_CHECKING:
    from rerank_cli.corpus.discover import Discovery

Staleness = Literal["gone", "changed"]


def is_same(location: str | Path, stamp: Stamp, state: FileState, *, verify: bool = False) -> bool:
    """Whether the file at *location* has the content that it had in *state*.

    Its content is compared where the stamp leaves a doubt, and always where *verify* asks for it.
    """
    if stamp == state.stamp and not verify:
        return True
    return stamp.size_bytes == state.stamp.size_bytes and content_hash(location) == state.content_hash


def content_hash(location: str | Path) -> bytes:
    """SHA-256 of the file; empty where it cannot be read, as in the state of such a file and of no other."""
    import hashlib  # which takes 2 ms to load, and few files are in doubt

    try:
        with open_regular(location) as file:
            return hashlib.file_digest(file, "sha256").digest()
    except OSError:
        return b""


def folder_of(root: Path) -> Path:
    """Where the paths of an index of *root* begin: there, or beside it where it is a file of its own."""
    return root.parent if os.path.isfile(root) else root  # noqa: PTH113 - pathlib's raises where it may not look


def location_of(root: Path, path: str) -> Path:
    """Where the file *path* of the index of *root* lies."""
    return folder_of(root) / path


def stale_files(root: Path, states: Mapping[str, FileState]) -> dict[str, Staleness]:
    """Those of *states*, by path within *root*, whose files are gone or changed since they were read."""
    looked_at = {path: _staleness(root, path, state) for path, state in states.items()}
    return {path: staleness for path, staleness in looked_at.items() if staleness is not None}


def _staleness(root: Path, path: str, state: FileState) -> Staleness | None:
    try:
        location = location_of(root, path)
        stamp = stamp_of(location.stat())
    except (FileNotFoundError, NotADirectoryError):
        return "gone"
    except OSError as error:
        # a link to itself leads nowhere; all else is out of sight, and for all we know unchanged
        return "gone" if error.errno == errno.ELOOP else None
    return None if is_same(location, stamp, state) else "changed"


def rules_of_recipe(recipe: Recipe) -> Rules:
    """The files that an index lets in, as it was made last."""
    restored: dict[str, Any] = {
        key: tuple(rule) if isinstance(rule, list) else rule for key, rule in recipe.rules.items()
    }
    return Rules(**restored)


class FileChanges(NamedTuple):
    """How the files found differ from those of the index, by path.

    `out_of_sight` are those that cannot be listed or opened now: nobody can tell whether they are gone.
    """

    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    unchanged: tuple[str, ...]
    out_of_sight: tuple[str, ...] = ()
    touched: tuple[FileState, ...] = ()


def compare(found: Discovery, known: Mapping[str, FileState], *, verify: bool = False) -> FileChanges:
    """How *found* differs from *known*; a file whose stamp differs is compared by content, with *verify* every file."""
    added, changed, unchanged, touched = [], [], [], []
    for file in found.files:
        state = known.get(file.path)
        if state is None:
            added.append(file.path)
        elif file.stamp is state.stamp and not verify:  # as discovery leaves it to a file that has it
            unchanged.append(file.path)
        elif is_same(file.location, file.stamp, state, verify=verify):
            unchanged.append(file.path)
            if file.stamp != state.stamp and (is_settled(file.stamp) or _modified_at(file) != state.modified_at):
                touched.append(state_of(file, state.content_hash, state.reader, failure=state.failure))
        else:
            changed.append(file.path)
    is_all_found = len(changed) + len(unchanged) == len(known)
    absent = [] if is_all_found else sorted(known.keys() - {file.path for file in found.files})
    out_of_sight = under(absent, {file.path for file in found.skipped if file.failed})
    removed = sorted({*absent} - out_of_sight)
    return FileChanges(
        tuple(added), tuple(changed), tuple(removed), tuple(unchanged), tuple(sorted(out_of_sight)), tuple(touched)
    )


def under(paths: Iterable[str], places: set[str]) -> set[str]:
    """Those of *paths* that are among *places* or lie in a folder that is; the name of a folder ends in a slash."""
    names = {place.rstrip("/") for place in places}
    return {path for path in paths if not names.isdisjoint((path, *map(str, PurePosixPath(path).parents)))}


def state_of(file: FoundFile, content_hash: bytes, reader: str, *, failure: str | None) -> FileState:
    """The state of *file* as it was read; a stamp that is not trusted is none, as no file has the inode 0."""
    return FileState(
        path=file.path,
        stamp=file.stamp if content_hash and is_settled(file.stamp) else Stamp(file.size_bytes, 0, 0, 0),
        content_hash=content_hash,
        reader=reader,
        failure=failure,
        modified_at=_modified_at(file),
    )


def _modified_at(file: FoundFile) -> int:
    return file.stamp.mtime_ns // 1_000_000_000
