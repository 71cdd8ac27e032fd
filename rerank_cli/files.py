"""Text files and JSON lines, read and written in one way; what is wrong with them is told with its file and line."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from pathlib import Path

from rerank_cli.errors import InputError, in_words
from rerank_cli.places import replace_whole

GZIP = b"\x1f\x8b"
"""What a file begins with that gzip packed; published runs and pairs often are."""

MARK = "\ufeff"
"""What some programs write before a text to say that it is UTF-8; it is no part of it."""


def read_text(path: Path) -> str:
    """The whole of *path*.

    Raises:
        InputError: it cannot be read, or is not UTF-8.
    """
    return "".join(_lines(path, unpack=False))


def numbered_lines(path: Path, *, unpack: bool = False) -> Iterator[tuple[int, str]]:
    r"""The lines of *path* that are not blank, with their numbers from 1, read one by one.

    Only `\n` ends a line: texts may hold U+2028 and the like, at which str.splitlines would cut. With *unpack*, what
    gzip packed is read as well.

    Raises:
        InputError: it cannot be read, or is not UTF-8.
    """
    for number, line in enumerate(_lines(path, unpack=unpack), start=1):
        if line.strip():
            yield number, line.removesuffix("\n").rstrip("\r")


def json_lines(path: Path, *, remedy: str, unpack: bool = False) -> Iterator[tuple[str, dict[str, object]]]:
    """The object of each line of *path* that is not blank, with its place as `file:line`.

    Raises:
        InputError: as `numbered_lines` and `json_record`.
    """
    for number, line in numbered_lines(path, unpack=unpack):
        where = f"{path}:{number}"
        yield where, json_record(line, where=where, remedy=remedy)


def json_record(line: str, *, where: str, remedy: str = "write one object a line") -> dict[str, object]:
    """The object that *line* is; *where* is its place as `file:line`.

    Raises:
        InputError: it is none.
    """
    try:
        return json_object(line)
    except ValueError as error:
        raise InputError(f"{where}: {error}", remedy=remedy) from error


def json_document(path: Path, *, otherwise: str, remedy: str) -> dict[str, object]:
    """The object that the whole of *path* is; *otherwise* says what it is not.

    Raises:
        InputError: it cannot be read, or is none; where a line is at fault it is named.
    """
    try:
        return json_object(read_text(path))
    except ValueError as error:
        fault = error.__cause__
        line = f":{fault.lineno}" if isinstance(fault, json.JSONDecodeError) else ""
        raise InputError(f"{path}{line}: {otherwise}: {error}", remedy=remedy) from error


def json_object(text: str) -> dict[str, object]:
    """The JSON object that *text* is.

    Raises:
        ValueError: it is none; the message is one line that says why.
    """
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"not valid JSON ({error.msg})") from error
    except RecursionError as error:
        raise ValueError("not valid JSON (nested too deeply)") from error
    except ValueError as error:  # Python's limit for a number that is read
        raise ValueError("not valid JSON (a number has too many digits)") from error
    if not isinstance(found, dict):
        raise ValueError("not a JSON object")
    return found


def write_text(path: Path, text: str) -> None:
    """Write *text* to *path*, whole or not at all.

    Raises:
        InputError: it cannot be written.
    """
    try:
        if path.exists() and not path.is_file():  # /dev/stdout and the like are written to, not put in place of
            path.write_text(text, encoding="utf-8")
            return
        replace_whole(path.resolve(), text.encode(), private=False)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({in_words(error)})", remedy="check the folder") from error


def _lines(path: Path, *, unpack: bool) -> Iterator[str]:
    r"""Every line with its `\n`."""
    read_bytes = 0
    try:
        for line in _raw_lines(path, unpack=unpack):
            text = _decoded(line, path, start=read_bytes)
            yield text.removeprefix(MARK) if read_bytes == 0 else text
            read_bytes += len(line)
    except (OSError, EOFError, zlib.error) as error:  # a damaged archive raises any of them
        raise InputError(f"{path}: cannot be read ({in_words(error)})", remedy="check the path") from error


def _raw_lines(path: Path, *, unpack: bool) -> Iterator[bytes]:
    with path.open("rb") as file:
        is_packed = file.peek(len(GZIP)).startswith(GZIP)
        if is_packed and not unpack:
            raise InputError(f"{path}: is compressed", remedy="unpack it: gunzip --keep FILE")
        if unpack and (is_packed or path.suffix == ".gz"):
            import gzip

            yield from gzip.GzipFile(fileobj=file)
        else:
            yield from file


def _decoded(line: bytes, path: Path, *, start: int) -> str:
    """*line* as text; it begins *start* bytes into the file."""
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 at byte {start + error.start}", remedy="save it as UTF-8") from error
