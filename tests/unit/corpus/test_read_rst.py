from __future__ import annotations

from functools import partial

import pytest

from rerank_cli.corpus.read.rst import read
from rerank_cli.records import Block, Document, at_lines
from tests.growth import grows_evenly


def document(text: str) -> Document:
    (only,) = read(text, "some-page.rst").documents
    return only


def blocks(text: str) -> tuple[Block, ...]:
    return document(text).blocks


def texts(text: str) -> list[str]:
    return [block.text for block in blocks(text)]


def test_levels_follow_the_order_in_which_adornments_first_appear() -> None:
    page = "=====\n Top\n=====\n\nA\n=\na\n\nB\n--\nb\n\nC\n=\nc\n"
    assert [(b.text, b.headings, b.place.first) for b in blocks(page)] == [
        ("a", ("Top", "A"), 7),
        ("b", ("Top", "A", "B"), 11),
        ("c", ("Top", "C"), 15),
    ]
    assert document(page).title == "Top"


def test_an_underline_of_four_may_fall_short_of_its_title() -> None:
    assert blocks("A long title\n----\ntext\n")[0].headings == ("A long title",)
    assert texts("Not a title\n--\ntext\n") == ["Not a title\n--\ntext"]


def test_a_transition_is_no_text_and_no_title() -> None:
    assert texts("One.\n\n----\n\nTwo.\n") == ["One.", "Two."]


def test_a_page_without_section_titles_has_none_itself() -> None:
    assert document("Words.\n").title == ""


@pytest.mark.parametrize(
    ("markup", "plain"),
    [
        (":func:`name`", "name"),
        (":meth:`~flask.Flask.route`", "route"),
        (":py:class:`!.Request`", "Request"),
        (":ref:`see this <label>`", "see this"),
        ("``liter*al``", "liter*al"),
        ("`text <https://example.org>`_", "text (https://example.org)"),
        ("`text <https://example.org>`__", "text (https://example.org)"),
        ("`example.org <https://example.org/>`_ and `<ftp://a.b>`_", "example.org and ftp://a.b"),
        ("`Walrus <other.html>`_ or `Walrus <see_>`_", "Walrus (other.html) or Walrus"),
        ("A claim [1]_ and [#]_ and [Knuth84]_.", "A claim [1] and [#] and [Knuth84]."),
        ("`phrase`_ and word_ and `title`", "phrase and word and title"),
        ("**strong** and *emphasis*", "strong and emphasis"),
        ("2 * 3 * 4 and a*b*c", "2 * 3 * 4 and a*b*c"),
        ("snake_case_name and ``_x_``", "snake_case_name and _x_"),
        (r"a\*b and re\ ``st``", "a*b and rest"),
        ("|app| runs", "The App runs"),
        ("|unknown| runs", "unknown runs"),
    ],
)
def test_inline_markup_leaves_its_words(markup: str, plain: str) -> None:
    assert texts(f"{markup}\n\n.. |app| replace:: The *App*\n") == [plain]


def test_markup_that_spans_lines_keeps_their_number() -> None:
    (block,) = blocks("See :ref:`the\nlabel <some\ntarget>` and\nmore.\n")
    assert block == Block("See the\nlabel\n and\nmore.", at_lines(1, 4))


def test_code_is_kept_as_it_is_after_directives_and_double_colons() -> None:
    page = (
        "Like this::\n\n    x = *y*\n      z\n\n.. code-block:: python\n    :linenos:\n\n"
        "    def f():\n\n        pass\n\nEnd.\n"
    )
    assert blocks(page) == (
        Block("Like this:", at_lines(1, 1)),
        Block("x = *y*\n  z", at_lines(3, 4)),
        Block("def f():\n\n    pass", at_lines(9, 11)),
        Block("End.", at_lines(13, 13)),
    )


def test_a_double_colon_by_itself_is_not_shown() -> None:
    assert texts("Words ::\n\n  code\n\n::\n\n  more\n") == ["Words", "code", "more"]


def test_what_no_reader_sees_is_dropped() -> None:
    page = (
        ".. _label:\n.. currentmodule:: flask\n\n.. a comment\n   that goes on\n\n..\n   another\n\n"
        ".. toctree::\n   :maxdepth: 2\n\n   config\n\n__ https://example.org\n\nWords.\n"
    )
    assert blocks(page) == (Block("Words.", at_lines(17, 17)),)


def test_admonitions_and_notes_show_their_argument_and_their_body() -> None:
    page = ".. admonition:: Take *care*\n\n    It is hot.\n\n.. note:: Starts here\n   and goes on.\n   :no: option\n"
    assert blocks(page)[:2] == (Block("Take care", at_lines(1, 1)), Block("It is hot.", at_lines(3, 3)))
    assert blocks(page)[2].text == "Starts here\nand goes on."


def test_versions_are_spoken_as_on_the_page() -> None:
    page = ".. versionadded:: 0.5\n\n.. deprecated:: 2.0\n   Use x.\n"
    assert texts(page) == ["Added in version 0.5", "Deprecated since version 2.0\nUse x."]


def test_an_image_is_its_alternative_text_and_a_figure_its_caption_too() -> None:
    page = ".. image:: a.png\n   :align: left\n   :alt: The gauge\n\n.. figure:: b.png\n\n   The caption.\n"
    assert blocks(page) == (Block("The gauge (a.png)", at_lines(3, 3)), Block("The caption.", at_lines(7, 7)))


def test_the_signature_of_a_description_is_a_heading_until_its_body_ends() -> None:
    page = (
        "T\n=\n\n.. py:data:: DEBUG\n\n   Switch.\n\n   .. method:: a(x)\n               b(y)\n\n"
        "      Inner.\n\nAfter.\n\n.. autoclass:: Flask\n   :members:\n"
    )
    assert blocks(page) == (
        Block("Switch.", at_lines(6, 6), ("T", "DEBUG")),
        Block("Inner.", at_lines(11, 11), ("T", "DEBUG", "a(x), b(y)")),
        Block("After.", at_lines(13, 13), ("T",)),
        Block("Flask", at_lines(15, 15), ("T",)),
    )


def test_list_items_are_blocks_of_their_own() -> None:
    page = "-   one\n    goes on\n-   two\n\n    with more\n\n1.  three\n#.  four\n\n(a) five\n"
    assert [(b.text, b.place.first, b.place.last) for b in blocks(page)] == [
        ("- one\ngoes on", 1, 2),
        ("- two", 3, 3),
        ("with more", 5, 5),
        ("1. three", 7, 7),
        ("#. four", 8, 8),
        ("(a) five", 10, 10),
    ]


def test_a_paragraph_that_begins_like_an_item_is_none() -> None:
    assert texts("A. Smith wrote\nthis.\n") == ["A. Smith wrote\nthis."]


def test_definitions_quotations_and_fields_keep_their_words() -> None:
    assert texts("term\n    Its meaning.\n\n    A quote.\n\n:field: value\n") == [
        "term",
        "Its meaning.",
        "A quote.",
        ":field: value",
    ]


def test_a_name_that_is_defined_as_a_link_shows_its_target_where_it_is_used_first() -> None:
    page = "The Walrus_ and `the\nNarwhal`_, the walrus_.\n\n.. _walrus: https://a.org/w\n.. _`The  narwhal`: b.html\n"
    assert texts(page) == ["The Walrus (https://a.org/w) and the\nNarwhal (b.html), the walrus."]


def test_a_simple_table_has_a_row_a_line_below_its_header() -> None:
    page = "=====  ===\nName   B\n=====  ===\n``x``  1\n\ny      2\n       more\n=====  ===\n\nEnd.\n"
    assert blocks(page) == (
        Block("Name | B", at_lines(2, 3), header="Name | B"),
        Block("x | 1", at_lines(4, 5), header="Name | B"),
        Block("y | 2 more", at_lines(6, 8), header="Name | B"),
        Block("End.", at_lines(10, 10)),
    )


def test_a_simple_table_may_have_no_header_wide_characters_and_cells_that_span() -> None:
    assert texts("====  ==\n漢字  a\nb     c\n====  ==\n") == ["漢字 | a\nb | c"]
    page = "==  ==  ==\nwide    c\n------  --\n1   2   3\n==  ==  ==\n4   5   6\n==  ==  ==\n"
    assert texts(page) == ["wide | c", "1 | 2 | 3", "4 | 5 | 6"]
    assert blocks(page)[0].header == "wide | c\n1 | 2 | 3"


def test_the_lines_of_a_cell_in_a_grid_are_one_text() -> None:
    page = (
        "+------+-------+\n| Name | What  |\n+======+=======+\n| a    | *one  |\n|      | two*  |\n|      | - it  |\n"
        "+------+-------+\n| b            |\n+------+-------+\nEnd.\n"
    )
    assert blocks(page) == (
        Block("Name | What", at_lines(2, 3), header="Name | What"),
        Block("a | one two - it", at_lines(4, 7), header="Name | What"),
        Block("b", at_lines(8, 9), header="Name | What"),
        Block("End.", at_lines(10, 10)),
    )


def test_a_cell_that_spans_rows_of_a_grid_goes_on_in_the_next() -> None:
    page = "+---+---+\n| a | b |\n| x +---+\n| y | c |\n+---+---+\n"
    assert texts(page) == ["a | b", "x y | c"]


def test_a_csv_table_has_its_title_its_header_and_its_rows() -> None:
    page = (
        '.. csv-table:: Open *ports*\n   :header: "Daemon", "Listening\n      port"\n   :widths: 1, 2\n\n'
        '   "ssh, sftp", 22\n   ``dns``, "fifty\n   three"\n'
    )
    assert blocks(page) == (
        Block("Open ports", at_lines(1, 1)),
        Block("Daemon | Listening port", at_lines(2, 5), header="Daemon | Listening port"),
        Block("ssh, sftp | 22", at_lines(6, 6), header="Daemon | Listening port"),
        Block("dns | fifty three", at_lines(7, 8), header="Daemon | Listening port"),
    )


def test_a_csv_table_may_name_its_signs_and_have_its_header_among_its_rows() -> None:
    page = ".. csv-table::\n   :delim: ;\n   :quote: '\n   :header-rows: 1\n\n   a;b\n   '1;2';3\n"
    assert blocks(page)[0].text == "a | b\n1;2 | 3"
    assert blocks(page)[0].header == "a | b"
    assert texts(".. csv-table::\n   :delim: tab\n\n   a, b\n") == ["a, b"]


def test_a_list_table_is_a_list_of_rows_of_cells() -> None:
    page = (
        ".. list-table:: Ports\n   :header-rows: 1\n   :class: wide\n\n   * - Daemon\n     - Port\n   * - ssh\n\n"
        "       and sftp\n     -\n   *  - dns\n      - .. code::\n\n            53\n"
    )
    assert blocks(page) == (
        Block("Ports", at_lines(1, 1)),
        Block("Daemon | Port", at_lines(5, 6), header="Daemon | Port"),
        Block("ssh and sftp |", at_lines(7, 10), header="Daemon | Port"),
        Block("dns | 53", at_lines(11, 14), header="Daemon | Port"),
    )


@pytest.mark.parametrize("option", ['delim: "', "quote: é漢", 'header: "a', "escape: \\", "header-rows: ²", "delim:"])
def test_odd_options_of_a_table_leave_its_words(option: str) -> None:
    assert "brake" in texts(f".. csv-table::\n   :{option}\n\n   brake, lever\n")[-1]


@pytest.mark.parametrize("name", ["only", "ifconfig", "container", "rst-class"])
def test_a_condition_or_a_class_is_no_text(name: str) -> None:
    assert texts(f".. {name}:: builder_html and not x\n\n   Words for the page.\n") == ["Words for the page."]


def test_the_argument_of_a_formula_and_the_caption_of_code_are_text() -> None:
    assert texts(".. math:: a^2\n\n.. code-block:: c\n   :caption: Peel *it*\n\n   peel();\n") == [
        "a^2",
        "Peel it",
        "peel();",
    ]


def test_what_the_builder_is_told_at_the_top_is_no_text_and_who_wrote_it_is() -> None:
    assert texts(":orphan:\n:tocdepth: 2\n:Author: A. Person\n\nWords.\n") == [":Author: A. Person", "Words."]


def test_the_lines_of_a_line_block_stand_without_their_bars() -> None:
    assert texts("| One *line*\n|\n|  another\n") == ["One line\n\nanother"]


def test_a_footnote_is_text_and_a_doctest_is_verbatim() -> None:
    assert texts(".. [1] A *note*\n   goes on.\n\n>>> f(*a*)\n1\n") == [
        "[1] A note\ngoes on.",
        ">>> f(*a*)\n1",
    ]


@pytest.mark.parametrize("text", ["====", "====\nA", "A\n====", "..", ".. x::", "- ", "+---+", "::", "   ", "=== ==="])
def test_a_page_that_breaks_off_is_still_read(text: str) -> None:
    assert document(text).id == "some-page.rst"


@pytest.mark.parametrize(
    ("definitions", "shown"),
    [
        (".. |v| replace:: |v|", "v"),
        (".. |v| replace:: the |w|\n.. |w| replace:: new |v|", "the new v"),
    ],
)
def test_a_substitution_inside_itself_does_not_end_the_run(definitions: str, shown: str) -> None:
    assert texts(f"{definitions}\n\nVersion |v| here.\n") == [f"Version {shown} here."]


def test_substitutions_that_double_each_other_do_not_fill_the_memory() -> None:
    doubling = "".join(f".. |x{n}| replace:: |x{n + 1}| |x{n + 1}|\n" for n in range(60))
    (text,) = texts(f"{doubling}.. |x60| replace:: ha\n\n|x0|\n")
    assert len(text) <= 1000


@pytest.mark.parametrize("opening", ["- ", "1. ", "  - ", ".. note:: ", ".. [1] "])
def test_items_nested_hundreds_deep_on_one_line_keep_their_words(opening: str) -> None:
    assert "words" in texts(opening * 400 + "words")[-1]


def test_quotations_nested_hundreds_deep_keep_their_words() -> None:
    page = "".join(f"{' ' * depth}w{depth}\n\n" for depth in range(400))
    assert " ".join(texts(page)).split() == [f"w{depth}" for depth in range(400)]


@pytest.mark.parametrize(
    ("before", "repeated", "after"),
    [
        *(("", repeated, "") for repeated in ("a-", "**a ", "``a ", ":a", "*a ", "|a ", "`a ", "a_b")),
        *((":a:`", " ", "`"), ("``a", " ", ""), ("*a", " ", "*")),
    ],
)
def test_markup_that_is_never_closed_takes_no_longer_than_a_page_of_its_size(
    before: str, repeated: str, after: str
) -> None:
    assert grows_evenly(lambda times: partial(texts, before + repeated * times + after), 25_000)


def test_a_literal_may_end_with_its_own_mark() -> None:
    assert texts("Write ``:ref:`here``` or ``it```, see `that`_.") == ["Write :ref:`here` or it`, see that."]


def test_each_row_of_a_table_with_a_line_for_each_cell_has_a_place() -> None:
    table = ".. list-table::\n   :header-rows: 1\n\n" + "".join(f"   * - {n}\n     - b\n\n     - c\n" for n in "123")
    assert [(block.text, str(block.place), block.header) for block in blocks(table)] == [
        ("1 | b | c", "lines 4-7", "1 | b | c"),
        ("2 | b | c", "lines 8-11", "1 | b | c"),
        ("3 | b | c", "lines 12-15", "1 | b | c"),
    ]


def test_a_title_within_what_is_described_is_text_without_its_line() -> None:
    assert texts(".. confval:: a\n\n   Examples\n   ~~~~~~~~\n\n   Words\n") == ["Examples", "Words"]
