"""A loaded model may be asked from several threads: no thread cuts texts for another."""

from __future__ import annotations

import multiprocessing
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from rerank_cli.errors import ModelError
from rerank_cli.models.catalogue import find_model
from rerank_cli.models.loading import prepare
from rerank_cli.models.onnx import _Runtime, worker_count

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


def test_the_threads_that_run_models_last_and_are_no_more_than_processors(
    builtin_compiled: Path, model_cache: Path
) -> None:
    runtime = _Runtime(prepare(find_model("rerank-minilm-l6", "reranker")))
    encodings = runtime.cut(["a pump"] * 12)
    ran: set[int] = set()

    def ask(_: int) -> None:
        runtime.run_all(encodings, lambda place, output: ran.add(threading.get_ident()))

    with ThreadPoolExecutor(4) as askers:
        list(askers.map(ask, range(40)))
    assert 1 <= len(ran) <= worker_count()


def test_a_process_that_was_forked_runs_models_on_threads_of_its_own(builtin_compiled: Path, model_cache: Path) -> None:
    runtime = _Runtime(prepare(find_model("rerank-minilm-l6", "reranker")))
    encodings = runtime.cut(["a pump", "a cellar"])
    runtime.run_all(encodings, lambda place, output: None)
    child = multiprocessing.get_context("fork").Process(target=runtime.run_all, args=(encodings, _nothing))
    child.start()
    child.join(30)
    try:
        assert child.exitcode == 0
    finally:
        child.kill()


def test_where_a_text_fails_the_others_are_not_run(builtin_compiled: Path, model_cache: Path) -> None:
    runtime = _Runtime(prepare(find_model("rerank-minilm-l6", "reranker")))
    encodings = runtime.cut(["a pump"] * 50)
    run: list[int] = []

    def fail(place: int, output: object) -> None:
        run.append(place)
        raise ModelError("failed")

    with pytest.raises(ModelError):
        runtime.run_all(encodings, fail)
    assert len(run) <= worker_count()


def _nothing(place: int, output: object) -> None:
    pass
