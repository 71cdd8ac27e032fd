"""Put paragraphs together that go on in the next column or on the next page."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from rerank_cli.corpus.read.pdf.characters import BROKEN_WORD, ends_sentence, is_unspaced
from rerank_cli.corpus.read.pdf.parts import Part

# Footnotes and captions stand between: so many parts are passed over. So are the labels of figures in the middle of a
# sentence of prose, whose last line has so many blanks.
_PASSED_OVER = 8
_LABELS_PASSED_OVER = 60
_BLANKS_OF_PROSE = 4
_OTHER_SIZE = 0.06

# What is so much larger is a heading, or a figure of its own with a text below it.
_LARGER = 1.5

_FEWEST_BLANKS = 3

# In a line of a writing without blanks, which has so many of its letters, a word of another one is no longer than that.
_FEWEST_UNSPACED = 10
_LONGEST_WORD = 12

# In sizes of the letters: how far lines that fill a column end from each other.
_SLACK = 0.6

# In sizes of the letters: how wide a full line in Chinese is, how far from each other such lines end, and how far in a
# paragraph begins at least. Of so many parts so many lines tell where a column ends.
_FULL_WIDTH = 18.0
_RAGGED = 1.2
_INDENT = 1.5
_ASKED = 40
_FEWEST_ENDS = 2

_WORD = re.compile(r"[^\W\d_]{3}")

# In sizes of the letters: lines that are no wider are of an address or a list.
_NARROWEST = 10.0


def flowing(parts: Sequence[Part], slides: frozenset[int], body: float) -> list[Part]:
    """*parts* of all pages, with those as one that are one paragraph. *body* is the size of most letters.

    What is on one of *slides* ends there; and where a box ends, if no small letter goes on with it.
    """
    whole: list[Part] = []
    for part in parts:
        index = _beginning(whole, part, body)
        if index is not None and part.first_page in slides:
            is_other = whole[index].last_page < part.first_page or not part.lines[0].text[0].islower()
            index = None if is_other else index
        if index is None:
            whole.append(part)
        else:
            whole[index] = replace(whole[index], lines=(*whole[index].lines, *part.lines))
    return whole


def _beginning(whole: Sequence[Part], part: Part, body: float) -> int | None:
    """Which of *whole* goes on in *part*: the last one in letters of its size, if it is without an end."""
    if part.kind != "text" or part.is_item:
        return None
    in_sentence = part.lines[0].text[0].islower()
    is_prose = in_sentence and abs(part.lines[0].size - body) < _OTHER_SIZE * body
    passed = _LABELS_PASSED_OVER if is_prose else _PASSED_OVER
    for index in range(len(whole) - 1, max(-1, len(whole) - 1 - passed), -1):
        before = whole[index]
        if part.first_page - before.last_page > 1:
            return None
        if in_sentence and _is_in_capitals(before):  # the heading of what comes next
            continue
        if before.kind == "text" and not before.is_caption and _alike(before, part):
            is_open = _is_elsewhere(before, part) and _is_open(before)
            is_same = before.lines[0].text == part.lines[0].text  # a title that pages have
            goes_on = (in_sentence and not _is_label(part)) or (
                is_open and _is_rest(before, part) and _is_full(whole, index, part)
            )
            is_near = len(whole) - index <= _PASSED_OVER or _are_of_one_text(before, part)
            return index if is_open and goes_on and not is_same and is_near else None
        if before.lines[0].upright and before.lines[0].size > _LARGER * part.size:
            return None
    return None


def _alike(before: Part, part: Part) -> bool:
    first, second = before.lines[-1], part.lines[0]
    return (
        abs(first.size - second.size) < 0.05 * first.size
        and first.bold == second.bold
        and first.upright == second.upright
    )


def _is_elsewhere(before: Part, part: Part) -> bool:
    """Whether a column or a page ends between them."""
    return part.first_page > before.last_page or part.top < before.lines[-1].top


def _is_in_capitals(part: Part) -> bool:
    """Whether it is a line of words in capitals."""
    text = part.lines[0].text
    return len(part.lines) == 1 and text.isupper() and bool(_WORD.search(text)) and not any(map(is_unspaced, text))


def _is_open(before: Part) -> bool:
    """Whether it ends in the middle of a sentence. Labels and formulas have few words."""
    text = before.lines[-1].text
    if text.endswith(BROKEN_WORD):
        return True
    blanks = sum(line.text.count(" ") for line in before.lines)
    is_prose = (" " in text and blanks >= _FEWEST_BLANKS) or is_unspaced(text[-1])
    return (is_prose or _ends_in_other_writing(text)) and not ends_sentence(text)


def _ends_in_other_writing(text: str) -> bool:
    """Whether a word of another writing stands at the end of a line of one without blanks."""
    return _is_of_unspaced(text) and any(map(is_unspaced, text[-_LONGEST_WORD:]))


def _is_of_unspaced(text: str) -> bool:
    return sum(map(is_unspaced, text)) >= _FEWEST_UNSPACED


def _are_of_one_text(before: Part, part: Part) -> bool:
    """Whether both are prose that fills columns of one width."""
    last = before.lines[-1]
    if not _fills(before) or last.text.count(" ") < _BLANKS_OF_PROSE:
        return False
    is_as_wide = abs((before.right - before.left) - (part.right - part.left)) < 2 * _SLACK * last.size
    return ends_sentence(part.lines[-1].text) or (len(part.lines) > 1 and is_as_wide)


def _is_label(part: Part) -> bool:
    """Whether it is a row of names, as below the bars of a plot."""
    return part.lines[0].is_row and not ends_sentence(part.lines[-1].text)


def _is_rest(before: Part, part: Part) -> bool:
    """Whether it may be the rest of a paragraph whose lines fill their column to the end.

    A single line ends a sentence, or begins to the left of where a paragraph in Chinese does.
    """
    first = part.lines[0]
    is_end = ends_sentence(first.text) and not first.text[-1].isdigit()  # an amount of money is none
    is_left = len(before.lines) == 1 and first.left < before.left - _INDENT * first.size
    is_left = is_left and is_unspaced(first.text[0]) and before.right - before.left > _FULL_WIDTH * first.size
    if part.is_caption or (len(part.lines) == 1 and not (is_end or is_left)):
        return False
    return first.left - min(line.left for line in part.lines) < _SLACK * first.size


def _fills(part: Part) -> bool:
    """Whether its last line reaches as far to the right as the others, in a column that is no list."""
    last = part.lines[-1]
    is_wide = is_unspaced(last.text[-1]) or part.right - part.left > _NARROWEST * last.size
    return is_wide and len(part.lines) > 1 and last.right > part.right - _SLACK * last.size


def _is_full(whole: Sequence[Part], index: int, part: Part) -> bool:
    """Whether one of *whole* fills its column to the end, which *part* may go on in."""
    before = whole[index]
    return _fills(before) or (_fills_page(before, whole) and _is_first_of_page(part, whole[index + 1 :]))


def _is_first_of_page(part: Part, between: Sequence[Part]) -> bool:
    """Whether no text of the page that it begins on is *between* it and the page before."""
    return not any(other.kind == "text" and other.first_page == part.first_page for other in between)


def _fills_page(part: Part, whole: Sequence[Part]) -> bool:
    """Whether its last line is in a writing without blanks, and ends where full ones do."""
    line = part.lines[-1]
    if line.right - line.left < _FULL_WIDTH * line.size or not _is_of_unspaced(line.text):
        return False
    ends = [other.right for before in whole[-_ASKED:] for other in before.lines[:-1]]
    return sum(abs(line.right - end) < _RAGGED * line.size for end in ends) >= _FEWEST_ENDS
