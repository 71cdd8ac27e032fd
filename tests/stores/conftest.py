from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stores.kinds import EVERY_KIND, HAS_MILVUS, NewStore, store_maker


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


@pytest.fixture(params=EVERY_KIND)
def new_store(request: pytest.FixtureRequest, tmp_path: Path, database: Path) -> NewStore:
    """Makes an empty store; every test runs once for each kind."""
    return store_maker(request.param, tmp_path, database)


@pytest.fixture
def in_milvus(tmp_path: Path, database: Path) -> NewStore:
    """Makes an empty store in Milvus."""
    return store_maker("milvus", tmp_path, database)


@pytest.fixture
def collection(tmp_path: Path) -> str:
    """A name that no other test takes."""
    return "c_" + re.sub(r"\W", "_", tmp_path.name)
