"""One thread asks the library: a call that is given up stops, and no other does."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest

from rerank_cli.cancelling import BATCH, CancellableReranker
from rerank_cli.mcp.answers import Searched

server = pytest.importorskip("rerank_cli.mcp.server", reason="the extra mcp is not installed", exc_type=ImportError)

from tests.fakes import FakeReranker


class Slow(FakeReranker):
    """Waits at its first batch until it may go on."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.may_go_on = threading.Event(), threading.Event()

    def score_pairs(self, query, passages):  # type: ignore[no-untyped-def]
        self.begun.set()
        assert self.may_go_on.wait(60)
        return super().score_pairs(query, passages)


def scoring(worker, slow: Slow) -> Callable[[], tuple[str, Searched]]:  # type: ignore[no-untyped-def]
    reranker = CancellableReranker(slow, is_wanted=worker.is_wanted)

    def score() -> tuple[str, Searched]:
        reranker.score_pairs("q", ["a passage"] * 100)
        return "done", Searched([])

    return score


async def begun(slow: Slow) -> None:
    while not slow.begun.is_set():
        await asyncio.sleep(0.001)


def test_a_call_that_is_given_up_reads_no_further() -> None:
    async def session() -> None:
        worker, slow = server.Worker(), Slow()
        call = asyncio.ensure_future(worker.ask(scoring(worker, slow)))
        await begun(slow)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        slow.may_go_on.set()
        assert (await worker.ask(lambda: ("next", Searched([])))).content[0].text == "next"
        assert len(slow.pairs) == BATCH

    asyncio.run(session())


def test_a_call_that_is_given_up_while_it_waits_stops_no_other() -> None:
    async def session() -> None:
        worker, slow = server.Worker(), Slow()
        running = asyncio.ensure_future(worker.ask(scoring(worker, slow)))
        await begun(slow)
        asked = []
        waiting = asyncio.ensure_future(worker.ask(lambda: asked.append(1) or ("never", Searched([]))))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        slow.may_go_on.set()
        assert (await running).content[0].text == "done"
        assert len(slow.pairs) == 100
        assert asked == []

    asyncio.run(session())
