"""What a query and a warm server say to each other, and the folder of ours in which they meet.

A query loads this before anything else, so it takes from Python only what is there already.
"""

from __future__ import annotations

import _socket  # `socket` makes enumerations first, which takes a tenth of the time of an answer
import os
import stat
import sys
from zlib import crc32

from rerank_cli import __version__

TYPE_CHECKING = False  # typing has one too, and is slow to load
if TYPE_CHECKING:
    from collections.abc import Mapping

HERE = b"H"
"""From the server: it listens. Streams that are handed to one which hangs would never be closed."""

TAKEN = b"T"
"""From the server: a process is there to answer."""

GO = b"G"
"""From the query: it still waits, so what is written from now on is its output."""

BEGUN = b"B"
"""The first byte of stdin is about to be read, or of the answer to be written: nobody else may answer any more."""

COLD = b"C"
"""The query must answer itself."""

PAGE = b"P"
"""A text for the query's own pager: two lengths, of the command and of the text, in a line, and both."""

CODE = b"X"
"""The answer is written; the exit code follows, in three digits."""

INTERRUPT = b"I"
"""From the query: the user pressed Ctrl-C."""

ANSWER, STATUS, STOP = b"answer", b"status", b"stop"
"""What may be asked."""

SUFFIX = ".socket"

WAIT_S = 2.0
"""A server that has not begun by then hangs."""

REQUEST_BYTES = 4_000_000
"""The most that a query may say of itself; one that has more to say is answered cold."""

PRIVATE = 0o077
"""What others may do with what is ours: nothing."""


def kind_of_server(environment: Mapping[str, str]) -> str:
    """What must be the same of a query and of the process that answers in its place, from its start on.

    The files that they see are among it: in a container, or under another root, a path names another file. So are the
    network that they reach, and the groups whose files they may read. By which of its names an
    environment's Python was called, `python` or `python3`, is not.
    """
    try:
        root = os.stat("/")  # noqa: PTH116
        files = (os.readlink("/proc/self/ns/mnt"), root.st_dev, root.st_ino)  # noqa: PTH115
        network = os.readlink("/proc/self/ns/net")  # noqa: PTH115
    except OSError:
        files, network = ("", 0, 0), ""
    ours = os.path.dirname(os.path.dirname(__file__))  # noqa: PTH120 - pathlib is not loaded
    told = {
        name: value
        for name, value in environment.items()
        if name in ("LANG", "LANGUAGE") or name.startswith(("LC_", "PYTHON"))
    }
    return repr(
        (
            *(__version__, ours, sys.prefix, sys.version, sys.flags.utf8_mode, sys.flags.optimize),
            *(files, network, os.getegid(), sorted(os.getgroups()), sorted(told.items())),
        )
    )


def socket_name(kind: str) -> str:
    """Of the socket of a server of this *kind*."""
    return f"{__version__}-{crc32(kind.encode('utf-8', 'surrogateescape')):08x}{SUFFIX}"


def folder_place(environment: Mapping[str, str]) -> str:
    """Where the sockets lie: in the user's runtime folder, or where there is none of theirs in the cache.

    Nowhere for a user without a home.
    """
    runtime = environment.get("XDG_RUNTIME_DIR", "")
    if os.path.isabs(runtime) and is_ours(runtime):  # noqa: PTH117
        return f"{runtime}/rerank-cli"
    cache = environment.get("XDG_CACHE_HOME", "").strip()
    if not os.path.isabs(cache):  # noqa: PTH117
        cache = f"{os.path.expanduser('~')}/.cache"  # noqa: PTH111
    return f"{cache}/rerank-cli/warm" if os.path.isabs(cache) else ""  # noqa: PTH117


def is_ours(folder: str) -> bool:
    """Whether *folder* is no link, and nobody but this user can look into it."""
    try:
        return _is_private_folder(os.lstat(folder))
    except OSError:
        return False


def open_folder(place: str) -> int | None:
    """A descriptor of the folder *place*; None where it is missing, or is not ours alone."""
    try:
        descriptor = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    if _is_private_folder(os.fstat(descriptor)):
        return descriptor
    os.close(descriptor)
    return None


def _is_private_folder(status: os.stat_result) -> bool:
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid() and not status.st_mode & PRIVATE


def address_in(folder: int, name: str) -> str:
    """The address of the socket *name* in the *folder*, whatever the length of its path, and whoever moves it."""
    return f"/proc/self/fd/{folder}/{name}"


def connected(folder: int, name: str) -> _socket.socket | None:
    """A connection to the server at *name*; None where none listens, or another user's, or one that hangs."""
    asking = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    asking.settimeout(WAIT_S)
    try:
        asking.connect(address_in(folder, name))
        if peer_of(asking) == os.geteuid():
            return asking
    except OSError:
        pass
    asking.close()
    return None


def peer_of(connection: _socket.socket) -> int:
    """The user at the other end."""
    credentials = connection.getsockopt(_socket.SOL_SOCKET, _socket.SO_PEERCRED, 12)
    return int.from_bytes(credentials[4:8], sys.byteorder)


def packed(what: bytes, *lists: list[bytes]) -> bytes:
    """A request for *what*, with lists of texts: their lengths in a line, and each text with a NUL behind it."""
    body = b"".join(text + b"\0" for texts in lists for text in texts)
    head = b" ".join([what, *(b"%d" % len(texts) for texts in lists), b"%d" % len(body)])
    return head + b"\n" + body


def unpacked(head: bytes, body: bytes) -> tuple[bytes, list[list[bytes]]]:
    """What is asked in a request of this *head*, with its lists of texts."""
    what, *counts = head.split(b" ")
    texts = iter(body.split(b"\0"))
    return what, [[next(texts) for _ in range(int(count))] for count in counts[:-1]]
