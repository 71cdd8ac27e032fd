"""PDF: what stands side by side without rules, and what stands around the text of a page."""

from __future__ import annotations

import pytest

from tests.unit.corpus.test_read_pdf import pdf, shown, texts


@pytest.mark.parametrize(
    ("heads", "feet"),
    [
        (("11/28/26, 4:51 PM", "The harbour - Notes"), ("https://harbour.example/notes?id=12", "1/1")),
        (("The harbour - Notes", "https://harbour.example/notes?id=12"), ("1 of 1", "28.11.2026, 16:51")),
    ],
)
def test_what_a_browser_prints_around_a_page_is_left_out(heads: tuple[str, str], feet: tuple[str, str]) -> None:
    page = "".join(
        shown(text, x, y, size=8)
        for (left, right), y in ((heads, 780), (feet, 16))
        for text, x in ((left, 24), (right, 300))
    )
    assert texts(pdf(page + shown("The ropes lie in the shed.", 50, 700))) == ["The ropes lie in the shed."]


def test_a_date_at_the_top_of_a_letter_stays() -> None:
    page = shown("28.11.2026, 16:51", 50, 780) + shown("The ropes lie in the shed.", 50, 700)
    page += shown("See https://harbour.example for 3/4 of all ropes.", 50, 20)
    assert len(texts(pdf(page))) == 3


def test_the_feet_of_two_pages_that_count_them_are_left_out() -> None:
    pages = [
        shown(f"{word} lie in the shed.", 50, 700) + shown(f"Form 12 of the harbour board - page {number} of 2", 50, 30)
        for number, word in enumerate(("Ropes", "Paints"), 1)
    ]
    assert texts(pdf(*pages)) == ["Ropes lie in the shed.", "Paints lie in the shed."]


def test_a_line_that_two_pages_have_at_one_height_stays_if_it_does_not_count_them() -> None:
    pages = [shown("Ropes of 12 yards", 50, 30) + shown(f"{word} dry.", 50, 700) for word in ("Ropes", "Paints")]
    assert texts(pdf(*pages)).count("Ropes of 12 yards") == 2


def test_heads_that_the_left_and_right_pages_of_a_short_article_have_by_turns_are_left_out() -> None:
    words = ("Ropes", "Paints", "Nails", "Boats")
    heads = ("Letters of the harbour", "Karl and Mia: What lies where") * 2
    pages = [
        shown(head, 50, 770) + shown(f"{word} lie in the shed.", 50, 700)
        for head, word in zip(heads, words, strict=True)
    ]
    assert texts(pdf(*pages)) == [f"{word} lie in the shed." for word in words]


def test_a_line_that_two_pages_have_stays_if_those_between_have_none() -> None:
    words = ("Ropes", "Paints", "Nails")
    pages = [
        shown(word if word == "Paints" else "What lies where", 50, 770) + shown(f"{word} lie in the shed.", 50, 700)
        for word in words
    ]
    assert texts(pdf(*pages)).count("What lies where") == 2


@pytest.mark.parametrize(("said", "y"), [("Question {}", 780), ("12 {}3 40", 30)])
def test_a_heading_or_figures_that_grow_by_one_from_page_to_page_stay(said: str, y: int) -> None:
    pages = [
        shown(said.format(number), 50, y) + shown(f"{word} lie in the shed.", 50, 700)
        for number, word in enumerate(("Ropes", "Paints"), 1)
    ]
    found = "\n".join(texts(pdf(*pages)))
    assert all(said.format(number) in found for number in (1, 2))


def test_a_foot_is_left_out_whose_number_changes_its_side() -> None:
    words = ("Ropes", "Paints", "Nails", "Boats", "Oars")
    pages = [
        shown(f"{word} lie in the shed.", 50, 700)
        + (
            shown(f"{number}.", 50, 60, size=8) + shown("Harbour guide, May 2021", 90, 60, size=8)
            if number % 2
            else shown("Harbour guide, May 2021", 400, 60, size=8) + shown(f"{number}.", 540, 60, size=8)
        )
        + "".join(shown(f"{word} {note}", 50, 100 + 12 * row) for row, note in enumerate(("old", "new", "red")))
        for number, word in enumerate(words, 1)
    ]
    assert not any("guide" in text for text in texts(pdf(*pages)))


def test_dates_at_the_edge_that_come_after_all_else_stand_in_their_line() -> None:
    page = (
        shown("Keeper of the ropes, harbour board", 50, 700)
        + shown("Counted what lay in the shed, and mended it.", 66, 688)
        + shown("Hand on the ferry, island line", 50, 660)
        + shown("Moored the ferry at noon and at night.", 66, 648)
        + shown("May 2019 - now", 480, 700)
        + shown("2016 - May 2019", 476, 660)
    )
    found = " ".join(texts(pdf(page)))
    assert "Keeper of the ropes, harbour board May 2019 - now Counted" in found
    assert "island line 2016 - May 2019 Moored" in found


def test_text_beside_text_that_has_a_year_stays_apart() -> None:
    left = ("The ropes were made in the north", "and came by the ferry, which was", "old even then and leaked.")
    right = ("The paint was bought in 2019", "from a man of the island who", "had it from his father.")
    page = "".join(
        shown(text, x, 700 - 12 * row) for x, lines in ((50, left), (350, right)) for row, text in enumerate(lines)
    )
    assert texts(pdf(page)) == [" ".join(left), " ".join(right)]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_labels_and_values_that_the_file_has_one_after_the_other_stand_side_by_side(order: tuple[int, int]) -> None:
    columns = (("Date:", "Terms:", "Due:"), ("1 May", "30 days", "31 May"))
    page = "".join(
        shown(text, (300, 400)[column], 700 - 22 * row) for column in order for row, text in enumerate(columns[column])
    )
    assert texts(pdf(page)) == ["Date: | 1 May\nTerms: | 30 days\nDue: | 31 May"]


def test_two_addresses_stay_whole_though_their_heads_end_with_a_colon() -> None:
    left = ("Billed to:", "Karl Rope", "Quay 3", "Old harbour")
    right = ("Sent to:", "Mia Sail", "Church lane 7", "Island")
    page = "".join(
        shown(text, x, 700 - 12 * row) for x, lines in ((50, left), (300, right)) for row, text in enumerate(lines)
    )
    first, *others = texts(pdf(page))
    assert first == " ".join(left)
    assert " ".join(others) == " ".join(right)


def test_lines_of_a_title_close_below_each_other_are_no_fraction() -> None:
    page = (
        shown("Invoice", 50, 700, size=18)
        + shown("Paid by the board.", 50, 684, size=16)
        + shown("Harbour shop", 445, 708, size=8)
        + shown("Quay 3", 445, 698, size=8)
    )
    assert texts(pdf(page)) == ["Invoice Paid by the board.", "Harbour shop Quay 3"]


def test_what_hangs_below_a_short_line_of_an_item_goes_on_with_it() -> None:
    page = (
        shown("\\267 Ropes for the ferry, old and new,", 50, 700)
        + shown("and for all boats", 66, 688)
        + shown("\\267 Paint of the red kind for the walls of the house behind the church", 50, 676)
    )
    assert texts(pdf(page))[0] == "- Ropes for the ferry, old and new, and for all boats"


def test_a_title_that_the_next_page_has_too_does_not_go_on_there() -> None:
    title = shown("What lies in the shed of the", 50, 720, size=20) + shown("old harbour by the sea", 50, 700, size=20)
    pages = [title + shown(f"{word} lie there.", 50, 600) for word in ("Ropes", "Paints")]
    assert not any(text.count("What lies") > 1 for text in texts(pdf(*pages)))


def test_a_large_name_in_a_box_of_its_own_ends_no_line_beside_it() -> None:
    page = (
        shown("The keeper of the ropes, who counted", 50, 700)
        + shown("all that lay in the old shed.", 50, 688)
        + shown("Harbour board", 450, 699.5, size=14)
    )
    assert texts(pdf(page))[0] == "The keeper of the ropes, who counted all that lay in the old shed."


def test_a_head_is_left_out_that_stands_a_little_higher_or_lower_on_each_page_of_a_scan() -> None:
    heights = (760, 757, 761, 758.5, 760.6, 757.5)
    words = ("ropes", "paint", "nails", "oars", "sails", "oakum")
    pages = [
        shown(f"{72 + number} K. Bakkes and L. Ferry", 50, height) + shown(f"The shed holds {word}.", 50, 640)
        for number, (height, word) in enumerate(zip(heights, words, strict=True))
    ]
    assert texts(pdf(*pages)) == [f"The shed holds {word}." for word in words]


def test_an_address_keeps_the_hyphen_that_a_line_ends_with() -> None:
    lines = (
        "The list of all ropes that we have lies at https://quay-",
        "side.example.org/ropes, and prices are beside.",
    )
    page = "".join(shown(line, 50, 700 - 12 * row) for row, line in enumerate(lines))
    assert texts(pdf(page)) == [lines[0] + lines[1]]


def test_a_ligature_again_and_again_shades_a_box_and_is_no_text() -> None:
    page = shown("M" * 30, 50, 700, font="M") + shown("Ropes are Mne.", 50, 660, font="M")
    assert texts(pdf(page, meanings={"M": "\ufb01"})) == ["Ropes are fine."]


def test_numbers_of_lines_that_come_after_a_listing_are_left_out() -> None:
    code = ["while boat.moored:", "    rope = boat.rope", "    coil.add rope"]
    listing = "".join(shown(line, 80, 700 - 12 * row, font="C") for row, line in enumerate(code))
    numbers = "".join(shown(str(row), 60, 712 - 12 * row, font="C") for row in range(1, 4))
    assert texts(pdf(listing + numbers)) == ["\n".join(code)]


def test_text_below_a_box_with_a_tag_at_its_edge_comes_after_it() -> None:
    listing = shown("while moored:", 60, 660, font="C") + shown("    coil", 60, 648, font="C")
    page = shown("Moor the boat", 50, 700) + shown("Leave the harbour", 50, 600) + shown("C", 500, 672) + listing
    read_without_tag = [text for text in texts(pdf(page)) if text != "C"]
    assert read_without_tag == ["Moor the boat", "while moored:\n    coil", "Leave the harbour"]


def test_short_lines_that_were_ended_on_purpose_stay_lines() -> None:
    ferry = "ferry(name, number of seats, owner, harbour, year)"
    lines = ("boat(x)", "rope(length, harbour)", ferry, "keeper(name)", "quay(x)", "shed(x)")
    below = shown("All of these names are of things and people that the harbour of the island has or had.", 50, 600)
    page = "".join(shown(line, 50, 700 - 12 * row) for row, line in enumerate(lines))
    assert texts(pdf(page + below))[0] == "\n".join(lines)
    prose = ("and so the boats of the", "harbour are tied up to", "the posts of the quay at", "the road to the north")
    assert texts(pdf("".join(shown(line, 50, 700 - 12 * row) for row, line in enumerate(prose)))) == [" ".join(prose)]
