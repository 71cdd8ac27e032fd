"""Models behind an endpoint: OpenAI's way to ask for embeddings, and Cohere's or TEI's way to rerank.

Texts leave this machine here and nowhere else.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import Any, TypeVar

import numpy as np

from rerank_cli.arrays import Vectors
from rerank_cli.config import key_variable
from rerank_cli.errors import ModelError
from rerank_cli.models.address import Endpoint
from rerank_cli.models.calibration import sigmoid
from rerank_cli.models.catalogue import BUILTIN_ENCODER, find_model
from rerank_cli.models.transport import Refused, Transport
from rerank_cli.ports import PairScores

BATCH = 32
"""Texts of a request: more than that TEI refuses as it is set up by default."""

IN_FLIGHT = 4
"""Requests at a time."""

MOST_TOKENS = 2000
"""Of a passage, counted by the built-in encoder's tokenizer: how far the model reads is its own matter."""

SUREST = 1e-12
"""How near to 0 or 1 a share is taken: 0 and 1 themselves have no logit."""

Answer = TypeVar("Answer")


class RemoteEncoder:
    """An encoder that is asked as OpenAI's `/v1/embeddings` is."""

    max_tokens = MOST_TOKENS

    def __init__(self, endpoint: Endpoint, *, timeout_s: float) -> None:
        if endpoint.gives_logits:
            raise ModelError(f"{endpoint.address}: an encoder gives no logits", remedy="leave logits+ out")
        self._endpoint = endpoint
        self._transport = _transport(endpoint, "encoder", timeout_s)
        self.fingerprint = endpoint.fingerprint

    @cached_property
    def dimensions(self) -> int:
        return int(self._embedded(["dimensions"]).shape[1])

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens in each text as the built-in encoder's tokenizer has them: that of the model is not known."""
        from rerank_cli.models.tokens import tokens_of

        return [len(encoding.ids) for encoding in tokens_of(self._tokenizer, texts, special=False)]

    @cached_property
    def _tokenizer(self) -> Any:
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(find_model(BUILTIN_ENCODER, "encoder").folder / "tokenizer.json"))
        tokenizer.no_truncation()
        tokenizer.no_padding()
        return tokenizer

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        return self.encode_passages(texts)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        if not texts:
            return np.zeros((0, self.dimensions), dtype=np.float32)
        batches = list(_in_batches(texts, self._embedded))
        if len({batch.shape[1] for batch in batches}) > 1:
            raise _nonsense(self._endpoint, "vectors of several lengths")
        return np.concatenate(batches)

    def _embedded(self, texts: Sequence[str]) -> Vectors:
        answer = _taken(self._endpoint, self._transport, {**self._named, "input": texts, "encoding_format": "float"})
        listed = _by_index(self._endpoint, answer, "data", "embedding", expected=len(texts))
        try:
            vectors = np.array(listed, dtype=np.float64)
        except (ValueError, TypeError) as error:
            raise _nonsense(self._endpoint, "vectors that are none") from error
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True) if vectors.ndim == 2 else np.zeros(1)
        if not (np.isfinite(lengths).all() and (lengths > 0).all()):
            raise _nonsense(self._endpoint, "vectors that are none")
        return np.asarray(vectors / lengths, dtype=np.float32)

    @property
    def _named(self) -> dict[str, object]:
        return {"model": self._endpoint.model} if self._endpoint.model else {}


class RemoteReranker:
    """A reranker that is asked as those of Cohere, Jina and vLLM are, or as TEI is.

    Of a long query nothing is cut here. What the endpoint cuts of a passage it does not tell.
    """

    calibrated = False

    def __init__(self, endpoint: Endpoint, *, timeout_s: float) -> None:
        self._endpoint = endpoint
        self._transport = _transport(endpoint, "reranker", timeout_s)
        self._is_tei = False
        self.fingerprint = endpoint.fingerprint

    def score_pairs(self, query: str, passages: Sequence[str]) -> PairScores:
        """One logit a passage, shape (n,).

        A share s from 0 to 1 is taken as what a sigmoid made of a logit, ln(s / (1 - s)). Where the address says that
        scores are logits, they are taken as they are.
        """
        first = self._scored(query, passages[:BATCH])  # which finds out how the endpoint is asked
        others = _in_batches(passages[BATCH:], lambda batch: self._scored(query, batch))
        scores = [score for batch in (first, *others) for score in batch]
        logits = scores if self._endpoint.gives_logits else [self._logit(score) for score in scores]
        return PairScores(np.array(logits, dtype=np.float32), truncated=0)

    def activate(self, logit: float) -> float:
        return sigmoid(logit)

    def _scored(self, query: str, passages: Sequence[str]) -> list[float]:
        if not passages:
            return []
        try:
            answer = self._transport.ask(self._body(query, passages))
        except Refused as refused:
            if self._is_tei or "texts" not in refused.said:
                raise _refusal(self._endpoint, refused) from refused
            self._is_tei = True  # which misses its own word for passages
            return self._scored(query, passages)
        if self._is_tei:
            listed = _by_index(self._endpoint, {"results": answer}, "results", "score", expected=len(passages))
        else:
            listed = _by_index(self._endpoint, answer, "results", "relevance_score", expected=len(passages))
        if not all(type(score) in (int, float) and math.isfinite(score) for score in listed):
            raise _nonsense(self._endpoint, "scores that are no numbers")
        return listed

    def _body(self, query: str, passages: Sequence[str]) -> dict[str, object]:
        if self._is_tei:
            raw = self._endpoint.gives_logits
            return {"query": query, "texts": passages, "raw_scores": raw, "truncate": True}
        named = {"model": self._endpoint.model} if self._endpoint.model else {}
        return {**named, "query": query, "documents": passages, "top_n": len(passages), "return_documents": False}

    def _logit(self, share: float) -> float:
        if not 0 <= share <= 1:
            raise ModelError(
                f"{self._endpoint.address}: gives a score of {share:g}, which is no share from 0 to 1",
                remedy=f"if its scores are logits, say so: logits+{self._endpoint.address}",
            )
        inside = min(max(share, SUREST), 1 - SUREST)
        return math.log(inside / (1 - inside))


def _transport(endpoint: Endpoint, kind: str, timeout_s: float) -> Transport:
    variable = key_variable(kind)
    return Transport(endpoint, key=os.environ.get(variable, ""), key_variable=variable, timeout_s=timeout_s)


def _in_batches(texts: Sequence[str], ask: Callable[[Sequence[str]], Answer]) -> Iterable[Answer]:
    """What *ask* answers to one batch of *texts* after another, several of them under way at a time."""
    batches = [list(texts[start : start + BATCH]) for start in range(0, len(texts), BATCH)]
    with ThreadPoolExecutor(IN_FLIGHT) as pool:
        yield from pool.map(ask, batches)


def _taken(endpoint: Endpoint, transport: Transport, body: dict[str, object]) -> Any:
    try:
        return transport.ask(body)
    except Refused as refused:
        raise _refusal(endpoint, refused) from refused


def _by_index(endpoint: Endpoint, answer: Any, rows: str, value: str, *, expected: int) -> list[Any]:
    """The *value* of each of the *rows* in *answer*, in the order that the indexes of the rows tell."""
    try:
        found = {row["index"]: row[value] for row in answer[rows]}
    except (TypeError, KeyError) as error:
        raise _nonsense(endpoint, f"no list of {rows}, each with an index and {value}") from error
    if found.keys() != set(range(expected)) or len(answer[rows]) != expected:
        raise _nonsense(endpoint, f"{len(answer[rows])} {rows} for {expected} texts")
    return [found[place] for place in range(expected)]


def _refusal(endpoint: Endpoint, refused: Refused) -> ModelError:
    return ModelError(
        f"{endpoint.address}: refuses what it was asked ({refused})",
        remedy="check the address, the name of the model behind #, and --passage-tokens",
    )


def _nonsense(endpoint: Endpoint, what: str) -> ModelError:
    return ModelError(
        f"{endpoint.address}: answers with {what}",
        remedy="check the address: it is that of the endpoint itself, such as https://host/v1/rerank#model",
    )
