"""PDF: what is a heading, what only looks like one, and how deep headings stand."""

from __future__ import annotations

from collections.abc import Mapping

from tests.unit.corpus.test_read_pdf import blocks, pdf, shown


def prose(x: float, y: float, lines: int = 4, said: str = "Nobody has seen the ferry since it left.") -> str:
    return "".join(shown(said, x, y - 12 * line) for line in range(lines))


def trails(*pages: str, wide: bool = False, bookmarks: Mapping[str, tuple[int, float]] = {}) -> list[tuple[str, ...]]:
    """The headings above the blocks, each trail once."""
    content = pdf(*pages, bookmarks=bookmarks)
    if wide:
        content = content.replace(b"[0 0 600 800]", b"[0 0 800 600]")
    return list(dict.fromkeys(block.headings for block in blocks(content)))


def test_sections_in_capitals_that_roman_numbers_count_are_headings() -> None:
    names = ("I. ROPES", "II. PAINTS OF THE HARBOUR", "IV. FERRIES")
    page = shown("Harbour", 50, 740, size=20)
    page += "".join(shown(name, 200, 700 - 120 * at) + prose(50, 680 - 120 * at) for at, name in enumerate(names))
    assert trails(page) == [("Harbour", name) for name in names]


def test_one_line_with_a_roman_number_is_no_section() -> None:
    page = shown("Harbour", 50, 740, size=20) + shown("V. STRONG", 200, 700) + prose(50, 680)
    assert trails(page) == [("Harbour",)]


def test_a_larger_label_between_two_sections_stands_within_the_first() -> None:
    page = shown("Harbour", 50, 740, size=20) + prose(50, 720)
    page += shown("2.1 Ropes", 50, 640, font="B") + prose(50, 620)
    page += shown("Rope table", 200, 540, size=13) + prose(50, 520)
    page += shown("2.2 Paints", 50, 440, font="B") + prose(50, 420)
    assert trails(page) == [
        ("Harbour",),
        ("Harbour", "2.1 Ropes"),
        ("Harbour", "2.1 Ropes", "Rope table"),
        ("Harbour", "2.2 Paints"),
    ]


def told(title: str, y: int) -> str:
    return prose(50, y, said=f"Nobody has seen anything of the {title.lower()} since all of us left the island.")


def test_what_a_slide_has_in_larger_letters_than_its_title_heads_nothing_on_the_next_one() -> None:
    slides = [
        shown(title, 50, 560, size=20) + told(title, 500) + shown(said, 50, 300, size=30, font="B") + told(title, 200)
        for title, said in (("Ropes", "They hold!"), ("Paints", "They dry!"))
    ]
    assert trails(shown("Harbour", 50, 400, size=40), *slides, wide=True) == [
        ("Harbour", "Ropes"),
        ("Harbour", "Ropes", "They hold!"),
        ("Harbour", "Paints"),
        ("Harbour", "Paints", "They dry!"),
    ]


def test_titles_of_slides_in_letters_of_one_size_stand_beside_each_other() -> None:
    titles = (("Ropes", "B"), ("Paints", "F"), ("Nails", "B"))
    slides = [shown(title, 50, 560, size=20, font=font) + told(title, 500) for title, font in titles]
    trail = [("Harbour", title) for title, _ in titles]
    assert trails(shown("Harbour", 50, 400, size=40), *slides, wide=True) == trail


def test_an_address_of_the_web_is_no_heading() -> None:
    page = shown("Harbour", 50, 740, size=20) + shown("www.harbour.example", 50, 700, font="B") + prose(50, 680)
    assert trails(page) == [("Harbour",)]


def test_a_letter_with_its_accent_is_no_heading() -> None:
    page = shown("Harbour", 50, 740, size=20) + shown("x^", 200, 700, size=16, font="M") + prose(50, 680)
    read = blocks(pdf(page, meanings={"x": "Θ", "^": "ˆ"}))
    assert {block.headings for block in read} == {("Harbour",)}


def test_a_line_of_a_sentence_in_larger_letters_is_no_heading() -> None:
    page = shown("Harbour", 50, 740, size=20) + prose(50, 700, said="Nobody has seen the ferry that left")
    page += shown("with the ropes and the nets", 50, 650, size=13) + prose(50, 636)
    assert trails(page) == [("Harbour",)]


def test_what_only_stands_above_the_labels_of_a_drawing_is_no_heading() -> None:
    ticks = "".join(shown(str(tick), 100, 500 + 30 * tick, size=8) for tick in (3, 2, 1, 0))
    page = shown("Harbour", 50, 740, size=20) + prose(50, 720) + shown("Ferries of a day", 150, 630, size=14)
    assert trails(page + ticks + prose(50, 400)) == [("Harbour",)]


def test_large_names_scattered_on_a_drawing_are_no_headings() -> None:
    names = (("Mast", 80, 640), ("Sail", 300, 610), ("Rudder", 170, 560), ("Keel", 420, 530))
    page = shown("Harbour", 50, 740, size=20) + prose(50, 720)
    page += "".join(shown(name, x, y, size=14) for name, x, y in names) + prose(50, 400)
    assert trails(page) == [("Harbour",)]


def test_a_table_of_contents_heads_nothing_after_it_and_is_no_title() -> None:
    first = shown("Table of Contents", 50, 740, size=20) + prose(50, 720)
    assert trails(first, shown("Ropes", 50, 740, size=14) + prose(50, 720)) == [("Table of Contents",), ("Ropes",)]
    assert trails(first, prose(50, 720), bookmarks={"Ropes": (2, 790), "Paints": (2, 690)})[-1] == ("Paints",)


def test_a_heading_of_the_outline_is_found_behind_its_roman_number() -> None:
    page = "".join(shown(name, 200, y) + prose(50, y - 20) for name, y in (("III. Ropes", 700), ("IV. Paints", 600)))
    read = blocks(pdf(page, bookmarks={"Ropes": (1, 790), "Paints": (1, 690)}))
    assert [block.headings for block in read] == [("Ropes",), ("Paints",)]
    assert not any("III" in block.text or "IV" in block.text for block in read)


def test_bookmarks_to_the_title_and_to_the_author_alone_tell_no_headings() -> None:
    first = shown("Of Ropes", 50, 740, size=20) + shown("A. Chandler", 50, 710) + shown("1 Hemp", 50, 690, size=14)
    pages = (first + prose(50, 670), shown("2 Sisal", 50, 740, size=14) + prose(50, 720), prose(50, 720))
    bookmarks = {"Of Ropes": (1, 750.0), "A. Chandler": (1, 720.0)}
    assert trails(*pages, bookmarks=bookmarks)[1:] == [("Of Ropes", "1 Hemp"), ("Of Ropes", "2 Sisal")]
    assert trails(*pages[:2], bookmarks=bookmarks)[1:] == [("Of Ropes", "A. Chandler")]
