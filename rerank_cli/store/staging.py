"""Files that were read and wait for their commit: what holds the texts of a run, so that no process has to.

One record a file: its length, the CRC-32 of its content, and the file as JSON. A run that was killed left whole
records; the next one finds them under the path, the content's hash and what they were read with.
"""

from __future__ import annotations

import json
import os
import struct
import zlib
from contextlib import suppress
from io import BufferedReader, BufferedWriter
from pathlib import Path

from rerank_cli.places import open_private
from rerank_cli.ports import FileState, NewFile
from rerank_cli.records import Passage, Place, SplitDocument
from rerank_cli.stamps import Stamp

HEAD = struct.Struct("<QI")


class Staging:
    """The staged files of an index, in the file *path*, which is made with the first of them."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._places: dict[str, tuple[int, bytes, str]] = {}
        self._writes: BufferedWriter | None = None
        self._reads: BufferedReader | None = None
        self._end = 0
        self._look()

    def stage(self, file: NewFile, *, key: str) -> None:
        """Add *file*, in the place of an earlier one under its path."""
        if self._writes is None:
            self._begin()
        assert self._writes is not None
        content = _encoded(file, key)
        self._writes.write(HEAD.pack(len(content), zlib.crc32(content)) + content)
        self._places[file.state.path] = (self._end, file.state.content_hash, key)
        self._end += HEAD.size + len(content)

    def _begin(self) -> None:
        """Be ready to write behind the whole records: what a killed run wrote half goes.

        Who read before may have looked ahead at that, and opens the file again.
        """
        self.close()
        self._writes = open(self._path, "wb", opener=_open_to_go_on)  # noqa: SIM115 - closed by `close`
        self._writes.truncate(self._end)
        self._writes.seek(self._end)

    def find(self, path: str, content_hash: bytes, *, key: str) -> NewFile | None:
        """What is staged under *path* of this very content, read with the same *key*."""
        place = self._places.get(path)
        if place is None or place[1:] != (content_hash, key):
            return None
        return self.read(path)

    def read(self, path: str) -> NewFile:
        """What is staged under *path*."""
        if self._writes is not None:
            self._writes.flush()
        if self._reads is None:
            self._reads = open(self._path, "rb", opener=open_private)  # noqa: SIM115 - closed by `close`
        self._reads.seek(self._places[path][0])
        length, crc32 = HEAD.unpack(self._reads.read(HEAD.size))
        content = self._reads.read(length)
        if zlib.crc32(content) != crc32:
            raise OSError(f"{self._path}: is not what was written")
        return _decoded(content)[0]

    def drop(self) -> None:
        """Forget all that is staged."""
        self.close()
        self._places, self._end = {}, 0
        self._path.unlink(missing_ok=True)

    def close(self) -> None:
        """Keep what is staged for the next run."""
        for file in (self._writes, self._reads):
            if file is not None:
                with suppress(OSError):  # a full disk: what is not there is read again
                    file.close()
        self._writes = self._reads = None

    def _look(self) -> None:
        """Find the whole records of a run that was killed."""
        with suppress(FileNotFoundError), open(self._path, "rb", opener=open_private) as file:
            while len(head := file.read(HEAD.size)) == HEAD.size:
                length, crc32 = HEAD.unpack(head)
                if length > os.fstat(file.fileno()).st_size:
                    break
                content = file.read(length)
                if len(content) < length or zlib.crc32(content) != crc32:
                    break
                try:
                    staged, key = _decoded(content)
                except ValueError:  # a machine that went down may leave zeros, which agree with their check
                    break
                self._places[staged.state.path] = (self._end, staged.state.content_hash, key)
                self._end += HEAD.size + length


def _open_to_go_on(path: str, flags: int) -> int:
    return open_private(path, flags & ~os.O_TRUNC)


def _encoded(file: NewFile, key: str) -> bytes:
    state = file.state
    documents = [[each.id, each.title, each.passages, each.fields] for each in file.documents]
    stated = [
        state.path,
        list(state.stamp),
        state.content_hash.hex(),
        state.reader,
        state.failure,
        state.notes,
        state.modified_at,
        state.damaged,
    ]
    return json.dumps([key, stated, documents], ensure_ascii=False).encode()


def _decoded(content: bytes) -> tuple[NewFile, str]:
    key, (path, stamp, content_hash, reader, failure, notes, modified_at, damaged), documents = json.loads(content)
    digest = bytes.fromhex(content_hash)
    state = FileState(path, Stamp(*stamp), digest, reader, failure, tuple(notes), modified_at, damaged)
    split = tuple(
        SplitDocument(name, title, tuple(map(_passage, rows)), tuple((key, value) for key, value in fields))
        for name, title, rows, fields in documents
    )
    return NewFile(state, split), key


def _passage(row: list[object]) -> Passage:
    ordinal, place, headings, text = row
    return Passage(ordinal, Place(*place), tuple(headings), text)  # type: ignore[arg-type,misc]
