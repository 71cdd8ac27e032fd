from __future__ import annotations

import pytest

from rerank_cli.sentences import sentence_spans


def sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in sentence_spans(text)]


@pytest.mark.parametrize(
    "whole",
    [
        "Dr. Smith said e.g. the smell, i.e. Mercaptan, is added.",
        "It is sold at No. 3 Gas St. in the U.S. Market.",
        "1. Let the boiler cool.",
        "See Fig. 3 and p. 12 of it.",
    ],
)
def test_an_abbreviation_or_the_number_of_an_item_ends_no_sentence(whole: str) -> None:
    assert sentences(whole) == [whole]


def test_an_item_with_a_number_is_one_of_its_own() -> None:
    assert sentences("1. Shut the valve.\n2. Go out\n3) Wait") == ["1. Shut the valve.", "2. Go out", "3) Wait"]


def test_sentences_and_paragraphs_end_and_wrapped_lines_do_not() -> None:
    assert sentences("One. Two goes\non! Three\n\nFour") == ["One.", "Two goes\non!", "Three", "Four"]
    assert sentences("一。二！三") == ["一。", "二！", "三"]
