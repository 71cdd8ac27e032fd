"""The characters of a PDF made those of a text: ligatures, odd spaces, hyphens, controls; and lines put together."""

from __future__ import annotations

import re
import unicodedata

_LIGATURES = {ligature: unicodedata.normalize("NFKC", chr(ligature)) for ligature in range(0xFB00, 0xFB07)}

# Others have no character: they get one that no text has.
_LIGATURES |= dict(enumerate("Th ct ft tt Qu fft fj ffj fb fh fk tz ch ck ti tf tti".split(), 0xFDD0))

LIGATURE_OF = {letters: chr(ligature) for ligature, letters in _LIGATURES.items()}
"""The one character that stands for some letters until a line is cleaned."""

# One of them again and again shades a box. pdfium has its letters, or the letter of a glyph's name is it.
_SHADE = re.compile("(?:fi){3,}|(?<![a-z])fifi(?![a-z])|\ufb01{2,}")

# Adobe's private characters for old figures and for small capitals, which have the numbers of letters, for marks, and
# for the parts of large signs, where a dot is nothing: of a bracket in three parts the upper one is it.
_SMALL = {0xF700 + code: chr(code) for code in (*range(0x21, 0x5F), *range(0xA1, 0xC0))}
_SMALL |= {0xF700 + code: chr(code).upper() for code in (*range(0x61, 0x7B), *range(0xE0, 0xFF))}
_MARKS = {0xF6D9: "©", 0xF6DA: "®", 0xF6DB: "™"}
_PARTS = {code: part.strip(".") for code, part in enumerate("...®©™(..[..{....)..]..}..", 0xF8E5)}

# A blank for every kind of space, nothing for what is not seen.
_AS_TEXT = str.maketrans(
    {
        **_LIGATURES,
        **_SMALL,
        **_MARKS,
        **_PARTS,
        **dict.fromkeys(
            [*range(0x20), 0x7F, *range(0x80, 0xA0), 0xA0, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000], " "
        ),
        0x88: "•",  # the place of it in the fonts of TeX
        **dict.fromkeys([0xAD, 0x200B, 0x200E, 0x200F, *range(0x202A, 0x202F), 0x2060, 0xFEFF, 0xFFFE, 0xFFFF], None),
    }
)

# pdfium gives a letter beyond the first plane in two halves.
_HALF = re.compile(r"[\ud800-\udfff]")

# Old fonts of TeX have letters and accents, which are set one over the other, the accent first.
_COMBINING = dict(
    zip("´¨ˆ˜ˇ˚˘˝¸", "\u0301\u0308\u0302\u0303\u030c\u030a\u0306\u030b\u0327", strict=True)  # noqa: RUF001
)
_DOTLESS = "\u0131"
_GRAVE = re.compile(r"(?<![^\s(«’'])([^\W\d_]+)`([aeu])|(?<![^\s-])()`(a)(?![^\s-])")  # noqa: RUF001
_ACCENTED = re.compile(f"([{''.join(_COMBINING)}])(?!s\\b)([A-Za-z{_DOTLESS}])")

# TeX strikes a sign out before it sets it: "̸=" is "≠".
_STRUCK = "\u0338"
_STRUCK_SIGN = re.compile(rf"{_STRUCK} ?([=∈∋∼≃≅≈≡≤≥<>⊂⊃⊆⊇∣∥→⇒⇔∃≺≻⊢])")  # noqa: RUF001

# Han, kana and their signs; Hangul is written with blanks.
_WIDE = r"[\u2e80-\u312f\u31a0-\ua4cf\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef\U00020000-\U0003ffff]"
_UNSPACED = re.compile(_WIDE)
_SET_APART = re.compile(rf"(?<!\S)(?:{_WIDE} ){{3,}}{_WIDE}(?!\S)")

# Arabic words are made longer with it to fill a line.
_STRETCH = re.compile("(?<=\\w)\u0640+(?=\\w)")

# What leads from an entry of a table of contents to its page.
_LEADER = re.compile(r"\s*+(?>(?:[.·…_]\s?){5,})")
_ROOM = re.compile("_{5,}")
_AFTER_LABEL = re.compile("(?<=[:：])\\s*_{3,}\\s*\\Z")  # noqa: RUF001


# Russian in the fonts of TeX, which have these letters at its places. No word of another language has so many.
_WRONG_CYRILLIC = re.compile("[¼À-ÿ]{4}")
_OF_WRONG_CYRILLIC = re.compile("(?<![A-Za-z])[\x9c¼À-ÿ]+(?![A-Za-z])")
_CYRILLIC = str.maketrans(
    {0x9C: "Ё", 0xBC: "ё"} | {code: chr(code - 0xC0 + ord("А")) for code in range(0xC0, 0x100)}  # noqa: RUF001
)


def in_cyrillic(text: str) -> str:
    """*text* with its Russian words in Russian letters, as many as before."""
    if not _WRONG_CYRILLIC.search(text):
        return text
    return _OF_WRONG_CYRILLIC.sub(lambda found: found[0].translate(_CYRILLIC), text)


# Old fonts call each letter by its code, such as a101, and so Adobe's font of dingbats calls these.
_DINGBATS = "✥✦✧★✩✪✫✬✭✮✯✰✱✲✳✴✵✶✷✸✹✺✻✼✽✾✿❀❁❂❃❄❅❆❇❈❉❊❋●❍■❏❑▲▼◆❖P◗❘❙❚❯❱❲❳❨❩❬❭❪❫❴❵❛❜❝❞❡❢❣❤✐❥❦❧♠♥♦♣qrst✉✈✇①②③④⑤⑥⑦"  # noqa: RUF001
_OF_DINGBATS = str.maketrans(dict(zip(_DINGBATS, map(chr, range(0x20, 0x7F)), strict=True)))
_DINGBATS_OF_WORDS = re.compile("[❛-❧✐♠♥♦♣✉✈✇①-③]{2}")
_FEWEST_OF_WORDS = 5


def in_letters(text: str) -> str:
    """*text* with letters for the dingbats that its words are made of, as many as before."""
    if "❡" not in text or len(_DINGBATS_OF_WORDS.findall(text)) < _FEWEST_OF_WORDS:
        return text
    return text.translate(_OF_DINGBATS)


# Some files made on a Mac have this sign in the place of a ligature.
_LOST_LIGATURE = re.compile(r"(?<=[a-z])↵(?=[a-z])|(?<=\bo)↵(?!\w)")


# And these capitals, as no word has them: "informaƟon", "aƩack", "soŌware".
_CAPITAL_LIGATURE = re.compile("(?<=[a-z])[ƟƩŌ]|[ƟƩ](?=[a-z])")
_OF_CAPITAL = {"Ɵ": "ti", "Ʃ": "tt", "Ō": "ft"}


def without_leader(text: str) -> tuple[str, ...]:
    """What stands before a row of dots in *text*, and what after it."""
    if "..." not in text and ". . ." not in text and "…" not in text and "___" not in text:
        return (text,)
    if "___" in text and _UNSPACED.search(text):  # room for an answer within a sentence
        return (_ROOM.sub("____", _AFTER_LABEL.sub("", text)),)
    return tuple(part for part in _LEADER.split(text) if part)


def cleaned(text: str) -> str:
    """*text* on one line, in ordinary characters."""
    if "fifi" in text or "\ufb01\ufb01" in text:
        text = _SHADE.sub("", text)
    if text.isascii() and text.isprintable() and "`" not in text:
        return " ".join(text.split())
    if _HALF.search(text):
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    line = " ".join(text.translate(_AS_TEXT).split())
    if "↵" in line:
        line = _LOST_LIGATURE.sub("ff", line)
    if "Ɵ" in line or "Ʃ" in line or "Ō" in line:
        line = _CAPITAL_LIGATURE.sub(lambda found: _OF_CAPITAL[found[0]], line)
    if "\u0640" in line:
        line = _STRETCH.sub("", line)
    if _STRUCK in line:
        line = _STRUCK_SIGN.sub(lambda found: unicodedata.normalize("NFC", found[1] + _STRUCK), line)
    line = _ACCENTED.sub(_composed, line)
    if "`" in line:
        line = _GRAVE.sub(lambda found: unicodedata.normalize("NFC", found.expand(r"\1\3\2\4") + "\u0300"), line)
    return _SET_APART.sub(lambda found: found[0].replace(" ", ""), line)


def _composed(found: re.Match[str]) -> str:
    return with_accent(found[2], found[1]) or found[0]


def with_accent(letter: str, accent: str) -> str | None:
    """A letter with *accent* on it, if there is one."""
    composed = unicodedata.normalize("NFC", ("i" if letter == _DOTLESS else letter) + _COMBINING[accent])
    return composed if len(composed) == 1 else None


LONE_ACCENT = re.compile(f"[{''.join(_COMBINING)}](?<!\\S.)(?!\\S)")
"""An accent that stands alone in a line."""


BROKEN_WORD = "\u00ad"
"""Ends a line whose last word goes on in the next: the hyphen that the printer put there."""

# Before these a hyphen stands for what comes later, as in "two- and three-masted".
_SUSPENDING = frozenset(("and", "or", "nor", "und", "oder", "bzw", "och", "eller"))

_END = re.compile(r"[.:;!?。！？：；…؟؛۔][\"'”’)\]\d]*\Z")  # noqa: RUF001

_IN_ADDRESS = re.compile(r"(?:://|\bwww\.)\S*\Z")

# In Chinese and Japanese no line begins with these, or ends with those.
_CLOSING = "，。、；：？！）》〉」』】〕”’…"  # noqa: RUF001
_OPENING = "（《〈「『【〔“‘"  # noqa: RUF001

_LAST_WORD = re.compile(r"[\w-]+\Z")
_FIRST_WORD = re.compile(r"[\w-]+")


def joined(before: str, after: str, hyphenated: frozenset[str]) -> str:
    """Two lines of a paragraph as one. A word that is parted becomes whole again.

    The hyphen stays if *hyphenated*, the words that are written with one within lines, has the word, if the word has
    another one, if a capital or a digit follows it, or in an address.
    """
    if before.endswith(BROKEN_WORD):
        before = before.removesuffix(BROKEN_WORD)
        end = before.rsplit(None, 1)[-1] if before.strip() else ""
        first, last = _LAST_WORD.search(end), _FIRST_WORD.match(after)
        if not (first and last):
            return f"{before}-{after}"
        if last[0] in _SUSPENDING:
            return f"{before}- {after}"
        is_capital = first[0].isupper() and len(first[0]) > 1 and last[0].isupper() and len(last[0]) > 1
        stays = not (after[0].islower() or is_capital) or not before[-1].isalpha()
        stays = stays or "-" in first[0] + last[0] or f"{first[0]}-{last[0]}".casefold() in hyphenated
        stays = stays or _IN_ADDRESS.search(end) is not None
        return f"{before}-{after}" if stays else before + after
    if before and after and is_unspaced(before[-1]) and is_unspaced(after[0]):
        return before + after
    return f"{before} {after}" if before and after else before + after


def ends_sentence(text: str) -> bool:
    """Whether a sentence, or a part of one that stands alone, ends with *text*."""
    return _END.search(text) is not None


def first_word(text: str) -> str:
    """The first word of *text*: what would have to fit at the end of a line."""
    word = text.split(None, 1)[0]
    if word.isascii():
        return word
    first = _UNSPACED.split(word, maxsplit=1)[0] or word[0]
    if first in _OPENING and len(word) > 1:
        return first + first_word(word[1:])
    end = len(first)
    while end < len(word) and word[end] in _CLOSING:
        end += 1
    return word[:end]


def is_hangul(letter: str) -> bool:
    """Whether *letter* is a syllable of Korean."""
    return "\uac00" <= letter <= "\ud7a3"


def is_unspaced(letter: str) -> bool:
    """Whether *letter* is of a writing that has no blanks between words."""
    return _UNSPACED.match(letter) is not None
