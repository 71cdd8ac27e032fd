"""Measures are trec_eval's to the last digit; ContextRecall is ours."""

from __future__ import annotations

import math
from collections.abc import Iterable

import pytest
import pytrec_eval
from hypothesis import given, settings
from hypothesis import strategies as st

from rerank_cli.errors import UsageError
from rerank_cli.evaluation.figures.measures import (
    Measure,
    context_recall,
    default_measures,
    figures_of,
    parse_measure,
    parse_measures,
)
from rerank_cli.evaluation.inputs.runs import Ranked
from rerank_cli.trec import trec_order

TREC_NAMES = {
    "nDCG@10": "ndcg_cut_10", "nDCG@100": "ndcg_cut_100", "R@5": "recall_5", "R@100": "recall_100", "RR": "recip_rank",
    "AP": "map", "AP@100": "map_cut_100", "P@5": "P_5", "Success@1": "success_1", "Rprec": "Rprec",
}  # fmt: skip

DOCUMENTS = [f"d{number}" for number in range(12)] + ["é", "Z", "a b"]
SCORES = st.one_of(
    st.sampled_from([0.0, 1.0, 1.0 + 1e-9, 2.0]),  # 1 and 1 + 1e-9 are one number in 32 bits
    st.floats(-5, 5, width=32),
)
RUNS = st.dictionaries(
    st.sampled_from(["q1", "q2", "q3"]), st.dictionaries(st.sampled_from(DOCUMENTS), SCORES, min_size=1), min_size=1
)
QRELS = st.dictionaries(
    st.sampled_from(["q1", "q2", "q3", "q4"]),
    st.dictionaries(st.sampled_from(DOCUMENTS), st.integers(-3, 3), min_size=1),
    min_size=1,
)


def trec_eval(
    qrels: dict[str, dict[str, int]], run: dict[str, dict[str, float]], names: Iterable[str], **options: int
) -> dict[str, dict[str, float]]:
    """pytrec_eval's own figures; it crashes on queries with negative grades alone, which have no relevant document."""
    sound = {query: judged for query, judged in qrels.items() if max(judged.values()) >= 0}
    return dict(pytrec_eval.RelevanceEvaluator(sound, set(names), **options).evaluate(run))


def ranked(scores: dict[str, dict[str, float]]) -> dict[str, Ranked]:
    return {query: Ranked(trec_order(rows)) for query, rows in scores.items()}


@settings(max_examples=150)
@given(RUNS, QRELS)
def test_every_measure_equals_trec_evals_on_runs_with_ties(
    run: dict[str, dict[str, float]], qrels: dict[str, dict[str, int]]
) -> None:
    figures = figures_of([Measure(name) for name in TREC_NAMES], qrels, ranked(run))
    theirs = trec_eval(qrels, run, TREC_NAMES.values())
    for name, trec_name in TREC_NAMES.items():
        expected = [theirs.get(query, {}).get(trec_name, 0.0) for query in qrels]
        assert figures.by_query[name] == pytest.approx(expected, abs=1e-9)
        assert figures.overall[name] == pytest.approx(math.fsum(expected) / len(expected), abs=1e-9)


@settings(max_examples=100)
@given(RUNS, QRELS)
def test_measures_with_a_relevance_level_equal_trec_evals(
    run: dict[str, dict[str, float]], qrels: dict[str, dict[str, int]]
) -> None:
    names = {"AP(rel=2)@100": "map_cut_100", "R(rel=2)@10": "recall_10", "P(rel=2)@5": "P_5"}
    figures = figures_of([parse_measure(name) for name in names], qrels, ranked(run))
    theirs = trec_eval(qrels, run, names.values(), relevance_level=2)
    for name, trec_name in names.items():
        expected = [theirs.get(query, {}).get(trec_name, 0.0) for query in qrels]
        assert figures.by_query[name] == pytest.approx(expected, abs=1e-9)


@settings(max_examples=100)
@given(RUNS, QRELS)
def test_reciprocal_rank_with_a_cut_is_that_of_trec_eval_or_zero_below_it(
    run: dict[str, dict[str, float]], qrels: dict[str, dict[str, int]]
) -> None:
    figures = figures_of([Measure("RR@3")], qrels, ranked(run))
    theirs = trec_eval(qrels, run, ["recip_rank"])
    whole = [theirs.get(query, {}).get("recip_rank", 0.0) for query in qrels]
    assert figures.by_query["RR@3"] == pytest.approx([value if value > 0.26 else 0.0 for value in whole], abs=1e-9)


def test_the_ideal_order_has_an_ndcg_of_1() -> None:
    qrels = {"q": {"a": 3, "b": 1, "c": 2, "d": 0}}
    assert figures_of([Measure("nDCG@10")], qrels, {"q": Ranked(("a", "c", "b", "d"))}).overall["nDCG@10"] == 1.0


def test_a_judged_query_that_a_run_lacks_counts_as_0() -> None:
    qrels = {"q1": {"a": 1}, "q2": {"a": 1}}
    for run in ({"q1": Ranked(("a",))}, {"q1": Ranked(("a",)), "q2": Ranked(())}):
        figures = figures_of([Measure("Success@1"), Measure("ContextRecall@9", 9)], qrels, run)
        assert figures.by_query["Success@1"] == (1.0, 0.0)
        assert figures.overall == {"Success@1": 0.5, "ContextRecall@9": 0.0}


def test_queries_without_judgements_do_not_count() -> None:
    figures = figures_of([Measure("P@5")], {"q1": {"a": 1}}, {"q1": Ranked(("a",)), "q9": Ranked(("b",))})
    assert figures.queries == ("q1",)
    assert figures.overall["P@5"] == 0.2


def test_ids_with_blanks_reach_measures_that_pass_through_text_files() -> None:
    figures = figures_of([Measure("ERR@20")], {"a query": {"my notes.txt": 1}}, {"a query": Ranked(("my notes.txt",))})
    assert figures.overall["ERR@20"] == pytest.approx(1 / 16)


PASSAGES = (("a", 100), ("b", 80), ("a", 50), ("c", 200), ("d", 10))


@pytest.mark.parametrize(
    ("budget", "expected"),
    [(99, 0.0), (100, 0.5), (179, 0.5), (180, 0.5), (230, 0.5), (430, 1.0), (440, 1.0), (10_000, 1.0)],
)
def test_context_recall_counts_relevant_documents_of_the_passages_that_fit(budget: int, expected: float) -> None:
    assert context_recall(PASSAGES, frozenset("ac"), budget_tokens=budget) == expected


def test_a_passage_that_does_not_fit_ends_the_context() -> None:
    assert context_recall((("big", 50), ("small", 5)), frozenset(["small"]), budget_tokens=20) == 0.0


def test_context_recall_is_0_where_nothing_is_relevant() -> None:
    assert context_recall(PASSAGES, frozenset(), budget_tokens=1000) == 0.0


def test_context_recall_is_evaluated_beside_the_others() -> None:
    run = {"q": Ranked(("a", "b"), (("b", 30), ("a", 30)))}
    measures = [parse_measure("ContextRecall@30"), parse_measure("R@1"), parse_measure("ContextRecall@60")]
    figures = figures_of(measures, {"q": {"a": 1}}, run)
    assert list(figures.overall.items()) == [("ContextRecall@30", 0.0), ("R@1", 1.0), ("ContextRecall@60", 1.0)]


def test_measures_print_as_ir_measures_spells_them() -> None:
    for text, name in (
        (" nDCG@10", "nDCG@10"),
        ("NDCG@5", "nDCG@5"),
        ("AP(rel=2)@100", "AP(rel=2)@100"),
        ("MRR", "RR"),
    ):
        assert parse_measure(text).name == name


@pytest.mark.parametrize("text", ["foo", "nDCG@x", "P", "nDCG@", "", "alpha_nDCG@5", "R", "ContextRecall", "1+1"])
def test_what_is_no_measure_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_measure(text)
    assert text in str(caught.value) and caught.value.remedy


def test_a_measure_without_a_value_for_every_query_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="Accuracy: has no value"):
        figures_of([parse_measure("Accuracy")], {"q": {"a": 0}}, {"q": Ranked(("a",))})


def test_the_ceiling_at_the_depth_is_among_the_default_measures_once() -> None:
    assert [measure.name for measure in default_measures(50)][:4] == ["nDCG@10", "R@10", "R@50", "RR@10"]
    assert [measure.name for measure in default_measures(10, budgets=())].count("R@10") == 1
    assert default_measures(50, budgets=(500, 4000))[-1] == Measure("ContextRecall@4000", 4000)


@pytest.mark.parametrize(
    "text", ["nDCG@0", "P@0", "Success@0", "AP(rel=0)", "P(rel=-1)@5", "P@99999999999999999999", "IPrec@7"]
)
def test_a_cut_or_a_level_that_means_nothing_is_a_usage_error_before_anything_is_computed(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_measure(text)
    assert text in str(caught.value) and caught.value.remedy


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("ndcg@10", "nDCG@10"),
        ("nDGC@10", "nDCG@10"),
        ("ap(rel=2)@100", "AP(rel=2)@100"),
        ("contextrecall@500", "ContextRecall@500"),
        ("ContextRecal@500", "ContextRecall@500"),
        ("ndcg_cut_10", "nDCG@10"),
        ("map", "AP"),
        ("recall_100", "R@100"),
    ],
)
def test_a_measure_that_is_spelled_otherwise_is_told_how_it_is_spelled_here(text: str, meant: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_measure(text)
    assert caught.value.remedy.startswith(f"did you mean {meant}?")


def test_several_measures_may_stand_between_commas() -> None:
    names = [measure.name for measure in parse_measures(["nDCG@10,AP", "nDCG(gains={0:1,1:2})@5, AP"])]
    assert names[:2] == ["nDCG@10", "AP"] and names[2].startswith("nDCG(gains=") and len(names) == 3


@pytest.mark.parametrize("name", ["nDCG@10", "AP", "R@5", "RR@10", "ERR@20", "Bpref"])
def test_a_query_with_negative_grades_alone_has_no_relevant_document(name: str) -> None:
    qrels = {"q1": {"a": -2, "b": -3}, "q2": {"a": 1, "b": -2}}
    run = {"q1": Ranked(("a", "b")), "q2": Ranked(("a", "b"))}
    figures = figures_of([parse_measure(name)], qrels, run)
    assert figures.by_query[name][0] == 0.0 and figures.by_query[name][1] > 0.0
