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


@pytest.mark.parametrize(
    ("written", "font", "sign"),
    [
        ("\\000\\001", "O", "()"),
        *(("\\000\\" + code, "Z", sign) for code, sign in (("002", "["), ("006", "⌈"))),
        *(("\\000" + code, "Z", sign) for code, sign in (("p", "√"), ("h", "["), ("S", "⋃"), ("V", "⋀"))),
        *(("\\000" + code, "Y", sign) for code, sign in (("`", "⊢"), ("'", "≃"), (">", "⊤"), ("0", "′"))),
        ("\\0000\\0000", "Y", "′′"),
    ],
)
def test_a_sign_of_tex_without_a_character_is_that_sign(written: str, font: str, sign: str) -> None:
    page = shown("the tide", 50, 700) + shown(written, 100, 700, font=font) + shown("the quay", 120, 700)
    assert texts(pdf(page)) == [f"the tide {sign} the quay"]


@pytest.mark.parametrize(("struck", "sign"), [("\u0338=", "≠"), ("\u0338∈", "∉"), ("\u0338R", "\u0338R")])
def test_a_sign_that_is_struck_out_is_one_sign(struck: str, sign: str) -> None:
    meanings = MEANINGS | dict(zip("AB", struck, strict=True))
    assert texts(pdf(shown("the tide AB the quay", 50, 700, font="M"), meanings=meanings)) == [
        f"the tide {sign} the quay"
    ]


def test_a_struck_sign_of_tex_stands_between_its_words() -> None:
    page = "BT /F 10 Tf 50 700 Td (rope ) Tj /Y 10 Tf (\\0006) Tj /F 10 Tf (= oar, 6 = 6, 100, 0.0 and f00) Tj ET"
    assert texts(pdf(page)) == ["rope ≠ oar, 6 = 6, 100, 0.0 and f00"]


@pytest.mark.parametrize(("font", "shown_as"), [("V", "x(t) = 2π"), ("M", "\u0bebሺ\u0be7ሻ ൌ ଶ\u07e8")])
def test_numbers_of_glyphs_of_cambria_are_its_letters(font: str, shown_as: str) -> None:
    meanings = MEANINGS | dict(zip("ABCDEFG", "\u0bebሺ\u0be7ሻൌଶ\u07e8", strict=True))
    assert texts(pdf(shown("ABCD E FG", 50, 700, font=font), meanings=meanings)) == [shown_as]


def test_a_bullet_of_office_has_the_number_of_wingdings() -> None:
    items = ("ropes of hemp", "paint")
    page = "".join(
        shown("A", 50, 700 - 12 * row, font="U") + shown(item, 60, 700 - 12 * row) for row, item in enumerate(items)
    )
    assert texts(pdf(page, meanings={"A": "\uf06e"})) == [f"- {item}" for item in items]
    beta = shown("the angle", 50, 700) + shown("B", 100, 700, font="U") + shown("is wide", 110, 700)
    assert texts(pdf(beta, meanings={"B": "\uf062"})) == ["the angle β is wide"]
