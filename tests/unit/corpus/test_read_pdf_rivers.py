"""PDF: prose whose lines a file has by turns with those of what stands beside it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.unit.corpus.test_read_pdf import pdf, shown, texts

PROSE = [
    "The shed by the quay holds all the ropes that",
    "the boats of the island need, and the keeper",
    "counts them each spring before the first ferry",
    "goes out to the lighthouse, so that nobody has",
    "to wait for them when the wind turns.",
]
MORE_PROSE = [
    "Old paint lies behind the church, where the",
    "smith once had his house, and is sold to",
    "whoever asks for it, be it for a boat or for a",
    "wall, as long as some of it is left in the cans.",
]


def by_turns(*blocks: tuple[float, float, float, Sequence[str]]) -> str:
    """What shows blocks line by line across all: each with its left edge, its first height, its leading, its lines."""
    lines = [
        (top - step * row, left, text) for left, top, step, block in blocks for row, text in enumerate(block) if text
    ]
    return "".join(shown(text, left, y) for y, left, text in sorted(lines, key=lambda line: (-line[0], line[1])))


def test_a_list_beside_prose_is_read_before_it() -> None:
    items = [f"\\267 {item}" for item in ("ropes of hemp", "paint of all kinds", "long nails", "oars of ash")]
    page = by_turns((50, 700, 15, items), (320, 700, 12, PROSE))
    assert texts(pdf(page)) == [
        "- ropes of hemp",
        "- paint of all kinds",
        "- long nails",
        "- oars of ash",
        " ".join(PROSE),
    ]


def test_the_rows_of_a_table_beside_prose_stay_rows() -> None:
    rows = [("rope", "12.50"), ("paint", "24.50"), ("nails", "3.00"), ("oakum", "1.00")]
    page = by_turns(
        (50, 697, 13, [name for name, _ in rows]), (150, 697, 13, [price for _, price in rows]), (320, 700, 12, PROSE)
    )
    assert texts(pdf(page)) == ["\n".join(map(" | ".join, rows)), " ".join(PROSE)]


def test_two_texts_side_by_side_are_read_one_after_the_other_though_their_lines_are_not_level() -> None:
    page = by_turns((50, 700, 11, PROSE), (320, 703, 12, MORE_PROSE))
    assert texts(pdf(page)) == [" ".join(PROSE), " ".join(MORE_PROSE)]


def test_notes_in_the_margin_stand_around_the_sentence_that_they_are_set_beside() -> None:
    page = by_turns((50, 700, 12, ["", "ropes", "", "ferry"]), (120, 700, 12, PROSE))
    assert texts(pdf(page)) == ["ropes", "ferry", " ".join(PROSE)]
    page = by_turns((50, 700, 12, PROSE), (320, 700, 12, ["", "ropes", "", "ferry"]))
    assert texts(pdf(page)) == [" ".join(PROSE), "ropes", "ferry"]


def test_heads_of_blocks_side_by_side_stand_above_these() -> None:
    items = [f"\\267 {item}" for item in ("ropes of hemp", "paint of all kinds", "long nails", "oars of ash")]
    heads = shown("Stock", 50, 714, font="B") + shown("Shed", 320, 714, font="B")
    page = heads + by_turns((50, 700, 14, items), (320, 700, 12, PROSE))
    assert texts(pdf(page))[0] == "Stock"
    assert texts(pdf(page))[-2:] == ["Shed", " ".join(PROSE)]


@pytest.mark.parametrize("step", [12, 18])
def test_rows_of_a_table_whose_cells_are_alike_long_stay_rows(step: float) -> None:
    cells = (
        "for boats in the old harbour",
        "for walls of the red houses",
        "for whoever asks the smith",
        "for the ferry at the quay",
    )
    rows = list(zip(("rope", "paint", "nails", "oars"), cells, strict=True))
    page = by_turns((50, 700, step, [name for name, _ in rows]), (150, 700, step, cells))
    assert texts(pdf(page)) == ["\n".join(map(" | ".join, rows))]


def test_rows_that_follow_closely_stay_apart_though_a_sentence_seems_to_go_on_in_the_next() -> None:
    cells = [*MORE_PROSE[2:], *MORE_PROSE[2:], *PROSE[:4], "tools of the smith"]
    names = ["rope", "", "paint", "", "nails", "", "", "", "oars"]
    found = " ".join(texts(pdf(by_turns((50, 700, 12, names), (150, 700, 12, cells)))))
    assert found.endswith(f"{PROSE[3]}\noars | tools of the smith")


def test_a_label_in_the_middle_beside_the_text_of_its_row_stands_before_this() -> None:
    blocks = [(50, 676, 1, ["ropes"]), (120, 700, 12, PROSE), (50, 612, 1, ["paint"]), (120, 630, 12, MORE_PROSE)]
    found = " ".join(texts(pdf(by_turns(*blocks)))).replace("|", " ").split()
    assert found == f"ropes {' '.join(PROSE)} paint {' '.join(MORE_PROSE)}".split()


FIRST = ["Karl Rope", "Quay 3", "12345 Harbourtown"]
SECOND = ["Mia Sail", "Church lane 7", "54321 Island"]


def together(*blocks: tuple[float, Sequence[str]]) -> str:
    """What shows the lines of blocks that begin at one height."""
    return by_turns(*((left, 700, 12, block) for left, block in blocks))


def test_two_addresses_side_by_side_are_read_one_after_the_other() -> None:
    assert texts(pdf(together((50, FIRST), (300, SECOND)))) == [" ".join(FIRST), " ".join(SECOND)]


@pytest.mark.parametrize("places", [("Hull HU1 2AB", "Leeds LS1 4XY"), ("Boston, MA 02101", "Salem, MA 01970-1234")])
def test_addresses_of_other_countries_are_known(places: tuple[str, str]) -> None:
    first, second = [*FIRST[:2], places[0]], [*SECOND[:2], places[1]]
    assert texts(pdf(together((50, first), (300, second)))) == [" ".join(first), " ".join(second)]


def test_the_longer_one_of_two_addresses_stays_whole() -> None:
    longer = [*FIRST, "Northland", "by the ferry"]
    assert " ".join(longer) in texts(pdf(together((50, longer), (300, SECOND))))
    assert " ".join(longer) in texts(pdf(together((50, SECOND), (300, longer))))


def test_an_address_beside_what_is_said_of_the_letter_is_whole() -> None:
    said = ["Our sign: kr 17", "Your sign: ms", "Of 1 May"]
    assert texts(pdf(together((50, FIRST), (300, said))))[0] == " ".join(FIRST)


def test_blocks_with_heads_that_end_with_a_colon_are_read_one_after_the_other() -> None:
    first, second = ["Billed to:", "Karl Rope", "Old quay"], ["Sent to:", "Mia Sail", "Church lane"]
    assert " ".join(texts(pdf(together((50, first), (300, second))))) == " ".join((*first, *second))


@pytest.mark.parametrize(
    "rows",
    [
        [("Name:", "Karl Rope"), ("Street:", "Quay 3"), ("Place:", "12345 Harbourtown")],
        [("If you wait for:", "You must be at the old quay at:"), ("the ferry", "noon"), ("the mail boat", "dawn")],
        [("Item:", "Price:"), ("rope", "12.50"), ("paint", "24.50"), ("nails", "3.00")],
        [("12345 Harbourtown", "rope"), ("54321 Island", "paint"), ("23456 Northland", "nails")],
    ],
)
def test_a_table_with_places_or_colons_stays_one(rows: Sequence[tuple[str, str]]) -> None:
    page = together(*((left, [row[at] for row in rows]) for at, left in enumerate((50, 300))))
    assert texts(pdf(page)) == ["\n".join(map(" | ".join, rows))]


def test_numbers_of_formulas_make_no_table_of_them_and_of_the_text_between() -> None:
    formulas = [
        ("a + b = c", r"\(1.7\)"),
        ("d + e = f", r"\(1.8\)"),
        ("where all ropes are counted, and", ""),
        ("so are the boats", ""),
        ("f = g", r"\(1.9\)"),
    ]
    page = together((50, [formula for formula, _ in formulas]), (500, [number for _, number in formulas]))
    found = texts(pdf(page))
    assert "where all ropes are counted, and so are the boats" in "\n".join(found)
    assert "\n".join(found).count("|") == 0
    assert "\n".join(found).count("(1.") == 3


def test_figures_in_brackets_that_do_not_count_stay_in_their_column() -> None:
    rows = [("rope", "(12)"), ("paint", "(13)"), ("nails", "(5)")]
    page = together((50, [name for name, _ in rows]), (500, [f"\\{loss[:-1]}\\)" for _, loss in rows]))
    assert texts(pdf(page)) == ["\n".join(map(" | ".join, rows))]


def test_code_and_what_is_said_of_each_line_stay_side_by_side() -> None:
    code = ["_x = rope + oar - 5", "_y = rope - oar + 7", "_z = rope - oar - 2"]
    said = ["# All ropes of the shed", "# All that lie on the quay", "# Those of the old boats"]
    assert "\n".join(texts(pdf(together((50, code), (300, said))))) == "\n".join(
        map(" | ".join, zip(code, said, strict=True))
    )
