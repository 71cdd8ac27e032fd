"""`rerank-cli similar`: what is like a file of an index, or like a passage of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rerank_cli.cli.options import (
    ConfigFile,
    Device,
    EncoderName,
    FusionName,
    FusionWeight,
    IndexName,
    NoPager,
    Quiet,
    RemoteTimeout,
    RerankerName,
    Reranks,
    RetrieverName,
    TopK,
    configured_for,
    given,
    index_meant,
    named_encoder,
    own,
    setting,
    without_pager,
)


def run(
    place: Annotated[
        Path,
        typer.Argument(
            help="A file of the index, and perhaps behind a colon a line, page or other place in it.",
            show_default=False,
            readable=False,
            metavar="PATH[:PLACE]",
        ),
    ],
    index: IndexName = None,
    retriever: RetrieverName = None,
    top_k: TopK = None,
    rerank: Reranks = None,
    fusion: FusionName = None,
    fusion_weight: FusionWeight = None,
    top_n: Annotated[str | None, setting("top_n", "-n")] = None,
    min_score: Annotated[str | None, setting("min_score")] = None,
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
    from rerank_cli.cli.querying import list_similar

    folder = index_meant(index)
    merged = configured_for(folder, config, flags)
    return list_similar(
        place,
        index=folder,
        settings=merged.settings,
        encoder=named_encoder(merged, config),
        explain=explain,
        quiet=quiet,
    )
