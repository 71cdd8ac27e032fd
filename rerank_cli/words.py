"""Words longer than any of a language, broken so that the models see them.

To the tokenizers of the BERT family a word of more than 100 letters is a single unknown token: all such words are the
same to them, and what stands in them is lost. Japanese and Thai write no blanks, so a whole text may be such a word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from unicodedata import category, normalize

LONGEST = 100
"""Letters of a word that is read, as the tokenizers count them: a Korean syllable has up to three."""

# What ends a word without a blank: ASCII's signs, punctuation and CJK ideographs, each a token of its own. Where it is
# in doubt whether a character ends one it is not named here, which costs a blank too many at the worst.
_LETTER = (
    r"[^\s!-/:-@\[-`{-~\u2010-\u2027\u3001-\u3003\u3008-\u3011\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    r"\uff01-\uff03\uff05-\uff0a\uff0c-\uff0f\uff1a\uff1b\uff1f\uff20\U00020000-\U0002a6df]"
)
_SUSPECT = re.compile(rf"(?<!{_LETTER}){_LETTER}{{{LONGEST // 3 + 1},}}")


def readable(text: str) -> str:
    """*text* with a blank after every so many letters of a word that has more than `LONGEST`."""
    return _SUSPECT.sub(lambda word: " ".join(_pieces(word[0])), text)


def _pieces(word: str) -> Iterator[str]:
    if len(normalize("NFD", word)) == len(word):
        yield from (word[start : start + LONGEST] for start in range(0, len(word), LONGEST))
        return
    start = length = 0
    for place, character in enumerate(word):
        letters = _letters(character)
        if length + letters > LONGEST:
            yield word[start:place]
            start, length = place, 0
        length += letters
    yield word[start:]


def _letters(character: str) -> int:
    """As how many letters *character* counts once it is taken apart: accents fall away, a syllable's letters do not."""
    return max(1, sum(category(part) != "Mn" for part in normalize("NFD", character)))
