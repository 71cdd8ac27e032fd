"""PDF: tables whose rows are parted by level rules or by bands of colour, and whose columns by blank room alone."""

from __future__ import annotations

from tests.unit.corpus.test_read_pdf import pdf, shown, texts
from tests.unit.corpus.test_read_pdf_rules import cells, ruled

LEFTS = [50.0, 150.0, 330.0]
ROWS = [
    ["rope of hemp/and of flax", "from the north quay, where/the smith has his house", "12.50"],
    ["paint", "from the town", "24.50"],
    ["nails, the long/ones", "from the smith, who makes/them of old iron when he/has some", "3.00"],
]
WHOLE = (
    "rope of hemp and of flax | from the north quay, where the smith has his house | 12.50\n"
    "paint | from the town | 24.50\n"
    "nails, the long ones | from the smith, who makes them of old iron when he has some | 3.00"
)


def level(tops: list[float], *, left: float = 48, right: float = 400) -> str:
    """What draws a level rule at each height."""
    return "".join(f"{left} {top} m {right} {top} l S\n" for top in tops)


def band(top: float, bottom: float, *, left: float = 48, right: float = 400) -> str:
    """What fills a row with grey."""
    return f"0.9 g {left} {bottom} {right - left} {top - bottom} re f\n0 g\n"


def test_what_stands_between_two_level_rules_is_a_row_though_its_cells_go_on() -> None:
    tops = [700.0, 670.0, 655.0, 613.0]
    assert texts(pdf(level(tops) + cells(ROWS, LEFTS, tops))) == [WHOLE]


def test_bands_of_colour_tell_the_rows_and_the_ones_between_them() -> None:
    tops = [700.0, 670.0, 655.0, 613.0, 598.0]
    page = band(700, 670) + band(655, 613) + cells([*ROWS, ["oakum", "from the sail/loft", "1.00"]], LEFTS, tops)
    assert texts(pdf(page)) == [WHOLE + "\noakum | from the sail loft | 1.00"]


def test_the_head_above_the_first_rule_names_the_columns() -> None:
    tops = [700.0, 670.0, 655.0, 613.0]
    head = shown("What it is", 53, 704, font="B") + shown("Where it is from", 153, 704, font="B")
    head += shown("Price", 333, 704, font="B")
    assert texts(pdf(level(tops) + head + cells(ROWS, LEFTS, tops))) == [
        f"What it is | Where it is from | Price\n{WHOLE}"
    ]


def test_what_names_two_columns_at_once_is_a_row_above_their_names() -> None:
    lefts, tops = [50.0, 200.0, 260.0, 330.0], [700.0, 668.0, 640.0, 625.0]
    page = level(tops) + shown("Price of each one here", 203, 688)
    rows = [
        ["/Item", "/small", "/large", "/Payer"],
        ["rope of hemp, of flax/or of both", "1.00", "2.00", "Karl"],
        ["paint", "3.00", "4.00", "Mia"],
    ]
    table = "rope of hemp, of flax or of both | 1.00 | 2.00 | Karl\npaint | 3.00 | 4.00 | Mia"
    assert texts(pdf(page + cells(rows, lefts, tops))) == [
        f" | Price of each one here\nItem | small | large | Payer\n{table}"
    ]


def test_rows_between_the_same_two_rules_stay_rows() -> None:
    tops = [700.0, 685.0, 657.0, 630.0]
    rows = [
        ["Item", "Payer", "Price"],
        ["rope/paint", "Karl/Mia", "1.00/2.00"],
        ["nails/oakum", "Mia/Karl", "3.00/4.00"],
    ]
    assert texts(pdf(level(tops) + cells(rows, LEFTS, tops))) == [
        "Item | Payer | Price\nrope | Karl | 1.00\npaint | Mia | 2.00\nnails | Mia | 3.00\noakum | Karl | 4.00"
    ]


def test_a_rule_through_the_last_columns_of_a_row_parts_it() -> None:
    tops = [700.0, 670.0, 628.0, 613.0]
    rows = [ROWS[0], ["paint", "from the town, which/has some/from the smith", "24.50//3.00"], ["oakum", "", "1.00"]]
    page = level(tops) + level([644.0], left=145) + cells(rows, LEFTS, tops)
    assert "24.50 3.00" not in "\n".join(texts(pdf(page)))


def test_colour_behind_each_line_of_a_listing_parts_no_cells() -> None:
    lines = (
        "for each in ropes:",
        "    cut(each)      # in two",
        "    sell(each)     # at noon",
        "rest()         # ever",
    )
    page = "".join(
        band(700 - 12 * row, 688 - 12 * row)
        + shown(line.replace("(", r"\(").replace(")", r"\)"), 53, 691 - 12 * row, font="C")
        for row, line in enumerate(lines)
    )
    assert "|" not in "\n".join(texts(pdf(page)))


def test_a_long_text_in_a_row_of_a_ruled_table_is_its_cell() -> None:
    lefts, tops = [50.0, 110.0, 260.0, 330.0], [700.0, 550.0, 536.0, 522.0]
    text = "/".join(["what the smith has said of"] * 11)
    page = ruled(lefts, [700, 550, 536, 522]) + cells(
        [["rope", text, "1.00"], ["paint", "from the town", "2.00"], ["nails", "", "3.00"]], lefts, tops
    )
    assert texts(pdf(page)) == [
        f"rope | {text.replace('/', ' ')} | 1.00\npaint | from the town | 2.00\nnails |  | 3.00"
    ]


def test_figures_below_each_other_are_no_cell_of_a_row() -> None:
    tops = [700.0, 660.0, 632.0, 618.0, 604.0]
    rows = [
        ["ropes of hemp, of/flax and of both/kinds"],
        ["oakum of all/kinds", "3.00"],
        ["tar", "4.00"],
        ["pitch", "5.00"],
    ]
    page = level(tops) + cells(rows, [50, 150], tops) + shown("1.00", 153, 682) + shown("2.00", 153, 670)
    assert "| 1.00 2.00" not in "\n".join(texts(pdf(page)))


def test_what_only_some_rows_between_two_rules_have_stands_in_these_rows() -> None:
    lefts, tops = [50.0, 200.0, 260.0, 330.0], [700.0, 668.0, 640.0, 592.0]
    rows = [
        ["rope of hemp, of flax/or of both", "1.00", "Karl", "quay"],
        ["paint", "3.00", "Mia", "town"],
        ["nails/oakum/tar", "4.00/5.00/6.00", "Karl/Mia/Karl", "//town"],
    ]
    page = level(tops) + cells(rows, lefts, tops)
    assert "nails | 4.00 | Karl\noakum | 5.00 | Mia\ntar | 6.00 | Karl | town" in "\n".join(texts(pdf(page)))
