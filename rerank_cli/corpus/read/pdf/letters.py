"""From the letters of a page, as pdfium knows them, to its lines."""

from __future__ import annotations

import ctypes
import math
import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from statistics import median

import pypdfium2
import pypdfium2.raw as pdfium

from rerank_cli.corpus.read.pdf.characters import (
    BROKEN_WORD,
    LONE_ACCENT,
    cleaned,
    in_cyrillic,
    in_letters,
    is_hangul,
    is_unspaced,
    with_accent,
    without_leader,
)
from rerank_cli.corpus.read.pdf.from_right import (
    RIGHT_TO_LEFT,
    TURNED_LIGATURE,
    TURNED_MARK,
    gaps_between,
    with_brackets,
)
from rerank_cli.corpus.read.pdf.glued import Words
from rerank_cli.corpus.read.pdf.glyphs import Glyphs
from rerank_cli.corpus.read.pdf.grids import Grid
from rerank_cli.corpus.read.pdf.lean import lean
from rerank_cli.corpus.read.pdf.lines import CELL_GAP, WIDE_STOPS, Cell, Line, is_amount
from rerank_cli.corpus.read.pdf.sheet import Sheet
from rerank_cli.corpus.read.pdf.symbols import with_signs
from rerank_cli.corpus.read.pdf.textpages import characters_of

# How pdfium ends a line; U+FFFE is its sign for a hyphen that parts a word there.
_LINE = re.compile("([^\r\n\ufffe\x02]*)(\r\n|\r|\n|[\ufffe\x02]|$)")

# And so it does not sign it where the line is the last one of a page.
_HYPHEN = re.compile(r"[^\W_]-")

# From here on, mostly, a letter is as wide as its size, however little of that its ink takes.
_FIRST_WIDE = "\u2e80"

# Printers leave more room there.
_STOPS = ".:;!?" + WIDE_STOPS
_AFTER_STOP = 1.6

# So much of that between words is there in a line that is stretched to the width of its column.
_STRETCHED_STOP = 3.0
_CLOSING = "\"'”’»)]"  # noqa: RUF001

_WIDEST_STRETCHED = 1.6

# Two numbers side by side are of two columns, or have no more than a blank between them.
_NUMBER_GAP = 0.5

_ITEM_NUMBER = re.compile(r"\d{1,3}\.")

# The number of a footnote before its first word, or after a word.
# What ends a part of a sentence and is followed by a word without a blank.
_STOP_IN_WORD = re.compile(r"[,.;:)’”](?<=[^\W\d_].|[)’”].)(?=[^\W\d_]{2})")  # noqa: RUF001

_MARK = re.compile(r"(?:(?<!\S)\d{1,3}(?=[^\W\d_]{3}|[A-Z]))|(?<=[a-zß-ÿ]{4})\d{1,2}(?!\w)")
_MARK_SIZE = 0.85

# In points: so far back to the left goes what stands before a line and comes after it, and so far at least what stands
# below a number. What stands so far apart, and is so little higher or lower, is of another column.
_LEAP = 20.0
_BACK = 3.0
_COLUMN_GAP = 8.0
_LEVEL = 0.5
_LEAST_BLANKS = 3

# In sizes of the letters: so far below each other stand figures of two lines, and raised ones do not.
_STACKED = 0.8
_END_OF_NUMBER = ")]0123456789"

# Letters of a word with more room between them, in sizes of the letters; blanks between them are no characters.
_SPREAD = re.compile(r" (?<=(?<!\S)[^\W\d_] )[^\W\d_] [^\W\d_] ")
_MOSTLY_SINGLE = 0.3
_WIDEST_SPREAD = 0.24
_NO_BLANK = "\u200b"

# Some programs on a Mac write a hyphen so.
_THREEFOLD_HYPHEN = "-\u00ad\u2010"
_HYPHEN_WITH_ROOM = "-" + 2 * _NO_BLANK

# Such a share of the letters of a listing's line is Han or kana at most; where the rest tells, it is less.
_MOST_WIDE = 0.5
_MOST_COMMENT = 0.25

_WORD = re.compile(r"[^ ]+")

# So wide a gap between letters of one width, in a listing or in a writing without blanks, is no blank.
_WIDEST_FALSE = 0.5
_WIDEST_FALSE_FIXED = 0.2

# A narrower one in a line with so many blanks of its own is none between other letters, either.
_WIDEST_IN_WORD = 0.16
_OWN_BLANKS = 2
_BLANKS_ASKED, _MORE_BLANKS_ASKED = 5, 25

# Where so many lines in Hangul end with a blank, and such a share of them, the last word of the others may go on.
_FEWEST_AT_ENDS = 3
_LEAST_AT_ENDS = 0.15

# Where there is no blank in so many letters, words may stand closely; hardly any is a single letter. In sizes of these:
# so far apart, or over each other, stand words that are set one by one.
_LONGEST_WORDS = 9
_LINES_ASKED = 3  # where none of them is of a scan's text, no other is
_MOST_SINGLE = 0.1
_SINGLE_WORDS = "aIyoeàÀA&"
_APART = 0.003

# In sizes of the letters: no blank between words is narrower. So much narrower are all gaps within them.
_NARROWEST = 0.1
_CLEARLY = 0.7

# In points. InDesign writes a blank after the letters of some ligatures, which all are where that is.
_NO_GAP = 0.2

# It is set in letters of its own before a line of a listing.
_LINE_NUMBER = re.compile(r"\d{1,5}\s+(?=\S)")

# What a file says of a font's weight is mostly guessed: its name tells. TeX has `cmbx` and `LinLibertineB`.
_BOLD_NAME = re.compile(
    r"bold|black|heavy|demi|medi(?!um)|bx(?:sl|ti)?\d|(?:cm|sf|ec)b\d|-(?:bd|bol\b)|(?:libertine|biolinum)[to]?z?b|-b\b",
    re.IGNORECASE,
)
_FIXED_NAME = re.compile(
    r"mono|nimbusmon|courier|typewriter|consol|menlo|monaco|fixed|code|(?:cmi?|sl|sf|ec|lm|xb?)tt\d*\b|cmtex|(?:sf|ec)(?:st|it|tc)\d",
    re.IGNORECASE,
)
_NAME_BYTES = 128
_NAME_SIZE = ctypes.c_ulong(_NAME_BYTES)
_PLAIN = (False, False)

# The letters of a font without a name are measured, so many different ones at least; in sizes of the letters.
_FEWEST_LETTERS = 4
_SAME_WIDTH = 0.02

# A font of pictures says that its letters are one point high. Capitals have about so much of their size.
_LEAST_SIZE = 3.0
_CAPITAL_HEIGHT = 0.7
_PROBED = 12

# In sizes of the letters: no other letter reaches so far below its line, and the middle of signs is so far above it.
_HANGING = 0.6
_AXIS = 0.25


_Gap = tuple[int, int, float]  # a blank, what comes after it, and how wide it is


# Asked of some hundred letters of a page.
_ask_origin = lean(pdfium.FPDFText_GetCharOrigin)
_ask_loose_box = lean(pdfium.FPDFText_GetLooseCharBox)
_ask_box = lean(pdfium.FPDFText_GetCharBox)
_ask_matrix = lean(pdfium.FPDFText_GetMatrix)
_ask_font = lean(pdfium.FPDFText_GetFontInfo)
_size_of = lean(pdfium.FPDFText_GetFontSize)
_is_generated = lean(pdfium.FPDFText_IsGenerated)
_object_of = lean(pdfium.FPDFText_GetTextObject)


class Letters:
    """What pdfium knows of the letters of a page. Each question costs a microsecond: few letters are asked about."""

    def __init__(
        self,
        textpage: pypdfium2.PdfTextPage,
        sheet: Sheet,
        number: int,
        glyphs: Glyphs,
        words: Words,
        *,
        downwards: bool = False,
    ) -> None:
        """*downwards* where the lines of the page are columns, and *sheet* is turned so that they run to the right."""
        self._textpage = textpage
        self._raw = textpage.raw
        self._glyphs = glyphs
        self._words = words
        self._sheet = sheet
        self._shift = sheet.left
        self._edge_from_right = sheet.left + sheet.width if sheet.from_right else None
        self._is_straight = sheet.turned == 0 and not sheet.from_right
        self._number = number
        self._x, self._y = ctypes.c_double(), ctypes.c_double()
        self._point = ctypes.byref(self._x), ctypes.byref(self._y)
        self._edges = tuple(ctypes.c_double() for _ in range(4))
        self._edge_pointers = tuple(map(ctypes.byref, self._edges))
        self._box = pdfium.FS_RECTF()
        self._box_pointer = ctypes.byref(self._box)
        self._matrix = pdfium.FS_MATRIX()
        self._name = ctypes.create_string_buffer(_NAME_BYTES)
        self._flags = ctypes.c_int()
        self._pitch = 0.0  # of the last line in letters of one width, in sizes of the letters
        self._has_wide = False  # whether there are Han, kana or others of that width
        self.turns = Counter[int]()
        """How many letters stand upright when the page is turned by so many quarters; once lines were read."""
        self.mirrored = 0
        """How many letters stand on their head though they run to the right; once lines were read."""
        self.from_right = 0
        """How many letters are of writings that run from right to left; once lines were read."""
        self.downwards = 0
        """How many letters of Han and kana stand below each other; once lines were read."""
        self.unreadable = False
        """Whether there are letters, but nobody knows which; once lines were read."""
        self.partly_unreadable = False
        """Whether nobody knows those of some fonts, which are left out; once lines were read."""
        self._grids: Sequence[Grid] = ()
        self._runs_downwards = downwards
        self._has_own_blanks = False  # whether the file has blanks, which pdfium need not put there
        self._begun: Sequence[int] = ()  # where words begin without a blank before them
        self._seen_lines = 0  # those that were asked about and are seen

    def lines(self, grids: Sequence[Grid] = ()) -> list[Line]:
        """The lines in the order of the file, which is mostly that of reading. The rules of *grids* part cells."""
        self._grids = grids
        named = self._glyphs.named(self._raw, characters_of(self._textpage))
        self.unreadable = named is None
        if named is None:
            return []
        text, self.partly_unreadable = named
        text = with_signs(text, self._font_name)
        text = text.replace(_THREEFOLD_HYPHEN, _HYPHEN_WITH_ROOM)
        text = self._accented(self._closed_up(in_cyrillic(in_letters(text))))
        self.from_right = 0 if text.isascii() else sum(map(len, RIGHT_TO_LEFT.findall(text)))
        if self.from_right:
            text = self._with_marks(self._with_ligatures(text))
        if self._edge_from_right is not None:
            text = with_brackets(text)
        self._has_wide = not text.isascii() and max(text) >= _FIRST_WIDE
        self._has_own_blanks = any(self._are_own(text, _BLANKS_ASKED))
        if self._words.are_glued or not all(self._are_own(text, _MORE_BLANKS_ASKED)):
            self._begun = sorted(self._begins_of_glued(text))
        lines: list[Line] = []
        blanks: dict[int, bool] = {}  # whether a line in Hangul ends with one
        for found in _LINE.finditer(text):
            first, end = found.span(1)
            while first < end and text[first].isspace():
                first += 1
            while end > first and text[end - 1].isspace():
                end -= 1
            if text.endswith(_HYPHEN_WITH_ROOM, first, end):
                end -= 2
            parted = found[2] in ("\ufffe", "\x02")
            if not parted and _HYPHEN.match(text, max(first, end - 2), end):  # the last of a page or of a column
                parted, end = True, end - 1
            if first < end:
                lines += self._forwards(text, first, end, parted=parted)
                if is_hangul(text[end - 1]):
                    blanks[len(lines) - 1] = end < found.end(1)
        return _with_open_ends(lines, blanks) if blanks else lines

    def _are_own(self, text: str, count: int) -> Iterator[bool]:
        """Whether blanks are of the file: so many of all."""
        for part in range(count):
            if (index := text.find(" ", part * len(text) // count)) >= 0:
                yield _is_generated(self._raw, index) == 0

    def _begins_of_glued(self, text: str) -> set[int]:
        """Where words begin that pdfium takes for the end of another. Where some are, more are asked about."""
        begins = set(self._begins_among(text, self._words.doubtful(text)))
        if begins:
            begins |= set(self._begins_among(text, self._words.doubtful(text)))
        if begins or self._words.are_glued:
            begins |= {found.end() for found in _STOP_IN_WORD.finditer(text) if self._is_parted(text, found.end())}
        return begins

    def _is_parted(self, text: str, index: int) -> bool:
        """Whether the gap before a letter is as wide as the blanks beside its word."""
        gap = self._left(index) - self._right(index - 1)
        if gap < _NARROWEST * self._size(index)[0]:
            return False
        first, end = text.rfind(" ", 0, index) + 1, text.find(" ", index)
        return gap >= _CLEARLY * self._blank_beside(text, first, end)

    def _begins_among(self, text: str, doubtful: Iterator[tuple[int, int]]) -> Iterator[int]:
        """Where words begin within others: there alone is a gap between the letters, as wide as a blank beside."""
        for first, end in doubtful:
            gaps = [self._left(index) - self._right(index - 1) for index in range(first + 1, end)]
            widest = max(gaps)
            if widest < _NARROWEST * self._size(first)[0] or widest < _CLEARLY * self._blank_beside(text, first, end):
                continue
            if max((gap for gap in gaps if gap < _CLEARLY * widest), default=0.0) < (1 - _CLEARLY) * widest:
                self._words.remember(text[first:end])
                yield from (index for index, gap in enumerate(gaps, first + 1) if gap >= _CLEARLY * widest)

    def _blank_beside(self, text: str, first: int, end: int) -> float:
        """How wide the narrower of the blanks before and after a word is."""
        blanks = [index for index in (first - 1, end) if 0 < index < len(text) - 1 and text[index] == " "]
        return min((self._left(index + 1) - self._right(index - 1) for index in blanks), default=math.inf)

    def _accented(self, text: str) -> str:
        """*text* with the accents on their letters that pdfium puts at the end of their lines."""
        if not LONE_ACCENT.search(text):
            return text
        letters = list(text)
        for found in _LINE.finditer(text):
            for accent in LONE_ACCENT.finditer(text, *found.span(1)):
                at = accent.start()
                middle = (self._left(at) + self._right(at)) / 2
                for index in range(*found.span(1)):
                    if text[index].isalpha() and self._left(index) < middle < self._right(index):
                        composed = with_accent(text[index], accent[0])
                        if composed:
                            letters[index], letters[at] = composed, _NO_BLANK
                        break
        return "".join(letters)

    def _with_ligatures(self, text: str) -> str:
        """*text* with lam before alef where both are one sign."""
        letters = list(text)
        for found in TURNED_LIGATURE.finditer(text):
            alef = found.start()
            if self._origin(alef) == self._origin(alef + 1):
                letters[alef : alef + 2] = text[alef + 1], text[alef]
        return "".join(letters)

    def _with_marks(self, text: str) -> str:
        """*text* with the marks of vowels after the letters that they stand on: pdfium turns them, too."""
        letters = list(text)
        for found in TURNED_MARK.finditer(text):
            mark, letter = found.end(1) - 1, found.end() - 1
            (left, _), (right, _) = self._corners(mark)
            (first, _), (last, _) = self._corners(letter)
            if min(first, last) < (left + right) / 2 < max(first, last):
                letters[mark], letters[letter] = text[letter], text[mark]
                if mark and text[mark - 1] == " " and self._right(mark - 1) - self._left(mark - 1) < _NO_GAP:
                    letters[mark - 1] = _NO_BLANK
        return "".join(letters)

    def _closed_up(self, text: str) -> str:
        """*text* without the blanks that pdfium puts into words of spread letters, as in listings and headings."""
        if not _SPREAD.search(text):
            return text
        letters = list(text)
        for found in _LINE.finditer(text):
            if _SPREAD.search(found[1]) and _MOSTLY_SINGLE * len(words := found[1].split()) < sum(
                len(word) == 1 for word in words
            ):
                for blank in self._false_blanks(text, *found.span(1)):
                    letters[blank] = _NO_BLANK
        return "".join(letters)

    def _false_blanks(self, text: str, first: int, end: int) -> list[int]:
        """The blanks of a line that are little wider than what is between the letters of its words."""
        inked = [index for index in range(first, end) if not text[index].isspace()]
        gaps = [self._left(after) - self._right(before) for before, after in pairwise(inked)]
        usual = median(gaps)
        if usual > _WIDEST_SPREAD * self._size(inked[0])[0]:
            return []
        return [
            before + 1
            for (before, after), gap in zip(pairwise(inked), gaps, strict=True)
            if after == before + 2 and gap < 2 * usual and _is_generated(self._raw, before + 1)
        ]

    def _forwards(self, text: str, first: int, end: int, *, parted: bool) -> Iterator[Line]:
        """The line; in parts where it goes back to the left, as to a label beside it or to the number of a formula."""
        gaps = list(self._gaps(text, first, end))
        narrow = [gap for gap in gaps if gap[2] < _NO_GAP]
        for space, after, width in narrow:
            if width > -_NO_GAP and space > first + 1 and self._left(space - 1) == self._left(space - 2):
                text = f"{text[:space]}{_NO_BLANK * (after - space)}{text[after:]}"
        begins = self._begins(text, first, end, gaps) if gaps else self._stacked(text, first, end)
        if narrow and len(begins) == 1:
            below = (gap for gap in narrow if gap[2] < 0.0)
            begins += [after for space, after, _ in below if self._is_below(text, space - 1, after)]
        for begin, stop in pairwise([*begins, end]):
            within = gaps if len(begins) == 1 else [gap for gap in gaps if begin <= gap[0] and gap[1] < stop]
            line = self._line(text, begin, stop, within, parted=parted and stop == end)
            if line:
                yield line

    def _stacked(self, text: str, first: int, end: int) -> list[int]:
        """Where figures below each other begin: pdfium takes them for one where it cannot tell how lines run."""
        if any(map(str.isalpha, text[first:end])) or end - first == 1:
            return self._begins(text, first, end, ())
        heights = [self._origin(index)[1] for index in range(first, end)]
        apart = _STACKED * self._size(first)[0]
        below = [first + at for at in range(1, len(heights)) if abs(heights[at] - heights[at - 1]) > apart]
        return [first, *below] if below else self._begins(text, first, end, ())

    def _is_below(self, text: str, index: int, after: int) -> bool:
        """Whether figures on both sides of a blank stand below each other."""
        if not (text[index].isdigit() and text[after].isdigit()):
            return False
        size, turn = self._size(after)
        return turn == self._sheet.turned and abs(self._origin(index)[1] - self._origin(after)[1]) > _STACKED * size

    def _begins(self, text: str, first: int, end: int, gaps: Sequence[_Gap]) -> list[int]:
        """Where each of these parts begins."""
        wide = [(after, width) for _, after, width in gaps if not -_LEAP < width < _COLUMN_GAP]
        if gaps and -_LEAP < gaps[0][2] < -_BACK and self._is_below_number(text, first, *gaps[0][:2]):
            return [first, *self._begins(text, gaps[0][1], end, gaps[1:])]
        if not wide and text[end - 1] not in _END_OF_NUMBER:
            return [first]
        if self._edge_from_right is not None or RIGHT_TO_LEFT.search(text, first, end):
            return [first]
        columns = set(self._columns(text, [first, *(after for after, _ in wide), end]))
        goes_back = any(width < 0 for _, width in wide)
        parts = [after for after, width in wide if after in columns or (goes_back and abs(width) > _LEAP)]
        if parts or goes_back:
            return [first, *parts]
        if text[end - 1] not in _END_OF_NUMBER or self._right(end - 1) > self._left(first):
            return [first]
        lefts = [self._left(index) for index in range(first, end)]
        return [first, *(first + at for at in range(1, len(lefts)) if lefts[at] - lefts[at - 1] < -_LEAP)]

    def _is_below_number(self, text: str, first: int, space: int, after: int) -> bool:
        """Whether the first word is the number of an item that has nothing else, and the next item stands below it."""
        if not _ITEM_NUMBER.fullmatch(text, first, space):
            return False
        return self._origin(after)[1] - self._origin(first)[1] > _STACKED * self._size(first)[0]

    def _columns(self, text: str, begins: Sequence[int]) -> Iterator[int]:
        """Which of the parts that begin so, and end with the next one, are of another column than the one before."""
        for first, between, end in zip(begins, begins[1:], begins[2:], strict=False):
            if self._is_of_columns(text, first, between, end):
                yield between

    def _is_of_columns(self, text: str, first: int, between: int, end: int) -> bool:
        """Whether prose on both sides of a gap is not on one height."""
        if text.count(" ", first, between) <= _LEAST_BLANKS or text.count(" ", between, end) < _LEAST_BLANKS:
            return False
        return abs(self._origin(first)[1] - self._origin(between)[1]) > _LEVEL

    def _line(self, text: str, first: int, end: int, gaps: Sequence[_Gap], *, parted: bool) -> Line | None:
        while end > first and text[end - 1].isspace():
            end -= 1
        if first == end:
            return None
        begins, middle, last = _telling_letters(text, first, end)
        size, turn, usual = self._usual(begins, middle, last)
        self.turns[turn] += end - first
        if turn == 0 and self._matrix.a * self._matrix.d < 0:
            self.mirrored += end - first
        upright = turn % 2 == self._sheet.turned % 2
        if self._has_wide and text[begins] >= _FIRST_WIDE and end - first > 1:
            along, across = self._direction(begins, end - 1)
            self.downwards += end - first if across > size > along else 0
            if self._runs_downwards:
                upright = along > size > across
        if size < _LEAST_SIZE:
            size = self._size_of_ink(first, end)
        bold, fixed = self._style(text, (begins, middle, last), end, size, gaps)
        words: Sequence[int] = ()
        if self._begun:
            words = self._begun[bisect_right(self._begun, first) : bisect_left(self._begun, end)]
        if (fixed or end - first > _LONGEST_WORDS * (len(gaps) + 1)) and self._is_unseen(middle):
            fixed, words = False, () if self._has_wide else self._begins_of_words(text, first, end, size)
        text = self._without_blanks_in_words(text, gaps, size, fixed=fixed)
        y = self._origin(usual)[1] if end - first > 1 else self._height_of_sign(first, size)
        cells = [
            cell
            for cell_first, cell_end in self._cells(text, first, end, gaps, size if upright else math.inf)
            for cell in _parts(
                cleaned(
                    _parted(text, cell_first, cell_end, words)
                    if words
                    else self._marked(text, cell_first, cell_end, size, y)
                ),
                *(
                    (self._left(cell_first), self._right(cell_end - 1))
                    if self._edge_from_right is None
                    else self._reach(text, cell_first, cell_end)
                ),
            )
        ]
        if not cells:
            return None
        if self._edge_from_right is not None:
            cells.sort(key=lambda cell: cell.left)
        if parted:
            cells[-1] = Cell(cells[-1].text + BROKEN_WORD, cells[-1].left, cells[-1].right)
        return Line(tuple(cells), self._number, y, size, bold, fixed, upright)

    def _reach(self, text: str, first: int, end: int) -> tuple[float, float]:
        """From where to where a cell reaches that is read from right to left."""
        spans = [self._span(*found.span()) for found in _WORD.finditer(text, first, end)]
        return min(left for left, _ in spans), max(right for _, right in spans)

    def _is_unseen(self, index: int) -> bool:
        """Whether a letter is of the text that is put under the picture of a scan."""
        if self._seen_lines >= _LINES_ASKED:
            return False
        shown = _object_of(self._raw, index)
        if shown and pdfium.FPDFTextObj_GetTextRenderMode(shown) == pdfium.FPDF_TEXTRENDERMODE_INVISIBLE:
            return True
        self._seen_lines += 1
        return False

    def _begins_of_words(self, text: str, first: int, end: int, size: float) -> list[int]:
        """Where words begin in a line whose letters are wider than those of the picture, so that these leave no gap.

        Each is set for itself: it stands elsewhere than the one before ends. None where single letters are set so.
        """
        texts = [_object_of(self._raw, index) for index in range(first, end)]
        objects = [ctypes.cast(each, ctypes.c_void_p).value for each in texts]
        begins = [
            index
            for index in range(first + 1, end)
            if not (text[index].isspace() or text[index - 1].isspace())
            and objects[index - first] != objects[index - first - 1]
            and abs(self._left(index) - self._right(index - 1)) > _APART * size
        ]
        single = sum(
            len(piece) == 1 and piece not in _SINGLE_WORDS for piece in _parted(text, first, end, begins).split(" ")
        )
        return [] if single > _MOST_SINGLE * len(begins) else begins

    def _style(
        self, text: str, some: tuple[int, int, int], end: int, size: float, gaps: Sequence[_Gap]
    ) -> tuple[bool, bool]:
        """Whether a line is bold, and whether a typewriter's, by *some* of its letters: the first and two others.

        All of Han and kana are of one width: they do not tell. Where they are most it is prose, where few a comment.
        Where a gap parts cells, these may be in letters of their own.
        """
        first = some[0]
        fonts = [self._font(first)]
        if fonts[0] == _PLAIN:
            return _PLAIN
        fonts += map(self._font, some[1:])
        named = [font for font in fonts if font]
        if len(named) < len(fonts):
            bold, fixed = False, self._has_pitch(text, first, end, size)
        else:
            bold, fixed = (all(each) for each in zip(*named, strict=True))
        if not self._has_wide:
            return bold, fixed
        wide = sum(letter >= _FIRST_WIDE for letter in text[first:end]) / (end - first)
        if fixed or not 0.0 < wide < _MOST_COMMENT or any(width > CELL_GAP * size for _, _, width in gaps):
            return bold, fixed and wide < _MOST_WIDE
        told = [font[1] for font, index in zip(fonts, some, strict=True) if font and text[index] < _FIRST_WIDE]
        return bold, bool(told) and all(told)

    def _without_false_blanks(self, text: str, gaps: Sequence[_Gap], size: float, *, fixed: bool) -> str:
        """*text* without the blanks that pdfium puts where letters stand a little apart, though no word ends there."""
        for space, after, width in gaps:
            is_within = is_unspaced(text[space - 1]) and is_unspaced(text[after])
            widest = _WIDEST_FALSE if is_within else _WIDEST_FALSE_FIXED if fixed else 0.0
            if is_within and text[space - 1] in WIDE_STOPS:
                widest = CELL_GAP * _AFTER_STOP
            if not 0.0 < width < widest * size or not _is_generated(self._raw, space):
                continue
            if is_within or all((self._font(index) or (False, True))[1] for index in (space - 1, after)):
                text = f"{text[:space]}{_NO_BLANK * (after - space)}{text[after:]}"
        return text

    def _without_blanks_in_words(self, text: str, gaps: Sequence[_Gap], size: float, *, fixed: bool) -> str:
        """*text* without the blanks that pdfium puts into words whose letters stand a little apart, as in scans.

        They are not of the file, which has some blanks of its own in the line. One that begins before what comes after
        it stands where a letter hangs over, and an f always does.
        """
        if fixed or self._has_wide:
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
            and _is_generated(self._raw, space) == 1
            and self._left(space) >= self._left(after) - _NO_GAP
        ]
        if not false or sum(_is_generated(self._raw, space) == 0 for space, _, _ in gaps) < _OWN_BLANKS:
            return text
        for space, after in false:
            text = f"{text[:space]}{_NO_BLANK * (after - space)}{text[after:]}"
        return text

    def _cells(self, text: str, first: int, end: int, gaps: Sequence[_Gap], size: float) -> Iterator[tuple[int, int]]:
        """Where each cell begins and ends. pdfium writes one blank whatever the gap, so gaps are measured."""
        begins = first
        wide = [gap for gap in gaps if gap[2] > _NUMBER_GAP * size]
        is_stretched = bool(wide) and _is_stretched(text[first:end], [gap[2] / size for gap in gaps])
        after_stop = _STRETCHED_STOP * min(gap[2] for gap in gaps) if 0 < len(wide) < len(gaps) else 0.0
        for space, after, width in gaps if self._grids else () if is_stretched else wide:
            is_stop = width < after_stop and _ends_there(text, space)
            is_wide = width > max(_NUMBER_GAP, _widest_blank(text[space - 1], text[after])) * size
            is_wide = is_wide and not is_amount(text[begins:space], text[after])
            is_kept = is_stretched or is_stop or _is_left_out(text, space, after)
            if (is_wide and not is_kept) or self._is_ruled(text, space, after):
                yield begins, space
                begins = after
        yield begins, end

    def _is_ruled(self, text: str, space: int, after: int) -> bool:
        """Whether a rule stands in a gap."""
        if not self._grids:
            return False
        y = (self._upper(after) + self._origin(after)[1]) / 2
        left, right = self._edge(text[space - 1], space - 1), self._left(after)
        return any(grid.parts(left, right, y) for grid in self._grids)

    def _marked(self, text: str, first: int, end: int, size: float, y: float) -> str:
        """The text of a cell, with the raised numbers of footnotes apart from its words."""
        marked, done = "", first
        for found in _MARK.finditer(text, first, end):
            if self._size(found.start())[0] < _MARK_SIZE * size and self._origin(found.start())[1] < y - 0.1 * size:
                marked += f"{text[done : found.start()]} {found[0]} "
                done = found.end()
        return (marked + text[done:end]).strip() if done > first else text[first:end]

    def _gaps(self, text: str, first: int, end: int) -> Iterator[_Gap]:
        if self._edge_from_right is not None:
            yield from self._gaps_from_right(text, first, end)
            return
        space = text.find(" ", first, end)
        while space >= 0:
            after = space + 1
            while text[after] == " ":
                after += 1
            yield space, after, self._left(after) - self._edge(text[space - 1], space - 1)
            space = text.find(" ", after, end)

    def _gaps_from_right(self, text: str, first: int, end: int) -> Iterator[_Gap]:
        words = [found.span() for found in _WORD.finditer(text, first, end)]
        gaps = gaps_between([self._span(*word) for word in words])
        for ((_, space), (after, _)), width in zip(pairwise(words), gaps, strict=True):
            yield space, after, width

    def _span(self, first: int, end: int) -> tuple[float, float]:
        """From where to where a word reaches, whichever way it runs."""
        return min(self._left(first), self._left(end - 1)), max(self._right(first), self._right(end - 1))

    def _edge(self, letter: str, index: int) -> float:
        """Where a letter ends. The blank after it does not tell: pdfium puts its own where the next one is."""
        return self._right(index) if letter < _FIRST_WIDE else self._left(index) + self._size(index)[0]

    def _usual(self, first: int, middle: int, last: int) -> tuple[float, int, int]:
        """The size and turn that most of three letters have, one of which may be raised or small; and which has it."""
        begins, usual = (*self._size(first), first), (*self._size(middle), middle)
        if begins[:2] == usual[:2]:
            return usual
        return sorted((begins, usual, (*self._size(last), last)))[1]

    def _size(self, index: int) -> tuple[float, int]:
        """The size of a letter, and how many quarters the page is to be turned for it to stand upright."""
        matrix = self._matrix
        size = _size_of(self._raw, index)
        if not _ask_matrix(self._raw, index, ctypes.byref(matrix)):
            return size or 1.0, self._sheet.turned
        along, across = (matrix.a, matrix.b) if size >= 0 else (-matrix.a, -matrix.b)
        turn = (0 if along >= 0 else 2) if abs(along) >= abs(across) else (1 if across > 0 else 3)
        return abs(size) * math.hypot(matrix.c, matrix.d), turn

    def _direction(self, first: int, last: int) -> tuple[float, float]:
        """How far a letter stands to the right of another one, and how far below it."""
        (x, y), (other_x, other_y) = self._origin(first), self._origin(last)
        return abs(other_x - x), abs(other_y - y)

    def _height_of_sign(self, index: int, size: float) -> float:
        """The line that a single letter stands on. Large signs of formulas hang below theirs: their middle tells."""
        (_, bottom), (_, top) = self._corners(index)
        y = self._origin(index)[1]
        low, high = max(bottom, top), min(bottom, top)
        return (low + high) / 2 + _AXIS * size if low - y > _HANGING * size else y

    def _size_of_ink(self, first: int, end: int) -> float:
        """The size of letters by how they look: fonts that are made of pictures do not know theirs."""
        baseline = self._origin(first)[1]
        step = max(1, (end - first) // _PROBED)
        rise = max(baseline - self._upper(index) for index in range(first, end, step))
        return max(1.0, rise / _CAPITAL_HEIGHT)

    def _font(self, index: int) -> tuple[bool, bool] | None:
        """Whether a letter is bold, and whether its font is a typewriter's; None where the font has no name."""
        name = self._font_name(index)
        if not name:
            return None
        bold, fixed = _by_name(name)
        return bold, fixed or bool(self._flags.value & 1)

    def _font_name(self, index: int) -> bytes:
        length = _ask_font(self._raw, index, self._name, _NAME_SIZE, ctypes.byref(self._flags))
        return self._name.value if 0 < length <= _NAME_BYTES else b""

    def _has_pitch(self, text: str, first: int, end: int, size: float) -> bool:
        """Whether all letters of a line are of one width. Figures always are: theirs is compared with the last one."""
        some = {text[index]: index for index in range(first, end) if not text[index].isspace()}
        indices = list(some.values())[:_PROBED]
        widths = [(self._right(index) - self._left(index)) / size for index in indices]
        if max(widths) - min(widths) > _SAME_WIDTH:
            return False
        if sum(map(str.isalpha, some)) < _FEWEST_LETTERS:
            return abs(widths[0] - self._pitch) < _SAME_WIDTH
        self._pitch = widths[0]
        return True

    def _origin(self, index: int) -> tuple[float, float]:
        _ask_origin(self._raw, index, *self._point)
        return self._sheet.shown(self._x.value, self._y.value)

    def _left(self, index: int) -> float:
        if self._is_straight:
            _ask_origin(self._raw, index, *self._point)
            return self._x.value - self._shift
        if self._edge_from_right is None:
            return self._origin(index)[0]
        _ask_loose_box(self._raw, index, self._box_pointer)
        right: float = self._box.right
        return self._edge_from_right - right

    def _right(self, index: int) -> float:
        if not (self._is_straight or self._edge_from_right is not None):
            return max(x for x, _ in self._corners(index))
        _ask_loose_box(self._raw, index, self._box_pointer)
        reach: float = self._box.right if self._is_straight else self._box.left
        return reach - self._shift if self._edge_from_right is None else self._edge_from_right - reach

    def _upper(self, index: int) -> float:
        return min(y for _, y in self._corners(index))

    def _corners(self, index: int) -> tuple[tuple[float, float], tuple[float, float]]:
        _ask_box(self._raw, index, *self._edge_pointers)
        left, right, bottom, top = (edge.value for edge in self._edges)
        return self._sheet.shown(left, bottom), self._sheet.shown(right, top)


def _telling_letters(text: str, first: int, end: int) -> tuple[int, int, int]:
    """The first letter of a line, one in its middle and the last, but for the number of a line and of a footnote."""
    number = _LINE_NUMBER.match(text, first, end)
    begins, last = number.end() if number else first, end - 1
    middle = (begins + last) // 2
    while text[middle].isspace():
        middle += 1
    if text[last].isdigit() and last > middle and text[last - 1].isalpha():
        last -= 1
    return begins, middle, last


@lru_cache(maxsize=1_000)
def _by_name(font: bytes) -> tuple[bool, bool]:
    name = font.decode("utf-8", "replace")
    return bool(_BOLD_NAME.search(name)), bool(_FIXED_NAME.search(name))


def _widest_blank(before: str, after: str) -> float:
    """How much room is between words, and no more between two numbers."""
    if before.isdigit() and after.isdigit():
        return _NUMBER_GAP
    is_stop = before in _STOPS or (before == "," and after >= _FIRST_WIDE)
    return CELL_GAP * _AFTER_STOP if is_stop else CELL_GAP


def _ends_there(text: str, space: int) -> bool:
    """Whether a sentence ends before the blank at *space*."""
    return text[space - 1] in _STOPS or (text[space - 1] in _CLOSING and text[space - 2] in _STOPS)


def _is_left_out(text: str, space: int, after: int) -> bool:
    """Whether there is room in brackets for what somebody is to write there, as in a question in Chinese."""
    is_wide = text[space - 1] == "（" or text[space - 2 : space - 1] >= _FIRST_WIDE  # noqa: RUF001
    return is_wide and text[space - 1] in "(（" and text[after] in ")）"  # noqa: RUF001


def _is_stretched(text: str, gaps: Sequence[float]) -> bool:
    """Whether words are set far apart, all alike, to fill the line. *gaps* are in sizes of the letters."""
    if text.startswith("["):  # what stands after the number of a reference does not stretch
        gaps = gaps[1:]
    if len(gaps) < 2 or not CELL_GAP < max(gaps) < min(_WIDEST_STRETCHED, 2 * min(gaps)):
        return False
    return 2 * sum(map(str.isalpha, text)) > len(text)


def _with_open_ends(lines: Sequence[Line], blanks: Mapping[int, bool]) -> list[Line]:
    """*lines*, those as open that end with no blank though others do. *blanks* tell it of lines in Hangul."""
    if sum(blanks.values()) < max(_FEWEST_AT_ENDS, _LEAST_AT_ENDS * len(blanks)):
        return list(lines)
    return [line._replace(is_open=True) if blanks.get(at) is False else line for at, line in enumerate(lines)]


def _parted(text: str, first: int, end: int, words: Sequence[int]) -> str:
    """*text* from *first* to *end*, with a blank before each of *words*."""
    edges = [first, *(at for at in words if first < at < end), end]
    return " ".join(text[begin:stop] for begin, stop in pairwise(edges))


def _parts(text: str, left: float, right: float) -> Iterator[Cell]:
    """The cell of *text*, or two where a row of dots leads through it."""
    parts = without_leader(text)
    if len(parts) < 2:
        if parts and parts[0]:
            yield Cell(parts[0], left, right)
        return
    letter = (right - left) / len(text)
    yield Cell(parts[0], left, left + letter * len(parts[0]))
    yield Cell(" ".join(parts[1:]), right - letter * len(parts[-1]), right)
