"""What both stages are worth, and the quantiles of their times."""

from __future__ import annotations

from collections.abc import Callable

from rerank_cli.evaluation.evaluate import Request
from rerank_cli.evaluation.figures.stages import quantile

Requests = Callable[..., Request]


def test_quantiles_lie_between_neighbours() -> None:
    assert [quantile([4.0, 1.0, 3.0, 2.0], share) for share in (0.0, 0.5, 1.0)] == [1.0, 2.5, 4.0]
    assert quantile([], 0.5) == 0.0
