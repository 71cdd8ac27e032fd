"""PDF: lines of prose with formulas between the words that are drawn and not written."""

from __future__ import annotations

from tests.unit.corpus.test_read_pdf import pdf, shown, texts

LINES = [("The weight of", "grows with", "and falls with the"), ("tide, so that", "stays below", "in every spring.")]


def drawn(x: float, y: float, *, wide: float = 7, high: float = 7) -> str:
    """What draws a letter with round edges."""
    right, top, middle = x + wide, y + high, x + wide / 2
    return (
        f"{x} {y} m {middle} {y - 1} {right} {y} {right} {y} c {right} {top} l {middle} {top + 1} {x} {top} {x} {top} c"
        f" {x} {y + high / 2} l {middle} {y + high / 2} l h f\n"
    )


def boxed(x: float, y: float, wide: float) -> str:
    """What draws a field to be filled in."""
    return f"{x} {y} {wide} 9 re f\n"


def lines_with(first: str, second: str) -> str:
    """Lines of prose with two gaps each, and what is in them."""
    written = "".join(
        shown(text, x, 700 - 12 * row)
        for row, line in enumerate(LINES)
        for text, x in zip(line, (50, 150, 240), strict=True)
    )
    return written + first + second


def test_a_gap_in_a_sentence_that_a_drawn_formula_fills_parts_no_cells() -> None:
    formulas = "".join(drawn(x, 700 - 12 * row) for row in range(2) for x in (*range(118, 142, 8), *range(206, 232, 8)))
    assert texts(pdf(lines_with(formulas, ""))) == [" ".join(text for line in LINES for text in line)]


def test_what_is_drawn_elsewhere_in_the_gap_or_larger_than_letters_parts_cells() -> None:
    table = ["\n".join(map(" | ".join, LINES))]
    assert texts(pdf(lines_with("", ""))) == table
    mark = drawn(125, 700, wide=4) + drawn(125, 688, wide=4)
    assert texts(pdf(lines_with(drawn(215, 700, wide=1), mark))) == table
    plots = drawn(118, 690, wide=28, high=30) + drawn(206, 690, wide=30, high=30)
    assert texts(pdf(lines_with(plots, ""))) == table


def test_a_field_to_be_filled_in_parts_cells() -> None:
    fields = "".join(boxed(x, 699 - 12 * row, wide) for row in range(2) for x, wide in ((116, 32), (204, 34)))
    assert texts(pdf(lines_with(fields, ""))) == ["\n".join(map(" | ".join, LINES))]
