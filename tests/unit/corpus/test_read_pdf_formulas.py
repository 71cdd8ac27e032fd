"""PDF: paragraphs with formulas in their lines."""

from __future__ import annotations

from rerank_cli.corpus.read.pdf.formulas import with_formulas
from rerank_cli.corpus.read.pdf.lines import Cell, Line
from tests.unit.corpus.test_read_pdf import pdf, shown, texts

CLOSE = [f"and so the boats at quay {number} of the old harbour are tied up to" for number in range(7)]
HIGH = [f"and so the tides at quay {number} of the old harbour are as high as" for number in range(2)]


def page_of(*lines: str, apart: float) -> str:
    """Lines below each other, those after the seventh *apart*."""
    heights = [700 - 12 * row - max(0, row - 6) * (apart - 12) for row in range(len(lines))]
    return "".join(shown(line, 50, y) for line, y in zip(lines, heights, strict=True))


def test_a_sentence_goes_on_below_a_formula_that_is_higher_than_its_line() -> None:
    lines = [*CLOSE, *HIGH, "stays low."]
    assert texts(pdf(page_of(*lines, apart=22))) == [" ".join(lines)]
    assert len(texts(pdf(page_of(*lines, apart=30)))) == 4


def test_what_begins_anew_far_below_a_line_stays_apart() -> None:
    for below in ("Ropes are in the shed, and the paints are there, too", "l = max(w, h) + 12"):
        assert texts(pdf(page_of(*CLOSE, below, apart=22))) == [" ".join(CLOSE), below]
    ended = [*CLOSE[:6], f"{CLOSE[6]}."]
    assert len(texts(pdf(page_of(*ended, HIGH[0], apart=22)))) == 2
    short = [*CLOSE[:6], "and so are some ships"]
    assert len(texts(pdf(page_of(*short, HIGH[0], apart=22)))) == 2


def test_short_paragraphs_on_a_page_of_them_stay_apart() -> None:
    long = "The boats are tied up to the quay of the old harbour, but not when the ferry is"
    paragraphs = [
        (long, "late in the evening."),
        ("All agree",),
        ("Ropes",),
        (long, "on the island"),
        ("Two disagree",),
    ]
    lines = [(line, 18 if at == 0 else 12) for each in 2 * paragraphs for at, line in enumerate(each)]
    heights = [700 - sum(apart for _, apart in lines[: number + 1]) for number in range(len(lines))]
    page = "".join(shown(line, 50, y) for (line, _), y in zip(lines, heights, strict=True))
    assert texts(pdf(page)) == [" ".join(each) for each in 2 * paragraphs]


def test_the_last_words_of_a_sentence_go_on_below_a_formula() -> None:
    lines = [*CLOSE, *HIGH, "as follows:"]
    assert texts(pdf(page_of(*lines, apart=22))) == [" ".join(lines)]


def fraction(above: str, below: str, x: float, y: float) -> str:
    """What a file has of a fraction in a line at *y*."""
    return shown(above, x, y + 7) + shown(below, x, y - 7)


def test_a_sentence_goes_on_after_a_fraction() -> None:
    page = shown("The rope is as long as", 50, 700) + fraction("h + 1", "n", 160, 700) + shown("of the mast", 190, 700)
    page += shown("and as thick as the hand of the smith.", 50, 682)
    assert texts(pdf(page)) == ["The rope is as long as h + 1 n of the mast and as thick as the hand of the smith."]


def test_fractions_at_the_beginning_and_at_the_end_of_a_line_are_of_it() -> None:
    before, after = fraction("1", "r", 200, 700), fraction("1", "s", 225, 700)
    page = before + shown("+", 212, 700) + after + shown("=", 237, 700) + fraction("1", "t", 250, 700)
    prose = shown("Both resistors are in parallel, as the electrician says.", 50, 722)
    assert texts(pdf(prose + page)) == [
        "Both resistors are in parallel, as the electrician says.",
        "1 r + 1 s = 1 t",
    ]


def test_the_lines_of_a_case_are_of_one_formula() -> None:
    lines = ("1 if k > 0", "0 if k = 0", "2 if k < 0", "3 if not")
    page = shown("f =", 200, 700) + "".join(shown(line, 220, 718 - 12 * row) for row, line in enumerate(lines))
    assert (
        texts(pdf(page + shown("The tide is over at noon and the boats go out.", 50, 640)))[0]
        == f"f = {' '.join(lines)}"
    )


def test_limits_stay_in_their_line_though_they_come_after_what_they_limit() -> None:
    page = (
        shown("The masters of the yard pay E =", 50, 700)
        + shown("\\000X", 205, 700, font="Z")
        + shown("h", 234, 700)
        + shown("12", 217, 705, size=7)
        + shown("i = 1", 217, 692, size=7)
        + shown("= 4", 245, 700)
        + shown("to each of them.", 265, 700)
    )
    assert texts(pdf(page)) == ["The masters of the yard pay E = ∑ h 12 i = 1 = 4 to each of them."]


def test_a_matrix_is_one_line() -> None:
    by_column = "".join(
        shown(str(3 * column + row), 220 + 20 * column, 712 - 12 * row) for column in range(3) for row in range(3)
    )
    by_row = "".join(shown(f"x{row}", 220, 712 - 12 * row) for row in range(3))
    after = shown("= B is known", 285, 700)
    assert texts(pdf(shown("A =", 200, 700) + by_column + after)) == ["A = 0 1 2 3 4 5 6 7 8 = B is known"]
    assert texts(pdf(shown("A =", 200, 700) + by_row + shown("= B is known", 240, 700))) == [
        "A = x0 x1 x2 = B is known"
    ]


def test_the_columns_of_a_table_are_no_matrix() -> None:
    columns = (("Boat", "Smack", "Skiff", "Punt"), ("7", "8", "9", "1"), ("4", "5", "6", "2"))
    page = "".join(
        shown(cell, 50 + 60 * column, 700 - 12 * row)
        for column, cells in enumerate(columns)
        for row, cell in enumerate(cells)
    )
    assert texts(pdf(page)) == ["Boat | 7 | 4\nSmack | 8 | 5\nSkiff | 9 | 6\nPunt | 1 | 2"]


def test_what_stands_above_a_fraction_stays_apart() -> None:
    page = shown("Answer.", 200, 726) + shown("y =", 205, 700) + fraction("h + k", "n", 230, 700)
    assert texts(pdf(page))[-1] == "y = h + k n"
    assert texts(pdf(page))[0] == "Answer."


def test_a_number_below_another_is_apart_from_what_follows() -> None:
    page = (
        shown("It is", 50, 700)
        + shown("1", 75, 710)
        + shown("6", 75, 690)
        + shown("30 of them that are at sea.", 82, 700)
    )
    assert texts(pdf(page)) == ["It is 1 6 30 of them that are at sea."]


def line_of(*cells: tuple[str, float, float], y: float = 100, size: float = 10) -> Line:
    """A line of such cells, each with where it begins and ends."""
    return Line(tuple(Cell(*cell) for cell in cells), 1, y, size)


# What a file has of a formula font by font: its signs, its scripts, its brackets, its letters.
OF_FONTS = [
    line_of(("∑", 141, 150), y=102, size=14),
    line_of(("=", 131, 136), ("-", 170, 175)),
    line_of(("n", 151, 154), y=93, size=6),
    line_of(("i", 151, 153), y=105, size=6),
    line_of(("(", 116, 119), (")", 126, 129)),
    line_of(("g", 110, 115), ("r", 120, 125), ("h", 158, 163), ("k", 178, 183)),
]


def test_a_formula_that_a_file_has_font_by_font_stays_in_its_sentence() -> None:
    before, after = line_of(("The tide is", 50, 105)), line_of((", as the masters say.", 190, 280))
    (line,) = with_formulas([before, *OF_FONTS, after])
    assert line.text == "The tide is g(r) = ∑ni h - k , as the masters say."


def test_such_a_formula_at_the_end_of_a_line_is_of_it() -> None:
    before, below = line_of(("(b)", 90, 104)), line_of(("The ferry goes when the bell has rung.", 50, 280), y=125)
    line, other = with_formulas([before, *OF_FONTS, below])
    assert (line.text, other) == ("(b) g(r) = ∑ni h - k", below)


def test_what_stands_in_the_gaps_of_a_line_alone_is_no_formula() -> None:
    lines = [
        line_of(("1. sin 30", 50, 90), ("i cos 30", 105, 140)),
        line_of(("+", 95, 100)),
        line_of(("n", 10, 14), y=90),
    ]
    assert with_formulas(lines) == lines
