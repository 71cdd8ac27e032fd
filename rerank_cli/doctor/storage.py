"""Whether the disks have room for what comes next, and whether what is kept there is private, ours and writable."""

from __future__ import annotations

import os
import pwd
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from rerank_cli.doctor.findings import Finding
from rerank_cli.errors import InputError
from rerank_cli.models.catalogue import WEIGHT_SUFFIXES
from rerank_cli.models.compiled import ModelState
from rerank_cli.regular import size_of
from rerank_cli.store.access import is_read_only_disk, may
from rerank_cli.store.layout import Layout
from rerank_cli.store.remedies import quoted

LEAST_FREE_BYTES = 1_000_000
"""What any update writes."""

LEAST_COMPILE_SHARE, MOST_COMPILE_SHARE = 2, 5
"""Bytes that a compile writes for each byte of weights: at its peak 2.0 were measured with weights in float32, and 4.5
with weights in half precision."""


def room_for_indexes(place: Path, folders: Sequence[Path]) -> Iterator[Finding]:
    """Whether an update of each of *folders* finds room in *place*: it writes what has changed, at most everything."""
    most = max([LEAST_FREE_BYTES, *map(_size_bytes, folders)])
    yield _room(place, purpose="an update", least_bytes=LEAST_FREE_BYTES, most_bytes=most)


def room_for_models(place: Path, uncompiled: Sequence[ModelState]) -> Iterator[Finding]:
    """Whether the models that are still to be compiled find room in *place*."""
    weights_bytes = sum(_weights_bytes(state.source.folder) for state in uncompiled if state.source)
    least, most = (max(LEAST_FREE_BYTES, share * weights_bytes) for share in (LEAST_COMPILE_SHARE, MOST_COMPILE_SHARE))
    purpose = "compiling the models" if uncompiled else "a run"
    yield _room(place, purpose=purpose, least_bytes=least, most_bytes=most)


def _room(place: Path, *, purpose: str, least_bytes: int, most_bytes: int) -> Finding:
    disk = os.statvfs(_existing(place))
    free_bytes = disk.f_bavail * disk.f_frsize
    free = f"{_shown(free_bytes)} free"
    if free_bytes < least_bytes:
        message, remedy = f"{free}, while {purpose} writes {_shown(least_bytes)} or more", "free some space"
        return Finding("disk", str(place), "FAIL", message, remedy, InputError.exit_code)
    if disk.f_files and not disk.f_favail:
        message, remedy = "holds as many files as it can", "delete some files"
        return Finding("disk", str(place), "FAIL", message, remedy, InputError.exit_code)
    if free_bytes < most_bytes:
        message, remedy = f"{free}, while {purpose} may write up to {_shown(most_bytes)}", "free some space"
        return Finding("disk", str(place), "warn", message, remedy)
    return Finding("disk", str(place), "ok", f"{free}, {purpose} writes at most {_shown(most_bytes)}")


def _existing(place: Path) -> Path:
    """*place*, or the nearest folder above it that is there."""
    return next(folder for folder in (place, *place.parents) if os.path.lexists(folder))


def _size_bytes(folder: Path) -> int:
    try:
        return Layout(folder).size_bytes()
    except OSError:
        return 0  # told where its health is, or a writer is at work


def _weights_bytes(folder: Path) -> int:
    return sum(size_of(path) for path in folder.rglob("*") if path.suffix in WEIGHT_SUFFIXES)


def _shown(size_bytes: int) -> str:
    return f"{size_bytes / 1e9:.1f} GB" if size_bytes >= 1e9 else f"{size_bytes / 1e6:.0f} MB"


# Permissions


def permissions(place: Path, *, must_write: bool) -> Iterator[Finding]:
    """Whether nobody else can look into *place*, and whether we can read it and write there."""
    if not os.path.lexists(place):
        above = _existing(place)
        if may(above, os.W_OK | os.X_OK):
            yield Finding("permissions", str(place), "ok", "is made by the first run")
        else:
            yield _denied(place, f"cannot be made: {above} {_why_unwritable(above)}", must_write=must_write)
        return
    if not place.is_dir():
        yield _denied(place, "is no folder", remedy="move it away", must_write=True)
        return
    found = [*_look_into(place, must_write=must_write)]
    yield from found or [Finding("permissions", str(place), "ok", "private, and may be written")]


def _look_into(place: Path, *, must_write: bool) -> Iterator[Finding]:
    unlisted: list[OSError] = []
    inside = [
        Path(folder, name) for folder, _, files in os.walk(place, onerror=unlisted.append) for name in ("", *files)
    ]
    if denied := [error for error in unlisted if not isinstance(error, FileNotFoundError)]:
        yield _denied(Path(denied[0].filename), "may not be read", must_write=True)
        return
    states = {path: status for path in inside if (status := _status(path)) and not stat.S_ISLNK(status.st_mode)}
    whole = quoted(place)
    if foreign := [path for path, status in states.items() if status.st_uid != os.geteuid()]:
        owner = _name_of(states[foreign[0]].st_uid)
        message = f"{_first_of(foreign)} belongs to {owner}, not to {_name_of(os.geteuid())}"
        yield Finding("permissions", str(place), "warn", message, f"sudo chown -R {os.geteuid()} {whole}")
    if locked := [path for path in states if not may(path, os.W_OK) and os.path.lexists(path)]:
        yield _denied(place, f"{_first_of(locked)} {_why_unwritable(locked[0])}", must_write=must_write)
    if loose := [path for path, status in states.items() if status.st_mode & (stat.S_IRWXG | stat.S_IRWXO)]:
        message = f"others may look into {_first_of(loose)}"
        yield Finding("permissions", str(place), "warn", message, f"chmod -R go= {whole}")


def _denied(place: Path, message: str, *, must_write: bool, remedy: str = "check its permissions") -> Finding:
    if must_write:
        return Finding("permissions", str(place), "FAIL", message, remedy, InputError.exit_code)
    return Finding("permissions", str(place), "warn", f"{message}; what is there is used, nothing is kept", remedy)


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.lstat()
    except FileNotFoundError:
        return None  # a writer took it away


def _why_unwritable(path: Path) -> str:
    return "lies on a disk that is read-only" if is_read_only_disk(path) else "may not be written"


def _first_of(paths: Sequence[Path]) -> str:
    return f"{paths[0]} and {len(paths) - 1} more" if len(paths) > 1 else str(paths[0])


def _name_of(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"user {user}"
