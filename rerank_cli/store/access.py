"""What keeps a file of an index from being read or written, and what a person does about it."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rerank_cli.errors import IndexDamaged, InputError, RerankError, in_words
from rerank_cli.regular import SCARCE
from rerank_cli.store.layout import Layout
from rerank_cli.store.remedies import in_the_way, mend_remedy, move_away, quoted

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
DENIED = (errno.EACCES, errno.EPERM)


IN_THE_WAY = (errno.EISDIR, errno.ENOTDIR, errno.EEXIST, errno.ENOTEMPTY)


def cannot(verb: str, path: Path, error: BaseException) -> RerankError:
    """That *path* cannot be *verb* ("read" or "written"), for *error*."""
    path = _blamed(path, error)
    if isinstance(error, OSError) and error.errno in IN_THE_WAY and is_folder(path) and Layout(path.parent).owns(path):
        return in_the_way(path)
    return InputError(f"{path}: cannot be {verb} ({in_words(error)})", remedy=_remedy(path, error))


@contextmanager
def naming_disk_errors(path: Path) -> Iterator[None]:
    """Make one of ours of what keeps *path* from being written, which hnswlib reports as RuntimeError."""
    try:
        yield
    except (OSError, RuntimeError) as error:
        raise cannot("written", path, error) from error


def obstacle(catalog: Path) -> RerankError | None:
    """What keeps SQLite from the file *catalog* or from those beside it; None if nothing can be seen."""
    log, shared = (catalog.with_name(f"{catalog.name}{ending}") for ending in ("-wal", "-shm"))
    for place in (catalog, log, shared):
        if is_folder(place):
            return in_the_way(place)
    if denied := _denied(catalog, os.R_OK):
        return InputError(f"{denied}: may not be read", remedy=permit(denied))
    if is_read_only_disk(catalog.parent):
        return InputError(f"{catalog.parent}: its disk is read-only", remedy="run it where the disk can be written")
    for place in (catalog, log):
        if _is_there(place) and not may(place, os.R_OK | os.W_OK):
            return InputError(f"{place}: may not be written", remedy=permit(place))
    if _is_there(shared) and not may(shared, os.R_OK | os.W_OK):
        delete = f"once no other rerank-cli runs, delete it: rm -f {quoted(shared)}"
        return InputError(f"{shared}: was left behind and may not be written", remedy=delete)
    if not may(catalog.parent, os.W_OK | os.X_OK):
        return InputError(f"{catalog.parent}: may not be written", remedy=permit(catalog.parent))
    return None


def is_folder(place: Path) -> bool:
    """Whether *place* is known to be a folder: `Path.is_dir` fails where it may not be looked at."""
    try:
        return stat.S_ISDIR(place.stat().st_mode)
    except OSError:
        return False


def may(place: Path, mode: int) -> bool:
    """Whether this process may use *place* so: os.R_OK to read it, os.W_OK to write it, os.X_OK to enter it."""
    return os.access(place, mode, effective_ids=os.access in os.supports_effective_ids)


def is_read_only_disk(folder: Path) -> bool:
    """Whether *folder* lies on a file system that takes no writes, whoever asks."""
    try:
        return bool(os.statvfs(folder).f_flag & os.ST_RDONLY)
    except OSError:
        return False  # then what asked has an error of its own to tell


def permit(place: Path) -> str:
    """The command that gives this user access to *place*."""
    allow = f"chmod u+rwX {quoted(place)}"
    if _owner(place) in (os.geteuid(), None):
        return f"give yourself access: {allow}"
    return f"it belongs to another user; have it given to you: sudo chown {os.geteuid()} {quoted(place)} && {allow}"


def _blamed(path: Path, error: BaseException) -> Path:
    """The file that *error* names, which may be another than *path*; of a rename, the folder in its way if any."""
    if not isinstance(error, OSError):
        return path
    named = [Path(name) for name in (error.filename2, error.filename) if isinstance(name, str) and name]
    return next((place for place in named if is_folder(place)), named[-1] if named else path)


def _remedy(path: Path, error: BaseException) -> str:
    code = error.errno if isinstance(error, OSError) else errno.ENOSPC  # hnswlib fails so where it cannot write
    if code in FULL:
        return "check space and permissions; nothing was lost"
    if code == errno.EROFS:
        return "its disk is read-only: run it where the disk can be written"
    if code in SCARCE:
        return "close other programs and run again; nothing was lost"
    if code in DENIED and (denied := _denied(path, os.R_OK | os.W_OK)):
        return permit(denied)
    if code in IN_THE_WAY:
        if Layout(path.parent).owns(path):
            return move_away(path)
        return f"move it out of {quoted(path.parent)} and run again; nothing was lost"
    return "check the disk, its space and permissions, and run again; nothing was lost"


def _denied(path: Path, mode: int) -> Path | None:
    """The first folder on the way to *path* that may not be entered, or else what of it does not allow *mode*."""
    for folder in reversed(path.parents):
        if _is_there(folder) and not may(folder, os.X_OK):
            return folder
    for place in (path, path.parent):
        if _is_there(place):
            return None if may(place, mode) else place
    return None


def _is_there(place: Path) -> bool:
    return os.path.lexists(place)


def _owner(place: Path) -> int | None:
    try:
        return place.stat().st_uid
    except OSError:
        return None


def damaged(path: Path, what: str) -> IndexDamaged:
    """That the file *path*, which can be made again, is not to be believed, and the command that mends it."""
    return IndexDamaged(f"{path}: {what}", remedy=mend_remedy(path.parent))


@contextmanager
def telling(path: Path) -> Iterator[None]:
    """Make one of ours of the system's errors about *path*, which can be made again."""
    try:
        yield
    except FileNotFoundError as error:
        raise damaged(path, "is missing") from error
    except OSError as error:
        if error.errno in SCARCE:
            raise cannot("read", path, error) from error
        if is_folder(path):
            raise in_the_way(path) from error
        raise damaged(path, f"cannot be read ({in_words(error)})") from error
