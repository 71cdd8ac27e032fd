from __future__ import annotations

import base64
import json
import time
import zlib
from pathlib import Path
from urllib.parse import quote

import pytest

from rerank_cli.corpus.read import Unreadable, format_of, read_file
from rerank_cli.corpus.read.drawings import read_excalidraw, read_excalidraw_note
from rerank_cli.corpus.read.xml import read
from rerank_cli.records import Block, Document, FoundFile, Reading, at_lines
from rerank_cli.stamps import Stamp
from tests.growth import FAR_TOO_LONG_S

# As Inkscape writes it.
INKSCAPE = """\
<?xml version="1.0" encoding="UTF-8" standalone="no"?>
<svg width="210mm" xmlns:inkscape="http://www.inkscape.org/namespaces/inkscape" xmlns="http://www.w3.org/2000/svg">
  <title id="title1">Pump room</title>
  <sodipodi:namedview id="base" xmlns:sodipodi="http://sodipodi.sourceforge.net/DTD/sodipodi-0.dtd" />
  <metadata id="m"><rdf:RDF xmlns:rdf="r" xmlns:dc="d"><dc:title>Pump room</dc:title></rdf:RDF></metadata>
  <style>text { fill: red }</style>
  <g inkscape:label="Layer 1">
    <path d="m 1,2 3,4 5,6 z"><title>Valve</title></path>
    <text xml:space="preserve" x="1" y="2"><tspan x="1" y="2">Main
 pump</tspan><tspan x="1" y="9">and <tspan style="font-weight:bold">res</tspan>erve</tspan></text>
    <image xlink:href="data:image/png;base64,iVBORw0KGgo" xmlns:xlink="l"/>
  </g>
</svg>
"""


def document(text: str, path: str = "a.svg") -> Document:
    (only,) = read(text, path).documents
    return only


def texts(found: Document) -> list[str]:
    return [block.text for block in found.blocks]


def test_of_an_svg_its_words_are_read() -> None:
    found = document(INKSCAPE)
    assert found == Document(
        "a.svg",
        "Pump room",
        (
            Block("Pump room", at_lines(3, 3)),
            Block("Valve", at_lines(8, 8)),
            Block("Main pump and reserve", at_lines(9, 10)),
        ),
    )


def test_an_svg_without_words_is_an_empty_document() -> None:
    assert document('<svg><path d="M1 2"/><style>p{}</style></svg>').blocks == ()
    assert document("").blocks == ()


def test_words_in_other_places_of_an_svg_are_read() -> None:
    within = "<foreignObject><div><p>Red</p><p>valve</p></div></foreignObject>"
    assert texts(document(f"<svg><desc>A plan</desc>{within}<a><text>link</text></a></svg>")) == [
        "A plan",
        "Red valve",
        "link",
    ]


def test_of_an_svg_that_is_cut_off_the_beginning_is_read() -> None:
    reading = read("<svg><title>Plan</title><text>Pu", "a.svg")
    assert texts(reading.documents[0]) == ["Plan", "Pu"]
    assert reading.notes == ("line 1: no well-formed XML (no element found): what follows was not read",)


def page(*labels: str) -> str:
    cells = "".join(f'<mxCell id="{n}" value="{label}" vertex="1"/>' for n, label in enumerate(labels))
    return f'<mxGraphModel dx="1"><root>{cells}<object label="Tank" id="9"><mxCell/></object></root></mxGraphModel>'


def packed(text: str) -> str:
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    return base64.b64encode(deflate.compress(quote(text, safe="~()*!.'").encode()) + deflate.flush()).decode()


@pytest.mark.parametrize("pack", [str, packed])
def test_of_a_diagram_its_labels_are_read_under_the_names_of_its_pages(pack: type[str]) -> None:
    labels = page("Main&lt;br&gt;pump", "a &amp;lt; b", "", "Größe")
    cellar, attic = f'<diagram id="1" name="Cellar">{pack(labels)}</diagram>', '<diagram name="Attic"></diagram>'
    text = f'<mxfile host="app">\n{cellar}\n{attic}</mxfile>'
    assert document(text, "a.drawio").blocks == (
        Block("Main pump", at_lines(2, 2), ("Cellar",)),
        Block("a < b", at_lines(2, 2), ("Cellar",)),
        Block("Größe", at_lines(2, 2), ("Cellar",)),
        Block("Tank", at_lines(2, 2), ("Cellar",)),
        Block("Attic", at_lines(3, 3)),
    )


def test_a_page_that_cannot_be_unpacked_is_told() -> None:
    text = f"<mxfile><diagram>nonsense!</diagram><diagram>{packed(page('Pump'))}</diagram></mxfile>"
    reading = read(text, "a.drawio")
    assert texts(reading.documents[0]) == ["Pump", "Tank"]
    assert reading.notes == ("1 of 2 pages are packed in a way that cannot be read",)


def test_pages_that_unpack_to_far_too_much_are_cut() -> None:
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = base64.b64encode(deflate.compress(b"<a>" + b" " * 100_000_000) + deflate.flush()).decode()
    started = time.process_time()
    assert "cannot be read" in read(f"<mxfile>{f'<diagram>{bomb}</diagram>' * 50}</mxfile>", "a.drawio").notes[0]
    assert time.process_time() - started < FAR_TOO_LONG_S


def test_of_an_excalidraw_file_its_texts_are_read_on_their_lines() -> None:
    elements = [
        {"type": "rectangle", "x": 1.5, "id": "a"},
        {"type": "text", "text": "Pump\nroom", "originalText": "Pump room"},
        {"type": "text", "text": "Größe"},
        {"type": "text", "text": "gone", "isDeleted": True},
        {"type": "frame", "name": "Cellar"},
    ]
    text = json.dumps({"type": "excalidraw", "elements": elements, "files": {"a": {"dataURL": "data:"}}}, indent=1)
    lines = text.split("\n")
    (found,) = read_excalidraw(text, "a.excalidraw").documents
    assert texts(found) == ["Pump room", "Größe", "Cellar"]
    assert [lines[block.place.first - 1].strip() for block in found.blocks] == [
        '"originalText": "Pump room"',
        '"text": "Gr\\u00f6\\u00dfe"',
        '"name": "Cellar"',
    ]


@pytest.mark.parametrize(
    ("text", "reason"), [("{", "line 1: not valid JSON"), ("[]", "no drawing"), ("{}", "no drawing")]
)
def test_what_is_no_excalidraw_file_is_told(text: str, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        read_excalidraw(text, "a")
    assert read_excalidraw(" ", "a") == Reading((Document("a", "", ()),))


NOTE = """\
---

excalidraw-plugin: parsed
tags: [excalidraw]

---
==⚠  Switch to EXCALIDRAW VIEW in the MORE OPTIONS menu of this document. ⚠==

My own *notes* above the drawing.

# Excalidraw Data

## Text Elements
Pump room ^a1b2c3d4

Two lines
of text ^zZ9_-x12

## Embedded Files
f0a1: [[gauge.png]]

%%
## Drawing
```compressed-json
N4IgLgngDgpiBcIYA8DGBDANgSwCYCd0B3EAGhADcZ8BnbAewDsEAmcm+gV31TkQAswYKDXgB6MQHNsYfpwBGAOlT0AtmIBeNCtlQbs6RmPry6uA4wC0KDDgLFLUTJ2lH8MTDHQ0YNMWHRJMRZFAEYANgAGckRcUS
```
%%
"""


def test_of_a_drawing_in_a_note_its_texts_are_read() -> None:
    (found,) = read_excalidraw_note(NOTE, "a.excalidraw.md").documents
    assert found.blocks == (
        Block("My own notes above the drawing.", at_lines(9, 9)),
        Block("Pump room", at_lines(14, 14)),
        Block("Two lines\nof text", at_lines(16, 17)),
    )


def test_the_older_form_of_such_a_note_is_read() -> None:
    drawing = '%%\n# Drawing\n```json\n{"type":1}\n```\n%%'
    text = f"---\nexcalidraw-plugin: parsed\n---\n# Text Elements\nPump room ^a1b2\n\n{drawing}"
    assert texts(read_excalidraw_note(text, "a").documents[0]) == ["Pump room"]


def test_both_endings_pick_their_readers() -> None:
    assert format_of("a/my.board.excalidraw.md").name == "excalidraw note"
    assert format_of("a.excalidraw").name == "excalidraw"
    content = NOTE.encode()
    found = read_file(FoundFile("b.excalidraw.md", Path("b"), Stamp(0, 0, 0, 0)), content, lone=False).documents[0]
    assert "Pump room" in texts(found)
