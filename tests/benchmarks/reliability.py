"""What probabilities are worth: how often those who were given one turned out relevant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Passages whose probabilities lie in one bin: how many, their mean probability, and the share that is relevant."""

    count: int
    predicted: float
    relevant: float


def reliability(
    probabilities: Sequence[float], relevant: Sequence[bool], *, bins: int = 10
) -> tuple[ReliabilityBin, ...]:
    """Passages in *bins* of equal width by their probability; empty bins are left out."""
    predicted, found = np.asarray(probabilities), np.asarray(relevant, dtype=float)
    places = np.minimum((predicted * bins).astype(int), bins - 1)
    inside = [places == place for place in range(bins)]
    return tuple(
        ReliabilityBin(int(own.sum()), float(predicted[own].mean()), float(found[own].mean()))
        for own in inside
        if own.any()
    )


def expected_calibration_error(filled: Sequence[ReliabilityBin]) -> float:
    """Mean distance of probability and share over the bins, by their passages (Naeini, Cooper and Hauskrecht, 2015)."""
    return sum(each.count * abs(each.predicted - each.relevant) for each in filled) / sum(each.count for each in filled)
