"""Pools are complete and blind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from rerank_cli.evaluation.asking.one_pass import Pass
from rerank_cli.evaluation.asking.pooling import pool, to_judge
from rerank_cli.evaluation.asking.remembered_scores import RememberingReranker
from rerank_cli.evaluation.evaluate import Workplace
from rerank_cli.evaluation.inputs.collection import Collection
from tests.fakes import FakeEncoder
from tests.unit.evaluation.conftest import BASE


@pytest.fixture
def one_pass(workplace: Workplace) -> Pass:
    assert workplace.reranker is not None
    reranker = RememberingReranker(workplace.reranker, cache=None, device="cpu")
    return Pass(workplace.index, encoder=FakeEncoder(), reranker=reranker, scored=["hybrid"], top_k=20)


def test_the_pool_holds_the_best_of_both_stages_once_in_no_telling_order(
    collection: Collection, one_pass: Pass
) -> None:
    query = collection.queries[2]
    answer = one_pass.ask([query]).answered[0]
    staged = one_pass.stage_hits(answer, replace(BASE, fusion="none"))
    firsts = one_pass.ranked(staged.first).documents[:5]
    finals = one_pass.ranked(staged.final).documents[:5]
    pooled = [each.document_id for each in pool(query, staged, depth=5, seed=1)]
    assert set(pooled) == {*firsts, *finals} and len(pooled) == len(set(pooled))
    orders = {tuple(each.document_id for each in pool(query, staged, depth=5, seed=seed)) for seed in range(9)}
    assert len(orders) > 5


def test_what_is_judged_already_is_not_shown_again(
    collection: Collection, one_pass: Pass, workplace: Workplace
) -> None:
    queries = collection.queries[:2]
    show: Callable[..., list[tuple[str, str]]] = lambda grades: [  # noqa: E731
        (each.query.id, each.stored.document_id)
        for each in to_judge(queries, one_pass, BASE, index=workplace.index, grades=grades, depth=4, seed=1)
    ]
    everything = show({})
    query, document = everything[1]
    assert show({query: {document: 0}}) == [each for each in everything if each != (query, document)]
