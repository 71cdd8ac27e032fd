"""Where what we keep lies, and that nobody but its owner can look into it, whatever the umask.

Folders have the mode 0700 and files 0600, since they hold texts of private folders and what gives them away.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from rerank_cli.errors import InputError
from rerank_cli.regular import check_regular, open_without_waiting

NAME = "rerank-cli"
"""Of our folder in each of the user's."""

FOLDER_MODE = 0o700
FILE_MODE = 0o600

UNFINISHED_START, UNFINISHED_END = ".rerank-cli-", ".unfinished"

LEFT_BEHIND_S = 3600


def data_folder() -> Path:
    """Where indexes are kept: `$XDG_DATA_HOME/rerank-cli`.

    Raises:
        InputError: the variable names none, and the user has no home folder.
    """
    return _own_folder("XDG_DATA_HOME", ".local/share")


def cache_folder() -> Path:
    """Where what can be made again is kept: `$XDG_CACHE_HOME/rerank-cli`. Raises as `data_folder`."""
    return _own_folder("XDG_CACHE_HOME", ".cache")


def config_folder() -> Path:
    """Where the user's settings lie: `$XDG_CONFIG_HOME/rerank-cli`. Raises as `data_folder`."""
    return _own_folder("XDG_CONFIG_HOME", ".config")


def _own_folder(variable: str, usual: str) -> Path:
    """Ours in the folder of the XDG standard that *variable* names, or else in the *usual* one, on macOS as well.

    A variable that names a relative folder counts for nothing.
    """
    named = os.environ.get(variable, "").strip()
    if os.path.isabs(named):  # noqa: PTH117 - a path for nothing
        return Path(named, NAME)
    home = home_folder()  # HOME may not be set, and a container's user may have no other
    if home is None or not home.is_absolute():
        raise InputError("this user has no home folder", remedy=f"set HOME or {variable}")
    return home / usual / NAME


def home_folder() -> Path | None:
    """The user's home folder, if they have one."""
    try:
        return Path.home()
    except RuntimeError:
        return None


def expanded(path: str | Path) -> Path:
    """*path* with `~` and `~user` at its beginning replaced.

    Raises:
        InputError: nobody of that name has a home folder here.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise InputError(f"{path}: there is no such home folder", remedy="check the path") from error


def make_private_folder(folder: Path) -> None:
    """Make *folder* and those above it that are missing. One that is there keeps its mode: see `tighten`."""
    missing = [place for place in (folder, *folder.parents) if not place.exists()]
    for place in reversed(missing):
        with suppress(FileExistsError):  # another process made it just now
            place.mkdir(mode=FOLDER_MODE)
            _set_mode(place, FOLDER_MODE)
    folder.mkdir(mode=FOLDER_MODE, exist_ok=True)  # tells of a file that stands in its place


def open_private(path: str | Path, flags: int) -> int:
    """An opener for `open`: makes a private file where there is none, and makes one that is there private.

    A link is not followed: whoever put it there would have us write to, and shut others out of, what it leads to.
    """
    try:
        descriptor = open_without_waiting(path, flags | os.O_NOFOLLOW, FILE_MODE)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise FileExistsError(errno.EEXIST, "a link, which is not followed", str(path)) from error
        raise
    if flags & os.O_CREAT and stat.S_IMODE(os.fstat(descriptor).st_mode) != FILE_MODE:
        _set_mode(descriptor, FILE_MODE)
    return descriptor


def make_private_file(path: Path) -> None:
    """Make an empty file, or make one that is there private: what a library writes to it later keeps its mode.

    One that is there is not opened: to close it again would take SQLite's locks of this process off it.
    """
    try:
        os.close(open_private(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC))
    except FileExistsError:
        if path.is_symlink():
            raise
        check_regular(path)
        tighten([path])


def replace_private(path: Path, content: bytes) -> None:
    """Put *content* in the place of the private file *path*, as `replace_whole` does; its folder is made."""
    make_private_folder(path.parent)
    replace_whole(path, content)


def replace_whole(path: Path, content: bytes, *, private: bool = True, synced: bool = False) -> None:
    """Put *content* in the place of the file *path*: all of it or nothing, also where several processes do so at once.

    *synced*, it lies on the disk afterwards, whatever happens to the machine.
    """
    _remove_unfinished(path.parent)
    unfinished = path.with_name(unfinished_name())
    try:
        with open(unfinished, "xb", opener=open_private if private else None) as file:
            file.write(content)
            if synced:
                file.flush()
                os.fsync(file.fileno())
        unfinished.replace(path)
    except BaseException:
        with suppress(OSError):
            unfinished.unlink()
        raise
    if synced:
        sync(path.parent)


def unfinished_name() -> str:
    """A name for a file that is being written, and which no other has: a fixed one would be two writers' at once."""
    return f"{UNFINISHED_START}{os.urandom(8).hex()}{UNFINISHED_END}"


def sync(path: Path) -> None:
    """Wait until the file or the folder *path* lies on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove_unfinished(folder: Path) -> None:
    """Remove what killed writers left in *folder*: nobody is at work on a file for so long."""
    with suppress(OSError):  # one that may not be listed, or what another process has just removed
        for place in folder.glob(f"{UNFINISHED_START}*{UNFINISHED_END}"):
            if time.time() - place.lstat().st_mtime > LEFT_BEHIND_S:
                place.unlink()


def tighten(paths: Iterable[Path]) -> None:
    """Take from all but their owner what an older program or another umask let them do with *paths*.

    Links and what is gone are passed over.
    """
    for path in paths:
        try:
            mode = path.lstat().st_mode
        except OSError:
            continue
        wanted = stat.S_IMODE(mode) & (FOLDER_MODE if stat.S_ISDIR(mode) else FILE_MODE)
        if wanted != stat.S_IMODE(mode) and (stat.S_ISDIR(mode) or stat.S_ISREG(mode)):
            _set_mode(path, wanted)


def tighten_tree(folder: Path) -> None:
    """`tighten` *folder*, to which links are followed, with all that lies in it."""
    for place, _, files in os.walk(os.path.realpath(folder)):
        tighten(Path(place, name) for name in ("", *files))


def _set_mode(place: Path | int, mode: int) -> None:
    """As far as the system lets us: some file systems have no modes, and what is another user's is theirs."""
    with suppress(OSError):
        os.chmod(place, mode)  # noqa: PTH101 - a descriptor is no path
