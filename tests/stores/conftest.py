from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.stores.kinds import EVERY_KIND, KINDS, NewStore, store_maker


@pytest.fixture(params=EVERY_KIND)
def new_store(request: pytest.FixtureRequest) -> NewStore:
    """Makes an empty store; every test runs once for each kind."""
    return store_maker(request.param, request)


@pytest.fixture(params=[kind for kind in KINDS if "milvus" in kind])
def in_milvus(request: pytest.FixtureRequest) -> NewStore:
    """Makes an empty store in Milvus."""
    return store_maker(request.param, request)


@pytest.fixture
def collection(tmp_path: Path) -> str:
    """A name that no other test takes."""
    return "c_" + re.sub(r"\W", "_", tmp_path.name)
