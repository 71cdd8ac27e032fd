"""What a compiled model is on disk: a graph, a tokenizer, and a record that both are checked against."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rerank_cli.errors import RerankError
from rerank_cli.models.address import Endpoint, endpoint_at, is_address
from rerank_cli.models.calibration import Calibration
from rerank_cli.models.catalogue import Kind, ModelSource, Origin, compiled_folder, find_model, shipped_folder
from rerank_cli.models.hashes import file_hashes
from rerank_cli.places import cache_folder, make_private_file

GRAPH_NAME = "model.onnx"
WEIGHTS_NAME = "weights"
"""Most of the graph's constants, where they lie apart from it."""

TOKENIZER_NAME = "tokenizer.json"
RECORD_NAME = "compiled.json"

COMPILER_VERSION = 9
"""Raise it when models compiled before must be compiled again, or are run so that their numbers change."""


@dataclass(frozen=True, slots=True)
class CompiledModel:
    """A model's compiled form.

    `name`, `kind`, `origin` and `original` (a folder) tell what it was compiled from.
    `precision` is "int8" or "float32", or "none" for a model that does not compile, with the `reason`.
    `agreement` compares it with the original: least cosine for vectors, rank correlation for logits.
    `width` is the number of outputs a text. `calibration` replaces the activation where there is one.
    `parts` has the SHA-256 of each file beside the record, by its name.
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
    parts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ModelState:
    """What is here of a model.

    `failure` says why there is no `source`. `compiled` was checked against its hashes; where it is None, `damage` says
    what is wrong with a compiled form, or is empty while there is none. Either way the next use compiles it. A remote
    model has an `endpoint` and nothing else.
    """

    name: str
    kind: Kind
    source: ModelSource | None
    failure: RerankError | None
    compiled: CompiledModel | None
    damage: str
    endpoint: Endpoint | None = None

    @property
    def fingerprint(self) -> str | None:
        """None of a model that is not here."""
        known = self.source or self.endpoint
        return known.fingerprint if known else None


class _Damage(Exception):
    """A compiled form is not what was written."""


def model_state(name: str, kind: Kind) -> ModelState:
    """What is here of the model called *name*. Nothing is fetched, loaded or written.

    A folder or a built-in model that is damaged is missing, too.
    """
    try:
        if is_address(name):
            return ModelState(name, kind, None, None, None, "", endpoint_at(name))
        source = find_model(name, kind, fetch=False)
    except RerankError as error:
        return ModelState(name, kind, None, error, None, "")
    try:
        return ModelState(name, kind, source, None, _usable(source), "")
    except _Damage as damage:
        return ModelState(name, kind, source, None, None, str(damage))


def _usable(source: ModelSource) -> CompiledModel | None:
    """What the next use takes: the form in the cache, or else that which comes with the program."""
    try:
        found = _checked(source, remember=False)
    except _Damage:
        shipped = _shipped(source, remember=False)
        if shipped is None:
            raise
        return shipped
    return found or _shipped(source, remember=False)


def find_compiled(source: ModelSource) -> CompiledModel | None:
    """The compiled form of *source* in the cache, None while there is none that is what was written."""
    try:
        return _checked(source)
    except _Damage:
        return None


def find_shipped(source: ModelSource) -> CompiledModel | None:
    """The compiled form of *source* that comes with the program; None where none does, or not as it was written."""
    try:
        return _shipped(source)
    except _Damage:
        return None


def all_compiled() -> list[CompiledModel]:
    """Every compiled model in the cache that can be used, by kind and name."""
    try:
        folders = list((cache_folder() / "models").iterdir())
    except (FileNotFoundError, NotADirectoryError):
        folders = []
    found = []
    for folder in folders:
        try:
            model = _read(folder, folder.name)
        except _Damage:
            continue
        if model is not None:
            found.append(model)
    return sorted(found, key=lambda model: (model.kind, model.name, model.fingerprint))


def write_record(compiled: CompiledModel) -> None:
    """Write the record of what lies in the model's folder, under the hash of all that it says."""
    record = {**asdict(compiled), "compiler_version": COMPILER_VERSION}
    del record["folder"]
    path = compiled.folder / RECORD_NAME
    make_private_file(path)
    path.write_text(json.dumps({**record, "seal": _seal(record)}, indent=2), encoding="utf-8")


def _checked(source: ModelSource, *, remember: bool = True) -> CompiledModel | None:
    folder = compiled_folder(source.fingerprint)
    model = _read(folder, folder.name, remember=remember)
    if model is not None and model.kind != source.kind:
        raise _Damage(f"{model.folder}: is of a {model.kind}")
    return model


def _shipped(source: ModelSource, *, remember: bool = True) -> CompiledModel | None:
    if source.origin != "built in":
        return None
    return _read(shipped_folder(source.name), source.fingerprint, remember=remember)


def _read(folder: Path, fingerprint: str, *, remember: bool = True) -> CompiledModel | None:
    """The compiled form in *folder* of the weights with this *fingerprint*.

    None where there is none, or one of another compiler.

    Raises:
        _Damage: a part is not the one that was written, or the record is not the one of these weights.
    """
    path = folder / RECORD_NAME
    try:
        record: dict[str, Any] = json.loads(path.read_bytes())
        if record["compiler_version"] != COMPILER_VERSION:
            return None
        if record.pop("seal") != _seal(record) or record["fingerprint"] != fingerprint:
            raise _Damage(f"{path}: is not what was written")
        del record["compiler_version"]
        fitted = record.pop("calibration")
        model = CompiledModel(folder=folder, calibration=Calibration(**fitted) if fitted else None, **record)
        hashes = file_hashes(folder, model.parts, remember=remember)
    except FileNotFoundError as error:
        if not path.exists():
            return None
        raise _Damage(f"{error.filename}: is missing") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise _Damage(f"{path}: cannot be read") from error
    for name, digest in model.parts.items():
        if hashes[name] != digest:
            raise _Damage(f"{folder / name}: is not what was written")
    return model


def _seal(record: Mapping[str, object]) -> str:
    return hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()
