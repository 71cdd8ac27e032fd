"""Readers beside a writer that commits as fast as it can: no error of any kind, each answer of one generation."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rerank_cli.store import catalog, database, open_reader
from rerank_cli.store.seal import read_seal
from tests.conftest import Plant, Update
from tests.fakes import FakeEncoder
from tests.faults.conftest import LONG, child_environment

OPENS, STATUSES = (22_000, 30_000) if LONG else (400, 200)
READERS = 2


@pytest.fixture
def start(index_folder: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start `beside.py` on this test's folders; it does not outlive the test."""
    started = []

    def start(*words: object) -> subprocess.Popen[str]:
        command = [sys.executable, Path(__file__).with_name("beside.py"), index_folder, *map(str, words)]
        started.append(
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=child_environment())
        )
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def indexed(plant: Plant, update: Update, index_folder: Path) -> Path:
    plant({f"{n}.md": f"brake number {n}\n" for n in range(20)} | {"turn.md": "brake turn 0\n"})
    update()
    return index_folder


@pytest.mark.parametrize("graph", ["exact", "graph"])
def test_opens_and_searches_beside_a_committing_writer_never_fail(indexed: Path, start, survived, graph: str) -> None:
    writer = start("commit", graph)
    assert writer.stdout.readline() == "begun\n"
    each = OPENS // READERS if graph == "exact" else OPENS // READERS // 10
    readers = [start("search", each) for _ in range(READERS)]
    ends = [reader.communicate()[0] for reader in readers]
    assert writer.poll() is None, "the writer ended, so nothing was tried beside it"
    assert ends == [f"{each} well\n"] * READERS
    assert [reader.returncode for reader in readers] == [0] * READERS  # none crashed
    survived("searches beside a writer", READERS * each)


def test_status_beside_a_committing_writer_never_fails(indexed: Path, start, survived) -> None:
    writer = start("commit", "exact")
    assert writer.stdout.readline() == "begun\n"
    each = STATUSES // READERS
    ends = [reader.communicate()[0] for reader in [start("status", each) for _ in range(READERS)]]
    assert writer.poll() is None
    assert ends == [f"{each} well\n"] * READERS
    survived("status beside a writer", READERS * each)


def test_a_stream_that_waits_keeps_no_log_from_being_folded_back(
    indexed: Path, start, plant: Plant, update: Update, survived
) -> None:
    stream = start("stream")
    stream.stdin.write("turn\n")
    stream.stdin.flush()
    assert stream.stdout.readline() == "1 turn.md: brake turn 0\n"
    log = indexed / "catalog.sqlite-wal"
    text = " ".join(f"word{n}" for n in range(2000))
    for turn in range(1, 51):
        plant({"turn.md": f"brake turn {turn}\n", "long.md": f"{text} {turn}\n"})
        update()
        assert not log.exists() or log.stat().st_size < 1_000_000
    stream.stdin.write("turn\n")
    stream.stdin.flush()
    assert stream.stdout.readline() == "51 turn.md: brake turn 50\n"
    survived("commits beside an open stream", 50)


def test_a_stream_ends_where_the_index_was_made_anew_with_another_encoder(indexed: Path, start, update: Update) -> None:
    stream = start("stream")
    update(encoder=FakeEncoder(fingerprint="another"), rebuild=True)
    stdout, _ = stream.communicate("turn\n")
    assert stdout.startswith("IndexMismatch: ") and "made with the encoder fake" in stdout


def test_a_search_keeps_the_generation_that_it_opened(indexed: Path, plant: Plant, update: Update) -> None:
    with open_reader(indexed) as reader:
        generation = reader.manifest.generation
        plant({"turn.md": "something else\n"})
        assert update().generation == generation + 1
        texts = [stored.passage.text for stored in (each for each in reader.scan() if each.path == "turn.md")]
        assert texts == ["brake turn 0"]
        reader.rest()
        reader.wake()
        assert reader.manifest.generation == generation + 1


def test_a_search_keeps_its_generation_though_its_process_opens_the_index_again(
    indexed: Path, plant: Plant, start_indexer
) -> None:
    """To close a file would take the locks off it that keep another process from folding the log into it."""
    with open_reader(indexed) as reader:
        open_reader(indexed).__exit__()
        plant({"turn.md": "something else\n"})
        assert start_indexer().wait(60) == 0
        assert [stored.passage.text for stored in reader.scan() if stored.path == "turn.md"] == ["brake turn 0"]
        found = [passage for passage, _ in reader.search_lexical(["brake"], 100)]
        assert len(reader.opening_cosines(FakeEncoder().encode_queries(["brake"])[0], found)) == 21
    with open_reader(indexed) as reader:
        assert "something else" in {stored.passage.text for stored in reader.scan()}


@pytest.mark.skipif(not Path("/dev/fd").is_dir(), reason="descriptors have no names here")
def test_a_process_that_can_open_no_more_files_is_told_so(indexed: Path, start) -> None:
    crowded = start("crowded")
    assert crowded.wait(60) == 0, crowded.stdout.read()
    outcomes = set(re.findall("[A-Za-z]+", crowded.stdout.read()))
    assert outcomes == {"well", "InputError"}


def test_a_run_does_not_take_itself_for_another_process(
    indexed: Path, plant: Plant, update: Update, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It looks at its index as a query does, where a query cannot make a file beside the catalog."""
    open_database = catalog.open_database
    plant({"turn.md": "brake turn 1\n"})

    def was_sealed_anew() -> bool:
        seal = read_seal(indexed / "catalog.seal")
        return seal is not None and seal.generation == 2

    def refuse_readers(path: Path, mode: str, **options: object) -> sqlite3.Connection:
        if mode == database.READ and was_sealed_anew():
            error = sqlite3.OperationalError("unable to open database file")
            error.sqlite_errorcode = sqlite3.SQLITE_CANTOPEN
            raise error
        return open_database(path, mode, **options)

    monkeypatch.setattr(catalog, "open_database", refuse_readers)
    assert update().generation == 2
