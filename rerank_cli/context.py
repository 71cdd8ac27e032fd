"""From ranked hits to what fits a reader's window: the best passages within a budget of tokens, each cited.

The tokens are those of the whole text that is handed over, with its citations and its markup. Tokens of parts need not
add up to those of the whole, so the whole is counted, and what is counted is what is handed over.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, groupby

from rerank_cli.config import Settings
from rerank_cli.corpus.split import CountTokens
from rerank_cli.duplicates import similar_to
from rerank_cli.errors import UsageError
from rerank_cli.excerpts import Excerpt, Part, marked_up, said
from rerank_cli.queries import Query
from rerank_cli.records import ContextOrder, ContextStyle, Hit
from rerank_cli.retrieval import CROWDING
from rerank_cli.sentences import sentence_spans
from rerank_cli.snippets import WORD, stem

NOTHING = "Nothing in the indexed documents answers this."
TOO_LITTLE_ROOM = "What answers this does not fit in {max_tokens} tokens."

AT_ONCE = 16
"""Passages whose tokens are counted in one go: about as many as fill a window."""


@dataclass(frozen=True, slots=True)
class Window:
    """How much a reader takes, in which form, and in which order; no passage with a score below *min_score*."""

    max_tokens: int = 2000
    style: ContextStyle = "markdown"
    order: ContextOrder = "best-first"
    min_score: float | None = None


DEFAULT_WINDOW = Window()


def window_of(settings: Settings) -> Window:
    """What *settings* say of a reader's window."""
    return Window(
        max_tokens=settings.max_tokens,
        style=settings.context_style,
        order=settings.order,
        min_score=settings.min_score,
    )


@dataclass(frozen=True, slots=True)
class Context:
    """What a reader is handed: `text` of so many `tokens`, and the excerpts in it, in their order there.

    Without excerpts the text says why there are none. `partial` where the reranker ran out of time.
    """

    text: str
    tokens: int
    excerpts: tuple[Excerpt, ...] = ()
    partial: bool = False

    @property
    def documents(self) -> frozenset[str]:
        """The ids of the documents that the excerpts come from."""
        return frozenset(excerpt.document_id for excerpt in self.excerpts)


def fit_context(
    hits: Sequence[Hit],
    *,
    words: Sequence[str],
    window: Window,
    count_tokens: CountTokens,
    asked: Query | None = None,
) -> Context:
    """The best of *hits*, which are in final order, that fit *window*.

    Passages stand `by_claim`; one that nearly repeats a better one is left out. They are taken whole as long as they
    fit. Of the first that does not, the sentences are kept that fit and have most of *words*, and that ends the
    context; one of which no sentence fits is passed over. *asked* is named above all, where a reader gets several.

    Raises:
        UsageError: not even the sentence that says why there is nothing fits.
    """
    parts = distinct(by_claim([hit for hit in hits if _is_good_enough(hit, window.min_score)]))
    printout = _Printout(window, count_tokens, asked)
    kept = _kept(parts, printout, words) if parts else []
    if kept:
        return printout.context(kept)
    return printout.message(TOO_LITTLE_ROOM.format(max_tokens=window.max_tokens) if parts else NOTHING)


def by_claim(hits: Sequence[Hit]) -> list[Hit]:
    """*hits*, which are in final order, by their score, less `CROWDING` for each better one of the same document.

    So they became candidates too. A long document leaves room for others, and yet may answer in several places.
    """
    seen: Counter[str] = Counter()
    claims: list[float] = []
    for hit in hits:
        claims.append(hit.order_score - CROWDING * seen[hit.document_id])
        seen[hit.document_id] += 1
    return [hits[at] for at in sorted(range(len(hits)), key=lambda at: -claims[at])]


def distinct(hits: Sequence[Hit]) -> list[Part]:
    """The passages of *hits* that do not nearly repeat a better one, each with the number of those that repeat it."""
    originals = similar_to([hit.text for hit in hits])
    counted = Counter(originals)
    return [Part(hits[at], hits[at].text.strip(), counted[at] - 1) for at in dict.fromkeys(originals)]


def _is_good_enough(hit: Hit, min_score: float | None) -> bool:
    return min_score is None or (hit.score is not None and hit.score >= min_score)


class _Printout:
    """What is handed over if some passages are, and what it counts."""

    def __init__(self, window: Window, count_tokens: CountTokens, asked: Query | None) -> None:
        self._window = window
        self._asked = asked
        self._count_tokens = count_tokens
        self._known: dict[str, int] = {}

    def context(self, parts: Sequence[Part]) -> Context:
        """All that is handed over with *parts*, which are best first."""
        excerpts = _ordered(_merged(parts), self._window.order)
        text = marked_up(excerpts, style=self._window.style, asked=self._asked)
        (tokens,) = self.tokens([text])
        return Context(text, tokens, tuple(excerpts))

    def room(self, parts: Sequence[Part]) -> int:
        """The tokens that are left beside *parts*; below 0 if they are too many."""
        return self._window.max_tokens - self.context(parts).tokens

    def costs(self, parts: Sequence[Part]) -> list[int]:
        """About what each of *parts* takes."""
        return self.tokens([marked_up([Excerpt((part,))], style=self._window.style) for part in parts])

    def tokens(self, texts: Sequence[str]) -> list[int]:
        """The tokens in each of *texts*, which are counted once."""
        unknown = [text for text in dict.fromkeys(texts) if text not in self._known]
        if unknown:
            self._known.update(zip(unknown, self._count_tokens(unknown), strict=True))
        return [self._known[text] for text in texts]

    def message(self, message: str) -> Context:
        text = said(message, style=self._window.style, asked=self._asked)
        (tokens,) = self.tokens([text])
        if tokens > self._window.max_tokens:
            raise UsageError(
                f"max_tokens {self._window.max_tokens} has no room for the words {message!r}",
                remedy="allow more with --max-tokens",
            )
        return Context(text, tokens)


def _kept(parts: Sequence[Part], printout: _Printout, words: Sequence[str]) -> list[Part]:
    kept: list[Part] = []
    costs: list[int] = []
    room = printout.room(kept)
    place = 0
    while place < len(parts):
        if place == len(costs):
            costs += printout.costs(parts[place : place + AT_ONCE])
        many = _fitting(parts[place:], costs[place:], kept, room, printout)
        if many:
            kept += parts[place : place + many]
            room = printout.room(kept)
            place += many
            continue
        for shortened in _shortened(parts[place], room, printout, words):
            if printout.room([*kept, shortened]) >= 0:
                return [*kept, shortened]
        place += 1
    return kept


def _fitting(parts: Sequence[Part], costs: Sequence[int], kept: Sequence[Part], room: int, printout: _Printout) -> int:
    """How many of *parts* fit beside those *kept*: by their costs, and if the whole is too long, fewer."""
    many = sum(total <= room for total in accumulate(costs))
    while many and printout.room([*kept, *parts[:many]]) < 0:
        many //= 2
    return many


# Sentences


def _shortened(part: Part, room: int, printout: _Printout, words: Sequence[str]) -> Iterator[Part]:
    """Runs of the part's sentences that may fit into *room*, those with most of *words* first, then the longest."""
    text = part.text
    spans = sentence_spans(text)
    (citation,) = printout.costs([replace(part, text="…")])
    sizes = printout.tokens([text[start:end] for start, end in spans])
    wanted = {stem(word) for word in words}
    runs = []
    for first in range(len(spans)):
        last, left = first, room - citation
        while last < len(spans) and sizes[last] <= left:
            left -= sizes[last]
            last += 1
        if last > first:
            found = {stem(word) for word in WORD.findall(text[spans[first][0] : spans[last - 1][1]])}
            runs.append((-len(wanted & found), first - last, first, last))
    for _, _, first, last in sorted(runs):
        for end in range(last, first, -1):
            yield replace(part, text=_marked(text, spans, first, end))


def _marked(text: str, spans: Sequence[tuple[int, int]], first: int, end: int) -> str:
    """The sentences from *first* to before *end*, with a mark for those that are left out."""
    before, after = "… " if first else "", " …" if end < len(spans) else ""
    return f"{before}{text[spans[first][0] : spans[end - 1][1]]}{after}"


# Excerpts


def _merged(parts: Sequence[Part]) -> list[Excerpt]:
    """*parts*, best first, as excerpts of neighbours, best first by the best of each."""
    ranks = {id(part): rank for rank, part in enumerate(parts)}
    in_reading_order = sorted(parts, key=lambda part: (*_document(part), _ordinal(part)))
    runs = groupby(enumerate(in_reading_order), key=lambda at: (*_document(at[1]), _ordinal(at[1]) - at[0]))
    excerpts = [Excerpt(tuple(part for _, part in run)) for _, run in runs]
    return sorted(excerpts, key=lambda excerpt: min(ranks[id(part)] for part in excerpt.parts))


def _document(part: Part) -> tuple[str, str, str, str]:
    """What neighbours have in common: places of one kind in one document of one file."""
    place = part.hit.place
    return part.hit.document_id, part.hit.path, place.unit, place.label


def _ordinal(part: Part) -> int:
    return part.hit.candidate.stored.passage.ordinal


def _ordered(excerpts: list[Excerpt], order: ContextOrder) -> list[Excerpt]:
    """*excerpts*, best first, in *order*.

    A model uses best what stands at either end of a long context, and least what stands in its middle (Liu et al.,
    2024). So `edges` puts the best first, the second last, and so on inwards.
    """
    return excerpts if order == "best-first" else [*excerpts[::2], *excerpts[1::2][::-1]]
