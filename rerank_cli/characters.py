"""Text that came from JSON, fit to be kept and to be read by a model."""

from __future__ import annotations


def whole_characters(text: str) -> str:
    """*text* with a sign in the place of each half of a surrogate pair.

    JSON can write one alone, which no file, database or tokenizer takes.
    """
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
