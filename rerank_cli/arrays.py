"""Arrays by what they hold. They stand apart from the ports, which much takes that need not wait for numpy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
"""Unit vectors, one a row, or a single one: shape (n, dimensions) or (dimensions,)."""
