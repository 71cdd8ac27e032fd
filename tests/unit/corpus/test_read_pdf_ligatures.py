"""PDF: ligatures of which a font tells the last letter alone."""

from __future__ import annotations

import pytest

from tests.unit.corpus.test_read_pdf import pdf, shown, texts

GHOSTSCRIPT = "GPL Ghostscript 9.06"

# Each is about as wide as the letters that it stands for.
CUT = {"x": "i", "z": "l", "?": "f"}


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("a signixcant number of lamps is in the shed", "a significant number of lamps is in the shed"),
        ("a conzict of the keepers in the left shed", "a conflict of the keepers in the left shed"),
        ("the e?ect of a lamp in the left shed", "the effect of a lamp in the left shed"),
    ],
)
def test_a_ligature_that_tells_only_its_last_letter_has_all_of_them(written: str, read: str) -> None:
    assert texts(pdf(shown(written, 50, 700, font="M"), meanings=CUT, producer=GHOSTSCRIPT)) == [read]


def test_a_ligature_is_told_though_its_font_has_that_letter_nowhere_else() -> None:
    page = shown("The xnal number of all the lamps for Karl", 50, 700, font="M")
    whole = ["The final number of all the lamps for Karl"]
    assert texts(pdf(page, meanings=CUT, producer=GHOSTSCRIPT)) == whole


def test_a_wide_letter_of_another_program_is_no_ligature() -> None:
    page = shown("a signixcant number of lamps is in the left shed", 50, 700, font="M")
    assert texts(pdf(page, meanings=CUT, producer="Other")) == ["a signiicant number of lamps is in the left shed"]


def test_a_ligature_that_tells_all_its_letters_has_no_more() -> None:
    page = shown("a signixcant number of lamps is in the left shed", 50, 700, font="M")
    whole = texts(pdf(page, meanings={"x": "fi"}, producer=GHOSTSCRIPT))
    assert whole == ["a significant number of lamps is in the left shed"]
