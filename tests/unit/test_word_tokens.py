"""Words are cut once, and give what the tokenizer gives for the whole text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers

from rerank_cli.models.catalogue import shipped_folder
from rerank_cli.models.compiled import TOKENIZER_NAME
from rerank_cli.models.word_tokens import WordTokens, adds_up

BUILT_IN = shipped_folder("all-MiniLM-L6-v2") / TOKENIZER_NAME

ODD = st.text(
    st.sampled_from("ab Z\n\t\r\x1c\x1f\x85\xa0\u2028\u3000\u0301é中文ねこ한글ΣσΩ-_.,!?😀\u200b\u00ad\0'\"123#"),
    max_size=60,
)
MARKED = st.lists(st.sampled_from(["[CLS]", "[MASK]", "[SEP]x", "x[PAD]", " ", "ab", "[UNK] "]), max_size=10).map(
    "".join
)


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer.from_file(str(BUILT_IN))


@given(texts=st.lists(st.one_of(ODD, MARKED, st.text(max_size=60)), max_size=4))
def test_words_add_up_to_what_the_tokenizer_gives(tokenizer: Tokenizer, texts: list[str]) -> None:
    words = WordTokens(tokenizer)
    wanted = [tokenizer.encode(text, add_special_tokens=False).ids for text in texts]
    assert words.counts(texts) == list(map(len, wanted))
    assert words.counts(texts) == list(map(len, wanted))
    assert [words.ids(text) for text in texts] == wanted


def test_a_word_of_more_letters_than_any_is_counted_and_not_remembered(tokenizer: Tokenizer) -> None:
    words = WordTokens(tokenizer)
    assert words.counts(["short " + "ab-" * 5000]) == [
        1 + len(tokenizer.encode("ab-" * 5000, add_special_tokens=False).ids)
    ]
    assert set(words._known) == {"short"}
    assert words.ids("short " + "ab-" * 5000) is None


def test_what_is_remembered_has_an_end(tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rerank_cli.models.word_tokens._MOST_WORDS", 10)
    words = WordTokens(tokenizer)
    for number in range(50):
        assert words.counts([f"word{number} and word{number + 1}"]) == [
            len(tokenizer.encode(f"word{number} and word{number + 1}", add_special_tokens=False).ids)
        ]
        assert len(words._known) <= 12


def test_only_a_tokenizer_that_cuts_at_blanks_is_believed_to(tokenizer: Tokenizer) -> None:
    assert adds_up(tokenizer)
    with_a_blank = Tokenizer.from_file(str(BUILT_IN))
    with_a_blank.add_tokens([AddedToken("new york")])
    assert not adds_up(with_a_blank)
    bytewise = Tokenizer(models.BPE())
    bytewise.pre_tokenizer = pre_tokenizers.ByteLevel()
    assert not adds_up(bytewise)
    unnormalized = Tokenizer(models.WordPiece({"[UNK]": 0}, unk_token="[UNK]"))
    unnormalized.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    unnormalized.normalizer = normalizers.NFKC()  # which makes a blank of other signs
    assert not adds_up(unnormalized)
