"""A connection to Milvus: each call has a time limit, is made again where that can help, and fails in our words.

What a server does is said here by its documentation (2.6), what the embedded form does by its version 3.2.
"""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from rerank_cli.config import STORE_TOKEN_VARIABLE
from rerank_cli.errors import Busy, IndexMissing, InputError, RerankError, in_words
from rerank_cli.extras import check_extra
from rerank_cli.hosts import is_loopback
from rerank_cli.store.milvus.address import Address

if TYPE_CHECKING:
    from rerank_cli.arrays import Vectors

TIMEOUT_S = 30.0
"""Of a request. A lease lasts much longer: no request outlives the lease that it was made under."""

PATIENT_S = 600.0
"""Of a request to the embedded form, which no network holds up: with some 100,000 passages it takes a minute to make an
index of their words, in each process that asks for words."""

CONNECT_S = 5.0
"""So long a server may take to be there at all."""

TRIES = 4
FIRST_PAUSE_S = 0.2
"""A request that the server could not take is made again after so long, then twice as long, and so on."""

AT_ONCE = 1000
"""Rows or names in a request: far below the 64 MB that a server takes."""

MOST_FOUND = 16_384
"""What a server brings of one search at most."""

STRONG, BOUNDED = "Strong", "Bounded"
"""Levels of consistency: all that was written before the request, or all but what came in the last seconds."""

NOT_FOUND = (4, 100)
PASSING = (8, 9, 101, 104, 503)
"""Codes of Milvus: no such collection; and too many requests, or not loaded yet, which may pass."""

Given = TypeVar("Given")
Row = dict[str, Any]

_opening = Lock()

_holders: dict[str, int] = {}
"""How many connections of this process use each embedded database: the last one to leave lets others have it."""


class Engine:
    """A connection to the Milvus at *address*. Use it as a context manager; it is not shared between threads."""

    def __init__(self, address: Address, *, wait_s: float = 0.0) -> None:
        """Another process may hold an embedded database for *wait_s*.

        Raises:
            UsageError: the extra is not installed.
            InputError: it cannot be reached, or refuses the token.
            Busy: another process holds the embedded database.
        """
        packages = ("pymilvus", "milvus_lite") if address.embedded else ("pymilvus",)
        check_extra("milvus", packages, user="a store in Milvus")
        self.address = address
        self._timeout_s = PATIENT_S if address.embedded else TIMEOUT_S
        self._is_open = True
        self._loaded: set[str] = set()
        self._client = self._connected(wait_s)

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connection, and of an embedded database if nothing else of this process uses it."""
        if not self._is_open:
            return
        self._is_open = False
        with suppress(Exception):  # what goes wrong at a goodbye changes nothing that was told
            self._client.close()
        if self.address.embedded:
            _release(self.address.uri)

    # Reading

    def query(self, collection: str, expression: str, fields: Sequence[str], *, limit: int | None = None) -> list[Row]:
        """The rows for which *expression* holds, all that was written before: they must be few, or have a *limit*."""
        more = {} if limit is None else {"limit": limit}
        return list(
            self.call(
                "query",
                self._ready(collection),
                filter=expression,
                output_fields=list(fields),
                consistency_level=STRONG,
                **more,
            )
        )

    def by_ids(self, collection: str, ids: Sequence[str], fields: Sequence[str]) -> Iterator[Row]:
        """The rows called *ids*, in any order."""
        for some in in_pieces(ids):
            yield from self.query(collection, f"id in {listed(some)}", ["id", *fields])

    def rows(self, collection: str, expression: str, fields: Sequence[str]) -> Iterator[Row]:
        """Every row for which *expression* holds, however many, in the order of ids."""
        from pymilvus import MilvusException

        with self._telling():
            pages = self._client.query_iterator(
                self._ready(collection),
                batch_size=AT_ONCE,
                filter=expression,
                output_fields=list(fields),
                consistency_level=STRONG,
                timeout=self._timeout_s,
            )
        try:
            while True:
                with self._telling():
                    page = pages.next()
                if not page:
                    return
                yield from map(dict, page)
        finally:
            with suppress(MilvusException):
                pages.close()

    def search(
        self,
        collection: str,
        field: str,
        asked: object,
        *,
        limit: int,
        expression: str,
        fields: Sequence[str],
        **how: Any,
    ) -> list[Row]:
        """The *limit* best rows by *field*, best first, as {"id", "distance", "entity"}."""
        return list(
            self.call(
                "search",
                self._ready(collection),
                data=[asked],
                anns_field=field,
                limit=limit,
                filter=expression,
                output_fields=list(fields),
                **how,
            )[0]
        )

    def count(self, collection: str, expression: str) -> int:
        """For how many rows *expression* holds."""
        return int(self.query(collection, expression, ["count(*)"])[0]["count(*)"])

    # Writing

    def upsert(self, collection: str, rows: Sequence[Row], *, partial: bool = False) -> None:
        """Write *rows*; *partial* ones have an id and what of it changes. A row is named by what it holds, so that the
        same request made twice leaves one."""
        for some in in_pieces(rows):
            self.call("upsert", self._ready(collection), some, **({"partial_update": True} if partial else {}))

    def delete(self, collection: str, expression: str) -> None:
        self.call("delete", self._ready(collection), filter=expression)

    # Collections

    def collections(self) -> list[str]:
        return sorted(self.call("list_collections"))

    def has(self, collection: str) -> bool:
        return bool(self.call("has_collection", collection))

    def fields_of(self, collection: str) -> dict[str, Row]:
        """The fields of *collection* by name."""
        described = self.call("describe_collection", collection)
        return {field["name"]: field for field in described["fields"]}

    def create(self, collection: str, schema: object) -> None:
        """Make *collection*. One that is there is an error, but to a server if it is the very same."""
        self.call("create_collection", collection, schema=schema, consistency_level=BOUNDED)

    def make(self, collection: str, schema: object, indexes: Any) -> None:
        """Make of *collection* with its *indexes* what is missing: a killed process may have left it half made."""
        if not self.has(collection):
            self.create(collection, schema)
        made = self.indexes_of(collection)
        for index in indexes:
            if index.index_name not in made:
                self.call("create_index", collection, _alone(index), sync=False)  # who loads it waits for it

    def indexes_of(self, collection: str) -> set[str]:
        """The names of the indexes of *collection*. Without one it cannot be asked."""
        return set(self.call("list_indexes", collection))

    def drop(self, collection: str) -> None:
        self.call("drop_collection", collection)

    def _ready(self, collection: str) -> str:
        """*collection*, loaded: those of an embedded database are not when that is opened."""
        if collection not in self._loaded:
            self.call("load_collection", collection)
            self._loaded.add(collection)
        return collection

    def index_anew(self, collection: str, field: str, indexes: object) -> None:
        """Give *field* another index. Until that is built, who asks is told that the collection is not loaded."""
        self._loaded.discard(collection)
        self.call("release_collection", collection)
        self.call("drop_index", collection, field)
        self.call("create_index", collection, indexes, sync=False)

    def settle(self, collection: str) -> None:
        """Write what the embedded form holds in memory into a file of its own: it searches that much quicker."""
        if self.address.embedded:
            self.call("flush", collection)

    @property
    def version(self) -> str:
        return str(self.call("get_server_version"))

    def call(self, name: str, *arguments: Any, **options: Any) -> Any:
        """Call the client's *name* with a time limit; again where the server could not take it."""

        def ask() -> Any:
            with self._telling():
                return getattr(self._client, name)(*arguments, timeout=self._timeout_s, **options)

        return _patiently(ask, passes=lambda error: isinstance(error, Busy))

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """Make ours of pymilvus' and gRPC's errors."""
        try:
            yield
        except Exception as error:
            from grpc import RpcError
            from pymilvus import MilvusException

            if not isinstance(error, MilvusException | RpcError):
                raise
            raise _as_ours(self.address, error) from error

    def _check_reachable(self) -> None:
        """Make sure that somebody listens there: the client would wait for long, and not say what for."""
        if self.address.embedded:
            return
        place = urlsplit(self.address.uri)
        try:
            socket.create_connection((place.hostname or "", place.port or 0), CONNECT_S).close()
        except OSError as error:
            raise InputError(
                f"{self.address}: cannot be reached ({in_words(error)})",
                remedy="check the address, and that Milvus runs",
            ) from error

    def _token(self) -> str:
        """What the server knows the user by; not for everybody on the way to read.

        Raises:
            InputError: it would go over a network without encryption.
        """
        token = os.environ.get(STORE_TOKEN_VARIABLE, "")
        place = urlsplit(self.address.uri)
        if token and place.scheme == "http" and not is_loopback(place.hostname or ""):
            raise InputError(
                f"{self.address}: a token is not sent without encryption",
                remedy="write milvus+https, or unset it",
            )
        return token

    def _connected(self, wait_s: float) -> Any:
        self._check_reachable()
        deadline = time.monotonic() + wait_s
        while True:
            try:
                with self._telling():
                    return self._open()
            except Busy:
                if not self.address.embedded or time.monotonic() >= deadline:
                    raise
            time.sleep(FIRST_PAUSE_S)

    def _open(self) -> Any:
        os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # it would log what is told here, and each start of a process
        from pymilvus import MilvusClient

        for name in ("pymilvus", "milvus_lite"):  # they would log each error that is told here
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)

        connect = partial(MilvusClient, self.address.uri, token=self._token(), timeout=self._timeout_s)
        with _opening:
            client = _patiently(connect, passes=_is_hung_up)
            if self.address.embedded:
                _holders[self.address.uri] = _holders.get(self.address.uri, 0) + 1
            return client


def _patiently(attempt: Callable[[], Given], *, passes: Callable[[Exception], bool]) -> Given:
    """What *attempt* gives, which is made again after an error that *passes*."""
    pause = FIRST_PAUSE_S
    for left in reversed(range(TRIES)):
        try:
            return attempt()
        except Exception as error:
            if not left or not passes(error):
                raise
            time.sleep(pause)
            pause *= 2
    raise AssertionError("it returns or raises")


def _is_hung_up(error: Exception) -> bool:
    """Whether a server was just closing the connection: those of a process share what is below them."""
    code = getattr(error.__cause__, "code", None)
    return callable(code) and code().name == "UNAVAILABLE" and not _of_encryption(error)


def _of_encryption(error: BaseException) -> str:
    """Why no encrypted connection came about, in OpenSSL's words; empty where that is not what went wrong."""
    details = getattr(error.__cause__, "details", None)
    _, failed, why = (str(details()) if callable(details) else "").partition("ls handshake failed")
    return why.rpartition("OPENSSL_internal:")[2].strip() or "no reason is told" if failed else ""


def _as_ours(address: Address, error: BaseException) -> RerankError:
    """What an error of pymilvus' or gRPC's means to the user."""
    told = " ".join((getattr(error, "message", "") or str(error)).split())
    code = getattr(error, "code", None)
    status = code().name if callable(code) else ""
    lower = told.lower()
    if why := _of_encryption(error):
        return InputError(
            f"{address}: no encrypted connection ({why})",
            remedy="check its certificate, or name the file of its authority in GRPC_DEFAULT_SSL_ROOTS_FILE_PATH",
        )
    if status == "UNAUTHENTICATED" or "unauthenticated" in lower or "auth check failure" in lower or code == 1800:
        has_token = bool(os.environ.get(STORE_TOKEN_VARIABLE))
        what = "refuses the token" if has_token else "asks for a token"
        return InputError(
            f"{address}: {what}", remedy=f"{'check' if has_token else 'put'} it in {STORE_TOKEN_VARIABLE}"
        )
    if code in NOT_FOUND or "collection not found" in lower or "can't find collection" in lower:
        return IndexMissing(f"{address}: no such collection", remedy="make it: rerank-cli index FOLDER --store ADDRESS")
    if "open local milvus failed" in lower and "not exists" not in lower:
        return Busy(f"{address}: another process holds it", remedy="try again when that one has ended")
    if code in PASSING or status in ("UNAVAILABLE", "RESOURCE_EXHAUSTED", "ABORTED") or "rate limit" in lower:
        return Busy(f"{address}: cannot answer now ({told})", remedy="try again")
    if (
        status == "DEADLINE_EXCEEDED"
        or "deadline exceeded" in lower
        or "fail connecting" in lower
        or "timeout" in lower
    ):
        return InputError(f"{address}: no answer in time", remedy="check that Milvus runs there and can be reached")
    return InputError(f"{address}: {told or type(error).__name__}", remedy="check the server and its log")


def _release(uri: str) -> None:
    """Count one less that uses an embedded database. Its server, which pymilvus started in this process, ends with the
    last one."""
    with _opening:
        _holders[uri] -= 1
        if not _holders[uri]:
            from milvus_lite.server_manager import server_manager_instance

            server_manager_instance.release_server(uri)


def _alone(index: Any) -> Any:
    """What asks for one *index*: the client asks for several one after another."""
    from pymilvus.milvus_client import IndexParams

    indexes = IndexParams()
    indexes.append(index)
    return indexes


def in_pieces(values: Sequence[Given], size: int = AT_ONCE) -> Iterator[Sequence[Given]]:
    """*values* in pieces of at most *size*."""
    for start in range(0, len(values), size):
        yield values[start : start + size]


def quoted(text: str) -> str:
    """*text* as an expression has it."""
    plain = (
        text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")
    )
    return f'"{plain}"'


def listed(texts: Sequence[str]) -> str:
    """*texts* as a list of an expression."""
    return f"[{', '.join(map(quoted, texts))}]"


def as_list(vector: Vectors) -> list[float]:
    """*vector* as the client takes it."""
    numbers: list[float] = vector.tolist()
    return numbers
