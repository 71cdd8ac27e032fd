"""Runs that end at any moment: what answers afterwards is the old generation or the new one, and all of it."""

from __future__ import annotations

import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rerank_cli.store import open_reader
from rerank_cli.store.health import check_health
from tests.conftest import Plant, Update
from tests.fakes import FakeEncoder
from tests.faults.conftest import LONG, child_environment

KILLS = 300 if LONG else 12
CRASHES = 10_000 if LONG else 15

WRITING = ("pwrite64", "write", "writev", "fsync", "fdatasync", "rename", "unlink", "ftruncate", "mkdir", "rmdir")
"""The system calls that change a disk, as far as an index needs them."""

DOCUMENTS = 12


def turn(number: int) -> dict[str, str]:
    """All documents say which turn it is; with each, one goes and another comes."""
    names = [f"{number % 2}.md", *(f"always-{place}.md" for place in range(DOCUMENTS - 1))]
    return {name: f"# Turn\n\nThe brake of {name} in turn {number}.\n" for name in names}


def plant_turn(docs: Path, plant: Plant, number: int) -> None:
    plant(turn(number))
    (docs / f"{(number + 1) % 2}.md").unlink(missing_ok=True)


def turn_of(index_folder: Path, find: Callable[..., list[str]]) -> int:
    """The one turn that every passage of the index is of, and both stages find."""
    with open_reader(index_folder) as reader:
        stored = list(reader.scan())
        vector = FakeEncoder().encode_queries(["brake"])[0]
        dense = reader.search_dense(vector, 10 * DOCUMENTS)
    turns = {int(re.search(r"turn (\d+)", each.passage.text)[1]) for each in stored}
    assert len(turns) == 1, turns
    number = turns.pop()
    assert {each.path for each in stored} == set(turn(number))
    assert len(dense) == DOCUMENTS
    assert sorted(find("brake", index_folder)) == sorted(turn(number))
    return number


@pytest.mark.parametrize("graph", [False, True], ids=["exact", "graph"])
def test_a_run_killed_at_any_moment_leaves_a_whole_generation(
    docs: Path, plant: Plant, update: Update, start_indexer, find, index_folder: Path, survived, graph: bool
) -> None:
    options = ["--tell-start", "--delay-s", "0.005", *(["--search", "hnsw"] if graph else [])]
    plant_turn(docs, plant, 0)
    update()
    draw = random.Random(17 + graph)
    old, longest_s = 0, 0.1
    for number in range(1, KILLS // 2 + 1):
        plant_turn(docs, plant, number)
        process = start_indexer(*options)
        assert process.stdout.readline() == "begun\n"
        begun = time.monotonic()
        if number == 1:  # how long a whole run takes here
            process.wait(60)
            longest_s = time.monotonic() - begun
        time.sleep(draw.uniform(0, 1.2 * longest_s) if number > 1 else 0)
        process.send_signal(signal.SIGKILL)
        process.wait()
        answering = turn_of(index_folder, find)
        assert answering in (old, number)
        old = answering
        survived("kills", 1)
    update()
    assert turn_of(index_folder, find) == number
    assert check_health(index_folder, pages=True).leftovers == ()


def test_what_a_run_killed_after_its_commit_left_goes_with_one_that_has_nothing_to_do(
    docs: Path, plant: Plant, update: Update, index_folder: Path
) -> None:
    plant_turn(docs, plant, 0)
    update()
    whole = sorted(path.name for path in index_folder.iterdir())
    (vectors,) = index_folder.glob("*.vectors")
    encoder, dimensions, _ = vectors.stem.split("-")
    for name in (
        "graph-1.hnsw",
        "graph-9.hnsw.partial",
        "vectors-1.hnsw",
        f"{encoder}-{dimensions}-2.vectors",
        f"{encoder}-{dimensions}-2.keys",
    ):
        (index_folder / name).write_bytes(b"left")
    (index_folder / "replaced").mkdir()
    (index_folder / "replaced" / "catalog.sqlite").write_bytes(b"left")
    summary = update()
    assert (summary.up_to_date, summary.generation) == (True, 1)
    assert sorted(path.name for path in index_folder.iterdir()) == whole


# Dying at each system call that writes


@pytest.fixture
def die_at(docs: Path, index_folder: Path, tmp_path: Path) -> Iterator[Callable[..., Counter[str]]]:
    """Run the indexer until it makes the n-th call of one kind, and count the calls that it made."""
    if shutil.which("strace") is None:
        pytest.skip("there is no strace")

    def run(*options: str, call: str = "", number: int = 0) -> Counter[str]:
        log = tmp_path / "calls"
        strace = ["strace", "-f", "-qq", "-o", log, "-e", f"trace={','.join(WRITING)}"]
        inject = ["-e", f"inject={call}:signal=KILL:when={number}"] if call else []
        subprocess.run(
            [*strace, *inject, sys.executable, Path(__file__).with_name("indexer.py"), docs, index_folder, *options],
            env={**child_environment(), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
            stdout=subprocess.DEVNULL,
            check=False,
            timeout=120,
        )
        return Counter(re.findall(r"^\d+ +(\w+)\(", log.read_text(), re.MULTILINE))

    return run


def points(calls: Counter[str]) -> list[tuple[str, int]]:
    every = [(call, number) for call in sorted(calls) for number in range(1, calls[call] + 1)]
    return random.Random(17).sample(every, min(CRASHES // 3, len(every)))


def restore(kept: Path, index_folder: Path) -> None:
    shutil.rmtree(index_folder, ignore_errors=True)
    if kept.exists():
        shutil.copytree(kept, index_folder)


@pytest.mark.parametrize("options", [[], ["--search", "hnsw"]], ids=["exact", "graph"])
def test_an_update_that_dies_at_any_call_leaves_a_whole_generation(
    docs: Path,
    plant: Plant,
    update: Update,
    start_indexer,
    find,
    die_at,
    index_folder: Path,
    tmp_path: Path,
    survived,
    options: list[str],
) -> None:
    plant_turn(docs, plant, 0)
    assert start_indexer(*options).wait(60) == 0
    shutil.copytree(index_folder, tmp_path / "kept")
    plant_turn(docs, plant, 1)
    calls = die_at(*options)
    assert turn_of(index_folder, find) == 1
    for call, number in points(calls):
        restore(tmp_path / "kept", index_folder)
        die_at(*options, call=call, number=number)
        assert turn_of(index_folder, find) in (0, 1), (call, number)
        update()
        assert turn_of(index_folder, find) == 1, (call, number)
        assert check_health(index_folder, pages=True).leftovers == (), (call, number)
        survived("crash points", 1)


def test_a_rebuild_that_dies_at_any_call_loses_no_index_of_another_format(
    docs: Path, plant: Plant, update: Update, find, die_at, index_folder: Path, tmp_path: Path, survived
) -> None:
    """The other program that made it could still read it, or this one has built it anew."""
    from tests.faults.test_damaged import manifest_says

    plant_turn(docs, plant, 0)
    update()
    manifest_says(index_folder, "format_version", "99")
    shutil.copytree(index_folder, tmp_path / "kept")
    calls = die_at("--rebuild")
    assert turn_of(index_folder, find) == 0
    for call, number in points(calls):
        restore(tmp_path / "kept", index_folder)
        die_at("--rebuild", call=call, number=number)
        if check_health(index_folder).failure is not None:
            everywhere = [path.read_bytes() for path in index_folder.rglob("*") if path.is_file()]
            for path in (tmp_path / "kept").glob("*.vectors"):
                assert path.read_bytes() in everywhere, (call, number)
            assert any(content.startswith(b"SQLite") for content in everywhere), (call, number)
        update(rebuild=True)
        assert turn_of(index_folder, find) == 0, (call, number)
        assert check_health(index_folder, pages=True).leftovers == (), (call, number)
        survived("crash points", 1)
