"""PDF: tables and forms whose cells are parted by rules."""

from __future__ import annotations

from itertools import pairwise

import pytest

from tests.unit.corpus.test_read_pdf import _file, _stream, pdf, shown, spaced, texts


def ruled(lefts: list[float], tops: list[float], *, without: tuple[tuple[str, int, int], ...] = ()) -> str:
    """What draws the cells between places, but for some walls and floors: each by its place and its row or column."""
    walls = [
        f"{left} {above} m {left} {below} l S\n"
        for place, left in enumerate(lefts)
        for row, (above, below) in enumerate(pairwise(tops))
        if ("wall", place, row) not in without
    ]
    floors = [
        f"{left} {top} m {right} {top} l S\n"
        for place, top in enumerate(tops)
        for column, (left, right) in enumerate(pairwise(lefts))
        if ("floor", place, column) not in without
    ]
    return "".join(walls + floors)


def cells(rows: list[list[str]], lefts: list[float], tops: list[float]) -> str:
    """What sets the lines of each cell, line by line across all cells of a row, as some programs write them."""
    return "".join(
        shown(line, left + 3, top - 12 * (number + 1))
        for row, top in zip(rows, tops, strict=False)
        for number in range(max(cell.count("/") + 1 for cell in row))
        for cell, left in zip(row, lefts, strict=False)
        for line in cell.split("/")[number : number + 1]
        if line
    )


def test_the_lines_of_a_cell_between_rules_are_one_cell_though_the_file_goes_across() -> None:
    lefts, tops = [50, 170, 290, 380], [700, 672, 644, 630]
    rows = [
        ["rope of hemp/and of flax", "from the north/quay", "12.50"],
        ["paint, the/red kind", "from the town", "24.50"],
        ["nails", "from the/smith", "3.00"],
    ]
    content = pdf(ruled(lefts, [700, 672, 644, 616]) + cells(rows, lefts, tops))
    assert texts(content) == [
        "rope of hemp and of flax | from the north quay | 12.50\n"
        "paint, the red kind | from the town | 24.50\n"
        "nails | from the smith | 3.00"
    ]


def test_rows_of_several_lines_stay_whole_where_no_rule_parts_their_figures() -> None:
    """The least and the most stand in one cell between rules."""
    lefts, tops = [50, 170, 290, 400], [700, 684, 656, 628, 600]
    rows = [["Rope", "Where from", ""], ["hemp", "from the north/quay", ""], ["flax", "from the/town", ""]]
    rows.append(["wire", "from the smith", ""])
    page = ruled(lefts, tops) + cells(rows, lefts, tops)
    figures = ("Least", "Most"), ("12.50", "14.00"), ("9.00", "9.50"), ("8.00", "8.80")
    for y, (least, most) in zip((688, 672, 644, 616), figures, strict=True):
        page += shown(least, 300, y) + shown(most, 360, y)
    assert texts(pdf(page)) == [
        "Rope | Where from | Least Most\n"
        "hemp | from the north quay | 12.50 14.00\n"
        "flax | from the town | 9.00 9.50\n"
        "wire | from the smith | 8.00 8.80"
    ]


def test_items_of_lists_stay_in_the_row_of_their_table() -> None:
    lefts, tops = [50, 170, 400], [700, 670, 640, 610]
    page = ruled(lefts, tops)
    duties = [("Mate", "keep the log", "mend the sails"), ("Cook", "buy the food", "wash up"), ("Boy", "row", "bail")]
    for top, (who, *each) in zip(tops, duties, strict=False):
        page += shown(who, 53, top - 12)
        for number, duty in enumerate(each, 1):
            page += shown("-", 180, top - 12 * number) + shown(duty, 200, top - 12 * number)
    assert texts(pdf(page)) == [
        "Mate | - keep the log - mend the sails\nCook | - buy the food - wash up\nBoy | - row - bail"
    ]


def test_cells_side_by_side_that_hold_prose_without_blanks_are_one_row() -> None:
    meanings = dict(zip("abcdef", "船绳海北城墙", strict=True))
    page = ruled([50, 115, 180], [700, 684, 640])
    for left, lines in ((53, ("ab", "abcdef", "bcdefa", "cd")), (118, ("cd", "fedcba", "edcbaf", "ba"))):
        for text, y in zip(lines, (688, 672, 660, 648), strict=True):
            page += shown(text, left, y, font="K")
    assert texts(pdf(page, meanings=meanings)) == [
        "船绳 | 海北\n船绳海北城墙绳海北城墙船海北 | 墙城北海绳船城北海绳船墙绳船"
    ]


def test_a_head_across_columns_stands_in_the_first_of_them() -> None:
    lefts, tops = [50, 150, 230, 310], [700, 685, 670, 655]
    page = ruled(lefts, tops, without=(("wall", 2, 0),)) + shown("Item", 60, 688) + shown("Price of each", 195, 688)
    page += cells([["", "small", "large"], ["rope", "1.00", "2.00"]], lefts, tops[1:])
    assert texts(pdf(page)) == ["Item | Price of each\n | small | large\nrope | 1.00 | 2.00"]


def test_labels_of_two_cells_with_little_room_between_them_stay_apart() -> None:
    page = ruled([50, 115, 180], [700, 685, 670, 655, 640]) + shown("Name of boat Home port", 53, 688)
    page += cells([["Petrel", "Skagen"], ["Gannet", "Esbjerg"], ["Tern", "Hirtshals"]], [50, 115], [685, 670, 655])
    assert texts(pdf(page)) == ["Name of boat | Home port\nPetrel | Skagen\nGannet | Esbjerg\nTern | Hirtshals"]


def test_cells_with_little_room_between_them_stay_apart_on_a_page_that_is_set_sideways() -> None:
    lefts, tops = [50, 106, 160, 230], [700, 680, 660, 640]
    rows = [["Rope works", "twelve", "Karl"], ["Paint", "three", "Mia"], ["Nails", "forty", "Karl"]]
    page = f"q 0 1 -1 0 720 0 cm {ruled(lefts, tops)}{cells(rows, lefts, tops)} Q"
    assert texts(pdf(page)) == ["Rope works | twelve | Karl\nPaint | three | Mia\nNails | forty | Karl"]


@pytest.mark.parametrize("wall", [200, 230])
def test_boxes_side_by_side_are_read_one_after_the_other(wall: int) -> None:
    lines = (("Sold by", "Sent to"), ("Bakkes Chandlery", "Ferry Office"), ("1 North Quay", "2 South Quay"))
    page = f"50 640 {wall - 50} 60 re S\n230 640 150 60 re S\n" + "".join(
        spaced(left, 18_000 - 500 * len(left), right, x=55, y=685 - 12 * row) for row, (left, right) in enumerate(lines)
    )
    joined = " ".join(texts(pdf(page)))
    assert joined == "Sold by Bakkes Chandlery 1 North Quay Sent to Ferry Office 2 South Quay"


def test_rows_that_no_rule_parts_are_read_row_by_row() -> None:
    lefts, tops = [50, 150, 230, 310], [700, 685, 640]
    page = ruled(lefts, tops) + cells([["Item", "Price", "Payer"]], lefts, tops)
    page += "".join(
        shown(cell, left + 3, 673 - 12 * row)
        for left, column in zip(
            lefts, (["rope", "paint", "nails"], ["1.00", "2.00", "3.00"], ["Karl", "Mia", "Karl"]), strict=False
        )
        for row, cell in enumerate(column)
    )
    assert texts(pdf(page)) == ["Item | Price | Payer\nrope | 1.00 | Karl\npaint | 2.00 | Mia\nnails | 3.00 | Karl"]


def test_rows_of_a_bill_that_no_rule_parts_are_read_with_their_amounts() -> None:
    """Not all cells of such a row are filled, but each has an amount."""
    lefts, tops = [50, 190, 240, 320, 400], [700, 684, 600]
    bill = [
        ("Ferry of the sixth of May", "", "", "45.00"),
        ("Ticket on paper", "1", "0.75", "0.75"),
        ("Ticket of wood", "0", "3.50", "0.00"),
        ("", "", "Sum :", "45.75"),
        ("", "", "Tax :", "9.15"),
        ("", "", "In all :", "54.90"),
    ]
    page = ruled(lefts, tops) + cells([["Item", "Times", "Price", "Amount"]], lefts, tops)
    page += "".join(
        shown(bill[row][column], lefts[column] + 3, 672 - 12 * row)
        for column in range(4)
        for row in range(6)
        if bill[row][column]
    )
    assert texts(pdf(page)) == ["\n".join(("Item | Times | Price | Amount", *map(" | ".join, bill)))]


def test_a_cell_beside_many_rows_that_holds_a_line_of_each_is_read_row_by_row() -> None:
    page = ruled([50, 300, 330, 400], [700, 685, 670, 655, 640], without=tuple(("floor", row, 0) for row in (1, 2, 3)))
    page += "".join(
        shown(line, 55, 688 - 15 * row) + shown(str(16 + row), 305, 688 - 15 * row)
        for row, line in enumerate(("Dues of the quay", "Dues of the light", "Add both lines", "Pay this amount"))
    )
    expected = "Dues of the quay | 16\nDues of the light | 17\nAdd both lines | 18\nPay this amount | 19"
    assert texts(pdf(page)) == [expected]


def test_colour_behind_labels_parts_them_from_no_value() -> None:
    rows = (("Name:", "Petrel"), ("Port:", "Skagen"), ("Built:", "1912"), ("Owner:", "Karl"))
    page = "".join(f"0.9 g 50 {684 - 14 * row} 80 14 re f\n0 g\n" for row in range(4))
    page += "".join(
        shown(label, 55, 688 - 14 * row) + shown(value, 140, 688 - 14 * row) for row, (label, value) in enumerate(rows)
    )
    assert texts(pdf(page)) == ["Name: | Petrel\nPort: | Skagen\nBuilt: | 1912\nOwner: | Karl"]


def test_the_first_row_of_a_page_is_no_running_head_cell_by_cell() -> None:
    lefts, tops = [50, 150, 300], [780, 765, 750, 735]
    pages = [
        ruled(lefts, tops) + cells([[f"{day} May 1912", name]] * 3, lefts, tops)
        for day, name in ((1, "Petrel"), (7, "Gannet"), (9, "Tern"), (11, "Puffin"))
    ]
    assert "\n".join(["7 May 1912 | Gannet"] * 3) in texts(pdf(*pages))


def test_names_beside_a_drawn_part_stay_beside_its_pins() -> None:
    pins = (("A", "1", "8", "V"), ("B", "2", "7", "W"), ("C", "3", "6", "X"), ("D", "4", "5", "Y"))
    page = "100 640 90 70 re S\n" + "".join(
        shown(text, x, 695 - 14 * row)
        for row, names in enumerate(pins)
        for text, x in zip(names, (88, 105, 180, 195), strict=True)
    )
    assert texts(pdf(page)) == ["A | 1 | 8 | V\nB | 2 | 7 | W\nC | 3 | 6 | X\nD | 4 | 5 | Y"]


def test_a_line_below_a_word_beside_the_rule_ends_no_cell() -> None:
    lefts, tops = [50, 170, 320, 400], [700, 660, 620]
    rows = [["rope", "Note that ropes/of hemp rot/in the rain", "1.00"], ["paint", "red and white", "2.00"]]
    page = ruled(lefts, tops) + cells(rows, lefts, tops) + "171 675 m 190 675 l S\n"
    assert texts(pdf(page)) == ["rope | Note that ropes of hemp rot in the rain | 1.00\npaint | red and white | 2.00"]


def test_a_report_in_a_cell_across_a_form_is_paragraphs() -> None:
    lefts, tops = [50, 150, 350], [700, 684, 668, 652, 540]
    page = ruled(lefts, tops, without=(("wall", 1, 3),))
    page += cells([["Boat", "Petrel"], ["Mate", "Karl"], ["Cook", "Mia"]], lefts, tops)
    report = (
        "What we saw",
        "The rope was worn at both ends when we came.",
        "We have a new one.",
        "What it cost",
        "24.50",
    )
    page += "".join(shown(line, 53, 635 - 18 * row) for row, line in enumerate(report))
    assert texts(pdf(page)) == ["Boat | Petrel\nMate | Karl\nCook | Mia", *report]


def test_rows_that_count_the_pages_at_their_top_are_no_running_heads() -> None:
    lefts, tops = [50, 150, 350, 500], [780, 764, 748]
    pages = [
        ruled(lefts, tops)
        + cells([[str(number), f"{rope} rope", "mended"], [str(number + 1), f"{rope} sail", "new"]], lefts, tops)
        + shown(f"We saw {rope} work", 50, 600)
        for number, rope in enumerate(("hemp", "flax", "wire", "cotton"), 1)
    ]
    read = "\n".join(texts(pdf(*pages)))
    assert all(f"{number} | {rope} rope | mended" in read for number, rope in ((1, "hemp"), (3, "wire"), (4, "cotton")))


def test_rows_stay_whole_where_rules_part_no_more_than_their_heads() -> None:
    lefts, tops = [50, 200, 330], [700, 684, 636, 620, 572]
    page = ruled(lefts, tops, without=(("wall", 1, 1), ("wall", 1, 3)))
    for top, head, things in ((684, "Ropes", ("hemp", "flax", "wire")), (620, "Paints", ("red", "blue", "white"))):
        page += shown(head, 53, top + 4) + shown("1921", 206, top + 4) + shown("1922", 270, top + 4)
        for number, thing in enumerate(things, 1):
            y = top - 15 * number
            page += (
                shown(f"keepers who have {thing}", 53, y)
                + shown(f"{number}7.5", 206, y)
                + shown(f"{number}9.5", 270, y)
            )
    assert texts(pdf(page)) == [
        "Ropes | 1921 | 1922\n"
        "keepers who have hemp | 17.5 | 19.5\n"
        "keepers who have flax | 27.5 | 29.5\n"
        "keepers who have wire | 37.5 | 39.5\n"
        "Paints | 1921 | 1922\n"
        "keepers who have red | 17.5 | 19.5\n"
        "keepers who have blue | 27.5 | 29.5\n"
        "keepers who have white | 37.5 | 39.5"
    ]


def drawn(page: str, placed: str) -> bytes:
    """A file whose only page draws *page* as one thing, in a drawing that is *placed* in another."""
    font = "/Resources << /Font << /F << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >>"
    form = "/Type /XObject /Subtype /Form /BBox [0 0 600 800]"
    inner = _stream(page).replace("<<", f"<< {form} {font}", 1)
    outer = _stream(f"q {placed} cm /In Do Q").replace(
        "<<", f"<< {form} /Matrix [1 0 0 1 20 -30] /Resources << /XObject << /In 6 0 R >> >>", 1
    )
    return _file(
        [
            "<< /Type /Catalog /Pages 2 0 R >>",
            "<< /Type /Pages /Kids [3 0 R] /Count 1 /MediaBox [0 0 600 800] >>",
            "<< /Type /Page /Parent 2 0 R /Contents 4 0 R /Resources << /XObject << /Out 5 0 R >> >> >>",
            _stream("/Out Do"),
            outer,
            inner,
        ]
    )


@pytest.mark.parametrize("placed", ["1 0 0 1 0 0", "0.9 0 0 0.9 10 40", "0 1 -1 0 700 50"])
def test_rules_within_a_drawing_that_holds_the_page_part_its_cells(placed: str) -> None:
    lefts, tops = [50, 170, 290, 380], [700, 672, 644, 630]
    rows = [
        ["rope of hemp/and of flax", "from the north/quay", "12.50"],
        ["paint, the/red kind", "from the town", "24.50"],
        ["nails", "from the/smith", "3.00"],
    ]
    page = ruled(lefts, [700, 672, 644, 616]) + cells(rows, lefts, tops)
    assert texts(drawn(page, placed)) == [
        "rope of hemp and of flax | from the north quay | 12.50\n"
        "paint, the red kind | from the town | 24.50\n"
        "nails | from the smith | 3.00"
    ]


def test_figures_on_the_same_heights_are_rows_though_the_labels_of_groups_have_none() -> None:
    lefts, tops = [50, 170, 290, 410], [700, 684, 586]
    labels = [
        "All keepers:",
        "in the north",
        "of the day",
        "of the night",
        "in the south",
        "of the day",
        "of the night",
    ]
    page = ruled(lefts, tops) + cells([["Sample", "With", "Without"]], lefts, tops)
    for number, label in enumerate(labels):
        page += shown(label, 53, 672 - 13 * number)
    for number, (some, others) in {2: ("85%", "15%"), 3: ("17%", "83%"), 5: ("80%", "20%"), 6: ("14%", "86%")}.items():
        page += shown(some, 200, 672 - 13 * number) + shown(others, 320, 672 - 13 * number)
    assert texts(pdf(page)) == [
        "Sample | With | Without\n"
        "All keepers:\n"
        "in the north\n"
        "of the day | 85% | 15%\n"
        "of the night | 17% | 83%\n"
        "in the south\n"
        "of the day | 80% | 20%\n"
        "of the night | 14% | 86%"
    ]
