"""PDF: pages that are read from right to left."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.unit.corpus.test_read_pdf import pdf, shown, texts

# In points: how wide are the letters and figures that are written here, and a blank or a full stop.
_WIDTH, _NARROW = 5.56, 2.78

HEBREW = dict(zip("abdeghnopqu", "אבגדהוזחטיכ", strict=True)) | {letter: letter for letter in "0123456789. "}
ARABIC = dict(zip("abdegh", "بتثجحخ", strict=True)) | {" ": " ", "o": "لا", "n": "ـ"}


def from_right(text: str, right: float, y: float) -> str:
    """What sets *text* so that it begins at *right*. Its figures run from left to right all the same."""
    words = [word if word[0].isdigit() else word[::-1] for word in reversed(text.split(" "))]
    narrow = sum(letter in " ." for letter in text)
    return shown(" ".join(words), right - _WIDTH * (len(text) - narrow) - _NARROW * narrow, y, font="M")


def read(*lines: tuple[str, float, float], meanings: Mapping[str, str] = HEBREW) -> list[str]:
    return texts(pdf("".join(from_right(*line) for line in lines), meanings=meanings))


def meant(text: str, meanings: Mapping[str, str] = HEBREW) -> str:
    return "".join(meanings.get(letter, letter) for letter in text)


def test_the_cells_of_a_row_are_read_from_the_right_one_on() -> None:
    rows = [("abd eg", "120", "hn op"), ("qqua", "3450", "gn"), ("abu", "67", "dog ep")]
    lines = [
        (cell, right, 700 - 14 * row)
        for row, cells in enumerate(rows)
        for cell, right in zip(cells, (550, 400, 300), strict=True)
    ]
    assert read(*lines) == [meant("\n".join(" | ".join(row) for row in rows))]


def test_lines_go_on_with_the_sentence_above_them() -> None:
    lines = (
        ("abd egh nop qua bdeg hnopq uab degh nopq", 500, 700),
        ("abd egh 2024 nop quab degh nopq uabd egh", 500, 686),
        ("abd egh.", 500, 672),
        ("nop qua bdeg hnopq uab degh nopq abd", 480, 658),
        ("egh nop.", 500, 644),
    )
    first, second, third, fourth, fifth = (meant(text) for text, *_ in lines)
    assert read(*lines) == [f"{first} {second} {third}", f"{fourth} {fifth}"]


def test_the_right_one_of_two_columns_is_the_first() -> None:
    column = ("abd egh nop qua bdeg", "hnop qua bdegh nopq.") * 4
    left = [(text, 260, 700 - 14 * row) for row, text in enumerate(column)]
    right = [(f"u{text[1:]}", 550, 700 - 14 * row) for row, text in enumerate(column)]
    assert read(*(line for pair in zip(left, right, strict=True) for line in pair)) == [
        meant(" ".join(text for text, *_ in right)),
        meant(" ".join(text for text, *_ in left)),
    ]


def test_a_sign_for_two_letters_is_those_in_their_order() -> None:
    assert read(("abo dog", 500, 700), meanings=ARABIC) == [meant("abo dog", ARABIC)]


@pytest.mark.parametrize(("first", "last"), [("<", ">"), (">", "<")])
def test_brackets_open_before_they_close_whichever_the_file_means(first: str, last: str) -> None:
    meanings = HEBREW | {"<": "(", ">": ")"}
    assert read((f"abd {first}egh{last} nop", 500, 700), meanings=meanings) == [meant("abd <egh> nop", meanings)]


def test_words_are_those_that_they_were_before_they_filled_a_line() -> None:
    assert read(("abnnd eng", 500, 700), meanings=ARABIC) == [meant("abd eg", ARABIC)]
