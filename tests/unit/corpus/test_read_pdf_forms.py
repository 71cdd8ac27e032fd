"""PDF: what the fields of a form are filled in with, and where it is read."""

from __future__ import annotations

import pytest

from tests.unit.corpus.test_read_pdf import _file, _stream, shown, texts


def form(page: str, *fields: str) -> bytes:
    """A page with *fields* that can be filled in."""
    first = 5
    references = " ".join(f"{first + number} 0 R" for number in range(len(fields)))
    font = "/F << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
    printed = "/P << /Type /Font /Subtype /Type1 /BaseFont /Helvetica /ToUnicode 4 0 R >>"
    cmap = (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /M def /CMapType 2 def\n"
        "1 begincodespacerange <00> <ff> endcodespacerange 1 beginbfchar\n<71> <f071>\nendbfchar endcmap end end"
    )
    return _file(
        [
            f"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [{references}] >> >>",
            "<< /Type /Pages /Kids [3 0 R] /Count 1 /MediaBox [0 0 600 800] >>",
            f"<< /Type /Page /Parent 2 0 R /Contents {first + len(fields)} 0 R /Annots [{references}]"
            f" /Resources << /Font << {font} {printed} >> >> >>",
            _stream(cmap),
            *fields,
            _stream(page),
        ]
    )


def text_field(value: str, left: int, bottom: int, right: int, top: int) -> str:
    return (
        f"<< /Type /Annot /Subtype /Widget /FT /Tx /T (f{left}{bottom}) /V ({value})"
        f" /Rect [{left} {bottom} {right} {top}] >>"
    )


def check_box(left: int, bottom: int, *, ticked: bool) -> str:
    state = "/Yes" if ticked else "/Off"
    look = "<< /N << /Yes << >> /Off << >> >> >>"
    return (
        f"<< /Type /Annot /Subtype /Widget /FT /Btn /T (b{left}{bottom}) /V {state} /AS {state} /AP {look}"
        f" /Rect [{left} {bottom} {left + 10} {bottom + 10}] >>"
    )


def test_a_field_is_read_beside_its_label() -> None:
    page = shown("Name", 50, 700) + shown("Port", 50, 680)
    content = form(page, text_field("Anna", 120, 697, 300, 711), text_field("Kiel", 120, 677, 300, 691))
    assert texts(content) == ["Name Anna", "Port Kiel"]


def test_a_field_below_one_of_several_labels_is_read_after_that() -> None:
    lines = [(50, y, 590, y) for y in (580, 620, 660, 700)] + [(x, 580, x, 700) for x in (50, 230, 410, 590)]
    page = "".join(f"{x} {y} m {right} {top} l S\n" for x, y, right, top in lines)
    for row, labels in enumerate((("First name", "Berth", "Boat"), ("Last name", "Pier", "Flag"), ("A", "B", "C"))):
        page += "".join(shown(label, 55 + 180 * column, 688 - 40 * row) for column, label in enumerate(labels))
    content = form(page, text_field("17", 240, 662, 400, 680), text_field("Anna", 60, 662, 220, 680))
    assert texts(content) == ["First name Anna | Berth 17 | Boat\nLast name | Pier | Flag\nA | B | C"]


@pytest.mark.parametrize("left", [50, 52])
def test_a_printed_box_that_is_ticked_is_no_letter(left: int) -> None:
    page = shown("q", 50, 700, font="P") + shown("Member of the club of the harbour", 60, 700)
    assert texts(form(page, check_box(left, 698, ticked=True))) == ["[x] Member of the club of the harbour"]
    assert texts(form(page, check_box(left, 698, ticked=False))) == ["[ ] Member of the club of the harbour"]
