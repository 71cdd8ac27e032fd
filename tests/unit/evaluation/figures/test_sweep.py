"""What a sweep asks for, where its curve bends, and which value it names."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rerank_cli.errors import UsageError
from rerank_cli.evaluation.figures.sweep import default_sweep, knee, parse_sweep, smallest_enough
from tests.unit.evaluation.conftest import BASE


def test_depths_are_swept_in_order_each_once() -> None:
    sweep = parse_sweep("top-k=100, 10,25,10", BASE)
    assert sweep.values == ("10", "25", "100")
    assert [variant.top_k for variant in sweep.variants] == [10, 25, 100]
    assert {variant.fusion for variant in sweep.variants} == {BASE.fusion}


def test_a_plain_run_is_derived_at_the_depths_below_its_own() -> None:
    assert default_sweep(BASE).values == ("10", "20")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("depth=10", ["'depth'", "top-k"]),
        ("top-k", ["no values"]),
        ("top-k=", ["no values"]),
        ("top-k=0", ["'0'", "1 to 1000"]),
        ("top-k=1001", ["'1001'"]),
        ("top-k=ten", ["'ten'"]),
        ("fusion=max", ["'max'", "rrf"]),
        ("fusion-weight=1.5", ["'1.5'", "0 to 1"]),
        ("fusion-weight=nan", ["'nan'"]),
        ("fusion-weight=half", ["'half'"]),
        ("retriever=bm25", ["'bm25'", "lexical"]),
        ("max-tokens=0", ["'0'", "500,2000"]),
        ("max-tokens=many", ["'many'"]),
    ],
)
def test_what_cannot_be_swept_is_a_usage_error(text: str, parts: list[str]) -> None:
    with pytest.raises(UsageError) as caught:
        parse_sweep(text, BASE)
    for part in parts:
        assert part in f"{caught.value} {caught.value.remedy}"


def test_a_depth_may_be_found_out_while_candidates_are_read() -> None:
    sweep = parse_sweep("top-k=auto,50", BASE)
    assert sweep.values == ("50", "auto")
    assert [(variant.top_k, variant.enough_for) for variant in sweep.variants] == [(50, None), (100, 10)]
    plain = default_sweep(replace(BASE, top_k=100, enough_for=3))
    assert plain.values == ("10", "25", "50", "auto")
    assert [variant.enough_for for variant in plain.variants] == [None, None, None, 3]


def test_the_knee_is_the_point_farthest_above_the_chord() -> None:
    assert knee([0.0, 1.0, 2.0, 4.0], [0.0, 0.8, 0.9, 1.0]) == 1
    assert knee([0.0, 1.0, 2.0, 4.0], [0.5, 0.52, 0.59, 0.6]) == 2


@pytest.mark.parametrize(
    ("costs", "gains"),
    [
        ([0.0, 1.0, 2.0], [0.0, 0.5, 1.0]),  # a straight line does not bend
        ([0.0, 1.0, 2.0], [0.9, 0.5, 0.4]),  # nothing is gained
        ([0.0, 1.0], [0.0, 1.0]),
        ([1.0, 1.0, 1.0], [0.0, 0.5, 1.0]),
    ],
)
def test_a_curve_without_a_bend_has_no_knee(costs: list[float], gains: list[float]) -> None:
    assert knee(costs, gains) is None


def test_the_smallest_value_that_keeps_99_percent_is_enough() -> None:
    assert smallest_enough([0.70, 0.7919, 0.7920, 0.80]) == 2
    assert smallest_enough([0.9, 0.8]) == 0
    assert smallest_enough([0.0, 0.0]) == 0


def test_one_number_is_swept_once_however_it_is_written() -> None:
    assert parse_sweep("fusion-weight=0.30,.3,0.3", BASE).values == ("0.30",)
    assert parse_sweep("top-k=010,10", BASE).values == ("010",)
    with pytest.raises(UsageError, match="is no depth"):
        parse_sweep("top-k=\N{ARABIC-INDIC DIGIT THREE}", BASE)
