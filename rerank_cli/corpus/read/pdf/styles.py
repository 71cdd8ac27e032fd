"""Whether the letters of a line are bold, and whether they are those of a typewriter."""

from __future__ import annotations

from collections.abc import Sequence

from rerank_cli.corpus.read.pdf.lines import CELL_GAP
from rerank_cli.corpus.read.pdf.measures import FIRST_WIDE, Gap, Measures

_PLAIN = (False, False)

# The letters of a font without a name are measured, so many different ones at least; in sizes of the letters.
_FEWEST_LETTERS = 4
_SAME_WIDTH = 0.02
_PROBED = 12

# Such a share of the letters of a listing's line is Han or kana at most; where the rest tells, it is less.
_MOST_WIDE = 0.5
_MOST_COMMENT = 0.25


class Styles:
    """The styles of the lines of a page, one after the other."""

    def __init__(self, measures: Measures, *, has_wide: bool) -> None:
        """*has_wide* where a page has Han, kana or others of that width."""
        self._measures = measures
        self._has_wide = has_wide
        self._pitch = 0.0  # of the last line in letters of one width, in sizes of the letters

    def of(
        self, text: str, some: tuple[int, int, int], end: int, size: float, gaps: Sequence[Gap]
    ) -> tuple[bool, bool]:
        """Whether a line is bold, and whether a typewriter's, by *some* of its letters: the first and two others.

        All of Han and kana are of one width: they do not tell. Where they are most it is prose, where few a comment.
        Where a gap parts cells, these may be in letters of their own.
        """
        first = some[0]
        fonts = [self._measures.font(first)]
        if fonts[0] == _PLAIN:
            return _PLAIN
        fonts += map(self._measures.font, some[1:])
        named = [font for font in fonts if font]
        if len(named) < len(fonts):
            bold, fixed = False, self._has_pitch(text, first, end, size)
        else:
            bold, fixed = (all(each) for each in zip(*named, strict=True))
        if not self._has_wide:
            return bold, fixed
        wide = sum(letter >= FIRST_WIDE for letter in text[first:end]) / (end - first)
        if fixed or not 0.0 < wide < _MOST_COMMENT or any(width > CELL_GAP * size for _, _, width in gaps):
            return bold, fixed and wide < _MOST_WIDE
        told = [font[1] for font, index in zip(fonts, some, strict=True) if font and text[index] < FIRST_WIDE]
        return bold, bool(told) and all(told)

    def _has_pitch(self, text: str, first: int, end: int, size: float) -> bool:
        """Whether all letters of a line are of one width. Figures always are: theirs is compared with the last one."""
        some = {text[index]: index for index in range(first, end) if not text[index].isspace()}
        indices = list(some.values())[:_PROBED]
        widths = [(self._measures.right(index) - self._measures.left(index)) / size for index in indices]
        if max(widths) - min(widths) > _SAME_WIDTH:
            return False
        if sum(map(str.isalpha, some)) < _FEWEST_LETTERS:
            return abs(widths[0] - self._pitch) < _SAME_WIDTH
        self._pitch = widths[0]
        return True
