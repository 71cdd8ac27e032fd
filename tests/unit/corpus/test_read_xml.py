from __future__ import annotations

import time
import xml.etree.ElementTree as ET
from functools import partial

import pytest

from rerank_cli.corpus.read import code, html
from rerank_cli.corpus.read.xml import read
from rerank_cli.records import Block, Document, Reading, at_lines
from tests.growth import FAR_TOO_LONG_S, Work, grows_evenly

BOOK = """\
<?xml version="1.0"?>
<!DOCTYPE book PUBLIC "-//OASIS//DTD DocBook XML V4.5//EN" "docbookx.dtd" [<!ENTITY ver "1.2">]>
<book><bookinfo><title>Boilers &ver;</title><author><firstname>Ann</firstname><surname>Müller</surname></author></bookinfo>
<chapter><title>The <emphasis>gauge</emphasis></title>
<para>It shows the <emphasis>pressure</emphasis>
  in bar&nbsp;only.<footnote><para>Not psi.</para></footnote> Look <literal>often</literal>.</para>
<section><title>Limits</title>
<itemizedlist><listitem><para>above 1</para></listitem><listitem><para>below 2</para><para>or so</para></listitem></itemizedlist>
<orderedlist><listitem><para>first</para></listitem>
<listitem><para>second</para></listitem></orderedlist>
<programlisting>
  a = 1
    b = 2
</programlisting>
<table><title>Values</title><tgroup cols="2"><thead><row><entry>Name</entry><entry>Bar</entry></row></thead>
<tbody><row><entry><para>cold</para></entry><entry>1</entry></row>
<row><entry>hot</entry><entry>1.5</entry></row></tbody></tgroup></table>
</section>
<para>After the section.<indexterm><primary>hidden</primary></indexterm></para>
</chapter></book>
"""  # noqa: E501


def document(text: str, path: str = "a.xml") -> Document:
    (only,) = read(text, path).documents
    return only


def texts(found: Document) -> list[str]:
    return [block.text for block in found.blocks]


def test_a_book_is_its_paragraphs_lists_and_tables_under_its_titles() -> None:
    found = document(BOOK)
    gauge = ("Boilers 1.2", "The gauge")
    limits = (*gauge, "Limits")
    assert found.title == "Boilers 1.2"
    assert found.blocks == (
        Block("Ann Müller", at_lines(3, 3), ("Boilers 1.2",)),
        Block("Not psi.", at_lines(6, 6), gauge),
        Block("It shows the pressure\nin bar only. Look often.", at_lines(5, 6), gauge),
        Block("- above 1", at_lines(8, 8), limits),
        Block("- below 2", at_lines(8, 8), limits),
        Block("or so", at_lines(8, 8), limits),
        Block("1. first", at_lines(9, 9), limits),
        Block("2. second", at_lines(10, 10), limits),
        Block("  a = 1\n    b = 2", at_lines(12, 13), limits),
        Block("Name | Bar\ncold | 1\nhot | 1.5", at_lines(15, 17), (*limits, "Values"), header="Name | Bar"),
        Block("After the section.", at_lines(19, 19), gauge),
    )


def test_a_row_that_takes_several_lines_is_a_block_with_all_of_them() -> None:
    row = "<row>\n<entry>{}</entry>\n<entry>{}</entry>\n</row>\n"
    head, body = row.format("Name", "Bar"), row.format("cold", 1) + row.format("hot", 2)
    table = f"<table><thead>\n{head}</thead><tbody>{body}</tbody></table>"
    found = document(f"<!DOCTYPE article PUBLIC 'DocBook' ''><article>\n{table}</article>")
    assert [(block.text, block.place, block.header) for block in found.blocks] == [
        ("Name | Bar", at_lines(4, 7), "Name | Bar"),
        ("cold | 1", at_lines(8, 11), "Name | Bar"),
        ("hot | 2", at_lines(12, 14), "Name | Bar"),
    ]


def test_the_newer_form_of_docbook_is_known_by_its_namespace() -> None:
    text = (
        '<article xmlns="http://docbook.org/ns/docbook" version="5.0"><info><title>Pumps</title></info>'
        "<section><title>Old</title><para>Loud.</para></section><section><title>New</title><para>Quiet.</para></section></article>"
    )
    assert [(block.text, block.headings) for block in document(text).blocks] == [
        ("Loud.", ("Pumps", "Old")),
        ("Quiet.", ("Pumps", "New")),
    ]


def test_an_article_of_a_journal_is_read() -> None:
    text = (
        "<article><front><journal-meta><issn>1234-5678</issn></journal-meta><article-meta><title-group>"
        "<article-title>On scale in <italic>old</italic> boilers</article-title></title-group>"
        "<contrib-group><contrib><name><surname>Müller</surname><given-names>Ann</given-names></name></contrib></contrib-group>"
        "</article-meta></front><body><sec><title>Methods</title><p>We scraped the boilers of seven houses and "
        "weighed what <italic>fell</italic> down.</p></sec></body></article>"
    )
    found = document(text)
    assert found.title == "On scale in old boilers"
    assert [(block.text, block.headings[1:]) for block in found.blocks] == [
        ("Müller Ann", ()),
        ("We scraped the boilers of seven houses and weighed what fell down.", ("Methods",)),
    ]


def test_writing_of_an_unknown_kind_is_read_as_prose() -> None:
    said = "The pump was <hi>loud</hi> on that day and the whole house listened to it for hours."
    said = f"{said} {said.replace('hi>', 'em>')}"
    text = f"<story>\n<part><title>Night</title>\n<say>{said}</say>\n<say>{said}</say></part></story>"
    plain = " ".join(ET.fromstring(f"<a>{said}</a>").itertext()).replace("  ", " ")
    assert document(text).blocks == (
        Block(plain, at_lines(3, 3), ("Night",)),
        Block(plain, at_lines(4, 4), ("Night",)),
    )


@pytest.mark.parametrize(
    "text",
    [
        '<project xmlns="http://maven.apache.org/POM/4.0.0">\n  <groupId>org.example</groupId>\n  <dependencies>\n'
        "    <dependency><artifactId>pump</artifactId><version>1.2</version></dependency>\n  </dependencies>\n"
        "</project>\n",
        '<manifest package="org.example.boiler">\n  <uses-permission android:name="android.permission.INTERNET"/>\n'
        '  <application android:label="@string/app_name"/>\n</manifest>\n',
        '<resources>\n  <string name="title">Boiler</string>\n  <string name="fault">There is no water</string>\n'
        "</resources>\n",
        '<book price="3" title="Boilers"/>',
        "<feed/>",
        '<rdf:RDF xmlns:rdf="r"><rdf:Description rdf:about="x"/></rdf:RDF>',
        "<plist><dict><key>CFBundleName</key><string>Boiler</string></dict></plist>",
    ],
)
def test_configuration_and_data_are_read_with_their_tags(text: str) -> None:
    assert read(text, "a.xml") == code.read(text, "a.xml")


@pytest.mark.parametrize(
    ("text", "line"),
    [("<a>\n<b>\n</a>", 3), ("words", 1), ("<a>&#xD800;</a>", 1), ("<a\0/>", 1), ("<a>", 1), ("<a/>\n<b/>", 2)],
)
def test_broken_xml_is_read_as_code_which_is_told(text: str, line: int) -> None:
    reading = read(text, "a.xml")
    assert reading.documents == code.read(text, "a.xml").documents
    (note,) = reading.notes
    assert note.startswith(f"line {line}: no well-formed XML (")
    assert note.endswith("): read as source code")


def test_an_empty_file_is_an_empty_document() -> None:
    assert read(" \n", "a.xml") == Reading((Document("a.xml", "", ()),))


def test_a_page_is_read_as_a_page() -> None:
    page = '<html xmlns="http://www.w3.org/1999/xhtml"><head><title>A</title></head><body><p>One</p></body></html>'
    assert read(page, "a.xml") == html.read(page, "a.xml")


def test_blank_lines_before_the_declaration_are_forgiven_and_counted() -> None:
    text = "\ufeff\n\n" + BOOK
    moved = document(text).blocks
    assert [block.place.first - 2 for block in moved] == [block.place.first for block in document(BOOK).blocks]


RSS = """\
<rss version="2.0" xmlns:content="c" xmlns:media="m"><channel><title>House news</title>
<description>All about it</description><image><title>Logo</title></image>
<item><title>Boiler &amp;amp; pump</title><link>http://x</link><media:title>picture</media:title>
<description>&lt;p&gt;Short&lt;/p&gt;</description>
<content:encoded><![CDATA[<h2>Why</h2><p>The <b>pump</b>
stopped.</p><img src="data:image/png;base64,AAAA">]]></content:encoded></item>
<item><description>&lt;p&gt;One&lt;/p&gt;&lt;p&gt;two</description></item>
</channel></rss>
"""


def test_a_feed_is_its_entries_under_their_titles() -> None:
    found = document(RSS, "a.rss")
    assert found.title == "House news"
    assert found.blocks == (
        Block("All about it", at_lines(2, 2), ("House news",)),
        Block("The pump\nstopped.", at_lines(5, 6), ("House news", "Boiler & pump", "Why")),
        Block("One", at_lines(7, 7), ("House news",)),
        Block("two", at_lines(7, 7), ("House news",)),
    )


def test_an_atom_feed_may_have_its_text_in_three_forms() -> None:
    text = """<feed xmlns="http://www.w3.org/2005/Atom"><title type="text">A &lt;b&gt;</title>
<entry><title>One</title><content type="xhtml"><div><p>Hello <em>you</em></p><p>a &lt; b</p></div></content></entry>
<entry><title>Two</title><content type="html">&lt;p&gt;Rich&lt;/p&gt;</content></entry>
<entry><title>Three</title><summary>Plain</summary></entry></feed>"""
    assert [(block.text, block.headings[1:], block.place.first) for block in document(text).blocks] == [
        ("Hello you", ("One",), 2),
        ("a < b", ("One",), 2),
        ("Rich", ("Two",), 3),
        ("Plain", ("Three",), 4),
    ]
    assert document(text).title == "A <b>"


def test_an_outline_is_headings_and_lists() -> None:
    text = """<opml version="2.0"><head><title>Plan</title></head><body>
<outline text="House">
<outline text="Boiler" _note="an old&#10;&#10;one"/>
<outline text="Roof"><outline text="Tiles"/></outline></outline>
<outline title="Garden" xmlUrl="x"/></body></opml>"""
    found = document(text, "a.opml")
    assert found.title == "Plan"
    assert found.blocks == (
        Block("- Boiler", at_lines(3, 3), ("House",)),
        Block("an old", at_lines(3, 3), ("House",)),
        Block("one", at_lines(3, 3), ("House",)),
        Block("- Tiles", at_lines(4, 4), ("House", "Roof")),
        Block("- Garden", at_lines(5, 5), ()),
    )


LAUGHS = (
    "<!DOCTYPE a [<!ENTITY a0 'ha'>" + "".join(f"<!ENTITY a{n} '{f'&a{n - 1};' * 9}'>" for n in range(1, 12)) + "]>"
)
EXPANDING = f"<!DOCTYPE article PUBLIC 'DocBook' '' [<!ENTITY a '{'b' * 900}'>]>"


@pytest.mark.parametrize("use", ["<a>&a11;</a>", "<a b='&a11;'/>"])
def test_names_of_names_are_not_expanded(use: str) -> None:
    started = time.process_time()
    reading = read(LAUGHS + use, "a.xml")
    assert time.process_time() - started < FAR_TOO_LONG_S
    assert reading.notes == (
        "line 1: no well-formed XML (a name stands for a long text or for other names): read as source code",
    )


def test_a_name_is_expanded_so_often_and_no_more() -> None:
    text = f"{EXPANDING}<article>{'<para>&a;</para>' * 20_000}</article>"
    assert 990_000 < sum(len(block.text) for block in document(text).blocks) <= 1_000_000


def test_nothing_outside_the_file_is_opened(tmp_path_factory: pytest.TempPathFactory) -> None:
    secret = tmp_path_factory.mktemp("secret") / "a.txt"
    secret.write_text("secret")
    text = (
        f"<!DOCTYPE article PUBLIC 'DocBook' 'file://{secret}' [<!ENTITY e SYSTEM 'file://{secret}'>"
        f"<!ENTITY % p SYSTEM 'file://{secret}'> %p;]><article><para>One &e; two</para></article>"
    )
    assert texts(document(text)) == ["One two"]


# What is repeated, and what ends it again, if anything does.
HOSTILE = {
    "<a>": "</a>", "<para>": "</para>", "<section><title>a</title>": "</section>", "<footnote>": "</footnote>",
    "<row><entry>a": "</entry></row>", "<item><title>a</title>": "</item>", "<outline text='a'>": "</outline>",
    "<text>a": "</text>", "<orderedlist><listitem>a": "</listitem></orderedlist>", "<table><row>": "</row></table>",
    "<item><description>&lt;": "</description></item>", "<thead><row>a": "</row></thead>", "<diagram>": "</diagram>",
    "<a/>": "", "<a b='c'/>": "", "<title>a</title>": "", "<outline text='a'/>": "", "<entry>a</entry>": "",
    "<![CDATA[a]]>": "", "&nbsp;": "", "&a;": "", "<!-- -->": "", "<?a?>": "", "a ": "",
    "<mxCell value='&lt;p&gt;'/>": "", "<diagram>7VpA</diagram>": "",
}  # fmt: skip


@pytest.mark.parametrize(
    ("opened", "closed"),
    [
        ("<!DOCTYPE article PUBLIC 'DocBook' ''><article>", "</article>"), ("<rss>", "</rss>"), ("<opml>", "</opml>"),
        ("<svg>", "</svg>"), ("<mxfile>", "</mxfile>"), ("<article><table><row>", "</row></table></article>"),
    ],
)  # fmt: skip
def test_no_file_takes_a_square_of_its_length(opened: str, closed: str) -> None:
    def reading(size: int, piece: str, whole: str) -> Work:
        count = size // len(piece + whole)
        return partial(read, opened + piece * count + whole * count + closed, "a.svg")

    for piece, ending in HOSTILE.items():
        for whole in {"", ending}:
            assert grows_evenly(partial(reading, piece=piece, whole=whole), 16_000), (piece, whole)


@pytest.mark.parametrize("before", ["<a b='", "<!-- ", "<![CDATA[", "<a ", "<!DOCTYPE a ["])
def test_what_never_ends_takes_no_square_of_its_length(before: str) -> None:
    started = time.process_time()
    read(f"<r>{before}" + "a" * 3_000_000, "a.xml")
    assert time.process_time() - started < FAR_TOO_LONG_S


def test_what_python_writes_is_read() -> None:
    root = ET.Element("{http://docbook.org/ns/docbook}article")
    ET.SubElement(root, "{http://docbook.org/ns/docbook}title").text = "Pumps & more"
    ET.SubElement(root, "{http://docbook.org/ns/docbook}para").text = "One is <loud>."
    found = document(ET.tostring(root, encoding="unicode"))
    assert (found.title, texts(found)) == ("Pumps & more", ["One is <loud>."])
