"""Whatever happens to SQLite's log, or is put beside an index: no generation comes back that was replaced."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from rerank_cli import stamps
from rerank_cli.errors import RerankError, UnusableIndex
from rerank_cli.store import open_reader
from rerank_cli.store.layout import Layout
from rerank_cli.store.seal import read_seal
from tests.conftest import Plant, Update
from tests.fakes import FakeEncoder
from tests.faults.conftest import LONG
from tests.faults.test_mutations import WAYS, Made, Mutation, answers, check_mended, follow

PLACES = 40 if LONG else 2

LOG = "catalog.sqlite-wal"


def put_noise(path: Path, older: Path, draw: random.Random) -> None:
    path.write_bytes(draw.randbytes(draw.randrange(1, 9000)))


def put_a_folder(path: Path, older: Path, draw: random.Random) -> None:
    path.mkdir()
    (path / "mine.txt").write_text("somebody's")


TO_THE_LOG = {**{way: WAYS[way] for way in WAYS if way != "of an older generation"}, "noise": put_noise}

BESIDE = {
    "emptied": lambda path, older, draw: path.write_bytes(b""),
    "noise": put_noise,
    "a folder": put_a_folder,
}

BY_CHANCE = ("truncated", "a bit flipped", "noise")


@pytest.fixture(params=["exact", "hnsw"])
def unfolded(
    request: pytest.FixtureRequest,
    plant: Plant,
    update: Update,
    index_folder: Path,
    docs: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Made:
    """An index whose last generation lies in the log alone: somebody still reads the one before."""
    monkeypatch.setattr(stamps, "SETTLED_NS", 0)  # what a file looked like is believed at once, and stays as it is
    plant({f"{n}.md": f"# Part {n}\n\nThe brake number {n}.\n\n## Old\n\nA bicycle, {n}.\n" for n in range(12)})
    update(search=request.param)
    shutil.copytree(index_folder, tmp_path / "older")
    plant({"1.md": "The old brake was sold.\n", "30.md": "A new bicycle has a brake.\n"})
    (docs / "2.md").unlink()
    with open_reader(index_folder):
        update(search=request.param)
        shutil.copytree(index_folder, tmp_path / "unfolded")
    made = Made(request.param, tmp_path / "unfolded", tmp_path / "older", answers(index_folder))
    assert (made.sound / LOG).stat().st_size
    assert answers(made.older) != made.answers
    return made


@pytest.fixture
def folded(unfolded: Made, update: Update, index_folder: Path, tmp_path: Path) -> Made:
    """The same index after the next run."""
    assert update(search=unfolded.kind).up_to_date
    assert not (index_folder / LOG).exists()
    shutil.copytree(index_folder, tmp_path / "folded")
    return Made(unfolded.kind, tmp_path / "folded", unfolded.sound, unfolded.answers)


@pytest.fixture(params=["a query", "a run"])
def survive(
    request: pytest.FixtureRequest, update: Update, docs: Path, index_folder: Path, survived
) -> Callable[[Made, Mutation, Callable[..., object]], None]:
    """Let a mutation happen to an index, which a query meets first or a run, and do what is told."""

    def live_through(made: Made, mutation: Mutation, way: Callable[..., object]) -> None:
        shutil.rmtree(index_folder, ignore_errors=True)
        shutil.copytree(made.sound, index_folder)
        draw = random.Random(f"{made.kind} {mutation}")
        way(index_folder / mutation.part, made.older / mutation.part, draw)
        survived(f"harms to the log that {request.param} met", 1)
        idle = FakeEncoder(fails_after=0)
        try:
            if request.param == "a query":
                assert answers(index_folder) == made.answers, mutation
                return
            update(search=made.kind, encoder=idle)
        except UnusableIndex as error:
            follow(error.remedy, made, update, idle, index_folder, docs)
        check_mended(made, mutation, update, index_folder)

    return live_through


def test_no_harm_to_the_log_brings_the_generation_before_back(unfolded: Made, survive) -> None:
    """SQLite takes a log that was cut for a shorter one, and one that is lost for none."""
    for name, way in TO_THE_LOG.items():
        for seed in range(PLACES if name in BY_CHANCE else 1):
            survive(unfolded, Mutation(LOG, name, seed), way)


def test_what_is_put_beside_an_index_changes_nothing(folded: Made, survive) -> None:
    for part in (LOG, "catalog.sqlite-shm", "catalog.sqlite-journal", "staging", "replaced.partial"):
        for name, way in BESIDE.items():
            for seed in range(PLACES if name in BY_CHANCE else 1):
                survive(folded, Mutation(part, name, seed), way)


def test_a_log_that_was_folded_already_changes_nothing(folded: Made, survive) -> None:
    survive(folded, Mutation(LOG, "folded before", 0), lambda path, older, draw: shutil.copyfile(older, path))


def test_the_seal_names_the_generation_that_the_log_must_bring(unfolded: Made, folded: Made) -> None:
    seal = read_seal(Layout(unfolded.sound).seal)
    assert seal is not None and (seal.broken, seal.generation) == (True, 2)
    seal = read_seal(Layout(folded.sound).seal)
    assert seal is not None and (seal.broken, seal.generation) == (False, 2)


def test_a_catalog_that_no_seal_vouches_for_may_be_damaged_and_is_no_bug(
    unfolded: Made, folded: Made, index_folder: Path, survived
) -> None:
    """A killed run leaves a broken seal: what SQLite makes of a flipped bit then is told as damage, if it is seen."""
    catalog, seal = Layout(index_folder).catalog, Layout(folded.sound).seal
    shutil.copyfile(Layout(unfolded.sound).seal, Layout(index_folder).seal)
    assert seal.read_bytes() != Layout(index_folder).seal.read_bytes()
    content = catalog.read_bytes()
    draw = random.Random(0)
    for _ in range(5000 if LONG else 80):
        harmed = bytearray(content)
        harmed[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
        catalog.write_bytes(harmed)
        with suppress(RerankError):
            answers(index_folder)
        survived("flipped bits of a catalog without a seal", 1)
    catalog.write_bytes(content)
    assert answers(index_folder) == folded.answers
