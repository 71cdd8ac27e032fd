"""The SHA-256 of files, worked out once for each state of a file and remembered in the cache."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from rerank_cli.places import cache_folder, replace_private
from rerank_cli.regular import open_regular
from rerank_cli.stamps import Stamp, is_settled, stamp_of

Remembered = dict[str, list[object]]
"""By a file's name, its stamp and its hash."""


def file_hashes(folder: Path, names: Iterable[str], *, remember: bool = True) -> dict[str, str]:
    """The hash of each of the files *names* in *folder*. Unless it is to *remember* them, nothing is written.

    A file is read again when its stamp is another than that which was hashed. A built-in model's 24 MB take 20 to
    30 ms to hash, once, and a tenth of a millisecond where that is remembered.
    Where nothing can be remembered, all is read each time: that costs a second a gigabyte, and no answer.

    Raises:
        OSError: a file, which it names, is missing or cannot be read.
    """
    memory = cache_folder() / "hashes" / f"{hashlib.sha256(os.fsencode(folder)).hexdigest()[:32]}.json"
    remembered = _read(memory)
    found = {name: _hashed(folder / name, remembered.get(name)) for name in names}
    settled = {name: entry for name, entry in found.items() if _is_settled(entry)}
    if remember and settled != remembered:
        with suppress(OSError):
            content = json.dumps(settled).encode()
            replace_private(memory, _seal(content) + b"\n" + content)
    return {name: str(digest) for name, (_, digest) in found.items()}


def _read(memory: Path) -> Remembered:
    """What is remembered; nothing where the memory was damaged."""
    try:
        with open_regular(memory) as file:
            seal, _, content = file.read().partition(b"\n")
    except OSError:
        return {}
    remembered: Remembered = json.loads(content) if seal == _seal(content) else {}
    return remembered


def _seal(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest().encode()


def _hashed(path: Path, remembered: list[object] | None) -> list[object]:
    try:
        with open_regular(path) as file:
            stamp = list(stamp_of(os.fstat(file.fileno())))
            if remembered is not None and remembered[0] == stamp:
                return remembered
            return [stamp, hashlib.file_digest(file, "sha256").hexdigest()]
    except OSError as error:
        error.filename = str(path)  # which the system leaves out once a file is open
        raise


def _is_settled(entry: list[object]) -> bool:
    stamp = entry[0]
    assert isinstance(stamp, list)
    return is_settled(Stamp(*stamp))
