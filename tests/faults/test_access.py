"""What stands in the way of an index is named as it is, and the remedy that is told works."""

from __future__ import annotations

import os
import re
import shlex
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from rerank_cli.cli.app import main
from rerank_cli.errors import Busy, RerankError
from rerank_cli.store.catalog import telling
from rerank_cli.store.health import check_health
from rerank_cli.store.location import default_folder
from rerank_cli.store.seal import read_seal, write_seal
from tests.conftest import Plant
from tests.fakes import FakeEncoder, FakeReranker
from tests.faults.conftest import child_environment
from tests.unprivileged import unprivileged

STRANGER = 12345

VICTIM = "victim.txt"

MINE = "mine.txt"


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str


@pytest.fixture
def rerank_cli(
    docs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Outcome]:
    """Run a command in this process, with the fake models and no more rights than a user has."""
    monkeypatch.chdir(docs)
    monkeypatch.setattr("rerank_cli.models.loading.open_encoder", lambda *_, **__: FakeEncoder())
    monkeypatch.setattr("rerank_cli.models.loading.open_reranker", lambda *_, **__: FakeReranker())

    def run(*arguments: str | Path) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["rerank-cli", *map(str, arguments)])
        capsys.readouterr()
        with unprivileged(), pytest.raises(SystemExit) as left:
            main()
        streams = capsys.readouterr()
        return Outcome(left.value.code, streams.out, streams.err)

    return run


@pytest.fixture
def index(docs: Path, plant: Plant, rerank_cli) -> Iterator[Path]:
    """The index of `docs` under its own name."""
    plant({"a.md": "brake\n", "b.md": "chain\n"})
    assert rerank_cli("index", docs).code == 0
    folder = default_folder(docs)
    yield folder
    folder.chmod(0o755)  # so that it can be removed


def leave_log(index: Path) -> None:
    """As a writer that was killed: a broken seal, a log, and the file that SQLite shares between processes."""
    seal = read_seal(index / "catalog.seal")
    assert seal is not None
    write_seal(index / "catalog.seal", seal._replace(broken=True))
    script = (
        "import os, sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None);"
        " c.execute('PRAGMA user_version = 7'); os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", script, index / "catalog.sqlite"], check=True)
    assert (index / "catalog.sqlite-shm").exists() and (index / "catalog.sqlite-wal").stat().st_size


def place_of(index: Path, name: str) -> Path:
    """The file *name* of the index; a name that begins with a star is that of the encoder's vectors or keys."""
    return next(index.glob(name)) if name.startswith("*") else index / name


def put_folder(name: str) -> Callable[[Path], None]:
    def put(index: Path) -> None:
        place = place_of(index, name)
        place.unlink(missing_ok=True)
        place.mkdir()
        (place / MINE).write_text("not the program's\n")

    return put


def put_folder_for_the_next(ending: str) -> Callable[[Path], None]:
    """The rows that are sound are saved into it, once some are not."""

    def put(index: Path) -> None:
        place = place_of(index, f"*{ending}")
        place.write_bytes(b"")
        next_place = place.with_name(place.name.replace("-1.", "-2."))
        next_place.mkdir()
        (next_place / MINE).write_text("not the program's\n")

    return put


def put_pipe(name: str) -> Callable[[Path], None]:
    def put(index: Path) -> None:
        place = place_of(index, name)
        place.unlink()
        os.mkfifo(place)

    return put


def put_link(name: str) -> Callable[[Path], None]:
    """To a file of somebody else's, which must stay as it is: `VICTIM` is looked at afterwards."""

    def put(index: Path) -> None:
        victim = index.parent / VICTIM
        victim.write_text("precious\n")
        victim.chmod(0o644)
        (index / name).unlink()
        (index / name).symlink_to(victim)

    return put


def set_mode(name: str, mode: int, *, log: bool = False, owner: int | None = None) -> Callable[[Path], None]:
    def change(index: Path) -> None:
        if log:
            leave_log(index)
        place = place_of(index, name)
        place.chmod(mode)
        if owner is not None:
            if os.geteuid():
                pytest.skip("only root gives files away")
            os.chown(place, owner, owner)

    return change


def garble_and_put_a_file_for_replaced(index: Path) -> None:
    (index / "catalog.sqlite").write_bytes(b"no database" * 1000)
    (index / "replaced").write_text("mine\n")


def drop_words(index: Path) -> None:
    with sqlite3.connect(index / "catalog.sqlite") as connection:
        connection.execute("DROP TABLE words")
    connection.close()


def garble_words(index: Path) -> None:
    with sqlite3.connect(index / "catalog.sqlite") as connection:
        connection.execute("UPDATE words_data SET block = x'ff00ff' WHERE id > 10")
    connection.close()


WAYS = {
    "an unreadable folder": set_mode("", 0o000),
    "a folder that may not be written": set_mode("", 0o500),
    "a folder of another user": set_mode("", 0o755, owner=STRANGER),
    "an unreadable catalog": set_mode("catalog.sqlite", 0o000),
    "a catalog that may not be written": set_mode("catalog.sqlite", 0o400),
    "a catalog of another user": set_mode("catalog.sqlite", 0o600, owner=STRANGER),
    "an unreadable seal": set_mode("catalog.seal", 0o000),
    "unreadable vectors": set_mode("*.vectors", 0o000),
    "unreadable keys": set_mode("*.keys", 0o000),
    "vectors of another user": set_mode("*.vectors", 0o600, owner=STRANGER),
    "keys of another user": set_mode("*.keys", 0o600, owner=STRANGER),
    "a lock that may not be written": set_mode("write.lock", 0o400),
    "an unreadable lock": set_mode("write.lock", 0o000),
    "a shared file that may not be written": set_mode("catalog.sqlite-shm", 0o400, log=True),
    "a shared file of another user": set_mode("catalog.sqlite-shm", 0o644, log=True, owner=STRANGER),
    "an unreadable shared file": set_mode("catalog.sqlite-shm", 0o000, log=True),
    "an unreadable log": set_mode("catalog.sqlite-wal", 0o000, log=True),
    "a log that may not be written": set_mode("catalog.sqlite-wal", 0o400, log=True),
    "a folder for the catalog": put_folder("catalog.sqlite"),
    "a folder for the seal": put_folder("catalog.seal"),
    "a folder for the vectors": put_folder("*.vectors"),
    "a folder for the keys": put_folder("*.keys"),
    "a folder for the next vectors": put_folder_for_the_next(".vectors"),
    "a folder for the next keys": put_folder_for_the_next(".keys"),
    "a folder for a graph": put_folder("graph-2.hnsw"),
    "a folder for a graph, unfinished": put_folder("graph-2.hnsw.partial"),
    "a folder for what waits": put_folder("staging"),
    "a folder for the lock": put_folder("write.lock"),
    "a folder for the log": put_folder("catalog.sqlite-wal"),
    "a folder for the shared file": put_folder("catalog.sqlite-shm"),
    "a pipe for the catalog": put_pipe("catalog.sqlite"),
    "a pipe for the seal": put_pipe("catalog.seal"),
    "a pipe for the vectors": put_pipe("*.vectors"),
    "a pipe for the keys": put_pipe("*.keys"),
    "a pipe for the lock": put_pipe("write.lock"),
    "a link for the lock": put_link("write.lock"),
    "a link for the catalog": put_link("catalog.sqlite"),
    "a link for the seal": put_link("catalog.seal"),
    "a file for the folder of what is replaced": garble_and_put_a_file_for_replaced,
    "no table of words": drop_words,
    "a broken table of words": garble_words,
}


QUERY = ["query", "chain", "-f", "paths"]
INDEX = ["index", "."]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("commands", [[QUERY, ["status"], INDEX], [INDEX, QUERY]], ids=["query first", "index first"])
def test_what_stands_in_the_way_is_told_and_the_remedy_works(
    index: Path, docs: Path, plant: Plant, rerank_cli, tmp_path: Path, survived, way: str, commands: list[list[str]]
) -> None:
    WAYS[way](index)
    plant({"c.md": "saddle\n"})
    told = []
    for command in commands:
        for _ in range(4):
            outcome = rerank_cli(*command)
            if outcome.code == 0:
                break
            told.append(outcome.err)
            assert INDEX not in commands[: commands.index(command)], "it ended well, and yet this fails"
            assert outcome.code in (3, 4), outcome
            assert outcome.err.count("\n") == 1 and outcome.err.startswith("rerank-cli: /"), outcome
            assert "[Errno" not in outcome.err, outcome
            follow(outcome.err.strip(), docs, rerank_cli, tmp_path)
        assert outcome.code == 0, told
        if command == INDEX:
            assert rerank_cli("query", "saddle", "-f", "paths").out.startswith("c.md\n"), told
            assert rerank_cli("status").code == 0
    assert rerank_cli(*QUERY).out.startswith("b.md\n")
    assert check_health(index, pages=True).failure is None
    if way.startswith("a folder for"):
        assert len([*index.rglob(MINE)]) == 1, "what was somebody's is still there"
    victim = index.parent / VICTIM
    assert not victim.exists() or (victim.read_text(), victim.stat().st_mode & 0o777) == ("precious\n", 0o644)
    survived("obstacles to an index", 1)


def follow(line: str, docs: Path, rerank_cli: Callable[..., Outcome], tmp_path: Path) -> None:
    """Do what *line* says. FOLDER stands where nothing can tell which it is."""
    if "and run again" in line:  # nothing stands there now: to root, SQLite gives the file that it shares
        return
    command = re.search(r": ((?:sudo |chmod |rm |mv |rerank-cli ).*)$", line)
    assert command, line
    if moving := re.match(r"(mv .*) && (rerank-cli .*)", command[1]):
        subprocess.run(moving[1], shell=True, check=True)
        follow(f"rerank-cli: go on: {moving[2]}", docs, rerank_cli, tmp_path)
        return
    if command[1].startswith("rerank-cli "):
        assert "FOLDER" not in line or "not a database" in line or "no index here" in line, line
        outcome = rerank_cli(*shlex.split(command[1].replace("FOLDER", str(docs)))[1:])
        if outcome.code:  # another obstacle
            follow(outcome.err.strip(), docs, rerank_cli, tmp_path)
    else:
        subprocess.run(command[1].replace("sudo ", ""), shell=True, check=True)


# A read-only mount


@pytest.fixture
def read_only(index: Path, tmp_path: Path) -> Iterator[Path]:
    """The index on a mount that takes no writes, while others write it elsewhere."""
    place = tmp_path / "read only"
    place.mkdir()
    made = subprocess.run(["mount", "--bind", index, place], capture_output=True, check=False)
    if made.returncode:
        pytest.skip("file systems cannot be mounted here")
    subprocess.run(["mount", "-o", "remount,ro,bind", place], check=True)
    yield place
    subprocess.run(["umount", place], check=True)


def test_an_index_on_a_read_only_mount_answers_or_says_that_it_is_being_written(
    index: Path, read_only: Path, docs: Path, plant: Plant, rerank_cli, survived
) -> None:
    plant({"turn.md": "brake turn 0\n"})
    assert rerank_cli("index", docs).code == 0

    def start(*words: object) -> subprocess.Popen[str]:
        command = [sys.executable, Path(__file__).with_name("beside.py"), *map(str, words)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=child_environment())

    writer = start(index, "commit", "exact")
    try:
        assert writer.stdout.readline() == "begun\n"
        told, _ = start(read_only, "patient", 200).communicate(timeout=120)
        assert writer.poll() is None
        assert re.fullmatch(r"200 well, \d+ busy\n", told), told
    finally:
        writer.send_signal(signal.SIGKILL)
        writer.communicate()
    survived("searches on a read-only mount beside a writer", 200)


@pytest.mark.parametrize(
    ("code", "told"),
    [(sqlite3.SQLITE_CANTOPEN, Busy), (sqlite3.SQLITE_READONLY, Busy), (sqlite3.SQLITE_IOERR, RerankError)],
)
def test_a_log_that_goes_under_a_reader_is_told_as_a_writer(
    read_only: Path, code: int, told: type[RerankError]
) -> None:
    error = sqlite3.OperationalError("as it comes where no log can be made")
    error.sqlite_errorcode = code
    with pytest.raises(told) as raised, telling(read_only / "catalog.sqlite", sqlite3.connect(":memory:")):
        raise error
    assert isinstance(raised.value, Busy) == (told is Busy)


def test_a_log_that_was_left_on_a_read_only_mount_is_folded_in_by_the_command_told(
    index: Path, read_only: Path, docs: Path, rerank_cli
) -> None:
    leave_log(index)
    (index / "catalog.sqlite-shm").unlink()
    outcome = rerank_cli("query", "chain", "-f", "paths", "--index", read_only)
    assert outcome.code == 4
    assert "its log holds changes" in outcome.err and f"rerank-cli index {docs}" in outcome.err
    assert rerank_cli("index", docs).code == 0
    assert rerank_cli("query", "chain", "-f", "paths", "--index", read_only).out.startswith("b.md\n")


def test_to_index_on_a_read_only_mount_says_so(index: Path, read_only: Path, docs: Path, rerank_cli) -> None:
    outcome = rerank_cli("index", docs, "--index", read_only)
    assert outcome.code == 4
    assert "read-only" in outcome.err.lower() and outcome.err.count("\n") == 1
