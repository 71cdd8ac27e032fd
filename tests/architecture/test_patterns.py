"""What no regular expression may hold: Python before 3.11.5, which Debian 12 has, goes wrong with it.

A group that is repeated and gives nothing back, as in `(…)*+`, ends behind the place where its last try failed. Written
`(?>(?:…)*)`, it ends where it should.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

SOURCES = Path(__file__).parents[2] / "rerank_cli"

POSSESSIVE_GROUP = re.compile(r"(?<!\\)\)(?:[*+?]|\{+[^(){}]*(?:\{\w+\})?[^(){}]*\}+)\+")


@pytest.mark.parametrize("source", sorted(SOURCES.rglob("*.py")), ids=str)
def test_no_group_that_is_repeated_gives_nothing_back(source: Path) -> None:
    assert POSSESSIVE_GROUP.findall(source.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        (r"(?:\n[^\n]*)*+", True),
        (r"(a|b)++c", True),
        (r"(?:a){2,}+", True),
        (r"(?:[^\n]){{{_LONG},}}+)", True),
        (r"[^\n]*+(?>(?:a)*)", False),
        (r"(?:a)+", False),
        (r"\)++", False),
        (r"(?P<run>[\w]{{{_LONG},}}+)", False),
    ],
)
def test_such_a_group_is_seen(pattern: str, found: bool) -> None:
    assert bool(POSSESSIVE_GROUP.search(pattern)) == found
