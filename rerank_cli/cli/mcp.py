"""`rerank-cli mcp`: answer the language models of MCP clients."""

from __future__ import annotations

from typing import Annotated

from rerank_cli.cli.options import (
    ConfigFile,
    Device,
    EncoderName,
    IndexNames,
    MaxTokens,
    RemoteTimeout,
    RerankerName,
    TokenizerName,
    TopK,
    given,
    setting,
)


def run(
    indexes: IndexNames = None,
    max_tokens: MaxTokens = None,
    tokenizer: TokenizerName = None,
    top_k: TopK = None,
    budget: Annotated[str | None, setting("budget")] = None,
    fresh: Annotated[bool | None, setting("fresh")] = None,
    fresh_budget: Annotated[str | None, setting("fresh_budget")] = None,
    encoder: EncoderName = None,
    reranker: RerankerName = None,
    device: Device = None,
    remote_timeout: RemoteTimeout = None,
    config: ConfigFile = None,
) -> int:
    """Serve search, read, similar and status to an MCP client, on stdin and stdout. Nothing is changed.

    A client starts it by itself.

    \b
    Examples:
      rerank-cli mcp
      rerank-cli mcp --index sample --fresh
    """
    flags = given(locals())
    from rerank_cli.cli.serving import serve

    return serve(config, flags)
