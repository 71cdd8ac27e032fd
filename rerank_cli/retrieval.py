"""The first stage: from a query to candidates, by meaning (dense), by words (lexical), or by both."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from rerank_cli.config import Retriever
from rerank_cli.errors import UsageError
from rerank_cli.records import Candidate, Encoder
from rerank_cli.store import IndexReader, Origin, Ranking

LIST_DEPTH = 1000
"""Each list is read this deep whatever top_k is, so that a smaller top_k gives the head of a larger one."""

COSINE_SCALE = 20.0
"""Logits to a cosine: what sentence-transformers multiplies cosines by when it trains an encoder by softmax."""

OPENING_SCALE = 3.0
"""Logits to the cosine of a document's opening passage, which tells what the whole is about."""

WORDS_SCALE = 6.0
"""Logits to the query's best BM25. Documentation is ordered best with 5 or 6, abstracts with 6 to 8."""

LEAST_BEST_BM25 = 1.0
"""Where no passage has as much, the query's words stand nearly everywhere and tell little."""

CROWDING = 0.6
"""Logits that each better passage of its document takes from a passage's claim to be a candidate.

It is no bar: a document that holds many of the best passages still brings many.
"""

STOP_WORDS = frozenset(
    "a an and are as at be been being but by can could did do does doing for from had has have having he her "
    "hers him his how i if in into is it its me my no nor not of on or our ours she should so some such than "
    "that the their theirs them then there these they this those to too us was we were what when where which "
    "while who whom why will with would you your yours".split()
)
"""English words that stand in most passages: BM25 gives them next to no weight and they cost the most."""


def retrieve(
    index: IndexReader,
    query: str,
    *,
    encoder: Encoder | None,
    retriever: Retriever,
    top_k: int,
    accept_path: Callable[[str], bool] | None = None,
    list_depth: int = LIST_DEPTH,
) -> tuple[Candidate, ...]:
    """The best *top_k* passages by the first stage. *accept_path* filters before the cut.

    A search reads each list to `LIST_DEPTH`; another *list_depth* is for looking further down.

    *encoder* may be None for the lexical retriever alone.

    Raises:
        UsageError: *top_k* is out of range.
    """
    if not 1 <= top_k <= list_depth:
        raise UsageError(f"top_k is {top_k}", remedy=f"choose from 1 to {list_depth}")
    within = None if accept_path is None else index.passages_in(accept_path)
    dense: Ranking = []
    lexical: Ranking = []
    openings: Mapping[int, float] = {}
    if retriever != "dense":
        lexical = index.search_lexical(query_words(query), list_depth, within=within)
    if retriever != "lexical":
        assert encoder is not None, "dense retrieval needs an encoder"
        vector = encoder.encode_queries([query])[0]
        dense = index.search_dense(vector, list_depth, within=within)
        openings = index.opening_cosines(vector, [passage for passage, _ in (*dense, *lexical)])
    scores = fused_scores(dense, lexical, openings, depth=list_depth)
    return _candidates(index, scores, dense, lexical, openings, top_k=top_k)


def query_words(query: str) -> list[str]:
    """The words to look for, each once, in their order; stop words only where there is nothing else."""
    # NFC, since an accent of its own is no letter to \w; no casefold, since FTS5 keeps the ß that it would undo.
    words = list(dict.fromkeys(re.findall(r"\w+", unicodedata.normalize("NFC", query).lower())))
    telling = [word for word in words if word not in STOP_WORDS]
    return telling or words


def fused_scores(dense: Ranking, lexical: Ranking, openings: Mapping[int, float], *, depth: int) -> dict[int, float]:
    """Each passage of either list with its score, on the scale of logits:

        20 x cosine + 3 x cosine of its document's opening passage + 6 x BM25 / the query's best BM25

    A cosine says by itself how near a passage is. BM25 grows with the query's words, so only its share of the
    query's best says anything. A passage that a list of *depth* lacks gets no more than its last has: of a dense
    list that cosine, of a lexical one that BM25, or none where the list ends with the last passage that has a word
    of the query. Without a dense list *openings* is empty.
    """
    farthest = dense[-1][1] if dense else 0.0
    least = lexical[-1][1] if len(lexical) >= depth else 0.0
    best = max(lexical[0][1] if lexical else 0.0, LEAST_BEST_BM25)
    cosines, bm25 = dict(dense), dict(lexical)
    return {
        passage: COSINE_SCALE * cosines.get(passage, farthest)
        + OPENING_SCALE * openings.get(passage, 0.0)
        + WORDS_SCALE * bm25.get(passage, least) / best
        for passage in {**cosines, **bm25}
    }


def _candidates(
    index: IndexReader,
    scores: Mapping[int, float],
    dense: Ranking,
    lexical: Ranking,
    openings: Mapping[int, float],
    *,
    top_k: int,
) -> tuple[Candidate, ...]:
    chosen = _spread(scores, index.origins(list(scores)))[:top_k]
    stored = index.read(chosen)
    dense_places = {passage: (rank, score) for rank, (passage, score) in enumerate(dense, start=1)}
    lexical_places = {passage: (rank, score) for rank, (passage, score) in enumerate(lexical, start=1)}
    return tuple(
        Candidate(
            stored=stored[passage],
            rank=rank,
            score=scores[passage],
            dense_rank=dense_places.get(passage, (None, None))[0],
            dense_score=dense_places.get(passage, (None, None))[1],
            opening_score=openings.get(passage),
            lexical_rank=lexical_places.get(passage, (None, None))[0],
            lexical_score=lexical_places.get(passage, (None, None))[1],
        )
        for rank, passage in enumerate(chosen, start=1)
    )


def _spread(scores: Mapping[int, float], origins: Mapping[int, Origin]) -> Sequence[int]:
    """Passages by their claim: the score, less `CROWDING` for each better passage of the same document.

    Between equal ones the document, the ordinal and the path decide, which no order of indexing changes.
    """
    best_first = sorted(scores, key=lambda passage: (-scores[passage], origins[passage]))
    seen: Counter[str] = Counter()
    claims: dict[int, float] = {}
    for passage in best_first:
        document = origins[passage].document_id
        claims[passage] = scores[passage] - CROWDING * seen[document]
        seen[document] += 1
    return sorted(scores, key=lambda passage: (-claims[passage], origins[passage]))
