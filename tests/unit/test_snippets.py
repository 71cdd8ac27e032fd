from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rerank_cli.cells import cells, lines_of
from rerank_cli.snippets import WORD, snippet, stem
from rerank_cli.words import STOP_WORDS

TEXTS = st.one_of(
    st.text(max_size=300),
    st.lists(st.sampled_from(["brake", "brakes", "Pads.", "oil:", "\n", "x" * 90, "été", "a\u0301"])).map(" ".join),
)
WORDS = st.lists(st.one_of(st.sampled_from(["brake", "pad", "x" * 90, "été"]), st.text(max_size=8)), max_size=5)


@given(TEXTS, WORDS, st.integers(5, 120), st.integers(1, 4))
def test_any_text_fits_the_lines_and_their_width(text: str, words: list[str], width: int, lines: int) -> None:
    shown = snippet(text, words, width=width, lines=lines)
    assert sum(len(lines_of(line, width)) for line in shown.text.split("\n")) <= lines
    assert all(cells(line[a:b]) <= width for line in shown.text.split("\n") for a, b in lines_of(line, width))


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


LIST = "At once:\n1. Open the windows\n2. Shut the valve\n- and go\n\n| gas | 3 |\n| oil | 4 |"


def test_items_rows_and_paragraphs_stand_apart() -> None:
    assert snippet(LIST, ["windows"], width=40, lines=9).text.split("\n") == [
        "1. Open the windows", "2. Shut the valve", "- and go", "| gas | 3 |", "| oil | 4 |",
    ]  # fmt: skip
    assert snippet(LIST, ["windows"], width=60).text == "1. Open the windows · 2. Shut the valve · - and go"


def test_a_sentence_goes_on_over_lines_that_were_full() -> None:
    text = (
        "On the hook with the wooden cow. The spare is in the safe. Lock both\nthe wheel and the chain, even for one."
    )
    assert snippet(text, ["chain"], width=60).text == "Lock both the wheel and the chain, even for one."


@pytest.mark.parametrize(
    "text", ["Dr. Smith said e.g. the smell.", "Note: the smell is added.", "See (no. 3; a smell)."]
)
def test_what_is_shown_begins_and_ends_with_a_sentence(text: str) -> None:
    assert snippet(f"Before it. {text} After it.", ["smell"], width=len(text)).text == text


@given(st.text(alphabet="ab .\n", max_size=200), st.integers(5, 60))
def test_what_is_cut_bears_a_mark_where_it_is(text: str, width: int) -> None:
    shown = snippet(text, ["ab"], width=width).text
    if "…" not in shown:
        assert "".join(shown.replace(" · ", "").split()) in "".join(text.split())


def test_stop_words_are_not_marked_whatever_was_asked() -> None:
    shown = snippet("To be or not to be is these.", ["to", "be", "theses", "question"], width=60)
    assert shown.marks == () and "these" in STOP_WORDS


def test_wide_letters_count_for_two() -> None:
    shown = snippet("ガスの臭いがしたら、すぐに窓を開けてください。" * 3, ["gas"], width=20, lines=2)
    assert shown.text.endswith("…") and 30 <= cells(shown.text) <= 40


def test_lines_of_code_stand_apart_and_those_of_an_item_do_not() -> None:
    code = (
        'def smell(gas):\n    """Return whether there is any smell of gas in the rooms of the house."""\n    if gas:\n'
    )
    assert snippet(code, ["smell"], width=90, lines=9).text.split("\n") == [line.strip() for line in code.splitlines()]
    item = "- Open all the windows that there are in the house, go and wait\n  outside until the gas is gone.\n- Go."
    assert snippet(item, ["windows"], width=99, lines=9).text.split("\n") == [
        "- Open all the windows that there are in the house, go and wait outside until the gas is gone.", "- Go.",
    ]  # fmt: skip
