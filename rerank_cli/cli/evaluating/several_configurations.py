"""The work of `rerank-cli eval --compare`: several configurations, each tested against the first."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from rerank_cli.cli.evaluating.asked import Asked, typed_command
from rerank_cli.cli.evaluating.publishing import publish
from rerank_cli.cli.evaluating.workplace import baseline_of, request_of, workplace
from rerank_cli.cli.filtering import filter_within
from rerank_cli.cli.options import configured, index_meant, working_folder
from rerank_cli.cli.progress import drawn_progress
from rerank_cli.config import Settings
from rerank_cli.errors import IndexMismatch
from rerank_cli.evaluation.conclusions.evaluation import Evaluation
from rerank_cli.evaluation.conclusions.provenance import provenance
from rerank_cli.evaluation.evaluate import Request, evaluate, side_by_side
from rerank_cli.evaluation.inputs.collection import Collection, collection_files, read_collection
from rerank_cli.evaluation.inputs.indexed_ids import judged_within, with_indexed_ids
from rerank_cli.models.loading import open_encoder
from rerank_cli.ports import Index
from rerank_cli.store import open_reader
from rerank_cli.store.location import index_made_with


def compare_several(asked: Asked, index_name: str | None, flags: dict[str, object]) -> int:
    """Measure each configuration on an index that it can search, print the comparison and return the exit code."""
    folder = index_meant(index_name)
    with ExitStack() as stack:
        indexes = {folder: stack.enter_context(open_reader(folder))}
        root = Path(indexes[folder].manifest.recipe.root)
        files = collection_files(root, folder=asked.collection, queries=asked.queries, qrels=asked.qrels)
        collection = with_indexed_ids(read_collection(*files), indexes[folder], files=files)
        within = filter_within(asked.filters, indexes[folder], here=working_folder())
        collection = judged_within(collection, indexes[folder], within)
        configurations = {str(path): configured(working_folder(), path, flags).settings for path in asked.compare}
        places = {name: _index_for(folder, name, settings) for name, settings in configurations.items()}
        for place in {*places.values()} - {folder}:
            indexes[place] = stack.enter_context(open_reader(place))
        requests = {name: request_of(asked, settings, within) for name, settings in configurations.items()}
        of_first = next(iter(requests.values()))
        measures = of_first.measures_at(of_first.variant.top_k)
        baseline = baseline_of(asked, collection.fingerprint, measures)
        configured_on = {
            name: _Configuration(settings, indexes[places[name]], replace(requests[name], measures=measures))
            for name, settings in configurations.items()
        }
        evaluations = _evaluations(asked, collection, configured_on)
    evaluation = side_by_side(evaluations, collection, measures, names=tuple(configurations))
    return publish(asked, replace(evaluation, context=provenance(typed_command())), baseline)


@dataclass(frozen=True, slots=True)
class _Configuration:
    """Settings, the index that they can search, and what to find out there."""

    settings: Settings
    index: Index
    request: Request


def _evaluations(
    asked: Asked, collection: Collection, configurations: Mapping[str, _Configuration]
) -> dict[str, Evaluation]:
    """One after another; those that are measured when an interrupt comes, but for the first, which has to be."""
    evaluations: dict[str, Evaluation] = {}
    for name, each in configurations.items():
        try:
            with ExitStack() as stack:
                listener = stack.enter_context(drawn_progress(quiet=asked.quiet))
                place = workplace(stack, each.index, each.settings, caches=not asked.no_cache, listener=listener)
                evaluations[name] = evaluate(collection, each.request, place, listener=listener)
        except KeyboardInterrupt:
            if not evaluations:
                raise
            break
        if not evaluations[name].is_complete:
            break
    return evaluations


def _index_for(folder: Path, name: str, settings: Settings) -> Path:
    """The index of *folder*'s root that a configuration can search."""
    fingerprint = open_encoder(settings.encoder).fingerprint
    found = index_made_with(folder, encoder_fingerprint=fingerprint, passage_tokens=settings.passage_tokens)
    if found is None:
        raise IndexMismatch(
            f"{name}: no index of these documents was made with the encoder {settings.encoder}",
            remedy=f"make one: rerank-cli index FOLDER --config {name} --index NAME",
        )
    return found
