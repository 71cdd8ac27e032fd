"""From pairs, or from an index with judgements, to groups to train on and questions to validate on."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rerank_cli.errors import InputError, UsageError
from rerank_cli.evaluation.figures.measures import relevant_documents
from rerank_cli.evaluation.inputs.collection import Collection, JudgedQuery
from rerank_cli.ports import Encoder, Index
from rerank_cli.records import Candidate, Listener, Progress, ignore_progress
from rerank_cli.retrieval import LIST_DEPTH, retrieve
from rerank_cli.search import check_query
from rerank_cli.training.groups import POSITIVE, Group
from rerank_cli.training.pairs import Pair
from rerank_cli.training.slices import LEAST_TRAINED, hold_out, query_key
from rerank_cli.training.validation import Question

DEPTH = 100
"""Negatives are drawn from the ranks 1 to 100: those further down are easy."""

HELD_OUT_NEGATIVES = 29
"""Of a held-out pair, where its pool has as many: nDCG@10 says little about fewer passages than it reads."""

ENCODED_AT_ONCE = 256
RANKED_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class Mining:
    """How negatives and soft targets are drawn from the first stage.

    `bands` gives (first rank, last rank, how many) for each depth drawn from. A negative whose
    cosine exceeds `ceiling` times the positive's plus `slack` is a likely false negative and is
    left out (after Moreira et al., 2024, NV-Retriever: positive-aware mining).
    """

    bands: tuple[tuple[int, int, int], ...] = ((1, 8, 2), (9, 40, 2), (41, 100, 1))
    ceiling: float = 1.05
    slack: float = 0.02
    cosine_temperature: float = 0.05
    bm25_weight: float = 0.2
    teacher_share: float = 0.0
    """Share of the soft target in the mixture with the label."""
    seed: int = 17

    @property
    def negatives(self) -> int:
        """How many each query gets."""
        return sum(wanted for _, _, wanted in self.bands)


@dataclass(frozen=True, slots=True)
class Mined:
    """What to train on, what to validate on, and how many queries were left out, by the reason."""

    groups: tuple[Group, ...]
    questions: tuple[Question, ...]
    left_out: Mapping[str, int]

    @property
    def trained_queries(self) -> int:
        return len({group.query for group in self.groups})

    def less(self, groups: tuple[Group, ...], questions: tuple[Question, ...], *, reason: str) -> Mined:
        """What is left with these *groups* and *questions* alone, the others left out for *reason*.

        Raises:
            InputError: it is too little.
        """
        gone = len(self.groups) - len(groups) + len(self.questions) - len(questions)
        return _checked(Mined(groups, questions, {**self.left_out, reason: gone} if gone else self.left_out))


def spread_bands(negatives: int) -> tuple[tuple[int, int, int], ...]:
    """Bands for so many negatives: two fifths from the ranks 1 to 8, two from 9 to 40, the rest from 41 to 100."""
    near = (2 * negatives + 4) // 5
    middle = min(near, negatives - near)
    bands = ((1, 8, near), (9, 40, middle), (41, DEPTH, negatives - near - middle))
    return tuple(band for band in bands if band[2])


# From pairs


def mine_pairs(
    pairs: Sequence[Pair],
    *,
    encoder: Encoder,
    negatives: int,
    teacher_share: float,
    share: float,
    seed: int,
    device: str = "cpu",
    listener: Listener = ignore_progress,
) -> Mined:
    """Split *pairs* by query, then give both slices negatives.

    The negatives of the training slice come from its own passages, those of the held-out one from all. Pairs that
    bring a teacher's scores keep to the passages that these are of.

    Raises:
        InputError: there are too few queries, or too few passages to draw negatives from.
    """
    held_keys = hold_out((pair.query for pair in pairs), share=share, seed=seed)
    held = [pair for pair in pairs if query_key(pair.query) in held_keys]
    trained = [pair for pair in pairs if query_key(pair.query) not in held_keys]
    mining = Mining(bands=spread_bands(negatives), teacher_share=teacher_share, seed=seed)
    unscored = [pair for pair in trained if not pair.scores]
    groups = mine_groups(unscored, encoder=encoder, mining=mining, device=device, listener=listener)
    groups += scored_groups([pair for pair in trained if pair.scores], negatives=negatives, teacher_share=teacher_share)
    unscored = [pair for pair in held if not pair.scores]
    everything = passages_of(pairs) if unscored else []
    wide = min(HELD_OUT_NEGATIVES, max(negatives, len(everything) // 2))
    asked = mine_groups(
        unscored,
        encoder=encoder,
        mining=replace(mining, bands=spread_bands(wide)),
        pool=everything,
        device=device,
        listener=listener,
    )
    asked += scored_groups([pair for pair in held if pair.scores], negatives=negatives, teacher_share=teacher_share)
    few = Counter({f"with fewer than {negatives} passages to draw negatives from": len(trained) - len(groups)})
    few[f"held out, with fewer than {wide} passages to draw negatives from"] = len(held) - len(asked)
    return _checked(Mined(tuple(groups), tuple(_questions(asked)), dict(+few)))


def scored_groups(pairs: Sequence[Pair], *, negatives: int, teacher_share: float) -> list[Group]:
    """The first *negatives* of each pair as they are, with its teacher's scores for target.

    A pair that has too few is dropped, so that all groups have one size.
    """
    groups = []
    for pair in pairs:
        if len(pair.negatives) >= negatives:
            target = _mixed(np.array(pair.scores[: negatives + 1]), teacher_share)
            groups.append(Group(pair.query, (pair.positive, *pair.negatives[:negatives]), target))
    return groups


def passages_of(pairs: Sequence[Pair]) -> list[str]:
    """Every passage of *pairs*, positive or negative, each once."""
    return sorted({text for pair in pairs for text in (pair.positive, *pair.negatives)})


def _questions(groups: Sequence[Group]) -> list[Question]:
    """One question a query; what answers it comes last, where equal scores do it no favour."""
    by_query: dict[str, list[Group]] = {}
    for group in groups:
        by_query.setdefault(group.query, []).append(group)
    questions = []
    for query, its_groups in by_query.items():
        answers = dict.fromkeys(group.passages[POSITIVE] for group in its_groups)
        others = dict.fromkeys(text for group in its_groups for text in group.passages if text not in answers)
        candidates = tuple((text, text) for text in (*others, *answers))
        questions.append(Question(query, candidates, dict.fromkeys(answers, 1)))
    return questions


def mine_groups(
    pairs: Sequence[Pair],
    *,
    encoder: Encoder,
    mining: Mining,
    pool: Sequence[str] | None = None,
    device: str = "cpu",
    listener: Listener = ignore_progress,
) -> list[Group]:
    """Give every pair negatives: its own first, then passages of *pool*, by cosine and by BM25 in turn.

    The pool holds the passages of *pairs* unless another is given, which must hold them too. A pair left with
    too few negatives is dropped, so that all groups have one size.
    """
    if not pairs:
        return []
    pool = passages_of(pairs) if pool is None else pool
    place = {text: number for number, text in enumerate(pool)}
    answers: dict[str, set[int]] = {}
    for pair in pairs:
        answers.setdefault(query_key(pair.query), set()).add(place[pair.positive])
    first_stage = _FirstStage(pool, encoder=encoder, device=device, listener=listener)
    rng = random.Random(mining.seed)
    groups = []
    listener(Progress("mine", 0, len(pairs)))
    for start in range(0, len(pairs), RANKED_AT_ONCE):
        chunk = pairs[start : start + RANKED_AT_ONCE]
        given = [[place[text] for text in (pair.positive, *pair.negatives)] for pair in chunk]
        known = [answers[query_key(pair.query)] for pair in chunk]
        depth = DEPTH + max(len(its_answers) + len(own) for its_answers, own in zip(known, given, strict=True))
        rankings = first_stage.rank([pair.query for pair in chunk], given, depth=depth)
        for pair, (positive, *own), its_answers, ranking in zip(chunk, given, known, rankings, strict=True):
            chosen = _negatives(ranking, positive, its_answers, own, mining, rng)
            if chosen is not None:
                members = [positive, *chosen]
                target = _target(ranking.scores_of(members), mining)
                groups.append(Group(pair.query, tuple(pool[member] for member in members), target))
        listener(Progress("mine", start + len(chunk), len(pairs)))
    return groups


@dataclass(frozen=True, slots=True)
class _Ranking:
    """One query's best places of a pool by cosine and by BM25, and the scores of each by both."""

    by_cosine: Sequence[int]
    by_bm25: Sequence[int]
    scores: Mapping[int, tuple[float, float]]

    def scores_of(self, members: Sequence[int]) -> NDArray[np.float64]:
        """Cosines and BM25 scores, shape (2, len(members))."""
        return np.array([self.scores[member] for member in members]).T


class _FirstStage:
    """Ranks a pool of passages for many queries at once, on *device*."""

    def __init__(self, pool: Sequence[str], *, encoder: Encoder, device: str, listener: Listener) -> None:
        import torch

        self._encoder = encoder
        vectors = []
        listener(Progress("encode", 0, len(pool)))
        for start in range(0, len(pool), ENCODED_AT_ONCE):
            vectors.append(encoder.encode_passages(pool[start : start + ENCODED_AT_ONCE]))
            listener(Progress("encode", min(start + ENCODED_AT_ONCE, len(pool)), len(pool)))
        self._passages = torch.from_numpy(np.concatenate(vectors)).to(device)
        self._bm25 = BM25(pool)

    def rank(self, queries: Sequence[str], given: Sequence[Sequence[int]], *, depth: int) -> Iterator[_Ranking]:
        """Each query's best *depth* places by either score; the scores are of the *given* places too."""
        import torch

        vectors = torch.from_numpy(self._encoder.encode_queries(queries))
        cosines = vectors.to(self._passages.device) @ self._passages.T
        bm25 = torch.from_numpy(self._bm25.scores(queries)).to(cosines.device)
        depth = min(depth, cosines.shape[1])
        nearest = [scores.topk(depth, dim=1).indices for scores in (cosines, bm25)]
        widest = max(map(len, given))
        padded = torch.tensor([[*places, *[places[0]] * (widest - len(places))] for places in given])
        places = torch.cat([*nearest, padded.to(cosines.device)], dim=1)
        tables = (places, cosines.gather(1, places), bm25.gather(1, places))
        for here, by_cosine, by_bm25 in zip(*(table.tolist() for table in tables), strict=True):
            scores = dict(zip(here, zip(by_cosine, by_bm25, strict=True), strict=True))
            yield _Ranking(here[:depth], here[depth : 2 * depth], scores)


def _negatives(
    ranking: _Ranking,
    positive: int,
    answers: set[int],
    own: Sequence[int],
    mining: Mining,
    rng: random.Random,
) -> list[int] | None:
    """The pair's own negatives, then draws from the two rankings; None where too few are left."""
    limit = ranking.scores[positive][0] * mining.ceiling + mining.slack
    given = [member for member in own if member not in answers][: mining.negatives]
    rankings = [
        [
            member
            for member in places
            if member not in answers and member not in own and ranking.scores[member][0] <= limit
        ]
        for places in (ranking.by_cosine, ranking.by_bm25)
    ]
    drawn = _draw(rankings, mining, rng, fewer=len(given))
    return None if drawn is None else [*given, *drawn]


def _draw(rankings: Sequence[Sequence[int]], mining: Mining, rng: random.Random, *, fewer: int = 0) -> list[int] | None:
    """As many of each band as it wants, from the rankings in turn, less *fewer* from the nearest on.

    None where too few are left.
    """
    chosen: list[int] = []
    for first, last, wanted in mining.bands:
        kept = max(0, wanted - fewer)
        fewer -= wanted - kept
        for draw in range(kept):
            ranking = rankings[draw % len(rankings)]
            band = [member for member in ranking[first - 1 : last] if member not in chosen]
            if not band:  # small pools reach no further than the first
                band = [member for each in rankings for member in each if member not in chosen]
            if not band:
                return None
            chosen.append(rng.choice(band))
    return chosen


def _target(scores: NDArray[np.float64], mining: Mining) -> tuple[float, ...]:
    """Mix the label with what the first stage thinks: cosines and BM25 scores, shape (2, passages)."""
    cosines, bm25 = scores
    return _mixed(cosines / mining.cosine_temperature + mining.bm25_weight * bm25, mining.teacher_share)


def _mixed(scores: NDArray[Any], teacher_share: float) -> tuple[float, ...]:
    """The label, and with that share the softmax of a teacher's *scores* (distillation; Hinton et al., 2015)."""
    teacher = np.exp(scores - scores.max())
    target = teacher_share * teacher / teacher.sum()
    target[POSITIVE] += 1.0 - teacher_share
    return tuple(float(share) for share in target)


class BM25:
    """BM25 (Robertson et al., 1994; k1 = 0.9, b = 0.4) of every passage in a pool, for many queries."""

    def __init__(self, pool: Sequence[str]) -> None:
        from sklearn.feature_extraction.text import CountVectorizer

        self._words = CountVectorizer(stop_words="english", dtype=np.float32)
        try:
            counts = self._words.fit_transform(pool).tocsc()
        except ValueError:  # no passage has a word: none is nearer than another
            self._words = CountVectorizer(vocabulary=["none"], dtype=np.float32)
            counts = self._words.transform(pool).tocsc()
        lengths = np.asarray(counts.sum(axis=1)).ravel()
        holders = np.diff(counts.indptr)
        idf = np.log(1 + (len(pool) - holders + 0.5) / (holders + 0.5))
        norm = 0.9 * (1 - 0.4 + 0.4 * lengths / max(1.0, float(lengths.mean())))
        saturated = counts.data * 1.9 / (counts.data + norm[counts.indices])
        counts.data = (saturated * np.repeat(idf, holders)).astype(np.float32)
        self._holders = counts.T  # a row for each word: only those of a query are read

    def scores(self, queries: Sequence[str]) -> NDArray[np.float32]:
        """Shape (queries, pool)."""
        asked = self._words.transform(queries)
        asked.data[:] = 1.0  # each word counts once
        scores: NDArray[np.float32] = (asked @ self._holders).toarray()
        return scores


# From an index with judgements


def mine_index(
    collection: Collection,
    index: Index,
    *,
    encoder: Encoder,
    top_k: int,
    negatives: int,
    teacher_share: float,
    share: float,
    seed: int,
    listener: Listener = ignore_progress,
) -> Mined:
    """Split the judged queries, then let the hybrid first stage bring passages for each.

    A relevant document's positive is the passage of it that the first stage ranks best: judgements are of
    documents, and this is the passage that the second stage is most likely to be shown. A relevant document of
    which none is among the first 1,000 passages gives none. Negatives are passages among the best *top_k* of
    documents that are not relevant; those that were not judged either must not lie nearer to the query than
    `Mining`'s ceiling has it. A held-out question has its best *top_k* passages, as `query` would rerank them.

    Raises:
        InputError: there are too few queries with a relevant document.
    """
    answered = [query for query in collection.queries if relevant_documents(collection.qrels[query.id])]
    held_keys = hold_out((query.text for query in answered), share=share, seed=seed)
    mining = Mining(bands=spread_bands(negatives), teacher_share=teacher_share, seed=seed)
    rng = random.Random(seed)
    groups: list[Group] = []
    questions: list[Question] = []
    left_out: Counter[str] = Counter()
    left_out["without a relevant document"] = len(collection.queries) - len(answered)
    for number, query in enumerate(answered, start=1):
        listener(Progress("mine", number, len(answered)))
        try:
            text = check_query(query.text)
            candidates = retrieve(index, text, encoder=encoder, retriever="hybrid", top_k=LIST_DEPTH)
        except UsageError:
            left_out["empty or too long"] += 1
            continue
        grades = collection.qrels[query.id]
        if query_key(query.text) in held_keys:
            shown = tuple((each.stored.document_id, each.stored.passage.model_text) for each in candidates[:top_k])
            questions.append(Question(text, shown, grades))
            continue
        mined, reason = _index_groups(replace(query, text=text), grades, candidates, top_k, mining, rng)
        groups.extend(mined)
        left_out[reason] += not mined
    return _checked(Mined(tuple(groups), tuple(questions), dict(+left_out)))


def _index_groups(
    query: JudgedQuery,
    grades: Mapping[str, int],
    candidates: Sequence[Candidate],
    top_k: int,
    mining: Mining,
    rng: random.Random,
) -> tuple[list[Group], str]:
    """A group for each relevant document that was found, and why there is none if there is none."""
    relevant = relevant_documents(grades)
    best: dict[str, Candidate] = {}
    for candidate in candidates:
        if candidate.stored.document_id in relevant:
            best.setdefault(candidate.stored.document_id, candidate)
    answers = {candidate.stored.passage.model_text for candidate in best.values()}
    others = [
        place
        for place, candidate in enumerate(candidates[:top_k])
        if candidate.stored.document_id not in relevant and candidate.stored.passage.model_text not in answers
    ]
    floor = min((each.lists["dense"].score for each in candidates if "dense" in each.lists), default=0.0)
    groups = []
    for positive in best.values():
        near = _score(positive, "dense", floor)
        limit = near * mining.ceiling + mining.slack
        usable = [place for place in others if _is_negative(candidates[place], grades, limit)]
        drawn = _draw([usable], mining, rng)
        if drawn is not None:
            members = [positive, *(candidates[place] for place in drawn)]
            cosines = [_score(each, "dense", floor) for each in members]
            scores = np.array([cosines, [_score(each, "lexical", 0.0) for each in members]])
            texts = tuple(each.stored.passage.model_text for each in members)
            groups.append(Group(query.text, texts, _target(scores, mining)))
    if not best:
        return [], f"without a relevant document among the first {LIST_DEPTH} passages"
    return groups, f"with fewer than {mining.negatives} passages to take for negatives"


def _score(candidate: Candidate, name: str, otherwise: float) -> float:
    """The score that the list called *name* has for the candidate."""
    listed = candidate.lists.get(name)
    return otherwise if listed is None else listed.score


def _is_negative(candidate: Candidate, grades: Mapping[str, int], limit: float) -> bool:
    """Judged so, or not nearer to the query than a likely false negative; one that no vector brought is far."""
    judged = candidate.stored.document_id in grades
    return judged or "dense" not in candidate.lists or candidate.lists["dense"].score <= limit


def _checked(mined: Mined) -> Mined:
    """Raise InputError where too little is left to train or to validate on."""
    reasons = "".join(f"; {number} left out {reason}" for reason, number in mined.left_out.items())
    remedy = "give more queries, or ask for fewer negatives with --negatives"
    if mined.trained_queries < LEAST_TRAINED:
        raise InputError(f"{mined.trained_queries} queries are too few to train on{reasons}", remedy=remedy)
    if not mined.questions:
        raise InputError(f"no held-out query is left to validate on{reasons}", remedy=remedy)
    return mined
