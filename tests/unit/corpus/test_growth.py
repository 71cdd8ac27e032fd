"""What grew with the square of a file once, in our own loops: times are compared with those of a smaller file."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from rerank_cli.corpus.passages import passages_of
from rerank_cli.records import FoundFile, Stamp
from tests.fakes import FakeEncoder
from tests.faults.hostile import HOSTILE

LINEAR = [
    "long-heading.md",
    "cells.html",
    "end-tags.html",
    "tags.html",
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
    "titles.jsonl",
    "one-cell.csv",
    "short-rows.csv",
]

SIZES = (10_000, 160_000)
TIMES_AS_LONG = 16 * 5
"""A square takes 256 times as long for 16 times the size."""


def seconds(kind: str, size: int) -> float:
    content = HOSTILE[kind](size)
    file = FoundFile(kind, Path(kind), Stamp(len(content), 0, 0, 0))
    started = time.process_time()
    for _ in passages_of(file, content, lone=False, max_tokens=180, count_tokens=FakeEncoder().count_tokens):
        pass
    return time.process_time() - started


@pytest.mark.parametrize("kind", LINEAR)
def test_sixteen_times_the_file_takes_nowhere_near_its_square(kind: str) -> None:
    small = min(seconds(kind, SIZES[0]) for _ in range(3))
    large = seconds(kind, SIZES[1])
    assert large < 0.5 + TIMES_AS_LONG * small
