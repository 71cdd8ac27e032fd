"""Dates as people and programs write them, in seconds since 1970 in UTC.

A date without a zone is one of UTC, a document's and a question's alike: an index says the same wherever it is read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone

# Strings, which are compiled when they are first needed: most commands read no date.
_TIME = r"(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,]\d{1,9})?)?"
_ZONE = r"\s*(?P<zone>Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)?"
_WEEKDAY = r"(?:,?\s+[^\W\d_]{2,12}\.?)?"
_SEPARATED = (
    r"(?P<year>\d{4})(?:(?P<between>[-/.])(?P<month>\d{1,2})"
    rf"(?:(?P=between)(?P<day>\d{{1,2}}){_WEEKDAY}(?:[T\s]\s*{_TIME}{_ZONE})?)?)?"
)
_RUN_TOGETHER = (
    r"(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d)(?:T(?P<hour>\d\d)(?P<minute>\d\d)(?P<second>\d\d)?(?P<zone>Z)?)?"
)
_MONTHS = "janfebmaraprmayjunjulaugsepoctnovdec"
_MONTH = rf"({'|'.join(_MONTHS[at : at + 3] for at in range(0, 36, 3))})[a-z]{{0,6}}\.?"
_DAY = r"(\d{1,2})(?:\.|st|nd|rd|th)?"
_MONTH_FIRST = rf"{_MONTH}\s+{_DAY},?\s+(\d{{4}})"
_DAY_FIRST = rf"{_DAY}\s+{_MONTH},?\s+(\d{{4}})"
_AGO = r"(\d{1,6})\s*([hdwmy])"
_MOST_CHARS = 100

_FIRST, _LAST = -62_135_596_800, 253_402_300_799
"""The years 1 and 9999: no calendar here goes beyond them."""

Span = tuple[int, int]
"""The first second of a date, and the first one after it: a year, a month, a day, a minute or a second."""


def span_of(text: str) -> Span | None:
    """What *text* names, such as `2026`, `2026-01`, `2026-01-31`, `31 Jan 2026`, `2026-01-31T12:00Z`; None if no date.

    A mail's date is one, and so is what Org, iCalendar and front matter write.
    """
    written = text[:_MOST_CHARS].strip().strip("<>[]").strip()
    found = re.fullmatch(_SEPARATED, written, re.IGNORECASE) or re.fullmatch(_RUN_TOGETHER, written)
    try:
        span = _span(found.groupdict()) if found else _worded(written)
    except (ValueError, OverflowError, TypeError, LookupError, AttributeError):  # no such day, or no mail's date
        return None
    return span if span and _FIRST <= span[0] < span[1] <= _LAST else None


def ago(text: str, now: datetime) -> int | None:
    """The second that lies as long before *now* as *text* says, such as `12h`, `30d`, `2w`, `6m`, `1y`; None if none.

    Months and years are those of the calendar. What lies before all calendars is their beginning.
    """
    found = re.fullmatch(_AGO, text.strip(), re.IGNORECASE)
    if not found:
        return None
    count, unit = int(found[1]), found[2].lower()
    try:
        if unit in "my":
            return _seconds(_months_before(now, count if unit == "m" else 12 * count))
        hours = count * {"h": 1, "d": 24, "w": 7 * 24}[unit]
        return _seconds(now - timedelta(hours=hours))
    except (ValueError, OverflowError):
        return _FIRST


def iso(second: int) -> str:
    """*second* as ISO 8601 writes it."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=second)).isoformat().replace("+00:00", "Z")


def _span(found: Mapping[str, str | None]) -> Span:
    year, month, day, hour, minute, second = (
        int(found.get(name) or least)
        for name, least in (("year", 0), ("month", 1), ("day", 1), ("hour", 0), ("minute", 0), ("second", 0))
    )
    begins = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=_zone(found.get("zone")))
    if found.get("second"):
        length = timedelta(seconds=1)
    elif found.get("minute"):
        length = timedelta(minutes=1)
    elif found.get("day"):
        length = timedelta(days=1)
    else:
        length = timedelta(days=_days_of(year, month) if found.get("month") else 366 if _leaps(year) else 365)
    return _seconds(begins), _seconds(begins) + int(length.total_seconds())


def _zone(written: str | None) -> timezone:
    if not written or written[0] not in "+-":
        return UTC
    hours, minutes = int(written[1:3]), int(written[3:].lstrip(":") or 0)
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(-offset if written[0] == "-" else offset)


def _worded(written: str) -> Span | None:
    """A date that names its month, alone or as mail has it: `Sat, 31 Jan 2026 10:00:00 +0100`."""
    from email.utils import mktime_tz, parsedate_tz  # which few dates need

    month_first, day_first = (re.fullmatch(each, written, re.IGNORECASE) for each in (_MONTH_FIRST, _DAY_FIRST))
    if found := month_first or day_first:
        name, day = (found[1], found[2]) if month_first else (found[2], found[1])
        month = _MONTHS.index(name.lower()) // 3 + 1
        return _span({"year": found[3], "month": f"{month}", "day": day})
    parsed = parsedate_tz(written) if ":" in written else None
    if parsed is None or not re.search(r"\b\d{4}\b", written):
        return None
    datetime(*parsed[:6], tzinfo=UTC)  # raises where there is no such day
    begins = mktime_tz(parsed if parsed[9] is not None else (*parsed[:9], 0))
    return begins, begins + 1


def _months_before(now: datetime, count: int) -> datetime:
    year, month = divmod(12 * now.year + now.month - 1 - count, 12)
    return now.replace(year=year, month=month + 1, day=min(now.day, _days_of(year, month + 1)))


def _leaps(year: int) -> bool:
    return _days_of(year, 2) == 29


def _days_of(year: int, month: int) -> int:
    from calendar import monthrange  # slow to load, and few commands ask

    return monthrange(year, month)[1]


def _seconds(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1)
