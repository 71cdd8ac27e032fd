from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rerank_cli.dates import ago, iso, span_of

DAY = 24 * 3600


@pytest.mark.parametrize(
    ("written", "begins", "length_s"),
    [
        ("2026", "2026-01-01T00:00:00Z", 365 * DAY),
        ("2024", "2024-01-01T00:00:00Z", 366 * DAY),
        ("2026-02", "2026-02-01T00:00:00Z", 28 * DAY),
        ("2026-01-31", "2026-01-31T00:00:00Z", DAY),
        ("2026/1/3", "2026-01-03T00:00:00Z", DAY),
        ("20260131", "2026-01-31T00:00:00Z", DAY),
        ("2026-01-31T12:00", "2026-01-31T12:00:00Z", 60),
        ("2026-01-31 12:00:05 +0100", "2026-01-31T11:00:05Z", 1),
        ("2026-01-31T12:00:00.25-05:30", "2026-01-31T17:30:00Z", 1),
        ("20260131T120000Z", "2026-01-31T12:00:00Z", 1),
        ("<2026-01-31 Sat>", "2026-01-31T00:00:00Z", DAY),
        ("[2026-01-31 Sat 10:30]", "2026-01-31T10:30:00Z", 60),
        ("31 Jan 2026", "2026-01-31T00:00:00Z", DAY),
        ("3rd may, 2026", "2026-05-03T00:00:00Z", DAY),
        ("January 31, 2026", "2026-01-31T00:00:00Z", DAY),
        ("Sat, 31 Jan 2026 10:00:00 +0100", "2026-01-31T09:00:00Z", 1),
    ],
)
def test_a_date_is_understood_in_utc(written: str, begins: str, length_s: int) -> None:
    span = span_of(written)
    assert span is not None
    assert (iso(span[0]), span[1] - span[0]) == (begins, length_s)


@pytest.mark.parametrize(
    "written",
    [
        *("", "yes", "99999", "2026-02-31", "31 Feb 2026", "2026-13", "2026-01/02", "2026-01-31T25:00", "0000-01-01"),
        *("9999-12-31", "may 2026", "version 1.2 of 2026", "2026-01-31T00:00+99:99", "1" * 5000),
    ],
)
def test_what_is_no_date_is_none(written: str) -> None:
    assert span_of(written) is None


@given(st.text(alphabet="0123456789-/:.TZ+ ,<>[]JanMon", max_size=40))
def test_no_text_breaks_the_reading_of_dates(text: str) -> None:
    span = span_of(text)
    assert span is None or span[0] < span[1]


@pytest.mark.parametrize(
    ("written", "begins"),
    [
        ("12h", "2026-03-31T00:00:00Z"),
        ("30d", "2026-03-01T12:00:00Z"),
        ("2w", "2026-03-17T12:00:00Z"),
        ("1m", "2026-02-28T12:00:00Z"),
        ("13M", "2025-02-28T12:00:00Z"),
        ("1y", "2025-03-31T12:00:00Z"),
        ("999999y", "0001-01-01T00:00:00Z"),
        ("999999w", "0001-01-01T00:00:00Z"),
    ],
)
def test_so_long_ago_is_counted_from_now(written: str, begins: str) -> None:
    before = ago(written, datetime(2026, 3, 31, 12, tzinfo=UTC))
    assert before is not None
    assert iso(before) == begins


@pytest.mark.parametrize("written", ["", "d", "3q", "-3d", "2026-01-01", "1.5d"])
def test_what_is_no_such_time_is_none(written: str) -> None:
    assert ago(written, datetime(2026, 3, 31, tzinfo=UTC)) is None
