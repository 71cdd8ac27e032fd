"""PDF: paragraphs with formulas in their lines."""

from __future__ import annotations

from tests.unit.corpus.test_read_pdf import pdf, shown, texts

CLOSE = [f"and so the boats at quay {number} of the old harbour are tied up to" for number in range(7)]
HIGH = [f"and so the tides at quay {number} of the old harbour are as high as" for number in range(2)]


def page_of(*lines: str, apart: float) -> str:
    """Lines below each other, those after the seventh *apart*."""
    heights = [700 - 12 * row - max(0, row - 6) * (apart - 12) for row in range(len(lines))]
    return "".join(shown(line, 50, y) for line, y in zip(lines, heights, strict=True))


def test_a_sentence_goes_on_below_a_formula_that_is_higher_than_its_line() -> None:
    lines = [*CLOSE, *HIGH, "stays low."]
    assert texts(pdf(page_of(*lines, apart=22))) == [" ".join(lines)]
    assert len(texts(pdf(page_of(*lines, apart=30)))) == 4


def test_what_begins_anew_far_below_a_line_stays_apart() -> None:
    for below in ("Ropes are in the shed, and the paints are there, too", "l = max(w, h) + 12"):
        assert texts(pdf(page_of(*CLOSE, below, apart=22))) == [" ".join(CLOSE), below]
    ended = [*CLOSE[:6], f"{CLOSE[6]}."]
    assert len(texts(pdf(page_of(*ended, HIGH[0], apart=22)))) == 2
    short = [*CLOSE[:6], "and so are some ships"]
    assert len(texts(pdf(page_of(*short, HIGH[0], apart=22)))) == 2


def test_short_paragraphs_on_a_page_of_them_stay_apart() -> None:
    long = "The boats are tied up to the quay of the old harbour, but not when the ferry is"
    paragraphs = [
        (long, "late in the evening."),
        ("All agree",),
        ("Ropes",),
        (long, "on the island"),
        ("Two disagree",),
    ]
    lines = [(line, 18 if at == 0 else 12) for each in 2 * paragraphs for at, line in enumerate(each)]
    heights = [700 - sum(apart for _, apart in lines[: number + 1]) for number in range(len(lines))]
    page = "".join(shown(line, 50, y) for (line, _), y in zip(lines, heights, strict=True))
    assert texts(pdf(page)) == [" ".join(each) for each in 2 * paragraphs]


def test_the_last_words_of_a_sentence_go_on_below_a_formula() -> None:
    lines = [*CLOSE, *HIGH, "as follows:"]
    assert texts(pdf(page_of(*lines, apart=22))) == [" ".join(lines)]
