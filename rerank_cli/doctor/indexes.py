"""How each index is: sound, made with the configured encoder, free to be written, and of this time."""

from __future__ import annotations

import calendar
import os
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from rerank_cli.doctor.findings import Finding, failure, guarded
from rerank_cli.errors import IndexMismatch, IndexMissing, InputError, RerankError, in_words
from rerank_cli.models.compiled import ModelState
from rerank_cli.ports import Index, Manifest
from rerank_cli.store import open_reader, write_lock
from rerank_cli.store.access import is_folder, may
from rerank_cli.store.health import check_health
from rerank_cli.store.layout import Layout, is_default_folder
from rerank_cli.store.lock import is_held
from rerank_cli.store.remedies import index_command, quoted

READ_WHOLE_BYTES = 50_000_000
"""Of an index up to this size every page is read, which takes some 0.2 s; of a larger one what a query opens."""

CLOCK_SKEW_S = 60.0
"""Clocks of file servers differ by less; a time that is further ahead is wrong."""

MOST_ASKED = 1000
"""Files whose times are asked of the disk, which may be slow."""


def health(folders: Sequence[Path], *, asked: bool, encoder_in: Callable[[Path], ModelState]) -> Iterator[Finding]:
    """Whether each index answers. *encoder_in* gives the encoder that is configured in the folder it was made of.

    An index that was *asked* for by name, or is the one of its folder, must be of that encoder; one beside it may have
    been made with another on purpose.
    """
    for folder in folders:
        yield from guarded("index", str(folder), partial(_health, folder, asked=asked, encoder_in=encoder_in))
    if not folders:
        yield Finding("index", "", "warn", "no folder is indexed yet", "make an index: rerank-cli index FOLDER")


def _health(folder: Path, *, asked: bool, encoder_in: Callable[[Path], ModelState]) -> Iterator[Finding]:
    found = check_health(folder, pages=folder.is_dir() and Layout(folder).size_bytes() <= READ_WHOLE_BYTES)
    if isinstance(found.failure, IndexMissing) and is_held(folder):
        yield Finding("index", str(folder), "warn", "is being made now", "wait for its first run")
        return
    if found.failure is not None:
        yield failure("index", str(folder), found.failure)
        return
    with open_reader(folder) as reader:
        manifest = reader.manifest
        yield Finding("index", str(folder), "ok", _summary(reader, leftovers=len(found.leftovers)))
    yield from _root(folder, Path(manifest.recipe.root))
    yield from _encoder(folder, manifest, encoder_in(Path(manifest.recipe.root)), asked=asked)


def _summary(reader: Index, *, leftovers: int) -> str:
    counts, manifest = reader.counts(), reader.manifest
    parts = [
        f"{_counted(counts.passages, 'passage')} of {manifest.recipe.root}",
        f"updated {_ago(_seconds(manifest.updated_at))}",
    ]
    if counts.failed_files:
        parts.append(f"{_counted(counts.failed_files, 'file')} could not be read")
    if leftovers:
        parts.append("what a killed run left goes with the next index")
    return ", ".join(parts)


def _encoder(folder: Path, manifest: Manifest, configured: ModelState, *, asked: bool) -> Iterator[Finding]:
    if configured.fingerprint in (None, manifest.recipe.encoder_fingerprint):
        return
    encoder = manifest.recipe.encoder
    other = encoder != configured.name
    made = f"made with the encoder {encoder}" if other else f"made with other weights of {encoder}"
    remedy = f"encode it anew: {index_command(folder, rebuild=True)}"
    if other:
        remedy = f"name that one with --encoder, or {remedy}"
    expected = asked or is_default_folder(folder, Path(manifest.recipe.root))
    yield Finding(
        "index",
        str(folder),
        "FAIL" if expected else "warn",
        f"{made}, while {configured.name} is configured",
        remedy,
        IndexMismatch.exit_code if expected else 0,
    )


def _root(folder: Path, root: Path) -> Iterator[Finding]:
    try:
        is_whole_folder = stat.S_ISDIR(root.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        remedy = f"mount its disk, or delete the index if they are gone for good: rm -r {quoted(folder)}"
        yield Finding("index", str(folder), "warn", f"its documents are not there: {root}", remedy)
        return
    except OSError as error:  # a query needs none of them
        message = f"its documents cannot be looked at ({in_words(error)}): {root}"
        yield Finding("index", str(folder), "warn", message, "check the disk and the permissions of that folder")
        return
    if not may(root, os.R_OK | os.X_OK if is_whole_folder else os.R_OK):
        message, remedy = f"its documents may not be read: {root}", "check the permissions of that folder"
        yield Finding("index", str(folder), "FAIL", message, remedy, InputError.exit_code)


# The lock


def locks(folders: Sequence[Path]) -> Iterator[Finding]:
    """Who holds the lock of which index."""
    found = [finding for folder in folders for finding in guarded("lock", str(folder), partial(_lock, folder))]
    yield from found or [Finding("lock", "", "ok", "nobody is writing")]


def _lock(folder: Path) -> Iterator[Finding]:
    if (lock := write_lock(folder)).held:
        yield _held(str(folder), lock.pid)


def _held(subject: str, pid: int | None) -> Finding:
    if pid is None:
        return Finding("lock", subject, "ok", "another process is writing")
    if not _is_stopped(pid):
        return Finding("lock", subject, "ok", f"process {pid} is writing")
    remedy = f"let it go on: kill -CONT {pid}; or end it: kill -KILL {pid}"
    return Finding("lock", subject, "warn", f"process {pid} is stopped and keeps everybody else from writing", remedy)


def _is_stopped(pid: int) -> bool:
    """Whether a signal holds the process up; False where there is no /proc."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return status.rpartition(")")[2].split()[:1] == ["T"]


# The clock


def clock(folders: Sequence[Path], *, now_s: float) -> Iterator[Finding]:
    """Whether an index, or a file in it, is of a time that is still to come."""
    found = [finding for folder in folders for finding in guarded("clock", str(folder), partial(_ahead, folder, now_s))]
    yield from found or [Finding("clock", "", "ok", time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now_s)))]


def _ahead(folder: Path, now_s: float) -> Iterator[Finding]:
    try:
        with open_reader(folder) as reader:
            updated_at, root = reader.manifest.updated_at, Path(reader.manifest.recipe.root)
            doubtful = [state.path for state in reader.files().values() if not 0 < state.stamp.mtime_ns < now_s * 1e9]
    except RerankError:
        return  # told where its health is
    updated_s = _seconds(updated_at)
    if updated_s is not None and updated_s > now_s + CLOCK_SKEW_S:
        yield Finding("clock", str(folder), "warn", f"this machine's time is before its update, {updated_at}", SET_IT)
    base = root if is_folder(root) else root.parent
    ahead = [path for path in doubtful[:MOST_ASKED] if _mtime(base / path) > now_s + CLOCK_SKEW_S]
    if ahead:
        others = f" and {len(ahead) - 1} more" if len(ahead) > 1 else ""
        message = f"{ahead[0]}{others}: changed in the future, so that each run reads them again"
        yield Finding("clock", str(root), "warn", message, f"{SET_IT}, or touch them")


SET_IT = "set the clock"


def _mtime(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0  # gone: `index` tells of it


def _seconds(updated_at: str) -> float | None:
    try:
        return float(calendar.timegm(time.strptime(updated_at, "%Y-%m-%dT%H:%M:%SZ")))
    except (TypeError, ValueError):
        return None


def _ago(then_s: float | None) -> str:
    if then_s is None:
        return "at an unknown time"
    elapsed_s = max(0.0, time.time() - then_s)
    for unit, length_s in (("day", 86_400), ("hour", 3600), ("minute", 60)):
        if number := int(elapsed_s // length_s):
            return f"{_counted(number, unit)} ago"
    return "just now"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
