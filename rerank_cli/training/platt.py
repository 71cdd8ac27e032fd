"""Fits the calibration of a reranker: Platt scaling (Platt, 1999)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rerank_cli.models.calibration import Calibration


def fit_calibration(
    logits: Sequence[float], relevant: Sequence[bool], *, weights: Sequence[float] | None = None
) -> Calibration:
    """Slope and intercept of the greatest likelihood; *weights* say how much each passage counts, all the same without.

    Raises:
        ValueError: the passages are all relevant or all not.
    """
    from sklearn.linear_model import LogisticRegression

    counts = np.ones(len(logits)) if weights is None else np.asarray(weights) / np.mean(weights)
    fitted = LogisticRegression(C=1e9).fit(np.asarray(logits)[:, None], np.asarray(relevant), sample_weight=counts)
    return Calibration(slope=float(fitted.coef_[0][0]), intercept=float(fitted.intercept_[0]))
