"""Keeps numbers that are none from being taken for an order."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rerank_cli.errors import ModelError
from rerank_cli.models.catalogue import Kind


def checked(numbers: NDArray[np.float32], *, name: str, kind: Kind) -> NDArray[np.float32]:
    """*numbers* as they are, if each is finite.

    Raises:
        ModelError: the model *name* gave one that is not.
    """
    if not np.isfinite(numbers).all():
        what = "vector" if kind == "encoder" else "score"
        raise ModelError(
            f"{name}: gave a {what} that is not finite",
            remedy=f"choose another {kind}, or compile it again: rerank-cli models prepare --force {kind}:{name}",
        )
    return numbers
