"""Paired comparison of two runs over the same queries: who won, by how much, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

PERMUTATIONS = 50_000
"""The smallest p-value is 1 / 50,001, and one near 0.05 is known to about 0.002."""

EXACT_QUERIES = 15
"""Up to so many queries that differ, all 2^n assignments of signs are tried rather than a sample."""

RESAMPLES = 10_000
CONFIDENCE = 0.95
BLOCK = 2_000
"""Permutations and resamples are drawn in blocks of this many, which bounds the memory."""

EQUAL = 1e-9
"""Values closer than this are a tie: measures are right to 1e-9."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The second run against the first, by one measure.

    `difference` is the mean over queries of second - first, `low` and `high` its 95 % bootstrap interval,
    `p_value` that of the randomization test, `p_holm` the same corrected for the runs compared.
    """

    difference: float
    low: float
    high: float
    won: int
    tied: int
    lost: int
    p_value: float
    p_holm: float | None = None


def compare(
    first: Mapping[str, Sequence[float]], second: Mapping[str, Sequence[float]], *, seed: int = 17
) -> dict[str, Comparison]:
    """Compare two runs by every measure of *first*; both hold the values of the same queries in one order."""
    import numpy as np

    names = list(first)
    before = np.array([first[name] for name in names], dtype=np.float64)
    after = np.array([second[name] for name in names], dtype=np.float64)
    differences = after - before
    differences[np.abs(differences) < EQUAL] = 0.0
    p_values = randomization_test(differences, seed=seed)
    lows, highs = bootstrap_interval(differences, seed=seed)
    return {
        name: Comparison(
            difference=float(differences[row].mean()),
            low=float(lows[row]),
            high=float(highs[row]),
            won=int((differences[row] > 0).sum()),
            tied=int((differences[row] == 0).sum()),
            lost=int((differences[row] < 0).sum()),
            p_value=float(p_values[row]),
        )
        for row, name in enumerate(names)
    }


def randomization_test(differences: Numbers, *, seed: int) -> Numbers:
    """Two-sided p-values, shape (measures,), of paired *differences*, shape (measures, queries).

    Fisher's randomization test (Smucker, Allan and Carterette, 2007): were both runs the same, each
    query's difference could as well have the other sign. p is the share of assignments of signs with a
    mean at least as far from 0 as the one found; of a sample of B of them it is (found + 1) / (B + 1).
    """
    import numpy as np

    return np.array([_p_value(row[row != 0.0], seed=seed) for row in differences])


def _p_value(differences: Numbers, *, seed: int) -> float:
    import numpy as np

    if len(differences) == 0:
        return 1.0
    reached = abs(differences.sum()) - 1e-12 * np.abs(differences).sum()  # rounding makes no assignment lose
    if len(differences) <= EXACT_QUERIES:
        bits = np.arange(2 ** len(differences))[:, None] >> np.arange(len(differences)) & 1
        return float((np.abs((2.0 * bits - 1.0) @ differences) >= reached).mean())
    random = np.random.default_rng(seed)
    found = 0
    for _ in range(PERMUTATIONS // BLOCK):
        bits = random.integers(0, 2, size=(BLOCK, len(differences)), dtype=np.int8)
        # The sum with random signs: twice that of the differences kept, less the sum of all.
        sums = 2.0 * (bits.astype(np.float64) @ differences) - differences.sum()
        found += int((np.abs(sums) >= reached).sum())
    return (found + 1) / (PERMUTATIONS + 1)


def bootstrap_interval(differences: Numbers, *, seed: int) -> tuple[Numbers, Numbers]:
    """Ends of the percentile bootstrap interval (Efron, 1979) of the mean of each row of *differences*."""
    import numpy as np

    random = np.random.default_rng(seed)
    queries = differences.shape[1]
    means = []
    for _ in range(RESAMPLES // BLOCK):
        drawn = random.integers(0, queries, size=(BLOCK, queries))
        places = drawn + queries * np.arange(BLOCK)[:, None]
        counts = np.bincount(places.ravel(), minlength=BLOCK * queries).reshape(BLOCK, queries)
        means.append(counts @ differences.T / queries)
    tail = (1.0 - CONFIDENCE) / 2
    low, high = np.quantile(np.concatenate(means), (tail, 1.0 - tail), axis=0)
    return low, high


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down correction (Holm, 1979): the chance of one false alarm among all stays what it was for one.

    The i-th smallest of m becomes max over j <= i of min(1, (m - j + 1) p_j).
    """
    corrected = [0.0] * len(p_values)
    reached = 0.0
    for place, number in enumerate(sorted(range(len(p_values)), key=lambda each: p_values[each])):
        reached = max(reached, min(1.0, (len(p_values) - place) * p_values[number]))
        corrected[number] = reached
    return corrected
