"""The program, the machine and the moment that figures come from."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from rerank_cli import __version__

LIBRARIES = ("numpy", "onnxruntime", "ir_measures")


def environment(command: str) -> dict[str, object]:
    """*command* as it was typed, and where it ran; under the keys that the JSON has."""
    return {
        "version": __version__,
        "command": command,
        "environment": {
            "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "python": platform.python_version(),
            "system": f"{platform.system()} {platform.machine()}",
            "processor": _processor(),
            "processors": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
            "threads": os.environ.get("OMP_NUM_THREADS", ""),
            "libraries": {name: version(name) for name in LIBRARIES},
        },
    }


def _processor() -> str:
    """The processor's name where the system tells it."""
    listing = Path("/proc/cpuinfo")
    if listing.is_file():
        for line in listing.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor()
