"""From the letters of a page, as pdfium knows them, to its lines."""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from operator import itemgetter

import pypdfium2
import pypdfium2.raw as pdfium

from rerank_cli.corpus.read.pdf.characters import BROKEN_WORD, cleaned, is_hangul, without_leader
from rerank_cli.corpus.read.pdf.from_right import RIGHT_TO_LEFT
from rerank_cli.corpus.read.pdf.glued import Words
from rerank_cli.corpus.read.pdf.glyphs import Glyphs
from rerank_cli.corpus.read.pdf.grids import Grid
from rerank_cli.corpus.read.pdf.lines import CELL_GAP, WIDE_STOPS, Cell, Line, is_amount
from rerank_cli.corpus.read.pdf.measures import FIRST_WIDE, Gap, Measures, object_of
from rerank_cli.corpus.read.pdf.sheet import Sheet
from rerank_cli.corpus.read.pdf.spelling import (
    AFTER_STOP,
    HYPHEN_WITH_ROOM,
    LINE,
    NO_GAP,
    Spelling,
    with_blanks,
    without_blanks,
)
from rerank_cli.corpus.read.pdf.styles import Styles
from rerank_cli.corpus.read.pdf.textpages import characters_of

# pdfium does not sign a hyphen that parts a word where the line is the last one of a page.
_HYPHEN = re.compile(r"[^\W_]-")

# Printers leave more room there.
_STOPS = ".:;!?" + WIDE_STOPS

# So much of that between words is there in a line that is stretched to the width of its column.
_STRETCHED_STOP = 3.0
_CLOSING = "\"'”’»)]"  # noqa: RUF001

_WIDEST_STRETCHED = 1.6

# Two numbers side by side are of two columns, or have no more than a blank between them.
_NUMBER_GAP = 0.5

# In sizes of the letters: a typewriter's are no narrower, and no more than so much wider or narrower than each other.
_TYPED = 0.55
_SAME_WIDTH = 0.02

_ITEM_NUMBER = re.compile(r"\d{1,3}\.")

# The number of a footnote before its first word, or after a word.
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

_WORD = re.compile(r"[^ ]+")

# Where so many lines in Hangul end with a blank, and such a share of them, the last word of the others may go on.
_FEWEST_AT_ENDS = 3
_LEAST_AT_ENDS = 0.15

# Where there is no blank in so many letters, words may stand closely, as in the text of a scan.
_LONGEST_WORDS = 9
_LINES_ASKED = 3  # where none of them is of a scan's text, no other is

# It is set in letters of its own before a line of a listing.
_LINE_NUMBER = re.compile(r"\d{1,5}\s+(?=\S)")

# A font of pictures says that its letters are one point high.
_LEAST_SIZE = 3.0


_blank, _after = itemgetter(0), itemgetter(1)  # of a gap


class Letters:
    """The letters of a page, and what lines they make."""

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
        self._sheet = sheet
        self._number = number
        self._measures = Measures(textpage.raw, sheet)
        self.turns = Counter[int]()
        """How many letters stand upright when the page is turned by so many quarters; once lines were read."""
        self.mirrored = 0
        """How many letters stand on their head though they run to the right; once lines were read."""
        self.downwards = 0
        """How many letters of Han and kana stand below each other; once lines were read."""
        self._grids: Sequence[Grid] = ()
        self._runs_downwards = downwards
        self._seen_lines = 0  # those that were asked about and are seen
        named = glyphs.named(textpage.raw, characters_of(textpage))
        self.unreadable = named is None
        """Whether there are letters, but nobody knows which."""
        text, self.partly_unreadable = named or ("", False)
        """Whether nobody knows those of some fonts, which are left out."""
        self._spelling = Spelling(text, self._measures, words, turns=sheet.from_right)
        self._styles = Styles(self._measures, has_wide=self._spelling.has_wide)

    @property
    def from_right(self) -> int:
        """How many letters are of writings that run from right to left."""
        return self._spelling.from_right

    def lines(self, grids: Sequence[Grid] = ()) -> list[Line]:
        """The lines in the order of the file, which is mostly that of reading. The rules of *grids* part cells."""
        self._grids = grids
        text = self._spelling.text
        lines: list[Line] = []
        blanks: dict[int, bool] = {}  # whether a line in Hangul ends with one
        for found in LINE.finditer(text):
            first, end = found.span(1)
            while first < end and text[first].isspace():
                first += 1
            while end > first and text[end - 1].isspace():
                end -= 1
            if text.endswith(HYPHEN_WITH_ROOM, first, end):
                end -= 2
            parted = found[2] in ("\ufffe", "\x02")
            if not parted and _HYPHEN.match(text, max(first, end - 2), end):  # the last of a page or of a column
                parted, end = True, end - 1
            if first < end:
                lines += self._forwards(text, first, end, parted=parted)
                if is_hangul(text[end - 1]):
                    blanks[len(lines) - 1] = end < found.end(1)
        return _with_open_ends(lines, blanks) if blanks else lines

    def _forwards(self, text: str, first: int, end: int, *, parted: bool) -> Iterator[Line]:
        """The line; in parts where it goes back to the left, as to a label beside it or to the number of a formula."""
        gaps = self._measures.gaps(text, first, end)
        narrow = [gap for gap in gaps if gap[2] < NO_GAP]
        hanging = [
            (space, after)
            for space, after, width in narrow
            if width > -NO_GAP
            and space > first + 1
            and self._measures.left(space - 1) == self._measures.left(space - 2)
        ]
        text = without_blanks(text, hanging)
        begins = self._begins(text, first, end, gaps) if gaps else self._stacked(text, first, end)
        if narrow and len(begins) == 1:
            below = (gap for gap in narrow if gap[2] < 0.0)
            begins += [after for space, after, _ in below if self._is_below(text, space - 1, after)]
        for begin, stop in pairwise([*begins, end]):
            within = gaps[bisect_left(gaps, begin, key=_blank) : bisect_left(gaps, stop, key=_after)]
            line = self._line(text, begin, stop, within, parted=parted and stop == end)
            if line:
                yield line

    def _stacked(self, text: str, first: int, end: int) -> list[int]:
        """Where figures below each other begin: pdfium takes them for one where it cannot tell how lines run."""
        if any(map(str.isalpha, text[first:end])) or end - first == 1:
            return self._begins(text, first, end, ())
        heights = [self._measures.origin(index)[1] for index in range(first, end)]
        apart = _STACKED * self._measures.size(first)[0]
        below = [first + at for at in range(1, len(heights)) if abs(heights[at] - heights[at - 1]) > apart]
        return [first, *below] if below else self._begins(text, first, end, ())

    def _is_below(self, text: str, index: int, after: int) -> bool:
        """Whether figures on both sides of a blank stand below each other."""
        if not (text[index].isdigit() and text[after].isdigit()):
            return False
        size, turn = self._measures.size(after)
        return (
            turn == self._sheet.turned
            and abs(self._measures.origin(index)[1] - self._measures.origin(after)[1]) > _STACKED * size
        )

    def _begins(self, text: str, first: int, end: int, gaps: Sequence[Gap]) -> list[int]:
        """Where each of these parts begins."""
        wide = [(after, width) for _, after, width in gaps if not -_LEAP < width < _COLUMN_GAP]
        if gaps and -_LEAP < gaps[0][2] < -_BACK and self._is_below_number(text, first, *gaps[0][:2]):
            return [first, *self._begins(text, gaps[0][1], end, gaps[1:])]
        if not wide and text[end - 1] not in _END_OF_NUMBER:
            return [first]
        if self._sheet.from_right or RIGHT_TO_LEFT.search(text, first, end):
            return [first]
        columns = set(self._columns(text, [first, *(after for after, _ in wide), end]))
        goes_back = any(width < 0 for _, width in wide)
        parts = [after for after, width in wide if after in columns or (goes_back and abs(width) > _LEAP)]
        if parts or goes_back:
            return [first, *parts]
        if text[end - 1] not in _END_OF_NUMBER or self._measures.right(end - 1) > self._measures.left(first):
            return [first]
        lefts = [self._measures.left(index) for index in range(first, end)]
        return [first, *(first + at for at in range(1, len(lefts)) if lefts[at] - lefts[at - 1] < -_LEAP)]

    def _is_below_number(self, text: str, first: int, space: int, after: int) -> bool:
        """Whether the first word is the number of an item that has nothing else, and the next item stands below it."""
        if not _ITEM_NUMBER.fullmatch(text, first, space):
            return False
        return (
            self._measures.origin(after)[1] - self._measures.origin(first)[1] > _STACKED * self._measures.size(first)[0]
        )

    def _columns(self, text: str, begins: Sequence[int]) -> Iterator[int]:
        """Which of the parts that begin so, and end with the next one, are of another column than the one before."""
        for first, between, end in zip(begins, begins[1:], begins[2:], strict=False):
            if self._is_of_columns(text, first, between, end):
                yield between

    def _is_of_columns(self, text: str, first: int, between: int, end: int) -> bool:
        """Whether prose on both sides of a gap is not on one height."""
        if text.count(" ", first, between) <= _LEAST_BLANKS or text.count(" ", between, end) < _LEAST_BLANKS:
            return False
        return abs(self._measures.origin(first)[1] - self._measures.origin(between)[1]) > _LEVEL

    def _line(self, text: str, first: int, end: int, gaps: Sequence[Gap], *, parted: bool) -> Line | None:
        while end > first and text[end - 1].isspace():
            end -= 1
        if first == end:
            return None
        begins, middle, last = _telling_letters(text, first, end)
        size, turn, usual = self._measures.usual(begins, middle, last)
        self.turns[turn] += end - first
        if turn == 0 and self._measures.is_mirrored:
            self.mirrored += end - first
        upright = turn % 2 == self._sheet.turned % 2
        if self._spelling.has_wide and text[begins] >= FIRST_WIDE and end - first > 1:
            along, across = self._measures.direction(begins, end - 1)
            self.downwards += end - first if across > size > along else 0
            if self._runs_downwards:
                upright = along > size > across
        if size < _LEAST_SIZE:
            size = self._measures.size_of_ink(first, end)
        bold, fixed = self._styles.of(text, (begins, middle, last), end, size, gaps)
        words = self._spelling.begins_of_words(first, end)
        if (fixed or end - first > _LONGEST_WORDS * (len(gaps) + 1)) and self._is_unseen(middle):
            fixed, words = (
                False,
                () if self._spelling.has_wide else self._spelling.begins_of_scanned(text, first, end, size),
            )
        text = self._spelling.without_blanks_in_words(text, gaps, size, fixed=fixed)
        y = self._measures.origin(usual)[1] if end - first > 1 else self._measures.height_of_sign(first, size)
        cells = [
            cell
            for cell_first, cell_end in self._cells(text, first, end, gaps, size if upright else math.inf)
            for cell in _parts(
                cleaned(
                    with_blanks(text, cell_first, cell_end, words)
                    if words
                    else self._marked(text, cell_first, cell_end, size, y)
                ),
                *(
                    (self._measures.left(cell_first), self._measures.right(cell_end - 1))
                    if not self._sheet.from_right
                    else self._reach(text, cell_first, cell_end)
                ),
            )
        ]
        if not cells:
            return None
        if self._sheet.from_right:
            cells.sort(key=lambda cell: cell.left)
        if parted:
            cells[-1] = Cell(cells[-1].text + BROKEN_WORD, cells[-1].left, cells[-1].right)
        return Line(tuple(cells), self._number, y, size, bold, fixed, upright)

    def _reach(self, text: str, first: int, end: int) -> tuple[float, float]:
        """From where to where a cell reaches that is read from right to left."""
        spans = [self._measures.span(*found.span()) for found in _WORD.finditer(text, first, end)]
        return min(left for left, _ in spans), max(right for _, right in spans)

    def _is_unseen(self, index: int) -> bool:
        """Whether a letter is of the text that is put under the picture of a scan."""
        if self._seen_lines >= _LINES_ASKED:
            return False
        shown = object_of(self._measures.raw, index)
        if shown and pdfium.FPDFTextObj_GetTextRenderMode(shown) == pdfium.FPDF_TEXTRENDERMODE_INVISIBLE:
            return True
        self._seen_lines += 1
        return False

    def _cells(self, text: str, first: int, end: int, gaps: Sequence[Gap], size: float) -> Iterator[tuple[int, int]]:
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
            is_kept = is_kept or (width < CELL_GAP * size and self._is_typed(text, space, width, size))
            if (is_wide and not is_kept) or self._is_ruled(text, space, after):
                yield begins, space
                begins = after
        yield begins, end

    def _is_typed(self, text: str, space: int, width: float, size: float) -> bool:
        """Whether a gap after a figure is one blank of a typewriter: as wide as that."""
        figure = self._measures.left(space) - self._measures.left(space - 1)
        return text[space - 1].isdigit() and figure > _TYPED * size and abs(width - figure) < _SAME_WIDTH * size

    def _is_ruled(self, text: str, space: int, after: int) -> bool:
        """Whether a rule stands in a gap."""
        if not self._grids:
            return False
        y = (self._measures.upper(after) + self._measures.origin(after)[1]) / 2
        left, right = self._measures.edge(text[space - 1], space - 1), self._measures.left(after)
        return any(grid.parts(left, right, y) for grid in self._grids)

    def _marked(self, text: str, first: int, end: int, size: float, y: float) -> str:
        """The text of a cell, with the raised numbers of footnotes apart from its words."""
        marked, done = "", first
        for found in _MARK.finditer(text, first, end):
            if (
                self._measures.size(found.start())[0] < _MARK_SIZE * size
                and self._measures.origin(found.start())[1] < y - 0.1 * size
            ):
                marked += f"{text[done : found.start()]} {found[0]} "
                done = found.end()
        return (marked + text[done:end]).strip() if done > first else text[first:end]


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


def _widest_blank(before: str, after: str) -> float:
    """How much room is between words, and no more between two numbers."""
    if before.isdigit() and after.isdigit():
        return _NUMBER_GAP
    is_stop = before in _STOPS or (before == "," and after >= FIRST_WIDE)
    return CELL_GAP * AFTER_STOP if is_stop else CELL_GAP


def _ends_there(text: str, space: int) -> bool:
    """Whether a sentence ends before the blank at *space*."""
    return text[space - 1] in _STOPS or (text[space - 1] in _CLOSING and text[space - 2] in _STOPS)


def _is_left_out(text: str, space: int, after: int) -> bool:
    """Whether there is room in brackets for what somebody is to write there, as in a question in Chinese."""
    is_wide = text[space - 1] == "（" or text[space - 2 : space - 1] >= FIRST_WIDE  # noqa: RUF001
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
