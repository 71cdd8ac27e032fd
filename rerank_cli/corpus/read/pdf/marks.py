"""The marks of items that no blank need follow: Chinese is written without blanks, and options of exams are set so."""

from __future__ import annotations

import re

_NUMERALS = "一二三四五六七八九十"
_COUNT = rf"(?:\d{{1,2}}|[A-Za-z]|[{_NUMERALS}]{{1,3}})"
_HAN = r"[\u2e80-\u2fff\u3005-\u3007\u3400-\u9fff“（《]"  # noqa: RUF001

_MARK = re.compile(
    rf"[(（]{_COUNT}[)）]\s?(?=[^\W_]|[“《])|{_COUNT}[)）.．]\s?(?={_HAN})|{_COUNT}[、．](?=\S)"  # noqa: RUF001
    rf"|第(?:\d{{1,3}}|[{_NUMERALS}百]{{1,5}})[章节条题](?=[\s、：:]|{_HAN})"  # noqa: RUF001
)

# Of items whose marks follow one another more are known. In a line there may be so many options before the last one.
_COUNTED = re.compile(r"[(（]?([A-Za-z]|\d{1,2})(?:[)）、．]|\.(?!\d))")  # noqa: RUF001
_OPTIONS_IN_LINE = 3

# The number of a section, and that or the number of a chapter, which ends with a stop.
_SECTION = re.compile(rf"\d{{1,2}}(?:\.\d{{1,2}}){{1,3}}\s?(?={_HAN})")
_NUMBERS = re.compile(rf"(\d{{1,2}}(?:\.\d{{1,2}}){{1,3}}|\d{{1,2}}(?=[.、．]))[.、．]?\s?(?={_HAN})")  # noqa: RUF001

# A question ends with room for the letters of an answer, or with these.
_QUESTION = re.compile(r"[（(]\s*[A-Z√×]{0,6}\s*[)）]\Z")  # noqa: RUF001

_FIRST = re.compile(rf"(?:[(（]?[1一a][)）]|1[.、．])(?:\s+\S|{_HAN})")  # noqa: RUF001


def begins_closely(text: str) -> bool:
    """Whether *text* begins with such a mark."""
    return _MARK.match(text) is not None


def begins_section(text: str) -> bool:
    """Whether *text* begins as a heading in Chinese with a number of several parts does, or with an amount."""
    return _SECTION.match(text) is not None


def follows(first: str, text: str) -> bool:
    """Whether *text* has the mark that comes next after that of *first*, or after those of some options in a line."""
    sections = [_NUMBERS.match(each) for each in (first, text)]
    if all(sections) and any(found and "." in found[1] for found in sections):
        return _comes_after(*([int(number) for number in found[1].split(".")] for found in sections if found))
    before, after = _COUNTED.match(first), _COUNTED.match(text)
    if not (before and after):
        return False
    count, following = before[1], after[1]
    if count.isdecimal() and following.isdecimal():
        return int(following) == int(count) + 1
    return len(count + following) == 2 and count.isupper() and 0 < ord(following) - ord(count) <= _OPTIONS_IN_LINE


def is_first(text: str) -> bool:
    """Whether *text* begins as the first item of a list does."""
    return _FIRST.match(text) is not None


def asks(text: str) -> bool:
    """Whether *text* is a question of an exam, to its end."""
    return _QUESTION.search(text) is not None


def _comes_after(section: list[int], following: list[int]) -> bool:
    """Whether *following* is the next section, the next one of that around, or the first one within."""
    *around, last = following
    if len(following) > len(section):
        return around == section and last == 1
    return around == section[: len(around)] and last == section[len(around)] + 1
