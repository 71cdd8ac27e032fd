"""What a letter is that pdfium has no character for: by its number in a font, a sign of TeX's, or a ligature's name."""

from __future__ import annotations

import ctypes
import re
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cached_property

import pypdfium2
import pypdfium2.raw as pdfium

from rerank_cli.corpus.read.pdf.characters import LIGATURE_OF
from rerank_cli.corpus.read.pdf.cut_ligatures import CutLigatures
from rerank_cli.corpus.read.pdf.lean import lean
from rerank_cli.corpus.read.pdf.mac_ligatures import MacLigatures

# What pdfium gives in place of each sign of TeX's symbols: the letter that has its code elsewhere.
_SIGNS = (
    (
        re.compile(r"CMB?SY|MathSymbols|[tp]xb?sys?\b"),
        dict(zip("\r04567bcdehik'`>v", "◯′△▽\u0338↦⌊⌋⌈⌉⟨⟩‖≃⊢⊤⊑", strict=True)),  # noqa: RUF001
    ),
    (re.compile("MSAM"), dict(zip("BCIJX\x03\x04", "▷◁▶◀✓□■", strict=True))),
    (
        re.compile(r"CMEX|MathExtension|[tp]xexa?\b"),
        dict(zip("PXQYRZ[\\STVWpqrs", "∑∑∏∏∫∫⋃⋂⋃⋂⋀⋁√√√√", strict=True))  # noqa: RUF001
        | dict(zip("\x00\x01\x02\x03\x04\x05\x06\x07\x08\t\n\x0b", "()[]⌊⌋⌈⌉{}⟨⟩", strict=True))
        | dict(zip("\x10\x11\x12\x13\x1a\x1b()hi", "()(){}{}[]", strict=True))
        | dict.fromkeys('!"#', "\u200b"),  # of a matrix
    ),
)

# The ligatures and quotes of TeX's text fonts, in its old encoding and in the one for Western Europe.
_TEXT = dict(
    zip("\x0b\x0c\r\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x19\x1b\x1c\x1d\x1e\x1f", "ﬀﬁﬂﬃﬄ“”„«»–—ıﬀﬁﬂﬃﬄ", strict=True)  # noqa: RUF001
)

_LIGATURES = frozenset(LIGATURE_OF.values())
_BULLET = "\N{BULLET}"

# The letters of TeX's encoding for Europe that have another place elsewhere. Only its fonts of pictures give codes.
_EUROPEAN = dict(
    zip(
        map(chr, (*range(0x80, 0xC0), 0xD7, 0xF7, 0xFF)),
        "ĂĄĆČĎĚĘĞĹĽŁŃŇŊŐŔŘŚŠŞŤŢŰŮŸŹŽŻĲİđ§ăąćčďěęğĺľłńňŋőŕřśšşťţűůÿźžżĳ¡¿£Œœß",
        strict=True,
    )
)

# The dashes and the opening quote of TeX's text fonts, where fonts of pictures give codes. Its typewriter has other
# signs there, which stand at other places.
_SIGNS_OF_PICTURES = {"{": "–", "|": "—", "\\": "“"}  # noqa: RUF001

# The letters of a font as Windows numbers them. Some files have nothing else of them.
_BLANK = "\x03"
_NUMBERED = {chr(number): chr(number + 29) for number in range(3, 98)}
_NUMBERED |= {chr(number): bytes((number + 30,)).decode("mac-roman") for number in range(98, 172)}
_NUMBERED |= {chr(number): bytes((number + 31,)).decode("mac-roman") for number in range(172, 225)}

_NUMBERED_WORDS = re.compile(r"[$-\]]\x03[$-\]]")
_FEWEST_WORDS = 3

# Such a share of the letters of a text is blanks.
_BLANKS = (0.05, 0.4)
_FEWEST = 20

# Few letters are asked about: no characters at all, those that no word has there, and those that stand alone; a zero
# that is of no number may be a prime, and what stands before a sign of a formula may strike it out.
# Each pattern begins with all letters that it may find, and each letter is of one pattern: which takes half the time.
_SUSPECTS = (
    re.compile(r"[hkbdicepqrsv](?:\b(?<=[iceh])|(?<=\b[hkbd])|(?<=(?<!\S)[pqrsv])(?!\S))"),
    re.compile(r"[A-Z](?:(?<=\b.)(?:(?=[a-z])|(?<=[BCIJPXQYRZ])|(?<=[STVW])(?!\S)(?<!\S.))|(?<=[a-z].))"),
    re.compile(
        r"[\x00-\x09\x0b-\x1f\ufffd04567\[\\(){|!\"#'`>]"
        r"(?:(?<=[^\W\d][04567])|(?<=[\x00-\x09\x0b\x0c\x0e-\x1f\ufffd])|(?<=\r)(?!\n)"
        r"|(?<=(?<!\S)[\[\\()!\"#'`>])(?!\S)|(?<=[67])(?=[=−→∈∼≈≡≤⊂⊆])"  # noqa: RUF001
        r"|(?<=(?<![\d.,])0)(?=0{0,2}(?![\d.,%]))|(?<=(?<![\d.,])00)(?=0?(?![\d.,%]))"
        r"|(?<=[^\W_][{|])(?=[^\W_])|(?<=(?<![^\s(])\\)(?=\w[^\"\\]{0,200}\"))"
    ),
)
_SUSPECT_IN_WORD = re.compile(
    r"[\x80-\xbf÷ÿ](?<=[a-z\x19à-öø-þ].)|[\x80-\xbf×÷](?=[a-z\x19à-öø-þ])"  # noqa: RUF001
)

_BRACKET = re.compile("[hi]")

# Where so many letters have no character and so many of these are controls or private, nobody knows what they are.
_MEANINGLESS = re.compile("[\x00\x01\x03-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffd\ue000-\uf8ff]")
_MOST_MEANINGLESS = 0.1
_MOST_UNKNOWN = 0.7

# A font with so many letters that have no place in those of TeX, and such a share of them, is one that nobody knows.
_UNTOLD = re.compile("[\x00\x01\x03-\x09\x17\x18\x1a\x7f-\x9f\ufffd]")
_FEWEST_UNTOLD = 5
_MOST_UNTOLD = 0.15
_ALL_BUT_FEW = 0.9
_REPLACED, _ZERO = "\ufffd", "\0"  # of the letter that is number nothing pdfium has no character at all
_NO_LETTER = "\u200b"

# Quartz may number the letters of a font from here on, each when it is first used. So many in that order are numbers.
_OF_A_TABLE = 40  # of these a table of all letters has each one once
_FIRST_USED = '!"#$%&'
_OF_FIRST_USED = re.compile(f"[{_FIRST_USED}]")

# How a file names the letters of a font: "27/f_i/f_f 40/parenleft" are those from each code on.
_NAMES = re.compile(rb"/Differences\s*\[([^\]]*)\]")
_CODE_OR_NAME = re.compile(rb"(\d{1,3})(?!\d)|/([^\s/]{1,80})")
_PACKED = re.compile(rb"/ObjStm\b.{0,300}?stream\r?\n", re.DOTALL)
_MOST_PACKED = 2_000
_MOST_UNPACKED_BYTES = 1_000_000

_NAME_BYTES = 128
_NAME_SIZE = ctypes.c_ulong(_NAME_BYTES)

# Asked of some hundred letters of a page.
_is_unknown = lean(pdfium.FPDFText_HasUnicodeMapError)
_ask_font = lean(pdfium.FPDFText_GetFontInfo)


class Glyphs:
    """The letters of one file. *content* is the file."""

    def __init__(self, content: bytes, mac_ligatures: MacLigatures, cut_ligatures: CutLigatures) -> None:
        self._content = content
        self._mac_ligatures = mac_ligatures
        self._cut_ligatures = cut_ligatures
        self._name = ctypes.create_string_buffer(_NAME_BYTES)
        self._flags = ctypes.c_int()

    def named(self, textpage: pypdfium2.raw.FPDF_TEXTPAGE, text: str) -> tuple[str, bool] | None:
        """*text*, one character for each letter of *textpage*, with those that pdfium does not know.

        And whether it is without some that nobody knows. None where those are most of them: old fonts that are made of
        pictures may not tell.
        """
        text = self._numbered(textpage, self._mac_ligatures.told(textpage, text))
        if self._cut_ligatures.is_suspect:
            text = self._cut_ligatures.told(textpage, text, self._joined_names)
        if not self._can_be_read(textpage, text):
            return None
        told = self._without_untold(textpage, text)
        return self._with_signs(textpage, told), told != text

    def _with_signs(self, textpage: pypdfium2.raw.FPDF_TEXTPAGE, text: str) -> str:
        signs: dict[int, str] = {}
        for suspect in _SUSPECTS:
            signs |= self._signs(textpage, text, suspect)
        if not text.isascii():
            signs |= self._signs(textpage, text, _SUSPECT_IN_WORD)
        if not signs:
            return text
        if "⟨" in signs.values() or "⟩" in signs.values():  # the other ones may stand in the middle of a word
            signs |= self._signs(textpage, text, _BRACKET)
        letters = list(text)
        for index, sign in signs.items():
            letters[index] = sign
        return "".join(letters)

    def _can_be_read(self, textpage: pypdfium2.raw.FPDF_TEXTPAGE, text: str) -> bool:
        meaningless = len(_MEANINGLESS.findall(text))
        if meaningless < _FEWEST * _MOST_MEANINGLESS:
            return True
        if meaningless < _MOST_MEANINGLESS * sum(map(len, text.split())):
            return True
        inked = [index for index, letter in enumerate(text) if not letter.isspace()]
        unknown: int = sum(_is_unknown(textpage, index) for index in inked)
        return unknown < _MOST_UNKNOWN * len(inked)

    def _without_untold(self, textpage: pypdfium2.raw.FPDF_TEXTPAGE, text: str) -> str:
        """*text* without the letters of fonts that nobody knows any letter of, which would be read as nonsense."""
        untold = [found.start() for found in _UNTOLD.finditer(text)]
        names = Counter(self._font(textpage, index) for index in untold)
        suspects = {name for name, times in names.items() if times >= _FEWEST_UNTOLD and not _of_signs(name)}
        are_numbers = all(letter in text for letter in _FIRST_USED) and self._may_count(textpage, text)
        if not (suspects or are_numbers):
            return text
        fonts: dict[str, list[int]] = {}
        most = {name: names[name] / _MOST_UNTOLD for name in suspects}
        for index, letter in enumerate(text):
            if letter in " \n" or text.startswith("\r\n", index):
                continue
            name = self._font(textpage, index)
            fonts.setdefault(name, []).append(index)
            if name in most and len(fonts[name]) > most[name]:  # it has too many others
                del most[name]
                if not (most or are_numbers):
                    return text
        letters = list(text)
        for name, indices in fonts.items():
            own = "".join(text[index] for index in indices)
            is_untold = name in suspects and self._tells_nothing(textpage, indices, own)
            if is_untold or (are_numbers and _counts(own)):
                for index in indices:
                    letters[index] = _NO_LETTER
        return "".join(letters)

    def _may_count(self, textpage: pypdfium2.raw.FPDF_TEXTPAGE, text: str) -> bool:
        """Whether a font has its first letters in the order of their numbers, as far as those alone tell."""
        firsts: dict[str, str] = {}
        for found in _OF_FIRST_USED.finditer(text):
            name = self._font(textpage, found.start())
            if found[0] not in firsts.get(name, ""):
                firsts[name] = firsts.get(name, "") + found[0]
        return _FIRST_USED in firsts.values()

    def _tells_nothing(self, textpage: pypdfium2.raw.FPDF_TEXTPAGE, indices: Sequence[int], own: str) -> bool:
        """Whether hardly any of a font's *own* letters, which are at *indices*, has a character."""
        if len(own) < _FEWEST or len(_UNTOLD.findall(own)) < _MOST_UNTOLD * len(own):
            return False
        unknown = sum(
            letter == _REPLACED or _is_unknown(textpage, index) == 1 for letter, index in zip(own, indices, strict=True)
        )
        return bool(unknown > _ALL_BUT_FEW * len(indices))

    def _signs(self, textpage: pypdfium2.raw.FPDF_TEXTPAGE, text: str, suspect: re.Pattern[str]) -> dict[int, str]:
        found = (each.start() for each in suspect.finditer(text))
        unknown = [index for index in found if text[index] == _REPLACED or _is_unknown(textpage, index)]
        signs = ((index, self._character(textpage, index, text)) for index in unknown)
        return {index: sign for index, sign in signs if sign}

    def _numbered(self, textpage: pypdfium2.raw.FPDF_TEXTPAGE, text: str) -> str:
        """*text* with the letters of fonts that have numbers in their place."""
        if _BLANK not in text or len(_NUMBERED_WORDS.findall(text)) < _FEWEST_WORDS:
            return text
        fonts: dict[str, list[int]] = {}
        for index in range(len(text)):
            if _is_unknown(textpage, index):
                fonts.setdefault(self._font(textpage, index), []).append(index)
        letters = list(text)
        for name, indices in fonts.items():
            share = sum(text[index] == _BLANK for index in indices) / len(indices)
            if _BLANKS[0] < share < _BLANKS[1] and len(indices) >= _FEWEST and not _of_signs(name):
                for index in indices:
                    letters[index] = _NUMBERED.get(text[index], text[index])
        return "".join(letters)

    def _font(self, textpage: pypdfium2.raw.FPDF_TEXTPAGE, index: int) -> str:
        length = _ask_font(textpage, index, self._name, _NAME_SIZE, ctypes.byref(self._flags))
        return self._name.value.decode("utf-8", "replace") if 0 < length <= _NAME_BYTES else ""

    def _character(self, textpage: pypdfium2.raw.FPDF_TEXTPAGE, index: int, text: str) -> str | None:
        code, name = text[index].replace(_REPLACED, _ZERO), self._font(textpage, index)
        for font, signs in _SIGNS:
            if font.search(name):
                return signs.get(code)
        european = None if name else (_EUROPEAN.get(code) or _SIGNS_OF_PICTURES.get(code))
        letter = self._ligatures.get(ord(code)) or european or _TEXT.get(code)
        if letter in _LIGATURES and not (text[:index][-1:] + text[index + 1 : index + 2]).strip():
            return _BULLET if text[:index][-1:] in "\n" else None  # a ligature stands in a word
        return letter

    @cached_property
    def _ligatures(self) -> dict[int, str]:
        """The ligature of each code that no two fonts of the file differ about."""
        meant: dict[int, str] = {}
        disputed = set()
        for code, name in self._named_letters():
            ligature = LIGATURE_OF.get(name.partition(".")[0].replace("_", ""))
            if ligature and ("_" in name or "." in name) and meant.setdefault(code, ligature) != ligature:
                disputed.add(code)
        return {code: ligature for code, ligature in meant.items() if code not in disputed}

    @cached_property
    def _joined_names(self) -> frozenset[str]:
        """The letters of each ligature that a font of the file names by them, as "T_h"."""
        names = {name.replace("_", "") for _, name in self._named_letters() if "_" in name}
        return frozenset(names & LIGATURE_OF.keys())

    def _named_letters(self) -> Iterator[tuple[int, str]]:
        for part in (self._content, *self._unpacked()):
            for names in _NAMES.finditer(part):
                code = 0
                for found in _CODE_OR_NAME.finditer(names[1]):
                    if found[1]:
                        code = int(found[1])
                    else:
                        yield code, found[2].decode("latin-1")
                        code += 1

    def _unpacked(self) -> Iterator[bytes]:
        """What of the file's own objects is compressed."""
        for number, found in enumerate(_PACKED.finditer(self._content)):
            if number == _MOST_PACKED:
                return
            try:
                yield zlib.decompressobj().decompress(self._content[found.end() :], _MOST_UNPACKED_BYTES)
            except zlib.error:  # encrypted, or packed in another way
                continue


def _counts(letters: str) -> bool:
    """Whether *letters* are numbers in the order of their first use. A table of all letters has each of them once."""
    some = letters[:_OF_A_TABLE]
    return "".join(dict.fromkeys(some)).startswith(_FIRST_USED) and len(set(some)) < len(some)


def _of_signs(font: str) -> bool:
    return any(name.search(font) for name, _ in _SIGNS)
