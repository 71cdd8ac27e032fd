"""The work of `rerank-cli eval --run-in`: runs that others made, on no index."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from rerank_cli.cli.evaluating.asked import Asked, typed_command
from rerank_cli.cli.evaluating.publishing import publish
from rerank_cli.cli.evaluating.workplace import baseline_of
from rerank_cli.errors import UsageError
from rerank_cli.evaluation.conclusions.gate import parse_floor
from rerank_cli.evaluation.conclusions.provenance import provenance
from rerank_cli.evaluation.evaluate import evaluate_runs
from rerank_cli.evaluation.figures.measures import default_measures, parse_measures
from rerank_cli.evaluation.inputs.collection import qrels_in
from rerank_cli.evaluation.inputs.runs import read_run
from rerank_cli.queries import read_queries
from rerank_cli.trec import read_qrels


def judge_runs(asked: Asked) -> int:
    """Judge the runs that were named, each against the first, print the result and return the exit code."""

    if asked.qrels is None and asked.collection is None:
        raise UsageError("--run-in without judgements", remedy="name them with --collection or --qrels")
    qrels_file = asked.qrels or qrels_in(asked.collection or Path())
    gated = tuple(parse_floor(text)[0] for text in asked.fail_under)
    measures = parse_measures(asked.measures) or default_measures(100, budget=None)
    measures = tuple(dict.fromkeys((*measures, *gated)))
    for measure in measures:
        if measure.budget_tokens is not None:
            raise UsageError(f"{measure.name}: a run holds documents, no passages", remedy="measure it on an index")
    qrels = read_qrels(qrels_file)
    texts = {query.id: query.text for query in read_queries(asked.queries)} if asked.queries else {}
    runs = {str(path): read_run(path) for path in asked.run_in}
    evaluation = evaluate_runs(runs, qrels, texts, measures)
    evaluation = replace(evaluation, context=provenance(typed_command()))
    baseline = baseline_of(asked, evaluation.collection_fingerprint, measures)
    return publish(asked, evaluation, baseline)
