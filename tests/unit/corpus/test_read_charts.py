"""Charts, diagrams, pictures and text boxes within documents of Office and LibreOffice, and remarks on slides."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from rerank_cli.corpus.read import read_file
from rerank_cli.records import Block, FoundFile, Reading
from rerank_cli.stamps import Stamp

NAMESPACES = 'xmlns:r="r" xmlns:a="a" xmlns:c="c" xmlns:x="x"'

MILLS = """<chartSpace><chart><title><tx><rich><p><r><t>Flour by </t></r><r><t>mill</t></r></p></rich></tx></title>
    <plotArea><barChart>
    <ser><tx><strRef><pt idx="0"><v>Rye</v></pt></strRef></tx>
        <cat><strRef><pt idx="0"><v>Brook</v></pt><pt idx="1"><v>Hill</v></pt></strRef></cat>
        <val><numRef><pt idx="0"><v>12</v></pt><pt idx="1"><v>0.30000000000000004</v></pt></numRef></val></ser>
    <ser><tx><strRef><pt idx="0"><v>Spelt</v></pt></strRef></tx>
        <val><numRef><pt idx="1"><v>7</v></pt></numRef></val></ser>
    </barChart><valAx><title><tx><rich><p><r><t>Sacks</t></r></p></rich></tx></title></valAx></plotArea>
    </chart></chartSpace>"""
TITLES = "Flour by mill\nSacks"
FIGURES = " | Rye | Spelt\nBrook | 12\nHill | 0.3 | 7"

DIAGRAM = """<dataModel><ptLst><pt><t><p><r><t>Grind</t></r></p></t></pt><pt/>
    <pt><t><p><r><t>Sieve</t></r></p></t></pt></ptLst></dataModel>"""

GRAPHIC = '<graphic><graphicData><c:chart r:id="chart"/></graphicData></graphic>'
HERON = '<pic><nvPicPr><cNvPr id="1" name="Picture 1" descr="A heron"/></nvPicPr></pic>'
SMART_ART = '<graphic><graphicData><x:relIds r:dm="diagramData"/></graphicData></graphic>'


def reading(path: str, **members: str) -> Reading:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as package:
        for name, content in members.items():
            package.writestr(name, content)
    content = buffer.getvalue()
    return read_file(FoundFile(path, Path(path), Stamp(len(content), 0, 0, 0)), content)


def blocks(path: str, **members: str) -> tuple[Block, ...]:
    (only,) = reading(path, **members).documents
    return only.blocks


def relations(**targets: str) -> str:
    parts = "".join(f'<r Id="{kind}" Type="x/{kind}" Target="{target}"/>' for kind, target in targets.items())
    return f"<Relationships>{parts}</Relationships>"


def slide(tree: str, **parts: str) -> list[tuple[str, int, tuple[str, ...]]]:
    """The texts of a presentation of one slide, with the numbers of slides and the headings."""
    found = blocks(
        "a.pptx",
        **{"ppt/presentation.xml": f'<presentation {NAMESPACES}><sldIdLst><s r:id="slide"/></sldIdLst></presentation>'},
        **{"ppt/_rels/presentation.xml.rels": relations(slide="slide.xml")},
        **{"ppt/slide.xml": f"<sld {NAMESPACES}><cSld><spTree>{tree}</spTree></cSld></sld>"},
        **{"ppt/_rels/slide.xml.rels": relations(**{kind: f"{kind}.xml" for kind in parts})},
        **{f"ppt/{kind}.xml": content for kind, content in parts.items()},
    )
    return [(block.text, block.place.first, block.headings) for block in found]


def shape(text: str, kind: str = "") -> str:
    place = f'<nvSpPr><nvPr><ph type="{kind}"/></nvPr></nvSpPr>' if kind else ""
    return f"<sp>{place}<txBody><p><r><t>{text}</t></r></p></txBody></sp>"


def word(body: str, **parts: str) -> list[tuple[str, int, int]]:
    found = blocks(
        "a.docx",
        **{"word/document.xml": f"<document {NAMESPACES}><body>{body}</body></document>"},
        **{"word/_rels/document.xml.rels": relations(**{kind: f"{kind}.xml" for kind in parts})},
        **{f"word/{kind}.xml": content for kind, content in parts.items()},
    )
    return [(block.text, block.place.first, block.place.last) for block in found]


def test_a_chart_on_a_slide_is_its_titles_and_a_table_of_its_figures() -> None:
    found = slide(shape("Mills", "title") + f"<graphicFrame>{GRAPHIC}</graphicFrame>", chart=MILLS)
    assert found == [(TITLES, 1, ("Mills",)), (FIGURES, 1, ("Mills",))]


def test_a_chart_and_a_diagram_in_a_document_of_word_follow_their_paragraph() -> None:
    body = f"<p><r><t>Before.</t><drawing>{GRAPHIC}</drawing></r></p><p><r><drawing>{SMART_ART}</drawing></r></p>"
    assert word(f"{body}<p><r><t>After.</t></r></p>", chart=MILLS, diagramData=DIAGRAM) == [
        ("Before.", 1, 1),
        (TITLES, 2, 2),
        (FIGURES, 3, 5),
        ("Grind", 6, 6),
        ("Sieve", 7, 7),
        ("After.", 8, 8),
    ]


@pytest.mark.parametrize("parts", [{}, {"chart": "<chartSpace/>"}, {"image": MILLS}])
def test_a_chart_that_is_empty_or_not_there_says_nothing(parts: dict[str, str]) -> None:
    assert word(f"<p><r><t>Before.</t><drawing>{GRAPHIC}</drawing></r></p>", **parts) == [("Before.", 1, 1)]


def test_categories_in_several_levels_have_those_above_them() -> None:
    levels = """<multiLvlStrRef><lvl><pt idx="0"><v>May</v></pt><pt idx="1"><v>June</v></pt><pt idx="2"><v>May</v></pt>
        </lvl><lvl><pt idx="0"><v>Rye</v></pt><pt idx="2"><v>Spelt</v></pt></lvl></multiLvlStrRef>"""
    values = "".join(f'<pt idx="{place}"><v>{place + 1}</v></pt>' for place in range(3))
    chart = f"<chartSpace><ser><cat>{levels}</cat><val><numRef>{values}</numRef></val></ser></chartSpace>"
    ((text, *_),) = word(f"<p><r><drawing>{GRAPHIC}</drawing></r></p>", chart=chart)
    assert text.split("\n") == ["Rye, May | 1", "Rye, June | 2", "Spelt, May | 3"]


def test_a_chart_of_too_many_figures_gives_the_names_of_its_series() -> None:
    values = "".join(f'<pt idx="{place}"><v>{place}</v></pt>' for place in range(600))
    series = f'<ser><tx><pt idx="0"><v>Water level</v></pt></tx><val>{values}</val></ser>'
    found = word(f"<p><r><drawing>{GRAPHIC}</drawing></r></p>", chart=f"<chartSpace>{series}</chartSpace>")
    assert found == [("Water level", 1, 1)]


def test_remarks_on_a_slide_follow_its_notes_whichever_program_wrote_them() -> None:
    notes = f"<notes><cSld><spTree>{shape('Speak slowly.', 'body')}</spTree></cSld></notes>"
    old = '<cmLst><cm authorId="0"><pos x="1" y="1"/><text>Too long?</text></cm></cmLst>'
    new = """<cmLst><cm><txBody><p><r><t>Too long?</t></r></p></txBody><replyLst><reply><txBody><p><r><t>No.</t></r></p>
        </txBody></reply></replyLst></cm></cmLst>"""
    for comments, said in ((old, "Too long?"), (new, "Too long?\nNo.")):
        assert slide(shape("Mills", "title") + shape("Body"), notesSlide=notes, comments=comments) == [
            ("Body", 1, ("Mills",)),
            ("Speak slowly.", 1, ("Mills", "Notes")),
            (said, 1, ("Mills",)),
        ]


def test_what_stands_over_the_cells_of_a_sheet_follows_its_rows() -> None:
    anchored = "".join(
        f"<twoCellAnchor><from><row>{row}</row></from>{within}</twoCellAnchor>"
        for row, within in enumerate((shape("A remark"), f"<graphicFrame>{SMART_ART}</graphicFrame>", GRAPHIC, HERON))
    )
    sheets = '<sheet name="S" r:id="worksheet"/><sheet name="C" r:id="chartsheet"/>'
    found = blocks(
        "a.xlsx",
        **{"xl/workbook.xml": f"<workbook {NAMESPACES}><sheets>{sheets}</sheets></workbook>"},
        **{"xl/_rels/workbook.xml.rels": relations(worksheet="sheet.xml", chartsheet="chartsheet.xml")},
        **{"xl/sheet.xml": '<worksheet><sheetData><row r="9"><c r="A9"><v>5</v></c></row></sheetData></worksheet>'},
        **{"xl/chartsheet.xml": "<chartsheet/>"},
        **{"xl/_rels/sheet.xml.rels": relations(drawing="drawing.xml")},
        **{"xl/_rels/chartsheet.xml.rels": relations(drawing="drawing2.xml")},
        **{"xl/drawing.xml": f"<wsDr {NAMESPACES}>{anchored}</wsDr>"},
        **{"xl/_rels/drawing.xml.rels": relations(chart="chart.xml", diagramData="data.xml")},
        **{"xl/drawing2.xml": f"<wsDr {NAMESPACES}><absoluteAnchor>{GRAPHIC}</absoluteAnchor></wsDr>"},
        **{"xl/_rels/drawing2.xml.rels": relations(chart="chart.xml")},
        **{"xl/chart.xml": MILLS, "xl/data.xml": DIAGRAM},
    )
    assert [(block.text, block.place.label, block.place.first, block.headings) for block in found] == [
        ("5", "S", 9, ("S",)),
        ("A remark", "S", 1, ("S",)),
        ("Grind", "S", 2, ("S",)),
        ("Sieve", "S", 2, ("S",)),
        (TITLES, "S", 3, ("S",)),
        ("A heron", "S", 4, ("S",)),
        (TITLES, "C", 1, ("C",)),
    ]


ODF_CHART = """<document-content><body><chart><chart><title><p>Flour by mill</p></title>
    <plot-area><axis><title><p>Sacks</p></title></axis></plot-area>
    <table><table-header-rows><table-row><table-cell><p/></table-cell><table-cell><p>Rye</p></table-cell><table-cell>
    <p>Spelt</p></table-cell></table-row></table-header-rows><table-rows>
    <table-row><table-cell><p>Brook</p></table-cell><table-cell><p>12</p></table-cell></table-row>
    <table-row><table-cell><p>Hill</p></table-cell><table-cell><p>0.3</p></table-cell><table-cell><p>7</p></table-cell>
    </table-row></table-rows></table></chart></chart></body></document-content>"""
FRAME = '<frame><object href="./Object 1"/><image href="./ObjectReplacements/Object 1"/></frame>'


def opened(path: str, kind: str, body: str) -> list[tuple[str, int]]:
    """The texts of a document of LibreOffice with the number of the first paragraph, slide or row of each."""
    content = f"<document-content><body><{kind}>{body}</{kind}></body></document-content>"
    found = blocks(path, **{"content.xml": content, "Object 1/content.xml": ODF_CHART})
    return [(block.text, block.place.first) for block in found]


def test_charts_of_libreoffice_are_read_as_those_of_office() -> None:
    assert opened("a.odt", "text", f"<p>Before.{FRAME}</p><p>After.</p>") == [
        ("Before.", 1),
        (TITLES, 2),
        (FIGURES, 3),
        ("After.", 6),
    ]
    note = "<annotation><creator>Ann</creator><p>Too long?</p></annotation>"
    assert opened("a.odp", "presentation", f"<page>{FRAME}{note}</page>") == [
        (TITLES, 1),
        (FIGURES, 1),
        ("Too long?", 1),
    ]
    shapes = f"<shapes>{FRAME}<frame><text-box><p>A remark</p></text-box></frame></shapes>"
    rows = f"<table-row/><table-row><table-cell><p>5</p>{FRAME}</table-cell></table-row>"
    assert opened("a.ods", "spreadsheet", f'<table name="S">{shapes}{rows}</table>') == [
        ("5", 2),
        ("A remark", 1),
        (TITLES, 1),
        (TITLES, 2),
    ]


def test_a_formula_of_libreoffice_stands_in_its_sentence_as_it_was_typed() -> None:
    shown = "<mrow><msup><mi>c</mi><mn>2</mn></msup></mrow>"
    for math, read in (
        (f'<math><semantics>{shown}<annotation encoding="StarMath 5.0">c^2</annotation></semantics></math>', "c^2"),
        (f"<math>{shown}</math>", "c 2"),
    ):
        written = "<document-content><body><text><p>So <frame><object href='./F'/></frame> holds.</p></text></body>"
        members = {"content.xml": f"{written}</document-content>", "F/content.xml": math}
        assert [block.text for block in blocks("a.odt", **members)] == [f"So {read} holds."]


def test_an_object_that_is_no_chart_or_not_there_says_nothing() -> None:
    for target in ("./Object 2", "../..", "", "http://a.b/c"):
        frame = f'<p>Before.<frame><object href="{target}"/></frame></p>'
        assert opened("a.odt", "text", frame) == [("Before.", 1)]


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("A heron by the weir", ["A heron by the weir"]),
        ("A heron\n\nDescription automatically generated with low confidence", ["A heron"]),
        ("A heron\n\nAI-generated content may be incorrect.", ["A heron"]),
        ("Ein Reiher\n\nAutomatisch generierte Beschreibung", ["Ein Reiher"]),
        ("heron.jpg", []),
        ("C:\\Users\\Ann\\my heron.jpg", []),
        ("https://a.org/heron", []),
        ("Picture 3", []),
        ("", []),
    ],
)
def test_what_a_picture_says_of_itself_follows_its_paragraph(said: str, read: list[str]) -> None:
    written = said.replace("\n", "&#10;")
    picture = f'<drawing><inline><docPr id="1" name="Picture 1" descr="{written}"/></inline></drawing>'
    body = f"<p><r><t>Before.</t>{picture}</r></p><p><r><t>After.</t></r></p>"
    assert [text for text, *_ in word(body)] == ["Before.", *read, "After."]
    picture = f'<pic><nvPicPr><cNvPr id="1" name="Picture 1" descr="{written}"/></nvPicPr></pic>'
    assert [text for text, *_ in slide(shape("Mills") + picture)] == ["Mills", *read]
    frame = f'<frame><image href="a.png"/><title>{written}</title><desc>{written}</desc></frame>'
    assert [text for text, _ in opened("a.odt", "text", f"<p>Before.{frame}</p>")] == ["Before.", *read]
    assert [text for text, _ in opened("a.odp", "presentation", f"<page><p>Mills</p>{frame}</page>")] == [
        "Mills",
        *read,
    ]
    sheet = f'<table name="S"><shapes>{frame}</shapes><table-row><table-cell><p>5</p></table-cell></table-row></table>'
    assert [text for text, _ in opened("a.ods", "spreadsheet", sheet)] == ["5", *read]


def test_a_chart_that_is_damaged_is_noted_and_the_rest_is_read() -> None:
    body = f"<p><r><t>Text</t><drawing>{GRAPHIC}</drawing></r></p>"
    members = {
        "word/document.xml": f"<document {NAMESPACES}><body>{body}</body></document>",
        "word/_rels/document.xml.rels": relations(chart="chart.xml"),
        "word/chart.xml": "<chartSpace><chart>",
    }
    found = reading("a.docx", **members)
    assert [block.text for block in found.documents[0].blocks] == ["Text"]
    assert found.notes == ("word/chart.xml in it is damaged: no element found: line 1, column 19: left out",)
    body = f"<document-content><body><text><p>Text{FRAME}</p></text></body></document-content>"
    found = reading("a.odt", **{"content.xml": body, "Object 1/content.xml": "<math"})
    assert [block.text for block in found.documents[0].blocks] == ["Text"]
    assert len(found.notes) == 1
