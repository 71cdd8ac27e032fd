"""`rerank-cli serve`: answer over HTTP."""

from __future__ import annotations

from typing import Annotated

from rerank_cli.cli.options import (
    ConfigFile,
    Device,
    EncoderName,
    IndexNames,
    RemoteTimeout,
    RerankerName,
    TopK,
    given,
    own,
    setting,
)

ADDRESS = "127.0.0.1:8765"


def run(
    http: Annotated[
        str, own("--http", "Where to listen: HOST:PORT. Port 0 takes a free one.", show_default=True)
    ] = ADDRESS,
    indexes: IndexNames = None,
    top_k: TopK = None,
    budget: Annotated[str | None, setting("budget")] = None,
    max_budget: Annotated[
        str, own("--max-budget", "The most that a request may ask for, such as 800ms or 2s.", show_default=True)
    ] = "10s",
    queue: Annotated[
        int, own("--queue", "Requests that may wait; more are told to ask again.", show_default=True, min=1)
    ] = 64,
    encoder: EncoderName = None,
    reranker: RerankerName = None,
    device: Device = None,
    remote_timeout: RemoteTimeout = None,
    config: ConfigFile = None,
) -> int:
    """Answer searches over HTTP, with models that are loaded once. A signal ends it, when all have their answers.

    Whoever can reach it may search. Beyond this machine it needs a token in RERANK_CLI_SERVE_TOKEN.

    \b
    Examples:
      rerank-cli serve --index sample
      rerank-cli serve --http 127.0.0.1:9000 --budget 800ms
    """
    flags = given(locals())
    from rerank_cli.cli.http_server import serve

    return serve(config, flags, http=http, max_budget=max_budget, most_waiting=queue)
