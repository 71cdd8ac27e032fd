"""The first stage: from a query to candidates, by meaning (dense), by words (lexical), or by both."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rerank_cli.arrays import Vectors
from rerank_cli.errors import ModelError, UsageError
from rerank_cli.ports import EVERYTHING, Encoder, Filter, Index, Origin, PassageId, Ranking
from rerank_cli.records import Candidate, Listed, Retriever
from rerank_cli.words import STOP_WORDS, identifiers, parts, readable

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

HEAD = 2
"""So many times as many of the best passages as are wanted are looked at first: few documents have so many of them."""


@dataclass(frozen=True, slots=True)
class CandidateList:
    """One ranking of the first stage: its `scale` makes logits of its scores.

    A passage that it lacks is taken for one with the score `floor`.
    """

    name: str
    ranking: Ranking
    scale: float
    floor: float

    def listed(self, chosen: Collection[PassageId]) -> dict[PassageId, Listed]:
        """Where each of the *chosen* passages stands, if the list has it."""
        ranked = enumerate(self.ranking, start=1)
        return {passage: Listed(rank, score) for rank, (passage, score) in ranked if passage in chosen}


def retrieve(
    index: Index,
    query: str,
    *,
    encoder: Encoder | None,
    retriever: Retriever,
    top_k: int,
    within: Filter = EVERYTHING,
    without: Collection[PassageId] = (),
    list_depth: int = LIST_DEPTH,
    exact: bool = False,
) -> tuple[Candidate, ...]:
    """The best *top_k* passages by the first stage, out of those *within* but for those of *without*.

    A search reads each list to `LIST_DEPTH`; another *list_depth* is for looking further down, and *exact* for
    looking past a graph.

    *encoder* may be None for the lexical retriever alone.

    Raises:
        UsageError: *top_k* is out of range.
        ModelError: the encoder gave no vector of the index's kind.
    """
    if not 1 <= top_k <= list_depth:
        raise UsageError(f"top_k is {top_k}", remedy=f"choose from 1 to {list_depth}")
    names = LISTS_OF[retriever]
    vector = None
    if DENSE in names:
        assert encoder is not None, "dense retrieval needs an encoder"
        vector = _query_vector(index, encoder, query)
    asked = Asked(index, query, vector, list_depth, within, exact, frozenset(without))
    lists = [LISTS[name](asked) for name in names]
    openings: Mapping[PassageId, float] = {}
    if vector is not None:
        openings = index.opening_cosines(vector, [passage for each in lists for passage, _ in each.ranking])
    return _candidates(index, lists, openings, top_k=top_k)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a list is asked: a query over an index. `vector` is None where no list of the retriever needs it."""

    index: Index
    query: str
    vector: Vectors | None
    depth: int
    within: Filter
    exact: bool
    without: frozenset[PassageId] = frozenset()

    @property
    def depth_with_all(self) -> int:
        """How deep to search so that `left` has enough."""
        return self.depth + len(self.without)

    def left(self, ranking: Ranking) -> Ranking:
        """The first `depth` of *ranking* that may be found."""
        return [row for row in ranking if row[0] not in self.without][: self.depth]


def _dense(asked: Asked) -> CandidateList:
    assert asked.vector is not None
    found = asked.index.search_dense(asked.vector, asked.depth_with_all, within=asked.within, exact=asked.exact)
    return dense_list(asked.left(found))


def _lexical(asked: Asked) -> CandidateList:
    found = asked.index.search_lexical(query_words(asked.query), asked.depth_with_all, within=asked.within)
    return lexical_list(asked.left(found), asked.depth)


DENSE, LEXICAL = "dense", "lexical"

LISTS: dict[str, Callable[[Asked], CandidateList]] = {DENSE: _dense, LEXICAL: _lexical}
"""Every list of the first stage by its name."""

LISTS_OF: dict[Retriever, tuple[str, ...]] = {
    "hybrid": (DENSE, LEXICAL),
    "dense": (DENSE,),
    "lexical": (LEXICAL,),
}
"""The lists of each retriever."""


def dense_list(ranking: Ranking) -> CandidateList:
    """Passages by their cosine, which says by itself how near they are; one that is not there is at most as near."""
    return CandidateList(DENSE, ranking, scale=COSINE_SCALE, floor=ranking[-1][1] if ranking else 0.0)


def lexical_list(ranking: Ranking, depth: int) -> CandidateList:
    """Passages by their BM25, which grows with the query's words, so only its share of the query's best says anything.

    A list that is shorter than *depth* ends with the last passage that has a word of the query.
    """
    best = max(ranking[0][1] if ranking else 0.0, LEAST_BEST_BM25)
    floor = ranking[-1][1] if len(ranking) >= depth else 0.0
    return CandidateList(LEXICAL, ranking, scale=WORDS_SCALE / best, floor=floor)


def _query_vector(index: Index, encoder: Encoder, query: str) -> Vectors:
    dimensions = index.manifest.recipe.dimensions
    vectors = encoder.encode_queries([query])
    if vectors.shape != (1, dimensions) or not np.isfinite(vectors).all():
        raise ModelError(
            f"{encoder.fingerprint}: the encoder gave no vector of {dimensions} finite numbers",
            remedy="check the model",
        )
    vector: Vectors = vectors[0]
    return vector


def query_words(query: str) -> list[str]:
    """The words to look for, each once, in their order; stop words only where there is nothing else."""
    # NFC, since an accent of its own is no letter to \w; no casefold, since FTS5 keeps the ß that it would undo.
    text = unicodedata.normalize("NFC", readable(query))
    within = (part for name in identifiers(text) for part in parts(name))
    words = list(dict.fromkeys(word.lower() for word in (*re.findall(r"\w+", text), *within)))
    telling = [word for word in words if word not in STOP_WORDS]
    return telling or words


def fused_scores(lists: Sequence[CandidateList], openings: Mapping[PassageId, float]) -> dict[PassageId, float]:
    """Each passage of any list with its score, on the scale of logits. Of dense and lexical lists that is

        20 x cosine + 3 x cosine of its document's opening passage + 6 x BM25 / the query's best BM25

    A passage that a list lacks gets no more than the last that it has. Without a dense list *openings* is empty.
    """
    scores = {passage: OPENING_SCALE * openings.get(passage, 0.0) for each in lists for passage, _ in each.ranking}
    for each in lists:
        own, scale, floor = dict(each.ranking).get, each.scale, each.floor
        scores = {passage: score + scale * own(passage, floor) for passage, score in scores.items()}
    return scores


def _candidates(
    index: Index, lists: Sequence[CandidateList], openings: Mapping[PassageId, float], *, top_k: int
) -> tuple[Candidate, ...]:
    scores = fused_scores(lists, openings)
    chosen = _spread(index, scores, top_k=top_k)
    stored = index.read(chosen)
    listed = {each.name: each.listed(stored) for each in lists}
    return tuple(
        Candidate(
            stored=stored[passage],
            rank=rank,
            score=scores[passage],
            lists={name: places[passage] for name, places in listed.items() if passage in places},
            opening_score=openings.get(passage),
        )
        for rank, passage in enumerate(chosen, start=1)
    )


def _spread(index: Index, scores: Mapping[PassageId, float], *, top_k: int) -> list[PassageId]:
    """The best *top_k* passages by their claim: the score, less `CROWDING` for each better one of the same document.

    Between equal ones the document, the ordinal and the path decide, which no order of indexing changes. A claim is no
    more than its score, so the rest of the passages is not looked at once the next score is below all that is chosen.
    """
    best_first = sorted(scores, key=scores.__getitem__, reverse=True)
    size = 0
    while True:
        size = min(len(best_first), max(2 * size, HEAD * top_k))
        while size < len(best_first) and scores[best_first[size]] == scores[best_first[size - 1]]:
            size += 1
        origins = index.origins(best_first[:size])
        claims = _claims(scores, origins)
        chosen = sorted(claims, key=lambda passage: (-claims[passage], origins[passage]))[:top_k]
        if size == len(best_first) or claims[chosen[-1]] > scores[best_first[size]]:
            return chosen


def _claims(scores: Mapping[PassageId, float], origins: Mapping[PassageId, Origin]) -> dict[PassageId, float]:
    seen: Counter[str] = Counter()
    claims: dict[PassageId, float] = {}
    for passage in sorted(origins, key=lambda passage: (-scores[passage], origins[passage])):
        document = origins[passage].document_id
        claims[passage] = scores[passage] - CROWDING * seen[document]
        seen[document] += 1
    return claims
