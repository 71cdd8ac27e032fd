from __future__ import annotations

import numpy as np
import pytest

from rerank_cli.training.platt import fit_calibration


def test_the_fit_finds_the_curve_that_made_the_judgements() -> None:
    rng = np.random.default_rng(3)
    logits = rng.normal(-1.0, 3.0, 20_000)
    relevant = rng.random(20_000) < 1 / (1 + np.exp(-(0.6 * logits - 1.5)))
    fitted = fit_calibration(logits.tolist(), relevant.tolist())
    assert (fitted.slope, fitted.intercept) == (pytest.approx(0.6, abs=0.05), pytest.approx(-1.5, abs=0.1))


def test_weights_count_as_so_many_passages() -> None:
    logits, relevant = [-2.0, -1.0, 0.0, 1.0, 2.0], [False, True, False, False, True]
    weighted = fit_calibration(logits, relevant, weights=[0.1, 0.3, 0.1, 0.1, 0.1])
    repeated = fit_calibration([*logits, -1.0, -1.0], [*relevant, True, True])
    assert weighted.slope == pytest.approx(repeated.slope, abs=1e-3)
    assert weighted.intercept == pytest.approx(repeated.intercept, abs=1e-3)


def test_passages_of_one_kind_are_no_judgements_to_fit() -> None:
    with pytest.raises(ValueError, match="class"):
        fit_calibration([0.0, 1.0], [True, True])
