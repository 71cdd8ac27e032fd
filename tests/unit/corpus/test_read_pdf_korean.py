"""PDF: lines in Korean, which may end in the middle of a word."""

from __future__ import annotations

from tests.unit.corpus.test_read_pdf import pdf, shown, texts

HANGUL = dict(zip("abdeghnopqu", "가나다라마바사아자차카", strict=True)) | {" ": " ", ".": "."}


def read(*lines: str) -> list[str]:
    page = "".join(shown(line, 50, 700 - 14 * row, font="M") for row, line in enumerate(lines))
    return texts(pdf(page, meanings=HANGUL))


def meant(text: str) -> str:
    return "".join(HANGUL[letter] for letter in text)


def test_a_word_goes_on_in_the_next_line_where_no_blank_ends_it() -> None:
    lines = ("abd egh nopqu abde ", "gh nopqu abd eghnop", "qu abdegh nopq uab ", "eghno pqu abd egh ", "nop qu.")
    assert read(*lines) == [meant("".join(lines))]


def test_words_end_where_lines_do_if_no_line_has_a_blank_there() -> None:
    lines = ("abd egh nopqu abdeg", "gh nopqu abd eghnop", "qu abdegh nopq uabe", "eghno pqu abd egh.")
    assert read(*lines) == [meant(" ".join(lines))]


def test_a_line_with_room_at_its_end_does_not_end_in_a_word() -> None:
    lines = ("abd egh nopqu", "abd egh nopqu abde ", "gh nopqu abdegh nop ", "qu abdegh nopq uab ", "nop qu.")
    assert read(*lines) == [meant(f"{lines[0]} {''.join(lines[1:])}")]
