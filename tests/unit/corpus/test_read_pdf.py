"""PDF: pages that are written here operator by operator, one for each thing that real ones do."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from rerank_cli.corpus.read import Unreadable, read_file
from rerank_cli.corpus.read.pdf.glued import Words
from rerank_cli.corpus.read.pdf.lines import Cell, Line, side_by_side
from rerank_cli.corpus.read.pdf.margins import without_line_numbers
from rerank_cli.corpus.read.pdf.row_by_row import in_rows
from rerank_cli.records import Block, Document, FoundFile, Reading
from rerank_cli.stamps import Stamp
from tests.growth import grows_evenly

FONTS = {
    "F": "Helvetica",
    "B": "Helvetica-Bold",
    "C": "Courier",
    "S": "SFTT1000",
    "N": "NimbusMonL-Regu",
    "X": "AAAAAA+t1xtt",
    "I": "SFIT1000",
    "R": "LinLibertineTB",
    "Q": "LMRoman10-Regular",
}

# Of two bytes a letter, none of which it has a character for.
UNKNOWN = {"Y": "CMSY10", "Z": "CMEX10", "A": "MSAM10", "W": "AAAAAA+Georgia"}

NAMED = {
    "L": ("AAAAAA+LinLibertineT", "27 /f_i 85 /f_f /f_l /T_h"),
    "T": ("AAAAAA+Grotesque", "28 /g28 /g29"),
    "D": ("AAAAAA+Old", f"33 {' '.join(f'/a{code}' for code in range(33, 127))}"),
}


def shown(text: str, x: float, y: float, *, font: str = "F", size: float = 10) -> str:
    """What sets *text* at a point, which counts from the lower left corner of the page."""
    return f"BT /{font} {size} Tf {x} {y} Td ({text}) Tj ET\n"


def spaced(*texts: str | int, x: float, y: float, font: str = "F", size: float = 10) -> str:
    """What sets texts in one go. A number moves the next text to the right, in thousandths of the size."""
    array = "".join(f"({each})" if isinstance(each, str) else f"{-each}" for each in texts)
    return f"BT /{font} {size} Tf {x} {y} Td [{array}] TJ ET\n"


def pdf(
    *pages: str,
    meanings: Mapping[str, str] = {},
    bookmarks: Mapping[str, tuple[int, float]] = {},
    producer: str = "",
) -> bytes:
    """A file with those *pages*, made by *producer*. *meanings* are what letters of the fonts G, H, M, J and K are.

    Each of the *bookmarks* leads to a page and a height on it.
    """
    pairs = [f"<{ord(letter):02x}> <{meaning.encode('utf-16-be').hex()}>" for letter, meaning in meanings.items()]
    cmap = "\n".join(
        (
            "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /M def /CMapType 2 def",
            f"1 begincodespacerange <00> <ff> endcodespacerange {len(pairs)} beginbfchar",
            *pairs,
            "endbfchar endcmap end end",
        )
    )
    fonts = {name: f"/{name} << /Type /Font /Subtype /Type1 /BaseFont /{base} >>" for name, base in FONTS.items()}
    fonts |= {
        name: f"/{name} << /Type /Font /Subtype /Type1 /BaseFont /{base} /Encoding << /Differences [{names}] >> >>"
        for name, (base, names) in NAMED.items()
    }
    fonts |= {
        name: f"/{name} << /Type /Font /Subtype /Type0 /BaseFont /{base} /Encoding /Identity-H /DescendantFonts [<<"
        f" /Type /Font /Subtype /CIDFontType2 /BaseFont /{base} /DW 400"
        " /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> >>] >>"
        for name, base in UNKNOWN.items()
    }
    fonts["P"] = (
        "/P << /Type /Font /Subtype /Type3 /FontBBox [0 0 1000 1000] /FontMatrix [0.001 0 0 0.001 0 0]"
        f" /Encoding << /Differences [32 {' '.join(f'/a{code}' for code in range(32, 127))}] >> /CharProcs << >>"
        f" /FirstChar 32 /LastChar 126 /Widths [{'525 ' * 95}] >>"
    )
    fonts["E"] = (
        "/E << /Type /Font /Subtype /Type3 /FontBBox [0 0 1000 1000] /FontMatrix [0.001 0 0 0.001 0 0]"
        f" /Encoding << /Differences [0 {' '.join(f'/a{code}' for code in range(256))}] >> /CharProcs << >>"
        f" /FirstChar 0 /LastChar 255 /Widths [{'525 ' * 256}] >>"
    )
    fonts["M"] = "/M << /Type /Font /Subtype /Type1 /BaseFont /Helvetica /ToUnicode 3 0 R >>"
    for name, base in (("G", "NewSymbol"), ("H", "Wingdings-Regular"), ("V", "Cambria"), ("U", "OpenSymbol")):
        fonts[name] = (
            f"/{name} << /Type /Font /Subtype /Type1 /BaseFont /AAAAAA+{base} /ToUnicode 3 0 R"
            f" /FirstChar 32 /LastChar 126 /Widths [{'600 ' * 95}] >>"
        )
    fonts["O"] = (
        "/O << /Type /Font /Subtype /Type1 /BaseFont /AAAAAA+CMEX10 /FirstChar 0 /LastChar 1 /Widths [500 500]"
        " /Encoding << /Differences [0 /parenleftbig /parenrightbig] >> >>"
    )
    fonts["J"] = "/J << /Type /Font /Subtype /Type1 /BaseFont /Courier /ToUnicode 3 0 R >>"
    fonts["K"] = (
        "/K << /Type /Font /Subtype /Type1 /BaseFont /Helvetica /ToUnicode 3 0 R"
        f" /FirstChar 32 /LastChar 126 /Widths [{'1000 ' * 95}] >>"
    )
    first_page, first_bookmark = 5, 5 + 2 * len(pages)
    kids = " ".join(f"{first_page + 2 * number} 0 R" for number in range(len(pages)))
    objects = [
        f"<< /Type /Catalog /Pages 2 0 R {'/Outlines 4 0 R' if bookmarks else ''} >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} /MediaBox [0 0 600 800]"
        f" /Resources << /Font << {' '.join(fonts.values())} >> >> >>",
        _stream(cmap),
        f"<< /First {first_bookmark} 0 R /Last {first_bookmark + len(bookmarks) - 1} 0 R /Count {len(bookmarks)} >>",
    ]
    for number, page in enumerate(pages):
        objects += [f"<< /Type /Page /Parent 2 0 R /Contents {first_page + 2 * number + 1} 0 R >>", _stream(page)]
    for number, (title, (page_number, height)) in enumerate(bookmarks.items(), first_bookmark):
        following = f"/Next {number + 1} 0 R" if number + 1 < first_bookmark + len(bookmarks) else ""
        page_object = first_page + 2 * (page_number - 1)
        objects.append(f"<< /Title ({title}) /Parent 4 0 R /Dest [{page_object} 0 R /XYZ 0 {height} 0] {following} >>")
    if producer:
        objects.append(f"<< /Producer ({producer}) >>")
    return _file(objects, f"/Info {len(objects)} 0 R" if producer else "")


def _stream(content: str) -> str:
    return f"<< /Length {len(content)} >>\nstream\n{content}\nendstream"


def _file(objects: list[str], info: str = "") -> bytes:
    written = "%PDF-1.4\n"
    offsets = []
    for number, each in enumerate(objects, 1):
        offsets.append(len(written))
        written += f"{number} 0 obj\n{each}\nendobj\n"
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    end = f"trailer << /Size {len(objects) + 1} /Root 1 0 R {info} >>\nstartxref\n{len(written)}\n%%EOF\n"
    return (written + f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}{end}").encode("latin-1")


def reading(content: bytes) -> Reading:
    return read_file(FoundFile("a.pdf", Path("a.pdf"), Stamp(len(content), 0, 0, 0)), content)


def document(content: bytes) -> Document:
    (only,) = reading(content).documents
    return only


def blocks(content: bytes) -> tuple[Block, ...]:
    return document(content).blocks


def texts(content: bytes) -> list[str]:
    return [block.text for block in blocks(content)]


def test_cells_that_are_set_in_one_go_are_cells() -> None:
    rows = (("Rope", "12.50", "Karl"), ("Paint", "24.50", "Mia"), ("Nails", "36.50", "Karl"))
    page = "".join(
        spaced(item, 3000, amount, 1500, payer, x=50, y=700 - 12 * row)
        for row, (item, amount, payer) in enumerate(rows)
    )
    assert texts(pdf(page)) == ["Rope | 12.50 | Karl\nPaint | 24.50 | Mia\nNails | 36.50 | Karl"]


def test_letters_beyond_the_first_plane_are_read() -> None:
    page = shown("x = y", 50, 700, font="M")
    assert texts(pdf(page, meanings={"x": "𝑥", " ": " ", "=": "=", "y": "𝑦"})) == ["𝑥 = 𝑦"]


def test_bullets_of_word_processors_and_of_tex_are_bullets() -> None:
    page = "".join(
        shown(line, 50, 700 - 12 * row, font="M") for row, line in enumerate(("* rope", "+ paint", "# oil", "~ tar"))
    )
    signs = {"*": "\uf0b7", "+": "\uf0d8", "#": "\x88", "~": "\uf06c"}
    meanings = {letter: letter for letter in "rope paint oil tar"} | signs
    assert texts(pdf(page, meanings=meanings)) == ["- rope", "- paint", "- oil", "- tar"]


def test_a_paragraph_goes_on_after_the_end_of_the_page() -> None:
    first = shown("The ferry leaves at seven and takes forty passengers to", 50, 60)
    second = shown("the island.", 50, 740)
    assert texts(pdf(first, second)) == ["The ferry leaves at seven and takes forty passengers to the island."]


def test_an_amount_beside_an_address_is_not_its_end() -> None:
    address = ["Karl Sture, Shed of the Harbour", "and of all the Ropes of the Isle"]
    page = "".join(shown(line, 50, 300 - 12 * row) for row, line in enumerate(address))
    page += shown("Amount due in all $4.11", 320, 306)
    assert texts(pdf(page)) == [" ".join(address), "Amount due in all $4.11"]


def test_boxes_side_by_side_on_a_slide_are_no_columns() -> None:
    first = ["The ferry leaves at seven and takes", "the mail of all of the island to a town"]
    second = ["Karl counts the ropes in the old shed", "of the harbour, and sells them."]
    page = "".join(
        shown(line, x, 300 - 12 * row) for x, box in ((50, first), (320, second)) for row, line in enumerate(box)
    )
    upright = pdf(page)
    assert texts(upright) == [" ".join((*first, *second))]
    assert texts(upright.replace(b"[0 0 600 800]", b"[0 0 600 400]")) == [" ".join(first), " ".join(second)]


def test_a_paragraph_in_a_narrow_column_goes_on_too() -> None:
    first = shown("The ferry leaves", 50, 84) + shown("at seven, and it", 50, 72) + shown("brings the", 50, 60)
    assert texts(pdf(first, shown("letters.", 50, 740))) == ["The ferry leaves at seven, and it brings the letters."]


def test_a_heading_in_capitals_at_the_end_of_a_page_does_not_go_on() -> None:
    first = shown("In winter no ferry leaves from the old harbour, and the mail", 50, 90)
    first += shown("II. THE FERRIES OF THE HARBOUR", 50, 60)
    second = shown("comes by the road.", 50, 740)
    assert "II. THE FERRIES OF THE HARBOUR comes by the road." not in texts(pdf(first, second))


def test_a_word_goes_on_after_the_end_of_the_page() -> None:
    first = shown("The ferry leaves at seven and takes forty pas-", 50, 60)
    assert texts(pdf(first, shown("sengers home.", 50, 740)))[0].endswith("takes forty passengers home.")
    numbers = shown("The ferry leaves at seven and takes some 30-", 50, 60)
    assert texts(pdf(numbers, shown("odd men home.", 50, 740)))[0].endswith("takes some 30-odd men home.")


def test_a_hyphen_that_no_word_follows_stays() -> None:
    assert texts(pdf(shown("Ropes by opera-", 50, 700) + shown("What they are made of", 50, 600)))[0] == (
        "Ropes by opera-"
    )
    page = shown("All ships are two-", 50, 700) + shown("and three-masted.", 50, 688)
    assert texts(pdf(page)) == ["All ships are two- and three-masted."]


def test_a_label_at_the_end_of_a_page_does_not_go_on() -> None:
    first = shown("Office", 50, 60)
    second = shown("ferries leave at seven and take forty passengers.", 50, 740)
    assert texts(pdf(first, second)) == ["Office", "ferries leave at seven and take forty passengers."]


def headed(content: bytes) -> list[tuple[str, str]]:
    """Each block with the heading right above it."""
    return [(block.headings[-1], block.text) for block in blocks(content)]


ROPES = (
    shown("Of a chandler", 50, 740, size=20)
    + shown("Ropes", 50, 700, size=14)
    + shown("Ropes are made of hemp.", 50, 680)
)


def test_a_bookmark_below_all_text_of_its_page_heads_none_of_it() -> None:
    content = pdf(ROPES, shown("It dries.", 50, 700), bookmarks={"Ropes": (1, 720), "Paint": (1, 100)})
    assert headed(content) == [("Ropes", "Ropes are made of hemp."), ("Paint", "It dries.")]


def test_a_bookmark_to_the_foot_of_a_page_names_the_heading_on_the_next() -> None:
    second = shown("Paint", 50, 700, size=14) + shown("It dries.", 50, 680)
    content = pdf(ROPES, second, bookmarks={"Ropes": (1, 720), "Paint": (1, 100)})
    assert headed(content) == [("Ropes", "Ropes are made of hemp."), ("Paint", "It dries.")]


def test_numbered_lines_of_a_listing_stay_lines() -> None:
    code = ("def moor(rope):", "return rope.knot()", "}")
    page = shown("The code of the knot:", 50, 720) + "".join(
        f"BT /F 6 Tf 50 {700 - 12 * row} Td ({98 + row}) Tj /C 10 Tf 9.6 0 Td ( {line}) Tj ET\n"
        for row, line in enumerate(code)
    )
    listing = "98 def moor(rope):\n99 return rope.knot()\n100 }"
    assert texts(pdf(page)) == ["The code of the knot:", listing]


def test_a_wide_gap_after_a_sentence_parts_no_cells() -> None:
    page = spaced("It rains again.", 900, "We stay at home.", 900, "The ferry leaves without us.", x=50, y=700)
    page += spaced("It takes forty.", 900, "Nobody has come.", 900, "All of the paint is dry.", x=50, y=688)
    sentences = "It rains again. We stay at home. The ferry leaves without us. It takes forty. Nobody has come."
    assert texts(pdf(page)) == [f"{sentences} All of the paint is dry."]


def test_prose_below_a_head_in_columns_is_no_table() -> None:
    page = (
        spaced("2.2", 1000, "Ropes", 9000, "Chapter 2", x=50, y=700)
        + shown("of the ropes that lie in the shed beside the old harbour and of the paint that dries", 50, 680)
        + spaced("on the wall", 1000, "every morning", 1000, "when nobody has used it", x=50, y=668)
    )
    assert not any("|" in text for text in texts(pdf(page)))


def test_lines_of_a_double_spaced_page_with_few_of_them_are_one_paragraph() -> None:
    many = "".join(shown("The ropes lie in the shed beside the harbour and", 50, 700 - 24 * row) for row in range(9))
    few = shown("the paint dries on the wall of the house that stands behind", 50, 700) + shown("the church.", 50, 676)
    assert texts(pdf(many, few))[-1].endswith("stands behind the church.")


def test_numbers_of_lines_in_the_margin_are_left_out() -> None:
    words = ("The ropes lie in the shed,", "the paint dries on the wall,", "the ferry leaves at seven,", "all is well.")
    page = "".join(
        shown(str(number), 20, 702 - 12 * number) + shown(line, 50, 700 - 12 * number)
        for number, line in enumerate(words, 41)
    )
    assert texts(pdf(page)) == [" ".join(words)]


def test_numbers_of_every_fifth_line_are_left_out_and_those_of_sections_are_not() -> None:
    page = "".join(
        spaced(str(number), 1500, "Of ropes", x=50, y=760 - 150 * number)
        + shown("they lie in the shed beside the old harbour", 70, 700 - 150 * number)
        + shown(str(5 * number), 500, 730 - 150 * number)
        for number in range(1, 5)
    )
    assert [text.split()[0] for text in texts(pdf(page))] == ["1", "they", "2", "they", "3", "they", "4", "they"]


def test_words_that_are_read_from_right_to_left_are_no_numbers_of_lines() -> None:
    lines = [Line((Cell("of the ropes", left=300, right=50),), page=1, y=12.0 * row, size=10) for row in range(5)]
    assert without_line_numbers(lines) == lines


def test_items_of_a_list_without_full_stops_stay_apart() -> None:
    page = (
        shown("(a) the ropes that lie in the shed beside the old harbour", 50, 700)
        + shown("(b) the paint that dries on the wall of the house that stands", 50, 688)
        + shown("behind the church", 66, 676)
        + shown("2. the ferry", 40, 664)
    )
    assert texts(pdf(page)) == [
        "(a) the ropes that lie in the shed beside the old harbour",
        "(b) the paint that dries on the wall of the house that stands behind the church",
        "2. the ferry",
    ]


def test_a_large_initial_begins_its_paragraph() -> None:
    page = (
        shown("T", 50, 678, size=32)
        + shown("HE ropes lie in the shed beside the old", 72, 690)
        + shown("harbour, the paint dries on all the walls", 72, 678)
        + shown("of the house that stands behind the church.", 50, 666)
    )
    assert texts(pdf(page)) == [
        "THE ropes lie in the shed beside the old harbour, the paint dries on all the walls of the house that stands"
        " behind the church."
    ]


def test_an_accent_that_is_set_before_its_letter_is_on_it() -> None:
    meanings = {letter: letter for letter in "Schpf ei"} | {"#": "¨", "o": "o", "*": "´", "%": "\u0131", "+": "¸"}
    assert texts(pdf(shown("Sch#opf", 50, 700, font="M"), meanings=meanings)) == ["Schöpf"]
    assert texts(pdf(shown("Sch*% #", 50, 700, font="M"), meanings=meanings)) == ["Schí ¨"]
    assert texts(pdf(shown("+ceci", 50, 700, font="M"), meanings=meanings)) == ["çeci"]
    assert texts(pdf(shown("chip*s", 50, 700, font="M"), meanings=meanings | {"s": "s"})) == ["chip´s"]


@pytest.mark.parametrize(("along", "x", "y"), [("0 1 -1 0", 60, 50), ("0 -1 1 0", 540, 750)])
def test_a_table_that_is_set_sideways_is_read_as_it_would_be_turned(along: str, x: int, y: int) -> None:
    across = 12 if x < 300 else -12
    rows = (("Rope", "12.50", "Karl"), ("Paint", "24.50", "Mia"), ("Nails", "36.50", "Karl"))
    page = "".join(
        f"BT /F 10 Tf {along} {x + across * row} {y} Tm [({item}) -3000 ({amount}) -1500 ({payer})] TJ ET\n"
        for row, (item, amount, payer) in enumerate(rows)
    )
    assert texts(pdf(page)) == ["Rope | 12.50 | Karl\nPaint | 24.50 | Mia\nNails | 36.50 | Karl"]


@pytest.mark.parametrize("name", ["S", "N", "X", "I"])
def test_lines_in_the_letters_of_a_typewriter_stay_lines(name: str) -> None:
    page = shown("moor(hemp)", 50, 700, font=name) + shown("return knot", 50, 688, font=name)
    assert texts(pdf(page)) == ["moor(hemp)\nreturn knot"]


def test_a_line_with_a_wide_gap_and_the_line_below_it_stay_apart() -> None:
    page = (
        shown("Rope works of the old harbour", 50, 700)
        + shown("2019 to 2021", 400, 700)
        + shown("Made the ropes of all the ferries and some of the nets", 50, 688)
    )
    entry = ["Rope works of the old harbour 2019 to 2021", "Made the ropes of all the ferries and some of the nets"]
    assert texts(pdf(page)) == entry


def test_what_hangs_below_the_text_beside_a_label_goes_on_with_it() -> None:
    page = shown("Rope", 50, 700) + shown("the one that lies in the shed", 120, 700) + shown("of old", 120, 688)
    assert texts(pdf(page)) == ["Rope the one that lies in the shed of old"]


def test_small_letters_in_the_middle_of_a_line_do_not_make_it_small() -> None:
    page = (
        shown("The ropes lie in the shed, which is below", 50, 700)
        + "BT /F 10 Tf 50 688 Td (the old tower, T) Tj /F 7 Tf 67 3 Td (E) Tj /F 10 Tf 5 -3 Td (X and the) Tj ET\n"
        + shown("church that nobody has seen since.", 50, 676)
    )
    assert len(blocks(pdf(page))) == 1


def test_the_head_of_each_page_with_its_number_is_left_out_whatever_its_words() -> None:
    heads = ("apply", "array", "basename", "cat")
    pages = [
        shown(head, 50, 770) + shown(str(number), 500, 770) + shown(f"What {head} does is told here.", 50, 700)
        for number, head in enumerate(heads, 21)
    ]
    assert texts(pdf(*pages)) == [f"What {head} does is told here." for head in heads]


def rows_of_ropes(y: int) -> str:
    rows = (("Rope", "12.50", "Karl"), ("Paint", "24.50", "Mia"), ("Nails", "36.50", "Karl"))
    return "".join(
        spaced(item, 3000, amount, 1500, payer, x=50, y=y - 12 * row) for row, (item, amount, payer) in enumerate(rows)
    )


TABLE_OF_ROPES = "Rope | 12.50 | Karl\nPaint | 24.50 | Mia\nNails | 36.50 | Karl"


def test_headings_around_a_table_are_no_rows_of_it() -> None:
    page = (
        spaced("2.1", 1000, "Prices", x=50, y=720, size=12, font="B")
        + rows_of_ropes(700)
        + spaced("2.2", 1000, "Ferries", x=50, y=655, font="B")
        + shown("It leaves at seven.", 50, 640)
    )
    assert texts(pdf(page)) == [TABLE_OF_ROPES, "It leaves at seven."]


def test_a_line_that_is_stretched_to_the_width_of_its_column_has_no_cells() -> None:
    page = (
        spaced("Rope", 1000, "and", 1100, "paint", x=50, y=700)
        + spaced("lie", 900, "in", 900, "the", 950, "shed", x=50, y=688)
        + spaced("of", 1000, "the", 1000, "old", 1000, "man", x=50, y=676)
    )
    assert texts(pdf(page)) == ["Rope and paint lie in the shed of the old man"]


def test_what_stands_beside_short_and_long_explanations_stays_beside_them() -> None:
    rows = (
        ("sum of a series of numbers", "suminf of n and a and f"),
        ("weights", "w of a"),
        ("the same sum of a series of numbers but with weights", "sumnum of n and a and f and w"),
        ("weights of one", "w of one"),
    )
    page = "".join(
        shown(left, 50, 700 - 12 * row) + shown(right, 350, 700 - 12 * row) for row, (left, right) in enumerate(rows)
    )
    assert texts(pdf(page)) == ["\n".join(f"{left} | {right}" for left, right in rows)]


def test_a_caption_does_not_go_on_with_the_short_line_above_it() -> None:
    page = shown("Three or four", 50, 700) + shown("Table 3. What the ropes cost in the old harbour.", 50, 688)
    assert texts(pdf(page)) == ["Three or four", "Table 3. What the ropes cost in the old harbour."]


FULL = "the ropes and the nets and the sails were made for the"
CUT = shown(FULL, 50, 72) + shown(FULL, 50, 60)


def test_a_sentence_goes_on_with_a_name_after_the_end_of_the_page() -> None:
    second = shown("Petrel, a boat of wood that nobody has seen", 50, 740) + shown("since the winter.", 50, 728)
    whole = f"{FULL} {FULL} Petrel, a boat of wood that nobody has seen since the winter."
    assert texts(pdf(CUT, second)) == [whole]


def test_a_new_paragraph_after_the_end_of_the_page_stays_apart() -> None:
    indented = shown("Petrel, a boat of wood that nobody has seen", 65, 740) + shown("since the winter.", 50, 728)
    assert len(texts(pdf(CUT, indented))) == 2
    assert len(texts(pdf(CUT, shown("(a) Petrel, a boat of wood.", 50, 740)))) == 2
    assert len(texts(pdf(CUT, shown("Petrel, a boat of wood", 50, 740)))) == 2
    assert len(texts(pdf(CUT, shown("Figure 3. Petrel, a boat of wood.", 50, 740)))) == 2
    assert len(texts(pdf(CUT + shown("and that is all", 50, 48), shown("Petrel, a boat of wood.", 50, 740)))) == 2


def test_the_names_of_a_plot_do_not_go_on_with_the_sentence_of_the_page_before() -> None:
    names = spaced("hemp", 4000, "cotton", 4000, "nylon", x=60, y=740)
    assert texts(pdf(CUT, names))[0] == f"{FULL} {FULL}"


def test_what_a_slide_says_does_not_go_on_on_the_next_one() -> None:
    first = shown("The ferry leaves at seven and takes forty passengers", 50, 60)
    second = shown("and some letters", 50, 400)
    pages = pdf(first, second).replace(b"/MediaBox [0 0 600 800]", b"/MediaBox [0 0 600 450]")
    assert len(texts(pages)) == 2


def test_the_number_of_a_page_is_left_out_that_stands_far_above_its_edge() -> None:
    pages = [shown(f"Of {rope} nobody says anything.", 50, 700) for rope in ("hemp", "cotton", "nylon", "wire")]
    numbered = [page + shown(str(number), 300, 150) for number, page in enumerate(pages, 1)]
    assert len(texts(pdf(*numbered))) == 4
    assert texts(pdf(pages[0] + shown("12", 300, 150)))[-1] == "12"


def test_a_chinese_sentence_goes_on_after_the_end_of_the_page() -> None:
    meanings = dict(zip("abcdefgh", "信濃川は新潟県お", strict=True))
    first = shown("abcdefgh", 50, 72, font="M") + shown("hgfedcba", 50, 60, font="M")
    second = shown("defgh.", 50, 740, font="M")
    whole = "信濃川は新潟県おお県潟新は川濃信は新潟県お。"
    assert texts(pdf(first, second, meanings=meanings | {".": "。"})) == [whole]


HAN = dict(zip("abcdefgh", "信濃川は新潟県お", strict=True)) | {".": "。", "1": "1", " ": " ", "t": "図"}


def test_a_short_line_ends_a_paragraph_in_a_writing_without_blanks() -> None:
    full, short = "abcdefghabcdefgh", "hgfedc"
    for first in (short, f"1. {short}", f"{short}."):
        page = shown(first, 50, 712, font="K") + shown(full, 70, 700, font="K") + shown(f"{full}ab", 50, 688, font="K")
        assert len(texts(pdf(page, meanings=HAN))) == 2, first
    caption = shown(f"t1 {short}", 50, 712, font="K") + shown(full, 50, 700, font="K")
    assert len(texts(pdf(caption, meanings=HAN))) == 2


def test_prose_of_han_and_kana_in_letters_of_one_width_is_no_listing() -> None:
    page = shown("1 abcdefghabcdefgh", 50, 700, font="J") + shown("hgfedcba.", 50, 688, font="J")
    assert texts(pdf(page, meanings=HAN)) == ["1 信濃川は新潟県お信濃川は新潟県おお県潟新は川濃信。"]


def test_a_line_of_a_listing_that_ends_with_a_comment_in_han_stays_a_line() -> None:
    page = (
        shown("moor(hemp, rope, knot, harbour) #", 50, 700, font="C")
        + shown("abc", 255, 700, font="M")
        + shown("return knot", 50, 688, font="C")
    )
    assert texts(pdf(page, meanings=HAN)) == ["moor(hemp, rope, knot, harbour) # 信濃川\nreturn knot"]


def test_a_line_in_a_font_without_a_name_may_end_with_han() -> None:
    page = shown("moor hemp rope harbour", 50, 700, font="P") + shown("abc", 170, 700, font="M")
    assert texts(pdf(page, meanings=HAN)) == ["moor hemp rope harbour 信濃川"]


def test_signs_and_words_that_were_recognised_apart_in_a_writing_without_blanks_are_one_line() -> None:
    page = (
        spaced("abc", 200, "defg", x=50, y=700, font="K")
        + shown(".", 123, 706, font="K", size=2)
        + shown("hgf", 133, 700, font="K")
    )
    assert texts(pdf(page, meanings=HAN)) == ["信濃川は新潟県。お県潟"]


def test_blanks_between_all_letters_of_a_writing_without_blanks_are_none() -> None:
    meanings = dict(zip("abcdef -", "信濃川は新潟 -", strict=True))
    assert texts(pdf(shown("a b c d - ef ab", 50, 700, font="M"), meanings=meanings)) == ["信濃川は - 新潟 信濃"]


def test_the_numbers_of_a_table_of_contents_are_no_numbers_of_lines() -> None:
    entries = ("Ropes and what they are made of", "Paint", "Ferries and boats", "The harbour", "Church")
    page = "".join(
        shown(str(number), 50, 700 - 12 * number) + shown(entry, 70, 700 - 12 * number)
        for number, entry in enumerate(entries, 1)
    )
    assert "\n".join(texts(pdf(page))).split("\n")[1].startswith("2")


def test_the_last_line_of_an_entry_goes_on_to_its_page() -> None:
    page = shown("What the ropes that lie in the shed beside", 50, 700) + shown("the harbour cost", 50, 688)
    assert texts(pdf(page + shown("17", 400, 688))) == [
        "What the ropes that lie in the shed beside the harbour cost 17"
    ]


def test_letters_that_only_the_file_has_a_name_for_are_read() -> None:
    page = shown("Wey \\033nd the oUer of the new Voor", 50, 700, font="L")
    assert texts(pdf(page)) == ["They find the offer of the new floor"]


def test_letters_of_pictures_have_the_places_of_tex() -> None:
    assert texts(pdf(shown("\\235lkel Geni\\263leme do\\247ru gro\\377", 50, 700, font="E"))) == [
        "İlkel Genişleme doğru groß"
    ]


def test_dashes_and_quotes_of_pictures_have_the_places_of_tex() -> None:
    written = shown('pages 12{15 of the \\\\global" list|as it is', 50, 700, font="E")
    code = shown("if {a | b} then {", 50, 670, font="E")
    assert texts(pdf(written + code)) == ['pages 12–15 of the “global" list—as it is', "if {a | b} then {"]


def test_ligatures_without_a_name_are_those_of_tex() -> None:
    assert texts(pdf(shown("We \\034nd the new \\035oor", 50, 700, font="T"))) == ["We find the new floor"]


def test_angle_brackets_of_tex_are_no_letters() -> None:
    page = (
        "BT /C 10 Tf 50 700 Td (moor{) Tj /Y 10 Tf (\\000h) Tj /F 10 Tf (rope) Tj"
        " /Y 10 Tf (\\000i) Tj /C 10 Tf (}) Tj ET"
    )
    assert texts(pdf(page)) == ["moor{⟨rope⟩}"]


def test_a_foot_that_a_file_has_first_is_read_last() -> None:
    foot = shown("Sold by the shed of the island.", 50, 60)
    rows = ["Ropes of hemp for boats.", "Paint for the shed.", "Nails of all kinds.", "Oars of ash.", "Tar."]
    page = foot + shown("Karl, the keeper.", 400, 52)
    page += "".join(shown(row, 50, 700 - 40 * number) for number, row in enumerate(rows))
    assert texts(pdf(page)) == [*rows, "Sold by the shed of the island.", "Karl, the keeper."]


def test_items_with_numbers_of_several_parts_are_items() -> None:
    items = ["1.1: Count the ropes of the island in", "every spring", "1.2: Paint the shed", "1.3: Sell old oars"]
    page = "".join(shown(item, 50, 700 - 12 * row) for row, item in enumerate(items))
    assert texts(pdf(page)) == [f"{items[0]} {items[1]}", *items[2:]]


def test_any_sign_of_a_font_of_signs_that_stands_alone_before_an_item_is_a_bullet() -> None:
    items = ["* ropes of hemp for the long boat and", "  the short one", "* paint"]
    page = "".join(
        shown(item[0], 50, 700 - 12 * row, font="M") + shown(item[2:], 60, 700 - 12 * row)
        for row, item in enumerate(items)
    )
    assert texts(pdf(page, meanings={"*": "\uf09e"})) == [
        "- ropes of hemp for the long boat and the short one",
        "- paint",
    ]


def test_triangles_of_tex_are_bullets() -> None:
    page = "".join(
        f"BT /A 10 Tf 50 {700 - 12 * row} Td (\\000B) Tj /F 10 Tf 10 0 Td ({item}) Tj ET\n"
        for row, item in enumerate(("rope", "paint"))
    )
    assert texts(pdf(page)) == ["- rope", "- paint"]


def test_a_sum_with_what_it_goes_over_is_one_formula() -> None:
    page = (
        shown("This is what the chandler pays for all the ropes of the year:", 50, 740)
        + shown("s =", 200, 700)
        + shown("\\000X", 216, 700, font="Z")
        + shown("k<n", 214, 688, size=7)
        + shown("a", 228, 700)
        + shown("k", 234, 698, size=7)
        + shown("+", 240, 700)
        + shown("\\(7\\)", 480, 700)
    )
    assert texts(pdf(page))[1:] == ["s = ∑ k<n ak + (7)"]


def test_a_fraction_is_one_formula() -> None:
    page = (
        shown("The rope is so long:", 50, 740)
        + shown("length =", 200, 700)
        + shown("weight of it", 239, 707)
        + shown("weight of a yard", 239, 693)
        + shown(".", 316, 700)
    )
    assert texts(pdf(page))[1:] == ["length = weight of it weight of a yard ."]


def test_raised_and_lowered_letters_at_one_place_stay_with_their_letter() -> None:
    page = shown("D", 50, 700) + shown("+", 57.5, 704, size=7) + shown("i", 57.5, 697, size=7) + shown("holds", 64, 700)
    assert texts(pdf(page)) == ["D+i holds"]


def test_the_number_of_a_formula_that_comes_last_in_the_file_stands_before_it() -> None:
    page = "BT /F 10 Tf 1 0 0 1 150 700 Tm (x = y and so on) Tj -100 0 Td (\\(3\\)) Tj ET"
    assert texts(pdf(page)) == ["(3) x = y and so on"]


def test_the_marks_of_footnotes_are_no_part_of_words() -> None:
    page = (
        "BT /F 10 Tf 50 700 Td (The harbour) Tj /F 6 Tf 4 Ts (2) Tj /F 10 Tf 0 Ts ( is shut, and 10) Tj"
        " /F 6 Tf 4 Ts (3) Tj /F 10 Tf 0 Ts ( ropes lie there in rope10.) Tj ET\n"
        "BT /F 6 Tf 4 Ts 50 600 Td (2) Tj /F 10 Tf 0 Ts (Until the ferry leaves.) Tj ET"
    )
    assert texts(pdf(page)) == [
        "The harbour 2 is shut, and 103 ropes lie there in rope10.",
        "2 Until the ferry leaves.",
    ]


def test_the_mark_of_a_footnote_that_begins_with_a_word_of_one_letter_is_no_part_of_it() -> None:
    notes = ("I have seen the ferry.", "A ferry has seen me.")
    page = "".join(
        shown("2", 50, 604 - 40 * row, size=6) + shown(note, 53.4, 600 - 40 * row) for row, note in enumerate(notes)
    )
    assert texts(pdf(page)) == [f"2 {note}" for note in notes]


def test_columns_that_the_file_has_line_by_line_are_read_one_after_the_other() -> None:
    left = ("The ropes lie in the shed beside the old", "harbour; and the paint dries on the walls.") * 5
    right = ("Nobody has seen the ferry since it left", "for the island with forty passengers and the") * 5
    rows = zip(left, right, strict=True)
    page = shown("Of ropes and ferries: all that the harbour knows of them today", 50, 740, size=14) + "".join(
        spaced(first, x=50, y=700 - 12 * row) + spaced(second, x=320, y=697 - 12 * row)
        for row, (first, second) in enumerate(rows)
    )
    assert texts(pdf(page)) == [" ".join(left), " ".join(right)]


def test_a_label_that_comes_in_the_middle_of_its_line_stands_before_it() -> None:
    page = (
        "BT /F 10 Tf 1 0 0 1 150 700 Tm (A knot of ) Tj -100 0 Td (moor ) Tj 145 0 Td (the harbour.) Tj ET\n"
        "BT /F 10 Tf 1 0 0 1 150 680 Tm (A knot of ) Tj -100 0 Td (belay ) Tj 145 0 Td (the ferry.) Tj ET\n"
        "BT /F 10 Tf 1 0 0 1 150 660 Tm (A knot of ) Tj -100 0 Td (tie ) Tj 145 0 Td (the island.) Tj ET\n"
    )
    assert texts(pdf(page)) == [
        "moor | A knot of the harbour.\nbelay | A knot of the ferry.\ntie | A knot of the island."
    ]


def test_what_is_typed_at_a_prompt_begins_a_line() -> None:
    page = shown("This shows the ropes of the harbour as they are, one by one:", 50, 700)
    page += shown("> library(ropes)", 50, 676) + shown("> show(ropes)", 50, 664)
    assert texts(pdf(page))[1:] == ["> library(ropes)", "> show(ropes)"]


def test_the_contents_at_the_side_of_slides_are_left_out() -> None:
    slides = [
        shown("Ropes", 10, 300, size=6) + shown("Paint", 10, 290, size=6) + shown(text, 150, 200)
        for text in ("They are of hemp.", "It dries.", "All is well.", "The ferry leaves.")
    ]
    content = pdf(*slides).replace(b"[0 0 600 800]", b"[0 0 800 600]")
    assert texts(content) == ["They are of hemp.", "It dries.", "All is well.", "The ferry leaves."]


def test_a_word_with_a_hyphen_keeps_that_at_the_end_of_a_line() -> None:
    page = shown("It is a three-", 50, 700) + shown("in-one rope.", 50, 688)
    assert texts(pdf(page)) == ["It is a three-in-one rope."]


def test_an_item_goes_on_in_the_next_column_past_a_caption() -> None:
    page = (
        shown("- Of all the ropes that lie in the shed of", 50, 112)
        + shown("the chandler who has sold them to the", 58, 100)
        + shown("Table 1.", 50, 60)
        + shown("303 houses of the island, most are old, as", 350, 700)
        + shown("everybody knows.", 350, 688)
    )
    assert texts(pdf(page))[0].endswith("sold them to the 303 houses of the island, most are old, as everybody knows.")


def test_words_of_spread_letters_are_words() -> None:
    page = "BT /F 10 Tf 2.6 Tc 50 700 Td (OF) Tj 24 0 Td (ROPES) Tj 55 0 Td (AND) Tj 34 0 Td (OIL) Tj ET\n"
    page += "BT /F 10 Tf 50 600 Td (A B C D E F G H I) Tj ET"
    assert texts(pdf(page)) == ["OF ROPES AND OIL", "A B C D E F G H I"]


def test_capitals_that_a_line_parts_are_put_together() -> None:
    page = (
        shown("All of it is PUB-", 50, 700) + shown("LISHED in the Anglo-", 50, 688) + shown("Saxon tongue.", 50, 676)
    )
    assert texts(pdf(page)) == ["All of it is PUBLISHED in the Anglo-Saxon tongue."]


def test_a_font_is_bold_by_its_name() -> None:
    page = shown("Rope", 50, 720, font="R") + shown("It is made of hemp and lies in the shed.", 50, 700, font="Q")
    assert [(b.headings, b.text) for b in blocks(pdf(page))] == [
        (("Rope",), "It is made of hemp and lies in the shed.")
    ]


def test_three_columns_that_the_file_has_line_by_line_are_read_one_after_the_other() -> None:
    columns = (
        ("The ropes lie in the shed beside", "the harbour; the paint is drying.") * 5,
        ("Nobody has seen the ferry since", "it left with its forty passengers.") * 5,
        ("The chandler sells what he has left", "of nails and hemp to whoever asks.") * 5,
    )
    page = "".join(
        spaced(
            line, x=50 + 170 * column, y=700 - 10 * row - (0, 0.4, 5)[column] - (row > 4) * (0, 4, 2)[column], size=9
        )
        for row, lines in enumerate(zip(*columns, strict=True))
        for column, line in enumerate(lines)
    )
    assert " ".join(texts(pdf(page))) == " ".join(line for column in columns for line in column)


def test_lines_in_a_font_without_a_name_stay_lines_if_all_its_letters_are_of_one_width() -> None:
    page = (
        shown("moor(hemp)", 50, 700, font="P")
        + shown("return knot", 50, 688, font="P")
        + shown("11", 50, 676, font="P")
    )
    assert texts(pdf(page)) == ["moor(hemp)\nreturn knot\n11"]


def test_a_bold_line_after_the_end_of_a_sentence_is_none_of_its_paragraph() -> None:
    page = (
        shown("Hemp of four strands, which is laid", 50, 700)
        + shown("by hand in the shed at the harbour.", 50, 688)
        + shown("Ropewalker", 50, 676, font="B")
        + shown("Whoever lays a rope walks so far.", 50, 664)
    )
    strands = "Hemp of four strands, which is laid by hand in the shed at the harbour."
    assert [strands, "Whoever lays a rope walks so far."] == [text for text in texts(pdf(page)) if text != "Ropewalker"]


def test_what_printers_note_beside_the_page_is_left_out() -> None:
    page = shown("Job 12 of the printer", 50, 850) + shown("The rope is long.", 50, 700) + shown("Cut here", 650, 500)
    assert texts(pdf(page)) == ["The rope is long."]


def test_letters_that_have_their_numbers_in_a_font_are_read() -> None:
    text = "The ferry leaves at noon for the island."
    numbered = "".join(f"\\000\\{ord(letter) - 29:03o}" for letter in text)
    assert texts(pdf(shown(numbered, 50, 700, font="W"))) == [text]


def test_a_page_whose_letters_nobody_knows_is_told_and_not_read() -> None:
    unknown = "".join(f"\\000\\{code:03o}" for code in (1, 4, 5, 6, 30, 49, 63, 27, 21, 7) * 5)
    read = reading(pdf(shown(unknown, 50, 700, font="W"), shown("The rope is long.", 50, 700)))
    assert [block.text for block in read.documents[0].blocks] == ["The rope is long."]
    assert read.notes == ("1 of 2 pages hold no readable text: their fonts do not tell their letters",)
    with pytest.raises(Unreadable, match="none of its 1 pages holds readable text"):
        reading(pdf(shown(unknown, 50, 700, font="W")))


def test_letters_of_a_font_that_nobody_knows_are_told_and_left_out() -> None:
    said = "".join(shown("The rope is long and has been made of hemp", 50, 700 - 12 * row) for row in range(5))
    unknown = "".join(f"\\000\\{code:03o}" for code in (1, 4, 5, 6, 30, 49, 63, 27, 21, 7) * 3)
    numbers = ('!"#"$!"$%#"&!\'"\\(#!\\)"*+,"-!', "!\"#$%&'$'%&\"#!!#")
    nothing = (shown(unknown, 50, 600, font="W"), *(shown(each, 50, 600, font="B") for each in numbers))
    for nonsense in nothing:
        read = reading(pdf(said + nonsense, said))
        assert {block.text[:20] for block in read.documents[0].blocks} == {"The rope is long and"}
        assert read.notes == ("1 of 2 pages hold letters that their fonts do not tell: they are left out",)
    assert reading(pdf(said + shown("".join(map(chr, range(33, 39))), 50, 600))).notes == ()


def test_the_heading_below_a_table_is_no_row_of_it() -> None:
    rows = (("1. Which rope?", "hemp"), ("2. Which paint?", "white"), ("3. Which nail?", "iron"))
    page = "".join(
        spaced(question, 1500, answer, x=300, y=700 - 12 * row) for row, (question, answer) in enumerate(rows)
    )
    page += spaced("5.7.1", 1000, "Of knots", x=50, y=640)
    table = "1. Which rope? | hemp\n2. Which paint? | white\n3. Which nail? | iron"
    assert texts(pdf(page)) == [table, "5.7.1 Of knots"]


def test_russian_in_the_fonts_of_tex_is_russian() -> None:
    meanings = dict(zip("1234567 rope8n", "Âåð¼âêà ropeÜn", strict=True))
    assert texts(pdf(shown("1234567 rope 8n", 50, 700, font="M"), meanings=meanings)) == ["Верёвка rope Ün"]


def test_the_labels_of_a_plot_are_one_block_and_the_paragraph_around_it_stays_whole() -> None:
    labels = "".join(
        shown(str(10 * row), 60, 700 - 20 * row) + shown(f"ship {row}", 200, 690 - 20 * row) for row in range(6)
    )
    first = shown("The ferry goes to the island every morning, and in the", 50, 80) + shown(
        "evening it brings back whoever has been there with the", 50, 68
    )
    second = shown("last of the ropes and the nets of the harbour.", 50, 560)
    assert len(texts(pdf(first, labels + second))) == 2
    assert texts(pdf(first, labels + second))[0].endswith("with the last of the ropes and the nets of the harbour.")


def test_a_sentence_goes_on_past_a_figure_of_many_labels() -> None:
    labels = "".join(
        shown(f"Ship {row}", 60, 740 - 20 * row, size=8)
        + shown("All ropes of this ship are new.", 90, 730 - 20 * row, size=7)
        for row in range(8)
    )
    first = "".join(shown("Nobody has seen the ferry since it left.", 50, 400 - 12 * row) for row in range(12))
    first += shown("Whoever has been there comes back with nets,", 50, 68)
    first += shown("and with the last of all those old ropes which they", 50, 56)
    rest = shown("could find in the harbour of the old island,", 50, 500) + shown(
        "and nobody has missed them.", 50, 488
    )
    assert "of all those old ropes which they could find in the harbour" in "".join(texts(pdf(first, labels + rest)))


def test_a_signature_of_one_function_does_not_go_on_with_that_of_another() -> None:
    signatures = [
        shown(f"value = {name} of ropes ({name}, hemp, all)", 50, y, size=12)
        + shown(f"old value = {name} of ropes ({name}, hemp, paint)", 50, y - 14, size=12)
        for name, y in (("length", 300), ("weight", 750))
    ]
    prose = [
        "".join(shown("Nobody has seen them since they left.", 50, y - 36 * row) for row in range(9))
        for y in (260, 690)
    ]
    read = texts(pdf(signatures[0] + prose[0], signatures[1] + prose[1]))
    assert not any("length" in text and "weight" in text for text in read)


def test_what_is_set_sideways_stands_after_all_else() -> None:
    rows = (("Rope", "12.50", "Karl"), ("Paint", "24.50", "Mia"), ("Nails", "36.50", "Karl"))
    lines = [
        spaced(item, 3000, amount, 1500, payer, x=50, y=700 - 12 * row)
        for row, (item, amount, payer) in enumerate(rows)
    ]
    page = lines[0] + "BT /F 10 Tf 0 1 -1 0 90 650 Tm (in euro) Tj ET\n" + lines[1] + lines[2]
    assert texts(pdf(page)) == ["Rope | 12.50 | Karl\nPaint | 24.50 | Mia\nNails | 36.50 | Karl", "in euro"]


def test_numbers_that_stand_a_little_apart_are_two_cells() -> None:
    rows = (("Rope", "0,60", "12,98"), ("Paint", "0,85", "13,99"), ("Nails", "0,19", "11,12"))
    page = "".join(
        spaced(item, 3000, first, 600, second, x=50, y=700 - 12 * row) for row, (item, first, second) in enumerate(rows)
    )
    assert texts(pdf(page)) == ["Rope | 0,60 | 12,98\nPaint | 0,85 | 13,99\nNails | 0,19 | 11,12"]


def test_a_mirrored_page_is_read_in_its_order() -> None:
    lines = ("The ferry goes to the island every morning, and in the", "evening it brings back whoever has been there.")
    page = "".join(f"BT /F 10 Tf 1 0 0 -1 50 {100 + 12 * row} Tm ({line}) Tj ET\n" for row, line in enumerate(lines))
    assert texts(pdf(page)) == [" ".join(lines)]


def test_letters_that_have_the_names_of_dingbats_are_letters() -> None:
    line = "The ferry leaves at noon for the old harbour: Is that right?"
    assert texts(pdf(shown(line, 50, 700, font="D"))) == [line]


def test_an_accent_that_is_set_after_its_line_is_on_its_letter() -> None:
    page = shown("Karl Muller has seen it", 50, 700, font="M") + shown("*", 79.5, 700.4, font="M")
    meanings = {letter: letter for letter in "Karl Muller has seen it"} | {"*": "¨"}
    assert texts(pdf(page, meanings=meanings)) == ["Karl Müller has seen it"]


def test_a_grave_accent_that_is_set_before_its_letter_is_on_it() -> None:
    text = "Elle m`ene `a bord le th´eor`eme \\uccode`a"
    page = shown(text.replace("\\", "\\\\"), 50, 700, font="M")
    assert texts(pdf(page, meanings={letter: letter for letter in text})) == ["Elle mène à bord le théorème \\uccode`a"]


def test_a_table_that_the_file_has_from_below_column_by_column_is_read_row_by_row() -> None:
    rows = [(f"Rope {number}", f"{number}2.50", "Karl") for number in range(1, 10)]
    page = "".join(
        shown(rows[at][column], 50 + 120 * column, 700 - 20 * at) for column in range(3) for at in reversed(range(9))
    )
    assert texts(pdf(page)) == ["\n".join(" | ".join(row) for row in rows)]


def test_letters_of_a_negative_size_that_are_turned_back_are_upright() -> None:
    lines = ("The ferry goes to the island every morning, and in the", "evening it brings back whoever has been there.")
    page = "".join(f"BT /F -10 Tf -1 0 0 -1 50 {700 - 12 * row} Tm ({line}) Tj ET\n" for row, line in enumerate(lines))
    assert texts(pdf(page)) == [" ".join(lines)]


def test_the_sign_that_stands_for_a_ligature_is_that() -> None:
    text = "The effort went off: press ["
    meanings = {letter: letter for letter in text} | {"#": "↵"}
    page = shown(text.replace("ff", "#").replace("[", "#"), 50, 700, font="M")
    assert texts(pdf(page, meanings=meanings)) == ["The effort went off: press ↵"]


# In Helvetica "z" is as wide as "ti".
MAC = "macOS Version 10.10 Quartz PDFContext"


def test_the_sign_of_a_mac_for_a_ligature_is_told_by_words_and_its_width() -> None:
    text = "The informa$on of the sta$on is posi$ve: $mes of ac$ons and the sec$on"
    meanings = {letter: letter for letter in text} | {"z": "$"}
    page = shown(text.replace("$", "z"), 50, 700, font="M") + shown("It costs $5.", 50, 660)
    whole = text.replace("$", "ti")
    assert texts(pdf(page, meanings=meanings, producer=MAC)) == [whole, "It costs $5."]
    assert texts(pdf(page, meanings=meanings)) == [text, "It costs $5."]


@pytest.mark.parametrize(
    ("text", "glyph"),
    [
        ("The informa$on and sta$on of it", "w"),  # wider than both letters
        ("Of it take data$x and tmp$y and all", "z"),  # words that nobody knows
        ("Of it $2 and $3 and $4 and $5 for sta$on and ra$on", "z"),  # mostly in no word
    ],
)
def test_a_sign_on_a_mac_that_no_word_or_width_tells_stays(text: str, glyph: str) -> None:
    meanings = {letter: letter for letter in text} | {glyph: "$"}
    page = shown(text.replace("$", glyph), 50, 700, font="M")
    assert texts(pdf(page, meanings=meanings, producer=MAC)) == [text]


def test_a_single_word_tells_a_ligature_that_has_no_character_at_all() -> None:
    text = "The e\ufffecient keeper fills the shed"
    meanings = {letter: letter for letter in text} | {"O": "\ufffe"}  # an O is as wide as "ffi"
    page = shown(text.replace("\ufffe", "O"), 50, 700, font="M")
    assert texts(pdf(page, meanings=meanings, producer=MAC)) == ["The efficient keeper fills the shed"]


def test_the_capitals_of_a_mac_for_ligatures_are_those() -> None:
    text = "The informa1on on the a2ack on so3ware of 3saka"
    meanings = {letter: letter for letter in text} | dict(zip("123", "ƟƩŌ", strict=True))
    page = shown(text, 50, 700, font="M")
    assert texts(pdf(page, meanings=meanings)) == ["The information on the attack on software of Ōsaka"]


def test_the_check_mark_of_a_font_of_signs_is_that() -> None:
    page = shown("It is shut ", 50, 700) + "BT /A 10 Tf 120 700 Td (\\000X) Tj ET\n"
    assert texts(pdf(page)) == ["It is shut ✓"]


def test_a_blank_that_is_not_of_the_file_and_no_wider_than_between_letters_is_none() -> None:
    of_scan = spaced("The ani", 60, "m", 150, "al is form", 150, "ed of it", x=50, y=700)
    assert texts(pdf(of_scan)) == ["The animal is formed of it"]
    without_blanks = spaced("The", 150, "animal", 150, "is", 150, "formed", x=50, y=700)
    assert texts(pdf(without_blanks)) == ["The animal is formed"]


def test_columns_of_han_and_kana_are_read_from_right_to_left() -> None:
    text = "縦書きの文章は右から左へ読むことになっている。次の行はその左にある"
    letters = dict(zip(dict.fromkeys(text), map(chr, range(0x41, 0x7F)), strict=False))
    columns = (text[:12], text[12:24], text[24:])
    page = "".join(
        shown(letters[letter], 500 - 18 * column, 700 - 14 * row, font="M", size=12)
        for column, said in enumerate(columns)
        for row, letter in enumerate(said)
    )
    assert texts(pdf(page, meanings={code: letter for letter, code in letters.items()})) == [text]


@pytest.mark.parametrize(
    ("said", "read"),
    [("부두의 창고에 밧줄이 있다", "부두의 창고에 밧줄이 있다"), ("港口 仓库里 有绳子", "港口仓库里有绳子")],
)
def test_blanks_that_are_only_room_part_words_of_hangul_but_not_of_han(said: str, read: str) -> None:
    meanings = {chr(ord("a") + number): letter for number, letter in enumerate(dict.fromkeys(said.replace(" ", "")))}
    codes = {letter: code for code, letter in meanings.items()}
    words = ["".join(codes[letter] for letter in word) for word in said.split()]
    set_apart = [part for word in words for part in (word, 300)][:-1]
    assert texts(pdf(spaced(*set_apart, x=50, y=700, font="K"), meanings=meanings)) == [read]


def test_wrapped_han_that_stands_closely_has_no_blank() -> None:
    above, below = Line((Cell("公路技术", 91, 133),), 1, 148, 10.6), Line((Cell("等级", 101, 123),), 1, 155.8, 10.6)
    assert side_by_side([above, below])[0].text == "公路技术等级"


def _unseen(*words: str, x: float, y: float, pitch: float) -> str:
    """The text under the picture of a scan: each word for itself, and none in the letters of the picture."""
    begins = [x + pitch * len("".join(words[:index])) for index in range(len(words))]
    return "".join(
        f"BT 3 Tr /C 10 Tf {begin:.2f} {y} Td ({word}) Tj ET\n" for word, begin in zip(words, begins, strict=True)
    )


def test_words_of_a_scan_that_stand_closely_are_parted() -> None:
    page = _unseen("This", "observation", "is", "of", "interest", x=50, y=700, pitch=5.9)
    page += _unseen("for", "all", "who", "sail", "the", "harbour", x=50, y=688, pitch=5.9)
    assert texts(pdf(page)) == ["This observation is of interest for all who sail the harbour"]
    letter_by_letter = _unseen(*"Thisobservation", x=50, y=700, pitch=5.9)
    assert texts(pdf(letter_by_letter)) == ["Thisobservation"]


def _slide(number: int, x: float, y: float, *, counted: bool = True) -> str:
    """A slide whose upper left corner is at a point, with its number in its lower right corner."""
    said = shown(f"Slide about rope {'abcdefghijklmnop'[number]}", x, y - 40, size=14)
    said += shown(f"The rope {'abcdefghijklmnop'[number]} is long", x, y - 70)
    return said + (shown(str(number), x + 180, y - 180) if counted else "")


def _said(content: bytes) -> str:
    return "\n".join(text for block in blocks(content) for text in (*block.headings[-1:], block.text))


def test_the_numbers_of_slides_printed_two_to_a_page_are_left_out() -> None:
    pages = [_slide(2 * page - 1, 150, 700) + _slide(2 * page, 150, 320) for page in range(1, 6)]
    assert not re.search(r"\d", _said(pdf(*pages)))
    pages = [_slide(page, 150, 700) + _slide(10, 150, 320, counted=False) for page in range(1, 6)]  # of each page
    assert re.search(r"\d", _said(pdf(*pages)))


def test_slides_printed_four_to_a_page_are_read_slide_by_slide() -> None:
    pages = [
        "".join(
            _slide(4 * page + 1 + slide, 60 + 300 * (slide % 2), 760 - 400 * (slide // 2))
            for slide in (3, 0, 2, 1)  # no matter how the file has them
        )
        for page in range(3)
    ]
    assert re.findall(r"The rope (\w)", _said(pdf(*pages))) == list("bcdefghijklm")


def test_the_letters_of_an_index_are_no_headings() -> None:
    page = (
        shown("Of ropes", 50, 700)
        + shown("The rope is long.", 50, 680)
        + shown("Index", 50, 640)
        + "".join(shown(entry, 50, 620 - 12 * row) for row, entry in enumerate(("A", "anchor, 3", "B", "buoy, 4")))
    )
    bookmarks = {"Of ropes": (1, 710), "Index": (1, 650), "A": (1, 632), "B": (1, 608)}
    assert {block.headings for block in blocks(pdf(page, bookmarks=bookmarks))} == {("Of ropes",), ("Index",)}


def test_a_blank_upon_a_ligature_is_none() -> None:
    meanings = {letter: letter for letter in "to le it"} | {"#": "fi"}
    assert texts(pdf(spaced("to #", -278, " le it", x=50, y=700, font="M"), meanings=meanings)) == ["to file it"]


def test_a_hyphen_at_the_end_of_a_line_of_a_listing_stays() -> None:
    page = shown("image: harbour-", 50, 700, font="C") + shown("ferry.png", 50, 688, font="C")
    assert texts(pdf(page)) == ["image: harbour-\nferry.png"]


def test_a_dot_that_stands_alone_is_left_out() -> None:
    page = shown("The ferry leaves at noon", 50, 700) + "".join(
        shown(".", 400 + 6 * number, 30 + 7 * (number % 2), size=4) for number in range(4)
    )
    assert texts(pdf(page)) == ["The ferry leaves at noon"]


def test_a_foot_of_four_lines_is_left_out() -> None:
    feet = ("Harbour board", "Ask for Karl", "Prices may change", "All ropes are sold as seen")
    words = ("Ropes", "Paint", "Nails")
    pages = [
        shown(f"{word} lie in the shed", 50, 700)
        + "".join(shown(foot, 50, 70 - 12 * row, size=8) for row, foot in enumerate(feet))
        for word in words
    ]
    assert texts(pdf(*pages)) == [f"{word} lie in the shed" for word in words]


def test_a_label_after_the_end_of_the_page_does_not_go_on_with_a_sign_above_it() -> None:
    signs = "".join(shown("%", 50, 676 - 12 * row) for row in range(2))
    first = shown("Name of the ferry and its share:", 50, 700) + shown("of all tickets sold", 50, 688) + signs
    assert texts(pdf(first, shown("them", 50, 740)))[-1] == "them"


def test_a_heading_below_two_boxes_stands_after_both() -> None:
    left = ("Ropes", "Paint", "Nails and screws")
    right = ("Ferry", "Yes or no", "Ask for Karl")
    page = (
        shown("Signed by Karl", 50, 400)
        + "".join(shown(text, 50, 700 - 24 * row) for row, text in enumerate(left))
        + "".join(shown(text, 400, 688 - 24 * row) for row, text in enumerate(right))
        + shown("What Karl says", 120, 560, font="B")
        + shown("Nobody has seen the ferry since it left for the island with forty passengers and the dog.", 50, 540)
    )
    assert [block.headings for block in blocks(pdf(page)) if "Ferry" in block.text] == [()]


def test_the_short_sentences_of_a_slide_stay_apart() -> None:
    said = [*("Karl has the ropes", "Mia paints the ferry") * 4, "Nobody leaves before noon, and all are hungry"]
    page = "".join(shown(text, 50, 700 - 24 * row) for row, text in enumerate(said))
    assert texts(pdf(page)) == said


def test_a_large_label_among_those_of_a_plot_is_no_heading() -> None:
    ticks = "".join(shown(str(tick), 100, 500 + 30 * tick, size=8) for tick in (2, 1, 0))
    label = shown("Ferries", 150, 480, size=14)
    caption = shown("Figure 1: Ferries of a day", 100, 460)
    text = "".join(shown("Nobody has seen the ferry since it left.", 50, 400 - 12 * row) for row in range(9))
    read = blocks(pdf(shown("Harbour", 50, 740, size=20) + ticks + label + caption + text))
    assert {block.headings for block in read} == {("Harbour",)}


def test_a_formula_in_large_letters_is_no_heading() -> None:
    text = "".join(shown("Nobody has seen the ferry since it left.", 50, 600 - 12 * row) for row in range(9))
    page = shown("Harbour", 50, 740, size=20) + shown("sum of ropes = 12", 150, 650, size=14) + text
    assert {block.headings for block in blocks(pdf(page))} == {("Harbour",)}


def test_a_title_that_slides_in_a_row_have_stays_and_that_of_most_slides_is_left_out() -> None:
    told = (
        "They are of hemp.",
        "They dry slowly.",
        "They last for years.",
        "It dries.",
        "Karl has it.",
        "All is well.",
    )
    titles = ("Ropes of the harbour",) * 3 + ("Paint", "Paint", "Ferries")

    def read(titles: Sequence[str]) -> set[tuple[str, ...]]:
        slides = [
            shown(title, 50, 560, size=20) + shown(text, 50, 300) + shown("Mia paints the ferry.", 50, 280)
            for title, text in zip(titles, told, strict=True)
        ]
        return {block.headings for block in blocks(pdf(*slides).replace(b"[0 0 600 800]", b"[0 0 800 600]"))}

    assert read(titles) == {
        ("Ropes of the harbour",),
        ("Ropes of the harbour", "Paint"),
        ("Ropes of the harbour", "Ferries"),
    }
    assert read(("Harbour",) * 6) == {()}


def test_bold_words_far_apart_name_columns_and_are_no_heading() -> None:
    page = (
        spaced("What Karl sells", 9000, "What Mia buys", x=50, y=700, font="B")
        + shown("Ropes of hemp that last for years.", 50, 660)
        + spaced("1", 4000, "Ferries", x=50, y=600, font="B")
        + shown("They leave at noon.", 50, 580)
    )
    assert [block.headings for block in blocks(pdf(page))] == [(), (), ("1 Ferries",)]


def test_labels_beside_paragraphs_stand_above_them() -> None:
    labels = "".join(shown(label, 50, 700 - 100 * row) for row, label in enumerate(("Ropes", "Paint", "Ferries")))
    said = "Nobody has seen it since it left for the island"
    paragraphs = "".join(shown(said, 200, 704 - 100 * row - 12 * line) for row in (0, 1, 2) for line in range(3))
    first = shown("This is what all of the harbour has to say of its ropes and ferries.", 50, 760)
    text = " ".join([said] * 3)
    assert texts(pdf(paragraphs + labels + first))[1:] == ["Ropes", text, "Paint", text, "Ferries", text]


def test_labels_that_a_scan_has_before_all_text_beside_them_stand_above_their_text() -> None:
    labels = "".join(shown(f"[Ka{year}]", 50, 700 - 40 * row) for row, year in enumerate((91, 92, 93, 94)))
    said = "".join(
        shown(f"Of {rope} and of all that has been made of it in the harbour", 130, 700 - 40 * row)
        + shown("of the island, by a chandler.", 130, 688 - 40 * row)
        for row, rope in enumerate(("hemp", "cotton", "nylon", "wire"))
    )
    read = texts(pdf(labels + said))
    assert [text.split()[0] for text in read] == [
        *("[Ka91]", "Of", "[Ka92]", "Of", "[Ka93]", "Of", "[Ka94]", "Of"),
    ]


def test_what_is_set_sideways_is_no_title() -> None:
    stamp = "BT /F 20 Tf 0 1 -1 0 30 200 Tm (Printed in May) Tj ET\n"
    page = shown("Ropes", 50, 700, size=14) + "".join(
        shown("Nobody has seen the ferry since it left.", 50, 660 - 12 * row) for row in range(4)
    )
    assert document(pdf(stamp + page)).title == "Ropes"


def test_a_formula_that_comes_after_the_words_around_it_stands_between_them() -> None:
    words = Line((Cell("So U", 50, 72), Cell("produces", 160, 200)), 1, 100, 10)
    (line,) = side_by_side([words, Line((Cell("= 0.63", 76, 150),), 1, 100, 12)])
    assert line.text == "So U = 0.63 produces"


def test_dots_that_lead_to_a_number_are_no_cells() -> None:
    rows = (("16", "Tax", 8), ("17", "Amount of ropes", 5), ("18", "Paint", 7))
    page = "".join(
        shown(number, 50, 700 - 12 * row)
        + shown(label, 80, 700 - 12 * row)
        + "".join(shown(".", 300 - 12 * dot, 700 - 12 * row) for dot in range(dots, 0, -1))
        + shown(number, 310, 700 - 12 * row)
        for row, (number, label, dots) in enumerate(rows)
    )
    assert texts(pdf(page)) == ["16 | Tax | 16\n17 | Amount of ropes | 17\n18 | Paint | 18"]


def test_small_words_below_a_large_figure_are_no_piece_of_it() -> None:
    for left, right in ((69, 194), (110, 150)):
        lines = [Line((Cell("2.5", 95, 166),), 1, 212, 45), Line((Cell("tonnes of rope", left, right),), 1, 232, 14)]
        assert side_by_side(lines) == lines


def test_a_paragraph_does_not_go_on_below_a_larger_line() -> None:
    said = "nobody has seen the ferry with forty passengers"
    page = "".join(
        shown(number, left, 600, size=30)
        + shown(said, left, 570, size=9)
        + shown("since it left in May of 2022", left, 559, size=9)
        for number, left in (("12", 50), ("14", 320))
    )
    assert texts(pdf(page)) == [
        "12",
        f"{said} since it left in May of 2022",
        "14",
        f"{said} since it left in May of 2022",
    ]


def test_bold_words_side_by_side_are_no_headings() -> None:
    said = "".join(
        shown("Nobody has seen the ferry since it left for the island.", 50, 500 - 12 * row) for row in range(4)
    )

    def read(*lines: str) -> set[tuple[str, ...]]:
        return {block.headings for block in blocks(pdf("".join(lines) + said)) if block.text.startswith("Nobody")}

    names = shown("Rope", 50, 600, font="B"), shown("of the", 250, 612, font="B"), shown("harbour", 250, 600, font="B")
    assert read(*names) == {()}
    assert read(spaced("What Karl sells", 9000, "What Mia buys", x=50, y=600, size=12)) == {()}
    assert read(spaced("What Karl sells", 9000, "12/15", x=50, y=600, size=12)) == {("What Karl sells 12/15",)}
    assert read(*names[:1]) == {("Rope",)}


def test_a_reference_that_is_stretched_to_fill_its_line_is_no_row_of_cells() -> None:
    lines = (
        spaced(
            f"[{number}]", 560, "A.", 1400, "Smith.", 1400, "Simulation", 1400, "of", 1400, "ropes", x=50, y=700 - at
        )
        for number, at in ((1, 0), (2, 12), (3, 24))
    )
    assert texts(pdf("".join(lines)))[0].startswith("[1] A. Smith. Simulation of ropes")


def test_a_wide_gap_after_a_sentence_in_a_stretched_line_parts_no_cells() -> None:
    said = (
        ("of", 500, "ropes", 500, "and", 500, "boats.", 1350, "He", 500, "has", 500, "seen", 500, "many"),
        ("of", 520, "them", 520, "and", 520, "their", 520, 'sails."', 1450, "But", 520, "nobody"),
        ("has", 480, "told", 480, "him", 480, "why.", 1250, "So", 480, "he", 480, "leaves."),
    )
    page = "".join(spaced(*line, x=50, y=700 - 12 * row) for row, line in enumerate(said))
    (text,) = texts(pdf(page))
    assert text.startswith('of ropes and boats. He has seen many of them and their sails." But nobody has told')


def test_signs_of_a_listing_that_stand_a_little_apart_stay_at_their_words() -> None:
    page = spaced("moor", 140, "\\(", 140, "hemp.rope", 140, "\\)", 700, "knot", x=50, y=700, font="C")
    assert texts(pdf(page + shown("return knot", 50, 688, font="C"))) == ["moor(hemp.rope) knot\nreturn knot"]


def test_a_long_listing_does_not_make_headings_of_all_prose() -> None:
    code = "".join(shown("return knot", 50, 400 - 8 * row, font="C", size=8) for row in range(45))
    prose = "".join(shown("Ropes are made of hemp that grows", 50, 700 - 12 * row) for row in range(12))
    page = shown("Ropes", 50, 740, size=14) + prose + shown("where nobody goes", 50, 450) + code
    headings = {heading for block in blocks(pdf(page)) for heading in block.headings}
    assert headings == {"Ropes"}


def test_text_beside_the_many_labels_of_plots_is_not_read_row_by_row() -> None:
    labels = [
        Line((Cell("0.5", left, left + 9),), 1, 400 - 9 * tick, 5) for left in (60, 120, 180) for tick in range(9)
    ]
    said = "Nobody has seen the ferry since it left for the island"
    text = [Line((Cell(said, 320, 560),), 1, 328 + 9 * row, 10) for row in range(9)]
    assert in_rows([*labels, *text]) == [*labels, *text]


def test_recognised_text_with_gaps_anywhere_is_no_table() -> None:
    said = (
        ("Sequences of", 1500, "transactions", 1200, "with others"),
        ("and plans", 2500, "that can overlap", 900, "in the"),
        ("way of old", 1000, "ferries", 2600, "and of all of"),
        ("the ropes that", 1300, "were", 1900, "lost before"),
    )
    page = "".join(spaced(*line, x=50, y=700 - 12 * row) for row, line in enumerate(said))
    (text,) = texts(pdf(page))
    assert "transactions with others and plans that can overlap" in text


def test_the_lines_of_a_centred_cell_are_one_cell() -> None:
    def centred(middle: float, top: float, *lines: str) -> str:
        return "".join(shown(line, middle - 2.78 * len(line), top - 12 * row) for row, line in enumerate(lines))

    page = (
        centred(100, 700, "10")
        + centred(250, 700, "2001", "200200200", "2003")
        + centred(400, 700, "301", "302302", "303")
        + "".join(centred(middle, 652, text) for middle, text in ((100, "11"), (250, "21"), (400, "31")))
        + "".join(centred(middle, 640, text) for middle, text in ((100, "12"), (250, "22"), (400, "32")))
    )
    assert texts(pdf(page)) == ["10 | 2001 200200200 2003 | 301 302302 303\n11 | 21 | 31\n12 | 22 | 32"]


def test_a_letter_upon_the_first_of_a_row_has_no_room_in_it() -> None:
    row = Line((Cell("|", 50, 50.4), Cell("ropes", 160, 200)), 1, 100, 10)
    sign = Line((Cell("=", 49.5, 55),), 1, 100.5, 10)
    assert not row.has_room_for(sign)


def test_letters_that_stand_on_their_head_in_their_font_are_read_downwards() -> None:
    lines = ("Ropes are of hemp.", "Ferries are of oak.", "Nails are of iron.")
    page = "".join(f"BT /F 10 Tf 1 0 0 -1 50 {700 - 40 * row} Tm ({line}) Tj ET\n" for row, line in enumerate(lines))
    assert texts(pdf(page)) == list(lines)


@pytest.mark.parametrize(
    ("lines", "read"), [(("two123masted boats",), "two-masted boats"), (("boats with ma123", "ts"), "boats with mats")]
)
def test_a_hyphen_that_is_written_as_three_is_one(lines: tuple[str, ...], read: str) -> None:
    meanings = {"1": "-", "2": "\u00ad", "3": "\u2010"} | {letter: letter for letter in "abdehimostw "}
    page = "".join(shown(line, 50, 700 - 12 * row, font="M") for row, line in enumerate(lines))
    assert texts(pdf(page, meanings=meanings)) == [read]


def test_circled_numbers_are_the_marks_of_items() -> None:
    meanings = {"a": "①", "b": "②", "c": "③"}
    lines = ("ropes of hemp and flax", "paint, which is red", "nails of the smith")
    page = "".join(
        shown(mark, 50, 700 - 14 * row, font="M") + shown(line, 75, 700 - 14 * row)
        for row, (mark, line) in enumerate(zip("abc", lines, strict=True))
    )
    assert texts(pdf(page, meanings=meanings)) == [f"{mark} {line}" for mark, line in zip("①②③", lines, strict=True)]


def test_what_stands_sideways_in_the_margin_of_every_page_is_left_out() -> None:
    said = "Taken from the shelf of the harbour on 7 May"
    stamp = f"BT /F 6 Tf 0 1 -1 0 580 100 Tm ({said}) Tj ET\n"
    more = "It has been there since the day on which the old keeper left the harbour."
    pages = [
        shown(f"The {name} lies at the quay.", 50, 400) + shown(more, 50, 340) + stamp
        for name in ("Petrel", "Gannet", "Tern")
    ]
    assert not any(said in text for text in texts(pdf(*pages)))
    assert sum(said in text for text in texts(pdf(*pages[:2]))) == 2
    assert sum(said in text for text in texts(pdf(shown(said, 50, 500) + pages[0], *pages[1:]))) == 1


def test_lines_of_chinese_with_two_spaces_between_them_are_one_paragraph() -> None:
    lines = ["abcdefghabcdefgh", "hgfedcbahgfedcba", "abcdabcdabcdabcd", "efghefghefghefgh"]
    page = "".join(shown(line, 50, 700 - 26 * row, font="K") for row, line in enumerate([*lines, *lines[::-1]]))
    assert len(texts(pdf(page, meanings=HAN))) == 1


def tight(*words: str, y: float) -> str:
    """A line with so little room between words that pdfium writes no blank where it is a bit less: before a plus."""
    parts: list[str | int] = [words[0]]
    for word in words[1:]:
        parts += [130 if word[0] == "+" else 145, word.removeprefix("+")]
    return spaced(*parts, x=50, y=y)


def test_words_stay_apart_where_there_is_little_room_between_them() -> None:
    lines = (
        "the ropes of the boat lie on its deck and +nobody knows",
        "who has put them there as the boat +ropes that were left",
        "on the quay are of a +longer +kind than those on deck",
    )
    page = "".join(tight(*line.split(), y=700 - 12 * row) for row, line in enumerate(lines))
    assert texts(pdf(page)) == [" ".join(lines).replace("+", "")]


def test_words_stay_apart_after_a_comma_where_others_had_little_room() -> None:
    lines = (
        "the ropes of the boat lie on its deck and +nobody knows",
        "who has put them there, +though the boat, +as they say, left",
        "for www.example.org",
    )
    page = "".join(tight(*line.split(), y=700 - 12 * row) for row, line in enumerate(lines))
    assert texts(pdf(page)) == [" ".join(lines).replace("+", "")]


def test_a_word_is_one_though_it_has_other_words_in_it() -> None:
    lines = ("the land of the lord and the boat", "and its landlord with the boatyard")
    page = "".join(tight(*line.split(), y=700 - 12 * row) for row, line in enumerate(lines))
    kerned = spaced("the", 145, "land", 30, "lord", 145, "of", 145, "the", 145, "boat", 60, "yard", x=50, y=676)
    assert texts(pdf(page + kerned)) == [" ".join((*lines, "the landlord of the boatyard"))]


def test_a_page_of_many_words_or_of_a_long_one_takes_no_square_of_its_length() -> None:
    def asking(text: str) -> Callable[[], object]:
        return lambda: list(Words().doubtful(text))

    def many(count: int) -> Callable[[], object]:
        in_letters = str.maketrans("01", "ab")
        return asking(" ".join(f"the{number:b}".translate(in_letters) for number in range(count)))

    assert grows_evenly(many, 16_000)
    assert grows_evenly(lambda length: asking("the land " + "abcdefgh" * (length // 8)), 64_000)


def test_letters_that_are_spread_are_one_word_though_it_begins_like_another() -> None:
    spread = spaced("the", 500, "b", 130, "o", 130, "a", 130, "t", 130, "y", 130, "a", 130, "r", 130, "d", x=50, y=688)
    page = tight("the", "boat", "is", "in", "the", "yard", y=700)
    assert texts(pdf(page + spread)) == ["the boat is in the yard the boatyard"]


def test_a_damaged_file_is_told_as_such_also_after_an_encrypted_one() -> None:
    standard = f"<</Filter/Standard/V 1/R 2/O({'o' * 32})/U({'u' * 32})/P -4>>"
    needs_password = f"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R/Encrypt {standard}/ID[(a)(b)]>>\n"
    pages = "%PDF-2.0\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n"
    table = "<</Type/XRef/Size 4/W[1 2 1]/Root 1 0 R/Filter/Unknown/Length 4>>stream\nabcd\nendstream endobj\n"
    damaged = f"{pages}3 0 obj{table}startxref\n{len(pages)}\n%%EOF\n"
    for content, reason in ((needs_password, "encrypted: needs a password"), (damaged, "damaged: no pages")) * 2:
        with pytest.raises(Unreadable, match=reason):
            reading(content.encode())


def test_numbers_of_a_typewriter_with_a_blank_between_them_stay_in_their_cell() -> None:
    rows = [("Shop", "DE12 1234 5678"), ("Quay", "DE34 1111 2222"), ("Pier", "DE56 3333 4444")]
    page = "".join(
        shown(label, 50, 700 - 12 * row) + shown(account, 150, 700 - 12 * row, font="U")
        for row, (label, account) in enumerate(rows)
    )
    meanings = {letter: letter for letter in "DE 12345678"}
    assert texts(pdf(page, meanings=meanings)) == ["\n".join(" | ".join(row) for row in rows)]


def test_the_title_of_a_block_in_slightly_larger_letters_stands_apart() -> None:
    lines = ["The rope that moors the boat to the quay of the old harbour is", "called a painter."]
    page = shown("Definition", 50, 714, size=11)
    page += "".join(shown(line, 50, 700 - 12 * row) for row, line in enumerate(lines))
    assert texts(pdf(page)) == ["Definition", " ".join(lines)]


def test_remarks_with_several_stars_are_items() -> None:
    notes = ["* with the tax", "** without the paint of the last year", "*** in hemp"]
    page = "".join(shown(note, 50, 700 - 12 * row) for row, note in enumerate(notes))
    assert texts(pdf(page)) == [f"- {notes[0][2:]}", *notes[1:]]


def test_the_lines_of_a_listing_far_below_or_beside_each_other_are_one() -> None:
    long = "The boats are tied up to the quay of the old harbour, but not when the ferry is"
    prose = "".join(shown(line, 50, 760 - 12 * row) for row, line in enumerate((long, "late", long, "early", long)))
    code = [(50, "if moored:"), (74, "leave()"), (50, "else"), (98, "moor(rope)")]
    listing = "".join(shown(line, x, 680 - 20 * row, font="C") for row, (x, line) in enumerate(code))
    read = texts(pdf(prose + listing))
    assert [line.strip() for line in read[-1].splitlines()] == [line for _, line in code]


def test_a_raised_minus_before_an_item_is_a_bullet() -> None:
    page = "".join(
        shown("A", 50, 700 - 12 * row, font="M") + shown(item, 60, 700 - 12 * row)
        for row, item in enumerate(("rope", "paint"))
    )
    assert texts(pdf(page, meanings={"A": "\u207b"})) == ["- rope", "- paint"]
