"""Put blocks side by side one after the other, where a file has their lines by turns: prose and what is beside it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise

from rerank_cli.corpus.read.pdf.characters import BROKEN_WORD, ends_sentence, first_word, is_unspaced
from rerank_cli.corpus.read.pdf.lines import Cell, Line
from rerank_cli.corpus.read.pdf.parts import begins_item
from rerank_cli.corpus.read.pdf.tables import is_mark, is_number

# A sentence that is mixed with something has so many lines, most of so many words. What goes on in the next line has so
# many blanks, or so many letters of a writing without blanks.
_FEWEST_LINES = 4
_FEWEST_WORDS = 4
_FEWEST_BLANKS = 2
_FEWEST_LETTERS = 8
_WORD = re.compile(r"[^\W\d_]{2,}")

# A page with more lines is a drawing or a list.
_MOST_LINES = 400

# So many things that begin beside it are a block of their own. Where more than so many times as many stand beside first
# lines as within sentences, they are labels.
_FEWEST_BEGUN = 2
_LABELS = 2

# In sizes of the letters: how far below each other the lines of a block stand at most, how far a paragraph is indented,
# how far off lines may begin, how much room is beside a block, how wide is a blank, how much higher or lower is what
# stands beside, how wide is a block at least.
_LINE_GAP = 1.7
_INDENT = 2.5
_ALIGNED = 0.4
_ROOM = 0.5
_BLANK = 0.25
_BESIDE = 0.9
_OTHER_SIZE = 0.12
_WIDTH = 10.0

# In points: lines of a paragraph begin no further from each other.
_NEAR = 3.0


@dataclass(frozen=True, slots=True)
class _Piece:
    """Cells of a line that stand together: one, with the mark before it."""

    at: int  # the number of its line
    cells: tuple[Cell, ...]
    line: Line
    left: float
    right: float

    @property
    def text(self) -> str:
        return self.cells[-1].text

    @property
    def is_marked(self) -> bool:
        return len(self.cells) > 1


@dataclass(slots=True)
class _Block:
    """Pieces below each other that begin at one place. `limit` is where something stands to the right of some."""

    pieces: list[_Piece]
    left: float
    right: float
    limit: float

    def takes(self, piece: _Piece, limit: float) -> bool:
        """Whether *piece*, to the right of which something stands at *limit*, goes on with it."""
        last, size = self.pieces[-1], piece.line.size
        if piece.at == last.at or not 0 < piece.line.y - last.line.y < _LINE_GAP * size:
            return False
        if abs(size - last.line.size) > _OTHER_SIZE * size:
            return False
        off = (piece.left - self.left) / size
        if not -_ALIGNED < off < _INDENT and not (len(self.pieces) == 1 and off > -_INDENT):
            return False
        return max(self.right, piece.right) + _ROOM * size < min(self.limit, limit)

    def take(self, piece: _Piece, limit: float) -> None:
        self.pieces.append(piece)
        self.left, self.right = min(self.left, piece.left), max(self.right, piece.right)
        self.limit = min(self.limit, limit)

    def goes_on(self, before: _Piece, after: _Piece) -> bool:
        """Whether a sentence goes on from *before* to *after*."""
        return _has_no_room(before.cells[-1], after.cells[-1], self.right, before.line.size)

    def chains(self) -> Iterator[list[_Piece]]:
        """The sentences that go on for several lines."""
        chain = self.pieces[:1]
        for before, after in pairwise(self.pieces):
            if after.is_marked or begins_item(after.text) or not self.goes_on(before, after):
                yield chain
                chain = []
            chain.append(after)
        yield chain


@dataclass(frozen=True, slots=True)
class _River:
    """Lines from `first` to before `end`, and from where to where the block reaches that they go through."""

    first: int
    end: int
    left: float
    right: float


def by_block(lines: list[Line]) -> list[Line]:
    """*lines* of a page as they are read."""
    if not _may_be_mixed(lines):
        return lines
    return [
        line
        for is_plain, group in groupby(lines, lambda line: line.upright and not line.box and not line.fixed)
        for line in (_by_block(list(group)) if is_plain else group)
    ]


def _may_be_mixed(lines: Sequence[Line]) -> bool:
    """Whether a sentence goes on in a line that has something beside it: asked first, as it costs little."""
    is_parted = False
    for at, line in enumerate(lines):
        was_parted, is_parted = is_parted, len(line.cells) > 1 and not _is_marked(line.cells)
        if not (is_parted or was_parted or (at and abs(line.y - lines[at - 1].y) < _BESIDE * line.size)):
            continue
        going_on = [cell for cell in line.cells if _may_go_on(cell.text)]
        if going_on and any(
            abs(cell.left - other.left) < _NEAR and _has_no_room(other, cell, cell.right, line.size)
            for above in lines[max(0, at - _FEWEST_LINES) : at]
            if 0 < line.y - above.y < _LINE_GAP * line.size
            for other in above.cells
            for cell in going_on
        ):
            return True
    return False


def _has_no_room(before: Cell, after: Cell, right: float, size: float) -> bool:
    """Whether a line of a sentence had no room for the first word of the next one in a column that ends at *right*."""
    text = before.text
    if not _is_long(text):
        return False
    if text.endswith(BROKEN_WORD):
        return True
    word = (after.right - after.left) * len(first_word(after.text)) / len(after.text)
    return before.right + word + _BLANK * size > right and not ends_sentence(text)


def _is_marked(cells: Sequence[Cell]) -> bool:
    return len(cells) == 2 and is_mark(cells[0].text)


def _may_go_on(text: str) -> bool:
    """Whether a line of a sentence can begin so in its middle."""
    return (text[0].islower() or is_unspaced(text[0])) and _is_long(text)


def _is_long(text: str) -> bool:
    """Whether *text* is long enough for a line of a sentence that goes on in the next."""
    return text.count(" ") >= _FEWEST_BLANKS or (len(text) >= _FEWEST_LETTERS and is_unspaced(text[-1]))


def _by_block(lines: list[Line]) -> list[Line]:
    ordered: list[Line] = []
    while _FEWEST_LINES <= len(lines) < _MOST_LINES:
        rows = [_pieces(at, line) for at, line in enumerate(lines)]
        river = _first_river(rows)
        if river is None:
            break
        sides: tuple[list[Line], list[Line], list[Line]] = ([], [], [])
        for line, row in zip(lines[river.first : river.end], rows[river.first : river.end], strict=True):
            for side, within in enumerate(sides, -1):
                cells = tuple(cell for piece in row if _side(piece, river) == side for cell in piece.cells)
                if cells:
                    within.append(line if len(cells) == len(line.cells) else line._replace(cells=cells))
        left, block, right = sides
        ordered += [*lines[: river.first], *_by_block(left), *block, *_by_block(right)]
        lines = lines[river.end :]
    return ordered + lines


def _pieces(at: int, line: Line) -> list[_Piece]:
    pieces: list[_Piece] = []
    mark: tuple[Cell, ...] = ()
    for cell in line.cells:
        if is_mark(cell.text) and not mark:
            mark = (cell,)
            continue
        pieces.append(_piece(at, (*mark, cell), line))
        mark = ()
    return [*pieces, _piece(at, mark, line)] if mark else pieces


def _piece(at: int, cells: tuple[Cell, ...], line: Line) -> _Piece:
    return _Piece(at, cells, line, cells[0].left, cells[-1].right)


def _side(piece: _Piece, river: _River) -> int | None:
    """-1 left of the block, 0 within it, 1 right of it, None across."""
    slack = _ROOM * piece.line.size
    if piece.right < river.left:
        return -1
    if piece.left > river.right:
        return 1
    is_within = piece.left > river.left - slack and piece.right < river.right + slack
    return 0 if is_within else None


def _first_river(rows: Sequence[Sequence[_Piece]]) -> _River | None:
    for block in _blocks(rows):
        for chain in block.chains():
            if len(chain) >= _FEWEST_LINES and _are_prose(chain) and (river := _river_through(block, chain, rows)):
                return river
    return None


def _blocks(rows: Sequence[Sequence[_Piece]]) -> list[_Block]:
    """From the first one to the last, those with lines enough."""
    found: list[_Block] = []
    open_blocks: list[_Block] = []
    for row in rows:
        near = _near(row, rows)
        for piece in row:
            limit = min((other.left for other in near if other.left > piece.right), default=math.inf)
            y = piece.line.y - _LINE_GAP * piece.line.size
            open_blocks = [block for block in open_blocks if block.pieces[-1].line.y > y]
            for block in open_blocks:
                if block.takes(piece, limit):
                    block.take(piece, limit)
                    break
            else:
                if _is_long(piece.text):
                    open_blocks.append(_Block([piece], piece.left, piece.right, limit))
                    found.append(open_blocks[-1])
    return [
        block
        for block in found
        if len(block.pieces) >= _FEWEST_LINES and block.right - block.left > _WIDTH * block.pieces[0].line.size
    ]


def _near(row: Sequence[_Piece], rows: Sequence[Sequence[_Piece]]) -> list[_Piece]:
    """The pieces of *row*, and those of the lines before and after it that stand beside them."""
    at, line = row[0].at, row[0].line
    beside = [
        other
        for other in (*rows[max(0, at - 1) : at], *rows[at + 1 : at + 2])
        if abs(other[0].line.y - line.y) < _BESIDE * line.size
    ]
    return [*row, *(piece for other in beside for piece in other)]


def _river_through(block: _Block, chain: Sequence[_Piece], rows: Sequence[Sequence[_Piece]]) -> _River | None:
    """What a sentence is mixed with, if it is."""
    river = _River(chain[0].at, chain[-1].at + 1, block.left, block.right)
    if any(_side(piece, river) is None for row in rows[river.first : river.end] for piece in row):
        return None
    between = begun = going_on = 0
    for before, after in pairwise(chain):
        if not (_goes_on(after) or before.text.endswith(BROKEN_WORD)):
            continue
        going_on += 1
        others = list(_between(before, after, rows, river))
        between += bool(others)
        begun += any(_begins(piece, rows, river) for piece in others)
    if not between or 2 * going_on < len(chain) - 1 or _are_rows(chain, rows, river):
        return None
    if _LABELS * between < sum(len(rows[each[0].at]) > 1 for each in block.chains()):
        return None
    return _whole(rows, river) if begun >= _FEWEST_BEGUN else river


def _are_rows(chain: Sequence[_Piece], rows: Sequence[Sequence[_Piece]], river: _River) -> bool:
    """Whether each line of a block has something short beside it, as the rows of a table have."""
    for side in (-1, 1):
        beside = [piece for at in chain for piece in rows[at.at] if _side(piece, river) == side]
        is_text = _are_prose(beside) and 2 * sum(map(_goes_on, beside)) > len(beside)
        if len({piece.at for piece in beside}) >= len(chain) - 1 and not is_text:
            return True
    return False


def _goes_on(piece: _Piece) -> bool:
    """Whether it can begin in the middle of a sentence."""
    return piece.text[0].islower() or is_unspaced(piece.text[0])


def _are_prose(pieces: Sequence[_Piece]) -> bool:
    """Whether most of *pieces* have words enough."""
    return 2 * sum(map(_has_words, pieces)) > len(pieces)


def _has_words(piece: _Piece) -> bool:
    text = piece.text
    return len(_WORD.findall(text)) >= _FEWEST_WORDS or (is_unspaced(text[0]) and len(text) >= _FEWEST_LETTERS)


def _between(before: _Piece, after: _Piece, rows: Sequence[Sequence[_Piece]], river: _River) -> Iterator[_Piece]:
    """What the file has between two lines of a block."""
    for row in rows[before.at : after.at + 1]:
        for piece in row:
            side = _side(piece, river)
            if side and not (piece.at == before.at and side < 0) and not (piece.at == after.at and side > 0):
                yield piece


def _begins(piece: _Piece, rows: Sequence[Sequence[_Piece]], river: _River) -> bool:
    """Whether nothing stands right above *piece* that it goes on with."""
    if piece.is_marked or begins_item(piece.text) or is_mark(piece.text) or is_number(piece.text):
        return True
    side = _side(piece, river)
    if sum(_side(other, river) == side for other in rows[piece.at]) > 1:
        return True
    for row in reversed(rows[: piece.at]):
        for other in row:
            if piece.line.y - other.line.y > _LINE_GAP * piece.line.size:
                return True
            if _side(other, river) == side and other.left < piece.right and piece.left < other.right:
                return False
    return True


def _whole(rows: Sequence[Sequence[_Piece]], river: _River) -> _River:
    """*river* as far as it reaches up and down."""
    first, end = river.first, river.end
    while first > 0 and _is_along(rows[first - 1], rows[first], river):
        first -= 1
    while end < len(rows) and _is_along(rows[end], rows[end - 1], river):
        end += 1
    return replace(river, first=first, end=end)


def _is_along(row: Sequence[_Piece], other: Sequence[_Piece], river: _River) -> bool:
    """Whether *row* is close to *other*, which is along the river, and nothing of it is across."""
    line, near = row[0].line, other[0].line
    is_close = abs(line.y - near.y) < _LINE_GAP * max(line.size, near.size)
    return is_close and all(_side(piece, river) is not None for piece in row)
