"""`rerank-cli eval`: whether reranking helps on these documents, and at what cost. The options of its commands."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rerank_cli.cli.eval_arguments import EvalGroup
from rerank_cli.cli.options import (
    CollectionFolder,
    ConfigFile,
    ContextStyle,
    Device,
    EncoderName,
    Extensions,
    FusionName,
    FusionWeight,
    IndexName,
    Json,
    MaxTokens,
    NotPaths,
    Paths,
    QrelsFile,
    QueriesFile,
    Quiet,
    RemoteTimeout,
    RerankerName,
    Reranks,
    RetrieverName,
    Since,
    TokenizerName,
    TopK,
    Until,
    Where,
    configured,
    given,
    own,
    own_path,
    working_folder,
)
from rerank_cli.errors import UsageError

SEARCH = (
    *("index", "retriever", "top_k", "rerank", "fusion", "fusion_weight", "max_tokens", "tokenizer", "context_style"),
    *("encoder", "reranker", "device", "config", "path", "not_path", "ext", "since", "until", "where"),
)
"""Parameters that say how to search, and what is made of it; runs that others made were searched already."""

app = typer.Typer(cls=EvalGroup, rich_markup_mode=None, add_completion=False)


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
    max_tokens: MaxTokens = None,
    tokenizer: TokenizerName = None,
    context_style: ContextStyle = None,
    path: Paths = None,
    not_path: NotPaths = None,
    ext: Extensions = None,
    since: Since = None,
    until: Until = None,
    where: Where = None,
    measure: Annotated[
        list[str] | None, own("--measure", "A measure of ir_measures, or ContextRecall@TOKENS. May be repeated.")
    ] = None,
    sweep: Annotated[
        list[str] | None,
        own("--sweep", "top-k=10,50,auto, fusion=…, fusion-weight=…, retriever=… or max-tokens=…. May be repeated."),
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
    remote_timeout: RemoteTimeout = None,
    config: ConfigFile = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Measure both stages on judged queries: does reranking help here, and at what cost?

    \b
    Examples:
      rerank-cli eval
      rerank-cli eval --sweep top-k=10,50,100 --report ../report.html
      rerank-cli eval --fail-under nDCG@10=0.7 --quiet --json > ../figures.json
    """
    if context.invoked_subcommand is not None:
        _check_flags_of_group(context)
        return 0
    from rerank_cli.cli.evaluating.asked import Asked, check_combination, check_places
    from rerank_cli.cli.filtering import asked_filter

    flags = given(locals())
    asked = Asked(
        collection=collection,
        queries=queries,
        qrels=qrels,
        filters=asked_filter(path=path, not_path=not_path, ext=ext, since=since, until=until, where=where),
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
    check_combination(asked)
    check_places(asked)
    if asked.run_in:
        _check_flags_of_runs(context)
        from rerank_cli.cli.evaluating.foreign_runs import judge_runs

        return judge_runs(asked)
    if asked.compare:
        from rerank_cli.cli.evaluating.several_configurations import compare_several

        return compare_several(asked, index, flags)
    settings = configured(working_folder(), config, flags).settings
    from rerank_cli.cli.evaluating.one_configuration import evaluate_one

    return evaluate_one(asked, index, settings)


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


@app.command("init")
def init(
    out: Annotated[Path, own_path("--out", "Folder to write queries.jsonl and qrels.tsv to.")],
    index: IndexName = None,
    count: Annotated[int, own("--count", "Queries to draw.", min=1, show_default=True)] = 50,
    seed: Annotated[int, own("--seed", "Another seed draws others.", show_default=True)] = 17,
) -> int:
    """Draw known-item queries from the indexed documents: a start for want of judgements.

    \b
    Examples:
      rerank-cli eval init --out ../known-items --count 20
    """
    from rerank_cli.cli.evaluating.known_item_set import write_set

    return write_set(out, index_name=index, count=count, seed=seed)


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
    remote_timeout: RemoteTimeout = None,
    config: ConfigFile = None,
) -> int:
    """Judge what both stages show for each query, blind and in random order; each answer is saved at once.

    \b
    Examples:
      rerank-cli eval judge
      rerank-cli eval judge --queries queries.jsonl --qrels ../mine.tsv --pool 5
    """
    flags = {**given(locals()), "rerank": True}
    settings = configured(working_folder(), config, flags).settings
    from rerank_cli.cli.evaluating.own_judgements import Files, judge_pool

    files = Files(collection, queries, qrels)
    return judge_pool(files, index_name=index, settings=settings, depth=pool, seed=seed)
