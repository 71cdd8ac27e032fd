"""One text in several languages of markup, as pandoc writes them: what it says, and under which headings, is the same.

`tests/data/formats/SOURCES.md` tells how the files were made.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rerank_cli.corpus.read import format_of
from rerank_cli.records import Block, Document

FORMATS = Path(__file__).parents[2] / "data" / "formats"

SAID = {
    ("Tools",): [
        "The shed holds every tool of the house. Whoever takes one brings it back before the evening, and writes "
        "returned into the book."
    ],
    ("Tools", "Cutting"): [
        "Shears are kept dry. See the grinder's page (https://grinder.example.org/shears) for how to sharpen them.",
        "- Rub the blades with camellia oil.",
        "- Never cut wire with them.",
        "- Saws:",
        "1. The bow saw cuts green wood.",
        "2. The pruning saw cuts on the pull.",
    ],
    ("Tools", "Digging"): [
        "A spade is worth its price.",
        "Fill the book like this:",
        '# Not a heading def borrow(tool): return f"{tool} & who?"',
        "Tool | Weight | Hook Spade | 2 kg | left Fork | 3 kg | right",
        "Nobody digs in frost, says the neighbour.",
    ],
    ("Seeds",): [
        "Seeds lie in tins; 50 % of the beans are older than three years.",
        "Sow early",
        "Peas and broad beans stand cold soil.",
        "Sow late",
        "French beans do not.",
    ],
}


def document(name: str) -> Document:
    (only,) = format_of(name).read_text((FORMATS / name).read_text(), name).documents
    return only


def under(blocks: tuple[Block, ...], trail: tuple[str, ...]) -> str:
    """What stands under *trail*, whatever the language makes of the title, quotes and line ends."""
    here = (block.text for block in blocks if trail == tuple(h for h in block.headings if h != "The garden shed"))
    words = " ".join(here).replace("’", "'")
    return " ".join(words.split())


EVERY = [path.name for path in sorted(FORMATS.glob("garden.*")) if path.suffix != ".md"]


@pytest.mark.parametrize("name", EVERY)
def test_every_language_says_the_same_under_the_same_headings(name: str) -> None:
    blocks = document(name).blocks
    for trail, said in SAID.items():
        shown = under(blocks, trail)
        assert [sentence for sentence in said if sentence not in shown] == [], shown
    assert "On clay a fork is better." in " ".join(block.text for block in blocks)


@pytest.mark.parametrize("name", EVERY)
def test_no_language_leaves_its_markup(name: str) -> None:
    text = " ".join(block.text for block in document(name).blocks)
    assert re.findall(r"\*\w|''|==|\\|</?\w+>|::|@\w|#\+|~|\[\[|^\.", text.replace("# Not a heading", "")) == []


@pytest.mark.parametrize("name", EVERY)
def test_the_header_of_the_table_is_known(name: str) -> None:
    assert {block.header for block in document(name).blocks if block.header} == {"Tool | Weight | Hook"}


@pytest.mark.parametrize("name", EVERY)
def test_what_is_quoted_stands_on_the_lines_of_its_place(name: str) -> None:
    lines = (FORMATS / name).read_text().split("\n")
    for block in document(name).blocks:
        first, last = block.place.first, block.place.last
        there = "\n".join(lines[first - 1 : last])
        said = re.findall(r"[A-Za-z]{3,}", block.text)
        assert [word for word in said if word not in there] == []
        assert said[0] in lines[first - 1] or said[0] in there
