"""Unpack files that hold one other file: gzip, bzip2, xz."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zlib

from rerank_cli.corpus.read.errors import Unreadable
from rerank_cli.corpus.read.wide_text import wide_encoding

_MOST_BYTES = 100_000_000
_STEP_BYTES = 100_000

# As for files that are not packed: text has no NUL among its first bytes, but for the wide encodings.
_PROBE_BYTES = 8 * 1024
_PDF_MARK = b"%PDF-"

# What a tar archive has in the header of its first member.
_TAR_MARK, _TAR_MARK_AT = b"ustar", 257


def gunzip(content: bytes, is_text: bool) -> tuple[bytes, str]:
    """What gzip packed, and a note where the file ends too early. Raises Unreadable."""
    return _unpacked(gzip.GzipFile(fileobj=io.BytesIO(content)), "gzip", is_text)


def bunzip2(content: bytes, is_text: bool) -> tuple[bytes, str]:
    """As gunzip, of bzip2."""
    return _unpacked(bz2.BZ2File(io.BytesIO(content)), "bzip2", is_text)


def unxz(content: bytes, is_text: bool) -> tuple[bytes, str]:
    """As gunzip, of xz and its older form."""
    return _unpacked(lzma.LZMAFile(io.BytesIO(content)), "xz", is_text)


def _unpacked(packed: gzip.GzipFile | bz2.BZ2File | lzma.LZMAFile, name: str, is_text: bool) -> tuple[bytes, str]:
    parts: list[bytes] = []
    size = 0
    note = ""
    try:
        while size <= _MOST_BYTES and (part := packed.read1(_STEP_BYTES)):  # `read` would lose what precedes damage
            size += len(part)
            parts.append(part)
    except (EOFError, OSError, zlib.error, lzma.LZMAError) as error:
        if not parts:
            raise Unreadable(f"no {name} file, or damaged from its beginning on") from error
        note = f"damaged or cut off: only its first {size:,} bytes could be unpacked"
    unpacked = b"".join(parts)
    _refuse_what_is_no_file(unpacked, is_text)
    if size > _MOST_BYTES:
        raise Unreadable(f"unpacks to more than {_MOST_BYTES // 1_000_000} MB")
    return unpacked, note


def _refuse_what_is_no_file(content: bytes, is_text: bool) -> None:
    if content[_TAR_MARK_AT : _TAR_MARK_AT + len(_TAR_MARK)] == _TAR_MARK:
        raise Unreadable("an archive: unpack it to search it")
    probe = content[:_PROBE_BYTES]
    if is_text and (probe.startswith(_PDF_MARK) or (b"\0" in probe and not wide_encoding(probe))):
        raise Unreadable("binary once it is unpacked")
