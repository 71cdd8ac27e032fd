from __future__ import annotations

import pytest

from rerank_cli.dates import iso
from rerank_cli.fields import (
    MOST_FIELDS,
    MOST_KEY_CHARS,
    MOST_VALUE_CHARS,
    alike,
    date_of,
    fields_in,
    folded,
    kept_fields,
)


def test_nested_keys_are_joined_and_a_list_gives_several_pairs() -> None:
    value = {"tags": ["hive", "bees"], "extra": {"place": {"name": "north"}, "open": True}, "year": 2026, "none": None}
    assert list(fields_in(value)) == [
        ("tags", "hive"),
        ("tags", "bees"),
        ("extra.place.name", "north"),
        ("extra.open", "true"),
        ("year", "2026"),
    ]


def test_tags_in_one_text_are_a_list_and_other_texts_are_not() -> None:
    assert list(fields_in({"Tags": "#hive, bees; honey", "author": "Doe, Jane"})) == [
        *(("Tags", "hive"), ("Tags", "bees"), ("Tags", "honey")),
        ("author", "Doe, Jane"),
    ]


def test_a_list_that_holds_itself_ends() -> None:
    endless: list[object] = []
    endless += [endless] * 5
    assert list(fields_in({"a": endless})) == []


def test_fields_are_kept_once_on_one_line_under_keys_in_small_letters() -> None:
    assert kept_fields([(" Tag ", "a\n b"), ("tag", "a b"), ("tag", " "), ("", "x"), ("TAG", "A B")]) == (
        ("tag", "a b"),
        ("tag", "A B"),
    )


def test_what_is_too_long_or_too_much_is_no_field() -> None:
    assert kept_fields([("a", "x" * (MOST_VALUE_CHARS + 1)), ("k" * (MOST_KEY_CHARS + 1), "x")]) == ()
    assert len(kept_fields(("n", str(number)) for number in range(10 * MOST_FIELDS))) == MOST_FIELDS


def test_half_a_surrogate_pair_is_no_letter_of_a_field() -> None:
    assert kept_fields([("a", "x\ud800")]) == (("a", "x\ufffd"),)


@pytest.mark.parametrize(("one", "other"), [("Straße", "STRASSE"), ("Cafe\u0301", "CAFÉ"), ("a  b", "A\tB")])
def test_case_accents_and_blanks_make_no_difference(one: str, other: str) -> None:
    assert folded(one) == folded(other)


def test_one_and_many_mean_the_same_for_a_few_keys() -> None:
    assert alike("Tag") == alike("tags") == ("tag", "tags")
    assert alike("category") == ("category", "categories")
    assert alike("status") == ("status",)


@pytest.mark.parametrize(
    ("fields", "dated"),
    [
        ([("date", "2026-01-02"), ("updated", "2026-03-01"), ("title", "2027")], "2026-03-01T00:00:00Z"),
        ([("last_modified", "2026-01-02"), ("date", "soon")], "2026-01-02T00:00:00Z"),
        ([("publish date", "2 Jan 2026")], "2026-01-02T00:00:00Z"),
        ([("date", "2026")], "2026-01-01T00:00:00Z"),
    ],
)
def test_the_latest_date_is_that_of_the_document(fields: list[tuple[str, str]], dated: str) -> None:
    found = date_of(tuple(fields))
    assert found is not None
    assert iso(found) == dated


def test_without_a_date_a_document_has_none() -> None:
    assert date_of((("date", "soon"), ("deadline", "2026-01-01"))) is None
