"""What mining keeps beside the checkpoints for a restart: each vector as it comes, and at last the result."""

from __future__ import annotations

import hashlib
import json
import os
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import IO, Any

import numpy as np

from rerank_cli.arrays import Vectors
from rerank_cli.places import open_private
from rerank_cli.ports import Encoder
from rerank_cli.training.destination import Destination
from rerank_cli.training.groups import Group
from rerank_cli.training.mining import Mined
from rerank_cli.training.validation import Question

MINED_NAME = "mined.json"
VECTORS_NAME = "passages.vectors"

MINED_FORMAT = 1
"""To be raised when mining draws otherwise, or writes otherwise what it drew: a restart then mines anew."""


# The result


def mined_once(destination: Destination, settings: Mapping[str, object], mine: Callable[[Path], Mined]) -> Mined:
    """What *mine* gives, which may keep its vectors in the file that it is handed; or what it gave before a restart.

    What is kept of other *settings*, or damaged, is mined anew.

    Raises:
        OSError: nothing can be written beside the checkpoints.
    """
    place = destination.checkpoints / MINED_NAME
    if place.exists():
        seal, _, content = place.read_bytes().partition(b"\n")
        if seal == _seal(content, settings):
            return _from_json(content)
    vectors = destination.checkpoints / VECTORS_NAME
    mined = mine(vectors)
    content = _to_json(mined)
    destination.keep(MINED_NAME, _seal(content, settings) + b"\n" + content)
    vectors.unlink(missing_ok=True)
    return mined


def _seal(content: bytes, settings: Mapping[str, object]) -> bytes:
    """A hash of *content* and of all that it came from."""
    origin = json.dumps([MINED_FORMAT, settings], sort_keys=True).encode()
    return hashlib.sha256(origin + b"\n" + content).hexdigest().encode()


def _to_json(mined: Mined) -> bytes:
    """Each text once, as most passages stand in several groups, and numbers in its place."""
    numbers: dict[str, int] = {}

    def number(text: str) -> int:
        return numbers.setdefault(text, len(numbers))

    groups = [[number(each.query), [number(text) for text in each.passages], each.target] for each in mined.groups]
    questions = [
        [
            number(each.text),
            [[number(document), number(passage)] for document, passage in each.candidates],
            [[number(document), grade] for document, grade in each.grades.items()],
        ]
        for each in mined.questions
    ]
    record = {"texts": list(numbers), "groups": groups, "questions": questions, "left_out": dict(mined.left_out)}
    return json.dumps(record).encode("ascii")


def _from_json(content: bytes) -> Mined:
    record: Any = json.loads(content)
    texts: list[str] = record["texts"]
    groups = tuple(
        Group(texts[query], tuple(texts[passage] for passage in passages), tuple(target))
        for query, passages, target in record["groups"]
    )
    questions = tuple(
        Question(
            texts[query],
            tuple((texts[document], texts[passage]) for document, passage in candidates),
            {texts[document]: grade for document, grade in grades},
        )
        for query, candidates, grades in record["questions"]
    )
    return Mined(groups, questions, record["left_out"])


# The vectors

CHUNK = struct.Struct("<III")
"""Before each chunk: how many texts, the width of a vector, and the CRC-32 of both, the hashes and the vectors."""

HASH_BYTES = 16


@contextmanager
def remembering(encoder: Encoder, place: Path) -> Iterator[Encoder]:
    """*encoder*, which encodes no passage twice: its vectors are kept in the file *place* and found there again.

    What a call encodes is one chunk, appended to the file. A chunk that a killed run left cut off, or that was
    damaged, is given up with all that follow it. Then a restart asks the encoder for the same chunks as a run without
    one would, so that one whose vectors depend on what it encodes together gives the same, too.

    Raises:
        OSError: the file cannot be read or written.
    """
    with open(place, "a+b", opener=open_private) as file:
        yield _RememberingEncoder(encoder, file)


class _RememberingEncoder:
    def __init__(self, encoder: Encoder, file: IO[bytes]) -> None:
        self._encoder = encoder
        self._file = file

    @property
    def fingerprint(self) -> str:
        return self._encoder.fingerprint

    @property
    def dimensions(self) -> int:
        return self._encoder.dimensions

    @property
    def max_tokens(self) -> int:
        return self._encoder.max_tokens

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return self._encoder.count_tokens(texts)

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        return self._encoder.encode_queries(texts)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        hashes = [self._hash(text) for text in texts]
        missing = {each: text for each, text in zip(hashes, texts, strict=True) if each not in self._offsets}
        if missing:
            self._append(list(missing), self._encoder.encode_passages(list(missing.values())))
        return np.stack([self._vector(each) for each in hashes])

    def _hash(self, text: str) -> bytes:
        named = f"{self.fingerprint}\n{text}".encode(errors="surrogatepass")
        return hashlib.blake2b(named, digest_size=HASH_BYTES).digest()

    def _vector(self, text_hash: bytes) -> Vectors:
        offset, width = self._offsets[text_hash]
        return np.frombuffer(os.pread(self._file.fileno(), 4 * width, offset), dtype="<f4")

    def _append(self, hashes: Sequence[bytes], vectors: Vectors) -> None:
        size = len(hashes), vectors.shape[1]
        content = b"".join(hashes) + vectors.astype("<f4").tobytes()
        start = self._file.seek(0, os.SEEK_END)
        self._file.write(CHUNK.pack(*size, _checksum(*size, content)) + content)
        self._file.flush()
        self._offsets.update(_offsets(start, hashes, size[1]))

    @cached_property
    def _offsets(self) -> dict[bytes, tuple[int, int]]:
        """Where in the file the vector of each hash begins, and its width."""
        found: dict[bytes, tuple[int, int]] = {}
        start = 0
        while chunk := _whole_chunk(self._file, start):
            found.update(_offsets(start, *chunk))
            start = self._file.tell()
        self._file.truncate(start)
        return found


def _whole_chunk(file: IO[bytes], start: int) -> tuple[list[bytes], int] | None:
    """The hashes of the chunk that begins at *start*, and the width of its vectors; None where none is whole."""
    file.seek(start)
    head = file.read(CHUNK.size)
    if len(head) < CHUNK.size:
        return None
    count, width, checksum = CHUNK.unpack(head)
    size = count * (HASH_BYTES + 4 * width)
    if size > os.fstat(file.fileno()).st_size - file.tell():
        return None
    content = file.read(size)
    if checksum != _checksum(count, width, content):
        return None
    return [content[place : place + HASH_BYTES] for place in range(0, count * HASH_BYTES, HASH_BYTES)], width


def _checksum(count: int, width: int, content: bytes) -> int:
    return zlib.crc32(content, zlib.crc32(struct.pack("<II", count, width)))


def _offsets(start: int, hashes: Sequence[bytes], width: int) -> dict[bytes, tuple[int, int]]:
    first = start + CHUNK.size + HASH_BYTES * len(hashes)
    return {each: (first + 4 * width * place, width) for place, each in enumerate(hashes)}
