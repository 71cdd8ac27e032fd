"""PDF: the signs of fonts whose characters are private, or letters that their signs do not look like."""

from __future__ import annotations

import pytest

from tests.unit.corpus.test_read_pdf import pdf, shown, texts

MEANINGS = {letter: letter for letter in "abcdefghijklmnopqrstuvwxyz ,."}


def line_with(sign: str, font: str) -> str:
    return shown("the tide", 50, 700, font="M") + shown(sign, 100, 700, font=font) + shown("the quay", 120, 700)


@pytest.mark.parametrize(
    ("meaning", "font", "sign"),
    [
        ("\uf0a3", "G", "≤"),
        ("\uf0d8", "G", "¬"),
        ("\uf062", "G", "β"),
        ("\uf0e0", "H", "→"),
        ("à", "H", "→"),
        ("à", "M", "à"),
    ],
)
def test_a_sign_of_symbol_or_of_wingdings_is_that_sign(meaning: str, font: str, sign: str) -> None:
    page = line_with("A", font)
    assert texts(pdf(page, meanings=MEANINGS | {"A": meaning})) == [f"the tide {sign} the quay"]


@pytest.mark.parametrize(("parts", "font"), [("\uf0e6\uf0e7\uf0e8", "G"), ("\uf8eb\uf8ec\uf8ed", "M")])
def test_of_a_large_bracket_in_parts_one_is_left(parts: str, font: str) -> None:
    page = "".join(shown(part, 100, y, font=font) for part, y in (("A", 708), ("B", 700), ("C", 692)))
    meanings = MEANINGS | dict(zip("ABC", parts, strict=True))
    read = texts(pdf(page + shown("the tide and the quay", 120, 700), meanings=meanings))
    assert "".join(read).count("(") == 1
    assert not any("\uf020" <= letter < "\uf900" for text in read for letter in text)


@pytest.mark.parametrize("bullet", ["v", "§", "l"])
def test_a_letter_of_wingdings_before_an_item_is_a_bullet(bullet: str) -> None:
    items = ("ropes of hemp", "paint")
    page = "".join(
        shown("A", 50, 700 - 12 * row, font="H") + shown(item, 60, 700 - 12 * row) for row, item in enumerate(items)
    )
    assert texts(pdf(page, meanings={"A": bullet})) == [f"- {item}" for item in items]


def test_old_figures_and_small_capitals_of_adobe_are_figures_and_capitals() -> None:
    meanings = MEANINGS | dict(zip("ABCDE", "\uf731\uf739\uf761\uf7e9\uf8ea", strict=True))
    page = shown("in ABAB, the port of CD and its ropes E", 50, 700, font="M")
    assert texts(pdf(page, meanings=meanings)) == ["in 1919, the port of AÉ and its ropes ™"]
