from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rerank_cli.errors import InputError
from rerank_cli.training.slices import MOST_HELD_OUT, hold_out, query_key

QUERIES = [f"how is number {n}" for n in range(100)]


def test_a_share_of_the_distinct_queries_is_held_out() -> None:
    assert len(hold_out(QUERIES * 3, share=0.1, seed=1)) == 10
    assert len(hold_out(QUERIES, share=0.0, seed=1)) == 5
    assert len(hold_out([f"q{n}" for n in range(5000)], share=0.1, seed=1)) == MOST_HELD_OUT


@pytest.mark.parametrize(
    "other", ["How is the boiler", " how  is the boiler?", "HOW IS: THE BOILER!", "ｈow is the boiler"]
)
def test_spellings_of_one_query_are_one(other: str) -> None:
    assert query_key(other) == query_key("how is the boiler")
    assert query_key("???") != query_key("!!!")


@given(st.randoms(use_true_random=False))
def test_the_slices_do_not_depend_on_the_order_of_the_queries(rng: random.Random) -> None:
    shuffled = rng.sample(QUERIES, len(QUERIES))
    assert hold_out(shuffled, share=0.2, seed=4) == hold_out(QUERIES, share=0.2, seed=4)


def test_another_seed_holds_out_others() -> None:
    assert hold_out(QUERIES, share=0.2, seed=1) != hold_out(QUERIES, share=0.2, seed=2)


def test_a_query_that_is_added_moves_few_others() -> None:
    before, after = (hold_out(queries, share=0.2, seed=1) for queries in (QUERIES, [*QUERIES, "one more"]))
    assert len(before - after) <= 1


def test_too_few_queries_are_refused() -> None:
    assert len(hold_out(QUERIES[:15], share=0.1, seed=1)) == 5
    with pytest.raises(InputError, match="14 distinct queries, of which 5 would be held out") as caught:
        hold_out(QUERIES[:14] * 9, share=0.1, seed=1)
    assert "at least 15" in caught.value.remedy
    with pytest.raises(InputError, match="50 would be held out"):
        hold_out(QUERIES[:55], share=0.9, seed=1)
