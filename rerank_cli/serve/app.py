"""The paths of the server: who may ask, what a request may be, and what each answer and each error looks like."""

from __future__ import annotations

import asyncio
import json
import math
import secrets
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from rerank_cli.config import changed
from rerank_cli.errors import BUG, Busy, RerankError, UnusableIndex, UsageError
from rerank_cli.hosts import is_loopback
from rerank_cli.json_records import Record
from rerank_cli.serve.answers import Answers, Said
from rerank_cli.serve.asked import rerank_of, search_of
from rerank_cli.serve.description import describe
from rerank_cli.serve.figures import Figures
from rerank_cli.serve.queue import Queue, Stopping, TooBusy, job_within

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from rerank_cli.config import Settings

MOST_BODY_BYTES = 4_000_000
BODY_S = 10.0
"""Seconds in which the body of a request must have come."""

PATHS = ("/search", "/rerank", "/status", "/metrics", "/health", "/openapi.json")

REMEDIES = {
    404: f"the paths are {', '.join(PATHS)}",
    405: "/search and /rerank take POST, all others GET",
}


@dataclass(frozen=True)
class Service:
    """What the paths answer from.

    `holdings` tells what is searched, and is asked in a thread of its own. `tell` gets the trace of a bug.
    """

    queue: Queue
    settings: Settings
    most_budget_s: float
    holdings: Callable[[], Record]
    are_alive: Callable[[], bool]
    tell: Callable[[str], None]
    figures: Figures = field(default_factory=Figures)


class Refused(Exception):
    """A request that is answered with an error."""

    def __init__(self, status: int, error: str, remedy: str, *, retry_s: float | None = None) -> None:
        super().__init__(error)
        self.status = status
        self.error = error
        self.remedy = remedy
        self.retry_s = retry_s


def make_app(service: Service, *, token: str, only_loopback: bool) -> ASGIApp:
    """The server's application. A *token*, if there is one, is asked for on every path but /health."""
    paths = _Paths(service)
    app = Starlette(
        routes=[
            Route("/search", paths.search, methods=["POST"]),
            Route("/rerank", paths.rerank, methods=["POST"]),
            Route("/status", paths.status),
            Route("/metrics", paths.metrics),
            Route("/health", paths.health),
            Route("/openapi.json", paths.openapi),
        ],
        exception_handlers={
            HTTPException: _http_error,
            **dict.fromkeys((Refused, RerankError, TooBusy, Stopping), _refusal),
            ClientDisconnect: _unheard,
            Exception: paths.bug,
        },
    )
    app.router.redirect_slashes = False
    return _Door(app, service, token=token, only_loopback=only_loopback)


class _Paths:
    """What each path answers."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._asking_holdings = asyncio.Lock()

    async def search(self, request: Request) -> Response:
        asked = search_of(await _body(request))
        return await self._answered(request, asked.budget_s, lambda answers, seconds: answers.search(asked, seconds))

    async def rerank(self, request: Request) -> Response:
        asked = rerank_of(await _body(request))
        return await self._answered(request, asked.budget_s, lambda answers, seconds: answers.rerank(asked, seconds))

    async def status(self, _: Request) -> Response:
        async with self._asking_holdings:
            record = await asyncio.to_thread(self._service.holdings)
        queue = self._service.queue
        serving = {"waiting": queue.waiting, "running": queue.running, "max_budget": self._service.most_budget_s}
        return _json({**record, "serving": serving})

    async def metrics(self, _: Request) -> Response:
        queue = self._service.queue
        now = {"waiting": queue.waiting, "running": queue.running, "resident_bytes": resident_bytes()}
        lines = "\n".join(self._service.figures.lines(now))
        return PlainTextResponse(f"{lines}\n", media_type="text/plain; version=0.0.4")

    async def health(self, _: Request) -> Response:
        if self._service.queue.is_closed or not self._service.are_alive():
            raise Refused(503, "the server is stopping", "ask another one")
        return _json({"status": "ok"})

    def bug(self, _: Request, error: Exception) -> Response:
        """Tell what nobody foresaw, so that it can be reported: in a thread, for who reads it may be slow."""
        self._service.tell("".join(traceback.format_exception(error)))
        return _told(error)

    async def openapi(self, _: Request) -> Response:
        return _json(describe())

    async def _answered(self, request: Request, budget: object, work: Callable[[Answers, float], Said]) -> Response:
        """The answer of a worker, within the time that the request has from now on."""
        begun = time.monotonic()
        job = job_within(self._budget_s(budget), work)
        self._service.queue.put(job)
        answer = asyncio.ensure_future(asyncio.wrap_future(job.answer))
        gone = asyncio.ensure_future(_gone(request))
        try:
            await asyncio.wait((answer, gone), return_when=asyncio.FIRST_COMPLETED)
            if not answer.done():
                self._service.figures.count_given_up()
                raise ClientDisconnect
            said = answer.result()
        finally:
            gone.cancel()
            if not answer.done():
                job.give_up()
                answer.cancel()  # what ends it then is told to nobody
        seconds = time.monotonic() - begun
        path = request.url.path
        self._service.figures.count_answer(
            path, seconds=seconds, pairs=said.pairs, recalled=said.recalled, partial=said.partial
        )
        if said.least_s is not None:
            self._service.queue.learn(said.least_s)
        return _json(said.record)

    def _budget_s(self, asked: object) -> float:
        """The seconds of a request: what it asks for, or else the settings say, and never more than is allowed."""
        most = self._service.most_budget_s
        settings = self._service.settings
        wanted = settings.budget if asked is None else changed(settings, {"budget": asked}).budget
        return min(wanted or most, most)


class _Door:
    """Lets in who may ask, and counts what goes out."""

    def __init__(self, app: ASGIApp, service: Service, *, token: str, only_loopback: bool) -> None:
        self._app = app
        self._service = service
        self._token = token.encode()
        self._only_loopback = only_loopback

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                path = scope["path"] if scope["path"] in PATHS else "other"
                self._service.figures.count_request(path, message["status"])
            await send(message)

        request = Request(scope, receive)
        try:
            self._check(request)
        except Refused as error:
            return await _told(error)(scope, receive, counted)
        return await self._app(scope, receive, counted)

    def _check(self, request: Request) -> None:
        """Make sure that who asks may ask."""
        # A page of another machine, whose name was made to lead here, names itself in Host.
        if self._only_loopback and not is_loopback(_host(request)):
            raise Refused(400, "the Host of the request is not this machine", "ask http://127.0.0.1 or localhost")
        if self._token and request.url.path != "/health" and not self._has_token(request):
            raise Refused(401, "the token is missing or wrong", "send Authorization: Bearer TOKEN")

    def _has_token(self, request: Request) -> bool:
        kind, _, given = request.headers.get("authorization", "").partition(" ")
        return kind.lower() == "bearer" and secrets.compare_digest(given.strip().encode(), self._token)


def _refused(error: Exception) -> Refused:
    """How *error* is told to who asked."""
    if isinstance(error, Refused):
        return error
    if isinstance(error, TooBusy):
        return Refused(429, "too many requests wait", "ask again after Retry-After seconds", retry_s=error.retry_s)
    if isinstance(error, Stopping):
        return Refused(503, "the server is stopping", "ask another one")
    if isinstance(error, UsageError):
        return Refused(400, str(error), error.remedy)
    if isinstance(error, UnusableIndex | Busy):
        return Refused(503, str(error), error.remedy, retry_s=1.0)
    if isinstance(error, RerankError):
        return Refused(500, str(error), error.remedy)
    return Refused(500, f"this is a bug of rerank-cli ({BUG})", "the server printed what to report")


def _told(error: Exception) -> Response:
    """The answer to a request that ends with *error*."""
    told = _refused(error)
    headers = {} if told.retry_s is None else {"Retry-After": str(math.ceil(told.retry_s))}
    if told.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return _json({"error": told.error, "remedy": told.remedy}, status=told.status, headers=headers)


async def _refusal(_: Request, error: Exception) -> Response:
    """As `_told`. Starlette begins a thread for each function here that is not async, up to forty when many ask."""
    return _told(error)


async def _unheard(_: Request, __: Exception) -> Response:
    """What nobody gets; the status is what nginx counts such requests under."""
    return Response(status_code=499)


async def _http_error(_: Request, error: Exception) -> Response:
    """What Starlette itself refuses."""
    assert isinstance(error, HTTPException)
    record: Record = {"error": error.detail, "remedy": REMEDIES.get(error.status_code, "check the request")}
    return _json(record, status=error.status_code, headers=dict(error.headers or {}))


def _json(record: Record, *, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    content = json.dumps(record, ensure_ascii=False, allow_nan=False).encode("utf-8", errors="replace")
    safe = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", **(headers or {})}
    return Response(content, status_code=status, headers=safe, media_type="application/json")


async def _body(request: Request) -> bytes:
    """The body, if it is JSON, not too large and not too slow."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        # what a page of another site may send unasked has another type
        raise Refused(415, "the body is not said to be JSON", "send Content-Type: application/json")
    declared = request.headers.get("content-length", "0")
    if declared.isdigit() and int(declared) > MOST_BODY_BYTES:
        raise _too_large()
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_S):
            async for piece in request.stream():
                body += piece
                if len(body) > MOST_BODY_BYTES:
                    raise _too_large()
    except TimeoutError as error:
        raise Refused(408, f"the body did not come within {BODY_S:g} s", "send it faster") from error
    return bytes(body)


def _too_large() -> Refused:
    return Refused(413, f"the body has more than {MOST_BODY_BYTES} bytes", "send less at once")


async def _gone(request: Request) -> None:
    """Wait until the client of *request*, whose body has been read, goes away."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _host(request: Request) -> str:
    """What the request says it asks, without the port."""
    host = request.headers.get("host", "").lower()
    name, colon, port = host.rpartition(":")
    bare = name if colon and port.isdigit() else host
    return bare[1:-1] if bare.startswith("[") and bare.endswith("]") else bare


def resident_bytes() -> int:
    """Memory that the process holds; where the system does not say, the most that it has held."""
    try:
        with open("/proc/self/statm", encoding="ascii") as sizes:  # noqa: PTH123 - no file of a person's
            return int(sizes.read().split()[1]) * _page_bytes()
    except OSError:
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _page_bytes() -> int:
    import resource

    return resource.getpagesize()
