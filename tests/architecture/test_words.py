"""One place makes words of the system's errors: left to themselves, they print numbers, classes or None."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

SOURCES = Path(__file__).parents[2] / "rerank_cli"

IN_OTHER_WAYS = re.compile(r"\w+\.strerror\b(?!\()|[\"']strerror[\"']|\{error!r\}")
ELSEWHERE = {Path("errors.py")}


@pytest.mark.parametrize(
    "source", [path for path in sorted(SOURCES.rglob("*.py")) if path.relative_to(SOURCES) not in ELSEWHERE], ids=str
)
def test_an_error_is_put_into_words_by_in_words(source: Path) -> None:
    found = [line for line in IN_OTHER_WAYS.findall(source.read_text(encoding="utf-8")) if line != "os.strerror"]
    assert found == []
