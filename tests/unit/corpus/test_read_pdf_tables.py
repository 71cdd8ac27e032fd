"""PDF: tables without rules whose cells have several lines."""

from __future__ import annotations

from functools import partial

from rerank_cli.corpus.read.pdf.heads import with_heads
from rerank_cli.corpus.read.pdf.lines import Cell, Line
from tests.growth import Work, grows_evenly
from tests.unit.corpus.test_read_pdf import pdf, shown, spaced, texts


def across(rows: list[list[str]], lefts: list[int], *, leading: int = 12) -> str:
    """What sets *rows* line by line, so far below each other, each cell at its place."""
    return "".join(
        shown(cell, left, 700 - leading * number)
        for number, row in enumerate(rows)
        for cell, left in zip(row, lefts, strict=False)
        if cell
    )


def test_what_goes_on_below_a_row_is_of_that_row_though_lines_have_much_room() -> None:
    rows = [
        ["Rope", "12.50", "of hemp and of flax from the", "three"],
        ["", "", "north of the land", ""],
        ["Paint", "24.50", "the red kind that is made in", "a pot"],
        ["", "", "the town by the harbour", ""],
        ["Nails", "3.00", "from the smith on the island", "many"],
    ]
    assert texts(pdf(across(rows, [50, 120, 180, 400], leading=18))) == [
        "Rope | 12.50 | of hemp and of flax from the north of the land | three\n"
        "Paint | 24.50 | the red kind that is made in the town by the harbour | a pot\n"
        "Nails | 3.00 | from the smith on the island | many"
    ]


def test_lines_of_two_cells_that_go_on_side_by_side_are_of_one_row() -> None:
    rows = [
        ["Rope", "hemp and flax of", "three coils of it", "12.50"],
        ["", "the north land", "in the low shed", ""],
        ["Paint", "red of the town", "a pot of the large", "24.50"],
        ["", "by the harbour", "kind on a shelf", ""],
    ]
    assert texts(pdf(across(rows, [50, 120, 220, 400]))) == [
        "Rope | hemp and flax of the north land | three coils of it in the low shed | 12.50\n"
        "Paint | red of the town by the harbour | a pot of the large kind on a shelf | 24.50"
    ]


def test_a_label_that_begins_above_the_figures_of_its_row_is_of_that_row() -> None:
    rows = [
        ["Paint", "24.50", "26.00"],
        ["Rope of hemp and of", "", ""],
        ["flax", "12.50", "14.00"],
        ["Nails of the smith on", "", ""],
        ["the island", "3.00", "3.50"],
    ]
    assert texts(pdf(across(rows, [50, 180, 260]))) == [
        "Paint | 24.50 | 26.00\n"
        "Rope of hemp and of flax | 12.50 | 14.00\n"
        "Nails of the smith on the island | 3.00 | 3.50"
    ]


def test_a_head_above_labels_in_small_letters_is_none_of_them() -> None:
    rows = [
        ["ropes for the boats", "12.50", "14.00"],
        ["nets", "24.50", "26.00"],
        ["Of iron from the smith", "", ""],
        ["nails", "3.00", "3.50"],
        ["hooks", "4.00", "4.50"],
    ]
    assert texts(pdf(across(rows, [50, 180, 260]))) == [
        "ropes for the boats | 12.50 | 14.00\nnets | 24.50 | 26.00\n"
        "Of iron from the smith\nnails | 3.00 | 3.50\nhooks | 4.00 | 4.50"
    ]


def test_a_line_across_columns_goes_on_with_none_of_them() -> None:
    rows = [
        ["Rope", "12.50", "14.00"],
        ["Paint", "24.50", "26.00"],
        ["Nails", "3.00", "3.50"],
        ["all of it with the duties of", "", "Kiel"],
        ["harbourmasters of all", "", ""],
        ["Hooks", "4.00", "4.50"],
    ]
    assert texts(pdf(across(rows, [50, 120, 190]))) == [
        "Rope | 12.50 | 14.00\nPaint | 24.50 | 26.00\nNails | 3.00 | 3.50\n"
        "all of it with the duties of |  | Kiel\nharbourmasters of all\nHooks | 4.00 | 4.50"
    ]


def test_text_that_runs_on_under_the_next_cell_is_none_of_that() -> None:
    rows = [
        ["Rope", "of hemp", "12.50", "three"],
        ["Paint", "of the red kind that is made in the town by the harbour", "24.50", "a pot"],
        ["Nails", "of iron", "3.00", "many"],
    ]
    assert texts(pdf(across(rows, [50, 120, 250, 400]))) == [
        "Rope | of hemp | 12.50 | three\n"
        "Paint | of the red kind that is made in the town by the harbour | 24.50 | a pot\n"
        "Nails | of iron | 3.00 | many"
    ]


def test_the_sign_of_a_currency_is_of_the_cell_of_its_amount() -> None:
    rows = [
        ["Rope", "$", "1,250", "$", "140"],
        ["Paint", "", "24", "", "(6)"],
        ["Nails", "", "310", "", "36"],
        ["Sum", "$", "1,584", "$", "170"],
    ]
    expected = "Rope | $ 1,250 | $ 140\nPaint | 24 | (6)\nNails | 310 | 36\nSum | $ 1,584 | $ 170"
    assert texts(pdf(across(rows, [50, 150, 200, 300, 350]))) == [expected]
    in_one_go = "".join(
        spaced(label, 8000, *(("$", 3000) if row in (0, 3) else (3560,)), first, 5000, second, x=50, y=700 - 12 * row)
        for row, (label, _, first, _, second) in enumerate(rows)
    )
    assert "$ | " not in "".join(texts(pdf(in_one_go)))


def test_dots_that_the_file_has_one_by_one_lead_to_the_figures_and_are_not_read() -> None:
    page = ""
    for number, (thing, price, weight) in enumerate(
        (("Rope", "12.50", "7"), ("Paint", "24.50", "9"), ("Wax", "3.00", "4"))
    ):
        y = 700 - 14 * number
        page += shown(thing, 50, y) + "".join(shown(".", 90 + 4 * dot, y) for dot in range(12))
        page += shown(price, 180, y) + shown(weight, 260, y)
    assert texts(pdf(page)) == ["Rope | 12.50 | 7\nPaint | 24.50 | 9\nWax | 3.00 | 4"]


def test_the_name_of_a_group_in_the_middle_goes_on_with_no_figure_above_it() -> None:
    rows = [
        ["Rope", "1,512", "1,586", "1,646"],
        ["Paint", "1,456", "1,439", "1,386"],
        ["", "What the keepers need", "", ""],
        ["Rope", "1,465", "1,472", "1,427"],
        ["Paint", "1,465", "1,471", "1,426"],
    ]
    assert texts(pdf(across(rows, [50, 180, 230, 280]))) == [
        "Rope | 1,512 | 1,586 | 1,646\n"
        "Paint | 1,456 | 1,439 | 1,386\n"
        " | What the keepers need\n"
        "Rope | 1,465 | 1,472 | 1,427\n"
        "Paint | 1,465 | 1,471 | 1,426"
    ]


def test_a_table_of_thousands_of_columns_does_not_take_a_square_of_them() -> None:
    def row(y: float, count: int, text: str) -> Line:
        return Line(tuple(Cell(text, 40.0 * at, 40.0 * at + 30) for at in range(count)), 1, y, 10.0)

    def asking(count: int) -> Work:
        return partial(with_heads, [row(100, count, "Name of"), row(112, count, "column"), row(130, count, "12.5")])

    assert [line.text for line in with_heads([row(100, 3, "Name of"), row(112, 3, "column"), row(130, 3, "12.5")])] == [
        "Name of column Name of column Name of column",
        "12.5 12.5 12.5",
    ]
    assert grows_evenly(asking, 2_000)
