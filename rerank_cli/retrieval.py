"""The first stage: from a query to candidates, by meaning (dense), by words (lexical), or by both."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from rerank_cli.config import Retriever
from rerank_cli.errors import UsageError
from rerank_cli.records import Candidate, Encoder, StoredPassage
from rerank_cli.store import IndexReader, Ranking

LIST_DEPTH = 1000
"""Each list is read this deep whatever top_k is, so that a smaller top_k gives the head of a larger one."""

RRF_K = 60
"""The constant of reciprocal rank fusion as published."""

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
    if retriever != "lexical":
        assert encoder is not None, "dense retrieval needs an encoder"
        dense = index.search_dense(encoder.encode_queries([query])[0], list_depth, within=within)
    if retriever != "dense":
        lexical = index.search_lexical(query_words(query), list_depth, within=within)
    return _candidates(index, dense, lexical, fused=retriever == "hybrid", top_k=top_k)


def query_words(query: str) -> list[str]:
    """The words to look for, each once, in their order; stop words only where there is nothing else."""
    # NFC, since an accent of its own is no letter to \w; no casefold, since FTS5 keeps the ß that it would undo.
    words = list(dict.fromkeys(re.findall(r"\w+", unicodedata.normalize("NFC", query).lower())))
    telling = [word for word in words if word not in STOP_WORDS]
    return telling or words


def reciprocal_rank(rank: int | None) -> float:
    """A list's share in reciprocal rank fusion (Cormack, Clarke and Büttcher, 2009): 1 / (60 + rank)."""
    return 0.0 if rank is None else 1.0 / (RRF_K + rank)


def _candidates(
    index: IndexReader, dense: Ranking, lexical: Ranking, *, fused: bool, top_k: int
) -> tuple[Candidate, ...]:
    dense_places = {passage: (rank, score) for rank, (passage, score) in enumerate(dense, start=1)}
    lexical_places = {passage: (rank, score) for rank, (passage, score) in enumerate(lexical, start=1)}
    scores = dict(dense or lexical)
    if fused:
        scores = {
            passage: reciprocal_rank(dense_places.get(passage, (None,))[0])
            + reciprocal_rank(lexical_places.get(passage, (None,))[0])
            for passage in {**dense_places, **lexical_places}
        }
    best = sorted(scores.items(), key=lambda row: -row[1])
    if len(best) > top_k:
        best = [row for row in best if row[1] >= best[top_k - 1][1]]
    stored = index.read([passage for passage, _ in best])
    best.sort(key=lambda row: (-row[1], _place(stored[row[0]])))
    return tuple(
        Candidate(
            stored=stored[passage],
            rank=rank,
            score=score,
            dense_rank=dense_places.get(passage, (None, None))[0],
            dense_score=dense_places.get(passage, (None, None))[1],
            lexical_rank=lexical_places.get(passage, (None, None))[0],
            lexical_score=lexical_places.get(passage, (None, None))[1],
        )
        for rank, (passage, score) in enumerate(best[:top_k], start=1)
    )


def _place(stored: StoredPassage) -> tuple[str, int, str]:
    """What decides between equal scores. The path comes last: two files may give documents of one id."""
    return stored.document_id, stored.passage.ordinal, stored.path
