"""Documents, slides, spreadsheets and e-books: what real programs wrote, and small files that show one rule each."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from rerank_cli.corpus.read import Unreadable, read_file
from rerank_cli.corpus.read.formats import format_of
from rerank_cli.corpus.read.sheets import kind_of, shown_in
from rerank_cli.records import Block, Document, FoundFile, Place, Reading
from rerank_cli.stamps import Stamp

FORMATS = Path(__file__).parents[2] / "data" / "formats"

NAMESPACES = 'xmlns:r="r" xmlns:o="o"'


def zipped(**members: str | bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in members.items():
            package.writestr(name, content)
    return buffer.getvalue()


def reading(content: bytes, path: str) -> Reading:
    return read_file(FoundFile(path, Path(path), Stamp(len(content), 0, 0, 0)), content)


def document(name: str) -> Document:
    (only,) = reading((FORMATS / name).read_bytes(), name).documents
    return only


def word(body: str, **parts: str) -> tuple[Block, ...]:
    """The blocks of a document of Word with that *body* and *parts* such as styles."""
    related = "".join(f'<r Id="{kind}" Type="x/{kind}" Target="{kind}.xml"/>' for kind in parts)
    members = {f"word/{kind}.xml": content for kind, content in parts.items()}
    content = zipped(
        **{"word/document.xml": f"<document><body>{body}</body></document>"},
        **{"word/_rels/document.xml.rels": f"<Relationships>{related}</Relationships>"},
        **members,
    )
    (only,) = reading(content, "a.docx").documents
    return only.blocks


def sheet(rows: str, **parts: str) -> tuple[Block, ...]:
    """The blocks of a spreadsheet of Excel with those *rows*."""
    related = "".join(f'<r Id="{kind}" Type="x/{kind}" Target="{kind}.xml"/>' for kind in ("worksheet", *parts))
    content = zipped(
        **{"xl/workbook.xml": f'<workbook {NAMESPACES}><sheets><sheet name="S" r:id="worksheet"/></sheets></workbook>'},
        **{"xl/_rels/workbook.xml.rels": f"<Relationships>{related}</Relationships>"},
        **{"xl/worksheet.xml": f"<worksheet><sheetData>{rows}</sheetData></worksheet>"},
        **{f"xl/{kind}.xml": content for kind, content in parts.items()},
    )
    (only,) = reading(content, "a.xlsx").documents
    return only.blocks


def at(number: int, last: int | None = None) -> Place:
    return Place("paragraph", number, last or number)


MILL = (
    ("The wheel turns at dawn.[1] It was built by a cooper.", at(3), ("Water wheel",)),
    ("[1] The mayor heard it first.", at(3), ("Water wheel",)),
    ("- Grease the axle with tallow", at(4), ("Water wheel",)),
    ("- Clear the sluice of leaves", at(5), ("Water wheel",)),
    ("1. Open the gate", at(6), ("Water wheel",)),
    ("2. Wait for the stones", at(7), ("Water wheel",)),
    ("Sort | Price\nRye | 3 groats\nSpelt | 5 groats", at(9, 11), ("Water wheel", "Flour")),
    ("Sacks are sewn with red thread.", at(12), ("Water wheel", "Flour")),
    ("Two stones of basalt lie in the loft.", at(14), ("Stones",)),
)


@pytest.mark.parametrize(
    "name",
    [
        *("mill-pandoc.docx", "mill-libreoffice.docx", "mill-pandoc.odt", "mill-libreoffice.odt"),
        "mill-libreoffice.rtf",
    ],
)
def test_a_text_document_is_the_same_whatever_program_wrote_it(name: str) -> None:
    found = document(name)
    title = "The mill on the brook"
    assert found.title == title
    assert [(b.text, b.place, b.headings) for b in found.blocks] == [(t, p, (title, *h)) for t, p, h in MILL]
    assert [b.header for b in found.blocks if b.header] == ["Sort | Price"]


def test_rtf_without_styles_has_its_headings_by_their_levels() -> None:
    found = document("mill-pandoc.rtf")
    title, *others = found.blocks
    assert title.text == "The mill on the brook"
    assert [(b.text, b.place) for b in others] == [(text, place) for text, place, _ in MILL]
    assert {b.headings[-1] for b in others} == {"Water wheel", "Flour", "Stones"}


def test_a_document_of_word_has_its_title_headings_lists_and_tables() -> None:
    found = document("word-python-docx.docx")
    assert found.title == "Garden handbook"
    assert [(b.text, b.place, b.headings[1:]) for b in found.blocks] == [
        ("The spade hangs beside the green door.", at(3), ("Tools",)),
        ("- Rake with twelve teeth", at(4), ("Tools",)),
        ("1. Sharpen the hoe", at(5), ("Tools",)),
        ("2. Oil the handle", at(6), ("Tools",)),
        ("Plant | Month | Depth\nBean | May | 4 cm\nCarrot | March | 1 cm", at(8, 10), ("Tools", "Seeds")),
        ("After the table we water the beds.", at(11), ("Tools", "Seeds")),
    ]


@pytest.mark.parametrize("name", ["slides-python-pptx.pptx", "slides-libreoffice.odp"])
def test_slides_stand_under_their_titles_with_what_the_speaker_notes(name: str) -> None:
    found = document(name)
    assert found.title == "Harbour works"
    assert [(b.text, b.place, b.headings) for b in found.blocks] == [
        ("Plan for the pier", Place("slide", 1, 1), ("Harbour works",)),
        ("- Lifts nine tonnes\n- Needs new rope", Place("slide", 2, 2), ("Harbour works", "Crane")),
        ("Ask the harbour master about the rope.", Place("slide", 2, 2), ("Harbour works", "Crane", "Notes")),
        ("Item | Euro\nRope | 340", Place("slide", 3, 3), ("Harbour works", "Costs")),
    ]


def test_slides_come_in_the_order_in_which_they_are_shown() -> None:
    slide = "<sld><cSld><spTree><sp><txBody><p><r><t>{}</t></r></p></txBody></sp></spTree></cSld></sld>"
    content = zipped(
        **{"ppt/presentation.xml": f'<presentation {NAMESPACES}><sldIdLst><s r:id="b"/><s r:id="a"/></sldIdLst>'
           "</presentation>"},
        **{"ppt/_rels/presentation.xml.rels": '<R><r Id="a" Type="x/slide" Target="slide1.xml"/>'
           '<r Id="b" Type="x/slide" Target="slide2.xml"/></R>'},
        **{"ppt/slide1.xml": slide.format("one"), "ppt/slide2.xml": slide.format("two")},
    )  # fmt: skip
    (found,) = reading(content, "a.pptx").documents
    assert [(b.text, b.place.first) for b in found.blocks] == [("two", 1), ("one", 2)]


@pytest.mark.parametrize("name", ["sheets-openpyxl.xlsx", "sheets-libreoffice.xlsx", "sheets-libreoffice.ods"])
def test_rows_of_all_sheets_have_the_numbers_that_the_sheet_shows(name: str) -> None:
    titles, table, hidden = document(name).blocks
    assert (titles.text, titles.place) == ("Stock list", Place("row", 1, 1, "Stock"))
    assert table.place == Place("row", 3, 7, "Stock")
    assert table.header == "Part | Count | Bought | Share | Ok"
    header, bolt, nut, empty, washer = table.text.split("\n")
    assert header == table.header
    assert bolt.startswith("Bolt | 12 | 2024-03-05 | 15.5%")
    assert nut.startswith("Nut | 0.3 | 2024-03-05 13:30 | 100%")
    assert (empty, washer) == ("", "Washer | 3")
    assert (hidden.text, hidden.headings) == ("Ladder | 49.5\n\nMerged words", ("Hidden prices",))
    assert hidden.place == Place("row", 7, 9, "Hidden prices")


def test_an_e_book_has_its_chapters_in_order_with_their_titles() -> None:
    found = document("mill-pandoc.epub")
    assert found.title == "The mill on the brook"
    facts = {b.text: (b.place, b.headings[1:]) for b in found.blocks}
    assert facts["- Grease the axle with tallow"] == (Place("chapter", 2, 2, "Water wheel"), ("Water wheel",))
    assert facts["Sacks are sewn with red thread."] == (Place("chapter", 2, 2, "Water wheel"), ("Water wheel", "Flour"))
    assert facts["Two stones of basalt lie in the loft."] == (Place("chapter", 3, 3, "Stones"), ("Stones",))


# Word


def test_what_was_deleted_is_left_out_and_what_was_put_in_is_there() -> None:
    body = "<p><r><t>old </t></r><del><r><delText>gone</delText></r></del><ins><r><t>new</t></r></ins></p>"
    assert [b.text for b in word(body)] == ["old new"]


def test_a_text_box_follows_its_paragraph_once() -> None:
    box = "<txbxContent><p><r><t>boxed</t></r></p></txbxContent>"
    either = f"<AlternateContent><Choice>{box}</Choice><Fallback>{box}</Fallback></AlternateContent>"
    assert [(b.text, b.place) for b in word(f"<p><r><t>outer</t>{either}</r></p>")] == [
        ("outer", at(1)),
        ("boxed", at(2)),
    ]


def test_a_style_in_another_language_is_a_heading_by_its_name_or_its_level() -> None:
    styles = (
        '<styles><style styleId="berschrift1"><name val="heading 1"/></style>'
        '<style styleId="X"><name val="Mine"/><basedOn val="berschrift1"/></style>'
        '<style styleId="Y"><name val="Kapitel"/><pPr><outlineLvl val="1"/></pPr></style></styles>'
    )
    body = "".join(f'<p><pPr><pStyle val="{style}"/></pPr><r><t>{style}</t></r></p>' for style in ("X", "Y", ""))
    assert [(b.text, b.headings) for b in word(body.replace("><t></t>", "><t>text</t>"), styles=styles)] == [
        ("text", ("X", "Y"))
    ]


def test_lists_are_counted_level_by_level_and_begin_anew_where_they_are_told_to() -> None:
    numbering = (
        '<numbering><abstractNum abstractNumId="0"><lvl ilvl="0"><numFmt val="decimal"/><lvlText val="%1."/></lvl>'
        '<lvl ilvl="1"><numFmt val="lowerLetter"/><lvlText val="%1.%2)"/></lvl></abstractNum>'
        '<num numId="1"><abstractNumId val="0"/></num><num numId="2"><abstractNumId val="0"/>'
        '<lvlOverride ilvl="0"><startOverride val="1"/></lvlOverride></num></numbering>'
    )
    item = '<p><pPr><numPr><ilvl val="{}"/><numId val="{}"/></numPr></pPr><r><t>x</t></r></p>'
    body = "".join(item.format(*each) for each in ((0, 1), (0, 1), (1, 1), (1, 1), (0, 1), (1, 1), (0, 2), (0, 2)))
    marks = [b.text.split()[0] for b in word(body, numbering=numbering)]
    assert marks == ["1.", "2.", "2.a)", "2.b)", "3.", "3.a)", "1.", "2."]


def test_a_frame_of_one_cell_is_no_table() -> None:
    found = word("<tbl><tr><tc><p><r><t>a</t></r></p><p><r><t>b</t></r></p></tc></tr></tbl>")
    assert [(b.text, b.place) for b in found] == [("a", at(1)), ("b", at(2))]


# Spreadsheets


def test_a_far_cell_costs_nothing_and_stands_at_its_row() -> None:
    rows = '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>2</v></c></row>'
    assert [(b.text, b.place.first) for b in sheet(rows)] == [("1", 1), ("| | | | | 2", 1048576)]


def test_a_table_below_another_has_its_own_header() -> None:
    text = '<c t="str"><v>{}</v></c>'
    words = "<row r='{}'>" + text.format("a") + text.format("b") + "</row>"
    data = "<row r='{}'>" + text.format("c") + "<c><v>1</v></c></row>"
    rows = words.format(1) + data.format(2) + words.format(5) + data.format(6) + data.format(8)
    assert [(b.text, b.place.first, b.place.last) for b in sheet(rows)] == [
        ("a | b\nc | 1", 1, 2),
        ("a | b\nc | 1\n\nc | 1", 5, 8),
    ]


@pytest.mark.parametrize(
    ("number", "format", "shown"),
    [
        (12.0, "General", "12"),
        (0.1 + 0.2, "0.00", "0.3"),
        (1e20, "General", "1e+20"),
        (0.155, "0.0%", "15.5%"),
        (45356.0, "dd/mm/yyyy", "2024-03-05"),
        (45356.5625, "d mmm yy h:mm", "2024-03-05 13:30"),
        (0.5625, "hh:mm", "13:30"),
        (1.5, "[h]:mm:ss", "36:00:00"),
        (1.0, "yyyy-mm-dd", "1900-01-01"),
        (7.0, '0 "days"', "7"),
        (7.0, "[Red]0", "7"),
        (1e9, "yyyy", "1000000000"),
    ],
)
def test_a_number_is_shown_as_its_format_means_it(number: float, format: str, shown: str) -> None:
    assert shown_in(number, kind_of(format)) == shown


def test_a_repeated_row_of_an_opendocument_sheet_counts_as_often() -> None:
    cell = '<table-cell o:value-type="string"><p>{}</p></table-cell>'
    rows = (
        f'<table-row o:number-rows-repeated="3">{cell.format("a")}</table-row>'
        '<table-row o:number-rows-repeated="1000"><table-cell o:number-columns-repeated="16384"/></table-row>'
        f"<table-row>{cell.format('b')}</table-row>"
    )
    table = f'<table o:name="T">{rows}</table>'
    content = f"<document-content {NAMESPACES}><body><spreadsheet>{table}</spreadsheet></body></document-content>"
    (found,) = reading(zipped(**{"content.xml": content}), "a.ods").documents
    assert [(b.text, b.place.first) for b in found.blocks] == [("a\na\na", 1), ("b", 1004)]


# Comments


def test_a_comment_of_word_follows_its_paragraph_and_has_no_number() -> None:
    body = (
        '<p><r><t>Slates</t></r><r><commentReference id="4"/></r><r><footnoteReference id="2"/></r></p>'
        "<p><r><t>Tiles</t></r></p>"
    )
    comments = '<comments><comment id="4" author="H"><p><r><t>From Dinorwic.</t></r></p></comment></comments>'
    notes = '<footnotes><footnote id="2"><p><r><t>Old.</t></r></p></footnote></footnotes>'
    assert word(body, comments=comments, footnotes=notes) == (
        Block("Slates[1]", at(1)),
        Block("From Dinorwic.", at(1)),
        Block("[1] Old.", at(1)),
        Block("Tiles", at(2)),
    )


def test_comments_of_sheets_stand_behind_what_their_cells_show() -> None:
    comments = (
        '<comments><commentList><comment ref="B2"><text><r><t>Its hinge</t></r><r><t> is missing.</t></r></text>'
        '</comment><comment ref="A2"><text><t>[Threaded comment]\n\nYou know none.\n\nComment:\n    Ask Bo.</t>'
        "</text></comment></commentList></comments>"
    )
    related = '<Relationships><r Id="{0}" Type="x/{0}" Target="{0}.xml"/></Relationships>'
    content = zipped(
        **{"xl/workbook.xml": f'<workbook {NAMESPACES}><sheets><sheet name="S" r:id="worksheet"/></sheets></workbook>'},
        **{"xl/_rels/workbook.xml.rels": related.format("worksheet")},
        **{"xl/worksheet.xml": '<worksheet><sheetData><row r="2"><c r="B2"><v>7</v></c></row></sheetData></worksheet>'},
        **{"xl/_rels/worksheet.xml.rels": related.format("comments"), "xl/comments.xml": comments},
    )
    (found,) = reading(content, "a.xlsx").documents
    assert [(block.text, block.place.first) for block in found.blocks] == [("(Ask Bo.) | 7 (Its hinge is missing.)", 2)]


def test_a_comment_of_libreoffice_is_text_without_its_author() -> None:
    remark = "<annotation><creator>H</creator><date>2024-01-01</date><p>From Dinorwic.</p></annotation>"
    text = f"<text><p>Slates{remark} are old.</p><p>Tiles</p></text>"
    written = f"<document-content {NAMESPACES}><body>{text}</body></document-content>"
    (found,) = reading(zipped(**{"content.xml": written}), "a.odt").documents
    assert found.blocks == (
        Block("Slates are old.", at(1)),
        Block("From Dinorwic.", at(1)),
        Block("Tiles", at(2)),
    )
    cell = f'<table-row><table-cell o:value-type="float" o:value="7">{remark}<p>7</p></table-cell></table-row>'
    table = f'<spreadsheet><table o:name="T">{cell}</table></spreadsheet>'
    written = f"<document-content {NAMESPACES}><body>{table}</body></document-content>"
    (found,) = reading(zipped(**{"content.xml": written}), "a.ods").documents
    assert [block.text for block in found.blocks] == ["7 (From Dinorwic.)"]


# RTF


def rtf(text: str) -> list[str]:
    (found,) = reading(("{\\rtf1\\ansi " + text + "}").encode("latin-1"), "a.rtf").documents
    return [b.text for b in found.blocks]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (r"caf\'e9\par", "café"),
        (r"\u8364?5\par", "€5"),
        (r"\uc2\u8364??5\par", "€5"),
        (r"\u-10179?\u-8704?\par", "\U0001f600"),
        (r"{\fonttbl{\f1\fcharset204 A;}}{\f1\'cf\'f0}\par", "Пр"),
        (r"{\fonttbl{\f1\fcharset128 A;}}{\f1\'93\'fa}\par", "日"),
        (r"a{\*\unknown hidden}b{\pict 00ff}\par", "ab"),
        ("a{\\pict\\bin4 }}}}}b\\par", "ab"),
        (r"a{\v secret}b\par", "ab"),
        (r"{\field{\*\fldinst HYPERLINK x}{\fldrslt shown}}\par", "shown"),
        (r"{\*\pnseclvl1\pnucrm{\pntxtb (}{\pntxta )}}shown\par", "shown"),
        (r"{\pntext\'b7\tab}{\*\pn\pnlvlblt{\pntxtb\'b7}}shown\par", "- shown"),
        (r"{\shp{\*\shpinst{\sp{\sn shapeType}{\sv 202}}{\shptxt shown}}{\shprslt{\par shown}}}\par", "shown"),
        (r"{\list{\listlevel{\leveltext \'02\'00.;}{\levelnumbers \'01;}}{\listname L;}}shown\par", "shown"),
    ],
)
def test_rtf_gives_what_a_reader_sees(written: str, read: str) -> None:
    assert rtf(written) == [read]


def test_a_comment_of_rtf_follows_its_paragraph_and_has_no_number() -> None:
    comment = r"{\*\atnid HD}{\*\atnauthor H. D.}\chatn{\*\annotation{\*\atnref 1}{\*\atndate 123}From Dinorwic.}"
    note = r"{\footnote Old.}"
    assert rtf(rf"Slates{comment} are old{note}.\par Tiles\par") == [
        "Slates are old[1].",
        "From Dinorwic.",
        "[1] Old.",
        "Tiles",
    ]


# What is not read


def test_a_document_with_a_password_is_told() -> None:
    office = b"\xd0\xcf\x11\xe0 " + "EncryptedPackage".encode("utf-16-le")
    manifest = "<manifest><file-entry><encryption-data/></file-entry></manifest>"
    for name, content in (("a.docx", office), ("a.odt", zipped(**{"META-INF/manifest.xml": manifest}))):
        with pytest.raises(Unreadable, match="encrypted: needs a password"):
            reading(content, name)


def test_a_protected_book_is_told() -> None:
    book = {
        "META-INF/container.xml": '<container><rootfile full-path="b.opf"/></container>',
        "META-INF/encryption.xml": '<e><CipherReference URI="a.xhtml"/></e>',
        "b.opf": '<package><manifest><item id="a" href="a.xhtml"/></manifest>'
        '<spine><itemref idref="a"/></spine></package>',
        "a.xhtml": "<p>?</p>",
    }
    with pytest.raises(Unreadable, match="protected by DRM"):
        reading(zipped(**book), "a.epub")


@pytest.mark.parametrize(
    "name", ["a.docx", "a.pptx", "a.xlsx", "a.odt", "a.odp", "a.ods", "a.epub", "a.rtf"]
)  # fmt: skip
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"plain words", "as its name promises"),
        (zipped(**{"other.txt": "x"}), "missing|promises"),
        (b"\xd0\xcf\x11\xe0 old", "old Office file|promises"),
    ],
)
def test_another_kind_of_file_under_the_name_is_told(name: str, content: bytes, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        reading(content, name)


@pytest.mark.parametrize("name", sorted(each.name for each in FORMATS.iterdir() if format_of(each.name).name in (
    "docx", "pptx", "xlsx", "odt", "odp", "ods", "epub",
)))  # fmt: skip
def test_a_file_that_was_cut_off_is_told(name: str) -> None:
    content = (FORMATS / name).read_bytes()
    with pytest.raises(Unreadable, match="cut off"):
        reading(content[: len(content) * 2 // 3], name)


def test_declared_entities_are_refused() -> None:
    bomb = '<!DOCTYPE d [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><document><body><p>&b;</p></body></document>'
    with pytest.raises(Unreadable, match="entities"):
        reading(zipped(**{"word/document.xml": bomb}), "a.docx")


def test_a_file_that_unpacks_to_far_too_much_is_told() -> None:
    with pytest.raises(Unreadable, match="unpacks to more than"):
        reading(zipped(**{"ppt/presentation.xml": b"<presentation>" + b" " * 31_000_000}), "a.pptx")


def test_more_paragraphs_than_any_honest_document_has_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rerank_cli.corpus.read.paragraphs._MAX_PARAGRAPHS", 3)
    with pytest.raises(Unreadable, match="more than 3 paragraphs"):
        word("<p><r><t>a</t></r></p>" * 4)


def test_one_text_in_a_million_cells_is_told() -> None:
    texts = f"<sst><si><t>{'ab ' * 20_000}</t></si></sst>"
    with pytest.raises(Unreadable, match="million characters"):
        sheet("<row>" + '<c t="s"><v>0</v></c>' * 2_000 + "</row>", sharedStrings=texts)


def test_what_is_nested_without_end_is_told() -> None:
    with pytest.raises(Unreadable, match="nested too deeply"):
        word("<sdt>" * 5_000 + "</sdt>" * 5_000)
