"""`rerank-cli query`: search an index in both stages."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

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
    NoPager,
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
    without_pager,
)
from rerank_cli.errors import UsageError


class Command(TyperCommand):
    """The command, with an option that may do without its value."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """As usual, once `--open` stands as `--open=1` where no number is behind it."""
        return super().parse_args(ctx, with_number(args, "--open"))


def with_number(arguments: Sequence[str], flag: str) -> list[str]:
    """Put 1 behind *flag* where no number follows it, up to what ends the options."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    following = [*arguments[1:], ""]
    return [
        f"{flag}=1" if argument == flag and at < end and not following[at].isdigit() else argument
        for at, argument in enumerate(arguments)
    ]


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
    warm: Annotated[bool | None, setting("warm")] = None,
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
    files: Annotated[bool, own("--files-with-matches", "Print the files alone: --format paths.", "-l")] = False,
    print0: Annotated[
        bool, own("--print0", "Print the files alone, each with a NUL behind it, for xargs -0.", "-0")
    ] = False,
    around: Annotated[
        int | None, own("--around", "Show hits whole, with so many lines of text before and after each.", "-C", min=0)
    ] = None,
    open_hit: Annotated[
        int | None,
        own(
            "--open",
            "Open a hit at its line in $VISUAL or $EDITOR: the best, or that of this number.",
            min=1,
            metavar="[N]",
        ),
    ] = None,
    max_tokens: MaxTokens = None,
    tokenizer: TokenizerName = None,
    context_style: ContextStyle = None,
    order: Order = None,
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
    """Search an index in two stages: retrieve many, rerank them all, show the best few.

    \b
    Examples:
      rerank-cli query there is a smell of gas
      rerank-cli query change the oil --path 'boat/**' -C 1
      rerank-cli query before winter --where tag=autumn -0 | xargs -0 ls -l
    """
    flags = given(locals())
    if no_pager:
        flags["pager"] = without_pager(pager)
    if files or print0:
        flags["format"] = paths_alone(format)
    # Nothing here multiplies matrices, and a thread for each processor that might takes numpy's BLAS 30 ms to begin.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from rerank_cli.cli.filtering import asked_filter
    from rerank_cli.cli.querying import Wanted, answer, given_queries

    text = " ".join(words) if words else None
    asked = given_queries(text, queries)
    filters = asked_filter(path=path, not_path=not_path, ext=ext, since=since, until=until, where=where)
    folders, merged = indexes_and_settings(config, flags)
    if merged.settings.warm:
        from rerank_cli.cli.warming import start_beside

        start_beside(merged.settings)
    return answer(
        asked,
        many=text is None or text == "-",
        indexes=folders,
        settings=merged.settings,
        encoder=named_encoder(merged, config),
        filters=filters,
        wanted=Wanted(explain, around=around, opens=open_hit, ends_with_nul=print0),
        quiet=quiet,
    )


def paths_alone(format: str | None) -> str:
    """The format of `-l` and `-0`, which no other may stand beside."""
    if format not in (None, "paths"):
        raise UsageError(
            f"--format {format} prints more than files, which are all that -l and -0 print", remedy="drop one"
        )
    return "paths"
