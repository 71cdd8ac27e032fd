from __future__ import annotations

from functools import partial

import pytest

from rerank_cli.corpus.read.html import read
from rerank_cli.records import Block, Document, at_lines
from tests.growth import grows_evenly

PAGE = """\
<!DOCTYPE html
  PUBLIC "x">
<html><head><title>Boiler
 care &amp; repair</title><style>p{}</style><script>var x = "<p>no</p>";</script></head>
<body><nav><h2>Menu</h2> <a href=x>Home</a></nav>
<h1>Boiler</h1>
<p>First <b>bold</b> text
  on two lines<br>and <a
  href="x">a link</a> after.</p>
<ul><li>one</li><li><p>two</p></li></ul>
<h2>Press<i>ure</i></h2>
<pre>
  line a
    line b
</pre>
<table><tr><th>A</th><th>B</th></tr>
<tr><td>1 &lt; 2</td><td>3</td></tr></table>
<!-- comment
 over --><img alt="The gauge"> at rest
</body></html>
"""


def document(text: str) -> Document:
    (only,) = read(text, "some-page.html").documents
    return only


def test_a_page_becomes_its_visible_blocks_with_exact_lines_under_their_headings() -> None:
    found = document(PAGE)
    assert found.title == "Boiler care & repair"
    assert found.blocks == (
        Block("First bold text\non two lines and\na link after.", at_lines(7, 9), ("Boiler",)),
        Block("- one", at_lines(10, 10), ("Boiler",)),
        Block("- two", at_lines(10, 10), ("Boiler",)),
        Block("  line a\n    line b", at_lines(13, 14), ("Boiler", "Pressure")),
        Block("A | B", at_lines(16, 16), ("Boiler", "Pressure")),
        Block("1 < 2 | 3", at_lines(17, 17), ("Boiler", "Pressure")),
        Block("The gauge at rest", at_lines(19, 19), ("Boiler", "Pressure")),
    )


def test_without_a_title_the_first_heading_names_the_page_and_else_nothing() -> None:
    assert document("<h1>Heading</h1><p>x").title == "Heading"
    assert document("<p>x").title == ""


@pytest.mark.parametrize("tag", ["script", "style", "nav", "template", "noscript", "svg"])
def test_what_a_reader_does_not_see_is_no_text(tag: str) -> None:
    assert [b.text for b in document(f"<p>a</p><{tag}><p>hidden</p></{tag}><p>b</p>").blocks] == ["a", "b"]


def test_unclosed_and_misplaced_tags_lose_no_text() -> None:
    page = "<p>one<p>two<ul><li>three<li>four</b></ul><h2>Head<p>five</div><td>six<b>seven"
    assert [(b.text, b.headings) for b in document(page).blocks] == [
        ("one", ()),
        ("two", ()),
        ("- three", ()),
        ("- four", ()),
        ("five", ("Head",)),
        ("sixseven", ("Head",)),
    ]


def test_a_menu_that_is_never_closed_does_not_swallow_the_page() -> None:
    assert [b.text for b in document("<nav><a>Menu</a><main><p>Words</main>").blocks] == ["Words"]


def test_an_empty_list_item_lends_its_bullet_to_nothing() -> None:
    assert [b.text for b in document("<ul><li></li></ul><p>Words</p>").blocks] == ["Words"]


def test_a_self_closed_drawing_hides_nothing_after_it() -> None:
    assert [b.text for b in document("<p>a</p><svg/><p>b</p>").blocks] == ["a", "b"]


def test_the_title_of_a_drawing_is_not_that_of_the_page() -> None:
    assert document("<svg><title>Icon</title></svg><h1>Page</h1><p>x").title == "Page"


@pytest.mark.parametrize(
    ("page", "texts"),
    [
        ("<p>The slice <![0] of it</p><p>More</p>", ["The slice", "More"]),
        ("<p>The slice <![0] of it", ["The slice <![0] of it"]),
        ("<p>a</p><![if !IE]><p>b</p><![endif]><![CDATA[c]]><p>d</p>", ["a", "b", "d"]),
    ],
)
def test_a_cdata_opening_in_html_does_not_end_the_run(page: str, texts: list[str]) -> None:
    assert [b.text for b in document(page).blocks] == texts


@pytest.mark.parametrize("entity", ["&NewLine;", "&#10;", "&#010", "&#xA;", "&#x0a "])
def test_a_line_end_written_as_an_entity_shifts_no_line(entity: str) -> None:
    assert [(b.text, b.place.first, b.place.last) for b in document(f"<p>a{entity}b\nc</p>\n<p>d</p>").blocks] == [
        ("a b\nc", 1, 2),
        ("d", 3, 3),
    ]


def test_entities_that_only_begin_like_a_line_end_are_kept() -> None:
    assert [b.text for b in document("<p>&#100; &#xab; &amp;#10;</p>").blocks] == ["d « &#10;"]


@pytest.mark.parametrize(
    "opening", ["<a ", '<a b="', "<a b='><i c=\">", "<!--", "<!", "<?", "</", "</a ", "<![", "&", "<!-->", "<script></"]
)
@pytest.mark.parametrize("end", ["", ">", "-->"])
def test_tags_that_never_end_take_no_longer_than_a_page_of_their_size(opening: str, end: str) -> None:
    assert grows_evenly(lambda times: partial(document, opening * times + end), 32_000)


def test_after_many_tags_that_never_end_those_that_do_are_still_tags() -> None:
    found = document("<!-- a> " * 100 + "<p class='x'>Words</p><h2>Head</h2>More")
    assert found.blocks[-2].text == "Words"
    assert (found.blocks[-1].text, found.blocks[-1].headings) == ("More", ("Head",))
