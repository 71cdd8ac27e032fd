"""The gate lets through what reaches its floors and does not fall below an earlier result."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from rerank_cli.errors import InputError, UsageError
from rerank_cli.evaluation.conclusions.gate import below_baseline, below_floors, parse_floor, read_baseline
from rerank_cli.evaluation.evaluate import Request, Workplace, evaluate
from rerank_cli.evaluation.figures.measures import Figures, Measure
from rerank_cli.evaluation.inputs.collection import Collection
from rerank_cli.evaluation.showing.as_json import evaluation_json

Requests = Callable[..., Request]


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
    record = evaluation_json(evaluate(collection, request_of(), workplace))
    (tmp_path / "old.json").write_text(json.dumps(record, allow_nan=False))
    return tmp_path / "old.json"


def test_a_baseline_is_an_earlier_result(
    collection: Collection, workplace: Workplace, request_of: Requests, baseline: Path
) -> None:
    evaluation = evaluate(collection, request_of(), workplace)
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
