from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rerank_cli.models.window import Asked, ask_in_pieces, combined, query_pieces, query_room
from rerank_cli.words import plain


def count_tokens(texts: Sequence[str]) -> list[int]:
    """Four letters of a word to a token, each sign one, as subword tokenizers have it."""
    return [len(re.findall(r"\w{1,4}|[^\w\s]", text)) for text in texts]


def pieces_of(text: str, *, room: int) -> list[str]:
    return query_pieces(text, room=room, count_tokens=count_tokens)


PROSE = "The pump hums. It was new in May, and a neighbour put it in. Now the top floor stays cold at night. " * 12


def test_a_text_that_fits_is_one_piece_and_stays_as_it_is() -> None:
    assert pieces_of("why is it cold", room=4) == ["why is it cold"]


@given(st.text(max_size=400), st.integers(min_value=1, max_value=60))
@example("x" * 2000, 20)
@example("問" * 500, 16)
@example("-" * 500, 16)
@example("-" * 16, 8)
def test_pieces_are_the_whole_text_in_its_order_and_each_fits(text: str, room: int) -> None:
    text = " ".join(text.split())
    pieces = pieces_of(text, room=room)
    assert "".join("".join(pieces).split()) == "".join(plain(text).split())
    assert max(count_tokens(pieces)) <= room


def test_pieces_are_of_even_size_and_few() -> None:
    sizes = count_tokens(pieces_of(" ".join(["cold"] * 2000), room=96))
    assert min(sizes) >= 0.9 * max(sizes)
    assert len(sizes) < 1.3 * 2000 / 96


def test_a_piece_ends_with_a_sentence_where_one_ends_near() -> None:
    assert {piece[-1] for piece in pieces_of(PROSE, room=64)} == {"."}


def test_words_stay_whole_where_no_sentence_ends() -> None:
    words = [f"counterrevolutionary{number}" for number in range(100)]
    assert " ".join(pieces_of(" ".join(words), room=40)).split() == words


def blind_to_long_words(texts: Sequence[str]) -> list[int]:
    """Four letters to a token, but one for a word of more than a hundred, as WordPiece has it."""
    words = ([len(word) for word in text.split()] for text in texts)
    return [sum(1 if length > 100 else -(-length // 4) for length in lengths) for lengths in words]


@pytest.mark.parametrize("letters", ["x", "か", "กข", "0f"])
def test_a_text_without_blanks_is_cut_within_its_only_word(letters: str) -> None:
    """To WordPiece it is one unknown token, however long it is, so that a count alone does not tell that it is cut."""
    text = (letters * 400)[:400]
    pieces = query_pieces(text, room=20, count_tokens=blind_to_long_words)
    assert len(pieces) >= 5
    assert "".join("".join(pieces).split()) == text
    assert max(len(word) for piece in pieces for word in piece.split()) <= 100


# A passage asked in pieces


def ask(piece: str) -> Asked:
    """Words that the piece shares with each passage; one of more than three words is cut."""
    passages = ["cold pump", "the top floor and more", "May"]
    shared = [float(len(set(piece.split()) & set(passage.split()))) for passage in passages]
    return np.array(shared, dtype=np.float32), [len(passage.split()) > 3 for passage in passages]


def test_a_short_query_is_asked_once_and_its_logits_are_the_models() -> None:
    scores = ask_in_pieces("the cold pump", window=512, count_tokens=count_tokens, ask=ask)
    assert (scores.logits.tolist(), scores.truncated, scores.pieces) == ([2.0, 1.0, 0.0], 1, 1)


def test_a_long_query_is_asked_piece_by_piece_and_a_passage_is_cut_once() -> None:
    pieces = pieces_of(PROSE, room=query_room(512))
    scores = ask_in_pieces(PROSE, window=512, count_tokens=count_tokens, ask=ask)
    assert scores.pieces == len(pieces) > 1
    assert scores.truncated == 1
    assert scores.logits.tolist() == combined(np.stack([ask(piece)[0] for piece in pieces])).tolist()


def test_a_passage_has_the_logit_of_the_piece_that_it_answers_best() -> None:
    assert combined(np.array([[1.0, -3.0], [-9.0, 2.0]], dtype=np.float32)).tolist() == [1.0, 2.0]


@pytest.mark.parametrize("window", [64, 128, 512, 8192])
def test_a_passage_has_at_least_half_of_the_window(window: int) -> None:
    assert query_room(window) <= window / 2


def test_a_passage_of_the_usual_size_and_its_headings_fit_beside_any_query() -> None:
    assert 512 - 3 - query_room(512) >= 180 + 100
