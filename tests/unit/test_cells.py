from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rerank_cli.cells import cells, head, lines_of, middle_left_out, shortened_words, tail, wrapped

LETTERS = st.text(alphabet="ab/. é漢字。🔥\u200d\ufe0fe\u0301-", max_size=200)
WORDS = st.lists(st.sampled_from(["word", "/a/path/that/is/long", "漢字", "x" * 90, "-", "🔥", "é"])).map(" ".join)
TEXTS = st.one_of(LETTERS, WORDS)


@pytest.mark.parametrize(("text", "width"), [("word", 4), ("漢字", 4), ("e\u0301", 1), ("a\u200db", 2), ("é", 1)])
def test_cells_are_counted_as_a_terminal_draws_them(text: str, width: int) -> None:
    assert cells(text) == width


@given(TEXTS, st.integers(2, 200))
def test_nothing_shortened_takes_more_than_its_room(text: str, room: int) -> None:
    for shorten in (head, tail, middle_left_out):
        shown = shorten(text, room)
        assert cells(shown) <= room
        assert shown == text or cells(text) > room or shorten is tail


@example("aaaa字./aaa", 8)
@given(TEXTS, st.integers(8, 200))
def test_no_line_is_wider_than_its_room_and_no_word_is_broken(text: str, room: int) -> None:
    lines = wrapped(text, room, indent="  ")
    assert all(cells(line) <= room for line in lines)
    assert "".join("".join(lines).split()) == "".join(shortened_words(text, room - 2).split())
    if text.isascii():
        whole = {word for word in text.split() if cells(word) <= room - 2}
        assert {word for line in lines for word in line.split() if "…" not in word} == whole


@given(TEXTS, st.integers(2, 60))
def test_lines_cover_every_letter_but_blanks(text: str, room: int) -> None:
    shown = "".join(text[start:end] for start, end in lines_of(text, room))
    assert "".join(shown.split()) == "".join(text.split())


@given(st.text(alphabet="ab/.- \t\n\x0b\x1c\x1f", max_size=80), st.integers(2, 60))
def test_a_text_of_ascii_alone_is_broken_as_any_other(text: str, room: int) -> None:
    other = text.replace("a", "é")
    assert lines_of(text, room) == lines_of(other, room)
    assert shortened_words(text, room) == shortened_words(other, room).replace("é", "a")


@pytest.mark.parametrize("room", [-1, 0, 1])
def test_where_no_word_has_room_they_are_shortened_as_far_as_they_can(room: int) -> None:
    assert shortened_words("漢字 ab", room) == "… …"


def test_the_last_names_of_a_path_stay() -> None:
    assert middle_left_out("/work/venv/lib/models/minilm", 20) == "/…/lib/models/minilm"
    assert middle_left_out("a-name-without-any-slash", 10) == "a-n…-slash"


def test_the_blanks_that_a_line_begins_with_stay() -> None:
    assert wrapped("    one two three", 12, indent="      ") == ["    one two", "      three"]


def test_wide_letters_are_broken_anywhere_but_before_a_full_stop() -> None:
    assert wrapped("漢字漢字。漢", 8) == ["漢字漢", "字。漢"]
