from __future__ import annotations

import pytest

from rerank_cli.corpus.read.errors import Unreadable
from rerank_cli.corpus.read.markdown import read
from rerank_cli.records import Block, Document, at_lines

PAGE = """\
# Boiler *care*

Turn the **main** [valve](https://example.org "tip") `clockwise`
until it stops.\x20\x20
Then wait.

Pressure
--------
- first item
  goes on
- second item

  with a paragraph

  ```sh
  code  kept   as is
  ```
3. three
4. four

> Quoted words.
>
> ### Inside
>
> Under it.

    indented code

### Table

| A | B |
|---|---|
| 1 | **2** |
| 3 | [4](x) |

![The gauge](gauge.png) shows ~~all~~ <b>it</b>.
"""


def document(text: str, path: str = "some-page.md") -> Document:
    (only,) = read(text, path).documents
    return only


def blocks(text: str) -> tuple[Block, ...]:
    return document(text).blocks


def test_a_page_becomes_plain_blocks_with_exact_lines_under_their_headings() -> None:
    top, pressure, table = "Boiler care", "Pressure", "Table"
    assert blocks(PAGE) == (
        Block("Turn the main valve clockwise\nuntil it stops.\nThen wait.", at_lines(3, 5), (top,)),
        Block("- first item\ngoes on", at_lines(9, 10), (top, pressure)),
        Block("- second item", at_lines(11, 11), (top, pressure)),
        Block("with a paragraph", at_lines(13, 13), (top, pressure)),
        Block("code  kept   as is", at_lines(16, 16), (top, pressure)),
        Block("3. three", at_lines(18, 18), (top, pressure)),
        Block("4. four", at_lines(19, 19), (top, pressure)),
        Block("Quoted words.", at_lines(21, 21), (top, pressure)),
        Block("Under it.", at_lines(25, 25), (top, pressure, "Inside")),
        Block("indented code", at_lines(27, 27), (top, pressure)),
        Block("A | B\n\n1 | 2\n3 | 4", at_lines(31, 34), (top, pressure, table)),
        Block("The gauge shows all it.", at_lines(36, 36), (top, pressure, table)),
    )


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("---\ntitle: 'Front: matter'\ndate: 2020\n---\n# First\n", "Front: matter"),
        ('+++\ntitle = "Front"\n+++\n# First\n', "Front"),
        ("---\nlayout: page\n---\n# First\n", "First"),
        ("Intro.\n\n## Second level\n\n# First level\n", "First level"),
        ("## Opens the page\n\nWords.\n\n## Not this\n", "Opens the page"),
        ("Words.\n\n## Not this\n", ""),
        ("---\n\nNot front matter\n\n---\n", ""),
        ("", ""),
    ],
)
def test_the_title_is_in_the_front_matter_or_the_headings_or_nowhere(text: str, title: str) -> None:
    assert document(text).title == title


def test_front_matter_is_no_text_and_shifts_no_line() -> None:
    assert blocks("---\ntitle: T\ntags: [x]\n---\n\nWords.\n") == (Block("Words.", at_lines(6, 6)),)


def test_a_thematic_break_opens_no_front_matter() -> None:
    assert [b.text for b in blocks("---\n\nWords.\n\n---\n\nMore.\n")] == ["Words.", "More."]


def test_a_heading_with_nothing_under_it_is_text_itself() -> None:
    assert blocks("# Top\n\n## Empty\n\n## Full\n\nWords.\n\n### Last\n") == (
        Block("Empty", at_lines(3, 3), ("Top",)),
        Block("Words.", at_lines(7, 7), ("Top", "Full")),
        Block("Last", at_lines(9, 9), ("Top", "Full")),
    )


def test_html_blocks_lose_their_tags_and_may_hold_headings() -> None:
    page = '<h1 align="center">\n  Project\n</h1>\n\n<div>\n<p>Shown</p><!-- not -->\n</div>\n\nWords<br>here.\n'
    found = document(page)
    assert found.title == "Project"
    assert found.blocks == (
        Block("Shown", at_lines(6, 6), ("Project",)),
        Block("Words here.", at_lines(9, 9), ("Project",)),
    )


def test_a_fence_that_is_never_closed_and_one_that_is_empty_keep_lines_right() -> None:
    assert blocks("```\n```\n\n```py\n\nx = 1\ny = 2") == (Block("x = 1\ny = 2", at_lines(6, 7)),)


def test_a_paragraph_keeps_as_many_lines_as_its_source_has() -> None:
    (block,) = blocks("one <span\nclass=x>two</span>\n*three\nfour*")
    assert block == Block("one \ntwo\nthree\nfour", at_lines(1, 4))


def test_text_in_lists_nested_deeper_than_the_parsers_own_limit_is_not_lost() -> None:
    page = "".join(f"{'  ' * depth}- level{depth}\n" for depth in range(40))
    assert [b.text for b in blocks(page)] == [f"- level{depth}" for depth in range(40)]


def test_a_cdata_opening_in_an_html_block_does_not_end_the_run() -> None:
    assert [b.text for b in blocks("<div>\nx <![0] y\n</div>\n\nWords.\n")] == ["x", "Words."]


def test_emphasis_nested_thousands_deep_keeps_its_words() -> None:
    (block,) = blocks("**a " * 3000 + "x" + " b**" * 3000)
    assert block.text == "a " * 3000 + "x" + " b" * 3000


@pytest.mark.parametrize("opening", ["> ", "- "])
def test_what_is_nested_hundreds_deep_is_reported_and_not_dropped(opening: str) -> None:
    with pytest.raises(Unreadable, match=r"^line 3: nested too deeply$"):
        blocks("Words.\n\n" + opening * 300 + "words")


def test_a_quotation_just_within_the_limit_keeps_its_words() -> None:
    assert [b.text for b in blocks("> " * 199 + "words")] == ["words"]


def test_a_line_end_written_as_an_entity_shifts_no_line() -> None:
    assert blocks("a&#10;b&NewLine;c\nd\n") == (Block("a b c\nd", at_lines(1, 2)),)
