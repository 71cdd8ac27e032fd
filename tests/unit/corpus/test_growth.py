"""What grew with the square of a file once, in our own loops: times are compared with those of a smaller file."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from rerank_cli.corpus import passages
from rerank_cli.corpus.passages import passages_of, reading_of
from rerank_cli.records import FoundFile, Reading
from rerank_cli.stamps import Stamp
from tests.fakes import FakeEncoder
from tests.faults.hostile import HOSTILE

LINEAR = [
    "long-heading.md",
    "wiki-links.md",
    "comments-unended.md",
    "highlights.md",
    "closed-front-matter.md",
    "cells.html",
    "end-tags.html",
    "tags.html",
    "hidden.html",
    "links.html",
    "italics.html",
    "nested-tables.html",
    "table-cells.html",
    "blank-lines.html",
    "digits.html",
    "zeros.html",
    "comments.html",
    "indents.py",
    "parentheses.c",
    "marks.rst",
    "hyphens.rst",
    "one-word.txt",
    "hundreds.txt",
    "lines.txt",
    "blanks.txt",
    "blank-lines.txt",
    "signs.txt",
    "controls.txt",
    "half-utf8.txt",
    "declarations.txt",
    "titles.jsonl",
    "one-cell.csv",
    "short-rows.csv",
    "broken-quotes.csv",
    "backslashes.csv",
    "objects.jsonl",
]

SMALL, LARGE = 20_000, 640_000
MOST = 32 * 4
"""So many times as long may 32 times the size take: that is four lines, and an eighth of a square.

Nothing is added to it. What is so quick that a square of it stays below some time would pass otherwise.
"""


def seconds(kind: str, size: int) -> float:
    content = HOSTILE[kind](size)
    file = FoundFile(kind, Path(kind), Stamp(len(content), 0, 0, 0))
    started = time.process_time()
    for _ in passages_of(
        reading_of(file, content, lone=False).documents, max_tokens=180, count_tokens=FakeEncoder().count_tokens
    ):
        pass
    return time.process_time() - started


def grows_evenly(kind: str) -> bool:
    """Twice, where the first time the machine had something else to do."""
    small = min(seconds(kind, SMALL) for _ in range(3))
    return any(seconds(kind, LARGE) < MOST * small for _ in range(2))


@pytest.mark.parametrize("kind", LINEAR)
def test_thirty_two_times_the_file_takes_nowhere_near_its_square(kind: str) -> None:
    assert grows_evenly(kind)


def test_a_square_that_takes_a_millisecond_for_a_small_file_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    read_file = passages.read_file

    def read_in_a_square(file: FoundFile, content: bytes, *, lone: bool) -> Reading:
        for start in range(0, len(content), 16):
            content.count(b"\0", start)
        return read_file(file, content, lone=lone)

    assert grows_evenly("blanks.txt")
    monkeypatch.setattr(passages, "read_file", read_in_a_square)
    assert not grows_evenly("blanks.txt")
