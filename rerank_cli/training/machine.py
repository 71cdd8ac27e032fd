"""What a training asks of the machine: libraries of its own, and arithmetic of half the width."""

from __future__ import annotations

from rerank_cli.errors import UsageError


def check_installed() -> None:
    """Raise UsageError before any work is done if what trains models is not installed."""
    from importlib.util import find_spec

    missing = [name for name in ("accelerate", "datasets") if find_spec(name) is None]
    if missing:
        raise UsageError(
            f"training needs {' and '.join(missing)}", remedy="install what it needs: pip install 'rerank-cli[train]'"
        )


def runs_bf16(device: str) -> bool:
    """Whether *device* multiplies bfloat16 by itself: elsewhere it would be slower than float32, or fail."""
    import torch

    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    # torch has no public way to ask.
    return device == "cpu" and (torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
