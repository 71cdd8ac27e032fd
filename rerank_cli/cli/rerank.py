"""`rerank-cli rerank`: order what comes through a pipe by how well it answers a question."""

from __future__ import annotations

from typing import Annotated

import typer

from rerank_cli.cli.options import (
    ConfigFile,
    Device,
    Quiet,
    RemoteTimeout,
    RerankerName,
    configured,
    given,
    own,
    setting,
    working_folder,
)
from rerank_cli.cli.piped import Input


def run(
    query: Annotated[list[str], typer.Argument(help="What the best ones answer; several words need no quotes.")],
    input: Annotated[Input, own("--input", "What a record is: auto tells by itself.", show_default=False)] = "auto",
    files: Annotated[
        bool, own("--files", "Records name files: read them, and order them by their best passages.")
    ] = False,
    null: Annotated[
        bool, own("--null", "Records end with NUL, as find -print0 writes them; printed ones too.", "-0")
    ] = False,
    top_n: Annotated[str | None, setting("top_n", "-n", meaning="Hits to show; all unless it is given.")] = None,
    min_score: Annotated[str | None, setting("min_score")] = None,
    scores: Annotated[
        bool, own("--scores", "Print scores too: in front, with the place in a file behind, or as fields of JSON.")
    ] = False,
    reranker: RerankerName = None,
    device: Device = None,
    remote_timeout: RemoteTimeout = None,
    config: ConfigFile = None,
    quiet: Quiet = False,
) -> int:
    """Order the lines of stdin by how well they answer QUERY, best first. No index is needed.

    \b
    Examples:
      grep -rn gas . | rerank-cli rerank there is a smell of gas | head -3
      find . -name '*.md' -print0 | rerank-cli rerank -0 --files feed the hens
    """
    flags = given(locals())
    from rerank_cli.cli.reranking import Wanted, rerank_stdin

    settings = configured(working_folder(), config, flags).settings
    shown = None if top_n is None else settings.top_n
    wanted = Wanted(input, files=files, null=null, top_n=shown, scores=scores)
    return rerank_stdin(" ".join(query), wanted, settings, quiet=quiet)
