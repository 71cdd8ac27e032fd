"""Open a model by name: found at once, compiled and loaded only when it is first used."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, TypeVar

from rerank_cli.errors import ModelError
from rerank_cli.models.address import endpoint_at, is_address
from rerank_cli.models.calibration import read_calibration
from rerank_cli.models.catalogue import Kind, ModelSource, find_model
from rerank_cli.models.compiled import (
    GRAPH_NAME,
    TOKENIZER_NAME,
    CompiledModel,
    find_compiled,
    find_shipped,
    model_state,
)
from rerank_cli.models.ready import keep, ready
from rerank_cli.ports import Encoder, PairScores, Reranker
from rerank_cli.records import Listener, ignore_progress

if TYPE_CHECKING:
    from rerank_cli.arrays import Vectors

Model = TypeVar("Model")

_alone = Lock()

TIMEOUT_S = 30.0
"""Of a request to a remote model, unless the settings say otherwise."""


def open_encoder(
    name: str, *, device: str = "cpu", timeout_s: float = TIMEOUT_S, listener: Listener = ignore_progress
) -> Encoder:
    """The encoder called *name*; nothing heavy is loaded until it is asked for more than its fingerprint.

    A request to one behind an endpoint may take *timeout_s* seconds.

    Raises:
        ModelError: there is no such encoder.
    """
    if is_address(name):
        from rerank_cli.models.remote import RemoteEncoder

        return RemoteEncoder(endpoint_at(name), timeout_s=timeout_s)
    return _LazyEncoder(find_model(name, "encoder"), device, listener)


def open_reranker(
    name: str, *, device: str = "cpu", timeout_s: float = TIMEOUT_S, listener: Listener = ignore_progress
) -> Reranker:
    """The reranker called *name*, loaded at its first use.

    A request to one behind an endpoint may take *timeout_s* seconds.

    Raises:
        ModelError: there is no such reranker.
    """
    if is_address(name):
        from rerank_cli.models.remote import RemoteReranker

        return RemoteReranker(endpoint_at(name), timeout_s=timeout_s)
    return _LazyReranker(find_model(name, "reranker"), device, listener)


def prepare(source: ModelSource, *, afresh: bool = False, listener: Listener = ignore_progress) -> CompiledModel:
    """The compiled form of *source*, made now if there is none, or *afresh*."""
    compiled = None if afresh else find_compiled(source) or _shipped(source, listener)
    if compiled is None:
        from rerank_cli.models.compile import compile_model

        compiled = compile_model(source, afresh=afresh, listener=listener)
    return compiled


def _shipped(source: ModelSource, listener: Listener) -> CompiledModel | None:
    """The form that comes with the program, where it does: in the cache once more for a processor that needs so."""
    shipped = find_shipped(source)
    if shipped is None:
        return None
    from rerank_cli.models.saturation import saturates, shift_weights

    if not saturates():
        return shipped
    from rerank_cli.models.publish import publish

    def shift_into(folder: Path, *_: object) -> CompiledModel:
        shutil.copyfile(shipped.folder / TOKENIZER_NAME, folder / TOKENIZER_NAME)
        shift_weights(shipped.folder / GRAPH_NAME, folder / GRAPH_NAME)
        return shipped

    return publish(source, shift_into, listener=listener)


def keep_model(name: str, kind: Kind) -> None:
    """Keep the model called *name* loaded, for what this process or one that comes of it opens later.

    Nothing is fetched or compiled, and nothing is kept of what runs elsewhere than in onnxruntime.
    """
    compiled = model_state(name, kind).compiled
    if compiled is not None and compiled.precision != "none":
        keep(compiled, _encoder if kind == "encoder" else _reranker)


def _encoder(model: CompiledModel) -> Encoder:
    from rerank_cli.models.onnx import OnnxEncoder

    return OnnxEncoder(model)


def _reranker(model: CompiledModel) -> Reranker:
    from rerank_cli.models.onnx import OnnxReranker

    return OnnxReranker(model)


class _LazyEncoder:
    def __init__(self, source: ModelSource, device: str, listener: Listener) -> None:
        self._source = source
        self._device = device
        self._listener = listener

    @cached_property
    def _loaded(self) -> Encoder:
        def in_torch(source: ModelSource, device: str) -> Encoder:
            from rerank_cli.models.torch import TorchEncoder

            return TorchEncoder(source, device=device)

        return _load(self._source, self._device, self._listener, _encoder, in_torch)

    @property
    def fingerprint(self) -> str:
        return self._source.fingerprint

    @property
    def dimensions(self) -> int:
        return self._loaded.dimensions

    @property
    def max_tokens(self) -> int:
        return self._loaded.max_tokens

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return self._loaded.count_tokens(texts)

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        return self._loaded.encode_queries(texts)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        return self._loaded.encode_passages(texts)

    @property
    def encode_beside(self) -> Callable[[Sequence[str]], Vectors] | None:
        """What a compiled model has for whoever reads meanwhile."""
        return getattr(self._loaded, "encode_beside", None)


class _LazyReranker:
    def __init__(self, source: ModelSource, device: str, listener: Listener) -> None:
        self._source = source
        self._device = device
        self._listener = listener

    @cached_property
    def _loaded(self) -> Reranker:
        def in_torch(source: ModelSource, device: str) -> Reranker:
            from rerank_cli.models.torch import TorchReranker

            return TorchReranker(source, device=device)

        return _load(self._source, self._device, self._listener, _reranker, in_torch)

    @property
    def fingerprint(self) -> str:
        return self._source.fingerprint

    @property
    def calibrated(self) -> bool:
        return read_calibration(self._source.folder) is not None

    def score_pairs(self, query: str, passages: Sequence[str]) -> PairScores:
        return self._loaded.score_pairs(query, passages)

    def activate(self, logit: float) -> float:
        return self._loaded.activate(logit)


def _load(
    source: ModelSource,
    device: str,
    listener: Listener,
    compiled: Callable[[CompiledModel], Model],
    in_torch: Callable[[ModelSource, str], Model],
) -> Model:
    """Run the compiled form on the CPU; sentence-transformers elsewhere, or where nothing compiles.

    Two models that are loaded at once only read their compiled forms at once: torch takes much memory for each.
    """
    with _alone:
        if device != "cpu":
            return in_torch(source, _checked_device(source, device))
        model = prepare(source, listener=listener)
        if model.precision == "none":
            return in_torch(source, device)
    return ready(model, compiled)


def _checked_device(source: ModelSource, device: str) -> str:
    from rerank_cli.models.torch import check_runs

    check_runs(source)
    import torch

    available = torch.cuda.is_available() if device == "cuda" else torch.backends.mps.is_available()
    if not available:
        raise ModelError(f"no {device} device on this machine", remedy="leave --device out to run on the CPU")
    return device
