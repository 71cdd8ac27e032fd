"""The work of a plain `rerank-cli eval`: one configuration on one index, in one of its generations."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from rerank_cli.cli.evaluating.asked import Asked, typed_command
from rerank_cli.cli.evaluating.publishing import publish
from rerank_cli.cli.evaluating.workplace import baseline_of, request_of, workplace
from rerank_cli.cli.filtering import filter_within
from rerank_cli.cli.options import index_meant, working_folder
from rerank_cli.cli.progress import drawn_progress
from rerank_cli.config import Settings
from rerank_cli.evaluation.conclusions.evaluation import Evaluation
from rerank_cli.evaluation.conclusions.notes import indexed_collection_note
from rerank_cli.evaluation.conclusions.provenance import provenance_of_search
from rerank_cli.evaluation.evaluate import evaluate
from rerank_cli.evaluation.figures.sweep import parse_sweeps
from rerank_cli.evaluation.inputs.collection import Collection, collection_files, read_collection
from rerank_cli.evaluation.inputs.indexed_ids import judged_within, with_indexed_ids
from rerank_cli.evaluation.inputs.runs import spelled, write_run
from rerank_cli.evaluation.showing.plot import draw
from rerank_cli.evaluation.showing.report import report_page
from rerank_cli.extras import check_extra
from rerank_cli.files import write_text
from rerank_cli.search import search_settings
from rerank_cli.store import open_reader


def evaluate_one(asked: Asked, index_name: str | None, settings: Settings) -> int:
    """Measure both stages, write the files that were asked for, print the result and return the exit code."""
    if asked.plot is not None:
        check_extra("plot", ["matplotlib"], user="--plot")
    folder = index_meant(index_name)
    parse_sweeps(asked.sweeps, search_settings(settings))
    with ExitStack() as stack:
        index = stack.enter_context(open_reader(folder))
        request = request_of(asked, settings, filter_within(asked.filters, index, here=working_folder()))
        root = Path(index.manifest.recipe.root)
        files = collection_files(root, folder=asked.collection, queries=asked.queries, qrels=asked.qrels)
        collection = with_indexed_ids(read_collection(*files), index, files=files)
        collection = judged_within(collection, index, request.variant.within)
        baseline = baseline_of(asked, collection.fingerprint, request.measures_at(settings.candidates))
        listener = stack.enter_context(drawn_progress(quiet=asked.quiet))
        place = workplace(stack, index, settings, caches=not asked.no_cache, listener=listener)
        evaluation = evaluate(collection, request, place, listener=listener)
        evaluation = replace(
            evaluation,
            context=provenance_of_search(
                typed_command(), index, settings, place.reranker, filters=asked.filters.parameters
            ),
            notes=(*indexed_collection_note(index, files), *evaluation.notes),
        )
    _write_files(asked, evaluation, collection)
    return publish(asked, evaluation, baseline)


def _write_files(asked: Asked, evaluation: Evaluation, collection: Collection) -> None:
    assert evaluation.stages is not None
    if asked.run_out is not None:
        write_run(asked.run_out, spelled(evaluation.stages.final_run, collection.spellings))
    if asked.report is not None:
        write_text(asked.report, report_page(evaluation))
    if asked.plot is not None:
        draw(evaluation, asked.plot)
