"""Text as the models and the words of the index read it, of documents and of queries alike.

What the eye does not see in a word goes: soft hyphens, blanks without width, the colours of a terminal, letters struck
over each other, the hyphen at the end of a line. Ligatures and letters of full width become the plain ones. No line end
goes, so that lines still count.

Words longer than any of a language are broken. To the tokenizers of the BERT family a word of more than 100 letters is
a single unknown token: all such words are the same to them, and what stands in them is lost. Japanese and Thai write no
blanks, so a whole text may be such a word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from unicodedata import category, normalize

LONGEST = 100
"""Letters of a word that is read, as the tokenizers count them: a Korean syllable has up to three."""

STOP_WORDS = frozenset(
    "a an and are as at be been being but by can could did do does doing for from had has have having he her "
    "hers him his how i if in into is it its me my no nor not of on or our ours she should so some such than "
    "that the their theirs them then there these they this those to too us was we were what when where which "
    "while who whom why will with would you your yours".split()
)
"""English words that stand in most passages: BM25 gives them next to no weight and they cost the most."""

# What ends a word without a blank: ASCII's signs, punctuation and CJK ideographs, each a token of its own. Where it is
# in doubt whether a character ends one it is not named here, which costs a blank too many at the worst.
_LETTER = (
    r"[^\s!-/:-@\[-`{-~\u2010-\u2027\u3001-\u3003\u3008-\u3011\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    r"\uff01-\uff03\uff05-\uff0a\uff0c-\uff0f\uff1a\uff1b\uff1f\uff20\U00020000-\U0002a6df]"
)
_SUSPICIOUS = LONGEST // 3 + 1
"""Characters from which on a word may have more than `LONGEST` letters."""

# Strings are compiled when they are first needed. These take 3 ms, and most queries need none of them.
_SUSPECT = rf"(?<!{_LETTER}){_LETTER}{{{_SUSPICIOUS},}}"

STEERING = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b\n]*(?:\x07|\x1b\\)|[@-Z\\-_])")
"""What a terminal obeys and does not show: colours, titles and links."""

# Bold and underlined letters of a line printer: one over the other.
_OVERSTRUCK = re.compile(r"(?:[^\n\x08]\x08)+(?=[^\n\x08])")

# Signs without width. Blanks of that kind stand between the words of Thai, Lao, Burmese and Khmer, and joiners belong
# to the letters of many scripts, and to emoji: these go from among Latin, Greek and Cyrillic letters alone.
_UNSEEN = (
    "[\u00ad\u034f\u061c\u180e\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff]+"
    "|(?<![\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff])\u200b+(?![\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff])"
    "|(?<=[A-Za-z\u00c0-\u052f])[\u200c\u200d]+(?=[A-Za-z\u00c0-\u052f])"
)

# Other shapes of plain letters: digraphs, Roman numerals, units in a square, ligatures, Arabic as it is set, small and
# full and half width, letters of mathematics. Raised and ringed numbers say more than the plain ones, and stay.
_SHAPES = (
    "[\u0132\u0133\u0149\u01c4-\u01cc\u01f1-\u01f3\u2103\u2109\u2116\u2126\u212a\u212b\u2160-\u217f\u3000\u3300-\u33ff"
    "\ufb00-\ufb1c\ufb20-\ufbb1\ufbd3-\ufd3d\ufd50-\ufdfc\ufe30-\ufe6f\ufe70-\ufefc\uff01-\uffee"
    "\U0001d400-\U0001d7ff]+"
)

_HYPHENS = str.maketrans("\u2010\u2011", "--")

# A word broken at the end of a line. What has another hyphen, such as `state-of-the-`, is no word that was broken.
_BROKEN = re.compile(r"(?<![\w-])([^\W\d_]*[^\W\d_A-Z])-\n([^\S\n]*+)([^\W\d_A-Z][^\s]*+)(?:[^\S\n]++(?=\S))?")


def readable(text: str) -> str:
    """*text* as `plain` gives it, with a blank after every so many letters of a word that has more than `LONGEST`."""
    text = plain(text)
    if len(max(text.split(), key=len, default="")) < _SUSPICIOUS:
        return text
    return re.sub(_SUSPECT, lambda word: " ".join(_pieces(word[0])), text)


def plain(text: str) -> str:
    """*text* without what no reader of it sees, in plain letters."""
    if "\x1b" in text:
        text = STEERING.sub("", text)
    if "\x08" in text:
        text = _OVERSTRUCK.sub("", text).replace("\x08", "")
    if not text.isascii():
        text = re.sub(_SHAPES, lambda found: normalize("NFKC", found[0]), re.sub(_UNSEEN, "", text))
        text = text.translate(_HYPHENS)
    return _BROKEN.sub(r"\1\3\n\2", text) if "-\n" in text else text


_WORD = re.compile(r"\w+")
_UPPER = r"A-Z\u00c0-\u00d6\u00d8-\u00de\u0410-\u042f"
_LOWER = rf"[^\W\d_{_UPPER}]"
_JOINT = re.compile(rf"{_LOWER}[{_UPPER}]|[{_UPPER}]{{2}}{_LOWER}|[^\W_]_[^\W_]")
_PART = rf"[{_UPPER}]+(?=[{_UPPER}]{_LOWER})|[{_UPPER}]?{_LOWER}+\d*|[{_UPPER}]+\d*|\d+"


def identifiers(text: str) -> Iterator[str]:
    """The words of *text* that are several in one, such as `unlockWithBiometrics` and `snake_case`."""
    if not _JOINT.search(text):
        return iter(())
    return (found[0] for found in _WORD.finditer(text) if _JOINT.search(found[0]))


def parts(identifier: str) -> list[str]:
    """The words in *identifier*: `parseHTTPHeader2` holds `parse`, `HTTP` and `Header2`."""
    return re.findall(_PART, identifier)


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
