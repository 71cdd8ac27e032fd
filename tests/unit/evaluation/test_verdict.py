"""The sentence says what the figures say, and the gate lets nothing through that it should stop."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from rerank_cli.errors import InputError, UsageError
from rerank_cli.evaluation.assess import Request, Workplace, assess
from rerank_cli.evaluation.collection import Collection
from rerank_cli.evaluation.compare import Comparison
from rerank_cli.evaluation.measures import Figures, Measure
from rerank_cli.evaluation.outcome import Outcome, Price, quantile
from rerank_cli.evaluation.record import record_of
from rerank_cli.evaluation.sweep import default_sweep, parse_sweep, sweep_table
from rerank_cli.evaluation.verdict import (
    below_baseline,
    below_floors,
    parse_floor,
    read_baseline,
    sentence,
    shown_p,
)
from tests.unit.evaluation.conftest import BASE

Requests = Callable[..., Request]


def outcome(first: float, final: float, *, p_value: float, top_k: int = 20, seconds: float = 0.5) -> Outcome:
    comparison = Comparison(final - first, final - first - 0.01, final - first + 0.01, 3, 4, 2, p_value)
    return Outcome(
        variant=replace(BASE, top_k=top_k),
        first_run={},
        final_run={},
        first=Figures(("q1", "q2"), {}, {"nDCG@10": first}),
        final=Figures(("q1", "q2"), {}, {"nDCG@10": final}),
        comparisons={"nDCG@10": comparison},
        price=Price(0.01, 0.02, seconds, seconds, seconds, 100.0),
    )


def test_a_sure_gain_pays() -> None:
    assert sentence(outcome(0.5, 0.6, p_value=0.001), "nDCG@10", None) == (
        "Reranking pays here: nDCG@10 rises from 0.500 to 0.600 at depth 20 (p = 0.001, 95 % interval +0.090 to "
        "+0.110), for 0.50 s more a query."
    )


def test_a_sure_loss_does_harm() -> None:
    assert "does harm here: nDCG@10 falls from 0.600 to 0.500" in sentence(
        outcome(0.6, 0.5, p_value=0.001), "nDCG@10", None
    )


def test_an_unsure_difference_is_called_so() -> None:
    assert sentence(outcome(0.5, 0.51, p_value=0.05), "nDCG@10", None).startswith("Whether reranking pays at depth 20")


def test_the_first_stage_alone_is_not_judged() -> None:
    alone = replace(outcome(0.5, 0.5, p_value=1.0), variant=replace(BASE, reranks=False))
    assert "Nothing was reranked" in sentence(alone, "nDCG@10", None)


@pytest.mark.parametrize(
    ("shallow", "words"),
    [
        (0.597, "Depth 10 is the one to use: 99.5% of the best nDCG@10, for 0.20 s."),
        (0.55, "Depth 20 is the one to use."),
    ],
)
def test_the_sentence_names_the_depth_to_use(shallow: float, words: str) -> None:
    deep = outcome(0.5, 0.6, p_value=0.001)
    depths = [outcome(0.5, shallow, p_value=0.01, top_k=10, seconds=0.2), deep]
    table = sweep_table(default_sweep(BASE), depths, measure="nDCG@10")
    assert sentence(deep, "nDCG@10", table).endswith(words)


def test_a_swept_depth_that_is_worse_than_the_one_asked_for_is_not_the_one_to_use() -> None:
    deep = outcome(0.5, 0.6, p_value=0.001)
    table = sweep_table(parse_sweep("top-k=5", BASE), [outcome(0.5, 0.55, p_value=0.2, top_k=5)], measure="nDCG@10")
    assert sentence(deep, "nDCG@10", table).endswith("Depth 20 is the one to use.")


def test_one_query_is_one() -> None:
    alone = replace(outcome(0.5, 0.51, p_value=0.5), first=Figures(("q1",), {}, {"nDCG@10": 0.5}))
    assert "1 query cannot tell" in sentence(alone, "nDCG@10", None)


def test_small_p_values_are_not_shown_as_0() -> None:
    assert (shown_p(0.0004), shown_p(0.001), shown_p(1.0)) == ("< 0.001", "0.001", "1.000")


def test_quantiles_lie_between_neighbours() -> None:
    assert [quantile([4.0, 1.0, 3.0, 2.0], share) for share in (0.0, 0.5, 1.0)] == [1.0, 2.5, 4.0]
    assert quantile([], 0.5) == 0.0


def test_floors_are_read_with_measures_that_hold_equals_signs() -> None:
    assert parse_floor("AP(rel=2)@100=0.25") == (Measure("AP(rel=2)@100"), 0.25)


@pytest.mark.parametrize("text", ["nDCG@10", "nDCG@10=", "nDCG@10=high", "nDCG@10=nan", "=0.5", "foo=0.5"])
def test_what_is_no_floor_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError):
        parse_floor(text)


def test_a_figure_below_its_floor_is_a_reason_and_one_at_it_is_none() -> None:
    figures = Figures(("q",), {}, {"nDCG@10": 0.7, "AP": 0.2})
    assert below_floors(figures, [(Measure("nDCG@10"), 0.7)]) == []
    assert below_floors(figures, [(Measure("AP"), 0.25), (Measure("nDCG@10"), 0.1)]) == ["AP is 0.2000, below 0.25"]


@pytest.fixture
def baseline(collection: Collection, workplace: Workplace, request_of: Requests, tmp_path: Path) -> Path:
    record = record_of(assess(collection, request_of(), workplace))
    (tmp_path / "old.json").write_text(json.dumps(record, allow_nan=False))
    return tmp_path / "old.json"


def test_a_baseline_is_an_earlier_result(
    collection: Collection, workplace: Workplace, request_of: Requests, baseline: Path
) -> None:
    evaluation = assess(collection, request_of(), workplace)
    old = read_baseline(baseline, collection_fingerprint=collection.fingerprint, measures=[Measure("AP")])
    assert old == dict(evaluation.final.overall)
    assert below_baseline(evaluation, old, max_drop=0.0) == []
    higher = {name: value + 0.02 for name, value in old.items()}
    assert below_baseline(evaluation, higher, max_drop=0.02) == []
    reasons = below_baseline(evaluation, {**higher, "Bpref": 1.0}, max_drop=0.01)
    assert len(reasons) == len(old) and "nDCG@10 fell from" in reasons[0]


def test_a_baseline_of_another_collection_or_of_a_partial_run_is_refused(
    collection: Collection, baseline: Path, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="other queries or judgements"):
        read_baseline(baseline, collection_fingerprint="another", measures=[Measure("AP")])
    with pytest.raises(InputError, match="none of the measures"):
        read_baseline(baseline, collection_fingerprint=collection.fingerprint, measures=[Measure("P@77")])
    partial = {**json.loads(baseline.read_text()), "partial": True}
    (tmp_path / "partial.json").write_text(json.dumps(partial))
    with pytest.raises(InputError, match="interrupted"):
        read_baseline(
            tmp_path / "partial.json", collection_fingerprint=collection.fingerprint, measures=[Measure("AP")]
        )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "[" * 200_000,
        '{"measures": {"AP": 3}}',
        '{"measures": {"AP": {}}}',
        f'{{"measures": {{"AP": {{"run": {"1" * 400}}}}}}}',
    ],
)
def test_a_file_that_is_no_result_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(InputError, match="no result of eval --json"):
        read_baseline(tmp_path / "x.json", collection_fingerprint="x", measures=[Measure("AP")])


def test_the_record_has_every_figure_of_every_query(
    collection: Collection, workplace: Workplace, request_of: Requests
) -> None:
    request = request_of(sweeps=("top-k=5,20",), diagnoses=True)
    evaluation = assess(collection, request, workplace)
    record = json.loads(json.dumps(record_of(evaluation), allow_nan=False))
    assert evaluation.outcome is not None
    assert record["measures"]["AP"]["reranked"] == evaluation.outcome.final.overall["AP"]
    assert [row["query_id"] for row in record["by_query"]] == [query.id for query in collection.queries]
    assert record["by_query"][4]["reranked"]["AP"] == evaluation.outcome.final.by_query["AP"][4]
    assert [row["value"] for row in record["sweeps"][0]["rows"]] == ["5", "20"]
    assert record["verdict"] and record["partial"] is False and record["depths"]["use"]
    assert record["diagnosis"]["relevant"] == 18
