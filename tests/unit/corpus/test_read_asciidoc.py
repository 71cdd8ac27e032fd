from __future__ import annotations

import pytest

from rerank_cli.corpus.read.asciidoc import read
from rerank_cli.records import Block, Document, at_lines


def document(text: str) -> Document:
    (only,) = read(text, "page.adoc").documents
    return only


def texts(text: str) -> list[str]:
    return [block.text for block in document(text).blocks]


def test_the_case_of_a_guide() -> None:
    page = (
        "= Guide to the Kiln\n:author: A. Person\n:toc:\n\n== Firing\n\nRaise it.\n\n=== Cooling\n\n"
        "[source,bash]\n----\n== not a heading\n----\n\nNever open.\n"
    )
    assert document(page).title == "Guide to the Kiln"
    assert document(page).blocks == (
        Block("A. Person", at_lines(2, 2), ("Guide to the Kiln",), leads=True),
        Block("Raise it.", at_lines(7, 7), ("Guide to the Kiln", "Firing")),
        Block("== not a heading", at_lines(13, 13), ("Guide to the Kiln", "Firing", "Cooling")),
        Block("Never open.", at_lines(16, 16), ("Guide to the Kiln", "Firing", "Cooling")),
    )


def test_a_title_may_be_underlined() -> None:
    assert document("Kiln\n----\n\nHot.\n").blocks == (Block("Hot.", at_lines(4, 4), ("Kiln",)),)


@pytest.mark.parametrize(
    ("markup", "plain"),
    [
        ("*strong _and_* `mono` #marked# [.x]#y#", "strong and mono marked y"),
        ("un**con**strained a_b_c 2 * 3", "unconstrained a_b_c 2 * 3"),
        ("https://a.org[the site^] and https://a.org", "the site (https://a.org) and https://a.org"),
        ("link:x.html[X] xref:id[see] <<id,there>>", "X (x.html) see there"),
        ("mailto:a@b.org[] image:pic.png[Alt]", "a@b.org Alt (pic.png)"),
        ("kbd:[Ctrl+C] menu:File[Save > All]", "Ctrl+C File > Save > All"),
        ("text.footnote:[A *note*.]", "text. (A note.)"),
        ("a((term)) b(((hidden,more)))", "aterm b"),
        ("{v} and {unknown}{nbsp}x", "2.0 and {unknown} x"),
        ("\\*no* and +++<b>+++", "*no* and <b>"),
    ],
)
def test_inline_markup_leaves_its_words(markup: str, plain: str) -> None:
    assert texts(f":v: 2.0\n\n{markup}\n") == [plain]


def test_lists_have_dashes_and_count_their_numbers() -> None:
    page = "* a\ngoes on\n** b\n. one\n.. inner\n. two\n\nTerm:: said\nOther::\n  more\n"
    assert texts(page) == ["- a\ngoes on", "- b", "1. one", "1. inner", "2. two", "Term: said", "Other", "more"]


def test_comments_conditions_and_includes_are_left_out() -> None:
    page = "a\n// hidden\nb\n\n////\nhidden\n////\n\nifdef::x[]\nc\nendif::[]\n\ninclude::a.adoc[]\n\nifdef::x[seen]\n"
    assert texts(page) == ["a\n\nb", "c", "seen"]


def test_a_table_has_a_row_a_line_whatever_its_cells_stand_on() -> None:
    page = '[cols="1,2",options="header"]\n|===\n|A |B\n\n|1\n|*two*\n2+|both \\| all\n|===\n'
    assert document(page).blocks == (
        Block("A | B", at_lines(3, 4), header="A | B"),
        Block("1 | two", at_lines(5, 6), header="A | B"),
        Block("both | all", at_lines(7, 7), header="A | B"),
    )
    assert texts("|===\n3*|a\n|===\n") == ["a | a | a"]
    assert len(texts("|===\n999*|a\n|===\n")[0]) < 100
    assert texts('[%header,format=csv]\n|===\na,"b,c"\n1,2\n|===\n') == ["a | b,c\n1 | 2"]


def test_what_stands_in_delimited_blocks_is_shown_and_of_quotes_the_author() -> None:
    assert texts("[quote, Albert, Book]\n____\nSaid.\n____\n\nNOTE: x\n\n====\nEx.\n====\n\n++++\n<b>\n++++\n") == [
        "Albert, Book",
        "Said.",
        "NOTE: x",
        "Ex.",
    ]


@pytest.mark.parametrize("text", ["----", "|===", "|===\n|", "[source", "a::", "* ", "= ", "////", ":a: \\", "", "[]"])
def test_a_page_that_breaks_off_is_still_read(text: str) -> None:
    assert document(text).id == "page.adoc"


def test_what_a_page_says_of_itself_is_found_with_the_text_that_follows() -> None:
    header = "= Kiln\n:description: Fire it slowly, \\\n  then cool.\n:keywords: raku, glaze\n:toc: left\n"
    page = f"{header}\n== Firing\n\nHot.\n"
    assert [(block.text, block.leads) for block in document(page).blocks] == [
        ("Fire it slowly, then cool.", True),
        ("raku, glaze", True),
        ("Hot.", False),
    ]
