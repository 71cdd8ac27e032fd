"""Many ids in words: how many, and the first few by name."""

from __future__ import annotations

from collections.abc import Sequence

NAMED_IDS = 5
"""So many ids a sentence names; the JSON has all of them."""


def ids_in_words(ids: Sequence[str], one: str, many: str) -> str:
    """*ids* as in "7 queries (a, b, c, d, e, …)", called *one* or *many*."""
    named = ", ".join(ids[:NAMED_IDS]) + (", …" if len(ids) > NAMED_IDS else "")
    return f"{len(ids)} {one if len(ids) == 1 else many} ({named})"
