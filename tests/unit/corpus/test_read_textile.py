from __future__ import annotations

import pytest

from rerank_cli.corpus.read.textile import read
from rerank_cli.records import Block, Document, at_lines


def document(text: str) -> Document:
    (only,) = read(text, "page.textile").documents
    return only


def texts(text: str) -> list[str]:
    return [block.text for block in document(text).blocks]


@pytest.mark.parametrize(
    ("markup", "plain"),
    [
        ("*a* _b_ @c@ -d- %{color:red}e% ??f??", "a b c d e f"),
        ('"the site(hover)":https://a.org.', "the site (https://a.org)."),
        ("!pic.png(The gauge)! and !other.png!", "The gauge (pic.png) and other.png"),
        ("2 * 3 and a-b-c <b>x</b>", "2 * 3 and a-b-c x"),
    ],
)
def test_inline_markup_leaves_its_words(markup: str, plain: str) -> None:
    assert texts(markup) == [plain]


def test_headings_code_lists_and_tables() -> None:
    page = "h1. A\n\nbc. x *y*\nz\n\nh2(#b). B\n\n# one\n# two\n** in\n\n|_. N|_. P|\n|ssh|>. 22|\n\nfn1. Note.\n"
    page += "\n###. no\n"
    assert document(page).title == "A"
    assert document(page).blocks == (
        Block("x *y*\nz", at_lines(3, 4), ("A",)),
        Block("1. one", at_lines(8, 8), ("A", "B")),
        Block("2. two", at_lines(9, 9), ("A", "B")),
        Block("- in", at_lines(10, 10), ("A", "B")),
        Block("N | P\nssh | 22", at_lines(12, 13), ("A", "B"), header="N | P"),
        Block("[1] Note.", at_lines(15, 15), ("A", "B")),
    )
