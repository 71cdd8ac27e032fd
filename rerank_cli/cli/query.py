"""`rerank-cli query`: search an index in both stages."""

from __future__ import annotations

import os
from pathlib import Path
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
    configured,
    configured_for,
    index_meant,
    indexes_named,
    named_encoder,
    own,
    setting,
    working_folder,
)
from rerank_cli.config import Config
from rerank_cli.errors import UsageError


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
    """Search an index in two stages: retrieve many, rerank them all, show the best few."""
    # Nothing here multiplies matrices, and a thread for each processor that might takes numpy's BLAS 30 ms to begin.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from rerank_cli.cli.filtering import asked_filter
    from rerank_cli.cli.querying import answer, given_queries

    text = " ".join(words) if words else None
    asked = given_queries(text, queries)
    filters = asked_filter(path=path, not_path=not_path, ext=ext, since=since, until=until, where=where)
    flags: dict[str, object] = {
        "indexes": tuple(indexes) if indexes else None,
        "retriever": retriever,
        "top_k": top_k,
        "rerank": rerank,
        "fusion": fusion,
        "fusion_weight": fusion_weight,
        "fresh": fresh,
        "fresh_budget": fresh_budget,
        "budget": budget,
        "top_n": top_n,
        "per_document": per_document,
        "min_score": min_score,
        "format": format,
        "max_tokens": max_tokens,
        "tokenizer": tokenizer,
        "context_style": context_style,
        "order": order,
        "link": link,
        "encoder": encoder,
        "reranker": reranker,
        "device": device,
        "remote_timeout": remote_timeout,
    }
    folders, merged = _indexes_and_settings(config, flags)
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


def _indexes_and_settings(config_file: Path | None, flags: dict[str, object]) -> tuple[tuple[Path, ...], Config]:
    """The indexes that are meant, and the settings of their documents; of several those of where the user stands.

    A flag that is wrong is told before an index is missed.
    """
    here = _checked(configured(working_folder(), config_file, flags))
    named: tuple[str | None, ...] = indexes_named(here) or (None,)
    folders = tuple(dict.fromkeys(map(index_meant, named)))
    return folders, here if len(folders) > 1 else _checked(configured_for(folders[0], config_file, flags))


def _checked(merged: Config) -> Config:
    if merged.settings.min_score is not None and not merged.settings.rerank:
        limited, left_out = merged.origins["min_score"], merged.origins["rerank"]
        raise UsageError(
            f"min_score ({limited}) judges the reranker's score, and rerank is false ({left_out})", remedy="drop one"
        )
    return merged
