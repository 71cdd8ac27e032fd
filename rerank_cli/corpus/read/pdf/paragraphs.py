"""Rebuild what a page's lines once were: paragraphs, list items, tables, listings; in the order of reading."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby, pairwise
from statistics import median
from typing import Literal

from rerank_cli.corpus.read.pdf.characters import BROKEN_WORD, ends_sentence, is_unspaced, joined
from rerank_cli.corpus.read.pdf.lines import Line, in_rows_of_cells, text_of
from rerank_cli.corpus.read.pdf.marks import asks, begins_closely, begins_section, follows, is_first
from rerank_cli.corpus.read.pdf.tables import Span, Table, table_of, with_tables

Kind = Literal["text", "table", "listing", "scraps"]

_BULLETS = (
    "•◦▪‣●○◉■□◆◇❑▷▶▸►➢➤➔✓❖∙·⁃⚫⚪⬤◼◾"  # noqa: RUF001
    "\uf0b7\uf0a7\uf0d8\uf0fc\uf076\uf0a8\uf06c\uf06e\uf075"  # of Symbol and Wingdings, which have those of Word
)
_BULLET = re.compile(rf"[{_BULLETS}]\s*|[–—*\uf020-\uf0ff-]\s+")  # noqa: RUF001
_MARKER = re.compile(
    r"(?:\d{1,2}(?:\.\d{1,2})+[:)]|\(?(?:\d{1,3}|[a-zA-Z]|[ivx]{1,5})[.)]|\[\d{1,4}\]|[–—*-])\s+|[①-⑳㈠-㈩]"  # noqa: RUF001
)

# What somebody types in, or goes on with, stands after it.
_PROMPT = re.compile(r"(?:R?>|>>>|\.\.\.|\$|%|\+) \S")

_CAPTION = re.compile(r"(?:figure|fig\.|table|tab\.|tabelle|abb\.|abbildung|listing|[图圖図表])\s*\d", re.IGNORECASE)

_PROSE_WORD = re.compile(r"(?<!\S)[^\W\d_A-Z]{2,}(?=[,.;:]?(?:\s|\Z))")

# In sizes of the letters.
_SAME_SIZE = 0.12
_INDENT = 0.8
_ALIGNED = 0.5
_FIRST_INDENT, _FIRST_INDENT_UNSPACED = 3.0, 3.5
_GAP = 1.3  # of the usual distance of two lines
USUAL_LEADING = 1.25
_FARTHEST, _FARTHEST_UNSPACED = 2.5, 2.7  # lines of a paragraph; those of Chinese and Japanese have more room
_FULL_WIDTH = 18.0  # of a line that shows how wide a column in Chinese is
_FARTHEST_IN = 8.0  # from the left edge of this begin its paragraphs and lists
_LABEL_WIDTH = 6.0  # such a narrow cell of a table has a label, which may go on below
_BROKEN_OFF = 3.0  # so much room is left at the end of the last line of a paragraph in Chinese
_LOOSE = 1.9  # so far below each other stand the short sentences of a slide
_TALL = 2.1  # of the usual distance: so far below each other stand lines of a sentence, one of which has a formula
_FEWEST_WORDS = 4  # of prose in each of them, but the last of a sentence

_COMMAS = "，、,"  # noqa: RUF001

# Such a share of the letters of a sentence in Chinese is of its writing.
_MOSTLY_UNSPACED = 0.6

# So many lines, with fewer blanks than prose has, are lines of their own if such a share of them had room for more.
_FEWEST_ENDED = 4
_MOST_BLANKS_ENDED = 6
_MOSTLY_ENDED = 0.75

# Between columns, in points.
_COLUMN_GAP = 6.0

# A column of text has so many lines, which are so wide, in sizes of the letters.
_FEWEST_LINES = 3
_TEXT_WIDTH = 12.0

# And a label beside it has so many words. Of fewer that the file has before all text each may be a heading.
_LABEL_WORDS = 3
_FEWEST_LABELS = 3

# A page of fewer parts has no foot that comes first.
_FEWEST_BELOW = 4

# What has no more letters may stand at the edge of a box, such as the language of a listing. So far above what stands
# before it, in sizes of the letters, is no piece of a formula.
_TAG_CHARS = 6
_FAR_UP = 2.0

# So many lines in a cell that is alone in its row are paragraphs.
_FEWEST_REPORTED = 5

_MOST_PARTS = 300
_DEEPEST_CUT = 8


@dataclass(frozen=True)
class Part:
    """Lines that belong together, in order."""

    lines: tuple[Line, ...]
    kind: Kind = "text"
    table: Table | None = None

    @property
    def first_page(self) -> int:
        return self.lines[0].page

    @property
    def last_page(self) -> int:
        return self.lines[-1].page

    @property
    def size(self) -> float:
        return max(line.size for line in self.lines)

    @property
    def is_item(self) -> bool:
        """Whether it begins with the mark of an item of a list."""
        return begins_item(self.lines[0].text)

    @property
    def is_caption(self) -> bool:
        """Whether it begins as what stands at a figure or a table."""
        return _CAPTION.match(self.lines[0].text) is not None

    @cached_property
    def bold(self) -> bool:
        return all(line.bold for line in self.lines)

    @cached_property
    def left(self) -> float:
        return min(line.left for line in self.lines)

    @cached_property
    def right(self) -> float:
        return max(line.right for line in self.lines)

    @cached_property
    def top(self) -> float:
        return min(line.top for line in self.lines)

    @cached_property
    def bottom(self) -> float:
        return max(line.y for line in self.lines)

    def text(self, hyphenated: frozenset[str]) -> str:
        """What it says. *hyphenated* are the words of the document that are written with a hyphen."""
        if self.table:
            return "\n".join(self.table.shown())
        if self.kind == "scraps":
            return self._by_line(hyphenated)
        if self.kind == "listing":
            return "\n".join(self._indented())
        text = text_of(self.lines, hyphenated)
        bullet = _BULLET.match(text)
        return f"- {text[bullet.end() :]}" if bullet else text

    def _by_line(self, hyphenated: frozenset[str]) -> str:
        first, *others = self.lines
        text = first.text
        for line in others:
            is_parted = text.endswith(BROKEN_WORD)
            text = joined(text, line.text, hyphenated) if is_parted else f"{text}\n{line.text}"
        return text.replace(BROKEN_WORD, "-")

    def _indented(self) -> Iterator[str]:
        for line in self.lines:
            width = max(0.1, (line.right - line.left) / max(1, len(line.text)))
            yield " " * min(80, round((line.left - self.left) / width)) + line.text.replace(BROKEN_WORD, "-")


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
    for found in with_tables(lines):
        if isinstance(found, Table):
            yield Part(found.lines, "table", found)
            continue
        for run in _runs(found, leading):
            yield from _divided(run, column)


def distances_in(lines: Sequence[Line]) -> list[float]:
    """How far the lines of a page stand from each other, in sizes of their letters."""
    return [
        distance
        for (before, _), (after, _) in pairwise(in_rows_of_cells(lines))
        if 0.8 < (distance := (after.y - before.y) / before.size) < _FARTHEST_UNSPACED
        and (distance < _FARTHEST or is_unspaced(before.text[-1]) or is_unspaced(after.text[0]))
        and _in_one_column(before, after)
    ]


def leading_of(distances: Sequence[float]) -> float | None:
    """The usual one of *distances*, None where there are too few."""
    return median(distances) if len(distances) > 5 else None


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
    return _are_alike(before, after) and 0.3 < (after.y - before.y) / before.size <= max(leading, 1.1) * _GAP


def _are_alike(before: Line, after: Line) -> bool:
    """Whether both may be lines of one paragraph by their letters and where they begin and end."""
    return (
        before.upright == after.upright
        and (before.fixed == after.fixed or _is_in_sentence(before, after))
        and abs(before.size - after.size) <= _SAME_SIZE * max(before.size, after.size)
        and (_in_one_column(before, after) or _is_short_rest(before, after))
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
    fewest = _FEWEST_WORDS if line.text[-1] != "." else 1
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
    if _has_bullet(line.text) or _is_row(before, line):
        return True
    if (is_short or (ended and is_unspaced(line.text[0]))) and _CAPTION.match(line.text):
        return True
    if _PROMPT.match(line.text) and (is_short or _PROMPT.match(paragraph[0].text)):
        return True
    if _has_mark(line.text) and (is_short or ended or asks(before.text) or _is_next_item(paragraph[0], line)):
        return True
    if ended and is_unspaced(before.text[-1]) and _has_mark(f"{line.text} "):
        return True
    if follows(paragraph[0].text, line.text) and line.left < paragraph[0].left + 0.5 * line.size:
        return True
    if is_unspaced(before.text[-1]) and indent > _INDENT and is_first(line.text) and begins_item(paragraph[0].text):
        return True
    if is_short and (
        ended
        or _CAPTION.match(paragraph[0].text)
        or begins_section(line.text)
        or (line.y - before.y > _LOOSE * line.size and _would_have_fit(before, line, right))
    ):
        return True
    if abs(indent) < _INDENT or _are_centred(before, line):
        return False
    if indent > 0:
        return len(paragraph) > 1 or (is_short and (is_unspaced(line.text[0]) or not begins_item(paragraph[0].text)))
    return len(paragraph) > 1 and (is_short or ended)


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


def begins_item(text: str) -> bool:
    """Whether *text* begins with the mark of an item of a list."""
    return _has_bullet(text) or _has_mark(text)


def _has_mark(text: str) -> bool:
    return _MARKER.match(text) is not None or begins_closely(text)


def _has_bullet(text: str) -> bool:
    """Whether *text* begins with a bullet. Any sign of a font of signs that stands alone there is one."""
    return text[0] in _BULLETS or ("\uf020" <= text[0] <= "\uf0ff" and text[1:2] == " ")


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


def in_reading_order(parts: list[Part]) -> list[Part]:
    """*parts* as they stand in the file if nobody would have to read upwards, else by the blank strips between them."""
    if len(parts) > _MOST_PARTS:
        return parts
    if any(_leads_upwards(before, after) for before, after in pairwise(parts)) or _has_labels_apart(parts):
        return _ordered(parts, depth=0)
    large = [part for part in parts if len(part.lines) > 1 or len(part.lines[0].text) > _TAG_CHARS]
    for before, after in pairwise(large) if len(large) < len(parts) else ():
        if before.top - after.bottom > _FAR_UP * before.size and _leads_upwards(before, after):
            return _ordered(parts, depth=0)
    if len(parts) > _FEWEST_BELOW and _begins_below(parts):
        return _ordered(parts, depth=0)
    return parts


def _begins_below(parts: Sequence[Part]) -> bool:
    """Whether the file begins with what stands below most of the page, as some programs write its foot."""
    above = sum(_leads_upwards(parts[0], part) for part in parts[1:])
    return 2 * above > len(parts)


def _has_labels_apart(parts: Sequence[Part]) -> bool:
    """Whether the file has a column of labels first and then the text that stands beside them, as of a scan."""
    labels: list[Part] = []
    for before, after in pairwise(parts):
        if len(before.lines) > 1 or before.lines[0].text.count(" ") >= _LABEL_WORDS:
            labels = []
            continue
        if labels and abs(labels[-1].left - before.left) > before.size:
            labels = []
        labels.append(before)
        if len(labels) >= _FEWEST_LABELS and after.left > before.right and after.bottom < before.top:
            first = after.lines[0]
            if any(abs(label.lines[0].y - first.y) < 0.5 * first.size for label in labels):
                return True
    return False


def _leads_upwards(before: Part, after: Part) -> bool:
    overlap = min(before.right, after.right) - max(before.left, after.left)
    narrower = min(before.right - before.left, after.right - after.left)
    return after.bottom <= before.top + 0.3 * before.size and overlap > 0.3 * narrower


def _ordered(parts: list[Part], depth: int) -> list[Part]:
    """Cut *parts* into columns, else into bands above each other, and these again. Labels stay beside their text."""
    if len(parts) < 2 or depth > _DEEPEST_CUT:
        return sorted(parts, key=lambda part: (part.top, part.left))
    columns = _columns(parts)
    bands = _cut(parts, lambda part: (part.top, part.bottom), gap=0.0)
    if len(columns) > 1 and _are_labels(columns[0]) and _is_text(columns[1]):
        if len(columns) > 2:
            columns = [[*columns[0], *columns[1]], *columns[2:]]
        elif len(bands) > 1:
            columns = bands
    if len(columns) > 1:
        return [part for column in columns for part in _ordered(column, depth + 1)]
    if len(bands) == 1:
        return sorted(parts, key=lambda part: (part.top, part.left))
    return [part for band in _with_columns_whole(bands) for part in _ordered(band, depth + 1)]


def _cut(parts: list[Part], span: Callable[[Part], tuple[float, float]], *, gap: float) -> list[list[Part]]:
    """*parts* in groups with a strip between them that none reaches into."""
    groups: list[list[Part]] = []
    reach = -math.inf
    for part in sorted(parts, key=span):
        first, last = span(part)
        if not groups or first > reach + gap:
            groups.append([])
        groups[-1].append(part)
        reach = max(reach, last)
    return groups


def _with_columns_whole(bands: list[list[Part]]) -> Iterator[list[Part]]:
    """Bands one below the other that have the same columns are one band."""
    at = 0
    while at < len(bands):
        end = _end_of_columns(bands, at)
        yield [part for band in bands[at:end] for part in band]
        at = end


def _end_of_columns(bands: list[list[Part]], at: int) -> int:
    """Where the bands end that have the same columns as the one at *at*.

    Below the last one with more than the first column, that column goes on only if all of them are columns of text.
    """
    end = at + 1
    together = list(bands[at])
    for index in range(at + 1, len(bands)):
        together += bands[index]
        columns = _columns(together)
        if len(columns) < 2:
            break
        second = min(part.left for part in columns[1])
        if any(part.left >= second for part in bands[index]) or all(map(_is_text, columns)):
            end = index + 1
    return end


def _columns(parts: list[Part]) -> list[list[Part]]:
    return _cut(parts, lambda part: (part.left, part.right), gap=_COLUMN_GAP)


def _are_labels(column: Sequence[Part]) -> bool:
    lines = [line for part in column for line in part.lines]
    return len(column) > 1 and all(line.text.count(" ") < _LABEL_WORDS for line in lines)


def _is_text(column: Sequence[Part]) -> bool:
    """Whether it has the lines of a column of text. Labels and what stands in a box are fewer or shorter."""
    widths = [(line.right - line.left) / line.size for part in column for line in part.lines]
    return len(widths) >= _FEWEST_LINES and median(widths) > _TEXT_WIDTH
