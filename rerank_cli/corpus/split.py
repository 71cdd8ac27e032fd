"""Cut documents into passages that fit the models, along the document's own structure.

What always holds: the `model_text` of a passage counts at most max_tokens, and the passages' bodies,
read in order, have every word of every block exactly once. Only a word longer than any of a language is
broken by spaces. Headings come out as they are kept and shown, so that whoever reads a passage reads one text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, islice
from typing import NamedTuple

from rerank_cli.records import Block, Document, Passage, Place, with_headings
from rerank_cli.sentences import SENTENCE_END
from rerank_cli.words import LONGEST, readable

CountTokens = Callable[[Sequence[str]], list[int]]
_Trail = tuple[str, ...]

# A trail stands in every passage of its section; beyond a third it would crowd out the text.
_TRAIL_SHARE = 3

# A section below a fifth of a passage says too little to be found, or judged, by itself.
_TINY_SHARE = 5

# Where a text that is too long is cut, if no sentence ends. Only white space falls away.
_LINE_END = re.compile(r"\n(?:\s*\n)?")
_WORD_END = re.compile(r"\s+")

# A tokenizer keeps some hundred bytes for each token, of which there may be one a character, and for each text.
_BATCH_COST = 200_000
_TEXT_COST = 10

_PARAGRAPH_GAP = "\n\n"

# Where a line of a block's text has a place of its own, if there are as many.
_COUNTED_BY_LINE = ("line", "row")


class _Piece(NamedTuple):
    """A run of text that stays together. `gap` separates it from the piece before.

    `exact` where each line of the text has a place of its own; else its places are those of the whole block. `header`
    stands above it where it begins a passage, and `repeats` above the pieces that it is cut into, but for the first.
    """

    text: str
    gap: str
    first: int
    last: int
    exact: bool
    header: str = ""
    repeats: str = ""

    @property
    def whole(self) -> str:
        """The text as it stands at the beginning of a passage."""
        return f"{self.header}\n{self.text}" if self.header else self.text

    def cut(self, spans: Iterable[tuple[int, int]]) -> Iterator[_Piece]:
        """The pieces between *spans* of white space, which become their gaps."""
        whole, _, first, last, exact, _, repeats = self
        start, line, gap, header = 0, first, self.gap, self.header
        counts = exact and last > first
        for end, after in (*spans, (len(whole), len(whole))):
            text = whole[start:end]
            if counts:
                first, last = line, line + text.count("\n")
                line = last + whole.count("\n", end, after)
            if text and not text.isspace():
                yield _Piece(text, gap, first, last, exact, header, repeats)
                gap, header = "", repeats
            gap += whole[end:after]
            start = after


@dataclass(frozen=True, slots=True)
class _Section:
    """Pieces under one trail: at first all those of a heading, in the end those of a passage."""

    trail: _Trail
    pieces: tuple[_Piece, ...]
    origin: Place
    heading_at: int | None = None

    @property
    def text(self) -> str:
        first, *rest = self.pieces
        return first.whole + "".join(piece.gap + piece.text for piece in rest)

    @property
    def place(self) -> Place:
        first = min(piece.first for piece in self.pieces)
        return self.origin._replace(first=first, last=max(piece.last for piece in self.pieces))

    def halves(self) -> tuple[_Section, ...]:
        """Two of about the same length, or the section itself if it is a single character."""
        pieces = self.pieces if len(self.pieces) > 1 else _halves(self.pieces[0])
        middle = len(pieces) // 2
        return tuple(replace(self, pieces=half) for half in (pieces[:middle], pieces[middle:]) if half)


class _Budget:
    """How many tokens things take. Texts are counted in batches beforehand, each one once.

    Every so many characters of a text count for a token at least, as those of a word do: what a tokenizer makes
    nothing of fills passages too. So a text that is far too long need not be counted at all.
    """

    def __init__(self, max_tokens: int, count_tokens: CountTokens) -> None:
        self.max_tokens = max_tokens
        self._count_tokens = count_tokens
        self._known: dict[str, int] = {}
        self._shortened: dict[_Trail, _Trail] = {}

    def learn(self, texts: Iterable[str]) -> None:
        known, longest = self._known, self.max_tokens * LONGEST
        unknown = [text for text in dict.fromkeys(texts) if text not in known and len(text) <= longest]
        for batch in _batches(unknown):
            for text, tokens in zip(batch, self._count_tokens(batch), strict=True):
                known[text] = max(tokens, self._least(text))

    def tokens(self, text: str) -> int:
        """The tokens of *text*; no more than that it does not fit where it is far too long."""
        known = self._known.get(text)
        if known is None:
            if self.far_too_long(text):
                return self._least(text)
            self.learn([text])
            known = self._known[text]
        return known

    def far_too_long(self, text: str) -> bool:
        return len(text) > self.max_tokens * LONGEST

    def _least(self, text: str) -> int:
        return -(-len(text) // LONGEST)

    def piece(self, piece: _Piece) -> int:
        """The tokens of *piece* where it begins a passage."""
        return self.tokens(piece.text) + (self.tokens(piece.header) if piece.header else 0)

    def size(self, section: _Section) -> int:
        return sum(self.tokens(piece.text) for piece in section.pieces)

    def room(self, trail: _Trail) -> int:
        """What *trail*, shortened if need be, leaves for the text."""
        return self.max_tokens - self.tokens(with_headings(self.shortened(trail), ""))

    def shortened(self, trail: _Trail) -> _Trail:
        """*trail*, or as much of it as takes no more than its share of a passage."""
        if trail not in self._shortened:
            share = self.max_tokens // _TRAIL_SHARE
            fits = (t for t in _ever_shorter(trail, most=share) if self.tokens(with_headings(t, "")) <= share)
            self._shortened[trail] = next(fits, ())
        return self._shortened[trail]


def _batches(texts: Iterable[str]) -> Iterator[list[str]]:
    """*texts* in runs that a tokenizer holds in little memory."""
    batch: list[str] = []
    cost = 0
    for text in texts:
        batch.append(text)
        cost += _TEXT_COST + len(text)
        if cost > _BATCH_COST:
            yield batch
            batch, cost = [], 0
    if batch:
        yield batch


def split(document: Document, *, max_tokens: int, count_tokens: CountTokens) -> tuple[Passage, ...]:
    """Cut *document* into passages of at most *max_tokens*, their heading trail included.

    A section that needs several passages gets them in even sizes. A tiny one is joined with the next
    under the same parent; their own headings then stand in the text. *count_tokens* is called a few
    times, with many texts. Only a single character that counts for too much by itself is left too long.
    """
    (passages,) = split_each([document], max_tokens=max_tokens, count_tokens=count_tokens)
    return passages


def split_each(
    documents: Sequence[Document], *, max_tokens: int, count_tokens: CountTokens
) -> Iterator[tuple[Passage, ...]]:
    """What `split` makes of each of *documents*, with hardly more calls of *count_tokens* than for a single one."""
    budget = _Budget(max_tokens, count_tokens)
    whole = [_sections(document.blocks) for document in documents]
    fitted = iter(_fitted([section for sections in whole for section in sections], budget))
    packed = [list(_in_passages(islice(fitted, len(sections)), budget)) for sections in whole]
    budget.learn(_model_text(section, budget) for sections in packed for section in sections)
    for sections in packed:
        settled = _settled(sections, budget)
        yield tuple(_passage(ordinal, section, budget) for ordinal, section in enumerate(settled))


def _in_passages(sections: Iterable[_Section], budget: _Budget) -> Iterator[_Section]:
    for section in _joined(sections, budget):
        yield from (replace(section, pieces=pieces) for pieces in _packed(section, budget))


def _passage(ordinal: int, section: _Section, budget: _Budget) -> Passage:
    return Passage(ordinal, section.place, budget.shortened(section.trail), section.text)


def _sections(blocks: Sequence[Block]) -> list[_Section]:
    trails: dict[_Trail, _Trail] = {}
    read = (_readable(block, trails) for block in blocks)
    written = [block for block in read if block.text.strip()]
    grouped = groupby(_led(written), key=lambda block: (block.headings, block.place.label))
    sections: list[_Section] = []
    read_to = 0
    for (trail, _), group in grouped:
        under = tuple(group)
        heading_at = under[0].heading_at
        if heading_at is not None and heading_at < read_to <= under[0].place.first:
            heading_at = None  # other text stands below the heading: where this goes on, it does not stand
        sections.append(_Section(trail, tuple(_pieces(under)), under[0].place, heading_at))
        read_to = under[-1].place.last
    return sections


def _led(blocks: list[Block]) -> list[Block]:
    """*blocks* with what leads under the heading of the first that does not."""
    follows = next((block for block in blocks if not block.leads), None)
    if follows is None:
        return blocks
    return [
        replace(block, headings=follows.headings, heading_at=follows.heading_at) if block.leads else block
        for block in blocks
    ]


def _readable(block: Block, trails: dict[_Trail, _Trail]) -> Block:
    """*block* without words that the models would not see, each heading on a line without a blank too many.

    A heading that is blank falls away. *trails* keeps those that were evened before.
    """
    trail = block.headings
    if trail not in trails:
        evened = (readable(" ".join(heading.split())) for heading in trail)
        trails[trail] = tuple(heading for heading in evened if heading)
    return replace(block, text=readable(block.text), headings=trails[trail])


def _pieces(blocks: Sequence[Block]) -> Iterator[_Piece]:
    """Blocks on neighbouring lines, such as list items, stay on neighbouring lines; so do the rows of a table, each of
    which may be a block, under the same header."""
    previous: Block | None = None
    for block in blocks:
        place = block.place
        touches = place.unit in _COUNTED_BY_LINE and previous is not None and place.first == previous.place.last + 1
        gap = "\n" if touches else _PARAGRAPH_GAP
        exact = place.unit in _COUNTED_BY_LINE and block.text.count("\n") == place.last - place.first
        header = block.header if touches and previous and previous.header == block.header else ""
        yield _Piece(block.text, gap, place.first, place.last, exact, header, repeats=block.header)
        previous = block


def _fitted(sections: list[_Section], budget: _Budget) -> list[_Section]:
    """Cut what no passage could hold: at sentences, at lines, at words, and at last within words.

    Within words it takes the count of tokens; what is too long to be counted is first cut by its length.
    """
    trails = {trail for section in sections for trail in (section.trail, section.trail[:-1])}
    pieces = [piece for section in sections for piece in section.pieces]
    texts = (text for piece in pieces for text in (piece.text, piece.repeats))
    budget.learn([*(with_headings(trail, "") for trail in sorted(trails)), *texts])
    sections = [replace(section, pieces=tuple(_spared(section.pieces, budget))) for section in sections]
    for finer in (_at_sentences, _at(_LINE_END), _at(_WORD_END), _countable, _within_words):
        if all(_fits(section, budget) for section in sections):
            break
        sections = [replace(section, pieces=tuple(_finer_pieces(section, finer, budget))) for section in sections]
        budget.learn(piece.text for section in sections for piece in section.pieces)
    return sections


def _spared(pieces: Iterable[_Piece], budget: _Budget) -> Iterator[_Piece]:
    """*pieces*, those without what they would repeat that it would crowd out."""
    for piece in pieces:
        crowds = budget.tokens(piece.repeats) * _TRAIL_SHARE > budget.max_tokens
        yield piece._replace(header="", repeats="") if crowds else piece


def _fits(section: _Section, budget: _Budget) -> bool:
    room = budget.room(section.trail)
    return all(budget.piece(piece) <= room for piece in section.pieces)


_Finer = Callable[[_Piece, _Budget, float], Iterator[_Piece]]


def _finer_pieces(section: _Section, finer: _Finer, budget: _Budget) -> Iterator[_Piece]:
    room = budget.room(section.trail)
    for piece in section.pieces:
        tokens = budget.piece(piece)
        if tokens > room:
            yield from finer(piece, budget, room / tokens)
        else:
            yield piece


def _at(boundary: re.Pattern[str]) -> _Finer:
    return lambda piece, *_: piece.cut(found.span() for found in boundary.finditer(piece.text))


def _at_sentences(piece: _Piece, *_: object) -> Iterator[_Piece]:
    """A row of a table stays whole, whatever sentences its cells hold."""
    return iter((piece,)) if piece.repeats else piece.cut(found.span() for found in SENTENCE_END.finditer(piece.text))


def _countable(piece: _Piece, budget: _Budget, _: float) -> Iterator[_Piece]:
    return _evenly(piece, budget.max_tokens) if budget.far_too_long(piece.text) else iter((piece,))


def _within_words(piece: _Piece, _: _Budget, share: float) -> Iterator[_Piece]:
    """Half of what the *share* allows: tokens are not spread evenly over a text."""
    return _evenly(piece, int(len(piece.text) * share / 2))


def _evenly(piece: _Piece, length: int) -> Iterator[_Piece]:
    length = max(1, length)
    return piece.cut((at, at) for at in range(length, len(piece.text), length))


def _joined(sections: Iterable[_Section], budget: _Budget) -> list[_Section]:
    joined: list[_Section] = []
    for section in sections:
        both = _both(joined[-1], section, budget) if joined else None
        if both:
            joined[-1] = both
        else:
            joined.append(section)
    return joined


def _both(first: _Section, second: _Section, budget: _Budget) -> _Section | None:
    """The two in one passage, if *first* is tiny and *second* its child or its sibling."""
    parent = second.trail[:-1]
    if not parent or parent not in (first.trail, first.trail[:-1]) or first.origin.label != second.origin.label:
        return None
    if budget.size(first) * _TINY_SHARE >= budget.max_tokens:
        return None
    both = _Section(parent, (*_headed(first, parent), *_headed(second, parent)), first.origin)
    return both if budget.size(both) <= budget.room(parent) else None


def _headed(section: _Section, parent: _Trail) -> tuple[_Piece, ...]:
    """The section's pieces, below its heading unless this is the parent's or begins the text anyway."""
    heading = " > ".join(section.trail[len(parent) :])
    first, *rest = section.pieces
    if not heading or _begins_with(first.text.lstrip(), heading):
        return section.pieces
    stands = first.first if section.heading_at is None else section.heading_at
    line = _Piece(heading, _PARAGRAPH_GAP, stands, stands, exact=True)
    return (line, first._replace(gap="\n"), *rest)


def _begins_with(text: str, words: str) -> bool:
    """Whether *words* open *text* and end there with a word of it."""
    after = text[len(words) : len(words) + 1]
    return text.startswith(words) and not (after.isalnum() or after == "_")


def _packed(section: _Section, budget: _Budget) -> Iterator[tuple[_Piece, ...]]:
    """The section's pieces in as few passages as can be, and these as even as can be."""
    sizes = [(budget.tokens(piece.text), budget.piece(piece)) for piece in section.pieces]
    high = budget.room(section.trail)
    fewest = len(_ends(sizes, high))
    low = sum(size for size, _ in sizes) // fewest
    while low < high:  # the smallest capacity that needs no more passages
        middle = (low + high) // 2
        if len(_ends(sizes, middle)) > fewest:
            low = middle + 1
        else:
            high = middle
    start = 0
    for end in _ends(sizes, high):
        yield section.pieces[start:end]
        start = end


def _ends(sizes: Sequence[tuple[int, int]], capacity: int) -> list[int]:
    """Where each passage ends if every one takes what *capacity* lets it; of each piece its size within one and at
    the beginning of one."""
    ends, filled = [], 0
    for at, (within, beginning) in enumerate(sizes):
        if not at or filled + within > capacity:
            ends.append(at)
            filled = beginning
        else:
            filled += within
    return [*ends[1:], len(sizes)]


def _settled(sections: list[_Section], budget: _Budget) -> list[_Section]:
    """Count whole passages, since tokens need not add up, and halve those that exceed until none does."""
    while True:
        texts = [_model_text(section, budget) for section in sections]
        budget.learn(texts)
        halved = [
            half
            for section, text in zip(sections, texts, strict=True)
            for half in (section.halves() if budget.tokens(text) > budget.max_tokens else (section,))
        ]
        if halved == sections:  # or what exceeds is a single character
            return halved
        sections = halved


def _model_text(section: _Section, budget: _Budget) -> str:
    return with_headings(budget.shortened(section.trail), section.text)


def _halves(piece: _Piece) -> tuple[_Piece, ...]:
    if len(piece.text) < 2:
        return (piece,)
    middle = len(piece.text) // 2
    spaces = [found.span() for found in _WORD_END.finditer(piece.text)]
    nearest = min(spaces, key=lambda span: abs(span[0] - middle), default=(middle, middle))
    return tuple(piece.cut([nearest]))


def _ever_shorter(trail: _Trail, *, most: int) -> Iterator[_Trail]:
    """First the headings between title and innermost go, then the title, then words at the end.

    More than *most* headings are too many whatever they say.
    """
    for first in range(max(1, len(trail) - most), max(2, len(trail))):
        yield (*trail[:1], *trail[first:])
    words = trail[-1].split() if trail else []
    while words:
        yield (" ".join(words),)
        words = words[: len(words) // 2]
    yield ()
