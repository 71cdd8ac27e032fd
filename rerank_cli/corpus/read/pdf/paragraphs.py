"""Rebuild what a page's lines once were: paragraphs, list items, tables, listings; in the order of reading."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise
from statistics import median

from rerank_cli.corpus.read.pdf.characters import ends_sentence, is_unspaced
from rerank_cli.corpus.read.pdf.heads import with_heads
from rerank_cli.corpus.read.pdf.lines import Line, in_rows_of_cells
from rerank_cli.corpus.read.pdf.marks import asks, begins_section, follows, is_first
from rerank_cli.corpus.read.pdf.parts import Part, begins_caption, begins_item, has_bullet, has_mark
from rerank_cli.corpus.read.pdf.reading_order import in_reading_order
from rerank_cli.corpus.read.pdf.tables import Span, Table, table_of, with_tables

# What somebody types in, or goes on with, stands after it.
_PROMPT = re.compile(r"(?:R?>|>>>|\.\.\.|\$|%|\+) \S")

_PROSE_WORD = re.compile(r"(?<!\S)[^\W\d_A-Z]{2,}(?=[,.;:]?(?:\s|\Z))")

# In sizes of the letters.
_SAME_SIZE = 0.12
_TITLE_SIZE = 1.05  # so many times as large as a text is the title of its block
_INDENT = 0.8
_ALIGNED = 0.5
_FIRST_INDENT, _FIRST_INDENT_UNSPACED = 3.0, 3.5
_GAP = 1.3  # of the usual distance of two lines
USUAL_LEADING = 1.25
_FARTHEST_LISTED = 2.1  # lines of a listing, which may also stand beside what is above them
_FARTHEST, _FARTHEST_UNSPACED = 2.5, 2.7  # lines of a paragraph; those of Chinese and Japanese have more room
_FULL_WIDTH = 18.0  # of a line that shows how wide a column in Chinese is
_FARTHEST_IN = 8.0  # from the left edge of this begin its paragraphs and lists
_LABEL_WIDTH = 6.0  # such a narrow cell of a table has a label, which may go on below
_BROKEN_OFF = 3.0  # so much room is left at the end of the last line of a paragraph in Chinese
_LOOSE = 1.9  # so far below each other stand the short sentences of a slide
_TALL = 2.1  # of the usual distance: so far below each other stand lines of a sentence, one of which has a formula
_FEWEST_WORDS = 4  # of prose in each of them, but the last of a sentence

_COMMAS = "，、,"  # noqa: RUF001

# More distances than that tell which one is usual, and so many within sentences tell how far their lines stand apart.
_FEWEST_DISTANCES = 5
_FEWEST_IN_SENTENCES = 2
_END_ASKED = 8  # of the letters of a line, which tell whether a sentence ends

# Such a share of the letters of a sentence in Chinese is of its writing.
_MOSTLY_UNSPACED = 0.6

# So many lines, with fewer blanks than prose has, are lines of their own if such a share of them had room for more.
_FEWEST_ENDED = 4
_MOST_BLANKS_ENDED = 6
_MOSTLY_ENDED = 0.75

# So many full lines show a column in Chinese. A wide line of it is none that stands beside something else.
_FEWEST_LINES = 3
_TEXT_WIDTH = 12.0

# So many lines in a cell that is alone in its row are paragraphs.
_FEWEST_REPORTED = 5


Distance = tuple[float, bool]
"""How far a line stands below another one, in sizes of its letters, and whether a sentence goes on in it."""


def parts_of(lines: Sequence[Line], leading: float) -> list[Part]:
    """The parts of a page, those last that are set sideways. The *leading* is what `leading_of` tells."""
    upright, sideways = ([line for line in lines if line.upright is kept] for kept in (True, False))
    return [*_parts_of(upright, leading), *_parts_of(sideways, leading)]


def _parts_of(lines: Sequence[Line], leading: float) -> list[Part]:
    parts: list[Part] = []
    column = _only_column(lines)
    for box, group in groupby(lines, lambda line: line.box and (line.box.number, line.box.cell is not None)):
        together = tuple(group)
        if box and box[1]:
            parts += _of_table(together, leading)
        else:
            parts += _without_rules(together, leading, None if box else column)
    return in_reading_order(parts)


def _of_table(lines: Sequence[Line], leading: float) -> Iterator[Part]:
    """The rows of a table, and as text what fills a row alone, as in forms that hold a whole report."""
    rows = [tuple(group) for _, group in groupby(lines, lambda line: line.box and line.box.row)]
    for is_text, several in groupby(rows, _is_report):
        together = tuple(line for row in several for line in row)
        if is_text:
            yield from _without_rules(together, leading, None)
        else:
            yield Part(together, "table", table_of(together))


def _is_report(row: Sequence[Line]) -> bool:
    """Whether a row is a single cell of many lines, some of which are as long as those of paragraphs."""
    if len(row) < _FEWEST_REPORTED or len({line.box.cell for line in row if line.box}) > 1:
        return False
    is_text = any(line.right - line.left > _FULL_WIDTH * line.size for line in row)
    return is_text and len({round(line.y) for line in row}) >= _FEWEST_REPORTED


def _only_column(lines: Sequence[Line]) -> Span | None:
    """From where to where the prose of a page reaches in a writing without blanks, if it has one column of it."""
    full = [
        line
        for line in lines
        if line.right - line.left > _FULL_WIDTH * line.size and is_unspaced(line.text[0]) and line.box is None
    ]
    if len(full) < _FEWEST_LINES or max(line.left for line in full) > min(line.right for line in full):
        return None
    return min(line.left for line in full), sorted(line.right for line in full)[-_FEWEST_LINES]


def _without_rules(lines: Sequence[Line], leading: float, column: Span | None) -> Iterator[Part]:
    for found in with_tables(with_heads(lines)):
        if isinstance(found, Table):
            yield Part(found.lines, "table", found)
            continue
        for run in _runs(found, leading):
            yield from _divided(run, column)


def distances_in(lines: Sequence[Line]) -> list[Distance]:
    """How far the lines of a page stand from each other, in sizes of their letters."""
    return [
        (distance, after.cells[0].text[0].islower() and _is_in_prose(before, after))
        for (before, _), (after, _) in pairwise(in_rows_of_cells(lines))
        if 0.8 < (distance := (after.y - before.y) / before.size) < _FARTHEST_UNSPACED
        and (distance < _FARTHEST or is_unspaced(before.text[-1]) or is_unspaced(after.text[0]))
        and _in_one_column(before, after)
    ]


def leading_of(distances: Sequence[Distance]) -> float | None:
    """The usual one of *distances*, but no more than is between the lines of sentences; None where there are too few.

    On a page of short paragraphs most distances are those between them.
    """
    in_sentences = [distance for distance, in_sentence in distances if in_sentence]
    usual = [median([distance for distance, _ in distances])] if len(distances) > _FEWEST_DISTANCES else []
    if len(in_sentences) >= _FEWEST_IN_SENTENCES:
        usual.append(median(in_sentences))
    return min(usual, default=None)


def _is_in_prose(before: Line, after: Line) -> bool:
    """Whether a sentence of words does not end with *before*."""
    if len(before.cells) > 1 or before.fixed or after.fixed or before.bold:
        return False
    text = before.text
    return text.count(" ") >= _FEWEST_WORDS and not ends_sentence(text[-_END_ASKED:])


def _in_one_column(before: Line, after: Line) -> bool:
    overlap = min(before.right, after.right) - max(before.left, after.left)
    return overlap > 0.3 * min(before.right - before.left, after.right - after.left)


def _runs(lines: Sequence[Line], leading: float) -> Iterator[list[Line]]:
    """Lines of one size that follow each other closely in one column."""
    run: list[Line] = []
    for line in lines:
        if run and not (_goes_on(run[-1], line, leading) or _goes_on_far_below(run, line, leading)):
            yield run
            run = []
        run.append(line)
    if run:
        yield run


def _goes_on(before: Line, after: Line, leading: float) -> bool:
    farthest = max(leading, 1.1) * _GAP
    if before.fixed and after.fixed:
        farthest = max(farthest, _FARTHEST_LISTED)
    return 0.3 < (after.y - before.y) / before.size <= farthest and _are_alike(before, after)


def _are_alike(before: Line, after: Line) -> bool:
    """Whether both may be lines of one paragraph by their letters and where they begin and end."""
    return (
        before.upright == after.upright
        and (before.fixed == after.fixed or _is_in_sentence(before, after))
        and abs(before.size - after.size) <= _SAME_SIZE * max(before.size, after.size)
        and (_in_one_column(before, after) or (before.fixed and after.fixed) or _is_short_rest(before, after))
    )


def _goes_on_far_below(run: Sequence[Line], line: Line, leading: float) -> bool:
    """Whether a sentence goes on from the end of its column in a line further below, as a formula in it is higher."""
    before = run[-1]
    if not line.text.lstrip("(")[:1].islower() or line.fixed or line.bold != before.bold or before.is_row:
        return False
    if begins_item(line.text) or ends_sentence(before.text):
        return False
    if not 0.3 < (line.y - before.y) / before.size <= max(leading, 1.1) * _TALL or not _are_alike(before, line):
        return False
    off = (before.left - line.left) / line.size
    if not -_ALIGNED < off < (_FIRST_INDENT if len(run) == 1 else _ALIGNED):
        return False
    if _would_have_fit(before, line, max(line.right, *(above.right for above in run))):
        return False
    fewest = 1 if ends_sentence(line.text) else _FEWEST_WORDS
    return len(_PROSE_WORD.findall(before.text)) >= _FEWEST_WORDS and len(_PROSE_WORD.findall(line.text)) >= fewest


def _is_in_sentence(before: Line, after: Line) -> bool:
    """Whether a sentence in Chinese goes on in a line of figures and Latin, which are of one width in its fonts."""
    if before.fixed or ends_sentence(before.text) or not any(map(is_unspaced, after.text)):
        return False
    if before.right - before.left < _FULL_WIDTH * before.size or not is_unspaced(before.text[-1]):
        return False
    letters = before.text.replace(" ", "")
    return sum(map(is_unspaced, letters)) > _MOSTLY_UNSPACED * len(letters)  # a listing's comment is less


def _is_short_rest(before: Line, after: Line) -> bool:
    """Whether *after* has the last letters of a paragraph in Chinese, all of them to the left of its indented line."""
    if not is_unspaced(after.text[0]) or before.right - before.left < _FULL_WIDTH * before.size:
        return False
    return (
        0 < before.left - after.left < _FIRST_INDENT_UNSPACED * before.size and after.right < before.left + before.size
    )


def _divided(run: Sequence[Line], column: Span | None) -> Iterator[Part]:
    """The paragraphs of a run, which show where they begin by an indent, a mark or a short line before."""
    if run[0].fixed:
        yield Part(tuple(run), "listing")
        return
    right = max(line.right for line in run)
    edge = _edge_of(run, right, column)
    paragraph = [run[0]]
    for line in run[1:]:
        if _begins_anew(paragraph, line, right, edge) or _is_broken_off(paragraph, line, edge):
            yield _paragraph(paragraph, right)
            paragraph = []
        paragraph.append(line)
    yield _paragraph(paragraph, right)


def _paragraph(lines: Sequence[Line], right: float) -> Part:
    return Part(tuple(lines), "scraps" if _ends_each_line(lines, right) else "text")


def _ends_each_line(run: Sequence[Line], right: float) -> bool:
    """Whether nearly all lines were ended on purpose, as those of a list without marks, of an address, or of a poem."""
    if len(run) < _FEWEST_ENDED or any(ends_sentence(line.text) or begins_item(line.text) for line in run[:-1]):
        return False
    if median(line.text.count(" ") for line in run) > _MOST_BLANKS_ENDED:
        return False
    second = sorted(line.right for line in run)[-2]
    if 2 * sum(line.right > second - line.size for line in run) > len(run):  # they fill a column beside something
        return False
    ended = sum(_would_have_fit(before, line, right) for before, line in pairwise(run))
    return ended >= _MOSTLY_ENDED * (len(run) - 1)


def _edge_of(run: Sequence[Line], right: float, column: Span | None) -> float:
    """Where the lines of a run end if they are full: not at its *right* if it is of short ones in a wider *column*."""
    left, size = min(line.left for line in run), run[0].size
    if column is None or right - left < _LABEL_WIDTH * size:
        return right
    is_within = -size < left - column[0] < _FARTHEST_IN * size
    return max(right, column[1]) if is_within else right


def _begins_anew(paragraph: Sequence[Line], line: Line, right: float, edge: float) -> bool:
    before = paragraph[-1]
    indent = (line.left - before.left) / line.size
    is_short = _would_have_fit(before, line, edge)
    ended = ends_sentence(before.text)
    if before.bold != line.bold and (
        is_short or before.bold or (before.text[-1] in ".!?" and line.right < right - line.size)
    ):
        return True
    if has_bullet(line.text) or _is_row(before, line):
        return True
    if is_short and len(paragraph) == 1 and _is_title(before, line):
        return True
    if (is_short or (ended and is_unspaced(line.text[0]))) and begins_caption(line.text):
        return True
    if _PROMPT.match(line.text) and (is_short or _PROMPT.match(paragraph[0].text)):
        return True
    if has_mark(line.text) and (is_short or ended or asks(before.text) or _is_next_item(paragraph[0], line)):
        return True
    if ended and is_unspaced(before.text[-1]) and has_mark(f"{line.text} "):
        return True
    if follows(paragraph[0].text, line.text) and line.left < paragraph[0].left + 0.5 * line.size:
        return True
    if is_unspaced(before.text[-1]) and indent > _INDENT and is_first(line.text) and begins_item(paragraph[0].text):
        return True
    if is_short and (
        ended
        or begins_caption(paragraph[0].text)
        or begins_section(line.text)
        or (line.y - before.y > _LOOSE * line.size and _would_have_fit(before, line, right))
    ):
        return True
    if abs(indent) < _INDENT or _are_centred(before, line):
        return False
    if indent > 0:
        return len(paragraph) > 1 or (is_short and (is_unspaced(line.text[0]) or not begins_item(paragraph[0].text)))
    return len(paragraph) > 1 and (is_short or ended)


def _is_title(before: Line, line: Line) -> bool:
    """Whether *before* is in slightly larger letters than the text that begins with *line*."""
    is_text = line.right - line.left > _TEXT_WIDTH * line.size
    return is_text and before.size > _TITLE_SIZE * line.size and not begins_item(before.text)


def _are_centred(before: Line, line: Line) -> bool:
    return abs((line.left + line.right) - (before.left + before.right)) < 0.4 * line.size


def _is_broken_off(paragraph: Sequence[Line], line: Line, right: float) -> bool:
    """Whether a line in a writing without blanks ends long before the edge, which only the end of a paragraph does.

    Beside a picture several lines end so, at one place.
    """
    before, size = paragraph[-1], line.size
    if not (is_unspaced(before.text[-1]) or is_unspaced(line.text[0])) or before.text[-1] in _COMMAS:
        return False
    if _are_centred(before, line) and abs(before.left - line.left) > _INDENT * size:
        return False
    is_wide = before.right - before.left > _TEXT_WIDTH * size
    if is_wide and any(abs(other.right - before.right) < size for other in (*paragraph[-2:-1], line)):
        return False
    return before.right + line.first_word_width + _BROKEN_OFF * size < right


def _is_row(line: Line, below: Line) -> bool:
    """Whether *line* has a gap too wide for prose. What hangs *below* its last cell goes on with that."""
    hangs = abs(below.left - line.cells[-1].left) < 0.5 * line.size
    return not hangs and line.is_row


def _is_next_item(first: Line, line: Line) -> bool:
    """Whether an item begun by *first* ends before *line*, which has a mark too: one of its list or of that around."""
    return begins_item(first.text) and line.left < first.left + 0.5 * line.size


def _would_have_fit(before: Line, line: Line, right: float) -> bool:
    """Whether the first word of *line* had room at the end of the line before: then the line was ended on purpose."""
    return before.right + line.first_word_width + 0.7 * before.size < right
