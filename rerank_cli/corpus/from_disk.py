"""From where a file lies to what it holds now, or why that cannot be told."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from rerank_cli.corpus.read import NotReadToTheEnd, Unreadable
from rerank_cli.corpus.repeated import NOTHING, LeftOut
from rerank_cli.errors import in_words
from rerank_cli.records import FileRead, FoundFile, SplitDocument
from rerank_cli.regular import open_regular
from rerank_cli.stamps import stamp_of

if TYPE_CHECKING:
    from rerank_cli.corpus.reading import FileReading


def opened(file: FoundFile, *, max_bytes: int) -> tuple[FoundFile, bytes]:
    """*file* as it is now and what it holds: it may have grown since it was found, though not beyond *max_bytes*.

    Raises OSError.
    """
    with open_regular(file.location) as found:
        stamp = stamp_of(os.fstat(found.fileno()))
        if stamp.size_bytes > max(file.size_bytes, max_bytes):
            raise OSError(errno.EFBIG, "has grown too large")
        return file._replace(stamp=stamp), found.read(stamp.size_bytes)


def read_from_disk(
    file: FoundFile,
    reading: FileReading,
    *,
    max_bytes: int,
    lone: bool,
    left_out: LeftOut = NOTHING,
    is_known: Callable[[FoundFile, bytes], bool] = lambda _file, _digest: False,
    listener: Callable[[Sequence[SplitDocument]], None] = lambda _documents: None,
) -> FileRead:
    """What *file* holds now, cut into passages; nothing where it *is_known* by the hash of its content.

    Of a long file the *listener* hears of documents before all of it is read.
    """
    try:
        file, content = opened(file, max_bytes=max_bytes)
    except OSError as error:
        return FileRead(file, failure=f"cannot be read: {in_words(error)}", unread=True)
    digest = hashlib.sha256(content).digest()
    if is_known(file, digest):
        return FileRead(file, digest)
    try:
        return FileRead(file, digest, reading.read(file, content, lone=lone, left_out=left_out, listener=listener))
    except Unreadable as error:
        return FileRead(file, digest, failure=str(error), unread=isinstance(error, NotReadToTheEnd))
