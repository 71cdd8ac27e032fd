"""`rerank-cli query`: search an index in both stages."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rerank_cli.cli.options import (
    ConfigFile,
    Device,
    EncoderName,
    Extensions,
    FusionName,
    FusionWeight,
    IndexName,
    NotPaths,
    Paths,
    QueriesFile,
    Quiet,
    RerankerName,
    Reranks,
    RetrieverName,
    Since,
    TopK,
    Until,
    Where,
    configured,
    configured_for,
    named_encoder,
    own,
    setting,
    working_folder,
)
from rerank_cli.config import Config
from rerank_cli.errors import IndexMissing, UsageError


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
    link: Annotated[str | None, setting("link")] = None,
    explain: Annotated[bool, own("--explain", "Show where each hit stood in each list.")] = False,
    encoder: EncoderName = None,
    reranker: RerankerName = None,
    device: Device = None,
    config: ConfigFile = None,
    quiet: Quiet = False,
) -> int:
    """Search an index in two stages: retrieve many, rerank them all, show the best few."""
    from rerank_cli.cli.filtering import asked_filter
    from rerank_cli.cli.querying import answer, given_queries

    asked = given_queries(text, queries)
    filters = asked_filter(path=path, not_path=not_path, ext=ext, since=since, until=until, where=where)
    flags: dict[str, object] = {
        "retriever": retriever,
        "top_k": top_k,
        "rerank": rerank,
        "fusion": fusion,
        "fusion_weight": fusion_weight,
        "top_n": top_n,
        "per_document": per_document,
        "min_score": min_score,
        "format": format,
        "link": link,
        "encoder": encoder,
        "reranker": reranker,
        "device": device,
    }
    folder, merged = _index_and_settings(index, config, flags)
    return answer(
        asked,
        many=text is None or text == "-",
        index=folder,
        settings=merged.settings,
        encoder=named_encoder(merged, config),
        filters=filters,
        explain=explain,
        quiet=quiet,
    )


def _index_and_settings(name: str | None, config_file: Path | None, flags: dict[str, object]) -> tuple[Path, Config]:
    """The index that is meant, and the settings of its documents. A flag that is wrong is told before one is missed."""
    from rerank_cli.store.location import find_index

    try:
        folder = find_index(name, start=working_folder())
    except IndexMissing:
        _checked(configured(working_folder(), config_file, flags))
        raise
    return folder, _checked(configured_for(folder, config_file, flags))


def _checked(merged: Config) -> Config:
    if merged.settings.min_score is not None and not merged.settings.rerank:
        limited, left_out = merged.origins["min_score"], merged.origins["rerank"]
        raise UsageError(
            f"min_score ({limited}) judges the reranker's score, and rerank is false ({left_out})", remedy="drop one"
        )
    return merged
