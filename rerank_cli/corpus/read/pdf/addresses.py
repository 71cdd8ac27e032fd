"""Tell addresses side by side, as on letters and invoices, from the rows of a table."""

from __future__ import annotations

import re
from collections.abc import Sequence

# An address has so many lines, and its place stands below a name and a street.
_FEWEST_LINES = 3
_MOST_LINES = 9
_FIRST_PLACE = 2

# And its head has so many blanks at most.
_HEAD_BLANKS = 2

_PLACE = re.compile(
    r"\b[A-Z]{2},? \d{5}(?:-\d{4})?\b"  # of the United States
    r"|\A(?:[A-Z]{1,2}[- ])?\d{4,5} [^\W\d_a-z][^\W\d_A-Z]{2}"  # of most of Europe
    r"|\b[A-Z]{1,2}\d[\dA-Z]? \d[A-Z]{2}\b"  # of the United Kingdom
    r"|\b[A-Z]\d[A-Z] \d[A-Z]\d\b"  # of Canada
)


def are_addresses(rows: Sequence[Sequence[str]]) -> bool:
    """Whether *rows* are the lines of blocks side by side, of which the first one is an address or all have heads."""
    if not _FEWEST_LINES <= len(rows) <= _MOST_LINES:
        return False
    below = [text for row in rows[1:] for text in row]
    if len(rows[0]) > 1 and all(text.endswith(":") and text.count(" ") <= _HEAD_BLANKS for text in rows[0]):
        return not any(text.endswith(":") or text.replace(".", "").isdecimal() for text in below)
    first = [row[0] for row in rows]
    places = [at for at, text in enumerate(first) if _PLACE.search(text)]
    return len(places) == 1 and places[0] >= _FIRST_PLACE and not any(text.endswith(":") for text in first[1:])
