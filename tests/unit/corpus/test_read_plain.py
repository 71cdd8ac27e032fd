from __future__ import annotations

from functools import partial

import pytest

from rerank_cli.corpus.read import format_of
from rerank_cli.corpus.read.plain import read
from rerank_cli.corpus.read.text import read as read_text
from rerank_cli.records import Block, Document, at_lines
from tests.growth import grows_evenly


def document(text: str) -> Document:
    (only,) = read(text, "notes.txt").documents
    return only


@pytest.mark.parametrize(
    "sign",
    [
        ".. note::\n\n   Warm.",
        ".. _peel:\n\nWarm.",
        "Use :func:`peel` at once.",
        "Take ``eggs`` from `the farm`_.",
        "So::\n\n    peel\n\nwith ``care``.",
    ],
)
def test_titles_and_what_only_restructuredtext_has_make_it_that(sign: str) -> None:
    blocks = document(f"Eggs\n====\n\n{sign}\n").blocks
    assert blocks[0].headings == ("Eggs",)
    assert all("`" not in block.text and ".." not in block.text for block in blocks)


@pytest.mark.parametrize(
    "text",
    [
        "Warm ``eggs`` from `the farm`_.\n\n.. note:: no title\n",
        "The command ``peel`` peels.\n\n  Name\n\nMore.\n",
        "a\n----\nb\n\nc\n----\nd\n",
        "x\n\n====\n\ny\n",
        "Sum\n 12\n 13\n----\n 25\n",
        "log line\nnext line\n---------\nthird line\n",
        "Words that are no title at all\n---\nand more\n\nAnother line that is long\n---\n",
        "",
    ],
)
def test_a_text_without_clear_titles_is_plain(text: str) -> None:
    assert read(text, "notes.txt") == read_text(text, "notes.txt")


def test_underlined_titles_of_a_plain_text_are_headings() -> None:
    text = "Tools\n=====\n\nAll of\nthem.\n\nSaw\n---\n  It *saws*.\n\nHammer\n-------\n\nIt hits.\n"
    assert document(text).title == "Tools"
    assert document(text).blocks == (
        Block("All of\nthem.", at_lines(4, 5), ("Tools",)),
        Block("  It *saws*.", at_lines(9, 9), ("Tools", "Saw")),
        Block("It hits.", at_lines(14, 14), ("Tools", "Hammer")),
    )


def test_a_title_may_have_a_line_above_it_too() -> None:
    blocks = document("=====\nTools\n=====\n\nAll.\n\n Saw\n ---\n\nIt saws.\n").blocks
    assert blocks == (Block("All.", at_lines(5, 5), ("Tools",)), Block("It saws.", at_lines(10, 10), ("Tools", "Saw")))


def test_the_first_of_several_equal_titles_is_not_that_of_the_document() -> None:
    assert document("Version 2\n---------\nNew.\n\nVersion 1\n---------\nOld.\n").title == ""


def test_the_source_of_a_page_that_sphinx_keeps_is_restructuredtext() -> None:
    assert format_of("html/_sources/index.rst.txt").name == "rst"


@pytest.mark.parametrize(
    "piece", ["a" * 300 + "\n====\n", "ab\n==\n", "ab\n===\n\n", ":a", "``a ", "a::\n", "=", " \t"]
)
def test_what_nearly_is_a_title_costs_no_more_than_its_length(piece: str) -> None:
    assert grows_evenly(lambda size: partial(document, "ab\n==\n" + piece * (size // len(piece))), 300_000)
