"""A loaded model may be asked from several threads: no thread cuts texts for another."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from rerank_cli.models.catalogue import find_model
from rerank_cli.models.loading import prepare
from rerank_cli.models.onnx import _Runtime

LONG = "the pump in the cellar hums at night and stops in the morning " * 60


@pytest.fixture
def hasty_threads() -> Iterator[None]:
    """Threads that take turns far more often than they do elsewhere."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def test_threads_that_count_and_cut_at_once_get_what_each_gets_alone(
    builtin_compiled: Path, model_cache: Path, hasty_threads: None
) -> None:
    runtime = _Runtime(prepare(find_model("rerank-minilm-l6", "reranker")))
    (whole,) = runtime.count_tokens([LONG])
    assert whole > runtime.model.max_tokens

    def ask(number: int) -> int:
        if number % 2:
            return runtime.count_tokens([LONG])[0]
        return len(runtime.cut([("a pump", LONG)], strategy="only_second")[0].ids)

    with ThreadPoolExecutor(4) as threads:
        got = list(threads.map(ask, range(400)))
    assert set(got[1::2]) == {whole}
    assert set(got[0::2]) == {runtime.model.max_tokens}
