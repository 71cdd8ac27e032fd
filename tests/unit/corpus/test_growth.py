"""What grew with the square of a file once, in our own loops: times are compared with those of a smaller file."""

from __future__ import annotations

from functools import partial

import pytest

from rerank_cli.corpus import passages
from rerank_cli.corpus.passages import passages_of, reading_of
from rerank_cli.records import FoundFile, Reading
from rerank_cli.stamps import Stamp
from tests.fakes import FakeEncoder
from tests.faults.hostile import HOSTILE
from tests.growth import Work, grows_evenly

LARGE, SLOW = 320_000, 80_000
"""Bytes; the second for what takes a second or more to be read at the first."""

LINEAR = {
    "long-heading.md": SLOW,
    "wiki-links.md": SLOW,
    "comments-unended.md": SLOW,
    "highlights.md": SLOW,
    "closed-front-matter.md": SLOW,
    "hidden.html": SLOW,
    "links.html": SLOW,
    "italics.html": SLOW,
    "nested-tables.html": SLOW,
    "table-cells.html": SLOW,
    "half-utf8.txt": SLOW,
    "declarations.txt": SLOW,
    "broken-quotes.csv": SLOW,
    "backslashes.csv": SLOW,
    "objects.jsonl": SLOW,
    "cells.html": SLOW,
    "end-tags.html": LARGE,
    "tags.html": SLOW,
    "blank-lines.html": LARGE,
    "digits.html": LARGE,
    "zeros.html": LARGE,
    "comments.html": SLOW,
    "indents.py": LARGE,
    "parentheses.c": LARGE,
    "marks.rst": SLOW,
    "hyphens.rst": SLOW,
    "one-word.txt": LARGE,
    "hundreds.txt": LARGE,
    "lines.txt": SLOW,
    "blanks.txt": LARGE,
    "blank-lines.txt": LARGE,
    "signs.txt": LARGE,
    "controls.txt": SLOW,
    "titles.jsonl": 2 * LARGE,
    "one-cell.csv": SLOW,
    "short-rows.csv": SLOW,
}


def work_on(kind: str, size: int) -> Work:
    content = HOSTILE[kind](size)
    file = FoundFile(kind, kind, Stamp(len(content), 0, 0, 0))
    count_tokens = FakeEncoder().count_tokens

    def read() -> None:
        documents = reading_of(file, content, lone=False).documents
        for _ in passages_of(documents, max_tokens=180, count_tokens=count_tokens):
            pass

    return read


@pytest.mark.parametrize(("kind", "size"), LINEAR.items())
def test_thirty_two_times_the_file_takes_nowhere_near_its_square(kind: str, size: int) -> None:
    assert grows_evenly(partial(work_on, kind), size)


def test_a_square_that_takes_a_millisecond_for_a_small_file_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    read_file = passages.read_file

    def read_in_a_square(file: FoundFile, content: bytes, **options: object) -> Reading:
        for start in range(0, len(content), 4):
            content.count(b"\0", start)
        return read_file(file, content, **options)

    assert grows_evenly(partial(work_on, "blanks.txt"), SLOW)
    monkeypatch.setattr(passages, "read_file", read_in_a_square)
    assert not grows_evenly(partial(work_on, "blanks.txt"), SLOW)
