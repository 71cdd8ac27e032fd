"""`rerank-cli warm`: a server that keeps models loaded for queries."""

from __future__ import annotations

from typing import Annotated

import typer

from rerank_cli.cli.options import ConfigFile, EncoderName, Json, RerankerName, configured, given, own, working_folder

app = typer.Typer(rich_markup_mode=None, add_completion=False, no_args_is_help=True)


@app.callback()
def run() -> None:
    """Keep models loaded for queries, which then start at once. They find the server by themselves.

    \b
    Examples:
      rerank-cli warm start
      rerank-cli warm stop
    """


@app.command("start")
def start(
    idle: Annotated[
        str, own("--idle", "Time without a query after which it ends, such as 90s or 2h.", show_default=True)
    ] = "10m",
    encoder: EncoderName = None,
    reranker: RerankerName = None,
    config: ConfigFile = None,
) -> int:
    """Start a server with the models of the settings. Nobody but you can reach it.

    \b
    Examples:
      rerank-cli warm start
      rerank-cli warm start --idle 2h
    """
    flags = given(locals())
    from rerank_cli.cli.warming import seconds_of
    from rerank_cli.cli.warming import start as start_server

    return start_server(configured(working_folder(), config, flags).settings, idle_s=seconds_of(idle))


@app.command("status")
def status(as_json: Json = False) -> int:
    """Show your servers: what they hold, and how many queries they answered.

    \b
    Examples:
      rerank-cli warm status
      rerank-cli warm status --json
    """
    from rerank_cli.cli.warming import print_status

    return print_status(as_json=as_json)


@app.command("stop")
def stop() -> int:
    """End your servers. Answers that are on their way come to an end.

    \b
    Examples:
      rerank-cli warm stop
    """
    from rerank_cli.cli.warming import stop as stop_servers

    return stop_servers()
