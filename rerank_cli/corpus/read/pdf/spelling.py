"""From the letters of a page to what they spell: accents on their letters, and blanks where words end alone."""

from __future__ import annotations

import ctypes
import math
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import pairwise
from statistics import median

from rerank_cli.corpus.read.pdf.cambria import with_letters_of_cambria
from rerank_cli.corpus.read.pdf.characters import LONE_ACCENT, in_cyrillic, in_letters, is_unspaced, with_accent
from rerank_cli.corpus.read.pdf.from_right import RIGHT_TO_LEFT, TURNED_LIGATURE, TURNED_MARK, with_brackets
from rerank_cli.corpus.read.pdf.glued import Words
from rerank_cli.corpus.read.pdf.lines import CELL_GAP, WIDE_STOPS
from rerank_cli.corpus.read.pdf.measures import FIRST_WIDE, Gap, Measures, is_generated, object_of
from rerank_cli.corpus.read.pdf.symbols import with_signs

LINE = re.compile("([^\r\n\ufffe\x02]*)(\r\n|\r|\n|[\ufffe\x02]|$)")
"""How pdfium ends a line; U+FFFE is its sign for a hyphen that parts a word there."""

NO_BLANK = "\u200b"
"""What stands where a blank is none, so that all letters keep their numbers."""

NO_GAP = 0.2
"""In points. InDesign writes a blank after the letters of some ligatures, which all are where that is."""

AFTER_STOP = 1.6
"""So many times as much room as elsewhere printers leave after what ends a sentence."""

# What ends a part of a sentence and is followed by a word without a blank.
_STOP_IN_WORD = re.compile(r"[,.;:)’”](?<=[^\W\d_].|[)’”].)(?=[^\W\d_]{2})")  # noqa: RUF001

# Letters of a word with more room between them, in sizes of the letters; blanks between them are no characters.
_SPREAD = re.compile(r" (?<=(?<!\S)[^\W\d_] )[^\W\d_] [^\W\d_] ")
_MOSTLY_SINGLE = 0.3
_WIDEST_SPREAD = 0.24

# Some programs on a Mac write a hyphen so.
_THREEFOLD_HYPHEN = "-\u00ad\u2010"
HYPHEN_WITH_ROOM = "-" + 2 * NO_BLANK

# So wide a gap between letters of one width, in a listing or in a writing without blanks, is no blank.
_WIDEST_FALSE = 0.5
_WIDEST_FALSE_FIXED = 0.2

# A narrower one in a line with so many blanks of its own is none between other letters, either.
_WIDEST_IN_WORD = 0.16
_OWN_BLANKS = 2
_BLANKS_ASKED, _MORE_BLANKS_ASKED = 5, 25

# Where there is no blank in so many letters, words may stand closely; hardly any is a single letter. In sizes of these:
# so far apart, or over each other, stand words that are set one by one.
_MOST_SINGLE = 0.1
_SINGLE_WORDS = "aIyoeàÀA&"
_APART = 0.003

# In sizes of the letters: no blank between words is narrower. So much narrower are all gaps within them.
_NARROWEST = 0.1
_CLEARLY = 0.7


class Spelling:
    """What the letters of a page spell. Every letter has its number as pdfium counts it."""

    def __init__(self, text: str, measures: Measures, words: Words, *, turns: bool) -> None:
        """*text* is what the fonts tell; *turns* where the page is read from right to left."""
        self._measures = measures
        self._words = words
        text = with_letters_of_cambria(with_signs(text, measures.font_name), measures.font_name)
        text = text.replace(_THREEFOLD_HYPHEN, HYPHEN_WITH_ROOM)
        text = self._accented(self._closed_up(in_cyrillic(in_letters(text))))
        self.from_right = 0 if text.isascii() else sum(map(len, RIGHT_TO_LEFT.findall(text)))
        """How many letters are of writings that run from right to left."""
        if self.from_right:
            text = self._with_marks(self._with_ligatures(text))
        if turns:
            text = with_brackets(text)
        self.text = text
        self.has_wide = not text.isascii() and max(text) >= FIRST_WIDE
        """Whether there are Han, kana or others of that width."""
        self._has_own_blanks = any(self._are_own(_BLANKS_ASKED))  # which pdfium need not put there
        self._begun: Sequence[int] = ()  # where words begin without a blank before them
        if words.are_glued or not all(self._are_own(_MORE_BLANKS_ASKED)):
            self._begun = sorted(self._begins_of_glued())

    def begins_of_words(self, first: int, end: int) -> Sequence[int]:
        """Where in a line words begin that have no blank before them."""
        return self._begun[bisect_right(self._begun, first) : bisect_left(self._begun, end)] if self._begun else ()

    def begins_of_scanned(self, text: str, first: int, end: int, size: float) -> list[int]:
        """Where words begin in a line whose letters are wider than those of the picture, so that these leave no gap.

        Each is set for itself: it stands elsewhere than the one before ends. None where single letters are set so.
        """
        texts = [object_of(self._measures.raw, index) for index in range(first, end)]
        objects = [ctypes.cast(each, ctypes.c_void_p).value for each in texts]
        begins = [
            index
            for index in range(first + 1, end)
            if not (text[index].isspace() or text[index - 1].isspace())
            and objects[index - first] != objects[index - first - 1]
            and abs(self._measures.between(index - 1, index)) > _APART * size
        ]
        single = sum(
            len(piece) == 1 and piece not in _SINGLE_WORDS for piece in with_blanks(text, first, end, begins).split(" ")
        )
        return [] if single > _MOST_SINGLE * len(begins) else begins

    def without_blanks_in_words(self, text: str, gaps: Sequence[Gap], size: float, *, fixed: bool) -> str:
        """*text* without the blanks that pdfium puts into words whose letters stand a little apart, as in scans.

        They are not of the file, which has some blanks of its own in the line. One that begins before what comes after
        it stands where a letter hangs over, and an f always does.
        """
        if fixed or self.has_wide:
            text = self._without_false_blanks(text, gaps, size, fixed=fixed)
        if not self._has_own_blanks:
            return text
        narrow = [gap for gap in gaps if 0.0 < gap[2] < _WIDEST_IN_WORD * size]
        false = [
            (space, after)
            for space, after, _ in narrow
            if text[space - 1].isalpha()
            and text[space - 1] != "f"
            and text[after].isalpha()
            and (text[after].islower() or text[space - 1].isupper())
            and is_generated(self._measures.raw, space) == 1
            and self._measures.left(space) >= self._measures.left(after) - NO_GAP
        ]
        if not false or sum(is_generated(self._measures.raw, space) == 0 for space, _, _ in gaps) < _OWN_BLANKS:
            return text
        return without_blanks(text, false)

    def _without_false_blanks(self, text: str, gaps: Sequence[Gap], size: float, *, fixed: bool) -> str:
        """*text* without the blanks that pdfium puts where letters stand a little apart, though no word ends there."""
        false = []
        for space, after, width in gaps:
            is_within = is_unspaced(text[space - 1]) and is_unspaced(text[after])
            widest = _WIDEST_FALSE if is_within else _WIDEST_FALSE_FIXED if fixed else 0.0
            if is_within and text[space - 1] in WIDE_STOPS:
                widest = CELL_GAP * AFTER_STOP
            if not 0.0 < width < widest * size or not is_generated(self._measures.raw, space):
                continue
            if is_within or all((self._measures.font(index) or (False, True))[1] for index in (space - 1, after)):
                false.append((space, after))
        return without_blanks(text, false)

    def _are_own(self, count: int) -> Iterator[bool]:
        """Whether blanks are of the file: so many of all."""
        text = self.text
        for part in range(count):
            if (index := text.find(" ", part * len(text) // count)) >= 0:
                yield is_generated(self._measures.raw, index) == 0

    def _begins_of_glued(self) -> set[int]:
        """Where words begin that pdfium takes for the end of another. Where some are, more are asked about."""
        text = self.text
        begins = set(self._begins_among(self._words.doubtful(text)))
        if begins:
            begins |= set(self._begins_among(self._words.doubtful(text)))
        if begins or self._words.are_glued:
            begins |= {found.end() for found in _STOP_IN_WORD.finditer(text) if self._is_parted(found.end())}
        return begins

    def _is_parted(self, index: int) -> bool:
        """Whether the gap before a letter is as wide as the blanks beside its word."""
        gap = self._measures.between(index - 1, index)
        if gap < _NARROWEST * self._measures.size(index)[0]:
            return False
        first, end = self.text.rfind(" ", 0, index) + 1, self.text.find(" ", index)
        return gap >= _CLEARLY * self._blank_beside(first, end)

    def _begins_among(self, doubtful: Iterator[tuple[int, int]]) -> Iterator[int]:
        """Where words begin within others: there alone is a gap between the letters, as wide as a blank beside."""
        for first, end in doubtful:
            gaps = [self._measures.between(index - 1, index) for index in range(first + 1, end)]
            widest = max(gaps)
            if widest < _NARROWEST * self._measures.size(first)[0] or widest < _CLEARLY * self._blank_beside(
                first, end
            ):
                continue
            if max((gap for gap in gaps if gap < _CLEARLY * widest), default=0.0) < (1 - _CLEARLY) * widest:
                self._words.remember(self.text[first:end])
                yield from (index for index, gap in enumerate(gaps, first + 1) if gap >= _CLEARLY * widest)

    def _blank_beside(self, first: int, end: int) -> float:
        """How wide the narrower of the blanks before and after a word is."""
        text = self.text
        blanks = [index for index in (first - 1, end) if 0 < index < len(text) - 1 and text[index] == " "]
        return min((self._measures.between(index - 1, index + 1) for index in blanks), default=math.inf)

    def _accented(self, text: str) -> str:
        """*text* with the accents on their letters that pdfium puts at the end of their lines."""
        if not LONE_ACCENT.search(text):
            return text
        letters = list(text)
        for found in LINE.finditer(text):
            for accent in LONE_ACCENT.finditer(text, *found.span(1)):
                at = accent.start()
                middle = (self._measures.left(at) + self._measures.right(at)) / 2
                for index in range(*found.span(1)):
                    if text[index].isalpha() and self._measures.left(index) < middle < self._measures.right(index):
                        composed = with_accent(text[index], accent[0])
                        if composed:
                            letters[index], letters[at] = composed, NO_BLANK
                        break
        return "".join(letters)

    def _with_ligatures(self, text: str) -> str:
        """*text* with lam before alef where both are one sign."""
        letters = list(text)
        for found in TURNED_LIGATURE.finditer(text):
            alef = found.start()
            if self._measures.origin(alef) == self._measures.origin(alef + 1):
                letters[alef : alef + 2] = text[alef + 1], text[alef]
        return "".join(letters)

    def _with_marks(self, text: str) -> str:
        """*text* with the marks of vowels after the letters that they stand on: pdfium turns them, too."""
        letters = list(text)
        for found in TURNED_MARK.finditer(text):
            mark, letter = found.end(1) - 1, found.end() - 1
            (left, _), (right, _) = self._measures.corners(mark)
            (first, _), (last, _) = self._measures.corners(letter)
            if min(first, last) < (left + right) / 2 < max(first, last):
                letters[mark], letters[letter] = text[letter], text[mark]
                if (
                    mark
                    and text[mark - 1] == " "
                    and self._measures.right(mark - 1) - self._measures.left(mark - 1) < NO_GAP
                ):
                    letters[mark - 1] = NO_BLANK
        return "".join(letters)

    def _closed_up(self, text: str) -> str:
        """*text* without the blanks that pdfium puts into words of spread letters, as in listings and headings."""
        if not _SPREAD.search(text):
            return text
        letters = list(text)
        for found in LINE.finditer(text):
            if _SPREAD.search(found[1]) and _MOSTLY_SINGLE * len(words := found[1].split()) < sum(
                len(word) == 1 for word in words
            ):
                for blank in self._false_blanks(text, *found.span(1)):
                    letters[blank] = NO_BLANK
        return "".join(letters)

    def _false_blanks(self, text: str, first: int, end: int) -> list[int]:
        """The blanks of a line that are little wider than what is between the letters of its words."""
        inked = [index for index in range(first, end) if not text[index].isspace()]
        gaps = [self._measures.between(before, after) for before, after in pairwise(inked)]
        usual = median(gaps)
        if usual > _WIDEST_SPREAD * self._measures.size(inked[0])[0]:
            return []
        return [
            before + 1
            for (before, after), gap in zip(pairwise(inked), gaps, strict=True)
            if after == before + 2 and gap < 2 * usual and is_generated(self._measures.raw, before + 1)
        ]


def with_blanks(text: str, first: int, end: int, words: Sequence[int]) -> str:
    """*text* from *first* to *end*, with a blank before each of *words*."""
    edges = [first, *(at for at in words if first < at < end), end]
    return " ".join(text[begin:stop] for begin, stop in pairwise(edges))


def without_blanks(text: str, blanks: Sequence[tuple[int, int]]) -> str:
    """*text* with nothing in place of *blanks*, each of which goes from its first one to what comes after it."""
    if not blanks:
        return text
    pieces, done = [], 0
    for space, after in blanks:
        pieces += [text[done:space], NO_BLANK * (after - space)]
        done = after
    return "".join([*pieces, text[done:]])
