"""The ligatures of files made on a Mac, whose fonts give another character for them: "informa$on", "so7ware"."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import cached_property

import pypdfium2
import pypdfium2.raw as pdfium

from rerank_cli.corpus.read.pdf.characters import LIGATURE_OF
from rerank_cli.corpus.read.pdf.textpages import characters_of
from rerank_cli.corpus.read.pdf.widths import Sign, Widths

_MADE_ON = re.compile(r"Mac ?OS|Quartz|Macintosh")

# A sign, a figure, a capital or no character at all in a word.
_SIGNS = r"!#-&*+0-9<-@^`|~\ue000-\uf8ff\ufffe"
_IN_WORD = re.compile(rf"[{_SIGNS}A-Z](?<=[a-z].)|[{_SIGNS}](?=[a-z])|(?<=[A-Z])[A-Z](?=[a-z])")
_BEFORE = re.compile(r"[A-Za-z]*\Z")
_AFTER = re.compile("[a-z]*")
_LONGEST_BEFORE = 30

# pdfium has it for a hyphen at the end of a line, too.
_OF_HYPHEN = "\ufffe"

# Words that tell a ligature, where a sign stands in them. A long one tells enough, of others so many, or one so often.
_TELLING = {
    letters: re.compile(words.replace("@", "\N{BULLET}"))
    for letters, words in {
        "ti": "[a-z]+@(?:ons?|onal|onally|ve|vely|vity|ng|cal|cally|al|ally|mes?|ty|es|fy|fied)|@mes?|ra@os?",
        "tt": "a@(?:ribut|ack|empt|ent|ach|end|itude|ract)[a-z]*|(?:be|le|ma|ba|bu)@er[a-z]*|li@le|bo@om|pa@ern[a-z]*"
        "|(?:bu|co)@ons?|wri@en|commi@ee|[sg]e@ings?|shu@le|h@ps?",
        "ft": "a@er|so@ware|o@en|le@|(?:dra|shi|gi|li)@(?:s|ed|ing)?",
        "tf": "pla@orms?|por@olios?",
        "ff": "(?:o|e|a)@ect[a-z]*|o@|o@er[a-z]*|di@er[a-z]*|su@er[a-z]*|sta@|e@ort[a-z]*|cuto@s?",
        "fi": "@(?:rst|nding|lls|les?|elds?|nal|nally|gures?|xed)|[a-z]+i@c(?:ant|antly|ation|ations)?|de@n[a-z]+",
        "fl": "@(?:ow|ows|oor|ags?|ights?|exible)|in@uence[a-z]*|re@ect[a-z]*|con@ict[a-z]*",
        "ffi": "(?:o@c|e@cien|su@cien|di@cul|coe@cien)[a-z]+",
        "tti": "(?:[a-z]*si|se|ge|pu|cu|commi|hi|spli|fi)@ngs?|la@ces?",
    }.items()
}
_LONG = 8
_FEWEST_WORDS = 2
_FEWEST_TIMES = 3
_MOSTLY = 0.8

# As wide as its letters, or a little narrower, is a ligature. No character at all in a word is one for sure, which a
# single word tells; an f of TeX's fonts hangs over in the others.
_NARROWEST, _WIDEST = 0.88, 1.03
_NARROWEST_OF_NONE = 0.7

_MOST_PAGES = 200


class MacLigatures:
    """What the file *content* has in the place of its ligatures; nothing if what its *producer* is runs on no Mac."""

    def __init__(self, content: bytes, producer: str) -> None:
        self._content = content
        self._is_suspect = _MADE_ON.search(producer) is not None
        self._widths = Widths()

    def told(self, textpage: pypdfium2.raw.FPDF_TEXTPAGE, text: str) -> str:
        """*text*, one character for each letter of *textpage*, with its ligatures."""
        if not self._is_suspect or not any(_told(word) for _, word in _words(textpage, text)) or not self._meant:
            return text
        letters = list(text)
        for index, letter in enumerate(text):
            if letter in self._signs and (ligature := self._meant.get(self._widths.sign(textpage, index, letter))):
                letters[index] = ligature
        return "".join(letters)

    @cached_property
    def _signs(self) -> frozenset[str]:
        return frozenset(letter for _, letter, _ in self._meant)

    @cached_property
    def _meant(self) -> dict[Sign, str]:
        """The ligature of each sign that words and its width tell, and no other one."""
        words: dict[Sign, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        in_words, times = Counter[Sign](), Counter[Sign]()
        widths: dict[tuple[str, str], int] = {}
        for raw, text in self._texts():
            for index, word in _words(raw, text):
                sign = self._widths.sign(raw, index, text[index])
                in_words[sign] += 1
                for letters in _told(word):
                    words[sign][letters].append(word)
            fonts = {font for font, _, _ in words}
            signs = {letter for _, letter, _ in words}
            for index, letter in enumerate(text):
                if letter in "filt" or letter in signs:
                    sign = self._widths.sign(raw, index, letter)
                    times[sign] += 1
                    font, _, width = sign
                    if font in fonts and width:  # a ligature that is known has its width at each of its letters
                        widths[font, letter] = min(width, widths.get((font, letter), width))
        meant = {}
        for sign, told in words.items():
            enough = [letters for letters, some in told.items() if sign[1] == _OF_HYPHEN or _are_enough(some)]
            fitting = [letters for letters in enough if _fits(sign, letters, widths)]
            if len(fitting) == 1 and in_words[sign] >= _MOSTLY * times[sign]:
                meant[sign] = LIGATURE_OF[fitting[0]]
        return meant

    def _texts(self) -> Iterator[tuple[pypdfium2.raw.FPDF_TEXTPAGE, str]]:
        """The pages that tell something. The file is opened anew: a page that is closed must not be open elsewhere."""
        with pypdfium2.PdfDocument(self._content) as document:
            for number in range(min(len(document), _MOST_PAGES)):
                try:
                    page = document[number]
                except pypdfium2.PdfiumError:  # the reader tells of it
                    continue
                textpage = page.get_textpage()
                text = characters_of(textpage)
                if any(_told(word) for _, word in _words(textpage.raw, text)):
                    yield textpage.raw, text
                textpage.close()
                page.close()


def _words(textpage: pypdfium2.raw.FPDF_TEXTPAGE, text: str) -> Iterator[tuple[int, str]]:
    """Where in *text* a sign stands in a word, and the word with a bullet for the sign."""
    for found in _IN_WORD.finditer(text):
        index = found.start()
        if found[0] == _OF_HYPHEN and pdfium.FPDFText_IsHyphen(textpage, index) == 1:
            continue
        before = _BEFORE.search(text, max(0, index - _LONGEST_BEFORE), index)
        after = _AFTER.match(text, index + 1)
        if before and after:
            yield index, f"{before[0].lower()}\N{BULLET}{after[0]}"


def _told(word: str) -> list[str]:
    return [letters for letters, telling in _TELLING.items() if telling.fullmatch(word)]


def _are_enough(words: list[str]) -> bool:
    is_told = len(words) >= _FEWEST_TIMES or len(set(words)) >= _FEWEST_WORDS
    return is_told or any(len(word) >= _LONG for word in words)


def _fits(sign: Sign, letters: str, widths: dict[tuple[str, str], int]) -> bool:
    """Whether *sign* is as wide as *letters* in its font."""
    font, _, width = sign
    if any((font, letter) not in widths for letter in letters):
        return False
    whole = sum(widths[font, letter] for letter in letters)
    narrowest = _NARROWEST_OF_NONE if sign[1] == _OF_HYPHEN else _NARROWEST
    return narrowest * whole < width < _WIDEST * whole
