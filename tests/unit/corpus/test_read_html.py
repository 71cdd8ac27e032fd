from __future__ import annotations

from functools import partial

import pytest

from rerank_cli.corpus.read import converted
from rerank_cli.corpus.read.html import read
from rerank_cli.corpus.split import split
from rerank_cli.records import Block, Document, Place, at_lines
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
        Block("A | B\n1 < 2 | 3", at_lines(16, 17), ("Boiler", "Pressure"), header="A | B"),
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
    assert grows_evenly(lambda times: partial(document, opening * times + end), 16_000)


def test_after_many_tags_that_never_end_those_that_do_are_still_tags() -> None:
    found = document("<!-- a> " * 100 + "<p class='x'>Words</p><h2>Head</h2>More")
    assert found.blocks[-2].text == "Words"
    assert (found.blocks[-1].text, found.blocks[-1].headings) == ("More", ("Head",))


def texts(page: str) -> list[str]:
    return [block.text for block in document(page).blocks]


@pytest.mark.parametrize(
    "furniture",
    [
        "<div hidden>x<div>y</div>z</div>",
        '<div hidden=""><h1>x</h1></div>',
        '<span aria-hidden="true">chevron_right</span>',
        '<div style="color:red; display : none">x</div>',
        "<p style='visibility:hidden'>x",
        '<div class="sphinxsidebar" role="navigation"><h1>Site</h1><ul><li><div>x</div></ul></div>',
        '<div role="search"><form>x</form></div>',
        "<form action='/search'>x</form>",
        '<a class="skip-link" href="#main">Skip to main content</a>',
        '<a href="#content">Skip to content</a>',
        "<ol class='breadcrumb'><li>x</li></ol>",
        "<button>Copy</button>",
        '<i class="material-icons md-18">home</i>',
        '<span class="linenos">12</span>',
        "<footer><p>x</p></footer>",
        "<nav><nav>x</nav>y</nav>",
        "<dialog>x</dialog>",
        '<span class="sr-only">opens in a window</span>',
        '<a class="headerlink" href="#a">\u00b6</a>',
        '<a href="#a" title="Link">#</a>',
        '<i aria-hidden="true"/>',
        '<input hidden value="x">',
    ],
)
def test_what_markup_marks_as_furniture_is_no_text(furniture: str) -> None:
    page = f"<div><p>before</p>{furniture}<h2>Head{furniture}</h2><p>after {furniture}</p></div><p>last"
    found = document(page)
    assert [(block.text, block.headings) for block in found.blocks] == [
        ("before", ()),
        ("after", ("Head",)),
        ("last", ("Head",)),
    ]


def test_a_panel_that_is_not_the_one_shown_first_is_text() -> None:
    page = '<div role="tabpanel" hidden><p>Windows</p></div><div class="tab-pane" style="display:none">Linux</div>'
    assert texts(page) == ["Windows", "Linux"]


def test_a_page_that_is_hidden_until_it_is_loaded_is_read() -> None:
    assert texts('<body style="visibility:hidden"><main class="skip-link"><p>Words</main>') == ["Words"]


@pytest.mark.parametrize("main", ["<main>|</main>", '<div role="main">|</div>', "<article>|</article>"])
def test_where_the_text_of_a_page_is_marked_nothing_else_is(main: str) -> None:
    before, after = main.split("|")
    text = f"{before}<div><p>Words of the page</p></div>{after}"
    page = f"<title>T</title><header>Logo <a>Shop</a></header><h1>Top</h1>{text}<p>Legal"
    found = document(page)
    assert found.title == "T"
    assert [(block.text, block.headings) for block in found.blocks] == [("Words of the page", ("Top",))]


def test_what_is_marked_as_main_but_holds_next_to_nothing_is_not_all() -> None:
    assert texts("<main><p>x</main><p>A long text of the page that is not in it.</p>")[-1].startswith("A long")
    assert len(texts("<article><p>one</article><article><p>two</article><p>three")) == 3


def test_controls_do_not_join_the_words_beside_them() -> None:
    assert texts("<p><button>Copy</button>Take<label>Name</label><select><option>Red</option></select></p>") == [
        "Take Name",
        "Red",
    ]


def test_a_row_that_takes_several_lines_is_a_block_with_all_of_them() -> None:
    page = (
        "<table><caption>Stock</caption>\n<thead><tr><th>Part<th>Torque <a href='#t'>limit</a></tr></thead>\n"
        "<tr>\n<td><p>P-1</p></td>\n<td>3\nNm</td>\n</tr>\n<tr><td></td><td><ul><li>a<li>b</ul></td></tr></table>After"
    )
    assert document(page).blocks == (
        Block("Stock", at_lines(1, 1)),
        Block("Part | Torque limit", at_lines(2, 3), header="Part | Torque limit"),
        Block("P-1 | 3 Nm", at_lines(4, 7), header="Part | Torque limit"),
        Block(" | a b", at_lines(8, 8), header="Part | Torque limit"),
        Block("After", at_lines(8, 8)),
    )


def test_the_rows_of_a_passage_stand_in_its_lines_if_each_takes_several() -> None:
    rows = "".join(f"<tr>\n<td>part{n}</td>\n<td>\n{n} Nm</td>\n</tr>\n" for n in range(40))
    page = f"<table>\n<thead>\n<tr>\n<th>Part</th>\n<th>Torque</th>\n</tr>\n</thead>\n{rows}</table>\n"
    lines = page.split("\n")
    found = split(document(page), max_tokens=20, count_tokens=lambda texts: [len(text.split()) for text in texts])
    assert len(found) > 5
    for passage in found:
        source = "\n".join(lines[passage.place.first - 1 : passage.place.last])
        own = passage.text.removeprefix("Part | Torque\n").split("\n")
        assert all(cell in source for row in own for cell in row.split(" | "))
        assert "" not in own


def test_the_rows_of_a_converted_file_are_one_table_as_places_there_are_no_lines() -> None:
    page = "<html><table>\n<tr>\n<th>Part\n<th>Torque\n<tr>\n<td>a\n<td>1\n</table></html>"
    assert converted.read(page, "a.pages").documents[0].blocks == (
        Block("Part | Torque\na | 1", Place("paragraph", 1, 1), header="Part | Torque"),
    )


def test_a_table_that_lays_out_a_page_is_read_as_its_blocks() -> None:
    page = "<table><tr><td><h2>Head</h2><p>One</p></td></tr><tr><td><p>Two</p><p>Three</p></td></tr></table>"
    assert texts(page) == ["One", "Two", "Three"]


def test_a_table_on_a_single_line_and_one_without_a_header_are_read() -> None:
    assert document("<table><tr><th>A<tr><td>1<tr><td>2</table>").blocks == (
        Block("A\n1\n2", at_lines(1, 1), header="A"),
    )
    assert document("<table><tr><td>a<td>b\n<tr><th>c<td>d</table>").blocks == (Block("a | b\nc | d", at_lines(1, 2)),)


def test_the_description_of_a_page_goes_in_front_of_it() -> None:
    page = '<head>\n<meta name="keywords" content="a, b">\n<meta content="Says it." name="Description"></head><p>Words'
    assert document(page).blocks == (
        Block("Says it.\na, b", at_lines(2, 3), leads=True),
        Block("Words", at_lines(3, 3)),
    )
    assert texts('<meta name="description" content="Words"><p>Words here') == ["Words here"]


@pytest.mark.parametrize(
    ("page", "text"),
    [
        (
            '<p><a href="https://forum.example.net/t/kumquat" title="Quince">forum</a>',
            "forum (forum.example.net/kumquat, Quince)",
        ),
        ('<p><a href="pump.html#pump">the pump</a>', "the pump"),
        ('<p><img src="img/impeller.png" alt="Wheel">', "Wheel (impeller)"),
        ('<pre><a href="zinc.html">x</a></pre>', "x"),
        ('<p><a href="zinc.html">x <a href="tin.html">y</a></p>', "x y (tin)"),
    ],
)
def test_words_that_only_a_target_has_stand_behind_its_text(page: str, text: str) -> None:
    assert texts(page) == [text]


def test_the_tags_of_a_template_are_no_text_and_shift_no_line() -> None:
    page = (
        '{{- /* Not\n{{ shown }} */}}\n| {{ .Sign }}\n{{ define "main" }}\n<h1>{{ .Title }}</h1>\n'
        "{% if a %}<p>Shut <b>{{ x }}</b> the valve.</p>"
        "{% endif %}\n{# remark #}<p class={{ .Class }}>Read <code>{{ .Page }}</code>.</p>\n{{ end }}\n"
    )
    assert [(block.text, block.place) for block in document(page).blocks] == [
        ("Shut the valve.", at_lines(6, 6)),
        ("Read {{ .Page }}.", at_lines(7, 7)),
    ]


def test_a_page_that_only_tells_of_values_in_braces_keeps_them() -> None:
    assert texts("<p>Write {{ name }} or <code>{% if %}</code>, {{ never closed.</p>") == [
        "Write {{ name }} or {% if %}, {{ never closed."
    ]


def test_a_heading_tells_where_its_link_leads_as_a_paragraph_does() -> None:
    page = "<h1>The <a href='https://acme.org/x200.pdf'>pump</a></h1><p>x<h2><a href='/the-pump/'>The pump</a></h2><p>y"
    assert [block.headings for block in document(page).blocks] == [
        ("The pump (acme.org/x200.pdf)",),
        ("The pump (acme.org/x200.pdf)", "The pump"),
    ]
