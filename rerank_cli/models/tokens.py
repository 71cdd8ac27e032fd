"""Texts cut into tokens: a few one after another, many side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tokenizers import Encoding, Tokenizer

FEW = 16
"""Texts that are cut one after another. The tokenizer's threads take 2 ms to start, and all processors for a moment."""

FEW_LETTERS = 2000
"""Of texts that are cut so, however many they are: hundreds of words take less than a millisecond. Where models run on
all processors, threads for them took eight times as long."""


def tokens_of(tokenizer: Tokenizer, texts: Sequence[Any], *, special: bool = True) -> list[Encoding]:
    """The tokens of each text, or pair of texts, with *special* ones or without. They tell no places in the text."""
    pairs = [text if isinstance(text, tuple) else (text, None) for text in texts]
    if len(texts) > FEW and sum(len(text) + len(second or "") for text, second in pairs) > FEW_LETTERS:
        return tokenizer.encode_batch_fast(list(texts), add_special_tokens=special)
    return [tokenizer.encode(text, second, add_special_tokens=special) for text, second in pairs]
