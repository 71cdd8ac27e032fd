from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from rerank_cli.corpus.read.formats import PACKED
from rerank_cli.dates import iso
from rerank_cli.errors import UsageError
from rerank_cli.filters import PACKED_ENDINGS, FilterOptions, file_test, filter_of
from rerank_cli.ports import EVERYTHING, FieldRule, Filter

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)
PATHS = ["a.md", "B.MD", "c.md.gz", "d.txt", "e/f.tar.gz", ".md", "md", "g.rst.txt", "h.tgz"]


def accepted(**options: object) -> list[str]:
    accepts = file_test(filter_of(FilterOptions(**options)))  # type: ignore[typeddict-item]
    return [path for path in PATHS if accepts(path)]


def test_the_endings_of_packed_files_are_those_that_are_unpacked() -> None:
    assert set(PACKED_ENDINGS) == set(PACKED)


@pytest.mark.parametrize(
    ("extensions", "paths"),
    [
        ("md", ["a.md", "B.MD", "c.md.gz"]),
        (".MD,txt", ["a.md", "B.MD", "c.md.gz", "d.txt", "g.rst.txt"]),
        (["*.md", "tgz"], ["a.md", "B.MD", "c.md.gz", "h.tgz"]),
        ("gz", ["c.md.gz", "e/f.tar.gz"]),
        ("tar.gz", ["e/f.tar.gz"]),
        ("d", []),
    ],
)
def test_an_extension_is_the_end_of_a_name_packed_or_not(extensions: object, paths: list[str]) -> None:
    assert accepted(extensions=extensions) == paths


def test_paths_that_are_left_out_go_before_paths_that_are_taken() -> None:
    assert accepted(paths=["*.md", "e/"], not_paths="a.*") == ["e/f.tar.gz", ".md"]


@pytest.mark.parametrize(
    ("written", "rule"),
    [
        ("tag=hive", FieldRule("tag", "hive")),
        ("Tag = Two  Words", FieldRule("tag", "Two Words")),
        ("status!=draft", FieldRule("status", "draft", differs=True)),
        ("author", FieldRule("author")),
        ("url=a=b", FieldRule("url", "a=b")),
    ],
)
def test_a_rule_is_a_key_with_a_value_or_without_it(written: str, rule: FieldRule) -> None:
    assert filter_of({"where": written}).fields == (rule,)


@pytest.mark.parametrize(
    ("since", "second"),
    [
        ("2026-01-31", "2026-01-31T00:00:00Z"),
        ("30d", "2026-03-01T12:00:00Z"),
        (date(2026, 1, 31), "2026-01-31T00:00:00Z"),
        (datetime(2026, 1, 31, 10), "2026-01-31T10:00:00Z"),
        (0, "1970-01-01T00:00:00Z"),
    ],
)
def test_a_time_is_a_date_or_so_long_ago(since: str | date | int, second: str) -> None:
    found = filter_of({"since": since}, now=NOW).since
    assert found is not None
    assert iso(found) == second


@pytest.mark.parametrize("second", [10**21, -(10**21)])
def test_a_second_that_no_clock_has_is_refused(second: int) -> None:
    for key in ("since", "until"):
        with pytest.raises(UsageError, match=f"--{key}: {second} is no date"):
            filter_of({key: second}, now=NOW)


@pytest.mark.parametrize(
    ("until", "end"), [("2026-01-31", "2026-02-01"), ("2026-01", "2026-02-01"), ("2025", "2026-01-01")]
)
def test_what_is_until_a_date_has_the_whole_of_it(until: str, end: str) -> None:
    found = filter_of({"until": until}).until
    assert found is not None
    assert iso(found) == f"{end}T00:00:00Z"


@pytest.mark.parametrize(
    "options",
    [
        *({"where": rule} for rule in ("", "=x", "tag=", "tag!", "!=x", f"tag={'x' * 201}")),
        *({"since": "soon"}, {"until": "2026-02-31"}, {"extensions": "md,,txt"}, {"extensions": "a/b"}),
        *({"paths": "!"}, {"not_paths": ""}),
    ],
)
def test_a_filter_that_says_nothing_is_told(options: FilterOptions) -> None:
    told = r"more than 200 letters|says nothing|is no date|is no extension|--path|--not-path"
    with pytest.raises(UsageError, match=told) as caught:
        filter_of(options)
    assert caught.value.remedy


def test_a_filter_of_nothing_lets_everything_through() -> None:
    assert filter_of({}) == EVERYTHING
    assert not EVERYTHING
    assert Filter(since=0)
