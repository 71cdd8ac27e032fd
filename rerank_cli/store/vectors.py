"""Vectors under the hash of the text that each was made of, in two files that only ever grow.

A vector belongs to its text and its encoder, not to a file, a generation or a format: whatever changes around it, no
text is encoded twice. `*.vectors` is the bare matrix, float32, row after row, and is searched where it lies; `*.keys`
has for each row the hash of its text and a check of both. A row counts once its key is written whole.
"""

from __future__ import annotations

import hashlib
import os
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rerank_cli.arrays import Vectors
from rerank_cli.errors import ModelError
from rerank_cli.places import open_private
from rerank_cli.regular import open_regular
from rerank_cli.store.access import damaged, telling
from rerank_cli.store.pinned import TEXT_BYTES, PinnedVectors
from rerank_cli.store.pins import NAME, VectorsPin
from rerank_cli.store.proved import is_proved, note

KEY = np.dtype([("text", f"V{TEXT_BYTES}"), ("check", "<u8")])

BLOCK_ROWS = 2048
"""Rows that are checked and multiplied while they are in the processor's cache: 3 MB of 384 dimensions."""

_ENDS = np.uint64(2**16)
"""Of a hash, by which most rows are told from those that are looked for."""

Keys = NDArray[np.void]
Rows = NDArray[np.int64]
Scores = NDArray[np.float32]


def are_pinned(keys: Keys, pin: VectorsPin) -> bool:
    """Whether *keys* are those that *pin* speaks of."""
    return (len(keys), zlib.crc32(keys.tobytes())) == (pin.rows, pin.keys_crc32)


def checks(texts: Keys, matrix: Vectors) -> NDArray[np.uint64]:
    """A check of each row with the hash of its text, shape (n,).

    Multilinear hashing (Carter and Wegman, 1979; Lemire and Kaser, 2014): the sum, modulo 2^64, of the row's words,
    each times an odd number of its own, so that no single changed bit leaves it as it was.
    """
    words = np.ascontiguousarray(matrix).view("<u4")
    if words.shape[1] % 2:
        words = np.pad(words, ((0, 0), (0, 1)))
    words = words.view("<u8")
    factors = _factors(words.shape[1] + TEXT_BYTES // 8)
    own: NDArray[np.uint64] = np.einsum("ij,j->i", words, factors[: words.shape[1]])
    own += np.einsum("ij,j->i", _halves(texts), factors[words.shape[1] :])
    return own


def _factors(count: int) -> NDArray[np.uint64]:
    """*count* odd numbers of 64 bits, always the same."""
    stream = hashlib.shake_128(b"rerank-cli vector checks").digest(8 * count)
    return np.frombuffer(stream, dtype="<u8") | np.uint64(1)


def _halves(texts: Keys) -> NDArray[np.uint64]:
    """The two halves of each hash as numbers, shape (n, 2)."""
    return np.ascontiguousarray(texts).view("<u8").reshape(len(texts), TEXT_BYTES // 8)


def _texts(text_hashes: Sequence[bytes]) -> Keys:
    return np.frombuffer(b"".join(text_hashes), dtype=f"V{TEXT_BYTES}")


class VectorFiles:
    """The two files of an encoder's vectors in *folder*, by their name."""

    def __init__(self, folder: Path, name: str) -> None:
        match = NAME.fullmatch(name)
        assert match is not None, name
        self.name = name
        self.matrix = folder / f"{name}.vectors"
        self.keys = folder / f"{name}.keys"
        self.dimensions = int(match[2])
        self.row_bytes = 4 * self.dimensions

    def read_keys(self) -> Keys:
        """The key of every row, shape (n,); half a key at the end is none."""
        with open_regular(self.keys) as file:
            content = file.read()
        return np.frombuffer(content[: len(content) // KEY.itemsize * KEY.itemsize], dtype=KEY)

    def blocks(self) -> Iterator[Vectors]:
        """The rows of the matrix in blocks of `BLOCK_ROWS`, of which one is held at a time."""
        with open_regular(self.matrix) as file:
            while content := file.read(BLOCK_ROWS * self.row_bytes):
                whole = len(content) // self.row_bytes
                yield np.frombuffer(content[: whole * self.row_bytes], dtype="<f4").reshape(whole, self.dimensions)

    def sound_rows(self, keys: Keys) -> NDArray[np.bool_]:
        """Which rows of the matrix agree with their *keys*, shape (n,). A row that is not there does not."""
        sound = np.zeros(len(keys), dtype=np.bool_)
        start = 0
        for block in self.blocks():
            some = keys[start : start + len(block)]
            sound[start : start + len(some)] = checks(some["text"], block[: len(some)]) == some["check"]
            start += len(block)
        return sound

    def matrix_crc32(self, rows: int) -> int:
        """The CRC-32 of the first *rows* of the matrix."""
        crc32 = start = 0
        for block in self.blocks() if rows else ():
            crc32 = zlib.crc32(block[: max(0, rows - start)].data, crc32)
            start += len(block)
        return crc32

    def append(self, texts: Keys, vectors: Vectors, *, after: int) -> Keys:
        """Write rows behind the first *after* of them, onto the disk; their keys.

        The matrix goes first: a key without its row would promise what is not there. What a killed run left behind
        those rows is overwritten.
        """
        matrix = np.ascontiguousarray(vectors, dtype="<f4")
        keys = np.zeros(len(matrix), dtype=KEY)
        keys["text"] = texts
        keys["check"] = checks(keys["text"], matrix)
        _write(self.matrix, matrix.tobytes(), at=after * self.row_bytes)
        _write(self.keys, keys.tobytes(), at=after * KEY.itemsize)
        return keys


def _write(path: Path, content: bytes, *, at: int) -> None:
    """Put *content* at the place *at*, where the file ends then, and wait until it lies on the disk."""
    descriptor = open_private(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC)
    try:
        os.ftruncate(descriptor, at)
        with open(descriptor, "wb", closefd=False) as file:
            file.seek(at)
            file.write(content)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class VectorReader:
    """The rows of a generation, mapped from where they lie. Nothing is copied, and each row is checked once."""

    def __init__(self, opened: PinnedVectors) -> None:
        self._files = VectorFiles(opened.folder, opened.name)
        self._keys: Keys = np.frombuffer(opened.keys, dtype=KEY)
        self._matrix: Vectors = np.frombuffer(opened.matrix, dtype="<f4").reshape(-1, self._files.dimensions)
        checked = is_proved([self._files.matrix, self._files.keys], len(self._keys))
        self._checked = np.full(-(-len(self._keys) // BLOCK_ROWS), checked, dtype=np.bool_)

    def __len__(self) -> int:
        return len(self._keys)

    def texts(self, rows: Sequence[int]) -> list[bytes]:
        """The hash of the text of each of *rows*."""
        texts = self._keys["text"][np.array(rows, dtype=np.int64)].tobytes()
        return [texts[at : at + TEXT_BYTES] for at in range(0, len(texts), TEXT_BYTES)]

    def rows_of(self, text_hashes: Sequence[bytes]) -> Rows:
        """The row of each text, shape (n,).

        Raises:
            IndexDamaged: a text has none.
        """
        if not text_hashes:
            return np.zeros(0, dtype=np.int64)
        if not len(self):
            raise damaged(self._files.keys, "lacks the vectors of some passages")
        wanted = _halves(_texts(text_hashes))
        rows = self._rows_like(wanted[:, 0])
        order = rows[np.argsort(self._prefixes[rows], kind="stable")]
        found = order[np.minimum(np.searchsorted(self._prefixes[order], wanted[:, 0]), len(order) - 1)]
        if (_halves(self._keys["text"][found]) != wanted).any():
            raise damaged(self._files.keys, "lacks the vectors of some passages")
        return found

    def _rows_like(self, prefixes: NDArray[np.uint64]) -> Rows:
        """The rows whose prefixes end as one of *prefixes* does, and row 0: to sort all would take a while."""
        ends = np.zeros(_ENDS, dtype=np.bool_)
        ends[prefixes % _ENDS] = True
        ends[self._prefixes[0] % _ENDS] = True
        return np.flatnonzero(ends[self._prefixes % _ENDS])

    @cached_property
    def _prefixes(self) -> NDArray[np.uint64]:
        """The first halves of the texts' hashes, which no two texts share."""
        return _halves(self._keys["text"])[:, 0]

    def cosines(self, vector: Vectors, *, start: int = 0) -> Scores:
        """The cosine of *vector* with every row from *start* on; shape (n - start,).

        Every row is summed by itself: a product of matrices rounds by where a row stands.

        Raises:
            IndexDamaged: a row is not what was written.
        """
        scores = np.empty(len(self) - start, dtype=np.float32)
        for block in range(start // BLOCK_ROWS, len(self._checked)):
            self._check(block)
            first, last = max(start, block * BLOCK_ROWS), min(len(self), (block + 1) * BLOCK_ROWS)
            np.einsum("ij,j->i", self._matrix[first:last], vector, out=scores[first - start : last - start])
        return scores

    def cosines_of(self, vector: Vectors, rows: Rows) -> Scores:
        """The cosine of *vector* with each of *rows*; shape (n,), to the bit as `cosines` has it."""
        scores: Scores = np.einsum("ij,j->i", self.take(rows), vector)
        return scores

    def take(self, rows: Rows) -> Vectors:
        """A copy of *rows*, shape (n, dimensions).

        Raises:
            IndexDamaged: a row is not what was written.
        """
        for block in {*(rows // BLOCK_ROWS).tolist()}:  # np.unique would load masked arrays
            self._check(block)
        return self._matrix[rows]

    def _check(self, block: int) -> None:
        if self._checked[block]:
            return
        part = slice(block * BLOCK_ROWS, (block + 1) * BLOCK_ROWS)
        keys = self._keys[part]
        if (checks(keys["text"], self._matrix[part]) != keys["check"]).any():
            raise damaged(self._files.matrix, "holds other vectors than were written")
        self._checked[block] = True
        if self._checked.all():
            note([self._files.matrix, self._files.keys], len(self._keys))


def check_vectors(opened: PinnedVectors) -> None:
    """Read every row that a generation names, a block at a time.

    Raises:
        IndexDamaged: the files are missing, cut short or others.
        InputError: this process or machine can open no more files.
    """
    files = VectorFiles(opened.folder, opened.name)
    keys = np.frombuffer(opened.keys, dtype=KEY)
    with telling(files.matrix):
        sound = files.sound_rows(keys) if len(keys) else np.ones(0, dtype=np.bool_)
    if not sound.all():
        raise damaged(files.matrix, "holds other vectors than were written")


class VectorWriter:
    """The vectors of one encoder, for looking up and adding.

    *pin* is what the last generation says of them. Where the files are not what it says, every sound row is saved
    into new ones: `mended` until the next commit. Without a pin, the files of an index that is gone are gone on with.
    """

    def __init__(self, folder: Path, *, fingerprint: str, pin: VectorsPin | None) -> None:
        self._folder = folder
        self._start = hashlib.sha256(fingerprint.encode()).hexdigest()[:16]
        self._files: VectorFiles | None = None
        self._held: Keys = np.zeros(0, dtype=KEY)
        self._added: list[Keys] = []
        self._rows = 0
        self._matrix_crc32 = 0
        self.mended = False
        name = pin.name if pin else self._fullest()
        if name is not None:
            self._go_on_with(VectorFiles(folder, name), pin)

    def pin(self, *, dimensions: int) -> VectorsPin:
        """What a generation made now says of its vectors."""
        name = self._files.name if self._files else self._name(dimensions, 1)
        return VectorsPin(name, len(self), zlib.crc32(self._keys.tobytes()), self._matrix_crc32)

    def missing(self, text_hashes: Iterable[bytes]) -> list[bytes]:
        """Those of *text_hashes* that have no vector, in their order, each once."""
        known = self._known
        return [text_hash for text_hash in dict.fromkeys(text_hashes) if text_hash not in known]

    def add(self, text_hashes: Sequence[bytes], vectors: Vectors) -> None:
        """Write vectors, shape (n, dimensions), onto the disk.

        Raises:
            ModelError: one of them is none, or of other dimensions than those before.
        """
        dimensions = self._files.dimensions if self._files else vectors.shape[-1]
        if vectors.shape != (len(text_hashes), dimensions) or not np.isfinite(vectors).all():
            raise ModelError(
                f"the encoder gave no {len(text_hashes)} vectors of {dimensions} finite numbers",
                remedy="check the model",
            )
        new = [place for place, text_hash in enumerate(text_hashes) if text_hash not in self._known]
        if not new:
            return
        if self._files is None:
            self._files = VectorFiles(self._folder, self._name(vectors.shape[1], 1))
        hashes = [text_hashes[place] for place in new]
        self._extend(_texts(hashes), vectors[new])
        self._known.update(hashes)

    def keep_only(self, text_hashes: Iterable[bytes]) -> int:
        """Write the files anew without any other text; how many vectors went."""
        if self._files is None:
            return 0
        wanted = np.zeros(len(self._keys), dtype=np.bool_)
        row_of = {bytes(text): row for row, text in enumerate(self._keys["text"])}
        for text_hash in text_hashes:
            if (row := row_of.get(text_hash)) is not None:
                wanted[row] = True
        gone = len(wanted) - int(wanted.sum())
        if gone:
            self._rewrite(self._keys, wanted)
        return gone

    def __len__(self) -> int:
        return self._rows

    @property
    def _keys(self) -> Keys:
        """The key of every row; those that were added are put together when they are asked for."""
        if self._added:
            self._held = np.concatenate([self._held, *self._added])
            self._added = []
        return self._held

    def _hold(self, keys: Keys, *, matrix_crc32: int) -> None:
        self._held, self._added, self._rows = keys, [], len(keys)
        self._matrix_crc32 = matrix_crc32

    @cached_property
    def _known(self) -> set[bytes]:
        return {bytes(text) for text in self._keys["text"]}

    def _extend(self, texts: Keys, vectors: Vectors) -> None:
        assert self._files is not None
        new = self._files.append(texts, vectors, after=self._rows)
        self._added.append(new)
        self._rows += len(new)
        # Of what was to be written, not of what a bad disk gives back.
        self._matrix_crc32 = zlib.crc32(np.ascontiguousarray(vectors, dtype="<f4").data, self._matrix_crc32)

    def _go_on_with(self, files: VectorFiles, pin: VectorsPin | None) -> None:
        pinned = pin.rows if pin else 0
        keys, sound = np.zeros(0, dtype=KEY), np.zeros(0, dtype=np.bool_)
        with suppress(OSError):  # what is missing or in the way is made anew
            keys = files.read_keys()
            sound = np.zeros(len(keys), dtype=np.bool_)
            sound = files.sound_rows(keys)
        self._files = files
        fits = pin is None or not pinned or are_pinned(keys[:pinned], pin)
        whole = len(sound) if sound.all() else int(np.argmin(sound))
        if fits and whole >= pinned and not sound[whole:].any():
            # What a killed run left half is written over.
            known = pin.matrix_crc32 if pin and whole == pinned else None
            self._hold(keys[:whole], matrix_crc32=files.matrix_crc32(whole) if known is None else known)
            return
        others = [VectorFiles(self._folder, name) for name in self._names() if name != files.name]
        self._rewrite(keys, sound)
        for other in others:
            self._take_over(other)
        self.mended = True

    def _take_over(self, others: VectorFiles) -> None:
        """Add what *others* hold that is sound: a run that mended, too, and was killed before its commit."""
        assert self._files is not None
        if others.dimensions != self._files.dimensions:
            return
        keys, sound = np.zeros(0, dtype=KEY), np.zeros(0, dtype=np.bool_)
        with suppress(OSError):  # what cannot be read is encoded again
            keys = others.read_keys()
            sound = others.sound_rows(keys)
        start = 0
        for block in others.blocks() if sound.any() else ():
            chosen = np.flatnonzero(sound[start : start + len(block)])
            if len(chosen):
                self.add([bytes(text) for text in keys["text"][start + chosen]], block[chosen])
            start += len(block)

    def _rewrite(self, keys: Keys, wanted: NDArray[np.bool_]) -> None:
        """Go on in new files, with the *wanted* rows of the old ones, and each text once."""
        assert self._files is not None
        old = self._files
        newest = max(int(name.rsplit("-", 1)[1]) for name in (old.name, *self._names()))
        self._files = VectorFiles(self._folder, self._name(old.dimensions, newest + 1))
        self._hold(np.zeros(0, dtype=KEY), matrix_crc32=0)
        self.__dict__.pop("_known", None)
        for path in (self._files.matrix, self._files.keys):
            _write(path, b"", at=0)
        start = 0
        with suppress(FileNotFoundError, IsADirectoryError):
            for block in old.blocks() if wanted.any() else ():
                chosen = np.flatnonzero(wanted[start : start + len(block)])
                self._extend(keys["text"][start + chosen], block[chosen])
                start += len(block)

    def _name(self, dimensions: int, count: int) -> str:
        return f"{self._start}-{dimensions}-{count}"

    def _fullest(self) -> str | None:
        """The name of this encoder's files with the most rows; a rewrite that was killed left a second pair."""
        sizes = {}
        for name in self._names():
            with suppress(OSError):
                sizes[name] = VectorFiles(self._folder, name).keys.stat().st_size
        return max(sizes, key=lambda name: sizes[name], default=None)

    def _names(self) -> list[str]:
        """The names of all files of this encoder's that have keys."""
        return sorted(path.stem for path in self._folder.glob(f"{self._start}-*.keys") if NAME.fullmatch(path.stem))
