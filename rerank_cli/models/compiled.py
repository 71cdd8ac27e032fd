"""What a compiled model is on disk: a graph, a tokenizer, and a record of both."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from rerank_cli.models.calibration import Calibration
from rerank_cli.models.catalogue import Kind, ModelSource, Origin, cache_folder, compiled_folder

GRAPH_NAME = "model.onnx"
TOKENIZER_NAME = "tokenizer.json"
RECORD_NAME = "compiled.json"

COMPILER_VERSION = 8
"""Raise it when models compiled before must be compiled again, or are run so that their numbers change."""


@dataclass(frozen=True, slots=True)
class CompiledModel:
    """A model's compiled form.

    `name`, `kind`, `origin` and `original` (a folder) tell what it was compiled from.
    `precision` is "int8" or "float32", or "none" for a model that does not compile, with the `reason`.
    `agreement` compares it with the original: least cosine for vectors, rank correlation for logits.
    `width` is the number of outputs a text. `calibration` replaces the activation where there is one.
    """

    folder: Path
    name: str
    kind: Kind
    origin: Origin
    original: str
    fingerprint: str
    precision: str
    reason: str
    agreement: float
    width: int
    max_tokens: int
    activation: str
    calibration: Calibration | None
    query_prompt: str
    passage_prompt: str


def find_compiled(source: ModelSource) -> CompiledModel | None:
    """The compiled form of *source*, None while there is none that can be used."""
    return _read_record(compiled_folder(source.fingerprint))


def all_compiled() -> list[CompiledModel]:
    """Every compiled model in the cache that can be used, by kind and name."""
    try:
        folders = list((cache_folder() / "models").iterdir())
    except (FileNotFoundError, NotADirectoryError):
        folders = []
    found = [model for model in map(_read_record, folders) if model is not None]
    return sorted(found, key=lambda model: (model.kind, model.name, model.fingerprint))


def _read_record(folder: Path) -> CompiledModel | None:
    try:
        record = json.loads((folder / RECORD_NAME).read_text(encoding="utf-8"))
        if record.pop("compiler_version") != COMPILER_VERSION:
            return None
        fitted = record.pop("calibration")
        calibration = Calibration(**fitted) if fitted else None
        return CompiledModel(folder=folder, calibration=calibration, **record)
    except (OSError, ValueError, KeyError, TypeError):
        return None  # absent, or cut off: it is made again
