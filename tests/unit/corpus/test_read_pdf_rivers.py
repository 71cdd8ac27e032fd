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
