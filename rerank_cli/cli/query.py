"""`rerank-cli query`: search an index in both stages."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from rerank_cli.cli.options import (
    ConfigFile,
    ContextStyle,
    Device,
    EncoderName,
    Extensions,
    FusionName,
    FusionWeight,
    IndexNames,
    MaxTokens,
    NotPaths,
    Order,
    Paths,
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
    given,
    indexes_and_settings,
    named_encoder,
    own,
    setting,
)


def run(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[TEXT]...",
            help="What to look for; several words need no quotes. - reads queries from stdin, one a line.",
            show_default=False,
        ),
    ] = None,
    queries: QueriesFile = None,
    indexes: IndexNames = None,
    retriever: RetrieverName = None,
    top_k: TopK = None,
    rerank: Reranks = None,
    fusion: FusionName = None,
    fusion_weight: FusionWeight = None,
    fresh: Annotated[bool | None, setting("fresh")] = None,
    fresh_budget: Annotated[str | None, setting("fresh_budget")] = None,
    budget: Annotated[str | None, setting("budget")] = None,
    top_n: Annotated[str | None, setting("top_n", "-n")] = None,
    per_document: Annotated[str | None, setting("per_document")] = None,
    min_score: Annotated[str | None, setting("min_score")] = None,
    path: Paths = None,
    not_path: NotPaths = None,
    ext: Extensions = None,
    since: Since = None,
    until: Until = None,
    where: Where = None,
    format: Annotated[str | None, setting("format", "-f")] = None,
    max_tokens: MaxTokens = None,
    tokenizer: TokenizerName = None,
    context_style: ContextStyle = None,
    order: Order = None,
    link: Annotated[str | None, setting("link")] = None,
    explain: Annotated[bool, own("--explain", "Show where each hit stood in each list.")] = False,
    encoder: EncoderName = None,
    reranker: RerankerName = None,
    device: Device = None,
    remote_timeout: RemoteTimeout = None,
    config: ConfigFile = None,
    quiet: Quiet = False,
) -> int:
    """Search an index in two stages: retrieve many, rerank them all, show the best few.

    \b
    Examples:
      rerank-cli query there is a smell of gas
      rerank-cli query change the oil --path 'boat/**' --top-n 3
      rerank-cli query before winter --where tag=autumn --format json
    """
    flags = given(locals())
    # Nothing here multiplies matrices, and a thread for each processor that might takes numpy's BLAS 30 ms to begin.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from rerank_cli.cli.filtering import asked_filter
    from rerank_cli.cli.querying import answer, given_queries

    text = " ".join(words) if words else None
    asked = given_queries(text, queries)
    filters = asked_filter(path=path, not_path=not_path, ext=ext, since=since, until=until, where=where)
    folders, merged = indexes_and_settings(config, flags)
    return answer(
        asked,
        many=text is None or text == "-",
        indexes=folders,
        settings=merged.settings,
        encoder=named_encoder(merged, config),
        filters=filters,
        explain=explain,
        quiet=quiet,
    )
