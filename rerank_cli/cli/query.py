"""`rerank-cli query`: search an index in both stages."""

from __future__ import annotations

from typing import Annotated

import typer

from rerank_cli.cli.options import (
    ConfigFile,
    Device,
    EncoderName,
    FusionName,
    FusionWeight,
    IndexName,
    QueriesFile,
    Quiet,
    RerankerName,
    Reranks,
    RetrieverName,
    TopK,
    configured,
    working_folder,
)
from rerank_cli.config import PREFIX
from rerank_cli.errors import UsageError


def run(
    text: Annotated[
        str | None, typer.Argument(help="What to look for; - reads queries from stdin, one a line.", show_default=False)
    ] = None,
    queries: QueriesFile = None,
    index: IndexName = None,
    retriever: RetrieverName = None,
    top_k: TopK = None,
    rerank: Reranks = None,
    fusion: FusionName = None,
    fusion_weight: FusionWeight = None,
    top_n: Annotated[int | None, typer.Option("--top-n", "-n", help="Hits to show.", show_default=False)] = None,
    per_document: Annotated[int | None, typer.Option(help="Most hits of one document.", show_default=False)] = None,
    min_score: Annotated[float | None, typer.Option(help="Least score by the reranker.", show_default=False)] = None,
    path: Annotated[
        list[str] | None,
        typer.Option(
            help="Search only files that match this glob. May be repeated.",
            envvar=f"{PREFIX}PATH",
            show_envvar=False,
            show_default=False,
        ),
    ] = None,
    format: Annotated[
        str | None,
        typer.Option("--format", "-f", help="table, plain, json, jsonl, tsv, paths or trec.", show_default=False),
    ] = None,
    explain: Annotated[
        bool,
        typer.Option(
            "--explain",
            help="Show where each hit stood in each list.",
            envvar=f"{PREFIX}EXPLAIN",
            show_envvar=False,
        ),
    ] = False,
    encoder: EncoderName = None,
    reranker: RerankerName = None,
    device: Device = None,
    config: ConfigFile = None,
    quiet: Quiet = False,
) -> int:
    """Search an index in two stages: retrieve many, rerank them all, show the best few."""
    merged = configured(
        working_folder(),
        config,
        {
            "retriever": retriever,
            "top_k": top_k,
            "rerank": rerank,
            "fusion": fusion,
            "fusion_weight": fusion_weight,
            "top_n": top_n,
            "per_document": per_document,
            "min_score": min_score,
            "format": format,
            "encoder": encoder,
            "reranker": reranker,
            "device": device,
        },
    )
    settings = merged.settings
    if settings.min_score is not None and not settings.rerank:
        limited, left_out = merged.origins["min_score"], merged.origins["rerank"]
        raise UsageError(
            f"min_score ({limited}) judges the reranker's score, and rerank is false ({left_out})", remedy="drop one"
        )
    from rerank_cli.cli.querying import answer, given_queries

    return answer(
        given_queries(text, queries),
        many=text is None or text == "-",
        index=index,
        settings=settings,
        globs=path or [],
        explain=explain,
        quiet=quiet,
    )
