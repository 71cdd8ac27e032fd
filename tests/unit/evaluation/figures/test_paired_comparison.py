"""The paired test, its interval and its correction agree with what others compute."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from rerank_cli.evaluation.figures.paired_comparison import bootstrap_interval, compare, holm, randomization_test


def test_wins_ties_and_losses_are_counted_by_query() -> None:
    result = compare({"P@5": [0.2, 0.4, 0.4, 1.0]}, {"P@5": [0.6, 0.4, 0.2, 1.0 + 1e-12]})["P@5"]
    assert (result.won, result.tied, result.lost) == (1, 2, 1)
    assert result.difference == pytest.approx(0.05)
    assert result.low <= result.difference <= result.high


def test_equal_runs_have_a_p_of_1_and_an_empty_interval() -> None:
    result = compare({"AP": [0.1, 0.9]}, {"AP": [0.1, 0.9]})["AP"]
    assert (result.p_value, result.low, result.high) == (1.0, 0.0, 0.0)


def test_all_signs_are_tried_where_few_queries_differ() -> None:
    differences = np.array([[0.3, 0.1, 0.2, 0.05, 0.4, 0.0]])
    assert randomization_test(differences, seed=1)[0] == 2 / 2**5
    assert randomization_test(np.array([[0.5, -0.5, 0.25]]), seed=1)[0] == 1.0


def test_the_exact_p_value_is_that_of_scipys_permutation_test() -> None:
    random = np.random.default_rng(3)
    differences = random.normal(0.1, 0.3, 12)
    theirs = stats.permutation_test(
        (differences,), np.mean, permutation_type="samples", n_resamples=np.inf, alternative="two-sided"
    )
    assert randomization_test(differences[None, :], seed=1)[0] == pytest.approx(theirs.pvalue)


def test_the_sampled_p_value_is_near_the_t_tests_and_the_same_each_time() -> None:
    random = np.random.default_rng(5)
    differences = random.normal(0.03, 0.2, (1, 200))
    p_value = randomization_test(differences, seed=17)[0]
    assert p_value == pytest.approx(stats.ttest_1samp(differences[0], 0).pvalue, abs=0.01)
    assert p_value == randomization_test(differences, seed=17)[0]


def test_the_bootstrap_interval_is_near_the_normal_one() -> None:
    differences = np.random.default_rng(7).normal(0.05, 0.2, (1, 400))
    low, high = bootstrap_interval(differences, seed=17)
    mean, error = differences.mean(), differences.std() / 20
    assert [low[0], high[0]] == pytest.approx([mean - 1.96 * error, mean + 1.96 * error], abs=0.002)


def test_holms_correction_of_a_worked_example() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


@given(st.lists(st.floats(0, 1), max_size=8))
def test_holm_keeps_the_order_and_lies_between_the_p_value_and_bonferroni(p_values: list[float]) -> None:
    corrected = holm(p_values)
    for p_value, p_holm in zip(p_values, corrected, strict=True):
        assert p_value <= p_holm <= min(1.0, len(p_values) * p_value)
    order = sorted(range(len(p_values)), key=lambda each: p_values[each])
    assert [corrected[each] for each in order] == sorted(corrected)
