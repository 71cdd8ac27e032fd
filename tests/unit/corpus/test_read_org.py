from __future__ import annotations

import pytest

from rerank_cli.corpus.read.org import read
from rerank_cli.records import Block, Document, at_lines


def document(text: str) -> Document:
    (only,) = read(text, "page.org").documents
    return only


def texts(text: str) -> list[str]:
    return [block.text for block in document(text).blocks]


def test_headlines_lose_their_state_and_tags_are_found() -> None:
    page = (
        "#+TITLE: Garden /log/\n#+OPTIONS: toc:nil\n#+TODO: OPEN(o) | SHUT(s)\n* OPEN [#A] Spring [1/2] :bed:shed:\n"
        ":PROPERTIES:\n:ID: 1234\n:END:\n** TODO Sow peas\nUnder fleece.\n"
    )
    assert document(page).title == "Garden log"
    assert document(page).blocks == (
        Block("Tags: bed, shed", at_lines(4, 4), ("Spring",)),
        Block("Under fleece.", at_lines(9, 9), ("Spring", "Sow peas")),
    )


@pytest.mark.parametrize(
    ("markup", "plain"),
    [
        ("A *bold /it/*, =v*e*r=, ~code~ and +gone+.", "A bold it, v*e*r, code and gone."),
        ("a*b*c 2 * 3 and/or/not", "a*b*c 2 * 3 and/or/not"),
        ("[[https://a.org][the site]] [[https://a.org]]", "the site (https://a.org) https://a.org"),
        ("[[file:x.png]] [[*Head]] [[id:7][see]]", "x.png Head see"),
        ("said.[fn:1] and[fn:: a note]", "said.[1] and (a note)"),
        ("<2024-01-01 Mon> H_{2}O src_py{x=1} @@html:<b>@@", "2024-01-01 Mon H2O x=1 "),
    ],
)
def test_inline_markup_leaves_its_words(markup: str, plain: str) -> None:
    assert texts(markup) == [plain.rstrip()]


def test_code_stays_as_it_is_and_examples_too() -> None:
    assert document("#+begin_src c\n  ,* x\n    y\n#+end_src\n: fixed\n:  more\n").blocks == (
        Block("* x\n  y", at_lines(2, 3)),
        Block("fixed\n more", at_lines(5, 6)),
    )


def test_lists_and_tables() -> None:
    page = "- one\n  goes on\n- term :: said\n  1. [ ] sub\n| A | B |\n|---+---|\n| 1 | *2* |\n#+TBLFM: x\n"
    assert texts(page) == ["- one\ngoes on", "- term: said", "1. [ ] sub", "A | B", "1 | 2"]
    assert document(page).blocks[-1].header == "A | B"


def test_comments_exports_and_what_is_marked_as_comment_are_left_out() -> None:
    page = "# hidden\na\n#+begin_export html\nhidden\n#+end_export\n* COMMENT hidden\nx\n** hidden\n* Seen\nb\n"
    assert [(block.text, block.headings) for block in document(page).blocks] == [("a", ()), ("b", ("Seen",))]


def test_a_block_that_is_never_closed_is_text() -> None:
    assert texts("#+begin_src c\na\n* H\nb\n") == ["a", "b"]


def test_what_a_page_says_of_itself_leads_its_text_without_the_keys() -> None:
    page = (
        ':PROPERTIES:\n:ID: 1234\n:ROAM_ALIASES: "Sowing diary" almanac\n:END:\n#+TITLE: Garden log\n'
        "#+DESCRIPTION: What grew, and *when*.\n#+KEYWORDS: peas, beans\n#+FILETAGS: :bed:shed:\n#+STARTUP: overview\n"
        "* Spring\nSow.\n"
    )
    first, last = document(page).blocks
    assert first == Block(
        "What grew, and when.\nSowing diary, almanac, peas, beans, bed, shed", at_lines(3, 8), leads=True
    )
    assert last.text == "Sow."


def test_a_page_with_nothing_but_a_title_is_its_title() -> None:
    assert texts("#+TITLE: Garden log\n") == ["Garden log"]


def test_a_drawer_below_a_headline_speaks_of_its_section() -> None:
    page = "* Spring\n:PROPERTIES:\n:CUSTOM_ID: s1\n:DESCRIPTION: After the frost: sow.\n:END:\nPeas.\n"
    assert document(page).blocks == (
        Block("After the frost: sow.", at_lines(4, 4), ("Spring",), leads=True),
        Block("Peas.", at_lines(6, 6), ("Spring",)),
    )
