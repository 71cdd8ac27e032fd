"""What a training asks of the machine: arithmetic of half the width."""

from __future__ import annotations


def runs_bf16(device: str) -> bool:
    """Whether *device* multiplies bfloat16 by itself: elsewhere it would be slower than float32, or fail."""
    import torch

    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    # torch has no public way to ask.
    return device == "cpu" and (torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
