"""Warm servers: real processes, asked by real commands."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO

import pytest

import rerank_cli
from rerank_cli import open_library
from rerank_cli.cli import warm_wire
from rerank_cli.cli.warm_client import answered_warm, is_wanted
from tests.cli.conftest import HEAR_SIGINT, Cli, Outcome, assert_one_line, on_a_terminal, write_files
from tests.fakes import FakeEncoder

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="a warm server needs Linux")

FILES = {"gas.md": "# Gas\n\nShut the gas valve.\n", "boat.md": "# Boat\n\nThe boat lies in the shed.\n"}

BY_WORDS = ("--retriever", "lexical", "--no-rerank")
"""A query that needs no model."""

SERVE = "from rerank_cli.cli.warm_server import main; main()"

PATIENCE_S = 120


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand where nothing can be imported from: a query and its server are of one program then."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def docs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Documents, whose index lies beside them."""
    folder = write_files(tmp_path_factory.mktemp("warm") / "docs", FILES)
    update(folder)
    return folder


def update(docs: Path) -> None:
    with open_library(docs, index=docs.parent / "index", encoder=FakeEncoder()) as library:
        library.update()


def question(docs: Path, *arguments: str) -> list[str]:
    return ["query", *arguments, "--index", str(docs.parent / "index"), *BY_WORDS]


@contextmanager
def warm(
    *models: str, idle_s: float = 300.0, ready: Callable[[], object] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A server in the environment of this test; when it listens."""
    with subprocess.Popen([sys.executable, "-P", "-c", SERVE, str(idle_s), *models]) as server:
        try:
            until(ready or listens)
            yield server
        finally:
            server.kill()


def listens() -> bool:
    """Whether a server of the kind of this test's commands does."""
    opened = warm_wire.open_folder(str(folder()))
    if opened is None:
        return False
    connection = warm_wire.connected(opened, warm_wire.socket_name(warm_wire.kind_of_server(os.environ)))
    os.close(opened)
    if connection is not None:
        connection.close()
    return connection is not None


def folder() -> Path:
    return Path(warm_wire.folder_place(os.environ))


def until(happens: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not happens():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def asking(docs: Path) -> subprocess.Popen[bytes]:
    """A query of which each line on stdin is answered at once."""
    program = f"{HEAR_SIGINT}; from rerank_cli.cli.entry import program; program()"
    return subprocess.Popen(
        [sys.executable, "-P", "-c", program, *question(docs, "-")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def half_asked(docs: Path) -> subprocess.Popen[bytes]:
    """One that has read half of a line."""
    asked = asking(docs)
    assert asked.stdin
    asked.stdin.write(b"half of a li")
    asked.stdin.flush()
    until(lambda: not waiting_in(asked.stdin))
    return asked


def answering(server: subprocess.Popen[bytes]) -> list[int]:
    """The processes that answer now: they stand where the query does, and the one that stands by at the root."""
    found = []
    for pid in children(server):
        with suppress(OSError):  # which has ended
            if Path(f"/proc/{pid}/cwd").readlink() != Path("/"):
                found.append(pid)
    return found


def children(server: subprocess.Popen[bytes]) -> list[int]:
    return [int(pid) for pid in Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()]


def waiting_in(pipe: IO[bytes] | None) -> int:
    """The bytes of a *pipe* that nobody has read yet."""
    assert pipe
    return int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, b"\0" * 4), sys.byteorder)


def answers(process: Cli) -> int:
    """How many queries the server has answered."""
    return int(process("warm", "status", "--json").json[0]["answers"])


def ended(asked: subprocess.Popen[bytes], line: str = "") -> Outcome:
    out, err = asked.communicate(line.encode(), timeout=PATIENCE_S)
    return Outcome(asked.returncode, out.decode(), err.decode())


@pytest.fixture
def served(isolated: None) -> Iterator[subprocess.Popen[bytes]]:
    """A server for one test."""
    with warm() as server:
        yield server


ASKED = (
    *(("gas", "-f", name) for name in ("plain", "table", "json", "jsonl", "tsv", "paths", "vimgrep", "trec")),
    ("gas", "valve", "--explain", "-C", "1"),
    ("gas", "-0"),
    ("zebra",),
    ("",),
    ("gas", "--top-k", "0"),
    ("gas", "--no-such-flag"),
    ("gas", "--index", "nothing/here"),
    ("gas", "--help"),
)


def test_a_warm_answer_is_that_of_a_cold_one(docs: Path, process: Cli, served: object) -> None:
    for asked in ASKED:
        found = process(*question(docs, *asked))
        assert untimed(found) == untimed(process(*question(docs, *asked), "--no-warm")), asked
    assert answers(process) == len(ASKED)


def untimed(outcome: Outcome) -> tuple[int, str, str]:
    """*outcome* but for the times it tells, which no two have in common."""
    return outcome.code, re.sub(r'(_s": |in )[0-9.e-]+', "", outcome.out), outcome.err


def test_a_warm_answer_with_both_models_is_that_of_a_cold_one(indexed: Path, process: Cli) -> None:
    with warm("encoder:all-MiniLM-L6-v2"):
        for _ in range(2):  # the server has the reranker for the second
            found = process("query", "a", "cold", "radiator")
            assert found == process("query", "a", "cold", "radiator", "--no-warm")
            assert (found.code, found.err) == (0, "") and len(found.lines) > 1
        told = process("warm", "status", "--json").json[0]
    assert (told["answers"], told["models"]) == (2, ["all-MiniLM-L6-v2", "rerank-minilm-l6"])


def test_a_terminal_sees_what_it_sees_of_a_cold_answer(docs: Path, process: Cli, served: object) -> None:
    cold = on_a_terminal(*question(docs, "gas"), "--no-warm")
    link = re.compile("id=[0-9]+")  # which Rich draws by lot
    assert link.sub("", on_a_terminal(*question(docs, "gas"))) == link.sub("", cold)
    assert "gas.md" in cold and answers(process) == 1


def test_the_pager_runs_at_the_terminal(
    docs: Path, process: Cli, served: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LINES", "2")
    assert "PASSAGE" in on_a_terminal(*question(docs, "gas"), "--pager", "tr a-z A-Z")
    assert answers(process) == 1


def test_where_the_query_stands_and_its_settings_count(
    docs: Path, process: Cli, served: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(docs)
    assert process(*question(docs, "gas", "-l")).out == "gas.md\n"
    monkeypatch.setenv("RERANK_CLI_FORMAT", "nonsense")
    assert process(*question(docs, "gas")).code == 2
    monkeypatch.delenv("RERANK_CLI_FORMAT")
    (Path(os.environ["XDG_CONFIG_HOME"]) / "rerank-cli").mkdir(parents=True)
    (Path(os.environ["XDG_CONFIG_HOME"]) / "rerank-cli" / "config.yaml").write_text("format: paths\n")
    assert process(*question(docs, "gas")).out == "gas.md\n"
    assert answers(process) == 3


def test_a_change_of_the_index_is_seen_at_once(tmp_path: Path, process: Cli, served: object) -> None:
    docs = write_files(tmp_path / "docs", FILES)
    update(docs)
    assert process(*question(docs, "heron")).code == 1
    write_files(docs, {"heron.md": "# Heron\n\nA heron stands in the pond.\n"})
    update(docs)
    assert "heron.md" in process(*question(docs, "heron")).out
    assert answers(process) == 2


def test_what_stands_by_searches_the_index_that_was_asked_last_and_holds_nothing_of_it(
    tmp_path: Path, process: Cli
) -> None:
    docs = write_files(tmp_path / "docs", FILES)
    asked = ("query", "heron", "--no-rerank", "--index", "docs-index/")
    process("index", str(docs), "--index", "docs-index/")
    with warm("encoder:all-MiniLM-L6-v2", "reranker:rerank-minilm-l6") as server:
        first = practised(server)
        assert "heron.md" not in process(*asked).out
        until(lambda: practised(server) > first + SEARCHED)
        (by,) = children(server)
        assert not [path for path in opened_by(by) if "docs-index" in path]
        write_files(docs, {"heron.md": "# Heron\n\nA heron stands in the pond.\n"})
        process("index", str(docs), "--index", "docs-index/")
        assert "heron.md" in process(*asked).out.splitlines()[0]
        (tmp_path / "docs-index").rename(tmp_path / "away")
        assert process(*asked).code == 3
        assert answers(process) == 3


SEARCHED = 500
"""Pages of memory that a search needs beside what every query does."""


def practised(server: subprocess.Popen[bytes]) -> int:
    """Pages that the process which stands by has made its own, once these grow no more; 0 while there is none."""
    before, now = -1, 0
    while before != now:
        before, now = now, sum(map(touched_by, children(server)))
        time.sleep(0.5)
    return now


def touched_by(pid: int) -> int:
    with suppress(OSError):  # which has ended
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[7])
    return 0


def opened_by(pid: int) -> list[str]:
    """Files that the process has open or mapped."""
    maps = Path(f"/proc/{pid}/maps").read_text().splitlines()
    return [*maps, *(str(each.readlink()) for each in Path(f"/proc/{pid}/fd").iterdir())]


def test_a_damaged_index_is_not_believed(tmp_path: Path, process: Cli, served: object) -> None:
    docs = write_files(tmp_path / "docs", FILES)
    update(docs)
    catalog = tmp_path / "index" / "catalog.sqlite"
    time.sleep(2.1)  # what was written in the last two seconds is not taken for settled
    assert process(*question(docs, "gas")).code == 0
    assert process(*question(docs, "gas")).code == 0
    content = bytearray(catalog.read_bytes())
    content[len(content) // 2] ^= 1
    catalog.write_bytes(content)
    assert process(*question(docs, "gas")).code == 3
    assert answers(process) == 3


def test_an_upgrade_ends_the_server(docs: Path, tmp_path: Path, process: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    package = Path(rerank_cli.__file__).parent
    shutil.copytree(package, tmp_path / "rerank_cli", ignore=shutil.ignore_patterns("builtin", "__pycache__"))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.chdir(docs)
    with warm(ready=lambda: list(folder().glob("*.socket"))) as server:
        found = process(*question(docs, "gas"))
        assert answers(process) == 1
        os.utime(tmp_path / "rerank_cli" / "search.py")
        assert process(*question(docs, "gas")) == found
        assert server.wait(PATIENCE_S) == 0
    assert process("warm", "status").code == 1


def test_another_version_has_another_server(monkeypatch: pytest.MonkeyPatch) -> None:
    kinds = {warm_wire.kind_of_server({})}
    kinds.add(warm_wire.kind_of_server({"LC_ALL": "C"}))
    kinds.add(warm_wire.kind_of_server({"PYTHONPATH": "/elsewhere"}))
    known = os.readlink
    for space in ("mnt", "net"):
        with monkeypatch.context() as contained:
            contained.setattr(
                os, "readlink", lambda path, own=f"/{space}": "[1]" if path.endswith(own) else known(path)
            )
            kinds.add(warm_wire.kind_of_server({}))
    for name, another in (("getegid", 12_345), ("getgroups", [12_345])):
        with monkeypatch.context() as grouped:
            grouped.setattr(os, name, lambda another=another: another)
            kinds.add(warm_wire.kind_of_server({}))
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(sys, "prefix", "/elsewhere")
        kinds.add(warm_wire.kind_of_server({}))
    with monkeypatch.context() as called:
        called.setattr(sys, "executable", f"{sys.executable}.11")
        kinds.add(warm_wire.kind_of_server({}))  # the Python of one environment has several names
    monkeypatch.setattr(warm_wire, "__version__", "99.0")
    kinds.add(warm_wire.kind_of_server({}))
    assert len({warm_wire.socket_name(kind) for kind in kinds}) == 9
    assert warm_wire.kind_of_server({"OMP_NUM_THREADS": "1"}) in kinds, "that of the query counts"


def test_nobody_else_can_reach_it(docs: Path, served: object) -> None:
    assert stat.S_IMODE(folder().stat().st_mode) == 0o700
    (place,) = folder().glob("*.socket")
    assert stat.S_IMODE(place.stat().st_mode) == 0o600


def test_what_is_another_users_is_not_asked(process: Cli, served: object, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = warm_wire.open_folder(str(folder()))
    assert opened is not None
    (place,) = folder().glob("*.socket")
    monkeypatch.setattr(os, "geteuid", lambda: 54321)
    assert warm_wire.open_folder(str(folder())) is None
    assert warm_wire.connected(opened, place.name) is None
    os.close(opened)


@pytest.mark.parametrize("mode", [0o755, 0o770, 0o702])
def test_a_folder_that_others_may_use_is_refused(docs: Path, process: Cli, mode: int) -> None:
    folder().mkdir(parents=True)
    folder().chmod(mode)
    assert_one_line(process("warm", "start"), "is not a folder of yours alone")
    assert process(*question(docs, "gas")).code == 0


def test_the_users_runtime_folder_is_taken_where_it_is_theirs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = folder()
    (tmp_path / "run").mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    assert folder() == tmp_path / "run" / "rerank-cli"
    (tmp_path / "run").chmod(0o755)
    assert folder() == usual


def test_a_link_is_refused(tmp_path: Path, process: Cli) -> None:
    folder().parent.mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    folder().symlink_to(tmp_path / "elsewhere")
    assert process("warm", "start").code == 4


def test_a_server_that_is_killed_before_it_answers_is_not_missed(
    docs: Path, served: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(_: int) -> object:
        """What a query asks just before it lets the other process begin."""
        os.kill(answering(served)[0], signal.SIGKILL)
        return signal.default_int_handler

    with monkeypatch.context() as patched:
        patched.setattr("rerank_cli.cli.warm_client._signal.getsignal", killed)
        assert answered_warm(question(docs, "gas")) is None
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler, "what follows is answered here"


def test_what_was_read_of_stdin_is_not_missed(docs: Path, served: subprocess.Popen[bytes]) -> None:
    asked = half_asked(docs)
    os.kill(answering(served)[0], signal.SIGKILL)
    outcome = ended(asked, "ne\n")
    assert (outcome.code, outcome.out) == (70, "")
    assert_one_line(outcome, "ask again")


def test_nothing_is_written_twice(docs: Path, served: subprocess.Popen[bytes]) -> None:
    asked = asking(docs)
    assert asked.stdin and asked.stdout
    asked.stdin.write(b"gas\n")
    asked.stdin.flush()
    assert b"gas.md" in asked.stdout.readline()
    os.kill(answering(served)[0], signal.SIGKILL)
    outcome = ended(asked, "boat\n")
    assert (outcome.code, outcome.out) == (70, "")
    assert_one_line(outcome, "ask again")


def test_an_answer_outlives_its_server(docs: Path, served: subprocess.Popen[bytes]) -> None:
    asked = asking(docs)
    until(lambda: answering(served))
    served.kill()
    served.wait()
    outcome = ended(asked, "gas\nboat\n")
    assert (outcome.code, outcome.err, len(outcome.lines)) == (0, "", 2)


def test_several_are_answered_at_once(docs: Path, process: Cli, served: subprocess.Popen[bytes]) -> None:
    first, second = asking(docs), asking(docs)
    until(lambda: len(answering(served)) == 2)
    assert "gas.md" in process(*question(docs, "gas")).out
    assert "boat.md" in ended(second, "boat\n").out
    assert "gas.md" in ended(first, "gas\n").out


def test_who_goes_is_not_answered_any_more(docs: Path, served: subprocess.Popen[bytes]) -> None:
    asked = asking(docs)
    until(lambda: answering(served))
    asked.kill()
    until(lambda: not answering(served))
    ended(asked)


def test_who_goes_at_once_does_not_end_the_server(docs: Path, served: subprocess.Popen[bytes], process: Cli) -> None:
    first = asking(docs)  # beside which none stands by: each of the others has its process forked
    until(lambda: answering(served))
    (place,) = folder().glob("*.socket")
    own = [warm_wire.kind_of_server(os.environ).encode(), b"18"]
    request = warm_wire.packed(warm_wire.ANSWER, own, [b"query", b"gas"], [])
    with Path(os.devnull).open("r+b") as stream:
        here = os.open("/", os.O_PATH)
        for _ in range(60):
            with socket.socket(socket.AF_UNIX) as hasty:
                hasty.connect(str(place))
                assert hasty.recv(1) == warm_wire.HERE
                socket.send_fds(hasty, [request], [*[stream.fileno()] * 3, here])
        os.close(here)
    assert answers(process) == 61
    assert "gas.md" in ended(first, "gas\n").out


def test_one_that_was_killed_while_it_stood_by_is_not_missed(
    docs: Path, served: subprocess.Popen[bytes], process: Cli
) -> None:
    until(lambda: children(served))
    os.kill(children(served)[0], signal.SIGKILL)
    for _ in range(2):
        assert "gas.md" in process(*question(docs, "gas")).out
    assert answers(process) == 1, "the first was answered cold"


def test_one_that_hangs_while_it_stands_by_holds_nothing_up(
    docs: Path, served: subprocess.Popen[bytes], process: Cli
) -> None:
    until(lambda: children(served))
    (standing_by,) = children(served)
    os.kill(standing_by, signal.SIGSTOP)
    try:
        program = "from rerank_cli.cli.entry import program; program()"
        command = [sys.executable, "-P", "-c", program, *question(docs, "gas")]
        found = subprocess.run(command, capture_output=True, timeout=20, check=True)  # reads until nobody can write
        assert b"gas.md" in found.stdout
        assert process("warm", "stop").code == 0
        served.wait(20)
    finally:
        with suppress(ProcessLookupError):
            os.kill(standing_by, signal.SIGKILL)


def test_one_that_stands_by_ends_with_its_server(served: subprocess.Popen[bytes], process: Cli) -> None:
    until(lambda: children(served))
    (standing_by,) = children(served)
    served.kill()
    served.wait()
    until(lambda: not Path(f"/proc/{standing_by}").exists())


def test_an_interrupt_ends_an_answer_as_it_ends_a_cold_one(docs: Path, served: subprocess.Popen[bytes]) -> None:
    asked = asking(docs)
    assert asked.stdin and asked.stdout
    asked.stdin.write(b"gas\n")
    asked.stdin.flush()
    assert asked.stdout.readline()
    asked.send_signal(signal.SIGINT)
    asked.wait(PATIENCE_S)
    outcome = ended(asked)
    assert (outcome.code, outcome.err) == (130, "rerank-cli: interrupted\n")


def test_an_interrupt_of_the_server_interrupts_no_query(docs: Path, served: subprocess.Popen[bytes]) -> None:
    asked = half_asked(docs)
    os.kill(answering(served)[0], signal.SIGINT)  # as to all of the server's group
    outcome = ended(asked, "ne\n")
    assert (outcome.code, outcome.out) == (70, "")
    assert_one_line(outcome, "ask again")


def test_one_that_hangs_is_not_waited_for(docs: Path, process: Cli, served: subprocess.Popen[bytes]) -> None:
    served.send_signal(signal.SIGSTOP)
    assert "gas.md" in process(*question(docs, "gas")).out
    served.send_signal(signal.SIGCONT)
    assert process("warm", "status").code == 0
    until(lambda: not answering(served))


def test_what_a_killed_server_left_is_no_obstacle(docs: Path, process: Cli) -> None:
    with warm() as first:
        first.kill()
        first.wait()
    assert list(folder().glob("*.socket")) and process(*question(docs, "gas")).code == 0
    with warm():
        until(lambda: process("warm", "status").code == 0)
        assert process(*question(docs, "gas")).code == 0
        assert answers(process) == 1


def test_one_whose_socket_is_gone_ends_and_another_begins(process: Cli, served: subprocess.Popen[bytes]) -> None:
    (place,) = folder().glob("*.socket")
    place.unlink()
    assert process("warm", "start").code == 0
    served.wait(PATIENCE_S)
    assert process("warm", "stop").code == 0, "the first has left the second's socket alone"


def test_too_many_open_files_cost_nothing_but_time(docs: Path, served: subprocess.Popen[bytes], process: Cli) -> None:
    import resource

    until(lambda: children(served))
    limits = resource.prlimit(served.pid, resource.RLIMIT_NOFILE)
    for few in range(4, open_files(served) + 8):
        resource.prlimit(served.pid, resource.RLIMIT_NOFILE, (few, limits[1]))
        assert "gas.md" in process(*question(docs, "gas")).out
    resource.prlimit(served.pid, resource.RLIMIT_NOFILE, limits)
    assert "gas.md" in process(*question(docs, "gas")).out
    assert answers(process)
    until(lambda: not answering(served))


def test_a_second_server_of_a_kind_ends_at_once(served: object) -> None:
    second = subprocess.run(
        [sys.executable, "-P", "-c", SERVE, "300"], check=True, capture_output=True, timeout=PATIENCE_S
    )
    assert (second.stdout, second.stderr) == (b"", b"")


def test_a_stranger_is_hung_up_on(docs: Path, process: Cli, served: object) -> None:
    (place,) = folder().glob("*.socket")
    for said in (b"", b"\n", b"answer\n", b"answer 1 2 3 4\nx", b"\xff" * 100, b"answer 2 0 0 -1\n"):
        with socket.socket(socket.AF_UNIX) as stranger:
            stranger.connect(str(place))
            stranger.sendall(said)
            stranger.shutdown(socket.SHUT_WR)
            assert stranger.recv(2) in (b"H", b"HT")
    assert process(*question(docs, "gas")).code == 0
    assert answers(process) == 1


def test_what_strangers_hand_over_is_closed(docs: Path, served: subprocess.Popen[bytes], process: Cli) -> None:
    assert process(*question(docs, "gas")).code == 0
    until(lambda: children(served) and not answering(served))
    before = open_files(served)
    (place,) = folder().glob("*.socket")
    for _ in range(3):
        with socket.socket(socket.AF_UNIX) as stranger, Path(os.devnull).open("rb") as file:
            stranger.connect(str(place))
            socket.send_fds(stranger, [b"answer of no size\n"], [file.fileno()] * 4)
            stranger.shutdown(socket.SHUT_WR)
            assert stranger.recv(2) == b"H"
    until(lambda: open_files(served) <= before)


def open_files(server: subprocess.Popen[bytes]) -> int:
    return len(list(Path(f"/proc/{server.pid}/fd").iterdir()))


def test_what_is_too_much_for_a_request_is_answered_cold(docs: Path, served: object) -> None:
    assert answered_warm(question(docs, *["gas"] * 1_000_000)) is None


def test_a_queue_before_one_that_hangs_is_not_joined(docs: Path, process: Cli, served: subprocess.Popen[bytes]) -> None:
    (place,) = folder().glob("*.socket")
    served.send_signal(signal.SIGSTOP)
    with ExitStack() as waiting:
        with suppress(BlockingIOError):  # which tells that the queue is full
            while True:
                one = waiting.enter_context(socket.socket(socket.AF_UNIX))
                one.setblocking(False)
                one.connect(str(place))
        assert "gas.md" in process(*question(docs, "gas")).out
        served.send_signal(signal.SIGCONT)


def test_one_that_stops_looks_after_its_answers(docs: Path, process: Cli, served: subprocess.Popen[bytes]) -> None:
    first, second = asking(docs), asking(docs)
    until(lambda: len(answering(served)) == 2)
    assert process("warm", "stop").code == 0
    until(lambda: not list(folder().glob("*.socket")))
    with warm() as next_one:
        assert served.poll() is None and next_one.poll() is None
        first.send_signal(signal.SIGINT)
        assert first.wait(PATIENCE_S) == 130
        second.kill()
        assert served.wait(PATIENCE_S) == 0, "there is nobody left to answer"
        ended(first)
        ended(second)


def test_a_signal_ends_one_when_its_answers_are_done(docs: Path, served: subprocess.Popen[bytes]) -> None:
    asked = asking(docs)
    until(lambda: answering(served))
    served.terminate()
    until(lambda: not list(folder().glob("*.socket")))
    assert "gas.md" in ended(asked, "gas\n").out
    assert served.wait(PATIENCE_S) == 0


def test_to_ask_for_its_status_is_no_query(process: Cli) -> None:
    with warm(idle_s=1.0) as server:
        until(lambda: process("warm", "status").code == 1)
        assert server.wait(PATIENCE_S) == 0


def test_an_idle_server_ends(docs: Path) -> None:
    with warm(idle_s=3.0) as server:
        asked = asking(docs)
        until(lambda: answering(server))
        time.sleep(4.0)
        assert "gas.md" in ended(asked, "gas\n").out, "one that answers is not idle"
        assert server.wait(PATIENCE_S) == 0
    assert not list(folder().glob("*.socket"))


def test_while_it_loads_it_is_not_idle() -> None:
    slowly = "load = warm_server.Server.load; warm_server.Server.load = lambda *it: (load(*it), time.sleep(1.1))"
    program = f"import time; from rerank_cli.cli import warm_server; {slowly}; warm_server.main()"
    with subprocess.Popen([sys.executable, "-P", "-c", program, "1.0"]) as server:
        until(lambda: listens() or server.poll() is not None)
        assert server.poll() is None
        server.kill()


def test_it_is_started_once_and_stopped(docs: Path, process: Cli) -> None:
    assert_one_line(process("warm", "stop"), "there is no warm server")
    assert process("warm", "status").code == 1
    assert process("warm", "status", "--json").out == "[]\n"
    assert_one_line(process("warm", "start", "--idle", "soon"), "write it as in 90s")
    for idle in ("0s", "600h"):
        assert_one_line(process("warm", "start", "--idle", idle), "too short or too long")
    assert_one_line(process("warm", "start", "--encoder", "./none"), "no such encoder")
    assert_one_line(process("warm", "start", "--idle", "60s"), "queries are answered warm")
    assert_one_line(process("warm", "start", "--idle", "2h"), "is there already", "ends after 60 s")
    status = process("warm", "status")
    assert status.code == 0 and "ends after 60 s without a query" in status.out and "all-MiniLM-L6-v2" in status.out
    assert_one_line(process("warm", "stop"), "stopped the warm server")
    until(lambda: process("warm", "status").code == 1)


def test_of_two_that_are_started_at_once_one_stays() -> None:
    command = [sys.executable, "-m", "rerank_cli", "warm", "start"]
    both = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(2)]
    told = {each.communicate(timeout=PATIENCE_S)[1] for each in both}
    try:
        assert [each.returncode for each in both] == [0, 0], told
        assert len({re.search(rb"pid [0-9]+", each)[0] for each in told}) == 1
    finally:
        subprocess.run([sys.executable, "-m", "rerank_cli", "warm", "stop"], check=True)


def test_a_query_starts_one_for_those_that_follow(docs: Path, process: Cli) -> None:
    cold = process(*question(docs, "gas"), "--warm")
    try:
        until(lambda: process("warm", "status").code == 0)
        assert process(*question(docs, "gas"), "--warm") == cold
        assert answers(process) == 1
    finally:
        process("warm", "stop")


def test_some_queries_never_go_there(monkeypatch: pytest.MonkeyPatch) -> None:
    assert is_wanted(["query", "gas"]) and is_wanted(["query", "--", "--no-warm"])
    assert not is_wanted(["query", "gas", "--no-warm"])
    assert not is_wanted(["query", "gas", "--open"]) and not is_wanted(["query", "gas", "--open=2"])
    for own in ("/dev/fd/63", "/dev/stdin", "/proc/self/fd/5"):
        assert not is_wanted(["query", "--queries", own]) and not is_wanted(["query", f"--queries={own}"])
    assert is_wanted(["query", "gas", "--index", "/dev/shm/index"])
    assert is_wanted(["query", "-"])
    with monkeypatch.context() as typed:
        typed.setattr(os, "isatty", lambda _: True)
        assert is_wanted(["query", "gas"]) and not is_wanted(["query", "-"])
    assert not is_wanted(["index", "."]) and not is_wanted([])
    monkeypatch.setenv("RERANK_CLI_WARM", "false")
    assert not is_wanted(["query", "gas"])
