"""PDF: items of lists whose bullets are drawn and not written, as browsers print them."""

from __future__ import annotations

import pytest

from tests.unit.corpus.test_read_pdf import FONTS, _file, _stream, pdf, shown, texts

ITEMS = ("Moor at the outer pier", "Pay at the office", "Leave by noon")
WHOLE = [" ".join(ITEMS)]
APART = [f"- {item}" for item in ITEMS]


def disc(x: float, y: float, *, size: float = 3.7) -> str:
    """What draws something round, from its lower left corner."""
    right, top, middle = x + size, y + size, y + size / 2
    return f"{x} {middle} m {x} {top} {right} {top} {right} {middle} c {right} {y} {x} {y} {x} {middle} c h f\n"


def box(x: float, y: float, *, size: float = 3.7) -> str:
    """What draws something square, from its lower left corner."""
    return f"{x} {y} {size} {size} re f\n"


def listed(drawn: str, *, producer: str = "Skia/PDF m93") -> list[str]:
    """The paragraphs of a page with three items, and what is *drawn* on it."""
    written = "".join(shown(item, 70, 700 - 12 * row) for row, item in enumerate(ITEMS))
    return texts(pdf(written + drawn, producer=producer))


def beside(x: float, *, up: float = 2.5, size: float = 3.7, shape: object = disc) -> str:
    """A *shape* for each item."""
    return "".join(shape(x, 700 - 12 * row + up, size=size) for row in range(3))  # type: ignore[operator]


@pytest.mark.parametrize(
    "producer", ["Skia/PDF m93", "Qt 5.15.8", "Mac OS X 10.11 Quartz PDFContext", "cairo 1.16.0", "Typora, Electron"]
)
@pytest.mark.parametrize("shape", [disc, box])
def test_items_with_drawn_bullets_stand_apart(producer: str, shape: object) -> None:
    assert listed(beside(58, shape=shape), producer=producer) == APART


def test_cells_beside_each_other_have_their_own_bullets() -> None:
    words = [("North", "Gulls"), ("South", "Seals"), ("West", "Terns")]
    written = "".join(
        shown(text, x, 700 - 12 * row)
        for row, line in enumerate(words)
        for text, x in zip(line, (70, 300), strict=True)
    )
    table = texts(pdf(written + beside(58) + beside(288), producer="Skia/PDF m93"))
    assert table == ["\n".join(f"• {left} | • {right}" for left, right in words)]


@pytest.mark.parametrize(
    "drawn",
    [
        beside(40),  # too far from its line
        beside(58, up=9),  # above it
        beside(58, up=-6),  # below it
        beside(58, size=1.2),  # a point
        beside(52, size=12),  # as large as a picture
        beside(58) + beside(50),  # stars that count
        beside(75),  # among the letters
        "".join(f"58 {702 - 12 * row} 8 3 re f\n" for row in range(3)),  # a dash
    ],
)
def test_what_else_is_drawn_beside_lines_is_no_bullet(drawn: str) -> None:
    assert listed(drawn) == WHOLE


def test_what_stands_between_words_is_no_bullet() -> None:
    """As in the navigation of a page."""
    written = shown("Harbours", 20, 700) + shown("Tides", 70, 700)
    read = "\n".join(texts(pdf(written + disc(62, 702.5), producer="Skia/PDF m93")))
    assert "- " not in read and "•" not in read


def test_the_shaded_balls_of_slides_are_bullets() -> None:
    written = "".join(shown(item, 70, 700 - 12 * row) for row, item in enumerate(ITEMS))
    balls = "".join(f"q 1 0 0 1 60 {701 - 12 * row} cm /Ball Do Q\n" for row in range(3))
    ball = _stream("/Shade sh").replace(
        "<<", "<< /Type /XObject /Subtype /Form /BBox [0 0 5 5] /Resources << /Shading << /Shade 6 0 R >> >>", 1
    )
    slides = _file(
        [
            "<< /Type /Catalog /Pages 2 0 R >>",
            "<< /Type /Pages /Kids [3 0 R] /Count 1 /MediaBox [0 0 600 800] >>",
            "<< /Type /Page /Parent 2 0 R /Contents 4 0 R /Resources << /XObject << /Ball 5 0 R >>"
            f" /Font << /F << /Type /Font /Subtype /Type1 /BaseFont /{FONTS['F']} >> >> >> >>",
            _stream(balls + written),
            ball,
            "<< /ShadingType 3 /ColorSpace /DeviceGray /Coords [2 2 0 2 2 2]"
            " /Function << /FunctionType 2 /Domain [0 1] /C0 [1] /C1 [0] /N 1 >> >>",
            "<< /Creator (LaTeX with Beamer class) >>",
        ],
        "/Info 7 0 R",
    )
    assert texts(slides) == APART


def test_other_programs_write_their_bullets() -> None:
    assert listed(beside(58), producer="pdfTeX-1.40.20") == WHOLE


def test_a_sign_with_the_number_of_a_ligature_that_stands_alone_is_a_bullet() -> None:
    """A font of signs that tells nothing has its signs where other fonts have ligatures."""
    written = "".join(
        shown(r"\034 ", 50, 700 - 12 * row, font="T") + shown(item, 70, 700 - 12 * row)
        for row, item in enumerate(ITEMS)
    )
    word = shown(r"Signals", 50, 640) + shown(r"\034nd where they", 85, 640, font="T") + shown("stand", 180, 640)
    assert texts(pdf(written + word)) == [*APART, "Signals find where they stand"]


@pytest.mark.parametrize(("bullet", "read"), [("o", "-"), ("1.", "1.")])
def test_bullets_that_come_after_all_text_stand_before_it(bullet: str, read: str) -> None:
    marks = "".join(shown(bullet, 62 - 5 * len(bullet), 700 - 12 * row, font="M") for row in range(3))
    written = "".join(shown(item, 70, 700 - 12 * row) for row, item in enumerate(ITEMS))
    page = written + shown("Rope", 50, 650) + marks
    assert texts(pdf(page, meanings={"o": "●", "1": "1", ".": "."})) == [*(f"{read} {item}" for item in ITEMS), "Rope"]


def test_a_number_far_from_all_text_stays_alone() -> None:
    page = shown("Moor the boat here for now", 200, 700) + shown("Rope", 50, 650) + shown("1.", 50, 700)
    assert "1. Moor the boat here for now" not in texts(pdf(page))
