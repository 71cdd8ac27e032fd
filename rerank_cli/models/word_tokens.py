"""Tokens word by word, each word cut once: what a tokenizer that cuts at blanks makes of a text adds up."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer

from rerank_cli.models.tokens import tokens_of

_MOST_WORDS = 1 << 16
"""Words that are remembered at most: less than twenty megabytes."""

_LONGEST = 64
"""Letters of a word that is remembered: a longer one is hardly seen twice."""

_BLANKS = str.maketrans("\n\t\r", "   ")
"""What such a tokenizer takes for a blank beside the blank itself. Others stay within what is taken for a word here."""


def adds_up(tokenizer: Tokenizer) -> bool:
    """Whether the tokens of a text are those of its words together, as with the tokenizers of the BERT family."""
    return (
        isinstance(tokenizer.model, WordPiece)
        and isinstance(tokenizer.normalizer, BertNormalizer)
        and isinstance(tokenizer.pre_tokenizer, BertPreTokenizer)
        and not any(set(token.content) & set(" \n\t\r") for token in tokenizer.get_added_tokens_decoder().values())
    )


class WordTokens:
    """Cuts with a tokenizer that `adds_up`. One thread at a time."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._known: dict[str, tuple[int, ...]] = {}

    def counts(self, texts: Sequence[str]) -> list[int]:
        """Tokens in each text, special tokens left out. The tokenizer must not be set to cut."""
        texts_words = [_words(text) for text in texts]
        known = self._known
        new = [word for word in {word for words in texts_words for word in words} if word not in known]
        encodings = tokens_of(self._tokenizer, new, special=False)
        known.update((word, tuple(encoding.ids)) for word, encoding in zip(new, encodings, strict=True))
        counts = [sum(map(len, map(known.__getitem__, words))) for words in texts_words]
        for word in new:
            if len(word) > _LONGEST:
                del known[word]
        if len(known) > _MOST_WORDS:
            known.clear()
        return counts

    def ids(self, text: str) -> list[int] | None:
        """The tokens of *text*, special tokens left out; None where a word was not counted before."""
        try:
            return list(chain.from_iterable(map(self._known.__getitem__, _words(text))))
        except KeyError:
            return None


def _words(text: str) -> list[str]:
    return text.translate(_BLANKS).split(" ")
