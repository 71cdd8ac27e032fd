"""The quick runtime: compiled models by onnxruntime and tokenizers alone.

Every text runs by itself, unpadded, on one thread, and several run side by side. Dynamic int8 takes its
scale from whatever shares a batch; alone, a text gets the same numbers whatever else is asked.

A model may be asked from several threads at once.
"""

from __future__ import annotations

import math
import os
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, cached_property, partial
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple, TypeVar

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

from rerank_cli.arrays import Vectors
from rerank_cli.errors import ModelError, in_words
from rerank_cli.models.calibration import sigmoid
from rerank_cli.models.catalogue import Kind
from rerank_cli.models.compiled import GRAPH_NAME, TOKENIZER_NAME, CompiledModel
from rerank_cli.models.finite import checked
from rerank_cli.models.tokens import tokens_of
from rerank_cli.models.window import Asked, ask_in_pieces, query_pieces, unit_means
from rerank_cli.models.word_tokens import WordTokens, adds_up
from rerank_cli.ports import PairScores


def worker_count() -> int:
    """Texts to run side by side: the processors this process may use, or OMP_NUM_THREADS."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    asked = os.environ.get("OMP_NUM_THREADS", "")
    return max(1, min(allowed, int(asked))) if asked.isdigit() else allowed


@cache
def _threads(count: int, *, process: int) -> ThreadPoolExecutor:
    """Threads that run the models of this *process*, for all who ask: so many run at once, in turn.

    They last, for to begin some anew takes as long as to read a pair or two. A process that was forked has none of its
    parent's.
    """
    return ThreadPoolExecutor(count, thread_name_prefix="model")


class _Tokens(NamedTuple):
    """The tokens of a text, special ones among them, named as in an `Encoding`."""

    ids: list[int]
    attention_mask: list[int]
    type_ids: list[int]


class _Runtime:
    """A compiled graph and its tokenizer."""

    def __init__(self, model: CompiledModel) -> None:
        self.model = model
        load = partial(_session, unwanted=unwanted_fusions(model.kind))
        with ThreadPoolExecutor(1) as beside:
            tokenizer = beside.submit(_loaded, model.folder / TOKENIZER_NAME, Tokenizer.from_file)
            self._session = _loaded(model.folder / GRAPH_NAME, load)
        self.tokenizer = tokenizer.result()
        self._words = WordTokens(self.tokenizer) if adds_up(self.tokenizer) else None
        self._tokenizing = Lock()  # a tokenizer keeps where it cuts, and one thread must not cut for another
        self._inputs = {given.name for given in self._session.get_inputs()}

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens in each text, special tokens left out."""
        with self._tokenizing:
            self.tokenizer.no_truncation()
            if self._words is not None:
                return self._words.counts(texts)
            encodings = tokens_of(self.tokenizer, texts, special=False)
        return [len(encoding.ids) for encoding in encodings]

    def cut(self, texts: Sequence[Any], *, strategy: str = "longest_first") -> list[Encoding]:
        """Tokens of each text, or pair of texts, as many as the model reads; *strategy* says of which text they go."""
        with self._tokenizing:
            self.tokenizer.enable_truncation(self.model.max_tokens, strategy=strategy)
            return tokens_of(self.tokenizer, texts)

    def cut_by_words(self, texts: Sequence[str]) -> list[Encoding | _Tokens]:
        """As `cut`, but in an eighth of the time where the words of a text were counted before."""
        if self._words is None:
            return list(self.cut(texts))
        with self._tokenizing:
            known = [self._words.ids(text) for text in texts]
        others = iter(self.cut([text for text, ids in zip(texts, known, strict=True) if ids is None]))
        return [next(others) if ids is None else self._framed(ids) for ids in known]

    def _framed(self, ids: list[int]) -> _Tokens:
        """*ids* between the special tokens, as many as the model reads."""
        before, after = self._frame
        framed = [*before, *ids[: self.model.max_tokens - len(before) - len(after)], *after]
        return _Tokens(framed, [1] * len(framed), [0] * len(framed))

    @cached_property
    def _frame(self) -> tuple[list[int], list[int]]:
        """The special tokens before those of a text, and after them."""
        with self._tokenizing:
            framed, bare = (tokens_of(self.tokenizer, ["a"], special=special)[0].ids for special in (True, False))
        at = framed.index(bare[0])
        return framed[:at], framed[at + len(bare) :]

    def checked(self, numbers: NDArray[np.float32]) -> NDArray[np.float32]:
        """What the graph gave, if all of it is finite."""
        return checked(numbers, name=self.model.name, kind=self.model.kind)

    def run(self, encoding: Encoding | _Tokens) -> NDArray[np.float32]:
        """The graph's output for one text, shape (1, width)."""
        offered = {
            "input_ids": encoding.ids,
            "attention_mask": encoding.attention_mask,
            "token_type_ids": encoding.type_ids,
        }
        given = {name: np.array([offered[name]], dtype=np.int64) for name in self._inputs}
        output: NDArray[np.float32] = self._session.run(None, given)[0]
        return output

    def run_all(
        self,
        encodings: Sequence[Encoding | _Tokens],
        keep: Callable[[int, NDArray[np.float32]], None],
        *,
        spared: int = 0,
    ) -> None:
        """Run every text, the longest first so that no worker waits at the end; *keep* gets (place, output).

        So many processors are *spared*.
        """
        workers = max(1, worker_count() - spared)

        longest_first = iter(sorted(range(len(encodings)), key=lambda place: -len(encodings[place].ids)))

        def take_turns() -> None:
            for place in longest_first:
                keep(place, self.run(encodings[place]))

        if workers == 1 or len(encodings) == 1:
            take_turns()
            return
        threads = _threads(worker_count(), process=os.getpid())
        try:
            for running in [threads.submit(take_turns) for _ in range(min(workers, len(encodings)))]:
                running.result()
        finally:
            deque(longest_first, maxlen=0)  # where one text failed, the others are not run


class OnnxEncoder:
    """A compiled bi-encoder."""

    def __init__(self, model: CompiledModel) -> None:
        self._runtime = _Runtime(model)
        self.fingerprint = model.fingerprint
        self.dimensions = model.width
        prompts = self.count_tokens([model.passage_prompt, model.query_prompt])
        room = model.max_tokens - self._runtime.tokenizer.num_special_tokens_to_add(is_pair=False)
        self.max_tokens, self._query_tokens = (room - prompt for prompt in prompts)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return self._runtime.count_tokens(texts)

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        pieces = [query_pieces(text, room=self._query_tokens, count_tokens=self.count_tokens) for text in texts]
        prompt = self._runtime.model.query_prompt
        return unit_means(self._encode([prompt + piece for its_own in pieces for piece in its_own]), map(len, pieces))

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        return self._encode([self._runtime.model.passage_prompt + text for text in texts])

    @property
    def encode_beside(self) -> Callable[[Sequence[str]], Vectors] | None:
        """As `encode_passages`, with a processor less; None where there is but one."""
        return self._encode_beside if worker_count() > 1 else None

    def _encode_beside(self, texts: Sequence[str]) -> Vectors:
        return self._encode([self._runtime.model.passage_prompt + text for text in texts], spared=1)

    def _encode(self, texts: list[str], *, spared: int = 0) -> Vectors:
        vectors = np.zeros((len(texts), self.dimensions), dtype=np.float32)

        def keep(place: int, output: NDArray[np.float32]) -> None:
            length = float(np.linalg.norm(output[0]))
            vectors[place] = output[0] / max(length, 1e-12) if math.isfinite(length) else math.nan

        self._runtime.run_all(self._runtime.cut_by_words(texts), keep, spared=spared)
        return self._runtime.checked(vectors)


class OnnxReranker:
    """A compiled cross-encoder."""

    def __init__(self, model: CompiledModel) -> None:
        self._runtime = _Runtime(model)
        self.fingerprint = model.fingerprint
        self.calibrated = model.calibration is not None

    def score_pairs(self, query: str, passages: Sequence[str]) -> PairScores:
        def ask(piece: str) -> Asked:
            return self._ask(piece, passages)

        return ask_in_pieces(
            query, window=self._runtime.model.max_tokens, count_tokens=self._runtime.count_tokens, ask=ask
        )

    def _ask(self, piece: str, passages: Sequence[str]) -> Asked:
        encodings = self._runtime.cut([(piece, passage) for passage in passages], strategy="only_second")
        logits = np.zeros(len(passages), dtype=np.float32)

        def keep(place: int, output: NDArray[np.float32]) -> None:
            logits[place] = output.reshape(-1)[0]

        self._runtime.run_all(encodings, keep)
        return self._runtime.checked(logits), [bool(encoding.overflowing) for encoding in encodings]

    def activate(self, logit: float) -> float:
        calibration = self._runtime.model.calibration
        return calibration.probability(logit) if calibration else activations[self._runtime.model.activation](logit)


SLOW_FUSION = "SkipLayerNormFusion"
"""onnxruntime makes one operation of each residual sum and its normalization. On a CPU the two apart take a sixth of
the time of it, which is an eighth of a whole model's. They round otherwise, so encoders keep it: an index must not mix
vectors of two kinds.
"""


def unwanted_fusions(kind: Kind) -> list[str]:
    """The optimizers of onnxruntime that a model of this *kind* does without."""
    return [SLOW_FUSION] if kind == "reranker" else []


activations: dict[str, Callable[[float], float]] = {"sigmoid": sigmoid, "identity": float}


Part = TypeVar("Part")


def _loaded(path: Path, load: Callable[[str], Part]) -> Part:
    try:
        return load(str(path))
    except Exception as error:  # both libraries raise bare exceptions of their own for each failure
        raise ModelError(
            f"{path}: cannot be loaded ({in_words(error)})",
            remedy="compile it again: rerank-cli models prepare --force",
        ) from error


def _session(graph: str, *, unwanted: Sequence[str]) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.enable_mem_pattern = False  # it would lay out memory anew for each length of a text, and keep that
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(
        graph, options, providers=["CPUExecutionProvider"], disabled_optimizers=unwanted
    )
