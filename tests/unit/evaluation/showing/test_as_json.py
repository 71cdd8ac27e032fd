"""The JSON has every figure in full."""

from __future__ import annotations

import json
from collections.abc import Callable

from rerank_cli.evaluation.evaluate import Request, Workplace, evaluate
from rerank_cli.evaluation.inputs.collection import Collection
from rerank_cli.evaluation.showing.as_json import evaluation_json

Requests = Callable[..., Request]


def test_the_record_has_every_figure_of_every_query(
    collection: Collection, workplace: Workplace, request_of: Requests
) -> None:
    request = request_of(sweeps=("top-k=5,20",), diagnoses=True)
    evaluation = evaluate(collection, request, workplace)
    record = json.loads(json.dumps(evaluation_json(evaluation), allow_nan=False))
    assert evaluation.stages is not None
    assert record["measures"]["AP"]["reranked"] == evaluation.stages.final.overall["AP"]
    assert [row["query_id"] for row in record["by_query"]] == [query.id for query in collection.queries]
    assert record["by_query"][4]["reranked"]["AP"] == evaluation.stages.final.by_query["AP"][4]
    assert [row["value"] for row in record["sweeps"][0]["rows"]] == ["5", "20"]
    assert record["verdict"] and record["partial"] is False and record["depths"]["use"]
    assert record["diagnosis"]["relevant"] == 18
