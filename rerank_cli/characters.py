"""Characters that need care: joiners, which belong to words, and the text and ids that come from JSON."""

from __future__ import annotations

from collections.abc import Mapping

JOINERS = "\u00ad\u200c\u200d"
"""Signs that belong to words (soft hyphen, the joiners of Persian and of emoji) and steer nothing, though Unicode has
them among the controls of format."""


def whole_characters(text: str) -> str:
    """*text* with a sign in the place of each half of a surrogate pair.

    JSON can write one alone, which no file, database or tokenizer takes.
    """
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def named_id(record: Mapping[str, object], *keys: str) -> str | None:
    """What stands under the first of *keys* that *record* has, as an id; None if that is none: blank, true, a list."""
    found = next((record[key] for key in keys if key in record), None)
    is_id = isinstance(found, str | int) and not isinstance(found, bool) and str(found).strip()
    return whole_characters(str(found).strip()) if is_id else None
