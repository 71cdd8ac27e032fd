"""Provenance: the program, the machine and the moment that figures come from; and the index, models and settings."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType

from rerank_cli import __version__
from rerank_cli.config import Settings
from rerank_cli.ports import Index, Reranker

LIBRARIES = ("numpy", "onnxruntime", "ir_measures")


def provenance(command: str) -> dict[str, object]:
    """*command* as it was typed, and where it ran; under the keys that the JSON has."""
    return {"version": __version__, "command": command, "environment": environment()}


def provenance_of_search(
    command: str,
    index: Index,
    settings: Settings,
    reranker: Reranker | None,
    *,
    filters: Mapping[str, object] = MappingProxyType({}),
) -> dict[str, object]:
    """The same, with what was searched, the models, and the settings that they were used with."""
    manifest = index.manifest
    recipe = manifest.recipe
    return {
        **provenance(command),
        "index": {
            "folder": index.name,
            "root": recipe.root,
            "generation": manifest.generation,
            "updated_at": manifest.updated_at,
            "passage_tokens": recipe.passage_tokens,
        },
        "models": {
            "encoder": recipe.encoder,
            "encoder_fingerprint": recipe.encoder_fingerprint,
            "reranker": settings.reranker if reranker else None,
            "reranker_fingerprint": reranker.fingerprint if reranker else None,
        },
        "parameters": {
            "retriever": settings.retriever,
            "top_k": settings.top_k,
            "rerank": settings.rerank,
            "fusion": settings.fusion if settings.rerank else None,
            "fusion_weight": settings.fusion_weight if settings.rerank else None,
            "per_document": settings.per_document,
            "device": settings.device,
            **filters,
        },
    }


def environment() -> dict[str, object]:
    """The machine and the libraries, now."""
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "processors": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "threads": os.environ.get("OMP_NUM_THREADS", ""),
        "libraries": {name: version(name) for name in LIBRARIES},
    }


def _processor() -> str:
    """The processor's name where the system tells it."""
    listing = Path("/proc/cpuinfo")
    if listing.is_file():
        for line in listing.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor()
