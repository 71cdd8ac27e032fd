"""What the trainings of tiny models learn."""

from __future__ import annotations

NOUNS = ("pan", "oil", "salt", "stove", "food", "mail", "ferry", "key", "bread", "dough", "water", "rust", "iron")
SIGNS = ("list sort function", "merge sequence memory", "account password vitamin")
FAST = ("--learning-rate", "0.01", "--negatives", "3", "--max-tokens", "40", "--validation-share", "0.3", "--quiet")


def rows() -> list[dict[str, object]]:
    """What answers has words of cold weather, what does not has others: even a tiny model can learn that."""
    return [
        {
            "query": f"how is the {noun} {place}",
            "positive": f"{noun} {place} cold sunday weather",
            "negatives": [f"{noun} {place} {sign}" for sign in SIGNS],
        }
        for noun in NOUNS
        for place in ("in", "on")
    ]
