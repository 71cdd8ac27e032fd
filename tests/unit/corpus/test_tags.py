from __future__ import annotations

from functools import partial
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rerank_cli.corpus.read.tags import Tag, Text, split_tags
from tests.growth import grows_evenly


def written(page: str) -> list[str]:
    """What stands on *page*, tags by their names."""
    return [
        found.text if isinstance(found, Text) else f"<{'' if found.starts else '/'}{found.name}>"
        for found in split_tags(page)
    ]


@pytest.mark.parametrize(
    ("page", "found"),
    [
        ("a<B>b</B >c", ["a", "<b>", "b", "</b>", "c"]),
        ("<a title='1 > 0' rel=\"a>b\" x>y", ["<a>", "y"]),
        ("<p class='x>Words</p>", ["<p>", "Words", "</p>"]),  # the quotation mark is never closed
        ("1 < 2 &lt; 3 <> <4", ["1 ", "< 2 < 3 ", "<> ", "<4"]),
        ("a<!-- <b> -->b<!-->c<!--->d<!-- x --!>e", ["a", "b", "c", "d", "e"]),
        ("<!DOCTYPE html><?php echo?>a<![CDATA[b]]>c</>d</ 1>e", ["a", "c", "d", "e"]),
        ("<script>if (a<b) '<p>'</SCRIPT >x<style/><p>", ["<script>", "</script>", "x", "<style>", "<p>"]),
        ("<script>a</scripts></script", ["<script>"]),
        ("<script>never closed<p>", ["<script>"]),
        ("a<b", ["a", "<b"]),
        ("<!-- never> closed<p>", ["<!-- never>", " closed", "<p>"]),
        ("&amp;&#65;&#x42;&nosuch;&#0000000000000067;", ["&AB&nosuch;C"]),
    ],
)
def test_markup_is_told_from_text_as_a_browser_does(page: str, found: list[str]) -> None:
    assert written(page) == found


def test_a_slash_at_its_end_makes_a_tag_both() -> None:
    assert [(tag.starts, tag.ends) for tag in split_tags("<a/><a /></a><a b=c>") if isinstance(tag, Tag)] == [
        (True, True),
        (True, True),
        (False, True),
        (True, False),
    ]


def test_attributes_have_the_value_that_a_reader_sees() -> None:
    (tag,) = split_tags("""<img ALT = "a &lt; 'b'" title='c > "d"'src=e/f.png hidden data-x=''>""")
    assert isinstance(tag, Tag)
    assert tag.attributes() == {"alt": "a < 'b'", "title": 'c > "d"', "src": "e/f.png", "hidden": "", "data-x": ""}


def test_lines_count_what_falls_away() -> None:
    page = "a\n<!--\n\n--><p\nid=x\n>b\n<script>\n\n</script>c"
    assert [found.line for found in split_tags(page)] == [0, 3, 5, 6, 8, 8]


class Library(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.found.append(f"<{tag}>")

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        self.found.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        self.found.append(data)


PARTS = ["a", " ", "\n", "&amp;", "&#65;", "x = 1", "<p>", "</p>", "<b class='c d'>", '<a href="e>f" g>', "<br/>"]
PARTS += ["<td\nid=x>", "</td >", "<!-- h <i> -->", "<!doctype html>", "<?j?>", "<H1>", "</H1>", "<script>k<l</script>"]


@settings(max_examples=300, derandomize=True)
@given(st.lists(st.sampled_from(PARTS), max_size=20).map("".join))
def test_a_well_formed_page_is_read_as_the_library_reads_it(page: str) -> None:
    library = Library()
    library.feed(page)
    library.close()
    assert "".join(written(page)) == "".join(library.found).replace("<script>k<l", "<script>")


@pytest.mark.parametrize(
    "opening", ["<a b=\"'", '<a b=">', "<script", "<script>", "</script ", "<style>--", "<!---", "= '", '<a ="c"= \'']
)
def test_what_never_ends_takes_no_longer_than_a_page_of_its_size(opening: str) -> None:
    assert grows_evenly(lambda times: partial(written, opening * times), 48_000)
