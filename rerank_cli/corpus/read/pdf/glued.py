"""Find the words of a file that may be two: pdfium overlooks some gaps between words, and writes no blank there."""

from __future__ import annotations

import re
from collections.abc import Iterator

_WORD = re.compile(r"[A-Za-zÀ-ÖØ-öø-ÿ]{2,}")
_SHORTEST, _LONGEST = 5, 40

# What is before or after one of these may be a word that is nowhere else. They have three letters or four.
_COMMON = frozenset("the and for are was not that this with from have they will".split())
_LETTERS = frozenset("aAI")


class Words:
    """The words of a file from its first page to the last one that was asked about."""

    def __init__(self) -> None:
        self._seen: set[str] = set()
        self._asked: set[str] = set()
        self._glued: set[str] = set()

    @property
    def are_glued(self) -> bool:
        """Whether some were found that are two."""
        return bool(self._glued)

    def doubtful(self, text: str) -> Iterator[tuple[int, int]]:
        """Where in *text*, which is a page, words begin and end that may be two; all of them, if some of the file are.

        Each word is asked about once.
        """
        words = set(_WORD.findall(text))
        new = words - self._seen
        self._seen |= new
        self._seen |= {word.lower() for word in new if not word.islower()}
        if self._glued:
            doubted = {word for word in words - self._asked if _SHORTEST <= len(word) <= _LONGEST}
        else:
            doubted = {word for word in new if _SHORTEST <= len(word) <= _LONGEST and self._may_be_two(word)}
        self._asked |= doubted
        wanted = doubted | self._glued
        if wanted:
            yield from (found.span() for found in _WORD.finditer(text) if found[0] in wanted)

    def remember(self, word: str) -> None:
        """Doubt *word* wherever it comes again: it was two."""
        self._glued.add(word)

    def _may_be_two(self, word: str) -> bool:
        seen = self._seen
        if word[0] in _LETTERS and word[1:] in seen:
            return True
        if word[:3] in _COMMON or word[:4] in _COMMON or word[-3:] in _COMMON or word[-4:] in _COMMON:
            return True
        for at in range(2, len(word) - 1):  # noqa: SIM110 -- asked of each word of a file, and `any` takes twice as long
            if word[at:] in seen and word[:at] in seen:
                return True
        return False
