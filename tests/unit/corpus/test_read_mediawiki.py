from __future__ import annotations

import pytest

from rerank_cli.corpus.read.mediawiki import read
from rerank_cli.records import Block, Document, at_lines


def document(text: str) -> Document:
    (only,) = read(text, "page.wiki").documents
    return only


def texts(text: str) -> list[str]:
    return [block.text for block in document(text).blocks]


@pytest.mark.parametrize(
    ("markup", "plain"),
    [
        ("'''bold''' ''it'' <b>x</b> <nowiki>''no''</nowiki>", "bold it x ''no''"),
        ("[[Page]] [[Page|words]] [[Category:Tools]]", "Page words"),
        ("[https://a.org the site] [https://a.org]", "the site (https://a.org) https://a.org"),
        ("[[File:x.png|thumb|The ''gauge'']]", "The gauge (x.png)"),
        ("said.<ref name=a>A note.</ref><ref name=a/>", "said. (A note.)"),
        ("a &amp; b {{Tip|hot|place=oven}}<!-- hidden -->", "a & b hot oven"),
    ],
)
def test_inline_markup_leaves_its_words(markup: str, plain: str) -> None:
    assert texts(markup) == [plain]


def test_headings_lists_and_tables() -> None:
    page = "= A =\n* one\n*# x\n*# y\n; t : said\n== B ==\n{|\n|+ Ports\n! Name !! Port\n|-\n| ssh || 22\n|}\n"
    page += " code '''b'''\n"
    assert document(page).blocks == (
        Block("- one", at_lines(2, 2), ("A",)),
        Block("1. x", at_lines(3, 3), ("A",)),
        Block("2. y", at_lines(4, 4), ("A",)),
        Block("t: said", at_lines(5, 5), ("A",)),
        Block("Ports", at_lines(8, 8), ("A", "B")),
        Block("Name | Port", at_lines(9, 10), ("A", "B"), header="Name | Port"),
        Block("ssh | 22", at_lines(11, 11), ("A", "B"), header="Name | Port"),
        Block("code b", at_lines(13, 13), ("A", "B")),
    )
