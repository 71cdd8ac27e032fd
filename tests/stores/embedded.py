"""The embedded database that all tests share."""

from __future__ import annotations

from collections.abc import Iterator
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
