"""The work of `rerank-cli serve`: open what is searched, load the models, and serve until a signal."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rerank_cli.cli.options import indexes_and_settings, named_encoder
from rerank_cli.cli.querying import one_or_all
from rerank_cli.cli.terminal import say
from rerank_cli.config import SERVE_TOKEN_VARIABLE, Settings
from rerank_cli.config.kinds import BUDGET
from rerank_cli.errors import UsageError
from rerank_cli.extras import check_extra
from rerank_cli.hosts import is_loopback
from rerank_cli.library import Library, open_library
from rerank_cli.ports import Encoder, Reranker

if TYPE_CHECKING:
    from rerank_cli.json_records import Record
    from rerank_cli.serve.answers import Answers, Generations
    from rerank_cli.serve.workers import Answering

WORKERS = 2
"""While one retrieves, the other reranks. The reranker itself runs on all processors."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where to listen, what clients must know, and how much they may ask for."""

    host: str
    port: int
    token: str
    most_budget_s: float
    most_waiting: int


def serve(config_file: Path | None, flags: dict[str, object], *, http: str, max_budget: str, most_waiting: int) -> int:
    """Serve the indexes that are named, or that of where the user stands."""
    check_extra("serve", ["starlette", "uvicorn"], user="a server")
    place = _place(http, max_budget, most_waiting)
    folders, merged = indexes_and_settings(config_file, flags)
    serve_indexes(folders, merged.settings, place, encoder=named_encoder(merged, config_file))
    return 0


def _place(http: str, max_budget: str, most_waiting: int) -> Place:
    from rerank_cli.serve.server import address_of

    host, port = address_of(http)
    token = os.environ.get(SERVE_TOKEN_VARIABLE, "")
    if not token and not is_loopback(host):
        raise UsageError(
            f"--http: whoever reaches {host} could search", remedy=f"set {SERVE_TOKEN_VARIABLE} to a long secret"
        )
    if token != token.strip() or not token.isascii() or not token.isprintable():
        raise UsageError(
            f"{SERVE_TOKEN_VARIABLE}: no header can hold it", remedy="make one of letters without accents, and digits"
        )
    try:
        most_budget_s = BUDGET.read(max_budget)
    except ValueError as error:
        raise UsageError(f"--max-budget: {max_budget!r} is no time", remedy="write it as in 800ms or 10s") from error
    if not isinstance(most_budget_s, float):
        raise UsageError("--max-budget: there must be one", remedy="write it as in 800ms or 10s")
    return Place(host, port, token, most_budget_s, most_waiting)


def serve_indexes(
    folders: tuple[Path, ...],
    settings: Settings,
    place: Place,
    *,
    encoder: str | Encoder | None,
    reranker: str | Reranker | None = None,
) -> None:
    """Serve the indexes in *folders* at *place* until a signal ends it."""
    from rerank_cli.serve.app import Service, make_app
    from rerank_cli.serve.queue import Queue
    from rerank_cli.serve.server import listen, run
    from rerank_cli.serve.workers import Workers

    first = open_library(index=one_or_all(folders), encoder=encoder, reranker=reranker, settings=settings)
    with listen(place.host, place.port) as door, first:
        queue = Queue(most=place.most_waiting, workers=WORKERS, least_s=_warmed(first))
        workers = Workers(queue, _opening(folders, first), count=WORKERS)
        first.close()
        service = Service(
            queue=queue,
            settings=settings,
            most_budget_s=place.most_budget_s,
            holdings=_Holdings(folders, first),
            are_alive=workers.are_alive,
            tell=_tell_bug,
        )
        workers.start()
        host, port = door.getsockname()[:2]
        say(f"rerank-cli: serving at http://{f'[{host}]' if ':' in host else host}:{port}")
        app = make_app(service, token=place.token, only_loopback=is_loopback(place.host))
        run(app, at=door, stop=queue.close, is_idle=lambda: not queue.waiting and not queue.running)
        queue.close()
        if not queue.running:  # a second signal waits for nobody
            workers.join()


def _warmed(library: Library) -> float:
    """Load the models, and tell how long a search takes where all workers are at one."""
    from rerank_cli.serve.answers import least_s

    library.prepare_search()
    library.search("warm up", budget=0.001)
    begun = time.perf_counter()
    result = library.search("warm up once more", budget=0.001)
    return WORKERS * (least_s(result, took_s=time.perf_counter() - begun) or 0.0)


def _opening(folders: tuple[Path, ...], first: Library) -> Answering:
    """What opens the answers of a worker, in its thread, with the models that *first* has loaded."""
    from rerank_cli.cancelling import CancellableReranker
    from rerank_cli.serve.answers import Answers
    from rerank_cli.serve.recalling import LastScores, RecallingReranker

    encoder, reranker, settings = first.encoder, first.reranker, first.settings
    recalling = RecallingReranker(reranker, LastScores())

    @contextmanager
    def opened(is_wanted: Callable[[], bool]) -> Iterator[Answers]:
        own, bare = (CancellableReranker(each, is_wanted=is_wanted) for each in (recalling, reranker))
        texts = open_library(encoder=encoder, reranker=bare, settings=settings)
        with open_library(index=one_or_all(folders), encoder=encoder, reranker=own, settings=settings) as library:
            yield Answers(library, texts=texts, newest=lambda: _newest(folders))

    return opened


def _newest(folders: tuple[Path, ...]) -> Generations:
    from rerank_cli.store import newest_generation

    return tuple(newest_generation(folder) for folder in folders)


class _Holdings:
    """What is searched, looked at again when a generation was committed."""

    def __init__(self, folders: tuple[Path, ...], library: Library) -> None:
        self._folders = folders
        self._library = library
        self._seen: Generations | None = None
        self._record: Record = {}

    def __call__(self) -> Record:
        from rerank_cli.serve.answers import holdings, is_newer

        newest = _newest(self._folders)
        if is_newer(newest, than=self._seen):
            with self._library:  # opened and closed in the thread that asks
                self._record = holdings(self._library)
            self._seen = newest
        return self._record


def _tell_bug(trace: str) -> None:
    for line in trace.splitlines():
        say(line)
