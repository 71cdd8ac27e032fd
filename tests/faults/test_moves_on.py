"""Commands that wait for a person, while the index moves on or goes away."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import Plant, Update
from tests.fakes import FakeEncoder, FakeReranker


@pytest.fixture
def run(
    index_folder: Path, monkeypatch: pytest.MonkeyPatch, run_main: Callable[..., tuple[int, str, str]]
) -> Callable[..., tuple[int, str, str]]:
    """Run a command on this test's index where fakes are the models."""
    monkeypatch.setattr("rerank_cli.models.loading.open_encoder", lambda *_, **__: FakeEncoder())
    monkeypatch.setattr("rerank_cli.models.loading.open_reranker", lambda *_, **__: FakeReranker())
    return lambda *arguments: run_main(*arguments, "--index", index_folder)


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """What happens before each answer in turn: a string is typed, a function called."""

    def plan(*events: Callable[[], object] | str) -> None:
        left = list(events)

        def next_key() -> str:
            while left and not isinstance(left[0], str):
                left.pop(0)()
            return left.pop(0) if left else "q"

        @contextmanager
        def keys() -> Iterator[Callable[[], str]]:
            yield next_key

        monkeypatch.setattr("rerank_cli.cli.evaluating.own_judgements.single_keys", keys)

    return plan


@pytest.fixture
def collection(tmp_path: Path) -> Path:
    folder = tmp_path / "judged"
    folder.mkdir()
    (folder / "queries.jsonl").write_text('{"_id": "1", "text": "chain"}\n{"_id": "2", "text": "wheel"}\n')
    return folder


def test_judging_shows_what_each_query_finds_though_the_index_gives_its_ids_out_again(
    plant: Plant, update: Update, docs: Path, run, meanwhile, collection: Path
) -> None:
    plant({"a.md": "a brake\n", "z.md": "an oily chain\n"})
    update()

    def replace_the_last() -> None:
        (docs / "z.md").unlink()
        plant({"y.md": "a round wheel\n"})
        update()

    meanwhile("n", replace_the_last, *"nyy")
    code, _, err = run("eval", "judge", "--collection", collection, "--pool", "2")
    assert code == 0
    assert "oily" not in err.partition("2: wheel")[2], err
    assert "a round wheel" in err.partition("2: wheel")[2], err
    assert "2\ty.md\t" in (collection / "qrels.tsv").read_text()


def test_an_answer_is_kept_though_the_index_is_gone_by_then(
    plant: Plant, update: Update, index_folder: Path, run, meanwhile, collection: Path
) -> None:
    plant({"a.md": "a brake\n", "z.md": "an oily chain\n"})
    update()
    meanwhile(lambda: shutil.rmtree(index_folder), "y", "n")
    code, _, err = run("eval", "judge", "--collection", collection, "--pool", "2")
    assert code == 3 and "no index here" in err
    kept = (collection / "qrels.tsv").read_text().splitlines()[1:]
    assert len(kept) == 2, kept  # both documents of the first query; the second one needs the index


class Stdin:
    """Lines as they are typed; a function among them is called when its turn comes."""

    def __init__(self, *events: bytes | Callable[[], object]) -> None:
        self._events = list(events)
        self.buffer = self

    def readline(self, size: int) -> bytes:
        while self._events:
            event = self._events.pop(0)
            if isinstance(event, bytes):
                return event
            event()
        return b""

    def isatty(self) -> bool:
        return False


@pytest.mark.parametrize("last", [b"", b"\n"])
def test_queries_that_were_all_answered_end_well_though_the_index_is_gone_by_then(
    docs: Path, plant: Plant, update: Update, index_folder: Path, run, monkeypatch: pytest.MonkeyPatch, last: bytes
) -> None:
    plant({"a.md": "a brake\n"})
    update()
    monkeypatch.setattr(sys, "stdin", Stdin(b"brake\n", lambda: shutil.rmtree(index_folder), last))
    code, out, err = run("query", "-", "-f", "paths")
    assert (code, err) == (0, "")
    assert out == f"{docs}/a.md\n"


def test_a_query_that_comes_after_the_index_is_gone_is_told_so(
    docs: Path, plant: Plant, update: Update, index_folder: Path, run, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant({"a.md": "a brake\n"})
    update()
    monkeypatch.setattr(sys, "stdin", Stdin(b"brake\n", lambda: shutil.rmtree(index_folder), b"brake\n"))
    code, out, err = run("query", "-", "-f", "paths")
    assert code == 3 and "no index here" in err
    assert out == f"{docs}/a.md\n"
