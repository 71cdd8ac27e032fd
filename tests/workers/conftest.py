from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from rerank_cli.indexing import IndexSummary
from rerank_cli.ports import Encoder
from rerank_cli.workers.at_work import Orders
from rerank_cli.workers.cluster import connected
from rerank_cli.workers.ray_workers import RayWorkers
from tests.conftest import Update
from tests.fakes import FakeEncoder
from tests.workers.encoders import Gives


@pytest.fixture(scope="session")
def ray_here() -> Iterator[None]:
    """Ray on this machine's processors, begun once: that takes as long as all these tests.

    Its workers import what they are given by tests from where this process does, and no program from there.
    """
    if not all(map(find_spec, ("ray", "pandas", "pyarrow"))):
        pytest.skip("the extra ray is not installed")
    sys.path.append(str(Path(__file__).parents[2]))
    try:
        with connected():
            yield
    finally:
        sys.path.pop()


@pytest.fixture
def update_by_ray(update: Update, ray_here: None, encoder: FakeEncoder) -> Update:
    """As `update`, by workers of Ray."""

    def run(*, encoder: Encoder = encoder, passage_tokens: int = 40, **options: object) -> IndexSummary:
        orders = Orders(
            open_encoder=Gives(encoder),
            fingerprint=encoder.fingerprint,
            max_tokens=passage_tokens,
            max_file_size_bytes=10_000_000,
            file_timeout_s=60.0,
        )
        with RayWorkers(orders) as workers:
            return update(encoder=encoder, passage_tokens=passage_tokens, workers=workers, **options)

    return run
