"""The verdict says whether reranking pays, and never more than the figures do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from rerank_cli.evaluation.conclusions.verdict import shown_p, verdict
from rerank_cli.evaluation.evaluate import Request
from rerank_cli.evaluation.figures.measures import Figures
from rerank_cli.evaluation.figures.paired_comparison import Comparison
from rerank_cli.evaluation.figures.stages import Price, StageFigures
from rerank_cli.evaluation.figures.sweep import default_sweep, parse_sweep, sweep_table
from tests.unit.evaluation.conftest import BASE

Requests = Callable[..., Request]


def stages(first: float, final: float, *, p_value: float, top_k: int = 20, seconds: float = 0.5) -> StageFigures:
    comparison = Comparison(final - first, final - first - 0.01, final - first + 0.01, 3, 4, 2, p_value)
    return StageFigures(
        variant=replace(BASE, top_k=top_k),
        first_run={},
        final_run={},
        first=Figures(("q1", "q2"), {}, {"nDCG@10": first}),
        final=Figures(("q1", "q2"), {}, {"nDCG@10": final}),
        comparisons={"nDCG@10": comparison},
        price=Price(0.01, 0.02, seconds, seconds, seconds, 100.0),
    )


def test_a_sure_gain_pays() -> None:
    assert verdict(stages(0.5, 0.6, p_value=0.001), "nDCG@10", None) == (
        "Reranking pays here: nDCG@10 rises from 0.500 to 0.600 at depth 20 (p = 0.001, 95 % interval +0.090 to "
        "+0.110), for 0.50 s more a query."
    )


def test_a_sure_loss_does_harm() -> None:
    assert "does harm here: nDCG@10 falls from 0.600 to 0.500" in verdict(
        stages(0.6, 0.5, p_value=0.001), "nDCG@10", None
    )


def test_an_unsure_difference_is_called_so() -> None:
    assert verdict(stages(0.5, 0.51, p_value=0.05), "nDCG@10", None).startswith("Whether reranking pays at depth 20")


def test_the_first_stage_alone_is_not_judged() -> None:
    alone = replace(stages(0.5, 0.5, p_value=1.0), variant=replace(BASE, reranks=False))
    assert "Nothing was reranked" in verdict(alone, "nDCG@10", None)


@pytest.mark.parametrize(
    ("shallow", "words"),
    [
        (0.597, "Depth 10 is the one to use: 99.5% of the best nDCG@10, for 0.20 s."),
        (0.55, "Depth 20 is the one to use."),
    ],
)
def test_the_sentence_names_the_depth_to_use(shallow: float, words: str) -> None:
    deep = stages(0.5, 0.6, p_value=0.001)
    depths = [stages(0.5, shallow, p_value=0.01, top_k=10, seconds=0.2), deep]
    table = sweep_table(default_sweep(BASE), depths, measure="nDCG@10")
    assert verdict(deep, "nDCG@10", table).endswith(words)


def test_a_swept_depth_that_is_worse_than_the_one_asked_for_is_not_the_one_to_use() -> None:
    deep = stages(0.5, 0.6, p_value=0.001)
    table = sweep_table(parse_sweep("top-k=5", BASE), [stages(0.5, 0.55, p_value=0.2, top_k=5)], measure="nDCG@10")
    assert verdict(deep, "nDCG@10", table).endswith("Depth 20 is the one to use.")


def test_one_query_is_one() -> None:
    alone = replace(stages(0.5, 0.51, p_value=0.5), first=Figures(("q1",), {}, {"nDCG@10": 0.5}))
    assert "1 query cannot tell" in verdict(alone, "nDCG@10", None)


def test_small_p_values_are_not_shown_as_0() -> None:
    assert (shown_p(0.0004), shown_p(0.001), shown_p(1.0)) == ("< 0.001", "0.001", "1.000")
