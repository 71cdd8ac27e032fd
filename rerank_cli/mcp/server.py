"""The tools as an MCP server has them, on stdin and stdout."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import Annotated, TypeVar

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import CallToolResult, TextContent, ToolAnnotations
from pydantic import Field

from rerank_cli import __version__
from rerank_cli.errors import RerankError
from rerank_cli.mcp.answers import MOST_SECONDS, Answers, Found, ReadPassages, Searched

Said = TypeVar("Said", Found, ReadPassages, Searched)

READS = ToolAnnotations(read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False)

NONE: list[str] = []
"""What a client leaves out."""


class Worker:
    """The one thread that asks the library, which knows no other: one call after another."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="library")
        self._given_up = threading.Event()

    def is_wanted(self) -> bool:
        """Whether somebody waits for the call that the thread is at."""
        return not self._given_up.is_set()

    async def ask(self, answer: Callable[[], tuple[str, Said]]) -> CallToolResult:
        """What *answer* says, as text and as data; what a user did wrong is told to the model."""
        given_up = threading.Event()

        def told() -> tuple[str, Said]:
            self._given_up = given_up
            return answer()

        try:
            text, said = await asyncio.get_running_loop().run_in_executor(self._thread, told)
        except asyncio.CancelledError:
            given_up.set()
            raise
        except RerankError as error:
            raise ToolError(f"{error}; {error.remedy}" if error.remedy else str(error)) from error
        return CallToolResult(content=[TextContent(text=text)], structured_content=asdict(said))


def make_server(open_answers: Callable[[], Answers], *, worker: Worker, roots: Sequence[str]) -> MCPServer:
    """A server of the tools. *open_answers* is called once, in the thread of *worker*."""
    server = MCPServer(
        "rerank-cli",
        version=__version__,
        log_level="WARNING",
        instructions=f"Searches the documents in {', '.join(roots)}. Ask search first: it cites where a passage stands."
        " read gives more of a file around a place. What is not found there is not in these documents.",
    )
    opened: list[Answers] = []

    def answers() -> Answers:
        if not opened:
            opened.append(open_answers())
        return opened[0]

    @server.tool(annotations=READS)
    async def search(
        query: Annotated[str, Field(description="A question, or words, in plain English.")],
        max_tokens: Annotated[int | None, Field(description="Tokens of the whole answer at most.", ge=100)] = None,
        paths: Annotated[list[str], Field(description="Globs of files to search, such as docs/**/*.md.")] = NONE,
        extensions: Annotated[list[str], Field(description="Endings of files to search, such as pdf.")] = NONE,
        since: Annotated[str | None, Field(description="Documents from then on: 2026-01-31, or 30d ago.")] = None,
        until: Annotated[str | None, Field(description="Documents up to this date.")] = None,
        where: Annotated[
            list[str], Field(description="Fields of documents, such as tag=hive or status!=draft.")
        ] = NONE,
        seconds: Annotated[
            float | None, Field(description="Answer with what was found after so many.", gt=0, le=MOST_SECONDS)
        ] = None,
    ) -> Annotated[CallToolResult, Found]:
        """Find the passages that answer a question in the user's documents, the best first, each with its place."""
        return await worker.ask(
            lambda: answers().search(
                query,
                max_tokens=max_tokens,
                seconds=seconds,
                paths=paths,
                extensions=extensions,
                since=since,
                until=until,
                where=where,
            )
        )

    @server.tool(annotations=READS)
    async def read(
        path: Annotated[str, Field(description="A file, as a citation of search names it.")],
        first: Annotated[int | None, Field(description="Its first line, page or other place to read.")] = None,
        last: Annotated[int | None, Field(description="The last one; first, if it is left out.")] = None,
        around: Annotated[int, Field(description="Passages to read before and after these.", ge=0, le=50)] = 1,
    ) -> Annotated[CallToolResult, ReadPassages]:
        """Read a passage with its neighbours, or a range of lines or pages of an indexed file, or all of it."""
        return await worker.ask(lambda: answers().read(path, first=first, last=last, around=around))

    @server.tool(annotations=READS)
    async def similar(
        path: Annotated[str, Field(description="A file, as a citation of search names it.")],
        at: Annotated[
            int | None, Field(description="A line, page or other place in it; the whole file without.")
        ] = None,
        top_n: Annotated[int, Field(description="Passages at most.", ge=1, le=50)] = 5,
    ) -> Annotated[CallToolResult, Found]:
        """Find passages of other documents that are like one of these documents."""
        return await worker.ask(lambda: answers().similar(path, at=at, top_n=top_n))

    @server.tool(annotations=READS)
    async def status() -> Annotated[CallToolResult, Searched]:
        """Tell which folders are searched, how much they hold, and whether files changed since they were indexed."""
        return await worker.ask(lambda: answers().status())

    return server
