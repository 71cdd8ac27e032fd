"""`mcp`: the SDK's own client over a real process."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Cli, assert_one_line

mcp = pytest.importorskip("mcp", reason="the extra mcp is not installed")

Session = Callable[..., Any]


def with_client(work: Callable[[Any], Awaitable[None]], *arguments: str) -> None:
    """Run *work* with a client of `rerank-cli mcp` with *arguments*."""

    async def session() -> None:
        command = mcp.StdioServerParameters(
            command=sys.executable, args=["-m", "rerank_cli", "mcp", *arguments], env=dict(os.environ)
        )
        async with mcp.Client(command) as client:
            await work(client)

    asyncio.run(asyncio.wait_for(session(), 120))


def test_a_client_searches_reads_and_is_told_its_mistakes(indexed: Path) -> None:
    async def work(client: Any) -> None:
        tools = (await client.list_tools()).tools
        assert [tool.name for tool in tools] == ["search", "read", "similar", "status"]
        assert all(tool.annotations.read_only_hint and tool.output_schema for tool in tools)

        found = await client.call_tool("search", {"query": "why is my radiator cold at the top", "max_tokens": 200})
        best = found.structured_content["passages"][0]
        assert best["path"] == "heating/radiators.md"
        assert best["citation"] in found.content[0].text
        read = await client.call_tool("read", {"path": best["path"], "first": best["first"]})
        assert best["text"].split("\n")[0] in read.content[0].text

        outside = await client.call_tool("read", {"path": "../../etc/passwd"})
        assert outside.is_error and "is no file with text in the index" in outside.content[0].text
        status = await client.call_tool("status", {})
        assert status.structured_content["indexes"][0]["root"] == str(indexed)

        short = await client.call_tool("search", {"query": "dough", "seconds": 0.001})
        assert short.structured_content["passages"]
        with pytest.raises(TimeoutError):  # which cancels the call
            await asyncio.wait_for(client.call_tool("search", {"query": "slugs " * 1000}), 0.05)
        again = await client.call_tool("search", {"query": "what eats my lettuce"})
        assert again.structured_content["passages"][0]["path"] == "garden/slugs.txt"

    with_client(work)


def test_an_index_that_is_missing_is_told_before_anything_is_served(cli: Cli) -> None:
    outcome = cli("mcp", "--index", "gone")
    assert outcome.code == 3
    assert_one_line(outcome, "gone")


def test_without_the_extra_it_says_how_to_get_it(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rerank_cli.extras.find_spec", lambda name: None)
    outcome = cli("mcp")
    assert outcome.code == 2
    assert_one_line(outcome, "pip install 'rerank-cli[mcp]'")
