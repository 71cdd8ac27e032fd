from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rerank_cli.snippets import WORD, snippet, stem

TEXTS = st.one_of(
    st.text(max_size=300),
    st.lists(st.sampled_from(["brake", "brakes", "Pads.", "oil:", "\n", "x" * 90, "été", "a\u0301"])).map(" ".join),
)
WORDS = st.lists(st.one_of(st.sampled_from(["brake", "pad", "x" * 90, "été"]), st.text(max_size=8)), max_size=5)


@given(TEXTS, WORDS, st.integers(5, 120))
def test_any_text_fits_the_width_on_one_line(text: str, words: list[str], width: int) -> None:
    shown = snippet(text, words, width=width)
    assert len(shown.text) <= width
    assert len(shown.text.splitlines()) <= 1


@given(TEXTS, WORDS, st.integers(5, 120))
def test_marks_lie_on_whole_words_that_were_asked_for(text: str, words: list[str], width: int) -> None:
    shown = snippet(text, words, width=width)
    spans = [match.span() for match in WORD.finditer(shown.text)]
    assert set(shown.marks) <= set(spans)
    assert list(shown.marks) == sorted(shown.marks)
    for start, end in shown.marks:
        assert stem(shown.text[start:end]) in {stem(word) for word in words}


@given(st.integers(0, 300), st.integers(0, 300), st.integers(40, 120), st.sampled_from(["x", "x ", "xyz "]))
def test_the_first_word_that_was_asked_for_stays_in_sight(before: int, after: int, width: int, filling: str) -> None:
    shown = snippet(f"{filling * before} brake {filling * after}", ["brake"], width=width)
    assert [shown.text[start:end] for start, end in shown.marks] == ["brake"]


def test_the_sentence_with_most_of_the_words_is_shown() -> None:
    text = "A chain is oiled. The brake pads squeal. A brake is a brake."
    shown = snippet(text, ["brake", "pads"], width=30)
    assert shown.text == "The brake pads squeal."
    assert [shown.text[start:end] for start, end in shown.marks] == ["brake", "pads"]


def test_the_next_sentences_fill_the_width() -> None:
    assert snippet("One brake. Two. Three and more.", ["brake"], width=16).text == "One brake. Two."


def test_without_a_match_the_opening_is_shown() -> None:
    assert snippet("First things. Then others.", ["brake"], width=14).text == "First things."
    assert snippet("", ["brake"], width=14).text == ""


def test_a_long_sentence_is_cut_at_words_on_both_sides() -> None:
    text = " ".join(["filler"] * 30 + ["brake"] + ["filler"] * 30)
    shown = snippet(text, ["brake"], width=60).text
    assert shown.startswith("… filler ")
    assert shown.endswith(" filler …")


@pytest.mark.parametrize(
    ("one", "other"),
    [("brakes", "brake"), ("oiling", "oiled"), ("Bodies", "bodied"), ("quickly", "quick"), ("STRASSE", "Straße")],
)
def test_common_endings_do_not_hide_a_match(one: str, other: str) -> None:
    assert stem(one) == stem(other)


def test_short_words_keep_their_endings() -> None:
    assert stem("red") == "red"
    assert stem("bed") != stem("b")
