"""Models that stay loaded for whoever opens them again: in a process that answers for others, and in no other.

A model is known by all that its record says, the hash of each file among it: another one under its name is not taken
for it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

from rerank_cli.models.compiled import CompiledModel
from rerank_cli.ports import Encoder, Reranker

Model = TypeVar("Model")

MOST = 4
"""Models that stay; the one that was kept first goes."""

_kept: list[tuple[CompiledModel, object]] = []
_opened: list[CompiledModel] = []


def ready(model: CompiledModel, load: Callable[[CompiledModel], Model]) -> Model:
    """*model* as it was kept, or else as *load* gives it."""
    _opened.append(model)
    found = next((loaded for known, loaded in _kept if known == model), None)
    return load(model) if found is None else found  # type: ignore[return-value]


def keep(model: CompiledModel, load: Callable[[CompiledModel], object]) -> None:
    """Load *model* and keep it, if it is not kept yet."""
    if all(known != model for known, _ in _kept):
        _kept.append((model, load(model)))
        del _kept[:-MOST]


def practise() -> None:
    """Have each model that is kept read a word."""
    for model, loaded in _kept:
        if model.kind == "encoder":
            cast("Encoder", loaded).encode_queries(["practice"])
        else:
            cast("Reranker", loaded).score_pairs("practice", ["practice"])


def kept() -> list[CompiledModel]:
    """The models that are kept."""
    return [model for model, _ in _kept]


def opened() -> list[CompiledModel]:
    """The models that this process has asked for."""
    return list(_opened)
