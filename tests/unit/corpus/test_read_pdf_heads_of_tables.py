"""PDF: what names the columns of tables without rules, in several lines above the first figures."""

from __future__ import annotations

from tests.unit.corpus.test_read_pdf import pdf, shown, texts

COLUMNS = (50, 180, 270, 360)
BODY = (("Rope", "12.50", "14.00", "3"), ("Paint", "24.50", "26.00", "9"), ("Nails", "3.00", "3.50", "40"))


def rows(*lines: tuple[str, ...], top: int) -> str:
    """What sets *lines* row by row."""
    return "".join(
        shown(cell, left, top - 14 * number)
        for number, line in enumerate(lines)
        for cell, left in zip(line, COLUMNS, strict=False)
        if cell
    )


def names(*cells: str, bottom: int) -> str:
    """What sets names cell by cell, each from its upper line to the lowest."""
    return "".join(
        shown(line, left, bottom + 11 * (cell.count("/") - number))
        for cell, left in zip(cells, COLUMNS, strict=True)
        for number, line in enumerate(cell.split("/"))
        if cell
    )


def test_a_name_in_several_lines_is_one_cell_above_its_figures() -> None:
    page = names("Thing", "Price in/the first/year", "Price/after", "Number of/all", bottom=700)
    assert texts(pdf(page + rows(*BODY, top=684))) == [
        "Thing | Price in the first year | Price after | Number of all\n"
        "Rope | 12.50 | 14.00 | 3\n"
        "Paint | 24.50 | 26.00 | 9\n"
        "Nails | 3.00 | 3.50 | 40"
    ]


def test_names_that_the_file_has_line_by_line_are_cells_too() -> None:
    page = rows(("", "Price", "Price", "Number"), top=711) + rows(("Thing", "before", "after", "of all"), top=700)
    assert texts(pdf(page + rows(*BODY, top=684))) == [
        "Thing | Price before | Price after | Number of all\n"
        "Rope | 12.50 | 14.00 | 3\n"
        "Paint | 24.50 | 26.00 | 9\n"
        "Nails | 3.00 | 3.50 | 40"
    ]


def test_what_stands_above_several_names_is_of_none_of_them() -> None:
    page = shown("Both prices", 210, 722) + names("Thing", "The price/before", "The price/after", "Number", bottom=700)
    assert texts(pdf(page + rows(*BODY, top=684))) == [
        "Both prices",
        "Thing | The price before | The price after | Number\n"
        "Rope | 12.50 | 14.00 | 3\n"
        "Paint | 24.50 | 26.00 | 9\n"
        "Nails | 3.00 | 3.50 | 40",
    ]


def test_the_name_of_a_group_of_rows_is_none_of_a_column() -> None:
    page = names("Thing", "Price/before", "Price/after", "Number/of all", bottom=700) + shown("On the quay", 50, 680)
    assert texts(pdf(page + rows(*BODY, top=664))) == [
        "Thing | Price before | Price after | Number of all\n"
        "On the quay\n"
        "Rope | 12.50 | 14.00 | 3\n"
        "Paint | 24.50 | 26.00 | 9\n"
        "Nails | 3.00 | 3.50 | 40"
    ]


def test_rows_of_words_above_figures_stay_rows() -> None:
    page = rows(("Keeper", "Karl", "Mia", "Ole"), ("Boat", "Gull", "Tern", "Auk"), *BODY, top=700)
    assert texts(pdf(page)) == [
        "Keeper | Karl | Mia | Ole\n"
        "Boat | Gull | Tern | Auk\n"
        "Rope | 12.50 | 14.00 | 3\n"
        "Paint | 24.50 | 26.00 | 9\n"
        "Nails | 3.00 | 3.50 | 40"
    ]


def test_the_last_line_of_a_paragraph_names_no_column() -> None:
    prose = "".join(
        shown(line, 50, y)
        for line, y in (("The keepers of the lamps buy what they need in the town, and", 724), ("write it down:", 712))
    )
    page = prose + names("Thing", "Price/before", "Price/after", "Number", bottom=684)
    assert texts(pdf(page + rows(*BODY, top=668)))[0].endswith("in the town, and write it down:")
