"""`rerank-cli similar`: what is like a file of an index, or like a passage of it."""

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
    IndexNames,
    NoPager,
    NotPaths,
    Paths,
    Quiet,
    RemoteTimeout,
    RerankerName,
    Reranks,
    RetrieverName,
    Since,
    TopK,
    Until,
    Where,
    given,
    indexes_and_settings,
    named_encoder,
    own,
    setting,
    without_pager,
    working_folder,
)


def run(
    place: Annotated[
        Path,
        typer.Argument(
            help="A file of the index, and perhaps behind a colon where in it: a line (12), some (12-20), a page or "
            "the like, a time (00:01:20).",
            show_default=False,
            readable=False,
            metavar="PATH[:PLACE]",
        ),
    ],
    indexes: IndexNames = None,
    retriever: RetrieverName = None,
    top_k: TopK = None,
    rerank: Reranks = None,
    fusion: FusionName = None,
    fusion_weight: FusionWeight = None,
    top_n: Annotated[str | None, setting("top_n", "-n")] = None,
    min_score: Annotated[str | None, setting("min_score")] = None,
    path: Paths = None,
    not_path: NotPaths = None,
    ext: Extensions = None,
    since: Since = None,
    until: Until = None,
    where: Where = None,
    format: Annotated[str | None, setting("format", "-f")] = None,
    link: Annotated[str | None, setting("link")] = None,
    color: Annotated[str | None, setting("color")] = None,
    pager: Annotated[str | None, setting("pager")] = None,
    no_pager: NoPager = False,
    explain: Annotated[bool, own("--explain", "Show where each hit stood in each list.")] = False,
    encoder: EncoderName = None,
    reranker: RerankerName = None,
    device: Device = None,
    remote_timeout: RemoteTimeout = None,
    config: ConfigFile = None,
    quiet: Quiet = False,
) -> int:
    """Find what is like a file, or like the passage at a place in it.

    \b
    Examples:
      rerank-cli similar safety/gas-smell.html:20
      rerank-cli similar boat/winter-layup.md --format paths
    """
    flags = given(locals())
    if no_pager:
        flags["pager"] = without_pager(pager)
    from rerank_cli.cli.filtering import asked_filter
    from rerank_cli.cli.similarity import list_similar

    filters = asked_filter(path=path, not_path=not_path, ext=ext, since=since, until=until, where=where)
    around = (working_folder() / place).parent
    folders, merged = indexes_and_settings(config, flags, start=around.resolve() if around.is_dir() else None)
    return list_similar(
        place,
        indexes=folders,
        settings=merged.settings,
        encoder=named_encoder(merged, config),
        filters=filters,
        explain=explain,
        quiet=quiet,
    )
