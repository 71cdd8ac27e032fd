"""The server's process: its socket, its signals, and clients that are slow to say what they want."""

from __future__ import annotations

import asyncio
import signal
import socket
from asyncio import TimerHandle, Transport
from collections.abc import Callable
from contextlib import ExitStack
from types import FrameType
from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from rerank_cli.errors import InputError, UsageError, in_words

if TYPE_CHECKING:
    from starlette.types import ASGIApp

HEADERS_S = 10.0
"""Seconds in which the headers of a request must have come."""

KEEP_ALIVE_S = 75
"""Seconds that a connection may be silent between two requests: longer than a client is told to wait."""

UNREAD_S = 10
"""Seconds that a client may take to read its answer when the server ends."""

MOST_CONNECTIONS = 800
"""A process may open 1,024 files by default, and the index needs some."""

BACKLOG = 1024


def address_of(written: str) -> tuple[str, int]:
    """The host and the port in *written*, such as 127.0.0.1:8765 or [::1]:8765.

    Raises:
        UsageError: it is no such address.
    """
    host, colon, port = written.rpartition(":")
    name = host.removeprefix("[").removesuffix("]")
    if not colon or not name or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise UsageError(f"--http: {written!r} is no address", remedy="write it as in 127.0.0.1:8765")
    return name, int(port)


def listen(host: str, port: int) -> socket.socket:
    """A socket there that takes connections.

    Raises:
        InputError: there is no such place, or another program has it.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with ExitStack() as stack:
            opened = stack.enter_context(socket.socket(family, kind, protocol))
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            opened.bind(address)
            opened.listen(BACKLOG)
            stack.pop_all()
    except (OSError, UnicodeError) as error:  # the latter for what can be no name
        raise InputError(f"{host}:{port}: cannot be listened at ({in_words(error)})", remedy="name another") from error
    return opened


def run(app: ASGIApp, *, at: socket.socket, stop: Callable[[], None], is_idle: Callable[[], bool]) -> None:
    """Serve *app* until a signal ends it: *stop* is called then, and all ends when it *is_idle*."""
    config = uvicorn.Config(
        app,
        http=_Protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=UNREAD_S,
        server_header=False,
        proxy_headers=False,
    )
    _Server(config, stop=stop, is_idle=is_idle).run(sockets=[at])


class _Server(uvicorn.Server):
    """Ends in two steps: first it answers what it has, and tells others that it stops; then it closes its door."""

    def __init__(self, config: uvicorn.Config, *, stop: Callable[[], None], is_idle: Callable[[], bool]) -> None:
        super().__init__(config)
        self._stop = stop
        self._is_idle = is_idle
        self._is_stopping = False

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop; a second interrupt ends at once."""
        if self._is_stopping and sig == signal.SIGINT:
            self.force_exit = self.should_exit = True
        self._is_stopping = True
        self._stop()

    async def on_tick(self, counter: int) -> bool:
        if self._is_stopping and self._is_idle():
            self.should_exit = True
        return await super().on_tick(counter)


class _Protocol(H11Protocol):
    """A connection that is closed where the headers of a request are late, or where there are too many."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._late: TimerHandle | None = None

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS:
            transport.close()
        self._watch()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._end_watch()

    def _watch(self) -> None:
        """Wait for the rest of the headers where a request has yet to begin."""
        if self.cycle is not None and not self.cycle.response_complete:
            self._end_watch()
        elif self._late is None:
            self._late = asyncio.get_running_loop().call_later(HEADERS_S, self.transport.close)

    def _end_watch(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None
