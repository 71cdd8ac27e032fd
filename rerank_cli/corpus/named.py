"""Read files that are given by name, each by itself: no folder, no index."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from rerank_cli.corpus.discover import discover
from rerank_cli.corpus.read import Unreadable
from rerank_cli.corpus.reading import FileReading
from rerank_cli.errors import InputError, in_words
from rerank_cli.records import Passage, Rules
from rerank_cli.regular import open_regular


def read_named(
    names: Iterable[str], reading: FileReading, *, rules: Rules
) -> tuple[list[tuple[str, Passage]], Mapping[str, str]]:
    """The passages of the files called *names*, each with the name of its file, and by name why a file has none."""
    passages: list[tuple[str, Passage]] = []
    unread: dict[str, str] = {}
    for name in dict.fromkeys(names):
        try:
            found = _passages(Path(name), reading, rules)
        except (InputError, Unreadable) as error:
            unread[name] = str(error).removeprefix(f"{Path(name)}: ")
            continue
        except OSError as error:
            unread[name] = f"cannot be read: {in_words(error)}"
            continue
        passages += [(name, passage) for passage in found]
        if not found:
            unread[name] = "holds no text"
    return passages, unread


def _passages(path: Path, reading: FileReading, rules: Rules) -> list[Passage]:
    if path.is_dir():
        raise InputError(f"{path}: is a folder")
    found = discover(path, rules)
    for skipped in found.skipped:
        raise Unreadable(skipped.reason)
    (file,) = found.files
    with open_regular(path) as opened:
        content = opened.read()
    return [passage for document in reading.read(file, content, lone=False).documents for passage in document.passages]
