from __future__ import annotations

import time

import pytest

from rerank_cli.corpus.read.errors import Unreadable
from rerank_cli.corpus.read.markdown import read
from rerank_cli.records import Block, Document, at_lines
from tests.growth import FAR_TOO_LONG_S, cpu_s

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
        Block("Turn the main valve (example.org, tip) clockwise\nuntil it stops.\nThen wait.", at_lines(3, 5), (top,)),
        Block("- first item\ngoes on", at_lines(9, 10), (top, pressure)),
        Block("- second item", at_lines(11, 11), (top, pressure)),
        Block("with a paragraph", at_lines(13, 13), (top, pressure)),
        Block("code  kept   as is", at_lines(16, 16), (top, pressure)),
        Block("3. three", at_lines(18, 18), (top, pressure)),
        Block("4. four", at_lines(19, 19), (top, pressure)),
        Block("Quoted words.", at_lines(21, 21), (top, pressure)),
        Block("Under it.", at_lines(25, 25), (top, pressure, "Inside")),
        Block("indented code", at_lines(27, 27), (top, pressure)),
        Block("A | B\n\n1 | 2\n3 | 4", at_lines(31, 34), (top, pressure, table), header="A | B"),
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
    assert blocks("---\ntitle: T\nweight: 3\n---\n\nWords.\n") == (Block("Words.", at_lines(6, 6)),)


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


def texts(text: str) -> list[str]:
    return [block.text for block in blocks(text)]


@pytest.mark.parametrize(
    ("front", "title", "said"),
    [
        ("---\ndate created: 2024-03-05\ntitle: Log\n---\n", "Log", ""),
        ("---\n\nexcalidraw-plugin: parsed\ntags: [drawing]\n\n---\n", "", "drawing"),
        ("\n---\ntitle: Late\n---\n", "Late", ""),
        ("\ufeff---  \ntitle: Marked\n---\t\n", "Marked", ""),
        ("---\ntitle: Dots\nauthor: A. Person\n...\n", "Dots", ""),
        ("---\ntitle: >-\n  A folded title of\n  two lines\n---\n", "A folded title of two lines", ""),
        ('---\ntitle: "Quoted \\"inner\\" title" # a remark\n---\n', 'Quoted "inner" title', ""),
        ("---\ntitle: Made on: a Friday\nsummary: It has\na: b\n---\n", "Made on: a Friday", "It has"),
        ("---\ntitle: Templated\nlayout: {{ page.layout }}\ndescription: {{ x }}\n---\n", "Templated", ""),
        ("---\ntags:\n\t- tab\ntitle: T\n---\n", "T", "tab"),
        ("---\ntitle: 2024\ndate: 2024-13-45\ntitle: Twice\n---\n", "Twice", ""),
        ('{\n  "title": "JSON",\n  "tags": ["a", "b"]\n}\n', "JSON", "a, b"),
        ('---json\n{"title": "Fenced"}\n---\n', "Fenced", ""),
        ('+++\ntitle = "T"\n[taxonomies]\ntags = ["deep"]\n+++\n', "T", "deep"),
        ('+++\ntitle = "{{ x }}\ndescription = "Broken"\n+++\n', "", "Broken"),
        ("Title: Of Pelican\nDate: 2010-12-03\nTags: one, two\n\n", "Of Pelican", "one, two"),
        (
            "---\ntitle: T\nkeywords: [K, tag]\ndescription: Says it.\ntags: [tag]\naliases: [Other, t]\n"
            "weight: 3\nslug: unseen\nparams: {description: unseen}\n---\n",
            "T",
            "Says it.\nOther, tag, K",
        ),
        ("---\ntitle: T\ncategories: [[a, b], [a, c]]\nexcerpt: |\n  One\n  two.\n---\n", "T", "One two.\na, b, c"),
    ],
)
def test_front_matter_gives_a_title_and_what_it_says_of_the_page(front: str, title: str, said: str) -> None:
    found = document(f"{front}Words.\n")
    assert found.title == title
    assert [(block.text, block.leads) for block in found.blocks] == [
        *([(said, True)] if said else []),
        ("Words.", False),
    ]
    assert found.blocks[-1].place == at_lines(front.count("\n") + 1, front.count("\n") + 1)


@pytest.mark.parametrize(
    "text",
    [
        "---\n\nWords: of a sentence that goes on.\n\n---\n\nMore.\n",
        "---\n# A heading\n\nWords.\n---\n",
        "---\nNote: mind the gap when you leave\n---\n\nMore.\n",
        "---\ntitle: never closed\n\nWords.\n",
        "---\nkey: value\nand a sentence.\n---\n",
        '{% raw %}\n{"a": 1}\n',
        '{"a": 1} is an object.\n',
        "Note: this is text.\nSo: is this.\n\nMore.\n",
    ],
)
def test_what_may_be_text_is_no_front_matter(text: str) -> None:
    shown = " ".join(texts(text) + [heading for block in blocks(text) for heading in block.headings])
    for word in text.replace("-", " ").replace("#", " ").replace("{% raw %}", " ").split():
        assert word in shown


def test_a_lone_field_with_the_name_of_a_variable_is_no_text() -> None:
    assert texts("---\n_comment: Do not remove this front matter.\n---\n\nWords.\n") == ["Words."]


def test_aliases_of_yaml_do_not_grow() -> None:
    bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
    )
    started = time.process_time()
    assert texts(f"---\n{bomb}tags: *i\n---\nWords.\n")[-1] == "Words."
    assert time.process_time() - started < FAR_TOO_LONG_S


def test_a_page_of_nothing_but_front_matter_has_a_text() -> None:
    assert blocks("---\ntitle: Siphon\ndescription: Descale it\n---\n") == (
        Block("Descale it", at_lines(1, 4), leads=True),
    )
    assert texts("---\ntitle: Siphon\n---\n") == ["Siphon"]


def test_what_the_first_paragraph_says_already_is_not_said_twice() -> None:
    assert texts("---\ntitle: T\ndescription: How it runs.\ntags: [t]\n---\n# T\n\nSee how it  runs. So.\n") == [
        "See how it  runs. So."
    ]


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("[forum](https://forum.example.net/t/unobtainium)", "forum (forum.example.net/unobtainium)"),
        ("[set up](../guide/setup.md#proxies)", "set up (setup/proxies)"),
        ("[the setup guide](../guide/setup.md)", "the setup guide"),
        ('![Diagram](img/impeller-exploded.png "Side view")', "Diagram (impeller-exploded, Side view)"),
        ("![](img/impeller.png)", "impeller"),
        ("[below](#known-limits)", "below"),
        ("[intro](manual-start.html#manual-start.intro)", "intro (manual-start)"),
        ("[a](https://zebra.example.org/one/two/three/four)", "a (zebra.example.org/three/four)"),
        ("![](data:image/png;base64,AAAABBBB)", ""),
        ("<https://example.org/x>", "https://example.org/x"),
        ("[a][b] and [a][b]\n\n[b]: https://example.org/walrus 'Title'", "a (example.org/walrus, Title) and a"),
        ("[fix](https://example.org/commit/0a1b2c3d4e5f6)", "fix (example.org/commit)"),
        ("[![Badge](b.svg)](https://example.org/zinc)", "Badge (example.org/zinc)"),
    ],
)
def test_words_that_only_a_target_has_stand_behind_its_text(source: str, text: str) -> None:
    assert "\n".join(texts(source)) == text


def test_footnotes_are_text_and_their_marks_are_not() -> None:
    page = "Old[^1] claim[^b].\n\n[^1]: Ibidem.\n[^b]: https://example.org/narwhal\nand more\n[x]: y\n"
    assert blocks(page) == (
        Block("Old claim.", at_lines(1, 1)),
        Block("Ibidem.", at_lines(3, 3)),
        Block("https://example.org/narwhal\nand more", at_lines(4, 5)),
    )


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (
            "See [[Other page|this]] and [[Plain]] and [[Page#Part]].",
            "See this (Other page) and Plain and Page > Part.",
        ),
        ("![[photo of a pump.png|300]]", "photo of a pump.png"),
        ("Pump room ^a1b2", "Pump room"),
        ("Area in m ^2", "Area in m ^2"),
        ("> [!note] Mind\n> the gap", "Mind\nthe gap"),
        ("> [!WARNING]\n> Hot", "Hot"),
        ("Seen %%hidden%% here", "Seen  here"),
        ("A\n\n%%\nhidden\n\nmore\n%%\n\nB", "A|B"),
        ("A\n\n%%\nnever closed", "A|%%\nnever closed"),
        ("It is ==very **hot**== here, a == b == c", "It is very hot here, a == b == c"),
        ("#tag and `==a== [[b]] {{< c >}} %%d%%`", "#tag and ==a== [[b]] {{< c >}} %%d%%"),
        ("import A from '@theme/A';\nimport {\n  B,\n} from \"b\";\n\nexport const c = 1;\n\nWords", "Words"),
        ("import the file before you start.", "import the file before you start."),
        (":::note Mind this\n\nText\n\n:::", "Mind this|Text"),
        (":::tip[Do]\nText\n:::", "Do\nText"),
        ("::: {.callout}\nText\n:::", "Text"),
        ('!!! note "Mind this"\n    Text', "Mind this\nText"),
        ("!!! warning\n    Text", "Text"),
        ('See {{< ref "setup the pump" >}} now', "See setup the pump now"),
        ('[Setup]({{< ref "pump" >}}) now', "Setup (pump) now"),
        ('{{< include "/parts/notes.md" >}}Words', "Words"),
        ('{{< figure src="img/pump.jpg" alt="The pump" >}}', "pump.jpg, The pump"),
        ('Words\n{{< figure\nsrc="img/pump.jpg"\nalt="The pump"\n>}}\nMore', "Words|pump.jpg, The pump|More"),
        ('- {{% list\n  path=/parts\n  kind="all"\n  %}} of them\n- More', "- all of them|- More"),
        ("{{< never\nclosed", "{{< never\nclosed"),
        ("See [the code] and [this](<{{% url x %}}>)\n\n[the code]: <{{% url code %}}>", "See the code and this"),
        ("{{#include ../listing.rs:here}}\n\nWords", "Words"),
        ('--8<-- "parts/notes.md"\n\nWords', "Words"),
        ("Words\n{.note}\n\n{#here .note}\n\nMore {.x} words", "Words|More {.x} words"),
        ("a | b\n--|--\n1 | 2\n{.wide}", "a | b\n\n1 | 2"),
        ("![[Limits#^media-limit]] and ![[pump.svg#icon]] and [[#^here]]", "Limits and pump.svg and"),
        ("{% include note.html %}Words{% endif %}", "Words"),
        ("{{% note %}}Words{{% /note %}}", "Words"),
        ("Words {{ site.name }}", "Words {{ site.name }}"),
        ("Words\n{: .note}", "Words"),
        ("Words {/* hidden */} more", "Words  more"),
        ("Good :tada: day <!-- hidden -->", "Good :tada: day"),
    ],
)
def test_what_other_dialects_add_is_read_as_its_readers_see_it(source: str, text: str) -> None:
    assert "|".join(texts(source)) == text


@pytest.mark.parametrize(
    "heading", ["## Set up {#set-up}", "## Set up {#a .b}", "## Set up {: #a}", "Set up {#a}\n---"]
)
def test_the_attributes_of_a_heading_are_no_words_of_it(heading: str) -> None:
    assert blocks(f"{heading}\n\nWords.")[0].headings == ("Set up",)


def test_nothing_is_changed_in_code() -> None:
    code = ":::note\n[[a|b]] {{< c >}} {% d %} ==e== %%f%% ^ab12\n%%\n[^1]: x\nimport a from 'b'"
    assert texts(f"```\n{code}\n```") == [code]


MYST = """\
# Pumps

```{note}
:class: wide

Mind {term}`the gap <gap>` of {py:meth}`~pump.Motor.prime` and [more](https://example.org/zinc).
```

```{toctree}
:maxdepth: 1

intro
usage
```

```{code-block} python
---
caption: prime.py
---
prime()
```

::::{tab-set}
:::{tab-item} Petrol
Choke it.
:::
::::

```{py:function} drain(tank)
Empty the *tank*.
```

```{eval-rst}
.. versionadded:: 8.2
   For ``tank``.
```

```{list-table}
:header-rows: 1

* - Part
  - Use
* - Valve
  - Shuts
```

```{figure} img/pump.png
:alt: The old pump

Seen from **above**
```

```{versionchanged} 9
```

```{python}
print(1)
```
"""


def test_directives_and_roles_of_myst_are_read_as_a_page_shows_them() -> None:
    assert [(block.text, block.place.first, block.headings[1:]) for block in blocks(MYST)] == [
        ("Mind the gap of prime and more (example.org/zinc).", 6, ()),
        ("prime.py", 18, ()),
        ("prime()", 20, ()),
        ("Petrol", 24, ()),
        ("Choke it.", 25, ()),
        ("Empty the tank.", 30, ("drain(tank)",)),
        ("Added in version 8.2\nFor tank.", 34, ()),
        ("Part | Use", 41, ()),
        ("Valve | Shuts", 43, ()),
        ("The old pump (img/pump.png)", 48, ()),
        ("Seen from above", 50, ()),
        ("Changed in version 9", 53, ()),
        ("print(1)", 57, ()),
    ]


def test_directives_that_are_never_closed_in_each_other_lose_nothing() -> None:
    assert [block.text for block in blocks("```{note}\n" * 40 + "Words")][-1].endswith("Words")


@pytest.mark.parametrize(
    ("text", "title", "texts"),
    [
        ("% The Kiln\n% Ann Mill; Bob Roe\n% 1 March 2026\n\nHot.\n", "The Kiln", ["Ann Mill, Bob Roe", "Hot."]),
        ("% The Kiln,\n  fired slowly\n%\n% 2026\n\nHot.\n", "The Kiln, fired slowly", ["Hot."]),
        ("% The Kiln\n\nHot.\n", "The Kiln", ["Hot."]),
        ("% The Kiln", "The Kiln", ["The Kiln"]),
        ("50% of it\n\nHot.\n", "", ["50% of it", "Hot."]),
    ],
)
def test_a_title_block_of_pandocs_is_read_without_its_signs(text: str, title: str, texts: list[str]) -> None:
    (found,) = read(text, "page.md").documents
    assert (found.title, [block.text for block in found.blocks]) == (title, texts)
    last = found.blocks[-1]
    assert text.split("\n")[last.place.first - 1].removeprefix("% ") == last.text


@pytest.mark.parametrize("brackets", ["[", "!["])
def test_a_long_run_of_brackets_takes_no_longer_than_words(brackets: str) -> None:
    run, words = brackets * 20_000, "word " * 20_000
    assert cpu_s(lambda: read(run, "page.md"), tries=1) < 20 * cpu_s(lambda: read(words, "page.md"))


def test_a_long_run_of_brackets_costs_no_word() -> None:
    text = f"One\n\n{'[' * 100}two](x) three\n\n```\n[[[code]]]\n```\n"
    (found,) = read(text, "page.md").documents
    assert [" ".join(block.text.split()) for block in found.blocks] == ["One", "two three", "[[[code]]]"]
    assert [block.place.first for block in found.blocks] == [1, 3, 6]


def test_template_tags_in_html_are_no_text() -> None:
    page = (
        "<table>\n<tr><th>Flag</th></tr>\n{%- for flag in flags -%}\n<tr><td>{{ flag }}</td></tr>\n"
        "{%- endfor -%}\n</table>\n"
        "\n<p>Write {{ flag }} there.</p>\n\n<pre>{% for flag in flags %}</pre>\n"
    )
    assert [block.text for block in read(page, "flags.md").documents[0].blocks] == [
        "Flag",
        "Write {{ flag }} there.",
        "{% for flag in flags %}",
    ]
