"""`rerank-cli eval`: whether reranking helps on these documents, and at what cost."""

from __future__ import annotations

import json
import math
import os
import shlex
import shutil
import sys
from collections import Counter
from collections.abc import Sequence, Set
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from rerank_cli.cli.options import (
    CollectionFolder,
    ConfigFile,
    Device,
    EncoderName,
    FusionName,
    FusionWeight,
    IndexName,
    Json,
    QrelsFile,
    QueriesFile,
    Quiet,
    RerankerName,
    Reranks,
    RetrieverName,
    TopK,
    configured,
    own,
    own_path,
    working_folder,
)
from rerank_cli.cli.progress import drawn_progress
from rerank_cli.cli.terminal import printable, say
from rerank_cli.config import Settings
from rerank_cli.errors import IndexMismatch, InputError, UsageError

if TYPE_CHECKING:
    from rerank_cli.evaluation.conclusions.evaluation import Evaluation
    from rerank_cli.evaluation.evaluate import Request, Workplace
    from rerank_cli.evaluation.figures.measures import Measure
    from rerank_cli.evaluation.inputs.collection import Collection
    from rerank_cli.records import Listener
    from rerank_cli.search import SearchSettings

GATE_FAILED = 1
INTERRUPTED = 130

LISTS = ("--compare", "--run-in")
"""Options that take every value up to the next option."""

SEARCH = ("index", "retriever", "top_k", "rerank", "fusion", "fusion_weight", "encoder", "reranker", "device", "config")
"""Parameters that say how to search; runs that others made were searched already."""


class EvalGroup(TyperGroup):
    """The commands of `eval`, with options that take several values and a folder that needs no flag."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """As usual, once `A --compare B C` stands as `--collection A --compare B --compare C`."""
        valued = {flag for option in self.params if not getattr(option, "is_flag", False) for flag in option.opts}
        return super().parse_args(ctx, with_folder(spread(args), valued=valued, commands=set(self.commands)))


def spread(arguments: Sequence[str]) -> list[str]:
    """Repeat an option of `LISTS` before each further value."""
    spaced: list[str] = []
    option = ""
    for place, argument in enumerate(arguments):
        if argument.startswith("-"):
            name = argument.partition("=")[0]
            option = name if name in LISTS else ""
        elif option and arguments[place - 1] != option:
            spaced.append(option)
        spaced.append(argument)
    return spaced


def with_folder(arguments: Sequence[str], *, valued: Set[str], commands: Set[str]) -> list[str]:
    """Put `--collection` before a folder that is no value of an option of *valued*, up to one of *commands*.

    Raises:
        UsageError: what stands there is no folder, or there are two.
    """
    named: list[str] = []
    for place, argument in enumerate(arguments):
        if argument in commands:
            return [*named, *arguments[place:]]
        if not argument.startswith("-") and (place == 0 or arguments[place - 1] not in valued):
            if not Path(argument).is_dir():
                raise UsageError(
                    f"{argument!r} is no folder",
                    remedy=f"name one with queries and judgements, or {' or '.join(sorted(commands))}",
                )
            named.append("--collection")
        named.append(argument)
    if sum(argument.partition("=")[0] == "--collection" for argument in named) > 1:
        raise UsageError("two folders of queries and judgements were named", remedy="keep one --collection")
    return named


app = typer.Typer(cls=EvalGroup, rich_markup_mode=None)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the flags ask for beside the search settings."""

    collection: Path | None
    queries: Path | None
    qrels: Path | None
    measures: tuple[str, ...]
    sweeps: tuple[str, ...]
    compare: tuple[Path, ...]
    run_in: tuple[Path, ...]
    run_out: Path | None
    fail_under: tuple[str, ...]
    baseline: Path | None
    max_drop: float
    diagnose: bool
    report: Path | None
    plot: Path | None
    no_cache: bool
    as_json: bool
    quiet: bool


@app.callback(invoke_without_command=True)
def run(
    context: typer.Context,
    collection: CollectionFolder = None,
    queries: QueriesFile = None,
    qrels: QrelsFile = None,
    index: IndexName = None,
    retriever: RetrieverName = None,
    top_k: TopK = None,
    rerank: Reranks = None,
    fusion: FusionName = None,
    fusion_weight: FusionWeight = None,
    measure: Annotated[
        list[str] | None, own("--measure", "A measure of ir_measures, or ContextRecall@TOKENS. May be repeated.")
    ] = None,
    sweep: Annotated[
        list[str] | None,
        own("--sweep", "top-k=10,50,100, fusion=…, fusion-weight=… or retriever=…, from one pass. May be repeated."),
    ] = None,
    compare: Annotated[
        list[Path] | None, own_path("--compare", "Configuration files, each tested against the first.")
    ] = None,
    run_in: Annotated[list[Path] | None, own_path("--run-in", "Judge these TREC runs in place of an index.")] = None,
    run_out: Annotated[Path | None, own_path("--run-out", "Write the final ranking as a TREC run.")] = None,
    fail_under: Annotated[
        list[str] | None, own("--fail-under", "MEASURE=VALUE: exit with 1 below it. May be repeated.")
    ] = None,
    baseline: Annotated[
        Path | None, own_path("--baseline", "An earlier --json: exit with 1 if a measure fell.")
    ] = None,
    max_drop: Annotated[
        float, own("--max-drop", "What a measure may fall below the baseline.", show_default=True)
    ] = 0.0,
    diagnose: Annotated[bool, own("--diagnose", "Tell why relevant documents are not at the top.")] = False,
    report: Annotated[Path | None, own_path("--report", "Write a page (HTML) with charts.")] = None,
    plot: Annotated[Path | None, own_path("--plot", "Draw a chart (PNG or SVG; needs rerank-cli[plot]).")] = None,
    no_cache: Annotated[bool, own("--no-cache", "Score every pair anew and keep no score.")] = False,
    encoder: EncoderName = None,
    reranker: RerankerName = None,
    device: Device = None,
    config: ConfigFile = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Measure both stages on judged queries: does reranking help here, and at what cost?"""
    if context.invoked_subcommand is not None:
        _check_flags_of_group(context)
        return 0
    flags: dict[str, object] = {
        "retriever": retriever,
        "top_k": top_k,
        "rerank": rerank,
        "fusion": fusion,
        "fusion_weight": fusion_weight,
        "encoder": encoder,
        "reranker": reranker,
        "device": device,
    }
    asked = _Asked(
        collection=collection,
        queries=queries,
        qrels=qrels,
        measures=tuple(measure or ()),
        sweeps=tuple(sweep or ()),
        compare=tuple(compare or ()),
        run_in=tuple(run_in or ()),
        run_out=run_out,
        fail_under=tuple(fail_under or ()),
        baseline=baseline,
        max_drop=max_drop,
        diagnose=diagnose,
        report=report,
        plot=plot,
        no_cache=no_cache,
        as_json=as_json,
        quiet=quiet,
    )
    _check_combination(asked)
    _check_places(asked)
    if asked.run_in:
        _check_flags_of_runs(context)
        return _judge_runs(asked)
    if asked.compare:
        return _compare(asked, index, flags)
    return _evaluate(asked, index, configured(working_folder(), config, flags).settings)


def _flags(context: typer.Context) -> dict[str, str]:
    """The flags that were typed, by the parameter's name."""
    sources = {name: context.get_parameter_source(name) for name in context.params}
    typed = [name for name, source in sources.items() if source is not None and source.name == "COMMANDLINE"]
    return {name: f"--{name.removeprefix('as_').replace('_', '-')}" for name in typed}


def _check_flags_of_group(context: typer.Context) -> None:
    """Refuse a flag that stands before a command of its own: it would count for nothing."""
    for flag in _flags(context).values():
        raise UsageError(f"{flag} stands before {context.invoked_subcommand}", remedy="put it behind the command")


def _check_flags_of_runs(context: typer.Context) -> None:
    """Refuse a flag that says how to search: it would count for nothing."""
    for name, flag in _flags(context).items():
        if name in SEARCH:
            raise UsageError(f"{flag} says how to search, and --run-in searches nothing", remedy="drop one")


def _check_places(asked: _Asked) -> None:
    """Refuse a file that cannot be written before minutes of work are done for it."""
    for flag, path in {"--run-out": asked.run_out, "--report": asked.report, "--plot": asked.plot}.items():
        if path is None:
            continue
        is_device = path.exists() and not path.is_file() and not path.is_dir()
        place = path if is_device else path.parent
        if path.is_dir() or not place.exists() or not os.access(place, os.W_OK):
            raise InputError(f"{flag} {path}: cannot be written", remedy="name a file in a folder that can")


def _check_combination(asked: _Asked) -> None:
    """Refuse flags that say nothing together, before any work is done."""
    several = "--run-in" if asked.run_in else "--compare" if asked.compare else ""
    single = {
        "--sweep": asked.sweeps,
        "--diagnose": asked.diagnose,
        "--report": asked.report,
        "--plot": asked.plot,
        "--run-out": asked.run_out,
    }
    for flag, given in single.items():
        if several and given:
            raise UsageError(f"{flag} looks into one configuration, and {several} judges several", remedy="drop one")
    for flag, files in {"--run-in": asked.run_in, "--compare": asked.compare}.items():
        for file, count in Counter(files).items():
            if count > 1:
                raise UsageError(f"{flag} names {file} twice", remedy="name each once")
    if asked.run_in and asked.compare:
        raise UsageError("--run-in and --compare were both given", remedy="drop one")
    if len(asked.compare) == 1:
        raise UsageError("--compare has one configuration", remedy="name two or more")
    if asked.max_drop and asked.baseline is None:
        raise UsageError("--max-drop without --baseline", remedy="name the earlier result with --baseline")
    if not 0.0 <= asked.max_drop < math.inf:
        raise UsageError(f"--max-drop {asked.max_drop:g}: no drop", remedy="choose 0 or more")
    if asked.plot is not None and asked.plot.suffix not in (".png", ".svg"):
        raise UsageError(f"--plot {asked.plot}: neither .png nor .svg", remedy="name it so")


# One configuration on one index


def _evaluate(asked: _Asked, index: str | None, settings: Settings) -> int:
    from rerank_cli.evaluation.conclusions.notes import indexed_collection_note
    from rerank_cli.evaluation.conclusions.provenance import provenance_of_search
    from rerank_cli.evaluation.evaluate import evaluate
    from rerank_cli.evaluation.figures.sweep import parse_sweeps
    from rerank_cli.evaluation.inputs.collection import read_collection
    from rerank_cli.evaluation.inputs.indexed_ids import with_indexed_ids
    from rerank_cli.store import open_reader
    from rerank_cli.store.location import find_index

    if asked.plot is not None:
        from rerank_cli.evaluation.showing.plot import check_installed

        check_installed()
    folder = find_index(index, start=working_folder())
    request = _request(asked, settings)
    parse_sweeps(request.sweeps, request.variant)
    with open_reader(folder) as reader:
        files = _collection_files(asked, Path(reader.manifest.recipe.root))
        collection = with_indexed_ids(read_collection(*files), reader, files=files)
    baseline = _baseline(asked, collection.fingerprint, request.measures_at(settings.top_k))
    with ExitStack() as stack:
        listener = stack.enter_context(drawn_progress(quiet=asked.quiet))
        workplace = _workplace(stack, folder, settings, caches=not asked.no_cache, listener=listener)
        evaluation = evaluate(collection, request, workplace, listener=listener)
        evaluation = replace(
            evaluation,
            context=provenance_of_search(
                shlex.join(["rerank-cli", *sys.argv[1:]]), workplace.index, settings, workplace.reranker
            ),
            notes=(*indexed_collection_note(workplace.index, files), *evaluation.notes),
        )
    _write_files(asked, evaluation, collection)
    return _publish(asked, evaluation, baseline)


def _request(asked: _Asked, settings: Settings) -> Request:
    from rerank_cli.evaluation.conclusions.gate import parse_floor
    from rerank_cli.evaluation.evaluate import Request
    from rerank_cli.evaluation.figures.measures import parse_measures

    return Request(
        variant=_variant(settings),
        measures=parse_measures(asked.measures),
        gated=tuple(parse_floor(text)[0] for text in asked.fail_under),
        sweeps=asked.sweeps,
        diagnoses=asked.diagnose or asked.report is not None,
        draws=asked.report is not None or asked.plot is not None,
        top=settings.top_n,
    )


def _variant(settings: Settings) -> SearchSettings:
    from rerank_cli.search import SearchSettings

    return SearchSettings(
        retriever=settings.retriever,
        top_k=settings.top_k,
        fusion=settings.fusion,
        fusion_weight=settings.fusion_weight,
        reranks=settings.rerank,
        per_document=settings.per_document,
    )


def _workplace(stack: ExitStack, folder: Path, settings: Settings, *, caches: bool, listener: Listener) -> Workplace:
    """The index, the models and the score cache, open until *stack* closes."""
    from rerank_cli.evaluation.evaluate import Workplace
    from rerank_cli.models.loading import open_encoder, open_reranker
    from rerank_cli.store import open_reader
    from rerank_cli.store.scores import ScoreStore, scores_path

    reranks = settings.rerank
    return Workplace(
        index=stack.enter_context(open_reader(folder)),
        encoder=open_encoder(settings.encoder, device=settings.device, listener=listener),
        reranker=open_reranker(settings.reranker, device=settings.device, listener=listener) if reranks else None,
        cache=None if not caches or not reranks else stack.enter_context(ScoreStore(scores_path())),
        device=settings.device,
    )


def _write_files(asked: _Asked, evaluation: Evaluation, collection: Collection) -> None:
    assert evaluation.stages is not None
    if asked.run_out is not None:
        from rerank_cli.evaluation.inputs.runs import spelled, write_run

        write_run(asked.run_out, spelled(evaluation.stages.final_run, collection.spellings))
    if asked.report is not None:
        from rerank_cli.evaluation.showing.report import report_page
        from rerank_cli.files import write_text

        write_text(asked.report, report_page(evaluation))
    if asked.plot is not None:
        from rerank_cli.evaluation.showing.plot import draw

        draw(evaluation, asked.plot)


# Several configurations, and runs that others made


def _compare(asked: _Asked, index: str | None, flags: dict[str, object]) -> int:
    from rerank_cli.evaluation.conclusions.provenance import provenance
    from rerank_cli.evaluation.evaluate import evaluate
    from rerank_cli.evaluation.figures.several_runs import compare_runs
    from rerank_cli.evaluation.inputs.collection import read_collection
    from rerank_cli.evaluation.inputs.indexed_ids import with_indexed_ids
    from rerank_cli.store import open_reader
    from rerank_cli.store.location import find_index

    folder = find_index(index, start=working_folder())
    with open_reader(folder) as reader:
        files = _collection_files(asked, Path(reader.manifest.recipe.root))
        collection = with_indexed_ids(read_collection(*files), reader, files=files)
    configurations = {str(path): configured(working_folder(), path, flags).settings for path in asked.compare}
    places = {name: _index_for(folder, name, settings) for name, settings in configurations.items()}
    requests = {name: _request(asked, settings) for name, settings in configurations.items()}
    of_first = next(iter(requests.values()))
    measures = of_first.measures_at(of_first.variant.top_k)
    baseline = _baseline(asked, collection.fingerprint, measures)
    evaluations: dict[str, Evaluation] = {}
    for name, settings in configurations.items():
        try:
            with ExitStack() as stack:
                listener = stack.enter_context(drawn_progress(quiet=asked.quiet))
                workplace = _workplace(stack, places[name], settings, caches=not asked.no_cache, listener=listener)
                request = replace(requests[name], measures=measures)
                evaluations[name] = evaluate(collection, request, workplace, listener=listener)
        except KeyboardInterrupt:
            if not evaluations:
                raise
            break
        if not evaluations[name].is_complete:
            break
    swept = {name: evaluation.stages for name, evaluation in evaluations.items() if evaluation.stages}
    asked_of_all = min(evaluation.asked for evaluation in evaluations.values())
    common = set.intersection(*(set(stages.final.queries) for stages in swept.values()))
    qrels = {query: grades for query, grades in collection.qrels.items() if query in common}
    compared = compare_runs({name: stages.final_run for name, stages in swept.items()}, qrels, measures)
    prices = {name: stages.price.query_p50_s for name, stages in swept.items()}
    first = next(iter(evaluations.values()))
    shared = [note for note in first.notes if all(note in each.notes for each in evaluations.values())]
    evaluation = replace(
        first,
        context=provenance(shlex.join(["rerank-cli", *sys.argv[1:]])),
        notes=(
            *shared,
            *(f"{name}: {note}" for name, each in evaluations.items() for note in each.notes if note not in shared),
        ),
        unmeasured=tuple(name for name in configurations if name not in evaluations),
        asked=asked_of_all,
        stages=None,
        depths=None,
        compared=tuple(replace(each, query_p50_s=prices[each.name]) for each in compared),
    )
    return _publish(asked, evaluation, baseline)


def _index_for(folder: Path, name: str, settings: Settings) -> Path:
    """The index of *folder*'s root that a configuration can search."""
    from rerank_cli.models.catalogue import find_model
    from rerank_cli.store.location import index_made_with

    fingerprint = find_model(settings.encoder, "encoder").fingerprint
    found = index_made_with(folder, encoder_fingerprint=fingerprint, passage_tokens=settings.passage_tokens)
    if found is None:
        raise IndexMismatch(
            f"{name}: no index of these documents was made with the encoder {settings.encoder}",
            remedy=f"make one: rerank-cli index FOLDER --config {name} --index NAME",
        )
    return found


def _judge_runs(asked: _Asked) -> int:
    from rerank_cli.evaluation.conclusions.gate import parse_floor
    from rerank_cli.evaluation.conclusions.provenance import provenance
    from rerank_cli.evaluation.evaluate import evaluate_runs
    from rerank_cli.evaluation.figures.measures import default_measures, parse_measures
    from rerank_cli.evaluation.inputs.collection import qrels_in
    from rerank_cli.evaluation.inputs.runs import read_run
    from rerank_cli.queries import read_queries
    from rerank_cli.trec import read_qrels

    if asked.qrels is None and asked.collection is None:
        raise UsageError("--run-in without judgements", remedy="name them with --collection or --qrels")
    qrels_file = asked.qrels or qrels_in(asked.collection or Path())
    gated = tuple(parse_floor(text)[0] for text in asked.fail_under)
    measures = parse_measures(asked.measures) or default_measures(100, budgets=())
    measures = tuple(dict.fromkeys((*measures, *gated)))
    for measure in measures:
        if measure.budget_tokens is not None:
            raise UsageError(f"{measure.name}: a run holds documents, no passages", remedy="measure it on an index")
    qrels = read_qrels(qrels_file)
    texts = {query.id: query.text for query in read_queries(asked.queries)} if asked.queries else {}
    runs = {str(path): read_run(path) for path in asked.run_in}
    evaluation = evaluate_runs(runs, qrels, texts, measures)
    evaluation = replace(evaluation, context=provenance(shlex.join(["rerank-cli", *sys.argv[1:]])))
    baseline = _baseline(asked, evaluation.collection_fingerprint, measures)
    return _publish(asked, evaluation, baseline)


# Collection, output and gate


def _collection_files(asked: _Asked, root: Path) -> tuple[Path, Path]:
    from rerank_cli.evaluation.inputs.collection import collection_files

    return collection_files(root, folder=asked.collection, queries=asked.queries, qrels=asked.qrels)


def _baseline(asked: _Asked, collection_fingerprint: str, measures: Sequence[Measure]) -> dict[str, float]:
    from rerank_cli.evaluation.conclusions.gate import read_baseline

    if asked.baseline is None:
        return {}
    return read_baseline(asked.baseline, collection_fingerprint=collection_fingerprint, measures=measures)


def _publish(asked: _Asked, evaluation: Evaluation, baseline: dict[str, float]) -> int:
    """Print everything, then say whether the gate is one_pass; an interrupted run passes none."""
    from rerank_cli.evaluation.conclusions.gate import below_baseline, below_floors_of_all, parse_floor
    from rerank_cli.evaluation.showing.as_json import evaluation_json

    if asked.as_json:
        print(json.dumps(evaluation_json(evaluation), ensure_ascii=False, indent=2, allow_nan=False))
    else:
        from rerank_cli.evaluation.showing.text import evaluation_lines

        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
        for line in evaluation_lines(evaluation, diagnosed=asked.diagnose, width=width):
            print(line)
        for note in evaluation.notes if not asked.quiet else ():
            say(f"rerank-cli: {note}")
    if not evaluation.is_complete:
        rest = f"; not measured: {', '.join(evaluation.unmeasured)}" if evaluation.unmeasured else ""
        say(f"rerank-cli: interrupted: partial figures of {evaluation.asked} of {evaluation.total} queries{rest}")
        return INTERRUPTED
    reasons = below_floors_of_all(evaluation, [parse_floor(text) for text in asked.fail_under])
    reasons += below_baseline(evaluation, baseline, max_drop=asked.max_drop)
    for reason in reasons:
        say(f"rerank-cli: {reason}")
    return GATE_FAILED if reasons else 0


# Judgements of one's own


@app.command("init")
def init(
    out: Annotated[Path, own_path("--out", "Folder to write queries.jsonl and qrels.tsv to.")],
    index: IndexName = None,
    count: Annotated[int, own("--count", "Queries to draw.", min=1, show_default=True)] = 50,
    seed: Annotated[int, own("--seed", "Another seed draws others.", show_default=True)] = 17,
) -> int:
    """Draw known-item queries from the indexed documents: a start for want of judgements."""
    from rerank_cli.evaluation.inputs.apart import check_outside
    from rerank_cli.evaluation.inputs.known_items import WARNING, draw_known_items, write_known_items
    from rerank_cli.store import open_reader
    from rerank_cli.store.location import find_index

    with open_reader(find_index(index, start=working_folder())) as reader:
        check_outside(out, reader)
        items = draw_known_items(reader, count=count, seed=seed)
    write_known_items(out, items)
    print(printable(f"{out}: {len(items)} known-item queries"))
    say(f"rerank-cli: {WARNING}")
    return 0


@app.command("judge")
def judge(
    collection: CollectionFolder = None,
    queries: QueriesFile = None,
    qrels: QrelsFile = None,
    index: IndexName = None,
    pool: Annotated[int, own("--pool", "Documents of each stage to judge, best first.", min=1, show_default=True)] = 10,
    seed: Annotated[int, own("--seed", "Another seed shows them in another order.", show_default=True)] = 17,
    encoder: EncoderName = None,
    reranker: RerankerName = None,
    device: Device = None,
    config: ConfigFile = None,
) -> int:
    """Judge what both stages show for each query, blind and in random order; each answer is saved at once."""
    from rerank_cli.cli.judging import judge as judge_all
    from rerank_cli.cli.judging import single_keys
    from rerank_cli.evaluation.asking.one_pass import Pass
    from rerank_cli.evaluation.asking.pooling import to_judge
    from rerank_cli.evaluation.asking.remembered_scores import RememberingReranker
    from rerank_cli.evaluation.inputs.apart import check_outside
    from rerank_cli.evaluation.inputs.collection import JudgedQuery, find_files, queries_in
    from rerank_cli.evaluation.inputs.judgement_file import JudgementFile
    from rerank_cli.queries import read_queries
    from rerank_cli.store.location import find_index

    settings = configured(
        working_folder(), config, {"encoder": encoder, "reranker": reranker, "device": device, "rerank": True}
    ).settings
    folder = find_index(index, start=working_folder())
    with ExitStack() as stack:
        listener = stack.enter_context(drawn_progress(quiet=True))
        workplace = _workplace(stack, folder, settings, caches=True, listener=listener)
        root = Path(workplace.index.manifest.recipe.root)
        place = collection or (queries.parent if queries else root if root.is_dir() else root.parent)
        asked = [JudgedQuery(query.id, query.text) for query in read_queries(queries or queries_in(place))]
        judged = qrels or find_files(place)[1] or place / "qrels.tsv"
        if not judged.exists():
            check_outside(judged.parent, workplace.index)
        judgements = JudgementFile(judged)
        assert workplace.reranker is not None
        remembering = RememberingReranker(workplace.reranker, cache=workplace.cache, device=workplace.device)
        variant = _variant(settings)
        one_pass = Pass(
            workplace.index,
            encoder=workplace.encoder,
            reranker=remembering,
            scored=[variant.retriever],
            top_k=variant.top_k,
        )
        pooled = to_judge(
            asked, one_pass, variant, index=workplace.index, grades=judgements.grades, depth=pool, seed=seed
        )
        session = judge_all(pooled, judgements, read_key=stack.enter_context(single_keys()))
    print(
        printable(f"{judged}: {session.judged} judgements, {session.relevant} relevant, in {session.elapsed_s:.0f} s")
    )
    return 0
