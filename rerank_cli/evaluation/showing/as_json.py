"""An evaluation as JSON data: every figure in full precision, under the names that the tables use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from rerank_cli.evaluation.conclusions.diagnosis import Diagnosis
from rerank_cli.evaluation.conclusions.evaluation import Evaluation
from rerank_cli.evaluation.conclusions.verdict import verdict
from rerank_cli.evaluation.figures.measures import Figures
from rerank_cli.evaluation.figures.paired_comparison import Comparison
from rerank_cli.evaluation.figures.several_runs import Compared
from rerank_cli.evaluation.figures.stages import Price, StageFigures
from rerank_cli.evaluation.figures.sweep import SweepTable

RECORD_VERSION = 1
"""Raised when a key of the JSON changes its meaning."""

Record = dict[str, object]


def evaluation_json(evaluation: Evaluation) -> Record:
    """*evaluation* as data for JSON; parts that were not asked for are left out."""
    record: Record = {
        "record_version": RECORD_VERSION,
        "partial": not evaluation.is_complete,
        **evaluation.context,
        "collection": {
            "fingerprint": evaluation.collection_fingerprint,
            "queries": evaluation.total,
            "asked": evaluation.asked,
            "missing_documents": list(evaluation.missing),
        },
        "notes": list(evaluation.notes),
    }
    if evaluation.stages is not None:
        record |= _stages_json(evaluation, evaluation.stages)
    else:
        record["measures"] = {name: {"run": value} for name, value in evaluation.final.overall.items()}
    if evaluation.sweeps:
        record["sweeps"] = [_sweep_record(table) for table in evaluation.sweeps]
    if evaluation.compared:
        record["compared"] = [_compared_record(compared) for compared in evaluation.compared]
    if evaluation.diagnosis is not None:
        record["diagnosis"] = _diagnosis_record(evaluation.diagnosis)
    return record


def _stages_json(evaluation: Evaluation, stages: StageFigures) -> Record:
    primary = next(iter(stages.final.overall))
    record: Record = {
        "verdict": verdict(stages, primary, evaluation.depths),
        "measures": {
            name: {"first_stage": stages.first.overall[name], "reranked": value, **_comparison_record(comparison)}
            for (name, value), comparison in zip(stages.final.overall.items(), stages.comparisons.values(), strict=True)
        },
        "times": _price_record(stages.price),
        "by_query": _by_query(stages, evaluation.texts),
    }
    if evaluation.depths is not None:
        record["depths"] = _sweep_record(evaluation.depths)
    return record


def _comparison_record(comparison: Comparison) -> Record:
    """A comparison; `p_holm` only where several were made."""
    return {key: value for key, value in asdict(comparison).items() if value is not None}


def _price_record(price: Price) -> Record:
    return asdict(price)


def _by_query(stages: StageFigures, texts: Mapping[str, str]) -> list[Record]:
    return [
        {
            "query_id": query,
            "query": texts[query],
            "first_stage": _values(stages.first, place),
            "reranked": _values(stages.final, place),
        }
        for place, query in enumerate(stages.first.queries)
    ]


def _values(figures: Figures, place: int) -> dict[str, float]:
    return {name: values[place] for name, values in figures.by_query.items()}


def _sweep_record(table: SweepTable) -> Record:
    return {
        "key": table.key,
        "measure": table.measure,
        "use": table.choice.value,
        "rows": [
            {
                "value": row.value,
                "is_knee": row.is_knee,
                "first_stage": dict(row.stages.first.overall),
                "reranked": dict(row.stages.final.overall),
                "times": _price_record(row.stages.price),
            }
            for row in table.rows
        ],
    }


def _compared_record(compared: Compared) -> Record:
    return {
        "name": compared.name,
        "measures": dict(compared.figures.overall),
        "against_the_first": {name: _comparison_record(each) for name, each in compared.comparisons.items()},
        "query_p50_s": compared.query_p50_s,
        "by_query": [
            {"query_id": query, **_values(compared.figures, place)}
            for place, query in enumerate(compared.figures.queries)
        ],
    }


def _diagnosis_record(diagnosis: Diagnosis) -> Record:
    return {
        "top": diagnosis.top,
        "relevant": diagnosis.relevant,
        "counts": dict(diagnosis.counts),
        "queries": [
            {
                "query_id": diagnosed.query.id,
                "query": diagnosed.query.text,
                "misses": [asdict(miss) for miss in diagnosed.misses],
            }
            for diagnosed in diagnosis.queries
        ],
    }
