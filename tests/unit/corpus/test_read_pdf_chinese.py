"""PDF: what Chinese is set like: no blanks after marks, lines that fill their column, room in brackets to write in."""

from __future__ import annotations

import pytest

from tests.unit.corpus.test_read_pdf import pdf, shown, spaced, texts

FULL = "把缆绳从船头系到码头的桩上，再把船尾的缆绳也系好，然后才可以离开"
SHORT = "检查缆绳"
REST = "船去仓库。"


def chinese(*lines: str | tuple[str | int, ...]) -> str:
    """Lines below each other, a number for room in one of them."""
    return "".join(
        spaced(*(line if isinstance(line, tuple) else (line,)), x=50, y=700 - 16 * row, font="K")
        for row, line in enumerate(lines)
    )


def read(*pages: str) -> list[str]:
    """The texts of those pages, where letters stand for Han that the pages have no use for."""
    used = set("".join(pages)) | set("()\\")
    free = (letter for letter in map(chr, range(33, 127)) if letter not in used)
    codes = {ord(letter): next(free) for letter in sorted(used) if letter > "\x7f"}
    meanings = {chr(code): chr(code) for code in range(32, 127)}
    meanings |= {code: chr(letter) for letter, code in codes.items()}
    return texts(pdf(*(page.translate(codes) for page in pages), meanings=meanings))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("1.", "2."),
        ("1、", "2、"),
        ("一、", "二、"),
        ("（1）", "（2）"),
        ("(1)", "(2)"),
        ("1）", "2）"),
        ("A．", "B．"),
    ],
)
def test_marks_that_no_blank_follows_begin_items(first: str, second: str) -> None:
    page = chinese(FULL + "。", f"{first}{FULL}", f"{second}{FULL}")
    assert read(page) == [f"{FULL}。", f"{first}{FULL}", f"{second}{FULL}"]


def test_marks_in_a_sentence_begin_no_items() -> None:
    assert read(chinese(FULL, f"（1）{SHORT}")) == [f"{FULL}（1）{SHORT}"]


def test_options_whose_letters_follow_one_another_stand_apart() -> None:
    lines = "A.IAR moors the boat here", "B.Keil moors the boat too", "C.GCC moors the boat now"
    assert texts(pdf("".join(shown(line, 50, 700 - 12 * row) for row, line in enumerate(lines)))) == list(lines)


def test_a_numbered_item_after_one_with_a_bullet_stands_apart() -> None:
    page = shown("- Moor the boat at both ends of it", 60, 700) + shown("2. Coil the rope", 50, 688)
    assert texts(pdf(page)) == ["- Moor the boat at both ends of it", "2. Coil the rope"]


def test_a_line_that_ends_long_before_the_edge_ends_a_paragraph() -> None:
    assert read(chinese(FULL, SHORT, FULL, REST)) == [f"{FULL}{SHORT}", f"{FULL}{REST}"]


def test_lines_beside_a_picture_are_of_one_paragraph() -> None:
    beside = FULL[:20]
    assert read(chinese(beside, beside, beside, FULL, REST)) == [beside * 3 + FULL + REST]


def test_a_word_in_brackets_that_had_no_room_ends_no_paragraph() -> None:
    assert read(chinese(FULL, FULL[:26], f"（segmenting）{FULL[:16]}")) == [
        f"{FULL}{FULL[:26]}（segmenting）{FULL[:16]}"
    ]


def test_room_in_brackets_parts_no_cells() -> None:
    questions = tuple((f"{number}、{SHORT}（", 3000, "）") for number in range(1, 5))
    assert read(chinese(*questions)) == [f"{number}、{SHORT}（ ）" for number in range(1, 5)]


def test_a_paragraph_whose_page_ends_with_a_foreign_word_goes_on() -> None:
    first = chinese(FULL, f"{FULL[:24]} harbour")
    assert read(first, chinese(FULL[::-1], REST)) == [f"{FULL}{FULL[:24]} harbour {FULL[::-1]}{REST}"]


@pytest.mark.parametrize("bullet", "⚫◼◆")
def test_bullets_of_slides_are_bullets(bullet: str) -> None:
    assert read(chinese(f"{bullet} {FULL}", f"{bullet} {FULL}")) == [f"- {FULL}"] * 2


def test_a_paragraph_of_one_line_at_the_foot_of_a_page_goes_on() -> None:
    first = chinese(FULL, FULL, REST, "", FULL[::-1])
    assert read(first, chinese(FULL, REST)) == [f"{FULL * 2}{REST}", f"{FULL[::-1]}{FULL}{REST}"]


def test_short_lines_in_a_wide_column_are_paragraphs() -> None:
    notes = ["系好船头的缆绳和船尾的", "检查所有的船头桩", "离开码头以后再把缆绳系好"]
    page = chinese(FULL, FULL, FULL, "", *notes)
    assert read(page) == [FULL * 3, *notes]


def test_a_short_line_that_ends_with_a_comma_goes_on() -> None:
    page = chinese(FULL, FULL, FULL, "", "系好船头的缆绳和船尾的，", "然后检查所有的桩。")
    assert read(page) == [FULL * 3, "系好船头的缆绳和船尾的，然后检查所有的桩。"]


def test_labels_of_two_lines_stay_whole_beside_a_wide_column() -> None:
    assert read(chinese(FULL, FULL, FULL, "", "后码头", "桩")) == [FULL * 3, "后码头桩"]


def test_sections_that_follow_one_another_stand_apart() -> None:
    sections = ["5.2.3 检查", "5.2.4 系好缆绳的船", "5.3 离开码头"]
    assert read(chinese(*sections)) == sections


def test_the_first_item_of_a_list_in_an_item_stands_apart() -> None:
    page = shown(f"4. {SHORT}", 50, 700, font="K") + shown(f"1. {FULL}", 70, 688, font="K")
    assert read(page) == [f"4. {SHORT}", f"1. {FULL}"]


@pytest.mark.parametrize("answer", ["", "ABD", " C "])
def test_the_first_option_after_a_question_stands_apart(answer: str) -> None:
    question = f"1. {FULL}（{answer}）"
    assert read(chinese(question, f"A、{FULL}")) == [question, f"A、{FULL}"]


def test_a_sign_that_no_line_begins_with_has_no_room_of_its_own() -> None:
    lines = f"4. {FULL}", f"{FULL[:31]}", f"船），{SHORT}"
    page = "".join(shown(line, 50 + 30 * bool(row), 700 - 16 * row, font="K") for row, line in enumerate(lines))
    assert read(page) == ["".join(lines)]


def test_a_caption_after_the_end_of_a_sentence_stands_apart() -> None:
    page = chinese(FULL, FULL, FULL, "") + chinese("", "", "", "", f"{SHORT}{SHORT}。")
    page += shown(f"图 2-5 {SHORT}", 120, 620, font="K") + shown(f"（1）{SHORT}{FULL[:16]}", 50, 604, font="K")
    assert read(page) == [FULL * 3, f"{SHORT}{SHORT}。", f"图 2-5 {SHORT}", f"（1）{SHORT}{FULL[:16]}"]


def test_the_number_of_an_empty_item_stands_apart() -> None:
    page = chinese(f"1. {SHORT}", "2. ", f"3. {SHORT}")
    assert read(page) == [f"1. {SHORT}", "2.", f"3. {SHORT}"]


def test_a_single_line_at_the_foot_that_begins_with_a_foreign_word_goes_on() -> None:
    last = f"exec {FULL[:26]}"
    first = chinese(FULL, FULL, f"{SHORT}。", "", last)
    assert read(first, chinese(FULL[::-1], REST))[-1] == f"{last}{FULL[::-1]}{REST}"


def test_the_number_of_a_caption_in_chinese_is_no_cell() -> None:
    page = chinese(("船头", 2000, "码头", 2000, f"{SHORT}。")) + spaced("表2-2", 2000, SHORT, x=90, y=684, font="K")
    assert read(page)[-1] == f"表2-2 {SHORT}"


@pytest.mark.parametrize("room", ["________", "____"])
def test_room_for_an_answer_in_a_sentence_parts_no_cells(room: str) -> None:
    assert read(chinese(f"1. {SHORT}{room}，{SHORT}")) == [f"1. {SHORT}____，{SHORT}"]


def test_room_before_a_stop_parts_no_cells() -> None:
    questions = tuple((f"{number}、{SHORT}", 4000, f"，{SHORT}", 4000, "。") for number in range(1, 5))
    assert read(chinese(*questions)) == [f"{number}、{SHORT} ，{SHORT} 。" for number in range(1, 5)]


def test_chapters_and_sections_of_contents_stand_apart() -> None:
    contents = ["3. 检查缆绳的船头", "3.1 系好缆绳", "3.2 离开码头的船", "4. 检查仓库"]
    assert read(chinese(*contents)) == contents


def test_a_long_paragraph_whose_last_line_on_a_page_is_ragged_goes_on() -> None:
    first = chinese(FULL, f"{FULL[:31]}", REST, "", FULL, FULL[:31])
    assert read(first, chinese(f"{FULL[::-1]}", REST))[-1] == f"{FULL}{FULL[:31]}{FULL[::-1]}{REST}"


def test_the_last_letters_of_an_indented_paragraph_belong_to_it() -> None:
    page = shown(f"（3）{FULL[:29]}", 70, 700, font="K") + shown("船。", 50, 684, font="K")
    assert read(page + shown(f"（4）{SHORT}", 70, 668, font="K")) == [f"（3）{FULL[:29]}船。", f"（4）{SHORT}"]


def test_a_rest_without_a_stop_goes_on_from_an_indented_line() -> None:
    first = chinese(FULL, FULL, REST, "") + shown(FULL[:30], 70, 620, font="K")
    assert read(first, chinese(SHORT, "", FULL))[1] == f"{FULL[:30]}{SHORT}"


def test_a_sentence_goes_on_in_a_line_of_letters_of_one_width() -> None:
    rest = "harbour[12] and mooring[1]船。"
    assert read(shown(FULL, 50, 700, font="K") + shown(rest, 50, 688, font="K")) == [f"{FULL} {rest}"]
