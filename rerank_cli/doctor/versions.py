"""Whether the libraries are here, and which versions of them."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version

from rerank_cli import __version__
from rerank_cli.doctor.findings import Finding
from rerank_cli.errors import ModelError

CHECK = "versions"

NEEDED = ("onnxruntime", "tokenizers", "hnswlib", "numpy")
COMPILERS = ("sentence-transformers", "torch")
"""What compiles a model; as long as models run on the CPU, nothing else needs them."""

REINSTALL = "install it again: pip install --force-reinstall rerank-cli"


def versions() -> Iterator[Finding]:
    """The program's version and those of what it runs on, and each library that is missing or does not load.

    Where one is a FAIL, nothing that rests on the store can be imported.
    """
    found = {name: _version(name) for name in (*NEEDED, *COMPILERS)}
    present = [f"{name} {number}" for name, number in found.items() if number]
    yield Finding(CHECK, "rerank-cli", "ok", ", ".join([__version__, f"Python {platform.python_version()}", *present]))
    for name in NEEDED:
        if not found[name]:
            yield Finding(CHECK, name, "FAIL", "is not installed", REINSTALL, ModelError.exit_code)
    for name in COMPILERS:
        if not found[name]:
            yield Finding(CHECK, name, "warn", "is not installed: no model can be compiled", REINSTALL)
    try:
        import_module("rerank_cli.store.graph")  # the only door to hnswlib, which a scan does without
    except ImportError as error:
        reason = str(error).strip().splitlines()[0]
        yield Finding(CHECK, error.name or "store", "FAIL", f"does not load: {reason}", REINSTALL, ModelError.exit_code)
    else:
        yield _sqlite()


def _version(package: str) -> str:
    """Empty where it is not installed. The package itself is not imported, which would take seconds."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _sqlite() -> Finding:
    from rerank_cli.store.health import sqlite_engine

    engine = sqlite_engine()
    if engine.has_fts5:
        return Finding(CHECK, "SQLite", "ok", f"{engine.version}, with FTS5")
    remedy = "use a Python whose sqlite3 has it, such as python.org's or your distribution's"
    return Finding(CHECK, "SQLite", "FAIL", f"{engine.version}, without FTS5", remedy, ModelError.exit_code)
