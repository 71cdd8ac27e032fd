"""The embedded database that all tests share, and the server."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.stores.kinds import HAS_MILVUS


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One embedded database for all tests, held open: to open one takes longer than most of what is asked of it."""
    place = tmp_path_factory.mktemp("milvus") / "tests.db"
    if not HAS_MILVUS:  # then no test of it runs
        yield place
        return
    from rerank_cli.store.milvus.address import Address
    from rerank_cli.store.milvus.engine import Engine

    with Engine(Address(str(place), "any", embedded=True)):
        yield place


@pytest.fixture(scope="session")
def milvus_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of one server for all tests."""
    with serving(tmp_path_factory.mktemp("milvus-server") / "server.db") as (address, _):
        yield address


@contextmanager
def serving(database: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The address of a server of its own process, which speaks as Milvus does."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = "from milvus_lite.adapter.grpc.server import run_server; run_server({!r}, '127.0.0.1', {})"
    code = command.format(str(database), port)
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        assert b"listening" in process.stdout.readline()
        yield f"milvus+http://127.0.0.1:{port}", process
        process.kill()
